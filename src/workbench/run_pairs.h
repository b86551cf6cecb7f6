// SPDX-License-Identifier: GPL-3.0-or-later
// Every pair of compared runs on one metric, with p values that hold for all pairs together, and where the spread comes from when the project
// holds the same strategies under several seeds. Figures in the metric's unit; differences are b less a, paired by user.
#pragma once
#include "evaluation/ab_test/offline_tests.h"
#include "workbench/workbench.h"
#include <nlohmann/json_fwd.hpp>

namespace carousel {

enum class PairCorrection { tukey, holm, benjaminiHochberg, none };
const char* name(PairCorrection correction);  // "tukey", "holm", "bh", "none": as options spell it
const char* title(PairCorrection correction); // "Randomised Tukey", "Holm", "Benjamini-Hochberg", "Not corrected"

struct RunPair {
    std::size_t a = 0, b = 0; // strategies of the comparison, a before b
    PairedDifference plain;   // sign flips and bootstrap of this pair alone, as the metrics table has them
    double effect = 0;        // mean of the differences by their standard deviation (Cohen's d_z); NaN without spread
    double tukey = 1, holm = 1, benjaminiHochberg = 1; // adjusted p
    double p(PairCorrection correction) const;
};
// One strategy, or the difference of two, scored under several seeds: evaluation/ab_test/offline_tests.h.
struct SeedSpread {
    std::string what;
    std::vector<std::uint64_t> seeds;
    std::int64_t users = 0; // evaluated under all of them
    double mean = 0;
    VarianceSplit split;
    // So many users (with these seeds) or seeds (with these users) would halve the standard error; NaN: the other source alone is too much.
    double usersToHalve = 0, seedsToHalve = 0;
};
struct PairComparison {
    std::size_t metric = 0;      // of the comparison's definitions
    int permutations = 0;        // of the Tukey test
    std::int64_t users = 0;      // with a figure in every run
    std::vector<RunPair> pairs;  // in the order of the runs
    std::vector<SeedSpread> spread;
    std::string spreadNote;      // why there is none, or what it is of
};

// The metric by id or label ("ndcg", "nDCG@10"); empty: nDCG. CL-7017 naming those there are; only metrics with a value per user.
Result<std::size_t> pairMetric(const StudyComparison& comparison, const std::string& idOrLabel);
// Pure, seeded by the study. CL-7018 with fewer than two runs, or fewer than two users with a figure in every run.
Result<PairComparison> comparePairs(const StudyComparison& comparison, std::size_t metric, const RunControl& control);
// Looks for complete runs of the same strategies on the same data, split and settings under other seeds, and fills spread and spreadNote.
Result<void> addSeedSpread(Workbench& bench, const StudyComparison& comparison, PairComparison& pairs, const RunControl& control);
// How many of each would halve the standard error of a split over `seeds` seeds and `users` users; public for tests.
void planHalving(SeedSpread& spread);

ReportTable pairTable(const StudyComparison& comparison, const PairComparison& pairs, PairCorrection correction);
ReportTable spreadTable(const StudyComparison& comparison, const PairComparison& pairs); // no rows: spreadNote says why
std::string pairsCsv(const StudyComparison& comparison, const PairComparison& pairs);     // every number, all corrections
nlohmann::json pairsJson(const StudyComparison& comparison, const PairComparison& pairs, bool withSpread);

} // namespace carousel
