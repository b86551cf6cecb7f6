// SPDX-License-Identifier: GPL-3.0-or-later
// Options of an off-policy evaluation.
#include "experiment/off_policy_parameters.h"
#include "base/option_builders.h"

namespace carousel {

std::vector<ParameterSpec> offPolicyParameters() {
    using Kind = ParameterKind;
    using List = std::vector<std::string>;
    return {
        option("policies", "Logging policies", Kind::list, List{}, "Only slates of these logging policies; empty: all."),
        oneOf(option("reward", "Reward", Kind::choice, std::string("click"),
                     "What is counted: a click, or what the clicked item is worth (its price)."),
              {"click", "value"}),
        within(
            option(
                "temperature", "Temperature", Kind::number, 0.0,
                "0: every strategy shows its order. Above: slates are drawn with weights exp(-(rank - 1) / temperature); the higher, the "
                "more of the log supports the estimate, and the further the policy is from the strategy itself."),
            0, 1e6, "positions"),
        within(option("drawsPerUser", "Drawn slates per user", Kind::integer, std::int64_t{200},
                      "For the probability of an item in a later slot at a temperature above 0; more draws, less noise."),
               10, 100000),
        oneOf(
            option(
                "propensity", "Logged propensity is", Kind::choice, std::string("auto"),
                "Of the item in its slot (marginal), or given the items in the slots before (conditional). auto: worked out from the log."),
            {"auto", "marginal", "conditional"}),
        oneOf(option("estimators", "Estimators for one slot", Kind::list,
                     List{"ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dr-os", "mips", "weighted-ips", "balanced-ips"},
                     "Shown side by side; their disagreement is evidence."),
              {"rm", "ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dr-os", "sg-ips", "sg-dr", "mips", "balanced-ips",
               "weighted-ips", "weighted-dr"}),
        oneOf(option("slateEstimators", "Estimators for slates", Kind::list,
                     List{"sips", "rips", "iips", "pi", "snsips", "snrips", "sniips", "cascade-dr"},
                     "From the weakest assumption to the strongest."),
              {"sips", "rips", "iips", "pi", "snsips", "snrips", "sniips", "cascade-dr"}),
        oneOf(option("tuning", "Clipping chosen by", Kind::choice, std::string("mse bound"),
                     "How the clipping of large weights is chosen: by a bound on the squared error, by SLOPE, or given."),
              {"mse bound", "slope", "given"}),
        within(option("lambda", "Given lambda", Kind::number, 10.0, "Used when the clipping is given."), 0, 1e9),
        within(option("folds", "Folds of the reward model", Kind::integer, std::int64_t{5},
                      "Users are put into this many folds; a reward is predicted from the other folds."),
               2, 20),
        within(option("users", "Users", Kind::integer, std::int64_t{0},
                      "Only this many users of the log, drawn with the seed; 0: all. For strategies that ask a language model per user."),
               0, 1e9),
        within(option("window", "Visible slots", Kind::integer, std::int64_t{6}, "Slots in view without a swipe; drawn as the fold."), 1,
               1000),
        within(option("from", "Log from", Kind::number, 0.0,
                      "Leaves out this share of the log at its beginning: what a strategy has been trained on."),
               0, 0.95),
        within(option("draws", "Bootstrap draws", Kind::integer, std::int64_t{1000}, "For the intervals; users are redrawn whole."), 100,
               20000),
        within(option("confidence", "Confidence", Kind::number, 0.95, "Of every interval."), 0.5, 0.999),
    };
}

} // namespace carousel
