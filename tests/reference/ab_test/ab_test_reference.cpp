// SPDX-License-Identifier: GPL-3.0-or-later
// Prints our A/B statistics of the samples in FILE as JSON, for compare_ab_test.py: {"a": [...], "b": [...], "x": [...], "y": [...]} a line.
#include "evaluation/ab_test/adjustment.h"
#include "evaluation/ab_test/corrections.h"
#include "evaluation/ab_test/health.h"
#include "evaluation/ab_test/interleaving.h"
#include "evaluation/ab_test/power.h"
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace carousel;
using nlohmann::json;

namespace {
json told(const Effect& e) {
    return {{"difference", e.difference}, {"se", e.standardError}, {"degrees", std::isfinite(e.degrees) ? json(e.degrees) : json()}, {"statistic", e.statistic}, {"p", e.pValue}, {"low", e.interval.low}, {"high", e.interval.high}};
}
Matrix column(const std::vector<double>& x) {
    Matrix out(x.size(), 1);
    for (std::size_t i = 0; i < x.size(); ++i)
        out.row(i)[0] = static_cast<float>(x[i]);
    return out;
}
} // namespace

int main(int argc, char** argv) {
    if (argc != 2)
        return 2;
    std::ifstream in(argv[1]);
    for (std::string line; std::getline(in, line);) {
        const auto given = json::parse(line);
        const auto a = given["a"].get<std::vector<double>>(), b = given["b"].get<std::vector<double>>(), x = given["x"].get<std::vector<double>>(), y = given["y"].get<std::vector<double>>();
        const auto p = given["p"].get<std::vector<double>>(), counts = given["counts"].get<std::vector<double>>();
        const auto wins = given["wins"].get<std::vector<int>>(), losses = given["losses"].get<std::vector<int>>();
        const AdjustedEffect lin = regressionAdjusted(a, column(x), b, column(y), 0.95);
        const HealthTest ratio = sampleRatio(counts, std::vector<double>(counts.size(), 1));
        const InterleavingResult judged = judge(wins, losses, 0.95);
        const PowerPlan plan{given["variance"], given["variance"], 0.5, 0.05};
        json out{{"welch", told(welch(momentsOf(a), momentsOf(b), 0.95))},
                 {"shares", told(compareShares({given["s1"], given["n1"]}, {given["s2"], given["n2"]}, 0.95))},
                 {"ratio", told(compareRatios(ratioMomentsOf(a, x), ratioMomentsOf(b, y), 0.95))},
                 {"lin", told(lin.effect)},
                 {"cuped", told(cuped(a, x, b, y, 0.95).effect)},
                 {"holm", holm(p)},
                 {"bh", benjaminiHochberg(p)},
                 {"bonferroni", bonferroni(p)},
                 {"srm", {ratio.statistic, ratio.pValue}},
                 {"sign", {judged.pValue, judged.winShare.low, judged.winShare.high}},
                 {"power", power(plan, given["n"], given["effect"])},
                 {"sharesSize", sampleSizePerArmForShares(0.2, 0.23, 0.05, 0.8)},
                 {"size", sampleSize(plan, given["effect"], 0.8)},
                 {"mde", minimumDetectableEffect(plan, given["n"], 0.8)}};
        std::cout << out.dump() << "\n";
    }
    return 0;
}
