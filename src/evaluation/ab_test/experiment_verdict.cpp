// SPDX-License-Identifier: GPL-3.0-or-later
// Can the experiment be believed, and what is to be done: lights, and the rule of the verdict, each with its sentence.
#include "base/text.h"
#include "evaluation/ab_test/experiment_parts.h"
#include <algorithm>
#include <cmath>

namespace carousel::judging {

namespace {
std::string count(double n) { return n < 1e12 ? withThousands(std::llround(n)) : "more than a million millions"; }
std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string signedFigures(double value) { return (value > 0 ? "+" : "") + threeFigures(value); }
std::string probability(double p) { return p < 0.0001 ? "below 0.0001" : threeFigures(p); }
constexpr double certain = 0.001; // a health test's p value that is no accident

HealthCheck sampleRatioCheck(const ExperimentDesign& design, const ExperimentFindings& findings) {
    HealthCheck out{.id = "sample-ratio", .title = "Users per arm as planned", .text = {}};
    const HealthTest test = sampleRatio(findings.users, design.shares);
    double planned = 0, users = 0;
    for (std::size_t a = 0; a < findings.users.size(); ++a)
        planned += design.shares[a], users += findings.users[a];
    std::string list;
    for (std::size_t a = 0; a < findings.users.size(); ++a)
        list += fmt::format("{}'{}' {} of {} planned", a == 0 ? "" : ", ", findings.arms[a], count(findings.users[a]), count(users * design.shares[a] / planned));
    out.value = test.pValue;
    out.light = !(users > 0) ? HealthLight::red : test.pValue < certain ? HealthLight::red : test.pValue < 0.01 ? HealthLight::amber : HealthLight::green;
    out.text = fmt::format("{}; chi-squared {}, p {}.{}", list, threeFigures(test.statistic), probability(test.pValue),
                           out.light == HealthLight::red     ? " Users were lost or counted in one arm and not in another, so arms differ by more than the strategy."
                           : out.light == HealthLight::amber ? " Look at how users come into the arms."
                                                             : "");
    return out;
}

HealthCheck balanceCheck(const ExperimentUsers& users, const Members& members) {
    HealthCheck out{.id = "balance", .title = "Arms alike before the experiment", .text = "Nothing is known of the users from before, so this was not checked."};
    if (users.covariates.empty())
        return out;
    const auto columns = [&](std::size_t a) {
        std::vector<std::vector<double>> of(users.covariates.size());
        for (std::size_t c = 0; c < of.size(); ++c)
            for (const std::uint32_t u : members[a])
                of[c].push_back(users.covariates[c][u]);
        return of;
    };
    const auto control = columns(0);
    double least = 1;
    std::string which = users.covariateNames.front();
    for (std::size_t a = 1; a < members.size(); ++a) {
        const auto p = prePeriodBalance(control, columns(a));
        for (std::size_t c = 0; c < p.size(); ++c)
            if (const double own = std::min(1.0, p[c] * static_cast<double>(members.size() - 1)); own < least)
                least = own, which = users.covariateNames[c];
    }
    out.value = least;
    out.light = least < certain ? HealthLight::red : least < 0.05 ? HealthLight::amber : HealthLight::green;
    out.text = fmt::format("The largest difference between arms before the experiment is in {}: p {}, corrected for {} comparisons.{}", which, probability(least),
                           users.covariates.size() * (members.size() - 1),
                           out.light == HealthLight::red     ? " Arms were not alike to begin with."
                           : out.light == HealthLight::amber ? " The adjusted effects take it into account."
                                                             : "");
    return out;
}

HealthCheck exposureCheck(std::span<const SimulatedArm> arms, const ExperimentUsers& users) {
    HealthCheck out{.id = "exposure", .title = "Users see one arm only", .text = {}};
    const bool sessions = !users.personOf.empty();
    std::vector<std::int32_t> user, arm;
    for (std::size_t a = 0; a < arms.size(); ++a)
        for (std::size_t u = 0; u < arms[a].users.size(); ++u)
            if (arms[a].users[u].visits > 0)
                user.push_back(sessions ? users.personOf[u] : static_cast<std::int32_t>(u)), arm.push_back(static_cast<std::int32_t>(a));
    const MultipleExposure several = multipleExposure(user, arm);
    out.value = several.share();
    out.light = several.share() > 0.01 ? HealthLight::red : several.inSeveral > 0 ? HealthLight::amber : HealthLight::green;
    out.text = fmt::format("{} of {} users saw more than one arm.", several.inSeveral == 0 ? "None" : count(static_cast<double>(several.inSeveral)), count(static_cast<double>(several.users)));
    if (sessions && several.inSeveral > 0) { // as was planned
        out.title = "Sessions are assigned, not users";
        out.light = HealthLight::amber;
        out.text += " What lasts from one visit to the next is shared out among the arms: effects of habit and of history look smaller than they are.";
    }
    return out;
}

HealthCheck usersCheck(const ExperimentDesign& design, const ExperimentFindings& findings) {
    HealthCheck out{.id = "users", .title = "Enough users for the arithmetic", .text = {}};
    const double least = *std::min_element(findings.users.begin(), findings.users.end()), skewness = findings.power.empty() ? 0 : findings.power.front().skewness;
    const double wanted = std::max(100.0, 355 * skewness * skewness); // Kohavi et al., KDD 2014, rule 6
    out.value = least;
    out.light = least < 30 ? HealthLight::red : least < wanted ? HealthLight::amber : HealthLight::green;
    out.text = fmt::format("The smallest arm has {} users; {} has a skewness of {}, which asks for about {} so that its mean is close to normal.{}", count(least), title(design.primary),
                           threeFigures(skewness), count(wanted), out.light == HealthLight::green ? "" : " Prefer the redrawn (bootstrap) interval.");
    return out;
}

HealthCheck powerCheck(const ExperimentDesign& design, const ExperimentFindings& findings) {
    HealthCheck out{.id = "power", .title = "Able to find what matters", .text = {}};
    double least = 1;
    for (const PowerFinding& each : findings.power)
        least = std::min(least, std::isfinite(each.powerForSmallest) ? each.powerForSmallest : 0);
    out.value = least;
    out.light = least >= design.wantedPower ? HealthLight::green : HealthLight::amber;
    out.text = fmt::format("An effect of {} would be found with a chance of {}.{}", percent(design.smallestEffect), percent(least),
                           least < 0.5                  ? " That is less than a coin's: no effect found means little, and one that is found is likely to look larger than it is."
                           : least < design.wantedPower ? fmt::format(" {} was wanted.", percent(design.wantedPower))
                                                        : "");
    return out;
}

HealthCheck ruleCheck(const ExperimentDesign& design) {
    HealthCheck out{.id = "rule", .title = "A rule that may be looked at", .text = {}};
    out.light = promisesLevel(design.rule) ? HealthLight::green : HealthLight::red;
    out.text = promisesLevel(design.rule) ? fmt::format("Stopping rule: {}. It keeps its level however the looks turn out.", title(design.rule))
                                          : fmt::format("Stopping rule: {}. It finds effects where there are none far more often than the level says.", title(design.rule));
    return out;
}

// "0.12 in 'A', 0.13 in 'B': +0.01 [0.004, 0.016], +8.3 %"
std::string figures(const ExperimentDesign& design, const ExperimentFindings& findings, const ArmVerdict& verdict) {
    const Effect& e = verdict.effect;
    const Interval& shown = std::isfinite(verdict.band.low) ? verdict.band : e.interval;
    std::string out = fmt::format("{} {} in '{}' and {} in '{}', a difference of {}", title(design.primary), threeFigures(e.control), findings.arms[0], threeFigures(e.treatment),
                                  findings.arms[verdict.arm], signedFigures(e.difference));
    if (std::isfinite(shown.low))
        out += fmt::format(" [{}, {}]", threeFigures(shown.low), threeFigures(shown.high));
    if (e.hasLift)
        out += fmt::format(" or {}{:.1f} %", e.lift > 0 ? "+" : "", 100 * e.lift);
    return out;
}

ArmVerdict verdictOf(const ExperimentDesign& design, const ExperimentFindings& findings, const SequencePath& path) {
    ArmVerdict out;
    out.arm = path.arm;
    const std::string& arm = findings.arms[path.arm];
    const double sign = higherIsBetter(design.primary) ? 1 : -1;
    const bool over = findings.rounds >= design.rounds;
    if (!path.points.empty()) {
        const LookPoint& point = path.points[path.crossedAt >= 0 ? static_cast<std::size_t>(path.crossedAt) : path.points.size() - 1];
        out.effect = point.effect, out.band = point.band;
        if (path.crossedAt >= 0)
            out.round = point.round;
    }
    const auto power = std::find_if(findings.power.begin(), findings.power.end(), [&](const PowerFinding& p) { return p.arm == path.arm; });
    if (power != findings.power.end()) {
        out.moreUsers = std::max(0.0, power->usersForEstimate - power->usersNow);
        out.moreUsersForSmallest = std::max(0.0, power->usersForSmallest - power->usersNow);
    }
    std::vector<std::string> red;
    for (const HealthCheck& check : findings.health)
        if (check.light == HealthLight::red)
            red.push_back("'" + check.title + "'");
    const std::string numbers = figures(design, findings, out);
    if (path.points.empty()) {
        out.sentence = fmt::format("Undecided on '{}': nobody has visited yet.", arm);
        out.changes = "The first round.";
    } else if (out.round >= 0 && sign * out.effect.difference < 0) {
        out.decision = Decision::doNotShip;
        out.sentence = fmt::format("Do not ship '{}': it is worse, with {} after round {} of {}.", arm, numbers, out.round + 1, design.rounds);
        out.changes = "Another primary metric, or users unlike these.";
    } else if (out.round >= 0 && red.empty()) {
        out.decision = Decision::ship;
        out.sentence = fmt::format("Ship '{}': {} after round {} of {}.", arm, numbers, out.round + 1, design.rounds);
        const bool early = out.round + 1 < design.rounds;
        out.changes = std::string("A light of health that turns red, or users unlike these.") +
                      (early ? " The effect at an early stop tends to be too large; the one at the end is the better estimate." : "");
    } else if (out.round >= 0) {
        out.sentence = fmt::format("Undecided on '{}': {}, but {} {} red, so the difference is not believed.", arm, numbers, fmt::join(red, " and "), red.size() == 1 ? "is" : "are");
        out.changes = "An experiment without the red light; more users do not help.";
    } else if (!over && design.rule == StoppingRule::fixed) {
        out.sentence = fmt::format("Undecided on '{}': a fixed test is looked at once, at the end, and this is round {} of {}. So far {}.", arm, findings.rounds, design.rounds, numbers);
        out.changes = "The rounds that are still to come.";
    } else {
        out.sentence = fmt::format("Undecided on '{}': {}{}, which may still be chance.", arm, over ? "" : fmt::format("after round {} of {}, ", findings.rounds, design.rounds), numbers);
        const Interval& i = std::isfinite(out.band.low) ? out.band : out.effect.interval;
        const double matters = design.smallestEffect * std::fabs(out.effect.control);
        if (std::isfinite(i.low) && matters > 0 && std::max(std::fabs(i.low), std::fabs(i.high)) < matters)
            out.sentence += fmt::format(" An effect of {} or more is ruled out, so nothing that matters is lost either way.", percent(design.smallestEffect));
        const auto more = [](double n) { return std::isfinite(n) ? count(n) + " more users" : std::string("no number of users"); };
        out.changes = fmt::format("{} (both arms together) would decide it with a chance of {} if the effect is what it looks like{}.", more(out.moreUsers), percent(design.wantedPower),
                                  std::isfinite(out.moreUsersForSmallest) ? fmt::format("; {} if it is {}, the smallest that matters", more(out.moreUsersForSmallest), percent(design.smallestEffect)) : "");
        if (!over)
            out.changes = "The rounds that are still to come. " + out.changes;
    }
    return out;
}
} // namespace

std::vector<HealthCheck> healthChecks(const ExperimentDesign& design, const ExperimentUsers& users, const ExperimentFindings& findings,
                                      std::span<const SimulatedArm> arms, const Members& members) {
    return {sampleRatioCheck(design, findings), balanceCheck(users, members), exposureCheck(arms, users), usersCheck(design, findings), powerCheck(design, findings), ruleCheck(design)};
}

void judge(const ExperimentDesign& design, ExperimentFindings& findings) {
    for (const SequencePath& path : findings.paths)
        findings.verdicts.push_back(verdictOf(design, findings, path));
    settle(design, findings);
}

void settle(const ExperimentDesign& design, ExperimentFindings& findings) {
    const double sign = higherIsBetter(design.primary) ? 1 : -1;
    const auto better = [&](const ArmVerdict& a, const ArmVerdict& b) { // ship before undecided before not; then the larger gain
        const auto rank = [](Decision d) { return d == Decision::ship ? 2 : d == Decision::undecided ? 1 : 0; };
        return rank(a.decision) != rank(b.decision) ? rank(a.decision) > rank(b.decision) : sign * a.effect.difference > sign * b.effect.difference;
    };
    const auto best = std::min_element(findings.verdicts.begin(), findings.verdicts.end(), better);
    findings.decision = best->decision, findings.best = best->arm;
}

} // namespace carousel::judging
