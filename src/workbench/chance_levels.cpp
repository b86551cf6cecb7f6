// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/chance_levels.h"
#include "base/text.h"
#include "evaluation/metrics/tie_expectation.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <cmath>

namespace carousel {

int shortlistOf(const StrategySpec& strategy) {
    const auto& scorer = strategy.stage(StageKind::scorer).parameters;
    if (strategy.stage(StageKind::controller).plugin != "fixed_cascade" || !scorer.has("retriever") || !scorer.has("count"))
        return 0;
    return static_cast<int>(scorer.integer("count"));
}

ShortlistLevel shortlistLevel(std::span<const RankedUser> lists, int count, const MetricValue& ndcg, const MetricOptions& options) {
    ShortlistLevel out;
    out.count = count;
    const RankKernel kernel(options.k);
    std::vector<float> shuffled;
    for (const auto& user : lists) {
        std::vector<TargetPlace> places;
        const auto among = std::min(count, user.ranked);
        for (std::size_t t = 0; t < user.targets.size(); ++t) {
            TargetPlace place{
                .rank = user.targetRank[t], .ties = std::max(1, user.targetTies[t]), .gain = user.gains.empty() ? 1.0f : user.gains[t]};
            if (place.rank >= 1 && place.rank <= among)
                place.rank = 1, place.ties = among;
            if (place.gain > 0)
                places.push_back(place);
        }
        shuffled.push_back(places.empty() ? std::nanf("") : static_cast<float>(kernel.expected(places).ndcg));
    }
    out.ndcg = meanOfFinite(shuffled).mean;
    out.above = pairedDifference(shuffled, ndcg.perUser, options);
    return out;
}

std::vector<std::string> chanceWarnings(const StudyComparison& c) {
    const auto range = [](const Interval& i) { return fmt::format("[{}, {}]", threeFigures(i.low), threeFigures(i.high)); };
    std::vector<std::string> out;
    for (std::size_t m = 0; m < c.definitions.size(); ++m) {
        if (c.definitions[m].metric != Metric::ndcg)
            continue;
        for (const auto& s : c.strategies) {
            const auto& value = s.metrics[m];
            const std::string reached = fmt::format("{} {} {}", c.definitions[m].label, threeFigures(value.value), range(value.interval));
            if (std::isfinite(c.chance[m]) && !(value.interval.low > c.chance[m]))
                out.push_back(fmt::format("{} is not above chance: {} against {} of a random order.", s.strategy.name, reached,
                                          threeFigures(c.chance[m])));
            const auto& list = s.shortlist;
            if (list.count > 0 && std::isfinite(list.ndcg) && !(list.above.interval.low > 0))
                out.push_back(fmt::format(
                    "{}: its order of the best {} candidates is not above chance: {} against {} of the same candidates in random "
                    "order, a difference of {} {}.",
                    s.strategy.name, list.count, reached, threeFigures(list.ndcg), threeFigures(list.above.difference),
                    range(list.above.interval)));
        }
    }
    return out;
}

} // namespace carousel
