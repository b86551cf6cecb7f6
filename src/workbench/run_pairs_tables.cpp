// SPDX-License-Identifier: GPL-3.0-or-later
// Pairs of runs as tables for people, as CSV and as JSON.
#include "base/text.h"
#include "report/csv.h"
#include "workbench/run_pairs.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {
using nlohmann::json;
json number(double value) { return std::isfinite(value) ? json(value) : json(); }
std::string withSign(double value) { return (value > 0 ? "+" : "") + threeFigures(value); }
std::string dash(double value) { return std::isfinite(value) ? withThousands(static_cast<std::int64_t>(value)) : std::string("–"); }

std::string verdict(const RunPair& pair, PairCorrection correction, double level) {
    if (!std::isfinite(pair.plain.difference))
        return "not comparable";
    return pair.p(correction) > level ? "not significant" : pair.plain.difference > 0 ? "higher" : "lower";
}
} // namespace

ReportTable pairTable(const StudyComparison& c, const PairComparison& pairs, PairCorrection correction) {
    const auto& definition = c.definitions[pairs.metric];
    const double level = 1 - c.study.evaluation.confidence;
    ReportTable table;
    table.caption = fmt::format("{}: all pairs, {} users", definition.label, withThousands(pairs.users));
    table.columns = {{"Strategy"}, {"Against"}, {"Difference", true, "mean over users, strategy less the other; interval of this pair alone"}, {"Effect", true, "mean of the differences by their standard deviation"},
                     {"p", true, "sign flips, this pair alone"}, {correction == PairCorrection::none ? "p again" : "p, all pairs", true, title(correction)}, {"Verdict"}};
    for (const auto& pair : pairs.pairs) {
        const auto& a = c.strategies[pair.a];
        const auto& b = c.strategies[pair.b];
        const std::string words = verdict(pair, correction, level);
        auto difference = estimateCell(pair.plain.difference, pair.plain.interval.low, pair.plain.interval.high);
        difference.text = withSign(pair.plain.difference);
        auto said = textCell(words);
        said.tone = words == "not significant" || words == "not comparable" ? ReportCell::Tone::muted : (words == "higher") == definition.higherIsBetter ? ReportCell::Tone::good : ReportCell::Tone::bad;
        table.rows.push_back({textCell(b.strategy.name, b.colour), textCell(a.strategy.name, a.colour), std::move(difference), std::isfinite(pair.effect) ? textCell(withSign(pair.effect)) : textCell("–"),
                              numberCell(pair.plain.pValue), numberCell(pair.p(correction)), std::move(said)});
    }
    if (correction == PairCorrection::none)
        for (std::size_t r = 0; table.columns.size() == 7 && r <= table.rows.size(); ++r) { // the same p twice says nothing
            if (r == table.rows.size())
                table.columns.erase(table.columns.begin() + 5);
            else
                table.rows[r].erase(table.rows[r].begin() + 5);
        }
    const std::string over = fmt::format("{} pairs at {:.3g} %", pairs.pairs.size(), 100 * level);
    switch (correction) {
    case PairCorrection::tukey:
        table.note = fmt::format("Randomised Tukey test, {} permutations of the strategies within users: over all {}, a false alarm anywhere has that probability.", withThousands(pairs.permutations), over);
        break;
    case PairCorrection::holm: table.note = fmt::format("Sign flips, adjusted after Holm: over all {}, a false alarm anywhere has at most that probability.", over); break;
    case PairCorrection::benjaminiHochberg:
        table.note = fmt::format("Sign flips, adjusted after Benjamini and Hochberg: over {}, that share of the differences called significant is expected to be false.", over);
        break;
    case PairCorrection::none: table.note = fmt::format("Not corrected: each of the {} has its own chance of a false alarm.", over); break;
    }
    return table;
}

