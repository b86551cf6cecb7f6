// SPDX-License-Identifier: GPL-3.0-or-later
// A run's metrics: per user, over tie orders, with intervals over users.
#include "base/parallel.h"
#include "evaluation/metrics/beyond_accuracy.h"
#include "evaluation/metrics/tie_expectation.h"
#include "evaluation/statistics/bootstrap.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace carousel {

namespace {
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::array perUserMetrics{Metric::hitRate,   Metric::ndcg, Metric::mrr,     Metric::map,      Metric::recall,
                                    Metric::precision, Metric::auc,  Metric::novelty, Metric::diversity};

struct Column {
    std::vector<double> value, worst, best;
    explicit Column(std::size_t n) : value(n, undefined), worst(n, undefined), best(n, undefined) {}
    void set(std::size_t row, double v, double w, double b) {
        value[row] = v;
        worst[row] = w;
        best[row] = b;
    }
};

// The places of the relevant targets; from the stored list where no ranks are given.
std::vector<TargetPlace> placesOf(const RankedUser& user) {
    std::vector<TargetPlace> places;
    for (std::size_t i = 0; i < user.targets.size(); ++i) {
        TargetPlace place{.gain = user.gains.empty() ? 1.0f : user.gains[i]};
        if (!(place.gain > 0))
            continue;
        if (!user.targetRank.empty()) {
            place.rank = user.targetRank[i];
            place.ties = std::max(1, user.targetTies[i]);
        } else if (const auto it = std::find(user.items.begin(), user.items.end(), user.targets[i]); it != user.items.end()) {
            auto first = static_cast<std::size_t>(it - user.items.begin()), last = first + 1;
            if (!user.rankScore.empty()) {
                const float score = user.rankScore[first];
                while (first > 0 && user.rankScore[first - 1] == score)
                    --first;
                while (last < user.items.size() && user.rankScore[last] == score)
                    ++last;
            }
            place.rank = static_cast<std::int32_t>(first) + 1;
            place.ties = static_cast<std::int32_t>(last - first);
        }
        places.push_back(place);
    }
    return places;
}

// Half of the tied pairs, as a share of all pairs: how far AUC moves between the tie orders. `places` are sorted by rank.
double tiedHalf(std::span<const TargetPlace> places, std::int32_t ranked) {
    double found = 0, tied = 0;
    for (std::size_t i = 0; i < places.size() && places[i].rank > 0;) {
        std::size_t j = i + 1;
        while (j < places.size() && places[j].rank == places[i].rank)
            ++j;
        const double m = static_cast<double>(j - i);
        tied += m * std::max(0.0, static_cast<double>(places[i].ties) - m);
        found += m;
        i = j;
    }
    const double pairs = found * (static_cast<double>(ranked) - found);
    return pairs > 0 ? tied / 2 / pairs : 0;
}
} // namespace

std::vector<MetricValue> evaluateRanking(std::span<const RankedUser> users, const CatalogueFacts& facts, const MetricOptions& options) {
    const std::size_t n = users.size();
    const RankKernel kernel(options.k);
    std::vector<Column> columns(perUserMetrics.size(), Column(n));
    std::vector<ShownList> shown(n);
    const auto bits = noveltyBits(facts, n);
    parallelFor(n, 64, [&](std::size_t begin, std::size_t end) {
        for (std::size_t u = begin; u < end; ++u) {
            if (!checkRanking(users.subspan(u, 1)))
                continue; // stays NaN in every column: excluded and counted
            auto places = placesOf(users[u]);
            if (!places.empty()) {
                const auto f = kernel.figures(places);
                columns[0].set(u, f.expected.hitRate, f.worst.hitRate, f.best.hitRate);
                columns[1].set(u, f.expected.ndcg, f.worst.ndcg, f.best.ndcg);
                columns[2].set(u, f.expected.mrr, f.worst.mrr, f.best.mrr);
                columns[3].set(u, f.expected.map, f.worst.map, f.best.map);
                columns[4].set(u, f.expected.recall, f.worst.recall, f.best.recall);
                columns[5].set(u, f.expected.precision, f.worst.precision, f.best.precision);
                if (users[u].auc >= 0) {
                    const double half = tiedHalf(places, users[u].ranked);
                    columns[6].set(u, users[u].auc, std::max(0.0, users[u].auc - half), std::min(1.0, users[u].auc + half));
                }
            }
            shown[u] = shownItems(users[u], options.k);
            if (!bits.empty()) {
                const auto novelty = noveltyOf(shown[u], bits);
                columns[7].set(u, novelty.value, novelty.worst, novelty.best);
            }
            const auto diversity = diversityOf(shown[u], facts);
            columns[8].set(u, diversity.value, diversity.worst, diversity.best);
        }
    });

    std::vector<std::vector<float>> perUser;
    for (const auto& column : columns)
        perUser.emplace_back(column.value.begin(), column.value.end());
    const auto intervals = bootstrapMeans(perUser, options.bootstrap, options.confidence, options.seed);

    std::vector<MetricValue> values;
    for (const auto& definition : metricDefinitions(options.k)) {
        MetricValue value{.metric = definition.metric};
        if (definition.metric == Metric::coverage) {
            const auto coverage = coverageOf(shown, facts.items);
            value.value = coverage.value;
            value.worst = coverage.worst;
            value.best = coverage.best;
            value.interval = {undefined, undefined};
            value.users = std::count_if(shown.begin(), shown.end(), [](const ShownList& list) { return !list.items.empty(); });
        } else {
            const auto at = static_cast<std::size_t>(std::find(perUserMetrics.begin(), perUserMetrics.end(), definition.metric) -
                                                     perUserMetrics.begin());
            const auto mean = meanOfFinite(columns[at].value);
            value.value = mean.mean;
            value.worst = meanOfFinite(columns[at].worst).mean;
            value.best = meanOfFinite(columns[at].best).mean;
            value.interval = intervals[at];
            value.users = mean.count;
            value.perUser = std::move(perUser[at]);
        }
        value.excluded = static_cast<std::int64_t>(n) - value.users;
        values.push_back(std::move(value));
    }
    return values;
}

double chanceLevel(Metric metric, int k, int targets, int ranked) {
    if (targets < 1 || ranked < 1)
        return undefined;
    if (metric == Metric::auc)
        return ranked > targets ? 0.5 : undefined;
    // Random order: everything that is ranked stands in one tie group.
    std::vector<TargetPlace> places(static_cast<std::size_t>(targets), {.rank = 1, .ties = ranked});
    for (auto i = static_cast<std::size_t>(std::min(targets, ranked)); i < places.size(); ++i)
        places[i] = {.rank = 0};
    const auto f = RankKernel(k).expected(places);
    switch (metric) {
    case Metric::hitRate:
        return f.hitRate;
    case Metric::ndcg:
        return f.ndcg;
    case Metric::mrr:
        return f.mrr;
    case Metric::map:
        return f.map;
    case Metric::recall:
        return f.recall;
    case Metric::precision:
        return f.precision;
    default:
        return undefined;
    }
}

} // namespace carousel
