// SPDX-License-Identifier: GPL-3.0-or-later
// Options of an A/B simulation, and of the check of what stopping rules really do.
#include "experiment/ab_test_parameters.h"
#include "base/option_builders.h"
#include "experiment/simulation_parameters.h"
#include "base/text.h"

namespace carousel {

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
        oneOf(option("unit", "Assigned are", Kind::choice, std::string("user"),
                     "user: everybody keeps their arm. session: every visit is assigned anew; a user sees several arms, so that what lasts from visit to visit is shared out "
                     "among them."),
              {"user", "session"}),
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
    std::vector<ParameterSpec> out = simulationParameters();
    for (ParameterSpec& spec : out)
        if (spec.id == "population") {
            spec.choices.push_back("log");
            spec.help += " log: nobody is simulated; the arms are judged on logged slates with propensities, and what is about simulated users or later rounds is not used.";
        }
    out.push_back(within(option("temperature", "Temperature", Kind::number, 0.0,
                                "With population log: 0: every arm shows its order; above: slates are drawn with weights exp(-(rank - 1) / temperature). The higher, the more of the log supports the "
                                "estimate, and the further an arm is from its strategy."),
                         0, 1e6, "positions"));
    out.push_back(option("policies", "Logging policies", Kind::list, std::vector<std::string>{}, "With population log: only slates of these logging policies; empty: all."));
    for (ParameterSpec& spec : experimentParameters())
        out.push_back(std::move(spec));
    return out;
}

std::vector<ParameterSpec> abCheckParameters() {
    using Kind = ParameterKind;
    using List = std::vector<std::string>;
    List rules;
    for (const StoppingRule rule : stoppingRules())
        rules.emplace_back(name(rule));
    return {oneOf(option("metric", "Metric", Kind::choice, std::string("log"),
                         "Whose values are drawn. log: clicks per carousel of each user in the log; events: events per user; spend: what each user bought, in the "
                         "price's unit; normal: a normal distribution, for comparison with what is published."),
                  {"log", "events", "spend", "normal"}),
            oneOf(option("rules", "Rules", Kind::list, rules, "Stopping rules that are checked; all see the same experiments."), rules),
            within(option("experiments", "Experiments", Kind::integer, std::int64_t(2000), "Drawn for every rule and effect."), 10, 1e6, "experiments"),
            within(option("looks", "Looks", Kind::integer, std::int64_t(200), "Evenly spaced over the users."), 1, 100000, "looks"),
            within(option("users", "Users", Kind::integer, std::int64_t(100000), "Of both arms together, at the end of an experiment."), 20, 1e8, "users"),
            option("effects", "Effects", Kind::list, List{"0.02", "0.03", "0.05", "0.1"}, "For the power curve: what is added to the treatment, in standard deviations of the metric."),
            within(option("alpha", "Level", Kind::number, 0.05, "Share of experiments without an effect that a rule may call one."), 0.001, 0.4),
            within(option("tuneN", "Rule narrowest at", Kind::number, 5000.0, "Users at which the rules for any number of looks are narrowest."), 10, 1e12, "users"),
            oneOf(option("population", "Simulated users", Kind::choice, std::string("fitted"), "For the experiments whose truth is known: fitted to the log, or the sample set's own numbers."),
                  {"fitted", "truth"}),
            within(option("repetitions", "Simulated experiments", Kind::integer, std::int64_t(500), "With, and as many without an effect; 0: none."), 0, 1e6, "experiments"),
            within(option("simulatedUsers", "Users of a simulated experiment", Kind::integer, std::int64_t(2000), "Drawn anew from the people for each."), 100, 1e8, "users"),
            within(option("rounds", "Rounds", Kind::integer, std::int64_t(10), "How often each of them visits."), 1, 10000, "rounds"),
            oneOf(option("primary", "Metric of the simulated", Kind::choice, std::string(name(UserMetric::clicksPerVisit)), "Of the experiments whose truth is known."),
                  {"clicks", "purchases", "value", "clicks-per-visit", "purchases-per-visit", "missed-per-visit"})};
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
