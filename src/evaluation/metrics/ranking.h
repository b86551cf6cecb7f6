// SPDX-License-Identifier: GPL-3.0-or-later
// Ranking metrics over runs. Pure functions of their arguments; safe from any thread.
// Ties: a metric is the expected value over random orders inside each tie group (McSherry & Najork, ECIR 2008), never the order of ids;
// worst and best over the tie orders are given beside it. Renaming ids changes nothing.
#pragma once
#include "base/result.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

// One user's list as metrics see it.
struct RankedUser {
    std::vector<std::int32_t> items;      // item codes, best first (the stored depth)
    std::vector<float> rankScore;         // falls along the list; equal neighbours are ties
    std::vector<std::int32_t> targets;    // relevant items, distinct
    std::vector<float> gains;             // per target; empty: all 1; a target with gain <= 0 is not relevant
    std::vector<std::int32_t> targetRank; // 1-based, best rank of the tie group in the full order; 0: not ranked
    std::vector<std::int32_t> targetTies; // size of that tie group, the target included (1: none)
    std::int32_t ranked = 0;              // length of the full order
    double auc = -1;
};

enum class Metric { hitRate, ndcg, mrr, map, recall, precision, auc, coverage, novelty, diversity };

struct MetricDefinition {
    Metric metric;
    std::string id;      // "ndcg"
    std::string label;   // "nDCG@10"
    std::string formula; // one line, as computed here
    std::string source;  // paper or toolkit whose definition it equals
    bool perUser = true; // coverage is a property of the whole run
    bool higherIsBetter = true;
};
std::vector<MetricDefinition> metricDefinitions(int k);

struct MetricValue {
    Metric metric = Metric::ndcg;
    double value = 0;
    double worst = 0, best = 0;           // over tie orders
    Interval interval;                    // bootstrap over users, percentile; NaN where there is none (coverage)
    std::int64_t users = 0, excluded = 0; // users counted; users without the needed data
    std::vector<float> perUser;           // in the order given; NaN where undefined
};

struct CatalogueFacts { // what novelty, diversity and coverage need
    std::size_t items = 0;
    std::vector<float> popularity; // per item: share of training users who liked it, 0..1
    std::size_t trainingUsers = 0; // that share's denominator, for +1 smoothing; 0: as many as are evaluated
    // similarity of two items in [0,1] for intra-list diversity = 1 - mean pairwise similarity; empty: diversity is undefined
    std::vector<std::vector<std::int32_t>> itemTokens; // sorted attribute tokens per item; Jaccard
};

struct MetricOptions {
    int k = 10;
    int bootstrap = 1000;
    double confidence = 0.95;
    std::uint64_t seed = 1;
};
// One value per entry of metricDefinitions(k), in that order. A user whose data checkRanking would refuse gets NaN and counts as excluded.
std::vector<MetricValue> evaluateRanking(std::span<const RankedUser> users, const CatalogueFacts& facts, const MetricOptions& options);

// Error CL-8002 naming the first user (0-based row) with a score or gain that is not a number, a list that rises, or unequal lengths.
Result<void> checkRanking(std::span<const RankedUser> users);
// A user from the scores of everything that was ranked: order, tie groups, target places and AUC (ties as half). `items` are distinct.
// Error CL-8002 on a score that is not a number.
Result<RankedUser> rankUser(std::span<const std::int32_t> items, std::span<const double> scores, std::span<const std::int32_t> targets,
                            std::span<const float> gains, std::size_t depth);

// Difference of two runs over the same users, paired: B - A.
struct PairedDifference {
    double difference = 0, pValue = 1; // sign-flip permutation test, (b+1)/(B+1), two-sided
    Interval interval;                 // paired bootstrap
    std::int64_t users = 0;            // with a finite value in both
    std::string words;                 // "higher", "lower", "not significant"; "not comparable" without common users
};
// `options.bootstrap` is the number of resamples and of sign flips. Error-free: unequal lengths compare the common first rows.
PairedDifference pairedDifference(std::span<const float> a, std::span<const float> b, const MetricOptions& options);

// The chance level of a metric for one user with `targets` relevant among `ranked` items in random order (exact). NaN where chance has no
// meaning: no targets, nothing to rank against (AUC), coverage, novelty, diversity.
double chanceLevel(Metric metric, int k, int targets, int ranked);

// nDCG presets of other toolkits, for the golden table and for people who come from them (see the definitions).
enum class NdcgPreset { binaryLog2, lensKit, lensKitRating, linear, burges, elliotThreshold4 };
double ndcgAt(std::span<const float> gainsInOrder, std::span<const float> allGains, int k, NdcgPreset preset);

} // namespace carousel
