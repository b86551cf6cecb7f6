// SPDX-License-Identifier: GPL-3.0-or-later
// What an analysis of a log or of runs found, as one value: shown in the window, printed by the command line, stored in the project, written
// as HTML, JSON or a folder of tables and pictures. Made by src/workbench/analyses/.
#pragma once
#include "report/html_report.h"
#include <nlohmann/json_fwd.hpp>

namespace carousel {

struct AnalysisDocument {
    std::string kind;        // "clicks", "position-bias", "off-policy", "lens", "rows", "likes", "ratings"
    ReportModel report;      // title, lead (the verdict first), facts, findings, sections with plots and tables, definitions, provenance
    std::string figuresJson; // every number to its last digit, one JSON object, for programs
    std::string specToml;    // resolved specification
};

std::string toJson(const AnalysisDocument& document);                     // lossless; NaN is null
Result<AnalysisDocument> analysisFromJson(const std::string& json);       // CL-9004 when it does not hold together
// What a person reads on a terminal: lead, findings with their light in words, every table; plots by their title and table where they have no
// table of their own. `wide` columns at most (0: no limit).
std::string toText(const AnalysisDocument& document, int width = 0);
// FILE.html, FILE.json, or a folder (made when missing): index.html, figures.json, one CSV per table and plot, one SVG per plot. CL-50xx.
Result<void> writeAnalysis(const AnalysisDocument& document, const std::string& fileOrFolder);

} // namespace carousel
