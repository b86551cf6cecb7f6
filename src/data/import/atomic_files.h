// SPDX-License-Identifier: GPL-3.0-or-later
// RecBole's atomic files: tab-separated tables whose header cells are "name:type", quote characters being data.
#pragma once
#include "data/import/event_rows.h"

namespace carousel {

struct AtomicColumn {
    std::string name;
    FieldType type = FieldType::token;
};
// CL-1005 for a cell without a known type. Titles and descriptions are read as whole texts even when declared token_seq: cut at
// their blanks they could not be shown to people or to a language model.
Result<std::vector<AtomicColumn>> atomicColumns(const TableReader& table);

// PATH itself or PATH with .gz, .zst, .xz, .bz2; "" when none exists.
std::string existingFile(const std::string& path);

// Rows without values at the end of every attribute column, so that each has one row per id.
void fillMissing(EntityTable& entities);

// BASE.inter with optional BASE.item, BASE.user and BASE.review (see review_rows.h).
Result<void> readAtomicFiles(const std::string& base, Dataset& dataset, ImportReport& report, const ImportLimits& limits,
                             const RunControl& control, const std::string& importer);

} // namespace carousel
