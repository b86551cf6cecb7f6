// SPDX-License-Identifier: GPL-3.0-or-later
// The report of a comparison: what was compared, what came out with its interval, what it cost, where the fold hides value, and all that
// is needed to run it again.
#include "base/file.h"
#include "base/text.h"
#include "report/png.h"
#include "workbench/comparison_figures.h"
#include "workbench/run_pairs.h"
#include "workbench/study_report.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string signedFigures(double value) { return (value > 0 ? "+" : "") + threeFigures(value); }
std::string range(const Interval& i) { return fmt::format("[{}, {}]", threeFigures(i.low), threeFigures(i.high)); }

std::size_t indexOf(const StudyComparison& c, Metric metric) {
    for (std::size_t m = 0; m < c.definitions.size(); ++m)
        if (c.definitions[m].metric == metric)
            return m;
    return 0;
}

bool usesModel(const StrategyResult& s, const PluginRegistry& plugins) {
    for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
        if (const auto entry = plugins.find(kind, s.strategy.stage(kind).plugin); entry && (*entry)->manifest.usesLanguageModel)
            return true;
    return false;
}

std::vector<std::string> lead(const StudyComparison& c, const PluginRegistry& plugins) {
    std::vector<std::string> out;
    const std::size_t m = indexOf(c, Metric::ndcg);
    const auto& base = c.strategies[c.baseline];
    std::size_t best = 0;
    for (std::size_t i = 0; i < c.strategies.size(); ++i)
        if (c.strategies[i].metrics[m].value > c.strategies[best].metrics[m].value)
            best = i;
    const auto& top = c.strategies[best];
    std::string first = fmt::format("{} ranks best: {} {} {} over {} users.", top.strategy.name, c.definitions[m].label, threeFigures(top.metrics[m].value),
                                    range(top.metrics[m].interval), withThousands(c.users));
    if (best != c.baseline) {
        const auto& d = top.toBaseline[m];
        first += d.words == "not significant" ? fmt::format(" The difference to {} ({} {}) is not significant.", base.strategy.name, signedFigures(d.difference), range(d.interval))
                                              : fmt::format(" That is {} {} against {} (p = {}).", signedFigures(d.difference), range(d.interval), base.strategy.name, threeFigures(d.pValue));
    }
    out.push_back(first);
    for (std::size_t i = 0; i < c.strategies.size(); ++i) {
        const auto& s = c.strategies[i];
        if (!usesModel(s, plugins) || i == c.baseline)
            continue;
        const auto& d = s.toBaseline[m];
        const double users = std::max<double>(1, static_cast<double>(c.users));
        const auto tokens = s.cost.promptTokens + s.cost.generatedTokens + s.preparation.promptTokens + s.preparation.generatedTokens;
        std::string line = fmt::format("{} (language model) {} {} in {} ({} {})", s.strategy.name, d.words == "not significant" ? "is not shown to differ from" : "is " + d.words + " than",
                                       base.strategy.name, c.definitions[m].label, signedFigures(d.difference), range(d.interval));
        line += fmt::format("; it cost {} tokens and {} s per user", threeFigures(static_cast<double>(tokens) / users), threeFigures(s.seconds / users));
        if (s.candidatesPerSecond > 0)
            line += fmt::format(", {} model answers per second", threeFigures(s.candidatesPerSecond));
        if (s.cost.cacheHits + s.preparation.cacheHits > 0)
            line += fmt::format("; {} answers came from the cache", withThousands(s.cost.cacheHits + s.preparation.cacheHits));
        out.push_back(line + ".");
    }
    const auto window = static_cast<std::size_t>(c.study.evaluation.window);
    if (top.slots.size() > window)
        out.push_back(fmt::format("With {} visible places and a swipe probability of {}, {} shows a value of {} per visit and leaves {} {} behind: reach falls from {} at position {} to {} at position {}.",
                                  window, threeFigures(c.study.evaluation.swipe), top.strategy.name, threeFigures(top.value.value), threeFigures(top.missed.value), range(top.missed.interval),
                                  threeFigures(top.slots[window - 1].reach), window, threeFigures(top.slots[window].reach), window + 1));
    return out;
}

