// SPDX-License-Identifier: GPL-3.0-or-later
// What a written report carries so that it can be made again and compared: its specification, every number to its last digit, and its
// provenance. A page carries it in two script elements that no browser runs; an analysis as JSON is the record itself. Pure; any thread.
#pragma once
#include "report/analysis_document.h"

namespace carousel {

struct ReportRecord {
    std::string kind;           // "study" for a report of runs, or the kind of the analysis
    std::string title;          // empty when the file says none
    std::string specToml;       // resolved
    std::string figuresJson;    // an object
    std::string provenanceJson; // an object
};

// The compact block for a page: {"format":"carousel-lab/figures","version":1,"kind":...,"title":...,"specification":...,"figures":{...}}.
std::string figuresRecord(const AnalysisDocument& document);
// The page with that block beside the provenance; else as htmlReport in html_report.h.
Result<std::string> htmlReport(const ReportModel& model, const std::string& figures);

// Reads either form. CL-5007 when the text is no report of this program, carries no figures (written by a version that kept none), or is cut.
Result<ReportRecord> readReportRecord(const std::string& text);

} // namespace carousel
