// SPDX-License-Identifier: GPL-3.0-or-later
// Effects of an experiment: every metric in every arm, plain and adjusted, by segment and by stratum, redrawn, with a prior, and what could
// have been found.
#include "evaluation/ab_test/corrections.h"
#include "evaluation/ab_test/experiment_parts.h"
#include "evaluation/statistics/grouped_bootstrap.h"
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <map>

namespace carousel::judging {

namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();

template <class T> std::vector<T> pick(std::span<const T> values, std::span<const std::uint32_t> members) {
    std::vector<T> out;
    out.reserve(members.size());
    for (const std::uint32_t u : members)
        out.push_back(values[u]);
    return out;
}
Matrix covariatesOf(const ExperimentUsers& users, std::span<const std::uint32_t> members) {
    Matrix out(members.size(), users.covariates.size());
    for (std::size_t i = 0; i < members.size(); ++i)
        for (std::size_t c = 0; c < users.covariates.size(); ++c)
            out.row(i)[c] = static_cast<float>(users.covariates[c][members[i]]);
    return out;
}

// Variances per user from which the variance of the difference follows, whatever the metric.
PowerPlan planOf(UserMetric metric, const MetricColumn& control, const MetricColumn& treatment, const Effect& effect, double alpha) {
    PowerPlan plan;
    const double c = static_cast<double>(control.numerator.size()), t = static_cast<double>(treatment.numerator.size());
    plan.alpha = alpha;
    plan.allocation = c + t > 0 ? t / (c + t) : 0.5;
    if (metric == UserMetric::valueQuantile) {
        const double each = c > 0 && t > 0 ? effect.standardError * effect.standardError / (1 / c + 1 / t) : 0;
        plan.controlVariance = plan.treatmentVariance = each;
    } else {
        plan.controlVariance = momentsOf(linearValues(metric, control)).variance;
        plan.treatmentVariance = momentsOf(linearValues(metric, treatment)).variance;
    }
    return plan;
}
bool usable(const PowerPlan& plan) { return plan.controlVariance + plan.treatmentVariance > 0 && plan.allocation > 0 && plan.allocation < 1; }

double skewnessOf(std::span<const double> values) {
    const Moments m = momentsOf(values);
    if (!(m.variance > 0))
        return 0;
    double cubes = 0;
    for (const double value : values)
        cubes += std::pow((value - m.mean) / std::sqrt(m.variance), 3) / m.n;
    return cubes;
}
} // namespace

Members membersOf(const ExperimentUsers& users, std::span<const SimulatedArm> arms) {
    Members out(arms.size());
    const std::size_t n = arms.front().users.size();
    for (std::size_t u = 0; u < n; ++u) {
        const std::int32_t own = users.armOf.empty() ? -1 : users.armOf[u];
        for (std::size_t a = 0; a < arms.size(); ++a)
            if (own >= 0 ? own == static_cast<std::int32_t>(a) : arms[a].users[u].visits > 0)
                out[a].push_back(static_cast<std::uint32_t>(u));
    }
    return out;
}

Columns columnsOf(UserMetric metric, const ExperimentDesign& design, std::span<const SimulatedArm> arms, const Members& members) {
    Columns out;
    for (std::size_t a = 0; a < arms.size(); ++a)
        out.arms.push_back(metricColumn(metric, arms[a], members[a]));
    if (metric == UserMetric::valueWinsorised)
        out.limit = winsoriseAll(out.arms, design.metrics.winsorShare);
    return out;
}

MetricColumn rowsOf(const MetricColumn& column, std::span<const std::uint32_t> rows) {
    MetricColumn out;
    out.numerator = pick<double>(column.numerator, rows);
    if (!column.denominator.empty())
        out.denominator = pick<double>(column.denominator, rows);
    return out;
}

std::vector<MetricEffect> metricEffects(const ExperimentDesign& design, const ExperimentUsers& users, std::span<const SimulatedArm> arms, const Members& members) {
    std::vector<MetricEffect> out;
    MetricSettings settings = design.metrics;
    settings.seed = design.seed;
    std::vector<Matrix> covariates;
    std::vector<std::vector<double>> first;
    if (!users.covariates.empty())
        for (const auto& list : members) {
            covariates.push_back(covariatesOf(users, list));
            first.push_back(pick<double>(users.covariates.front(), list));
        }
    for (const UserMetric metric : userMetrics()) {
        const Columns columns = columnsOf(metric, design, arms, members);
        std::vector<std::vector<double>> linear;
        for (const MetricColumn& column : columns.arms)
            linear.push_back(linearValues(metric, column));
        for (std::size_t a = 1; a < arms.size(); ++a) {
            MetricEffect each;
            each.metric = metric, each.arm = a, each.limit = columns.limit;
            each.controlUsers = static_cast<double>(members[0].size()), each.treatmentUsers = static_cast<double>(members[a].size());
            each.effect = compareColumns(metric, columns.arms[0], columns.arms[a], settings, design.confidence);
            if (const PowerPlan plan = planOf(metric, columns.arms[0], columns.arms[a], each.effect, 1 - design.confidence); usable(plan))
                each.detectable = minimumDetectableEffect(plan, each.controlUsers + each.treatmentUsers, design.wantedPower);
            if (metric != UserMetric::valueQuantile && std::isfinite(each.effect.interval.low)) {
                if (!covariates.empty()) {
                    each.cuped = cuped(linear[0], first[0], linear[a], first[a], design.confidence);
                    each.regression = regressionAdjusted(linear[0], covariates[0], linear[a], covariates[a], design.confidence);
                }
                if (!users.stratum.empty())
                    each.stratified = stratifiedEffect(linear[0], pick<std::int32_t>(users.stratum, members[0]), linear[a], pick<std::int32_t>(users.stratum, members[a]), design.confidence);
            }
            out.push_back(std::move(each));
        }
    }
    std::vector<double> p;
    for (const MetricEffect& each : out)
        p.push_back(each.effect.pValue);
    const auto adjusted = design.correction == PValueCorrection::none ? p : design.correction == PValueCorrection::holm ? holm(p) : benjaminiHochberg(p);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i].adjustedP = adjusted[i];
    return out;
}

