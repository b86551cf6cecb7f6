// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of the carousel page as descriptions; pure functions of what is on the screen.
#pragma once
#include "workbench/workbench.h"

namespace carousel::ui {

struct PlottedCarousel {      // one row of the page
    std::string letter, name; // "A", the strategy
    int colour = 0;
    const CarouselFigures* figures = nullptr; // this user, as arranged
    const StrategyResult* strategy = nullptr; // all users, as stored
};

// Reach, examination and click per position for the user on the screen.
PlotSpec userPositionPlot(const std::vector<PlottedCarousel>& rows, int window, double swipe, const std::string& user);
// Mean reach and click over all users with bands, as the study assumed fold and swipe.
PlotSpec studyPositionPlot(const std::vector<PlottedCarousel>& rows, const StudyComparison& comparison);
// Where the held-out items land, with the share just behind the fold.
PlotSpec landingPlot(const std::vector<PlottedCarousel>& rows, int window, std::int64_t users);
// Share of held-out items at the four positions behind the fold.
double shareJustOutside(const StrategyResult& strategy, int window);

} // namespace carousel::ui
