// SPDX-License-Identifier: GPL-3.0-or-later
// The looks of an experiment: the path of the primary metric with the band of its stopping rule.
#include "evaluation/ab_test/experiment.h"
#include "evaluation/ab_test/experiment_parts.h"
#include "evaluation/ab_test/sequential.h"
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel {

namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();
double normalQuantile(double level) { return boost::math::quantile(boost::math::normal(), level); }
bool countsLooks(StoppingRule rule) { return rule == StoppingRule::bonferroniLooks || rule == StoppingRule::obrienFleming || rule == StoppingRule::pocock; }
} // namespace

const char* name(PValueCorrection correction) { return correction == PValueCorrection::none ? "none" : correction == PValueCorrection::holm ? "holm" : "bh"; }
const char* title(PValueCorrection correction) {
    return correction == PValueCorrection::none   ? "not corrected"
           : correction == PValueCorrection::holm ? "corrected after Holm: any false finding at all is as rare as the level says"
                                                  : "corrected after Benjamini and Hochberg: the share of false findings among all findings is as small as the level says";
}
const char* name(HealthLight light) {
    switch (light) {
    case HealthLight::green: return "green";
    case HealthLight::amber: return "amber";
    case HealthLight::red: return "red";
    case HealthLight::unknown: break;
    }
    return "not checked";
}
const char* name(Decision decision) { return decision == Decision::ship ? "ship" : decision == Decision::doNotShip ? "do-not-ship" : "undecided"; }

const MetricEffect* ExperimentFindings::find(UserMetric metric, std::size_t arm) const {
    const auto it = std::find_if(effects.begin(), effects.end(), [&](const MetricEffect& e) { return e.metric == metric && e.arm == arm; });
    return it == effects.end() ? nullptr : &*it;
}

Result<ExperimentJudge> ExperimentJudge::create(ExperimentDesign design, ExperimentUsers users, std::size_t arms) {
    const auto refused = [](const std::string& what) { return fail(ErrorKind::input, "CL-3137", "The experiment cannot be judged: " + what + ".", "Give at least two arms, a positive share for each, and as many values as there are users."); };
    if (arms < 2)
        return refused(fmt::format("it has {} arm{}", arms, arms == 1 ? "" : "s"));
    if (design.shares.empty())
        design.shares.assign(arms, 1);
    if (design.shares.size() != arms)
        return refused(fmt::format("{} shares are planned for {} arms", design.shares.size(), arms));
    for (const double share : design.shares)
        if (!(share > 0) || !std::isfinite(share))
            return refused(fmt::format("an arm's planned share is {}", share));
    if (!(design.confidence >= 0.5 && design.confidence < 1) || design.rounds < 1 || design.looks < 1 || !(design.smallestEffect > 0) ||
        !(design.wantedPower > 0.5 && design.wantedPower < 1) || !(design.metrics.winsorShare > 0 && design.metrics.winsorShare <= 1) ||
        !(design.metrics.quantile > 0 && design.metrics.quantile < 1) || !(design.tuneN >= 0) || !(design.priorSd >= 0) || design.draws < 2)
        return refused(fmt::format("confidence {}, {} rounds, {} looks, smallest effect {}, power {}, winsorised at {}, quantile {}, tuned for {}, prior {} and {} draws do not hold together", design.confidence,
                                   design.rounds, design.looks, design.smallestEffect, design.wantedPower, design.metrics.winsorShare, design.metrics.quantile, design.tuneN, design.priorSd, design.draws));
    if (users.covariateNames.size() != users.covariates.size())
        return refused(fmt::format("{} covariates have {} names", users.covariates.size(), users.covariateNames.size()));
    for (const auto& column : users.covariates)
        for (const double value : column)
            if (!std::isfinite(value))
                return refused("a covariate has a value that is not finite");
    for (const std::int32_t code : users.segment)
        if (code >= static_cast<std::int32_t>(users.segmentNames.size()))
            return refused(fmt::format("a user is in segment {} of {}", code, users.segmentNames.size()));
    ExperimentJudge out;
    out.m_arms = arms;
    out.m_alpha = design.correction == PValueCorrection::none ? 1 - design.confidence : (1 - design.confidence) / static_cast<double>(arms - 1);
    design.looks = std::min(design.looks, design.rounds);
    if (design.rule == StoppingRule::obrienFleming || design.rule == StoppingRule::pocock) {
        std::vector<double> shares;
        for (int look = 1; look <= design.looks; ++look)
            shares.push_back(static_cast<double>(look) / design.looks);
        CAROUSEL_ASSIGN(out.m_bounds, groupSequentialBounds(shares, out.m_alpha, {design.rule == StoppingRule::pocock ? Spending::pocock : Spending::obrienFleming}));
    }
    for (std::size_t a = 1; a < arms; ++a)
        out.m_paths.push_back({a, {}, -1});
    out.m_design = std::move(design);
    out.m_users = std::move(users);
    return out;
}