Effect stratifiedEffect(std::span<const double> control, std::span<const std::int32_t> controlStratum, std::span<const double> treatment,
                        std::span<const std::int32_t> treatmentStratum, double confidence) {
    struct Both {
        std::vector<double> control, treatment;
    };
    std::map<std::int32_t, Both> strata;
    for (std::size_t i = 0; i < control.size(); ++i)
        strata[controlStratum[i]].control.push_back(control[i]);
    for (std::size_t i = 0; i < treatment.size(); ++i)
        strata[treatmentStratum[i]].treatment.push_back(treatment[i]);
    std::vector<Both> used;
    Both small;
    for (auto& [code, both] : strata) {
        if (both.control.size() >= 2 && both.treatment.size() >= 2) {
            used.push_back(std::move(both));
            continue;
        }
        small.control.insert(small.control.end(), both.control.begin(), both.control.end());
        small.treatment.insert(small.treatment.end(), both.treatment.begin(), both.treatment.end());
    }
    if (small.control.size() >= 2 && small.treatment.size() >= 2)
        used.push_back(std::move(small));
    double all = 0;
    for (const Both& both : used)
        all += static_cast<double>(both.control.size() + both.treatment.size());
    Moments c{static_cast<double>(control.size()), 0, 0}, t{static_cast<double>(treatment.size()), 0, 0};
    for (const Both& both : used) {
        const double weight = static_cast<double>(both.control.size() + both.treatment.size()) / all;
        const Moments own = momentsOf(both.control), other = momentsOf(both.treatment);
        c.mean += weight * own.mean, t.mean += weight * other.mean;
        // As if the groups had these variances: Welch's formula then gives the stratified error.
        c.variance += weight * weight * own.variance / own.n * c.n, t.variance += weight * weight * other.variance / other.n * t.n;
    }
    return welch(c, t, confidence);
}

void completeSegments(SegmentComparison& comparison) {
    double weight = 0, sum = 0;
    std::vector<double> p;
    for (const SegmentEffect& each : comparison.segments) {
        const double w = 1 / (each.effect.standardError * each.effect.standardError);
        weight += w, sum += w * each.effect.difference;
        p.push_back(each.effect.pValue);
    }
    for (const SegmentEffect& each : comparison.segments) {
        const double from = (each.effect.difference - sum / weight) / each.effect.standardError;
        comparison.differ.statistic += from * from;
    }
    const auto adjusted = benjaminiHochberg(p);
    for (std::size_t i = 0; i < p.size(); ++i)
        comparison.segments[i].adjustedP = adjusted[i];
    comparison.differ.degrees = std::max(0, static_cast<int>(p.size()) - 1);
    if (comparison.differ.degrees > 0)
        comparison.differ.pValue = boost::math::cdf(boost::math::complement(boost::math::chi_squared(comparison.differ.degrees), comparison.differ.statistic));
}

std::vector<SegmentComparison> segmentEffects(const ExperimentDesign& design, const ExperimentUsers& users, const Columns& primary, const Members& members) {
    MetricSettings settings = design.metrics;
    settings.seed = design.seed;
    const auto rowsBySegment = [&](std::size_t a) {
        std::vector<std::vector<std::uint32_t>> out(users.segmentNames.size());
        for (std::size_t i = 0; i < members[a].size(); ++i)
            if (const std::int32_t code = users.segment[members[a][i]]; code >= 0)
                out[static_cast<std::size_t>(code)].push_back(static_cast<std::uint32_t>(i));
        return out;
    };
    const auto ofControl = rowsBySegment(0);
    std::vector<SegmentComparison> out;
    for (std::size_t a = 1; a < members.size(); ++a) {
        SegmentComparison comparison;
        comparison.arm = a;
        const auto ofTreatment = rowsBySegment(a);
        for (std::size_t s = 0; s < ofControl.size(); ++s) {
            SegmentEffect each;
            each.segment = static_cast<std::int32_t>(s);
            each.controlUsers = static_cast<double>(ofControl[s].size()), each.treatmentUsers = static_cast<double>(ofTreatment[s].size());
            each.effect = compareColumns(design.primary, rowsOf(primary.arms[0], ofControl[s]), rowsOf(primary.arms[a], ofTreatment[s]), settings, design.confidence);
            if (!(each.effect.standardError > 0) || !std::isfinite(each.effect.interval.low)) {
                comparison.leftOut += each.controlUsers + each.treatmentUsers;
                continue;
            }
            comparison.segments.push_back(each);
        }
        completeSegments(comparison);
        out.push_back(std::move(comparison));
    }
    return out;
}

