// SPDX-License-Identifier: GPL-3.0-or-later
// Kept analyses of one kind side by side: in what their designs differ, what each found, what each decided, what was checked. Every number is
// the kept one (figuresJson); nothing is computed again. Pure; any thread.
#pragma once
#include "report/analysis_document.h"
#include <cstdint>
#include <span>

namespace carousel::analyses {

struct ComparedAnalysis {
    std::int64_t id = 0;
    std::string dataset, createdAt;
    AnalysisDocument document;
};
// Kinds that can be compared: "ab-test", "placement", "ab-check".
bool canCompare(const std::string& kind);
// The document, of kind "comparison"; it is not kept. CL-7021: fewer than two or more than six, kinds that differ, a kind that cannot be compared,
// one analysis twice, figures that cannot be read.
Result<AnalysisDocument> comparisonDocument(std::span<const ComparedAnalysis> analyses);

} // namespace carousel::analyses