ReportTable spreadTable(const StudyComparison& c, const PairComparison& pairs) {
    ReportTable table;
    table.caption = fmt::format("{}: where the spread comes from", c.definitions[pairs.metric].label);
    table.columns = {{"Mean over seeds"}, {"Seeds", true}, {"Users", true}, {"Value", true, "mean, plus and minus the standard error"}, {"Users' share", true, "of the variance: between users"},
                     {"Seeds' share", true, "between seeds"}, {"Rest", true, "a user under a seed, and noise"}, {"Users to halve it", true, "so many users with these seeds halve the standard error"},
                     {"Seeds to halve it", true, "so many seeds with these users halve the standard error"}};
    for (const auto& spread : pairs.spread) {
        const auto& v = spread.split;
        const double all = v.users + v.seeds + v.rest;
        const auto share = [&](double part) { return textCell(all > 0 ? fmt::format("{:.1f} %", 100 * part / all) : std::string("–")); };
        auto value = numberCell(spread.mean);
        value.interval = fmt::format("± {}", threeFigures(v.standardError));
        table.rows.push_back({textCell(spread.what), textCell(std::to_string(spread.seeds.size())), textCell(withThousands(spread.users)), std::move(value), share(v.users), share(v.seeds), share(v.rest),
                              textCell(dash(spread.usersToHalve)), textCell(dash(spread.seedsToHalve))});
    }
    table.note = pairs.spreadNote;
    return table;
}

std::string pairsCsv(const StudyComparison& c, const PairComparison& pairs) {
    const std::vector<std::string> header{"metric", "strategy", "against", "difference", "low", "high", "effect", "users", "p", "p_tukey", "p_holm", "p_bh"};
    std::string text = csvRow(header);
    for (const auto& pair : pairs.pairs) {
        const std::vector<std::string> row{c.definitions[pairs.metric].label, c.strategies[pair.b].strategy.name, c.strategies[pair.a].strategy.name, csvNumber(pair.plain.difference), csvNumber(pair.plain.interval.low),
                                           csvNumber(pair.plain.interval.high), csvNumber(pair.effect), std::to_string(pair.plain.users), csvNumber(pair.plain.pValue), csvNumber(pair.tukey), csvNumber(pair.holm),
                                           csvNumber(pair.benjaminiHochberg)};
        text += csvRow(row);
    }
    return text;
}

json pairsJson(const StudyComparison& c, const PairComparison& pairs, bool withSpread) {
    json list = json::array();
    for (const auto& pair : pairs.pairs)
        list.push_back({{"name", c.strategies[pair.b].strategy.name + " - " + c.strategies[pair.a].strategy.name}, {"strategy", c.strategies[pair.b].strategy.name}, {"against", c.strategies[pair.a].strategy.name},
                        {"difference", number(pair.plain.difference)}, {"low", number(pair.plain.interval.low)}, {"high", number(pair.plain.interval.high)}, {"effect", number(pair.effect)},
                        {"pValue", number(pair.plain.pValue)}, {"tukey", number(pair.tukey)}, {"holm", number(pair.holm)}, {"bh", number(pair.benjaminiHochberg)}});
    json out{{"metric", c.definitions[pairs.metric].id}, {"label", c.definitions[pairs.metric].label}, {"users", pairs.users}, {"permutations", pairs.permutations}, {"pairs", list}};
    if (!withSpread)
        return out;
    out["spread"] = json::array();
    for (const auto& spread : pairs.spread)
        out["spread"].push_back({{"what", spread.what}, {"seeds", spread.seeds}, {"users", spread.users}, {"mean", number(spread.mean)}, {"standardError", number(spread.split.standardError)},
                                 {"varianceOfUsers", number(spread.split.users)}, {"varianceOfSeeds", number(spread.split.seeds)}, {"varianceOfRest", number(spread.split.rest)},
                                 {"usersToHalve", number(spread.usersToHalve)}, {"seedsToHalve", number(spread.seedsToHalve)}});
    out["spreadNote"] = pairs.spreadNote;
    return out;
}

} // namespace carousel
