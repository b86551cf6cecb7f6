// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of a position lens document, and its figures for programs.
#pragma once
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/documents.h"

namespace carousel::analyses {

struct LensPlan {
    CarouselModel model, whatIf;
    std::string whatIfWords; // "7 visible instead of 6"
    PositionLens::Figure figure = PositionLens::Figure::click;
    std::string figureName;
    int draws = 1000;
    double confidence = 0.95;
    std::uint64_t seed = 1;
};
struct LensPart { // of one run
    std::shared_ptr<const RunLens> run;
    LensFigures figures;
    LensIntervals intervals;
    PositionLens::Change change;
    PositionLens::Missed missed;
    PositionLens::HeatMap heat;
    PositionLens::Landing landing;
    LensFigures conversion;             // empty without purchases
    LensIntervals conversionIntervals;
    std::vector<double> valueByWindow;  // 1, 2 ... visible slots
    std::vector<double> valueBySwipe;   // 0, 0.05 ... 1
};
std::vector<ReportSection> lensSections(const LensPlan& plan, const std::vector<LensPart>& parts, const std::vector<PairedDifference>& differences);
std::string lensFigures(const LensPlan& plan, const std::vector<LensPart>& parts, const std::vector<PairedDifference>& differences);

} // namespace carousel::analyses
