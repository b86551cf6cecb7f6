// SPDX-License-Identifier: GPL-3.0-or-later
// What each number means, in the words that stand beside it, and where outside tools agree.
#include "evaluation/metrics/ranking.h"

namespace carousel {

std::vector<MetricDefinition> metricDefinitions(int k) {
    const std::string n = std::to_string(k);
    auto label = [&](const char* name) { return std::string(name) + "@" + n; };
    std::vector<MetricDefinition> list;
    list.push_back({.metric = Metric::hitRate,
                    .id = "hr",
                    .label = label("HR"),
                    .formula = "1 if at least one relevant item is among the first " + n + ", else 0; with ties the probability of that",
                    .source = "RecBole Hit, ranx hit_rate"});
    list.push_back({.metric = Metric::ndcg,
                    .id = "ndcg",
                    .label = label("nDCG"),
                    .formula = "sum over ranks r <= " + n +
                               " of gain / log2(1 + r), divided by the same sum of the best order of all relevant items (the first min(" +
                               n + ", |R|)); gain 1 unless the data grade it, then linear",
                    .source = "RecBole NDCG (binary); ranx ndcg, trec_eval ndcg_cut (graded)"});
    list.push_back({.metric = Metric::mrr,
                    .id = "mrr",
                    .label = label("MRR"),
                    .formula = "1 / rank of the first relevant item, 0 when that rank is beyond " + n,
                    .source = "RecBole MRR, ranx mrr@k; trec_eval recip_rank has no cut"});
    list.push_back({.metric = Metric::map,
                    .id = "map",
                    .label = label("MAP"),
                    .formula = "sum of precision at the ranks r <= " + n + " that hold a relevant item, divided by min(|R|, " + n + ")",
                    .source = "RecBole MAP; ranx map@k and trec_eval map_cut divide by |R| (equal while |R| <= k)"});
    list.push_back({.metric = Metric::recall,
                    .id = "recall",
                    .label = label("Recall"),
                    .formula = "relevant items among the first " + n + ", divided by |R| (all relevant items, not min(|R|, " + n + "))",
                    .source = "RecBole Recall, ranx recall; LensKit divides by min(|R|, k)"});
    list.push_back({.metric = Metric::precision,
                    .id = "precision",
                    .label = label("Precision"),
                    .formula = "relevant items among the first " + n + ", divided by " + n + " even when fewer were ranked",
                    .source = "RecBole Precision, trec_eval P"});
    list.push_back({.metric = Metric::auc,
                    .id = "auc",
                    .label = "AUC",
                    .formula = "share of pairs (relevant, other) of ranked items with the relevant one above, a tie counts half; no cut",
                    .source = "RecBole GAUC per user"});
    list.push_back({.metric = Metric::coverage,
                    .id = "coverage",
                    .label = label("Coverage"),
                    .formula = "distinct items among the first " + n +
                               " of all users, divided by the items of the catalogue; of the run as a whole, so it has no interval over "
                               "users; worst and best are bounds",
                    .source = "RecBole ItemCoverage",
                    .perUser = false});
    list.push_back({.metric = Metric::novelty,
                    .id = "novelty",
                    .label = label("Novelty"),
                    .formula = "mean over the first " + n + " of -log2((n + 1) / (N + 1)), n of N training users liked the item; in bits",
                    .source = "Microsoft Recommenders novelty, smoothed by 1"});
    list.push_back({.metric = Metric::diversity,
                    .id = "diversity",
                    .label = label("Diversity"),
                    .formula = "1 - mean over the pairs of the first " + n +
                               " of Jaccard similarity of their attribute values (0 when an item has none); worst and best are bounds",
                    .source = "intra-list diversity (Ziegler et al. 2005), Jaccard"});
    return list;
}

} // namespace carousel
