// SPDX-License-Identifier: GPL-3.0-or-later
// Options of an A/B simulation, and of the check of what stopping rules really do.
#include "experiment/ab_test_parameters.h"
#include "base/text.h"

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

std::vector<ParameterSpec> experimentParameters() {
    using Kind = ParameterKind;
    using List = std::vector<std::string>;
    List metrics, rules;
    for (const UserMetric metric : userMetrics())
        metrics.emplace_back(name(metric));
    for (const StoppingRule rule : stoppingRules())
        rules.emplace_back(name(rule));
    return {
        // Who sees which arm.
        option("shares", "Shares of the arms", Kind::list, List{}, "One number for each arm, on any scale, the control first; empty: equal."),
        within(option("traffic", "Traffic", Kind::number, 1.0, "Share of users who take part at all."), 0.001, 1, "share of users"),
        option("ramp", "Ramp", Kind::list, List{}, "Share of that traffic from the first round, the second and so on, never falling; empty: all from the first."),
        option("salt", "Salt", Kind::text, std::string(), "Another salt assigns users anew; empty: the seed is the salt."),
        option("stratify", "Assign within strata", Kind::boolean, false, "Arms are balanced inside each group of the strata below, instead of by each user's hash alone."),
        // How it is judged.
        oneOf(option("primary", "Primary metric", Kind::choice, std::string(name(UserMetric::clicksPerVisit)), "The one that decides; the others are reported beside it."), metrics),
        within(option("confidence", "Confidence", Kind::number, 0.95, "Of every interval; the level of every test is 1 less this."), 0.5, 0.999),
        oneOf(option("rule", "Stopping rule", Kind::choice, std::string(name(StoppingRule::asymptotic)),
                     "What may be concluded while the experiment runs. fixed: nothing before the end; peeking: what must not be done, for comparison."),
              rules),
        within(option("looks", "Planned looks", Kind::integer, std::int64_t(10), "Evenly over the rounds, for rules that count them: group sequential ones, and the level divided by the looks."), 1, 10000, "looks"),
        within(option("tuneN", "Rule narrowest at", Kind::number, 0.0, "Visits of two arms at which the rules for any number of looks are narrowest; 0: those that are planned."), 0, 1e12, "visits"),
        within(option("smallestEffect", "Smallest effect that matters", Kind::number, 0.01, "Relative to the control: 0.01 is one per cent. Power and the users that are missing are told for it."), 1e-6, 10),
        within(option("power", "Wanted power", Kind::number, 0.8, "Chance to find an effect that is there, for the users that are needed."), 0.51, 0.999),
        oneOf(option("correction", "Correction", Kind::choice, std::string(name(PValueCorrection::holm)),
                     "Of p values over all metrics and arms. holm: against any false finding; bh: against too large a share of them."),
              {"none", "holm", "bh"}),
        within(option("winsor", "Limit of high values", Kind::number, 0.99, "Values above this quantile of all users become it, in the metric that says so."), 0.5, 1),
        within(option("quantile", "Upper quantile", Kind::number, 0.9, "Which quantile of value per user is compared."), 0.01, 0.99),
        within(option("priorSd", "Spread of the prior", Kind::number, 0.3, "Standard deviation of relative effects that one expects before looking, around none; 0: every effect is as likely."), 0, 100),
        option("segment", "User segment", Kind::text, std::string(), "Effects are told for each value of this user attribute; empty: for all users only."),
        option("strata", "Strata", Kind::text, std::string(), "User attribute whose groups are weighted by their share of all users, for one more estimate; empty: none."),
        within(option("draws", "Bootstrap draws", Kind::integer, std::int64_t(2000), "How often users are redrawn for the interval of the primary metric."), 20, 100000, "draws"),
        oneOf(option("interleave", "Interleaving", Kind::choice, std::string("none"),
                     "Also show the control and each other arm mixed in one carousel, and count which one's items are clicked."),
              {"none", "team-draft", "probabilistic"})};
}

