// SPDX-License-Identifier: GPL-3.0-or-later
// The pictures of a placement study.
#pragma once
#include "workbench/analyses/placement_figures.h"

namespace carousel::analyses {

PlotSpec placementGainPlot(const PlacementFigures& figures, double confidence);   // every place's gain beside the smallest that matters
PlotSpec placementFrontPlot(const PlacementFigures& figures, double confidence);  // quality against seconds of a request, front marked
// Two lines over off and on of `across`, one for each state of `lines`; the mean over the other two places.
PlotSpec placementInteractionPlot(const PlacementFigures& figures, std::size_t across, std::size_t lines);

} // namespace carousel::analyses
