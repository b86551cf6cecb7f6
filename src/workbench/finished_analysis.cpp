// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/finished_analysis.h"
#include "base/file.h"

namespace carousel {

Result<std::int64_t> addFinishedAnalysis(Workbench& bench, const std::string& file) {
    CAROUSEL_ASSIGN(const auto text, readFile(file, std::size_t(64) << 20));
    const auto document = analysisFromJson(text);
    if (!document)
        return fail(ErrorKind::input, "CL-7107", fmt::format("'{}' is no analysis: {}", file, document.error().message), "Give a file that `evaluate ... -o FILE.json` wrote.");
    CAROUSEL_ASSIGN(const auto kind, analysisKind(document->kind));
    CAROUSEL_ASSIGN(const auto spec, parseAnalysis(kind, document->specToml, bench.plugins()));
    AnalysisRow row;
    row.kind = document->kind;
    row.title = document->report.title;
    row.dataset = spec.dataset;
    row.verdict = document->report.lead.empty() ? "" : document->report.lead.front();
    row.light = name(document->report.light);
    return bench.store().saveAnalysis(row, toJson(*document));
}

} // namespace carousel
