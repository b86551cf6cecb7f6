// SPDX-License-Identifier: GPL-3.0-or-later
// The document of a click model analysis: what was fitted, which model predicts best, what that says about the fold, and how far to trust it.
// Tables and plots are in clicks_sections.cpp.
#include "workbench/analyses/clicks_sections.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
ClickFitOptions fitOptions(const AnalysisSpec& spec) {
    ClickFitOptions options;
    options.method = spec.options.text("method");
    options.maxIterations = static_cast<int>(spec.options.integer("maxIterations"));
    options.restarts = static_cast<int>(spec.options.integer("restarts"));
    options.window = static_cast<int>(spec.options.integer("window"));
    options.seed = spec.seed;
    return options;
}

const ModelComparisonRow* secondBest(const ModelComparison& c) {
    const ModelComparisonRow* second = nullptr;
    for (std::size_t i = 0; i < c.rows.size(); ++i)
        if (c.rows[i].refused.empty() && static_cast<int>(i) != c.best && (!second || c.rows[i].heldOut.logLikelihood > second->heldOut.logLikelihood))
            second = &c.rows[i];
    return second;
}

std::string sentenceStart(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

std::string verdict(const ClicksFindings& f) {
    const auto& c = f.comparison;
    if (c.best < 0)
        return "No click model could be fitted to this log.";
    const auto& best = c.rows[static_cast<std::size_t>(c.best)];
    std::string text = fmt::format("{} predicts held-out clicks best", best.info.name);
    const auto* second = secondBest(c);
    if (!second)
        return text + fmt::format(", as the only one that was fitted: mean log-likelihood {} per session.", estimate(best.heldOut.logLikelihood, best.heldOutInterval));
    const bool clear = isFinite(second->toBestInterval) && second->toBestInterval.high < 0;
    text += fmt::format(": {} per session in log-likelihood over the next, {} ({} {})", signedFigures(-second->toBest), second->info.name, level(f.confidence),
                        range({-second->toBestInterval.high, -second->toBestInterval.low}));
    return text + (clear ? "." : "; these two are not clearly apart.");
}

// What the log says about the fold, from the carousel model, else from the position-based one.
std::string foldSentence(const ClicksFindings& f) {
    const int window = f.window;
    if (f.log.log.slots <= window)
        return fmt::format("The log shows {} positions, all of them before the fold ({} visible): it says nothing about swiping.", f.log.log.slots, window);
    if (const auto* row = f.fitted(ClickModelKind::carousel)) {
        const auto& p = row->fit.parameters;
        Interval swipe = noInterval();
        for (const auto& e : row->estimates)
            if (e.block == "swipe")
                swipe = e.interval;
        const double lastPlace = p.examination.back() / p.examination.front();
        return fmt::format("At the fold {} of the visits that see a page through go on to the next ({} {}); within a page the last place is looked at {} times as often as the first, "
                           "so an item moved from position {} to {} is looked at {} times as often, if nothing was clicked before.",
                           percent(p.swipe), level(f.confidence), range(swipe), threeFigures(lastPlace), window, window + 1, threeFigures(p.swipe * p.reset / lastPlace));
    }
    if (const auto* row = f.fitted(ClickModelKind::pbm)) {
        const auto& gamma = row->fit.parameters.examination;
        const auto w = static_cast<std::size_t>(window);
        if (gamma.size() > w && gamma[w - 1] > 0)
            return fmt::format("By the position-based model position {} is looked at {} times as often as position {}; how much of that is swiping it cannot say.", window + 1,
                               threeFigures(gamma[w] / gamma[w - 1]), window);
    }
    return "None of the fitted models tells examination per position, so the log's fold is not described; add the carousel or the position-based model.";
}

void addFindings(const ClicksFindings& f, ReportModel& report) {
    const auto& c = f.comparison;
    const auto& log = f.log.log;
    const double silent = c.sessions > 0 ? static_cast<double>(c.sessionsWithoutClick) / static_cast<double>(c.sessions) : 0;
    const Light clicks = c.clicks >= 1000 ? Light::green : c.clicks >= 100 ? Light::amber : Light::red;
    report.findings.push_back({clicks, "Clicks behind the estimates",
                               fmt::format("{} in {}; {} of the sessions have none and count like any other. From 1,000 clicks up the estimates are steady, below 100 they are not.",
                                           countOf(c.clicks, "click", "clicks"), countOf(c.sessions, "session", "sessions"), percent(silent))});
    std::vector<std::string> refused, late, apart;
    for (const auto& row : c.rows) {
        if (!row.refused.empty()) {
            refused.push_back(row.info.name);
            continue;
        }
        if (!row.fit.converged)
            late.push_back(row.info.name);
        if (row.fit.restartEnds.size() > 1) {
            const auto [low, high] = std::minmax_element(row.fit.restartEnds.begin(), row.fit.restartEnds.end());
            if (*high - *low > 1e-4)
                apart.push_back(row.info.name);
        }
    }
    report.findings.push_back({log.wholeSlates() ? Light::green : Light::amber, "Whole slates",
                               log.wholeSlates() ? "Every session begins at position 1 and leaves no position out, so models with a memory of earlier positions can be fitted."
                                                 : fmt::format("Impressions are logged alone or in parts, so models with a memory of earlier positions are refused ({}).", joined(refused))});
    report.findings.push_back({log.knowsReach() ? Light::green : Light::amber, "Reach",
                               log.knowsReach() ? "The log says which positions came into view, so swiping is told apart from not looking."
                                                : "The log does not say which positions came into view: from clicks alone only examination times swiping is told."});
    if (!late.empty())
        report.findings.push_back({Light::amber, "Convergence", fmt::format("Not converged within {} iterations: {}. Raise clicks.maxIterations.", f.maxIterations, joined(late))});
    else if (c.best >= 0)
        report.findings.push_back({Light::green, "Convergence", fmt::format("Every fitted model converged within {} iterations.", f.maxIterations)});
    if (!apart.empty())
        report.findings.push_back({Light::amber, "Starts", fmt::format("Different starts end at different likelihoods: {}. The best end is shown; more starts may find a better one.", joined(apart))});
    if (const auto* second = secondBest(c)) {
        const bool clear = isFinite(second->toBestInterval) && second->toBestInterval.high < 0;
        report.findings.push_back({clear ? Light::green : Light::amber, "Is the best model clear?",
                                   fmt::format("{} stands {} {} from the best, paired over {} held-out sessions.", second->info.name, signedFigures(second->toBest), range(second->toBestInterval),
                                               withThousands(static_cast<std::int64_t>(c.heldOutSessions)))});
    }
    if (!log.severalClicks())
        report.findings.push_back({Light::none, "Clicks per visit", "No session has two clicks: what happens after a click cannot be estimated, and models that differ only in that agree."});
    report.light = worst(clicks, late.empty() ? Light::none : Light::amber);
    if (c.best < 0)
        report.light = Light::red;
    for (const auto& row : c.rows)
        if (!row.refused.empty())
            report.warnings.push_back(fmt::format("{} was not fitted: {}", row.info.name, sentenceStart(row.refused)));
}
} // namespace

