// SPDX-License-Identifier: GPL-3.0-or-later
// A report as one HTML file that needs nothing else: no script, no network, light and dark, made for print. Every plot is followed by its
// numbers as a table; every number can carry its interval, every metric its definition.
#pragma once
#include "base/result.h"
#include "report/plot.h"
#include <string>
#include <utility>
#include <vector>

namespace carousel {

struct ReportCell {
    enum class Tone { plain, good, bad, muted };
    std::string text;
    std::string interval;    // "[0.12, 0.15]", set smaller beside the text
    std::string note;        // one line below
    Tone tone = Tone::plain; // said in words too: colour is never the only sign
    int colour = -1;         // a strategy's colour and marker before the text
    std::string path = {};   // of its value in the document's figures, "effects[3].effect.difference"; empty: it is not a single one of them
};
ReportCell textCell(std::string text, int colour = -1);
ReportCell estimateCell(double value, double low, double high); // three figures and interval; no interval where it is not finite
ReportCell numberCell(double value);

struct ReportColumn {
    std::string title;
    bool numeric = false; // right-aligned, tabular figures
    std::string help;     // shown on hover; definitions that matter belong into ReportSection::definitions
    std::string source = {}; // what computes it, and after whom: "welch(); Welch 1947"
};
struct ReportTable {
    std::string caption;
    std::vector<ReportColumn> columns;
    std::vector<std::vector<ReportCell>> rows;
    std::string note;
};
struct ReportDefinition {
    std::string term, meaning, source;
};
struct ReportSection {
    std::string title;
    std::vector<std::string> paragraphs;
    std::vector<ReportTable> tables;
    std::vector<PlotSpec> plots;
    std::vector<ReportDefinition> definitions;
};
// One thing that was checked: a light, always with its word, and a sentence with the numbers. Green, amber, red are for health only.
enum class Light { none, green, amber, red };
const char* name(Light light); // "", "supported", "weak", "not supported"
struct ReportFinding {
    Light light = Light::none;
    std::string title, text;
};
struct ReportModel {
    std::string title, subtitle;                            // subtitle: data set, users, date
    std::vector<std::string> lead;                          // the verdict in plain words, most important first
    std::vector<std::pair<std::string, std::string>> facts; // "Users", "943": a row of figures under the lead
    Light light = Light::none;                              // of the whole; the worst of the findings that decide
    std::vector<ReportFinding> findings;                    // the evidence gate, tests of assumptions
    std::vector<std::string> warnings;
    std::vector<ReportSection> sections;
    std::string provenanceJson; // carried whole, as data and to read
    std::string command;        // reproduces the report
};

// Error CL-9003 when the built-in template does not hold together.
Result<std::string> htmlReport(const ReportModel& model);

} // namespace carousel
