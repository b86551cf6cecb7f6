// SPDX-License-Identifier: GPL-3.0-or-later
// The document of a placement study: the verdict of every place, then costs, interactions, slices, and what would change the verdict.
#include "base/text.h"
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/placement_figures.h"
#include "workbench/analyses/placement_plots.h"
#include "workbench/analyses/placement_words.h"
#include <algorithm>
#include <bit>
#include <cmath>

namespace carousel::analyses {

namespace {

std::string judgedBy(const PlacementFigures& f) { return f.byValue ? f.valueTitle : f.metricTitle; }

ReportCell toned(const PlacementEstimate& e) {
    ReportCell out = cell(e.value, e.interval);
    out.text = signedFigures(e.value);
    out.tone = e.interval.low > 0 ? ReportCell::Tone::good : e.interval.high < 0 ? ReportCell::Tone::bad : ReportCell::Tone::plain;
    return out;
}

ReportCell verdictCell(PlacementVerdict verdict, std::string note) {
    ReportCell out = textCell(name(verdict));
    out.note = std::move(note);
    out.tone = verdict == PlacementVerdict::pays ? ReportCell::Tone::good : verdict == PlacementVerdict::hurts ? ReportCell::Tone::bad : ReportCell::Tone::plain;
    return out;
}

// Differences of less than a millisecond are the clock's.
std::string inSeconds(double seconds) { return std::fabs(seconds) < 1 ? fmt::format("{:.3f}", std::fabs(seconds) < 0.0005 ? 0.0 : seconds) : threeFigures(seconds); }

ReportTable verdictTable(const PlacementFigures& f, double confidence) {
    ReportTable out;
    out.caption = "Where the language model pays";
    out.columns = {{"Place", false, ""},
                   {"Verdict", false, ""},
                   {"Gain in " + judgedBy(f), true, f.plan.design.half ? "Effect of the place, with its aliases" : "Shapley share of the whole gain: the mean over all orders of switching the places on"},
                   {"Share", true, "Of the whole gain; only where the whole gain is told from 0"},
                   {"Tokens / request", true, "More with it on; read and written"},
                   {"s / request", true, "More with it on"},
                   {"Plain → language model", false, ""}};
    for (std::size_t p = 0; p < 4; ++p)
        out.rows.push_back({textCell(placementTitle(p), static_cast<int>(p)), verdictCell(f.verdict[p], verdictNote(f, p)), toned(f.gains.gain[p]),
                            f.gains.totalIsClear && !f.plan.design.half
                                ? ReportCell{.text = percent(f.gains.share[p].value), .interval = isFinite(f.gains.share[p].interval) ? fmt::format("[{}, {}]", percent(f.gains.share[p].interval.low), percent(f.gains.share[p].interval.high)) : "", .note = {}}
                                : muted("–"),
                            textCell(withThousands(std::llround(f.cost[p].tokens))), textCell(inSeconds(f.cost[p].seconds)), textCell(f.plan.titleOff[p] + " → " + f.plan.titleOn[p])});
    out.rows.push_back({textCell("all four"), textCell(""), toned(f.gains.total), muted(f.gains.totalIsClear && !f.plan.design.half ? "100 %" : "–"),
                        textCell(withThousands(std::llround(f.meanTokens(f.plan.design.runs.size() - 1) - f.meanTokens(0)))),
                        textCell(inSeconds(f.meanSeconds(f.plan.design.runs.size() - 1) - f.meanSeconds(0))), textCell("")});
    out.note = fmt::format("{} percentile intervals from redrawn users{}.{}", level(confidence), f.seeds > 1 ? " and seeds" : "",
                           f.plan.design.half           ? " Shares of a whole gain need all 16 combinations."
                           : !f.gains.totalIsClear ? " The whole gain is not told from 0, so that shares of it in % would mean nothing."
                                                        : "");
    return out;
}

ReportTable costTable(const PlacementFigures& f, const AnalysisSpec& spec) {
    const bool money = spec.options.number("pricePerMillion") > 0;
    ReportTable out;
    out.caption = "What a request costs more with the language model at a place";
    out.columns = {{"Place", false, ""},
                   {"Tokens", true, ""},
                   {"Seconds", true, "Mean over the pairs of combinations that differ in the place alone"},
                   {"Median off → on, s", true, "Of a request, over all combinations of the others"},
                   {"p95 off → on, s", true, ""},
                   {"Wh / 1,000", true, "Seconds times the power that is set"},
                   {"Memory, MB", true, "To open the model and read a prompt of 1,024 tokens, worked out from its sizes; a model at several places is held once"}};
    if (money)
        out.columns.push_back({"Money / 1,000", true, "Tokens times the price that is set"});
    for (std::size_t p = 0; p < 4; ++p) {
        const PlaceCost& c = f.cost[p];
        std::vector<ReportCell> row{textCell(placementTitle(p), static_cast<int>(p)), textCell(withThousands(std::llround(c.tokens))), textCell(inSeconds(c.seconds)),
                                    textCell(inSeconds(c.medianOff) + " → " + inSeconds(c.medianOn)), textCell(inSeconds(c.p95Off) + " → " + inSeconds(c.p95On)),
                                    numberCell(c.wattHours), c.memoryBytes > 0 ? numberCell(c.memoryBytes / 1e6) : muted("–")};
        if (money)
            row.push_back(numberCell(c.money));
        out.rows.push_back(std::move(row));
    }
    out.note = fmt::format("{} of every combination, asked afresh, since kept answers cost nothing; what a run itself was answered before is kept. Seconds by the clock depend on the machine and on "
                           "what else it did. Energy: {} W; {}.",
                           countOf(f.requests.empty() ? 0 : f.requests.front().size(), "request", "requests"), threeFigures(spec.options.number("watts")),
                           money ? fmt::format("price: {} per million tokens", threeFigures(spec.options.number("pricePerMillion"))) : "no price is set, so money is left out");
    return out;
}

ReportTable preparationTable(const PlacementFigures& f) {
    ReportTable out;
    out.caption = "Preparation, once for all users";
    out.columns = {{"Combination", false, ""}, {"Model calls", true, ""}, {"Tokens", true, ""}, {"Model, s", true, ""}, {"All, s", true, ""}, {"ms / user", true, "Spread over all users of the data set"}};
    std::size_t kept = 0;
    for (std::size_t r = 0; r < f.preparation.size(); ++r) {
        const Cost& c = f.preparation[r];
        if (c.modelCalls == 0 && r > 0) {
            ++kept;
            continue;
        }
        out.rows.push_back({textCell(f.plan.title(r)), textCell(withThousands(c.modelCalls)), textCell(withThousands(c.promptTokens + c.generatedTokens)),
                            numberCell(c.modelSeconds), numberCell(c.seconds), numberCell(1000 * c.seconds / std::max<double>(1, static_cast<double>(f.datasetUsers)))});
    }
    out.note = fmt::format("As it ran, in this order: what one combination prepared is kept and used by the next ones. {} had to ask no model: all was kept, or they have none there.",
                           countOf(kept, "combination", "combinations"));
    return out;
}

ReportTable effectsTable(const PlacementFigures& f, double confidence) {
    ReportTable out;
    const bool half = f.plan.design.half;
    out.caption = half ? "Effects, each with what it cannot be told from" : "Effects and interactions";
    out.columns = {{"Places", false, ""}, {"Effect on " + judgedBy(f), true, "One place: on less off, mean over the others. Two: half of its gain with the other on less that with it off"}};
    if (half)
        out.columns.insert(out.columns.begin() + 1, {"Aliased with", false, ""});
    std::vector<std::uint32_t> order;
    for (std::uint32_t mask = 1; mask < f.gains.effects.size(); ++mask)
        if (!half || (mask != 15 && (std::popcount(mask) == 1 || (std::popcount(mask) == 2 && (mask & 1)))))
            order.push_back(mask);
    std::stable_sort(order.begin(), order.end(), [](std::uint32_t a, std::uint32_t b) { return std::popcount(a) < std::popcount(b); });
    for (const std::uint32_t mask : order) {
        std::vector<ReportCell> row{textCell(placesOf(mask)), toned(f.gains.effects[mask])};
        if (half)
            row.insert(row.begin() + 1, textCell(placesOf(aliasOf(f.plan.design, mask))));
        out.rows.push_back(std::move(row));
    }
    out.note = fmt::format("{} intervals, each by itself: of {} effects that are all 0, {} would leave it out by chance.{}", level(confidence), order.size(), threeFigures((1 - confidence) * static_cast<double>(order.size())),
                           half ? " Controller = features × encoder × scorer: every row is the sum of two effects." : "");
    return out;
}

ReportTable sliceTable(const PlacementFigures& f) {
    ReportTable out;
    out.caption = "For whom";
    out.columns = {{"Slice", false, ""}, {"n", true, "Users, counted under every seed"}, {"features", true, ""}, {"encoder", true, ""}, {"scorer", true, ""}, {"controller", true, ""}, {"all four", true, ""}};
    const auto row = [&](const std::string& title, std::size_t n, const PlacementGains& gains) {
        std::vector<ReportCell> cells{textCell(title), textCell(withThousands(static_cast<std::int64_t>(n)))};
        for (std::size_t p = 0; p < 4; ++p)
            cells.push_back(gains.rows > 0 ? toned(gains.gain[p]) : muted("too few"));
        cells.push_back(gains.rows > 0 ? toned(gains.total) : muted("too few"));
        out.rows.push_back(std::move(cells));
    };
    const auto rows = [&](const std::string& title, std::size_t n, const PlacementGains& gains, const PlacementGains& fewShot) {
        row(f.fewShot ? title + ", zero-shot" : title, n, gains);
        if (f.fewShot)
            row(title + ", few-shot", n, fewShot);
    };
    rows("All", f.gains.rows, f.gains, f.fewShot ? f.fewShot->gains : PlacementGains{});
    for (const PlacementSlice& slice : f.slices)
        rows(slice.title, slice.users, slice.gains, slice.fewShot);
    out.note = "Slices with fewer than ten users are left out. " + exampleNote(f);
    return out;
}

ReportTable fewShotTable(const PlacementFigures& f, double confidence) {
    const FewShotFigures& few = *f.fewShot;
    const std::string examples = countOf(static_cast<std::size_t>(f.plan.shots), "example", "examples");
    ReportTable out;
    out.caption = fmt::format("Zero-shot and with {}", examples);
    out.columns = {{"Place", false, ""},
                   {"Verdict", false, "Zero-shot → few-shot; once where it stays"},
                   {"Gain, zero-shot", true, "In " + judgedBy(f)},
                   {"Gain, " + examples, true, "In " + judgedBy(f)},
                   {"Change", true, "Few-shot less zero-shot on the same users"},
                   {"Tokens / request", true, "More with the place on; zero-shot → few-shot"},
                   {"s / request", true, "More with the place on; zero-shot → few-shot"}};
    const auto verdicts = [&](std::size_t p) {
        ReportCell each = verdictCell(few.verdict[p], "");
        if (few.verdict[p] != f.verdict[p])
            each.text = fmt::format("{} → {}", name(f.verdict[p]), each.text);
        return each;
    };
    const auto both = [](const std::string& zero, const std::string& fewer) { return textCell(zero + " → " + fewer); };
    for (std::size_t p = 0; p < 4; ++p)
        out.rows.push_back({textCell(placementTitle(p), static_cast<int>(p)), verdicts(p), toned(f.gains.gain[p]), toned(few.gains.gain[p]), toned(few.change.gain[p]),
                            both(withThousands(std::llround(f.cost[p].tokens)), withThousands(std::llround(few.cost[p].tokens))), both(inSeconds(f.cost[p].seconds), inSeconds(few.cost[p].seconds))});
    const std::size_t all = f.plan.design.runs.size() - 1, allFew = f.plan.fewShotRuns.back();
    out.rows.push_back({textCell("all four"), textCell(""), toned(f.gains.total), toned(few.gains.total), toned(few.change.total),
                        both(withThousands(std::llround(f.meanTokens(all) - f.meanTokens(0))), withThousands(std::llround(f.meanTokens(allFew) - f.meanTokens(0)))),
                        both(inSeconds(f.meanSeconds(all) - f.meanSeconds(0)), inSeconds(f.meanSeconds(allFew) - f.meanSeconds(0)))});
    out.note = fmt::format("Worked examples stand in the prompts of {}; the other places change only through what those hand on. {} percentile intervals, the change from the same draws as the gains. "
                           "Examples cost tokens once for all requests where the model keeps the beginning of a prompt; what is counted here is what each request had to read.",
                           shotPlacesOf(f.plan), level(confidence));
    return out;
}

ReportTable reportsTable(const PlacementFigures& f) {
    ReportTable out;
    out.caption = "What the plugins report, all four on";
    out.columns = {{"Prompts", false, ""}, {"Report", false, ""}};
    for (const std::string& each : f.reports)
        out.rows.push_back({textCell(f.fewShot ? "zero-shot" : "as set"), textCell(each)});
    for (const std::string& each : f.fewShotReports)
        out.rows.push_back({textCell("few-shot"), textCell(each)});
    if (f.seeds > 1)
        out.note = "Under the first seed.";
    return out;
}

ReportTable combinationTable(const PlacementFigures& f) {
    ReportTable out;
    out.caption = "All combinations";
    out.columns = {{"Combination", false, ""}, {judgedBy(f), true, ""}, {f.byValue ? f.metricTitle : f.valueTitle, true, ""}, {"s / request", true, ""}, {"Tokens / request", true, ""}, {"Front", false, "No other is better and as quick, to the millisecond"}};
    const auto front = f.front();
    for (std::size_t r = 0; r < f.plan.strategies(); ++r)
        out.rows.push_back({textCell(f.plan.title(r)), cell(f.level(r).value, f.level(r).interval), cell(f.otherLevel(r).value, f.otherLevel(r).interval),
                            textCell(inSeconds(f.meanSeconds(r))), textCell(withThousands(std::llround(f.meanTokens(r)))),
                            std::find(front.begin(), front.end(), r) != front.end() ? textCell("front") : muted("")});
    return out;
}

ReportTable changeTable(const PlacementFigures& f, double confidence) {
    ReportTable out;
    out.caption = "What would change this verdict";
    out.columns = {{"Place", false, ""},
                   {"Verdict", false, ""},
                   {"What would change it", false, ""},
                   {"Users now", true, "Counted under every seed"},
                   {"for the gain found", true, "Users that would tell it from 0, with a chance of 80 %, if the true gain is the one found"},
                   {"for the smallest", true, "The same if the true gain is the smallest that matters"}};
    const auto users = [&](std::size_t p, double effect) {
        const double n = usersToTell(f.evidence[p], effect, confidence, 0.8);
        return std::isfinite(n) && n > 0 && n < 1e12 ? textCell(withThousands(static_cast<std::int64_t>(std::ceil(n)))) : muted("–");
    };
    for (std::size_t p = 0; p < 4; ++p)
        out.rows.push_back({textCell(placementTitle(p), static_cast<int>(p)), textCell(name(f.verdict[p])), textCell(whatWouldChange(f, p, confidence)), textCell(withThousands(static_cast<std::int64_t>(f.gains.rows))),
                            users(p, f.gains.gain[p].value), users(p, f.evidence[p].smallestGain)});
    return out;
}

nlohmann::json estimateJson(const PlacementEstimate& e) { return {{"value", number(e.value)}, {"interval", interval(e.interval)}, {"standardError", number(e.standardError)}}; }

nlohmann::json gainsJson(const PlacementFigures& f, const PlacementGains& gains) {
    nlohmann::json out{{"n", gains.rows}};
    if (gains.rows == 0)
        return out;
    out["total"] = estimateJson(gains.total);
    out["totalIsClear"] = gains.totalIsClear;
    for (std::size_t p = 0; p < 4; ++p) {
        nlohmann::json place{{"place", placementTitle(p)}, {"gain", estimateJson(gains.gain[p])}, {"mainEffect", estimateJson(gains.effects[std::size_t(1) << p])}};
        place["share"] = gains.totalIsClear && !f.plan.design.half ? estimateJson(gains.share[p]) : nlohmann::json(nullptr);
        out["places"].push_back(std::move(place));
    }
    for (std::uint32_t mask = 1; mask < gains.effects.size(); ++mask) {
        nlohmann::json effect{{"places", placesOf(mask)}, {"effect", estimateJson(gains.effects[mask])}};
        if (f.plan.design.half)
            effect["aliasedWith"] = placesOf(aliasOf(f.plan.design, mask));
        out["effects"].push_back(std::move(effect));
    }
    for (const PlacementEstimate& each : gains.levels)
        out["levels"].push_back(estimateJson(each));
    return out;
}

std::string figuresJson(const PlacementFigures& f, double confidence) {
    nlohmann::json out{{"design", f.plan.design.half ? "half" : "full"},
                       {"metric", f.byValue ? "value" : "ndcg"},
                       {"users", f.users},
                       {"seeds", f.seeds},
                       {"runs", {{"all", f.allRuns}, {"computed", f.computedRuns}}},
                       {"gains", gainsJson(f, f.gains)},
                       {"other", gainsJson(f, f.other)}};
    for (std::size_t p = 0; p < 4; ++p) {
        const PlaceCost& c = f.cost[p];
        out["places"].push_back({{"place", placementTitle(p)},
                                 {"off", f.plan.titleOff[p]},
                                 {"on", f.plan.titleOn[p]},
                                 {"verdict", name(f.verdict[p])},
                                 {"seconds", number(c.seconds)},
                                 {"tokens", number(c.tokens)},
                                 {"money", number(c.money)},
                                 {"wattHours", number(c.wattHours)},
                                 {"modelBytes", number(c.modelBytes)},
                                 {"memoryBytes", number(c.memoryBytes)},
                                 {"medianOff", number(c.medianOff)},
                                 {"medianOn", number(c.medianOn)},
                                 {"p95Off", number(c.p95Off)},
                                 {"p95On", number(c.p95On)},
                                 {"usersToTellFound", number(usersToTell(f.evidence[p], f.gains.gain[p].value, confidence, 0.8))},
                                 {"usersToTellSmallest", number(usersToTell(f.evidence[p], f.evidence[p].smallestGain, confidence, 0.8))}});
    }
    const auto front = f.front();
    for (std::size_t r = 0; r < f.plan.strategies(); ++r) {
        std::vector<double> seconds, tokens;
        for (const RequestCost& each : f.requests[r])
            seconds.push_back(each.seconds), tokens.push_back(each.tokens);
        const Cost& c = f.preparation[r];
        out["combinations"].push_back({{"name", f.plan.title(r)},
                                       {"mask", f.plan.design.runs[f.plan.runOf(r)]},
                                       {"examples", f.plan.runOf(r) == r ? 0 : f.plan.shots},
                                       {"front", std::find(front.begin(), front.end(), r) != front.end()},
                                       {"requestSeconds", numbers(seconds)},
                                       {"requestTokens", numbers(tokens)},
                                       {"median", number(quantileOf(seconds, 0.5))},
                                       {"p95", number(quantileOf(seconds, 0.95))},
                                       {"preparation", {{"modelCalls", c.modelCalls}, {"tokens", c.promptTokens + c.generatedTokens}, {"modelSeconds", number(c.modelSeconds)}, {"seconds", number(c.seconds)}}}});
    }
    out["slices"] = nlohmann::json::array();
    for (const PlacementSlice& slice : f.slices) {
        nlohmann::json each{{"id", slice.id}, {"title", slice.title}, {"gains", gainsJson(f, slice.gains)}};
        if (f.fewShot)
            each["fewShotGains"] = gainsJson(f, slice.fewShot);
        out["slices"].push_back(std::move(each));
    }
    if (f.fewShot) {
        nlohmann::json few{{"examples", f.plan.shots}, {"gains", gainsJson(f, f.fewShot->gains)}, {"other", gainsJson(f, f.fewShot->other)}, {"change", gainsJson(f, f.fewShot->change)}};
        for (std::size_t p = 0; p < 4; ++p)
            few["places"].push_back({{"place", placementTitle(p)},
                                     {"hasExamples", (f.plan.shotPlaces >> p & 1) != 0},
                                     {"verdict", name(f.fewShot->verdict[p])},
                                     {"seconds", number(f.fewShot->cost[p].seconds)},
                                     {"tokens", number(f.fewShot->cost[p].tokens)},
                                     {"money", number(f.fewShot->cost[p].money)}});
        out["fewShot"] = std::move(few);
    }
    return out.dump();
}

} // namespace

Result<AnalysisDocument> placementReport(const AnalysisSpec& spec, const PlacementFigures& f) {
    const double confidence = spec.options.number("confidence");
    AnalysisDocument document;
    ReportModel& report = document.report;
    report.title = "Where does the language model pay?";
    report.subtitle = fmt::format("{} · {} strategies · same users, same seeds · {} × {}", f.datasetTitle, f.plan.strategies(), countOf(f.seeds, "seed", "seeds"), countOf(f.users, "user", "users"));
    report.lead = leadOf(f, confidence);
    report.light = Light::none;
    report.facts = {{"Users", withThousands(static_cast<std::int64_t>(f.users))}, {"Seeds", std::to_string(f.seeds)}, {"Combinations", std::to_string(f.plan.strategies())}, {"Runs computed now", fmt::format("{} of {}", f.computedRuns, f.allRuns)}};
    report.findings = findingsOf(f);
    report.warnings = f.plan.notes;
    report.warnings.insert(report.warnings.end(), f.warnings.begin(), f.warnings.end());

    ReportSection verdict;
    verdict.title = "Place by place";
    verdict.tables.push_back(verdictTable(f, confidence));
    verdict.plots.push_back(placementGainPlot(f, confidence));
    verdict.definitions = definitionsOf(f, spec);
    ReportSection change;
    change.title = "What would change this verdict";
    change.tables.push_back(changeTable(f, confidence));
    ReportSection costs;
    costs.title = "What it costs";
    costs.tables = {costTable(f, spec), preparationTable(f)};
    costs.plots.push_back(placementFrontPlot(f, confidence));
    ReportSection interactions;
    interactions.title = "How the places work together";
    interactions.tables.push_back(effectsTable(f, confidence));
    interactions.plots = {placementInteractionPlot(f, 2, 1), placementInteractionPlot(f, 2, 3), placementInteractionPlot(f, 1, 0)};
    ReportSection slices;
    slices.title = "For whom, and every combination";
    slices.tables = {sliceTable(f), combinationTable(f)};
    if (!f.reports.empty() || !f.fewShotReports.empty())
        slices.tables.push_back(reportsTable(f));
    report.sections = {std::move(verdict), std::move(change), std::move(costs), std::move(interactions), std::move(slices)};
    if (f.fewShot) {
        ReportSection examples;
        examples.title = "Do worked examples help?";
        examples.tables.push_back(fewShotTable(f, confidence));
        report.sections.insert(report.sections.begin() + 2, std::move(examples));
    }
    document.figuresJson = figuresJson(f, confidence);
    return document;
}

} // namespace carousel::analyses