ReportTable metricTable(const StudyComparison& c) {
    ReportTable table;
    table.caption = fmt::format("Ranking, {:.0f} % bootstrap intervals over {} users", 100 * c.study.evaluation.confidence, withThousands(c.users));
    table.columns.push_back({"Strategy"});
    for (const auto& d : c.definitions)
        table.columns.push_back({d.label, true, d.formula});
    for (const auto& s : c.strategies) {
        std::vector<ReportCell> row{textCell(s.strategy.name, s.colour)};
        for (std::size_t m = 0; m < c.definitions.size(); ++m) {
            auto cell = c.definitions[m].perUser ? estimateCell(s.metrics[m].value, s.metrics[m].interval.low, s.metrics[m].interval.high) : numberCell(s.metrics[m].value);
            if (!s.toBaseline.empty() && c.definitions[m].perUser) {
                const auto& d = s.toBaseline[m];
                cell.note = d.words == "not significant" ? fmt::format("{}, not significant", signedFigures(d.difference)) : fmt::format("{} {}", signedFigures(d.difference), d.words);
            } else if (s.toBaseline.empty()) {
                cell.note = c.definitions[m].perUser ? "baseline" : "";
            }
            if (s.metrics[m].best - s.metrics[m].worst > 1e-9)
                cell.note += fmt::format("{}ties: {} to {}", cell.note.empty() ? "" : "; ", threeFigures(s.metrics[m].worst), threeFigures(s.metrics[m].best));
            row.push_back(std::move(cell));
        }
        table.rows.push_back(std::move(row));
    }
    std::vector<ReportCell> chance{textCell("Chance")};
    chance.front().tone = ReportCell::Tone::muted;
    for (const double value : c.chance) {
        chance.push_back(std::isfinite(value) ? numberCell(value) : textCell("–"));
        chance.back().tone = ReportCell::Tone::muted;
    }
    table.rows.push_back(std::move(chance));
    for (const auto& s : c.strategies) {
        if (s.shortlist.count == 0 || !std::isfinite(s.shortlist.ndcg))
            continue;
        std::vector<ReportCell> row{textCell(fmt::format("{}: its best {} in random order", s.strategy.name, s.shortlist.count))};
        for (const auto& d : c.definitions)
            row.push_back(d.metric == Metric::ndcg ? numberCell(s.shortlist.ndcg) : textCell("–"));
        for (auto& cell : row)
            cell.tone = ReportCell::Tone::muted;
        table.rows.push_back(std::move(row));
    }
    table.note = fmt::format("Below each figure: the paired difference to {}, a sign-flip permutation test at {:.0f} % (not corrected for the number of comparisons: {} here).",
                             c.strategies[c.baseline].strategy.name, 100 * (1 - c.study.evaluation.confidence), (c.strategies.size() - 1) * c.definitions.size());
    return table;
}

ReportTable carouselTable(const StudyComparison& c) {
    ReportTable table;
    table.caption = "The carousel as seen";
    table.columns = {{"Strategy"}, {"V per visit", true, "expected value of a visit under the swipe-aware model"}, {"Missed", true, "best order of the same items minus V"},
                     {"Held-out item visible", true, "share of held-out items within the window"}, {"Just outside", true, "share at the four positions behind the fold"}};
    const auto window = static_cast<std::size_t>(c.study.evaluation.window);
    for (const auto& s : c.strategies) {
        double inside = 0, outside = 0;
        for (std::size_t i = 0; i < 20 && i < window + 4; ++i)
            (i < window ? inside : outside) += s.targetPosition[i];
        table.rows.push_back({textCell(s.strategy.name, s.colour), estimateCell(s.value.value, s.value.interval.low, s.value.interval.high),
                              estimateCell(s.missed.value, s.missed.interval.low, s.missed.interval.high), textCell(percent(inside)), textCell(percent(outside))});
    }
    table.note = c.attractionNote;
    return table;
}

