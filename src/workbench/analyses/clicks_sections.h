// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of a click model document, and its figures for programs.
#pragma once
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/documents.h"

namespace carousel::analyses {

struct ClicksFindings {
    SelectedLog log;
    ModelComparison comparison;
    int window = 6, maxIterations = 0;
    double confidence = 0.95;
    std::string intervals; // "robust", "bootstrap"
    const ModelComparisonRow* fitted(ClickModelKind kind) const; // nullptr when refused or not asked for
};

ReportSection comparisonSection(const ClicksFindings& f);
ReportSection perplexitySection(const ClicksFindings& f);
ReportSection examinationSection(const ClicksFindings& f);
ReportSection convergenceSection(const ClicksFindings& f);
ReportSection identificationSection(const ClicksFindings& f);
std::string clicksFigures(const ClicksFindings& f);

} // namespace carousel::analyses