Result<void> ExperimentJudge::check(std::span<const SimulatedArm> arms) const {
    const auto refused = [](const std::string& what) { return fail(ErrorKind::input, "CL-3137", "The experiment cannot be judged: " + what + ".", "Give the arms that it was begun with."); };
    if (arms.size() != m_arms)
        return refused(fmt::format("it has {} arms now, and had {}", arms.size(), m_arms));
    const std::size_t n = arms.front().users.size();
    const auto fits = [&](std::size_t size) { return size == 0 || size == n; };
    bool well = fits(m_users.armOf.size()) && fits(m_users.personOf.size()) && fits(m_users.segment.size()) && fits(m_users.stratum.size());
    for (const auto& column : m_users.covariates)
        well = well && column.size() == n;
    for (const SimulatedArm& arm : arms)
        well = well && arm.users.size() == n;
    if (!well)
        return refused(fmt::format("arms, memberships, covariates, segments and strata are not all of {} users", n));
    return {};
}

namespace {

// The arithmetic of every rule takes means to be normal. Few users, or few who did anything at all, in the smaller arm make its spread look too
// small, and a rule then sees an effect in nothing: 20 to be expected there from both arms together, and 50 users, are asked for.
bool enoughToLook(const MetricColumn& control, const MetricColumn& treatment) {
    constexpr double fewestUsers = 50, fewestActive = 20;
    const auto active = [](const MetricColumn& column) {
        return static_cast<double>(std::count_if(column.numerator.begin(), column.numerator.end(), [](double x) { return x != 0; }));
    };
    const auto present = [](const MetricColumn& column) { // of a ratio: those who visited
        return static_cast<double>(column.denominator.empty() ? static_cast<std::ptrdiff_t>(column.numerator.size())
                                                              : std::count_if(column.denominator.begin(), column.denominator.end(), [](double x) { return x > 0; }));
    };
    const double a = present(control), b = present(treatment), smaller = std::min(a, b);
    return smaller >= fewestUsers && (active(control) + active(treatment)) / (a + b) * smaller >= fewestActive;
}

} // namespace

double ExperimentJudge::limitAt(int round, double users, double visits) const {
    const double fixed = normalQuantile(1 - m_alpha / 2);
    const int rounds = m_design.rounds, done = std::min(round + 1, rounds);
    const double tuneN = m_design.tuneN > 0 ? m_design.tuneN : users * rounds;
    if (countsLooks(m_design.rule)) {
        const auto lookOf = [&](int after) { return static_cast<std::int64_t>(after) * m_design.looks / rounds; };
        if (lookOf(done) == lookOf(done - 1) || round + 1 > rounds)
            return none;
        if (m_design.rule == StoppingRule::bonferroniLooks)
            return normalQuantile(1 - m_alpha / 2 / m_design.looks);
        return m_bounds[static_cast<std::size_t>(lookOf(done) - 1)];
    }
    switch (m_design.rule) {
    case StoppingRule::fixed: return round + 1 == rounds ? fixed : none;
    case StoppingRule::mixture: return mixtureHalfWidth(1, visits / tuneN, m_alpha);
    case StoppingRule::asymptotic: return asymptoticMultiplier(visits, m_alpha, tuneN);
    case StoppingRule::normalMixture: return normalMixtureMultiplier(visits, m_alpha, tuneN);
    default: return fixed;
    }
}

