// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/run_pairs.h"
#include "evaluation/ab_test/corrections.h"
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

namespace carousel {

namespace {
constexpr int mostPermutations = 9999;
constexpr double mostWork = 2e9; // exchanges of the Tukey test; above it, fewer permutations
constexpr double none = std::numeric_limits<double>::quiet_NaN();

// The users with a finite value in every column, and their values.
std::vector<std::vector<double>> commonRows(const std::vector<const std::vector<float>*>& columns) {
    std::size_t n = columns.front()->size();
    for (const auto* column : columns)
        n = std::min(n, column->size());
    std::vector<std::vector<double>> out(columns.size());
    for (std::size_t u = 0; u < n; ++u)
        if (std::all_of(columns.begin(), columns.end(), [&](const auto* column) { return std::isfinite((*column)[u]); }))
            for (std::size_t c = 0; c < columns.size(); ++c)
                out[c].push_back(static_cast<double>((*columns[c])[u]));
    return out;
}

double effectOf(const std::vector<double>& a, const std::vector<double>& b) {
    const auto n = static_cast<double>(a.size());
    double mean = 0, squares = 0;
    for (std::size_t u = 0; u < a.size(); ++u)
        mean += (b[u] - a[u]) / n;
    for (std::size_t u = 0; u < a.size(); ++u)
        squares += (b[u] - a[u] - mean) * (b[u] - a[u] - mean);
    const double deviation = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
    return deviation > 0 ? mean / deviation : none;
}

// What must be the same for two runs to differ in their seed alone.
std::string settingsOf(StudySpec study) {
    study.name.clear();
    study.seed = 0;
    study.strategies.clear();
    return canonicalJson(study);
}

// One strategy's values per user under one seed.
struct Scored {
    std::vector<Code> users;
    std::vector<float> values;
};
using BySeed = std::map<std::uint64_t, Scored>;

SeedSpread spreadOf(const std::string& what, const std::vector<std::uint64_t>& seeds, const std::vector<std::vector<double>>& scores) {
    SeedSpread out;
    out.what = what;
    out.seeds = seeds;
    out.users = scores.empty() ? 0 : static_cast<std::int64_t>(scores[0].size());
    out.split = varianceSplit(scores);
    const double all = out.split.users + out.split.seeds + out.split.rest;
    for (double* part : {&out.split.users, &out.split.seeds, &out.split.rest})
        if (*part < 1e-12 * all) // rounding, where a strategy does not depend on its seed
            *part = 0;
    for (const auto& seed : scores)
        for (const double value : seed)
            out.mean += value / static_cast<double>(scores.size() * seed.size());
    planHalving(out);
    return out;
}

// scores[seed][user] of the seeds that all of `parts` have, over users that all have; the last part less the first when there are two.
std::vector<std::vector<double>> layout(const std::vector<const BySeed*>& parts, std::vector<std::uint64_t>& seeds) {
    for (const auto& [seed, scored] : *parts.front())
        if (std::all_of(parts.begin(), parts.end(), [&](const BySeed* part) { return part->count(seed) != 0; }))
            seeds.push_back(seed);
    std::map<Code, std::vector<double>> rows; // per user: part by part, seed by seed
    for (const auto* part : parts)
        for (const auto seed : seeds) {
            const Scored& scored = part->at(seed);
            for (std::size_t u = 0; u < scored.users.size() && u < scored.values.size(); ++u)
                if (std::isfinite(scored.values[u]))
                    rows[scored.users[u]].push_back(static_cast<double>(scored.values[u]));
        }
    std::vector<std::vector<double>> out(seeds.size());
    for (const auto& [user, values] : rows)
        if (values.size() == parts.size() * seeds.size())
            for (std::size_t s = 0; s < seeds.size(); ++s)
                out[s].push_back(parts.size() == 2 ? values[seeds.size() + s] - values[s] : values[s]);
    return out;
}
} // namespace

const char* name(PairCorrection correction) {
    static const char* names[] = {"tukey", "holm", "bh", "none"};
    return names[static_cast<int>(correction)];
}
const char* title(PairCorrection correction) {
    static const char* titles[] = {"Randomised Tukey", "Holm", "Benjamini-Hochberg", "Not corrected"};
    return titles[static_cast<int>(correction)];
}

double RunPair::p(PairCorrection correction) const {
    switch (correction) {
    case PairCorrection::tukey: return tukey;
    case PairCorrection::holm: return holm;
    case PairCorrection::benjaminiHochberg: return benjaminiHochberg;
    case PairCorrection::none: break;
    }
    return plain.pValue;
}

Result<std::size_t> pairMetric(const StudyComparison& comparison, const std::string& wanted) {
    std::vector<std::string> known;
    for (std::size_t m = 0; m < comparison.definitions.size(); ++m) {
        const auto& definition = comparison.definitions[m];
        if (!definition.perUser)
            continue;
        if (wanted.empty() ? definition.metric == Metric::ndcg : definition.id == wanted || definition.label == wanted)
            return m;
        known.push_back(definition.id);
    }
    return fail(ErrorKind::usage, "CL-7017", fmt::format("There is no metric '{}' with a figure per user.", wanted), fmt::format("Name one of {}.", fmt::join(known, ", ")));
}

Result<PairComparison> comparePairs(const StudyComparison& c, std::size_t metric, const RunControl& control) {
    if (c.strategies.size() < 2)
        return fail(ErrorKind::usage, "CL-7018", "One run has nothing to be compared with.", "Name two or more complete runs of one study.");
    PairComparison out;
    out.metric = metric;
    std::vector<const std::vector<float>*> columns;
    for (const auto& s : c.strategies)
        columns.push_back(&s.metrics[metric].perUser);
    const auto scores = commonRows(columns);
    out.users = static_cast<std::int64_t>(scores[0].size());
    if (out.users < 2)
        return fail(ErrorKind::input, "CL-7018", fmt::format("{} users have a figure of {} in every run; two are needed.", out.users, c.definitions[metric].label), "Evaluate more users.");
    const auto& evaluation = c.study.evaluation;
    const double exchanges = static_cast<double>(scores.size()) * static_cast<double>(out.users);
    out.permutations = std::clamp(static_cast<int>(std::min(mostWork / exchanges, 1e9)), std::min(evaluation.bootstrap, mostPermutations), mostPermutations);
    CAROUSEL_ASSIGN(const auto tukey, randomisedTukey(scores, out.permutations, c.study.seed, control));
    const MetricOptions options{evaluation.k, evaluation.bootstrap, evaluation.confidence, c.study.seed};
    std::vector<double> plain;
    for (const auto& pair : tukey) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("The comparison of pairs"));
        RunPair made{.a = pair.a, .b = pair.b, .plain = pairedDifference(*columns[pair.a], *columns[pair.b], options), .effect = effectOf(scores[pair.a], scores[pair.b]), .tukey = pair.pValue};
        plain.push_back(made.plain.pValue);
        out.pairs.push_back(std::move(made));
    }
    const auto byHolm = holm(plain), byRate = benjaminiHochberg(plain);
    for (std::size_t i = 0; i < out.pairs.size(); ++i) {
        out.pairs[i].holm = byHolm[i];
        out.pairs[i].benjaminiHochberg = byRate[i];
    }
    return out;
}

