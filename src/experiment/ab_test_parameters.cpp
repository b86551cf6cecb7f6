// SPDX-License-Identifier: GPL-3.0-or-later
// Options of an A/B simulation, and of the check of what stopping rules really do.
#include "experiment/ab_test_parameters.h"

namespace carousel {

namespace {
ParameterSpec option(std::string id, std::string label, ParameterKind kind, ParameterValue value, std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id);
    spec.label = std::move(label);
    spec.kind = kind;
    spec.defaultValue = std::move(value);
    spec.help = std::move(help);
    return spec;
}
ParameterSpec within(ParameterSpec spec, double minimum, double maximum, std::string unit = {}) {
    spec.minimum = minimum;
    spec.maximum = maximum;
    spec.unit = std::move(unit);
    return spec;
}
ParameterSpec oneOf(ParameterSpec spec, std::vector<std::string> choices) {
    spec.choices = std::move(choices);
    return spec;
}
} // namespace

std::vector<ParameterSpec> abTestParameters() {
    using Kind = ParameterKind;
    return {oneOf(option("population", "Users are", Kind::choice, std::string("fitted"),
                         "fitted: numbers fitted to the data set's carousel log; replay: they click what they went on to choose in the test part; llm: a "
                         "language model that is told their history and picks an action; truth: the numbers that the sample set was made with."),
                  {"fitted", "replay", "llm", "truth"}),
            within(option("users", "Users", Kind::integer, std::int64_t(20000), "In all arms together; copies of the data set's users when there are more."), 20, 1e8, "users"),
            within(option("rounds", "Rounds", Kind::integer, std::int64_t(10), "In each, every user who has not left visits once."), 1, 10000, "rounds"),
            within(option("learnEvery", "Learn every", Kind::integer, std::int64_t(0), "Rounds between two fits of the arms' strategies to the clicks so far; 0: never."), 0, 10000, "rounds"),
            option("feedback", "Feedback", Kind::boolean, true, "Clicks enter the history at once: clicked items leave the user's next carousels."),
            within(option("window", "Visible slots", Kind::integer, std::int64_t(6), "Slots in view without a swipe."), 1, 1000, "slots"),
            within(option("slots", "Slots", Kind::integer, std::int64_t(12), "Cards of a carousel."), 1, 1000, "slots")};
}

std::vector<ParameterSpec> abCheckParameters() {
    using Kind = ParameterKind;
    return {within(option("experiments", "Experiments", Kind::integer, std::int64_t(2000), "Drawn for every rule."), 10, 1e6, "experiments")};
}

} // namespace carousel
