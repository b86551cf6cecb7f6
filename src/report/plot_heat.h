// SPDX-License-Identifier: GPL-3.0-or-later
// Heat maps: magnitudes in viridis (van der Walt and Smith, 2015, CC0), the number in every cell that has room for it.
#pragma once
#include "report/plot.h"

namespace carousel {

// "#rrggbb" for a share of the scale, 0 (dark) to 1 (bright); outside it is held at the ends.
std::string viridis(double share);
bool takesDarkText(double share); // on the colour of this share dark text reads better than white

struct HeatScale {
    double low = 0, high = 1;
    double share(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};
HeatScale heatScale(const PlotSpec& plot); // yMinimum and yMaximum where given, else the finite values' range
// What to write into the cells: all with the same decimals, as many as `width` pixels at `size` have room for; empty when none fit or a cell is empty.
std::vector<std::string> heatLabels(const PlotHeat& heat, double size, double width);

std::string heatSvg(const PlotSpec& plot, int width, int height); // as high as its rows need, at most about `height` for few rows

} // namespace carousel
