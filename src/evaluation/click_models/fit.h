// SPDX-License-Identifier: GPL-3.0-or-later
// Fitting click models: EM (closed-form maximum likelihood where a model has it), or gradient ascent on the same likelihood; restarts,
// convergence, intervals, held-out comparison. Counts that suffice are gathered once (PBM: clicks and impressions per item and slot), so an
// iteration does not walk the log where it need not. The same result for any thread count.
#pragma once
#include "base/run_control.h"
#include "evaluation/click_models/click_model.h"
#include "evaluation/statistics/interval.h"

namespace carousel {

struct ClickFitOptions {
    // "em"; "gradient" (logit scale, Adam, full batch); "counts": the simplified closed forms of the papers (rankCtr, itemCtr, cascade, dcm,
    // sdbn), which for dcm and sdbn leave out what follows the last click and so are not the maximum.
    std::string method = "em";
    bool accelerate = true;         // "em": extrapolates (SQUAREM), never to a lower likelihood; false: plain EM steps
    int maxIterations = 500;
    double tolerance = 1e-9;        // stop when the mean log-likelihood per session grows by less
    int restarts = 1;               // starts; the first is at 0.5, others drawn with the seed; the best likelihood is kept
    double priorClicks = 0, priorImpressions = 0; // pseudo-counts of every probability, added anew in each M-step (1 and 2: PyClick's)
    int window = 6;                 // carousel
    bool relativeToFirst = true;    // scale examination so that its first place is 1 and attraction accordingly (pbm, ubm, carousel)
    std::uint64_t seed = 1;
};
struct ClickModelFit {
    ClickModelKind kind = ClickModelKind::pbm;
    ClickModelParameters parameters;
    std::vector<double> trace;      // mean log-likelihood per session before the first and after every iteration (prior left out)
    std::vector<double> restartEnds;// where each restart ended
    int iterations = 0;
    bool converged = false;
    std::vector<std::string> notes; // "swipe is not identified ...", "12 items were never shown"
};
// CL-8023: the log cannot support the model (not whole slates, two clicks for the cascade model, no click at all), naming the reason.
Result<ClickModelFit> fitClickModel(ClickModelKind kind, const ClickLog& log, const ClickFitOptions& options, const RunControl& control);

// One EM iteration of the PBM row by row, no sufficient statistics: for the benchmark and for tests.
void pbmIterationByRows(const ClickLog& log, ClickModelParameters& parameters, double priorClicks, double priorImpressions);

// Global parameters (not per item) with intervals: examination relative to the first place, swipe, continuation ...
struct ParameterEstimate {
    std::string block, label;       // "examination", "position 3 / position 1"
    double value = 0;
    Interval interval;
};
struct IntervalOptions {
    // "bootstrap": clusters are redrawn, warm-started refits. "robust": cluster-robust (sandwich) normal interval from scores and
    // information with attractions profiled out, on the logit or log scale; for pbm and carousel.
    std::string method = "bootstrap";
    int draws = 200;
    double confidence = 0.95;
    std::uint64_t seed = 1;
};
std::vector<ParameterEstimate> globalParameters(const ClickModelFit& fit); // intervals NaN
Result<std::vector<ParameterEstimate>> parameterIntervals(const ClickLog& log, const ClickModelFit& fit, const ClickFitOptions& options,
                                                          const IntervalOptions& intervals, const RunControl& control);

struct ModelComparisonRow {
    ClickModelInfo info;
    std::string refused;            // why this model was not fitted; empty: it was
    ClickModelFit fit;              // on all sessions
    ClickModelScore heldOut;        // fitted on the others
    Interval heldOutInterval;       // of the mean log-likelihood per session, bootstrap over clusters
    double toBest = 0;              // held-out log-likelihood minus the best model's, paired
    Interval toBestInterval;
    std::vector<ParameterEstimate> estimates;
    double seconds = 0;
};
struct ModelComparison {
    std::vector<ModelComparisonRow> rows; // in the order asked for
    int best = -1;                        // by held-out log-likelihood
    std::size_t sessions = 0, heldOutSessions = 0, clicks = 0, sessionsWithoutClick = 0;
};
Result<ModelComparison> compareClickModels(const ClickLog& log, const std::vector<ClickModelKind>& kinds, const ClickFitOptions& options,
                                           const IntervalOptions& intervals, double heldOutShare, const RunControl& control);

// Known-truth check: draws `repetitions` logs of `sessions` sessions from a model with the given parameters (slates uniform without
// replacement over the items), fits it to each and counts how often the interval covers the truth.
struct RecoveryRow {
    std::string block, label;
    double truth = 0, meanEstimate = 0, coverage = 0;
    Interval coverageInterval;      // Clopper-Pearson, 95 %
    double meanWidth = 0;
};
// Parameters like those of the sample log: a window of 6, looks .95 .86 .77 .69 .62 .55, swipe .35, attraction between .05 and .3 drawn with
// the seed. carousel and pbm (looks over the slots, falling on); other kinds: empty blocks.
ClickModelParameters sampleTruth(ClickModelKind kind, std::int32_t items, std::int32_t slots, std::uint64_t seed);
struct RecoveryPlan {
    ClickModelKind kind = ClickModelKind::carousel;
    ClickModelParameters truth;     // no attraction: sampleTruth
    std::int32_t items = 100, slots = 12;
    std::size_t sessions = 200000;
    int repetitions = 200;
    bool reachLogged = true;
    IntervalOptions intervals;
    std::uint64_t seed = 1;
};
Result<std::vector<RecoveryRow>> checkRecovery(const RecoveryPlan& plan, const ClickFitOptions& options, const RunControl& control);

} // namespace carousel