const ModelComparisonRow* ClicksFindings::fitted(ClickModelKind kind) const {
    for (const auto& row : comparison.rows)
        if (row.info.kind == kind && row.refused.empty())
            return &row;
    return nullptr;
}

MeasuredEvaluation measuredEvaluation(const ClickModelFit& fit, std::int32_t slots) {
    MeasuredEvaluation out;
    const auto& theta = fit.parameters.examination;
    out.window = static_cast<int>(theta.size());
    const bool carouselModel = fit.kind == ClickModelKind::carousel;
    out.swipe = carouselModel && slots > out.window ? fit.parameters.swipe : std::numeric_limits<double>::quiet_NaN();
    double sum = 0, weight = 0;
    for (std::size_t k = 1; k < theta.size(); ++k)
        if (theta[k] > 0 && theta[0] > 0) {
            sum += static_cast<double>(k) * std::log(theta[k] / theta[0]);
            weight += static_cast<double>(k * k);
        }
    // A factor above 1 is no falling examination; the study's key ends at 1.
    out.examination = weight > 0 ? std::clamp(std::exp(sum / weight), 0.01, 1.0) : std::numeric_limits<double>::quiet_NaN();
    for (std::size_t k = 0; k < theta.size() && weight > 0; ++k)
        out.largestDeviation = std::max(out.largestDeviation, std::fabs(theta[k] / theta[0] - std::pow(out.examination, static_cast<double>(k))));
    out.lines = fmt::format("[evaluation]\nwindow = {}", out.window);
    if (std::isfinite(out.swipe))
        out.lines += fmt::format("\nswipe = {:.4f}", out.swipe);
    if (std::isfinite(out.examination))
        out.lines += fmt::format("\nexamination = {:.4f}", out.examination);
    return out;
}