Result<std::vector<Interval>> bootstrapIntervals(const ExperimentDesign& design, const Columns& primary, const RunControl& control) {
    std::vector<Interval> out;
    MetricSettings settings = design.metrics;
    settings.seed = design.seed, settings.quantileDraws = design.draws;
    if (design.primary == UserMetric::valueQuantile) {
        for (std::size_t a = 1; a < primary.arms.size(); ++a)
            out.push_back(compareColumns(design.primary, primary.arms[0], primary.arms[a], settings, design.confidence).interval);
        return out;
    }
    std::vector<std::vector<double>> drawn;
    for (std::size_t a = 0; a < primary.arms.size(); ++a) {
        std::vector<std::span<const double>> columns{primary.arms[a].numerator};
        if (!primary.arms[a].denominator.empty())
            columns.emplace_back(primary.arms[a].denominator);
        // Arms are redrawn apart: their users are other people.
        CAROUSEL_ASSIGN(const BootstrapSums sums, groupedBootstrapSums(columns, design.draws, design.seed * 0x9E3779B97F4A7C15ull + a, control));
        drawn.emplace_back();
        for (int d = 0; d < design.draws; ++d)
            drawn.back().push_back(sums.at(d, 0) / (columns.size() > 1 ? sums.at(d, 1) : sums.weight[static_cast<std::size_t>(d)]));
    }
    for (std::size_t a = 1; a < drawn.size(); ++a) {
        auto differences = drawn[a];
        for (std::size_t d = 0; d < differences.size(); ++d)
            differences[d] -= drawn[0][d];
        out.push_back(percentileInterval(std::move(differences), design.confidence));
    }
    return out;
}

std::vector<PowerFinding> powerFindings(const ExperimentDesign& design, const Columns& primary, std::span<const MetricEffect> effects, double alpha) {
    std::vector<PowerFinding> out;
    for (const MetricEffect& each : effects) {
        if (each.metric != design.primary)
            continue;
        PowerFinding finding;
        finding.arm = each.arm;
        finding.usersNow = each.controlUsers + each.treatmentUsers;
        finding.skewness = skewnessOf(design.primary == UserMetric::valueQuantile ? primary.arms[0].numerator : linearValues(design.primary, primary.arms[0]));
        const PowerPlan plan = planOf(design.primary, primary.arms[0], primary.arms[each.arm], each.effect, alpha);
        const double base = std::fabs(each.effect.control);
        finding.plan = plan, finding.base = base;
        const bool well = usable(plan) && finding.usersNow > 0, relative = well && base > 0;
        finding.detectable = well ? minimumDetectableEffect(plan, finding.usersNow, design.wantedPower) : none;
        finding.detectableRelative = relative ? finding.detectable / base : none;
        finding.powerForSmallest = relative ? power(plan, finding.usersNow, design.smallestEffect * base) : none;
        finding.usersForSmallest = relative ? sampleSize(plan, design.smallestEffect * base, design.wantedPower) : none;
        finding.usersForEstimate = well ? sampleSize(plan, std::fabs(each.effect.difference), design.wantedPower) : none;
        for (const double effect : {0.01, 0.02, 0.03, 0.05, 0.1, 0.2})
            finding.curve.push_back({effect, relative ? sampleSize(plan, effect * base, design.wantedPower) : none, relative ? power(plan, finding.usersNow, effect * base) : none});
        out.push_back(std::move(finding));
    }
    return out;
}

std::vector<BayesianComparison> bayesianComparisons(const ExperimentDesign& design, std::span<const MetricEffect> effects) {
    std::vector<BayesianComparison> out;
    const double sign = higherIsBetter(design.primary) ? 1 : -1;
    for (const MetricEffect& each : effects) {
        if (each.metric != design.primary)
            continue;
        BayesianComparison comparison;
        comparison.arm = each.arm;
        comparison.relative = each.effect.hasLift;
        comparison.effect = each.effect.hasLift ? bayesian(sign * each.effect.lift, liftStandardError(each.effect, design.confidence), 0, design.priorSd, design.confidence)
                                                : bayesian(sign * each.effect.difference, each.effect.standardError, 0, 0, design.confidence);
        out.push_back(comparison);
    }
    return out;
}

} // namespace carousel::judging
