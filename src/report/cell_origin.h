// SPDX-License-Identifier: GPL-3.0-or-later
// Where a number of a document comes from: its value to the last digit in the document's figures, what computes it, and the command,
// specification and data that make it again. Pure; any thread.
#pragma once
#include "report/analysis_document.h"

namespace carousel {

struct CellOrigin {
    std::string table, row, column;            // caption; the row's first cell, with its second where that names an arm or segment; title
    std::string shown;                         // the cell's text with its interval
    std::string path, exact, exactInterval;    // "effects[3].effect.difference", "0.2536...", "[0.1, 0.4]"; empty: not a single figure
    std::string source;                        // function and paper
    std::string command, specificationSha256, dataDigest, program; // empty where the document does not say
};
// `row` and `column` within the table; an empty origin when they are not.
CellOrigin originOf(const AnalysisDocument& document, const ReportTable& table, std::size_t row, std::size_t column);
// The value at "effects[3].effect.difference" of a JSON text, as JSON; empty where there is none.
std::string figureAt(const std::string& figuresJson, const std::string& path);
std::string toText(const CellOrigin& origin); // a line for each part that is known, to read and to copy

} // namespace carousel