Result<AnalysisDocument> clicksDocument(const Dataset& dataset, const AnalysisSpec& spec, const RunControl& control) {
    ClicksFindings f;
    CAROUSEL_ASSIGN(f.log, selectLog(dataset, {.policies = spec.options.list("policies"), .segment = spec.options.text("segment")}));
    f.window = static_cast<int>(spec.options.integer("window"));
    f.maxIterations = static_cast<int>(spec.options.integer("maxIterations"));
    f.confidence = spec.options.number("confidence");
    f.intervals = spec.options.text("intervals");
    std::vector<ClickModelKind> kinds;
    for (const auto& id : spec.options.list("models")) {
        CAROUSEL_ASSIGN(const auto* info, clickModelInfo(id));
        if (std::find(kinds.begin(), kinds.end(), info->kind) == kinds.end())
            kinds.push_back(info->kind);
    }
    if (kinds.empty())
        return fail(ErrorKind::input, "CL-3063", "clicks.models names no model.", "Name at least one, for example clicks.models=pbm,carousel.");
    const IntervalOptions intervals{.method = f.intervals, .draws = static_cast<int>(spec.options.integer("draws")), .confidence = f.confidence, .seed = spec.seed};
    CAROUSEL_ASSIGN(f.comparison, compareClickModels(f.log.log, kinds, fitOptions(spec), intervals, spec.options.number("heldOut"), control));
    if (f.comparison.best < 0 && !f.comparison.rows.empty())
        return fail(ErrorKind::input, "CL-8023", fmt::format("None of the models can be fitted to this log. {}: {}", f.comparison.rows.front().info.name, sentenceStart(f.comparison.rows.front().refused)),
                    "Choose models that this log supports (clicks.models), or another log.");

    const auto& c = f.comparison;
    AnalysisDocument document{.kind = name(spec.kind), .report = {}, .figuresJson = clicksFigures(f), .specToml = {}};
    auto& report = document.report;
    const std::string data = dataset.title.empty() ? dataset.name : dataset.title;
    report.title = "Click models: " + data;
    report.subtitle = fmt::format("{} · {} · {} · {} visible · seed {}", data, countOf(c.sessions, "session", "sessions"), countOf(c.clicks, "click", "clicks"), f.window, spec.seed);
    report.lead = {verdict(f), foldSentence(f)};
    report.facts = {{"Sessions", withThousands(static_cast<std::int64_t>(c.sessions))},
                    {"Clicks", withThousands(static_cast<std::int64_t>(c.clicks))},
                    {"Without a click", percent(static_cast<double>(c.sessionsWithoutClick) / std::max<double>(1, static_cast<double>(c.sessions)))},
                    {"Positions", std::to_string(f.log.log.slots)},
                    {"Held-out sessions", withThousands(static_cast<std::int64_t>(c.heldOutSessions))}};
    addFindings(f, report);
    report.warnings.insert(report.warnings.end(), f.log.notes.begin(), f.log.notes.end());
    report.sections = {comparisonSection(f), perplexitySection(f), examinationSection(f), convergenceSection(f), identificationSection(f)};
    return document;
}

} // namespace carousel::analyses