Result<void> ExperimentJudge::look(int round, std::span<const SimulatedArm> arms) {
    CAROUSEL_TRY(check(arms));
    const judging::Members members = judging::membersOf(m_users, arms);
    const judging::Columns columns = judging::columnsOf(m_design.primary, m_design, arms, members);
    std::vector<double> visits(m_arms, 0);
    for (std::size_t a = 0; a < m_arms; ++a)
        for (const std::uint32_t u : members[a])
            visits[a] += static_cast<double>(arms[a].users[u].visits);
    for (SequencePath& path : m_paths) {
        LookPoint point;
        point.round = round;
        point.users = static_cast<double>(members[0].size() + members[path.arm].size());
        point.visits = visits[0] + visits[path.arm];
        MetricSettings settings = m_design.metrics;
        settings.seed = m_design.seed;
        point.effect = compareColumns(m_design.primary, columns.arms[0], columns.arms[path.arm], settings, m_design.confidence);
        point.enough = enoughToLook(columns.arms[0], columns.arms[path.arm]);
        if (point.effect.standardError > 0 && point.visits > 0) {
            point.limit = limitAt(round, point.users, point.visits);
            const double reach = point.limit * point.effect.standardError;
            if (std::isfinite(reach)) {
                point.band = {point.effect.difference - reach, point.effect.difference + reach};
                point.crossed = point.enough && (point.band.low > 0 || point.band.high < 0);
            }
        }
        if (point.crossed && path.crossedAt < 0)
            path.crossedAt = static_cast<int>(path.points.size());
        path.points.push_back(std::move(point));
    }
    return {};
}

Result<ExperimentFindings> ExperimentJudge::findings(std::span<const SimulatedArm> arms, const RunControl& control) const {
    CAROUSEL_TRY(check(arms));
    const judging::Members members = judging::membersOf(m_users, arms);
    ExperimentFindings out;
    for (std::size_t a = 0; a < m_arms; ++a) {
        out.arms.push_back(arms[a].name);
        out.users.push_back(static_cast<double>(members[a].size()));
        double visits = 0;
        for (const std::uint32_t u : members[a])
            visits += static_cast<double>(arms[a].users[u].visits);
        out.visits.push_back(visits);
    }
    out.decisionConfidence = 1 - m_alpha;
    out.paths = m_paths;
    out.rounds = m_paths.front().points.empty() ? 0 : m_paths.front().points.back().round + 1;
    out.effects = judging::metricEffects(m_design, m_users, arms, members);
    if (control.stopRequested())
        return fail(RunControl::cancelled("judging the experiment"));
    const judging::Columns primary = judging::columnsOf(m_design.primary, m_design, arms, members);
    CAROUSEL_ASSIGN(out.bootstrap, judging::bootstrapIntervals(m_design, primary, control));
    // Power at the limit that the rule has at its planned end.
    const double users = std::max(1.0, out.users[0] + out.users[1]), limit = limitAt(m_design.rounds - 1, users, users * m_design.rounds);
    const double alpha = std::isfinite(limit) ? 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), limit)) : m_alpha;
    out.power = judging::powerFindings(m_design, primary, out.effects, alpha);
    out.bayesian = judging::bayesianComparisons(m_design, out.effects);
    if (!m_users.segment.empty())
        out.segments = judging::segmentEffects(m_design, m_users, primary, members);
    out.health = judging::healthChecks(m_design, m_users, out, arms, members);
    for (const HealthCheck& check : out.health)
        out.healthLight = std::max(out.healthLight, check.light);
    judging::judge(m_design, out);
    return out;
}

} // namespace carousel