void planHalving(SeedSpread& spread) {
    const auto s = static_cast<double>(spread.seeds.size()), u = static_cast<double>(spread.users);
    const auto& v = spread.split;
    const double target = v.standardError * v.standardError / 4;
    const double forUsers = target - v.seeds / s, forSeeds = target - v.users / u;
    spread.usersToHalve = v.standardError > 0 && forUsers > 0 ? std::ceil((v.users + v.rest / s) / forUsers - 1e-9) : none;
    spread.seedsToHalve = v.standardError > 0 && forSeeds > 0 ? std::ceil((v.seeds + v.rest / u) / forSeeds - 1e-9) : none;
}

Result<void> addSeedSpread(Workbench& bench, const StudyComparison& c, PairComparison& pairs, const RunControl& control) {
    pairs.spread.clear();
    const auto& first = c.strategies.front().run;
    const std::string settings = settingsOf(c.study);
    CAROUSEL_ASSIGN(const auto rows, bench.store().runs()); // newest first: the newest run of a seed counts
    std::map<std::uint64_t, std::vector<std::pair<std::size_t, std::int64_t>>> found; // seed: strategy of the comparison, run
    auto take = [&](std::uint64_t seed, std::size_t strategy, std::int64_t run) {
        auto& list = found[seed];
        if (std::none_of(list.begin(), list.end(), [&](const auto& entry) { return entry.first == strategy; }))
            list.emplace_back(strategy, run);
    };
    for (std::size_t i = 0; i < c.strategies.size(); ++i)
        if (const auto study = parseStudy(c.strategies[i].run.studyToml, bench.plugins()); study && settingsOf(*study) == settings)
            take(study->seed, i, c.strategies[i].run.id);
    for (const auto& row : rows) {
        if (row.state != RunState::complete || row.datasetDigest != first.datasetDigest || row.splitDigest != first.splitDigest)
            continue;
        for (std::size_t i = 0; i < c.strategies.size(); ++i)
            if (row.strategyJson == c.strategies[i].run.strategyJson)
                if (const auto study = parseStudy(row.studyToml, bench.plugins()); study && settingsOf(*study) == settings)
                    take(study->seed, i, row.id);
    }
    if (found.size() < 2) {
        pairs.spreadNote = "The project holds these strategies under one seed: run the study again with another seed (`run SPEC --set seed=8`) to see how much of the spread comes from the seed.";
        return {};
    }
    std::vector<BySeed> scored(c.strategies.size());
    double done = 0;
    for (const auto& [seed, list] : found) {
        std::vector<std::int64_t> ids;
        for (const auto& [strategy, run] : list)
            ids.push_back(run);
        CAROUSEL_ASSIGN(const auto other, bench.compare(ids, control.slice(done / static_cast<double>(found.size()), (done + 1) / static_cast<double>(found.size()))));
        done += 1;
        CAROUSEL_ASSIGN(const auto users, bench.runUsers(ids.front()));
        for (std::size_t i = 0; i < list.size(); ++i)
            scored[list[i].first][seed] = {users, other.strategies[i].metrics[pairs.metric].perUser};
    }
    const auto add = [&](const std::string& what, const std::vector<const BySeed*>& parts) {
        std::vector<std::uint64_t> seeds;
        const auto scores = layout(parts, seeds);
        if (seeds.size() >= 2 && scores[0].size() >= 2)
            pairs.spread.push_back(spreadOf(what, seeds, scores));
    };
    for (std::size_t i = 0; i < scored.size(); ++i)
        add(c.strategies[i].strategy.name, {&scored[i]});
    for (const auto& pair : pairs.pairs)
        add(fmt::format("{} less {}", c.strategies[pair.b].strategy.name, c.strategies[pair.a].strategy.name), {&scored[pair.a], &scored[pair.b]});
    pairs.spreadNote = pairs.spread.empty() ? "The runs under other seeds share fewer than two users with these: evaluate all users, or the same ones."
                                            : "Users and seeds are both taken as drawn at random: the standard error is of the mean over both. A dash: more of this alone cannot halve it.";
    return {};
}

} // namespace carousel
