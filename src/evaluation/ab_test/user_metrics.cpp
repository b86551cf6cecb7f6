// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/user_metrics.h"
#include <algorithm>
#include <array>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace carousel {

namespace {
struct Words {
    UserMetric metric;
    const char *name, *title, *unit;
};
constexpr std::array words{Words{UserMetric::clicks, "clicks", "clicks per user", "clicks"},
                           Words{UserMetric::purchases, "purchases", "purchases per user", "purchases"},
                           Words{UserMetric::value, "value", "value per user", "value"},
                           Words{UserMetric::valueWinsorised, "value-winsorised", "value per user, highest values limited", "value"},
                           Words{UserMetric::valueQuantile, "value-quantile", "upper quantile of value per user", "value"},
                           Words{UserMetric::clicksPerVisit, "clicks-per-visit", "clicks per visit", "clicks per visit"},
                           Words{UserMetric::purchasesPerVisit, "purchases-per-visit", "purchases per visit", "purchases per visit"},
                           Words{UserMetric::valuePerVisit, "value-per-visit", "value per visit", "value per visit"},
                           Words{UserMetric::missedPerVisit, "missed-per-visit", "missed behind the fold per visit", "share of visits"},
                           Words{UserMetric::left, "left", "users who stay away", "share of users"},
                           Words{UserMetric::satisfaction, "satisfaction", "satisfaction", "0 to 1"}};
constexpr std::array all{UserMetric::clicks,         UserMetric::purchases,         UserMetric::value,         UserMetric::valueWinsorised, UserMetric::valueQuantile, UserMetric::clicksPerVisit,
                         UserMetric::purchasesPerVisit, UserMetric::valuePerVisit, UserMetric::missedPerVisit, UserMetric::left,            UserMetric::satisfaction};
const Words& of(UserMetric metric) { return words[static_cast<std::size_t>(metric)]; }
} // namespace

std::span<const UserMetric> userMetrics() { return all; }
const char* name(UserMetric metric) { return of(metric).name; }
const char* title(UserMetric metric) { return of(metric).title; }
const char* unit(UserMetric metric) { return of(metric).unit; }
std::optional<UserMetric> userMetric(const std::string& text) {
    for (const Words& each : words)
        if (text == each.name)
            return each.metric;
    return {};
}
bool higherIsBetter(UserMetric metric) { return metric != UserMetric::missedPerVisit && metric != UserMetric::left; }
bool isRatio(UserMetric metric) { return metric == UserMetric::clicksPerVisit || metric == UserMetric::purchasesPerVisit || metric == UserMetric::valuePerVisit || metric == UserMetric::missedPerVisit; }
bool growsWithRounds(UserMetric metric) { return metric <= UserMetric::valueQuantile; }

MetricColumn metricColumn(UserMetric metric, const SimulatedArm& arm, std::span<const std::uint32_t> members) {
    MetricColumn out;
    out.numerator.reserve(members.size());
    const auto value = [&](const UserTotals& user) -> double {
        switch (metric) {
        case UserMetric::clicks:
        case UserMetric::clicksPerVisit: return user.clicks;
        case UserMetric::purchases:
        case UserMetric::purchasesPerVisit: return user.purchases;
        case UserMetric::value:
        case UserMetric::valueWinsorised:
        case UserMetric::valueQuantile:
        case UserMetric::valuePerVisit: return user.value;
        case UserMetric::missedPerVisit: return user.missed;
        case UserMetric::left: return user.left ? 1 : 0;
        case UserMetric::satisfaction: return user.satisfaction;
        }
        return 0;
    };
    for (const std::uint32_t u : members)
        out.numerator.push_back(value(arm.users[u]));
    if (isRatio(metric))
        for (const std::uint32_t u : members)
            out.denominator.push_back(arm.users[u].visits);
    return out;
}

double winsoriseAll(std::span<MetricColumn> columns, double share) {
    std::vector<double> together;
    for (const MetricColumn& column : columns)
        together.insert(together.end(), column.numerator.begin(), column.numerator.end());
    const double limit = winsorise(together, {}, share);
    for (MetricColumn& column : columns)
        for (double& value : column.numerator)
            value = std::min(value, limit);
    return limit;
}

Effect compareColumns(UserMetric metric, const MetricColumn& control, const MetricColumn& treatment, const MetricSettings& settings, double confidence) {
    if (isRatio(metric))
        return compareRatios(ratioMomentsOf(control.numerator, control.denominator), ratioMomentsOf(treatment.numerator, treatment.denominator), confidence);
    if (metric == UserMetric::valueQuantile)
        return compareQuantiles(control.numerator, treatment.numerator, settings.quantile, settings.quantileDraws, confidence, settings.seed);
    if (metric == UserMetric::left) {
        const auto share = [](const MetricColumn& c) { return Share{std::accumulate(c.numerator.begin(), c.numerator.end(), 0.0), static_cast<double>(c.numerator.size())}; };
        return compareShares(share(control), share(treatment), confidence);
    }
    return welch(momentsOf(control.numerator), momentsOf(treatment.numerator), confidence);
}

std::vector<double> linearValues(UserMetric metric, const MetricColumn& column) {
    if (metric == UserMetric::valueQuantile)
        return {};
    if (!isRatio(metric))
        return column.numerator;
    const double n = std::accumulate(column.numerator.begin(), column.numerator.end(), 0.0), d = std::accumulate(column.denominator.begin(), column.denominator.end(), 0.0);
    const double ratio = d > 0 ? n / d : 0, mean = column.denominator.empty() ? 0 : d / static_cast<double>(column.denominator.size());
    std::vector<double> out;
    out.reserve(column.numerator.size());
    for (std::size_t i = 0; i < column.numerator.size(); ++i)
        out.push_back(mean > 0 ? ratio + (column.numerator[i] - ratio * column.denominator[i]) / mean : 0);
    return out;
}

double liftStandardError(const Effect& effect, double confidence) {
    if (!effect.hasLift)
        return std::numeric_limits<double>::quiet_NaN();
    const double level = 0.5 + confidence / 2;
    const double reach = std::isinf(effect.degrees) ? boost::math::quantile(boost::math::normal(), level) : boost::math::quantile(boost::math::students_t(effect.degrees), level);
    return (effect.liftInterval.high - effect.liftInterval.low) / 2 / reach;
}

} // namespace carousel
