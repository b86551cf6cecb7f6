// SPDX-License-Identifier: GPL-3.0-or-later
// The analyses that start on the Experiments page: what each answers, what it takes from a log, and whether a data set can give it.
#pragma once
#include "data/dataset.h"
#include "experiment/analysis_specification.h"
#include <QString>
#include <vector>

namespace carousel::ui {

// In the order of the page. The lens and the rows start on the Carousel page.
const std::vector<AnalysisKind>& logAnalyses();
QString analysisTitle(AnalysisKind kind);
QString analysisTitle(const std::string& kindName); // of a stored one; the name itself when it is none
QString analysisQuestion(AnalysisKind kind);        // one line
QString analysisHelp(AnalysisKind kind);            // what it does, what it takes, what it cannot tell

struct AnalysisAbility {
    QString refusal; // why this data set cannot carry it; empty: it can
    QString note;    // what will be missing although it can
};
AnalysisAbility analysisAbility(AnalysisKind kind, const std::vector<carousel::Badge>& badges);

// The ids of a kind's options that are shown at once; the others wait under "More options".
std::vector<std::string> commonOptions(AnalysisKind kind);

} // namespace carousel::ui