ReportTable costTable(const StudyComparison& c) {
    ReportTable table;
    table.caption = "What it cost here";
    table.columns = {{"Strategy"}, {"Seconds", true}, {"Seconds per user", true}, {"Model calls", true}, {"Tokens computed", true}, {"Tokens shared", true, "prompt tokens that a shared prefix saved"},
                     {"From cache", true}, {"Answers per second", true}, {"Invalid scores", true}, {"Fallbacks", true}};
    for (const auto& s : c.strategies) {
        Cost cost = s.cost;
        cost += s.preparation;
        table.rows.push_back({textCell(s.strategy.name, s.colour), numberCell(s.seconds), numberCell(s.seconds / std::max<double>(1, static_cast<double>(c.users))), textCell(withThousands(cost.modelCalls)),
                              textCell(withThousands(cost.promptTokens + cost.generatedTokens)), textCell(withThousands(cost.sharedTokens)), textCell(withThousands(cost.cacheHits)),
                              s.candidatesPerSecond > 0 ? numberCell(s.candidatesPerSecond) : textCell("–"), textCell(percent(s.invalidShare)), textCell(percent(s.fallbackShare))});
    }
    table.note = "Time as measured in these runs on this machine, features, encoding and fitting included.";
    return table;
}

ReportTable strategyTable(const StudyComparison& c) {
    ReportTable table;
    table.caption = "Strategies: four places each";
    table.columns = {{"Strategy"}, {"Events"}, {"Features"}, {"Encoder"}, {"Scorer"}, {"Controller"}};
    for (const auto& s : c.strategies) {
        std::vector<ReportCell> row{textCell(s.strategy.name, s.colour), textCell(s.strategy.eventModel)};
        for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller}) {
            ReportCell cell = textCell(s.strategy.stage(kind).plugin);
            std::vector<std::string> values;
            for (const auto& [id, value] : s.strategy.stage(kind).parameters.values())
                if (const auto text = toText(value); text.size() <= 40)
                    values.push_back(id + " = " + text);
            cell.note = fmt::format("{}", fmt::join(values, ", "));
            row.push_back(std::move(cell));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

// The provenance block of a study, with every run of the report and the specification it was made from: what a replay starts with.
std::string provenanceOf(const std::string& ofStudy, const StudyComparison& c) {
    auto out = nlohmann::json::parse(ofStudy, nullptr, false);
    if (!out.is_object())
        return ofStudy;
    for (const auto& s : c.strategies) {
        out["runs"].push_back({{"id", s.run.id}, {"strategy", s.run.strategy}, {"fingerprint", s.run.fingerprint}, {"splitDigest", s.run.splitDigest}, {"study", s.run.study}});
        out["studies"][std::to_string(s.run.study)] = s.run.studyToml;
    }
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

AnalysisDocument studyDocument(const StudyComparison& c, const std::vector<PlotSpec>& plots, const std::optional<PairComparison>& pairs, const PluginRegistry& plugins, const std::string& ofStudy) {
    AnalysisDocument document{.kind = "study", .report = {}, .figuresJson = comparisonJson(c).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), .specToml = c.strategies.front().run.studyToml};
    if (pairs) {
        auto figures = comparisonJson(c);
        figures["pairs"] = pairsJson(c, *pairs, false); // the other seeds are of this project, not of this report
        document.figuresJson = figures.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    ReportModel& model = document.report;
    model.title = c.study.name;
    model.subtitle = fmt::format("{} · {} users · split {} · seed {} · {}", c.datasetTitle, withThousands(c.users), name(c.study.split.method), c.study.seed, c.strategies.front().run.finishedAt);
    model.lead = lead(c, plugins);
    model.facts = {{"Strategies", std::to_string(c.strategies.size())}, {"Users", withThousands(c.users)}, {"k", std::to_string(c.study.evaluation.k)},
                   {"Window", std::to_string(c.study.evaluation.window)}, {"Swipe", threeFigures(c.study.evaluation.swipe)}};
    model.warnings = c.warnings;
    auto byId = [&](const std::string& id) {
        for (const auto& plot : plots)
            if (plot.id == id)
                return plot;
        return PlotSpec{};
    };
    ReportSection ranking{.title = "Ranking"};
    ranking.tables = {metricTable(c)};
    ranking.plots = {byId("metric_ndcg"), byId("metric_hr"), byId("quality_cost")};
    std::erase_if(ranking.plots, [](const PlotSpec& plot) { return plot.series.empty(); });
    for (const auto& d : c.definitions)
        ranking.definitions.push_back({d.label, d.formula, d.source});
    if (pairs) {
        ranking.tables.push_back(pairTable(c, *pairs, PairCorrection::tukey));
        if (!pairs->spread.empty())
            ranking.tables.push_back(spreadTable(c, *pairs));
    }
    ReportSection carousel{.title = "Position in the carousel"};
    carousel.tables = {carouselTable(c)};
    carousel.plots = {byId("reach"), byId("ideal_position"), byId("missed"), byId("sensitivity"), byId("click"), byId("value")};
    carousel.paragraphs = {"From clicks alone only the product of examination and swipe can be told: the swipe probability is an assumption here, and the band shows what depends on it."};
    ReportSection cost{.title = "Cost"};
    cost.tables = {costTable(c)};
    ReportSection how{.title = "How it was made"};
    how.tables = {strategyTable(c)};
    for (const auto& s : c.strategies)
        for (const auto& note : s.notes)
            if (std::find(how.paragraphs.begin(), how.paragraphs.end(), note) == how.paragraphs.end())
                how.paragraphs.push_back(note);
    model.sections = {std::move(ranking), std::move(carousel), std::move(cost), std::move(how)};
    model.provenanceJson = provenanceOf(ofStudy, c);
    model.command = "carousel-lab-cli --project PROJECT replay REPORT.html";
    return document;
}

} // namespace

namespace {
// Every pair by nDCG; none for a single run, or where too few users have a figure.
Result<std::optional<PairComparison>> pairsOf(Workbench& bench, const StudyComparison& c, const RunControl& control) {
    const auto metric = pairMetric(c, "");
    if (c.strategies.size() < 2 || !metric)
        return std::optional<PairComparison>();
    auto pairs = comparePairs(c, *metric, control.slice(0, 0.5));
    if (!pairs && pairs.error().code == "CL-7018")
        return std::optional<PairComparison>();
    if (!pairs)
        return fail(pairs.error());
    CAROUSEL_TRY(addSeedSpread(bench, c, *pairs, control.slice(0.5, 1)));
    return std::optional<PairComparison>(std::move(*pairs));
}
} // namespace

Result<AnalysisDocument> reportDocument(Workbench& bench, const std::vector<std::int64_t>& runs, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto c, bench.compare(runs, control.slice(0, 0.7)));
    CAROUSEL_ASSIGN(const auto pairs, pairsOf(bench, c, control.slice(0.7, 1)));
    return studyDocument(c, comparisonPlots(c), pairs, bench.plugins(), bench.provenance(c.study, &c.strategies.front().run));
}

Result<void> Workbench::writeReport(const std::vector<std::int64_t>& runs, const std::string& file, bool withPng, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto c, compare(runs, control.slice(0, 0.5)));
    CAROUSEL_ASSIGN(const auto pairs, pairsOf(*this, c, control.slice(0.5, 0.7)));
    const auto plots = comparisonPlots(c);
    CAROUSEL_TRY(writeAnalysis(studyDocument(c, plots, pairs, m_d->plugins, provenance(c.study, &c.strategies.front().run)), file));
    if (!withPng)
        return {};
    const std::string plotFolder = (std::filesystem::path(file).replace_extension("").string()) + "_plots";
    CAROUSEL_TRY(makeFolders(plotFolder));
    const RunControl drawing = control.slice(0.7, 1);
    for (std::size_t i = 0; i < plots.size(); ++i) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("The report"));
        drawing.report("Drawing plots", static_cast<double>(i), static_cast<double>(plots.size()), "plots");
        CAROUSEL_TRY(writePng(toSvg(plots[i]), plotFolder + "/" + plots[i].id + ".png"));
        CAROUSEL_TRY(atomicWrite(plotFolder + "/" + plots[i].id + ".csv", toCsv(plots[i])));
    }
    return {};
}

} // namespace carousel