std::vector<ParameterSpec> abTestParameters() {
    using Kind = ParameterKind;
    std::vector<ParameterSpec> out{
        oneOf(option("population", "Users are", Kind::choice, std::string("fitted"),
                     "fitted: numbers fitted to the data set's carousel log; replay: they click what they went on to choose in the test part; llm: a "
                     "language model that is told their history and picks an action; truth: the numbers that the sample set was made with."),
              {"fitted", "replay", "llm", "truth"}),
        within(option("users", "Users", Kind::integer, std::int64_t(20000), "In all arms together; copies of the data set's users when there are more."), 20, 1e8, "users"),
        within(option("rounds", "Rounds", Kind::integer, std::int64_t(10), "In each, every user who has not left visits once."), 1, 10000, "rounds"),
        within(option("learnEvery", "Learn every", Kind::integer, std::int64_t(0), "Rounds between two fits of the arms' strategies to the clicks so far; 0: never."), 0, 10000, "rounds"),
        option("feedback", "Feedback", Kind::boolean, true, "Clicks enter the history at once: clicked items leave the user's next carousels."),
        within(option("window", "Visible slots", Kind::integer, std::int64_t(6), "Slots in view without a swipe."), 1, 1000, "slots"),
        within(option("slots", "Slots", Kind::integer, std::int64_t(12), "Cards of a carousel."), 1, 1000, "slots")};
    for (ParameterSpec& spec : experimentParameters())
        out.push_back(std::move(spec));
    return out;
}

std::vector<ParameterSpec> abCheckParameters() {
    using Kind = ParameterKind;
    return {within(option("experiments", "Experiments", Kind::integer, std::int64_t(2000), "Drawn for every rule."), 10, 1e6, "experiments")};
}

namespace {
Result<std::vector<double>> numbersOf(const Parameters& options, const std::string& id) {
    std::vector<double> out;
    for (const std::string& text : options.list(id)) {
        const auto value = parseNumber(text);
        if (!value)
            return fail(ErrorKind::input, "CL-3138", fmt::format("'{}' of {} is not a number.", quotedForMessage(text), id), "Separate numbers by commas: 0.9,0.1.");
        out.push_back(*value);
    }
    return out;
}
Result<std::vector<double>> sharesOf(const Parameters& options, std::size_t arms) {
    CAROUSEL_ASSIGN(std::vector<double> shares, numbersOf(options, "shares"));
    if (shares.empty())
        shares.assign(arms, 1);
    if (shares.size() != arms)
        return fail(ErrorKind::input, "CL-3138", fmt::format("There are {} shares for {} arms.", shares.size(), arms), "Give one for each arm, the control first, or none.");
    return shares;
}
} // namespace

Result<ExperimentDesign> experimentDesign(const Parameters& options, std::uint64_t seed, std::size_t arms) {
    ExperimentDesign out;
    CAROUSEL_ASSIGN(out.shares, sharesOf(options, arms));
    out.primary = userMetric(options.text("primary")).value_or(out.primary);
    out.confidence = options.number("confidence");
    for (const StoppingRule rule : stoppingRules())
        if (options.text("rule") == name(rule))
            out.rule = rule;
    out.rounds = static_cast<int>(options.integer("rounds"));
    out.looks = static_cast<int>(options.integer("looks"));
    out.tuneN = options.number("tuneN");
    out.smallestEffect = options.number("smallestEffect");
    out.wantedPower = options.number("power");
    for (const auto correction : {PValueCorrection::none, PValueCorrection::holm, PValueCorrection::benjaminiHochberg})
        if (options.text("correction") == name(correction))
            out.correction = correction;
    out.priorSd = options.number("priorSd");
    out.draws = static_cast<int>(options.integer("draws"));
    out.metrics.winsorShare = options.number("winsor");
    out.metrics.quantile = options.number("quantile");
    out.seed = seed;
    return out;
}

Result<AssignmentPlan> assignmentPlan(const Parameters& options, std::uint64_t seed, std::size_t arms) {
    AssignmentPlan out;
    out.salt = options.text("salt").empty() ? std::to_string(seed) : options.text("salt");
    CAROUSEL_ASSIGN(out.shares, sharesOf(options, arms));
    out.traffic = options.number("traffic");
    CAROUSEL_ASSIGN(out.ramp, numbersOf(options, "ramp"));
    CAROUSEL_TRY(checkAssignment(out));
    return out;
}

} // namespace carousel
