// SPDX-License-Identifier: GPL-3.0-or-later
// Interaction rows of a table into a Dataset: the part that atomic files and mapped tables share.
#pragma once
#include "data/import/import_log.h"
#include "data/import/time_text.h"

namespace carousel {

struct EventColumns {
    int user = -1, item = -1, value = -1, time = -1, kind = -1; // -1: none
    std::string constantKind;                                   // without a kind column
    TimeUnit timeUnit = TimeUnit::automatic;
};

// Reads the rest of `table`. `onKept` (may be empty) is called with user and item of every row that is kept.
Result<SourceFile> readEvents(TableReader& table, const EventColumns& columns, Dataset& dataset, ImportLog& log, ImportReport& report,
                              const std::string& importer, const std::string& options,
                              const std::function<void(Code user, Code item)>& onKept = {});

// Code of an event kind; CL-1012 when there would be more than 255.
Result<std::uint8_t> kindCode(InteractionTable& events, std::string_view kind, const std::string& where);

} // namespace carousel
