// SPDX-License-Identifier: GPL-3.0-or-later
// Climbing the likelihood of gathered counts from a start: EM with extrapolation, or Adam on the logit scale. Shared by fits, bootstrap
// refits and the known-truth check.
#pragma once
#include "evaluation/click_models/fit_counts.h"

namespace carousel {

struct Climb {
    std::vector<double> p;
    std::vector<double> trace;
    int iterations = 0;
    bool converged = false;
    Expectation expectation; // at p
};
// Parameters that the layout holds fixed are set; the others keep what `start` says. `attractionOnly`: all but attraction stays.
Result<Climb> climb(const ClickCounts& counts, std::vector<double> start, const ClickFitOptions& options, const RunControl& control,
                    bool attractionOnly = false);
std::vector<double> startingPoint(const ParameterLayout& layout, std::uint64_t seed, int restart);
// A start near given parameters, off the borders where EM would stand still.
std::vector<double> warmStart(const ParameterLayout& layout, const ClickModelParameters& parameters);
// Scales examination to 1 at the first place (or at the largest, where that is larger) and attraction accordingly. Returns the scale.
double scaleToFirst(const ParameterLayout& layout, const Expectation& expectation, std::vector<double>& p);
// Items that say nothing (never shown, never clicked) get the mean of the others, so that new sessions with them can be judged.
void fillUnseen(const ParameterLayout& layout, const Expectation& expectation, std::vector<double>& p);
// The place that ratios refer to: the first that was shown.
std::size_t firstPlace(const ParameterLayout& layout, const Expectation& expectation);

// Cluster-robust intervals of the global parameters of pbm and carousel, into estimates as globalParameters orders them.
Result<void> robustIntervals(const ClickLog& log, const ClickCounts& counts, const std::vector<double>& p, const IntervalOptions& intervals,
                             const RunControl& control, std::vector<ParameterEstimate>& estimates);

Result<void> checkClickFit(ClickModelKind kind, const ClickLog& log, const ClickFitOptions& options);

} // namespace carousel
