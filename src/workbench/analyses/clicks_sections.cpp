// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/clicks_sections.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
std::string size(const ClicksFindings& f) { return "n = " + countOf(f.comparison.sessions, "session", "sessions"); }
std::string heldOutSize(const ClicksFindings& f) { return "n = " + countOf(f.comparison.heldOutSessions, "held-out session", "held-out sessions"); }
std::string intervalWords(const ClicksFindings& f) {
    return fmt::format("{} {} intervals, users as clusters", level(f.confidence), f.intervals == "robust" ? "robust (position-based and carousel model) or bootstrap" : "bootstrap");
}

// The fitted rows from best to worst, at most `most`.
std::vector<std::size_t> ranked(const ClicksFindings& f, std::size_t most) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < f.comparison.rows.size(); ++i)
        if (f.comparison.rows[i].refused.empty())
            order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return f.comparison.rows[a].heldOut.logLikelihood > f.comparison.rows[b].heldOut.logLikelihood; });
    order.resize(std::min(order.size(), most));
    return order;
}

PlotSpec perplexityPlot(const ClicksFindings& f, bool conditional) {
    PlotSpec plot{.id = conditional ? "perplexity_conditional" : "perplexity"};
    plot.xTitle = "Position";
    plot.yTitle = conditional ? "Perplexity, earlier clicks known (1: certain, 2: a coin)" : "Perplexity, no click known (1: certain, 2: a coin)";
    plot.subtitle = heldOutSize(f) + "; lower is better";
    std::size_t best = f.comparison.rows.size();
    auto mean = [&](std::size_t i) { return conditional ? f.comparison.rows[i].heldOut.meanConditionalPerplexity : f.comparison.rows[i].heldOut.meanPerplexity; };
    for (const auto i : ranked(f, 100)) {
        const auto& row = f.comparison.rows[i];
        plot.series.push_back(overPositions(row.info.name, static_cast<int>(i), conditional ? row.heldOut.conditionalPerplexity : row.heldOut.perplexity));
        if (best == f.comparison.rows.size() || mean(i) < mean(best))
            best = i;
    }
    if (best < f.comparison.rows.size())
        plot.title = fmt::format("{}{} has the lowest perplexity, {:.4f} over all positions", conditional ? "With earlier clicks known " : "", f.comparison.rows[best].info.name, mean(best));
    addFold(plot, f.window, static_cast<std::size_t>(f.log.log.slots));
    return plot;
}

// Examination of every position relative to the first, given no click before: theta x swipe^page for the carousel model.
struct Examination {
    std::vector<double> value;
    std::vector<Interval> interval;
};
Examination examinationOf(const ClicksFindings& f, const ModelComparisonRow& row) {
    Examination out;
    const auto& p = row.fit.parameters;
    const auto slots = static_cast<std::size_t>(f.log.log.slots);
    std::vector<Interval> given;
    for (const auto& e : row.estimates)
        if (e.block == "examination")
            given.push_back(e.interval);
    for (std::size_t k = 0; k < slots; ++k) {
        const std::size_t places = p.examination.size(), place = k % places;
        double value = p.examination[place] / p.examination[0];
        if (row.info.kind == ClickModelKind::carousel)
            for (std::size_t page = 0; page < k / places; ++page)
                value *= p.swipe * (page == 0 ? p.reset : 1);
        out.value.push_back(value);
        out.interval.push_back(k > 0 && k < places && k - 1 < given.size() ? given[k - 1] : noInterval());
    }
    return out;
}

PlotSpec examinationPlot(const ClicksFindings& f) {
    PlotSpec plot{.id = "examination", .title = "Examination per position", .subtitle = size(f) + ", " + intervalWords(f), .xTitle = "Position", .yTitle = "Looked at, relative to position 1"};
    plot.yMinimum = 0;
    addFold(plot, f.window, static_cast<std::size_t>(f.log.log.slots));
    for (const auto kind : {ClickModelKind::carousel, ClickModelKind::pbm})
        if (const auto* row = f.fitted(kind)) {
            const auto examination = examinationOf(f, *row);
            plot.series.push_back(overPositions(row->info.name + (kind == ClickModelKind::carousel ? ", no click before" : ""),
                                                static_cast<int>(row - f.comparison.rows.data()), examination.value, examination.interval));
            const auto w = static_cast<std::size_t>(f.window);
            if (plot.series.size() == 1 && examination.value.size() > w)
                plot.title = fmt::format("Examination falls from {} at position {} to {} behind the fold", threeFigures(examination.value[w - 1]), w, threeFigures(examination.value[w]));
        }
    // Click rates say what a reader would take examination to be; they mix in which items stand where.
    if (const auto* row = f.fitted(ClickModelKind::rankCtr); row && !row->fit.parameters.examination.empty() && row->fit.parameters.examination[0] > 0) {
        std::vector<double> rate = row->fit.parameters.examination;
        const double first = rate[0];
        for (double& r : rate)
            r /= first;
        plot.series.push_back(overPositions("Click rate, for comparison", -1, std::move(rate)));
        plot.series.back().dashed = true;
    }
    return plot;
}
} // namespace

ReportSection comparisonSection(const ClicksFindings& f) {
    const auto& c = f.comparison;
    ReportSection section{.title = "Which model predicts clicks best"};
    section.paragraphs = {fmt::format("Each model was fitted to {} and asked for the probability of the clicks of {} of other users; all models see the same sessions, so differences are paired.",
                                      countOf(c.sessions - c.heldOutSessions, "session", "sessions"), countOf(c.heldOutSessions, "session", "sessions"))};
    ReportTable table;
    table.caption = fmt::format("Models by held-out clicks, {} bootstrap intervals over users", level(f.confidence));
    table.columns = {{"Model"},
                     {"Log-likelihood", true, "mean per held-out session, natural logarithm; higher is better"},
                     {"To the best", true, "paired difference to the best model"},
                     {"Perplexity", true, "mean over positions, no click known; 1 is certainty"},
                     {"Perplexity given clicks", true, "mean over positions, earlier clicks of the session known"},
                     {"Iterations", true},
                     {"Seconds", true}};
    PlotSpec plot{.id = "to_best", .subtitle = fmt::format("{}, paired, {} bootstrap intervals over users", heldOutSize(f), level(f.confidence)), .xTitle = "Model", .yTitle = "Log-likelihood per session, minus the best model's"};
    PlotSeries differences{.name = "Difference to the best", .kind = PlotSeries::Kind::points};
    for (const auto i : ranked(f, 100)) {
        const auto& row = c.rows[i];
        const bool best = static_cast<int>(i) == c.best;
        auto difference = best ? textCell("best") : cell(row.toBest, row.toBestInterval);
        if (!best && isFinite(row.toBestInterval) && row.toBestInterval.high >= 0)
            difference.note = "not clearly worse";
        auto iterations = textCell(std::to_string(row.fit.iterations));
        if (!row.fit.converged)
            iterations.note = "not converged";
        table.rows.push_back({textCell(row.info.name, static_cast<int>(i)), cell(row.heldOut.logLikelihood, row.heldOutInterval), difference,
                              textCell(fmt::format("{:.4f}", row.heldOut.meanPerplexity)), textCell(fmt::format("{:.4f}", row.heldOut.meanConditionalPerplexity)), iterations, numberCell(row.seconds)});
        differences.x.push_back(static_cast<double>(plot.categories.size()));
        differences.y.push_back(best ? 0.0 : row.toBest);
        differences.low.push_back(best ? 0.0 : row.toBestInterval.low);
        differences.high.push_back(best ? 0.0 : row.toBestInterval.high);
        plot.categories.push_back(row.info.name);
    }
    for (const auto& row : c.rows)
        if (!row.refused.empty()) {
            ReportCell head = muted(row.info.name);
            head.note = "not fitted: " + row.refused;
            table.rows.push_back({head, muted("–"), muted("–"), muted("–"), muted("–"), muted("–"), muted("–")});
        }
    table.note = "A session without a click counts like any other. Click rates per position and per item are no models of behaviour; they are the floor that a model has to beat.";
    if (c.best >= 0)
        plot.title = fmt::format("{} predicts held-out clicks best", c.rows[static_cast<std::size_t>(c.best)].info.name);
    plot.series = {std::move(differences)};
    section.tables = {std::move(table)};
    if (plot.categories.size() > 1)
        section.plots = {std::move(plot)};
    return section;
}

ReportSection perplexitySection(const ClicksFindings& f) {
    ReportSection section{.title = "Where on the carousel"};
    section.plots = {perplexityPlot(f, false), perplexityPlot(f, true)};
    return section;
}

ReportSection examinationSection(const ClicksFindings& f) {
    ReportSection section{.title = "What is looked at"};
    auto plot = examinationPlot(f);
    if (!plot.series.empty() && plot.series.front().colour >= 0)
        section.plots.push_back(std::move(plot));
    if (const auto* row = f.fitted(ClickModelKind::carousel)) {
        const auto measured = measuredEvaluation(row->fit, f.log.log.slots);
        section.paragraphs.push_back("To use these measured numbers in a study in place of assumed ones, paste:\n" + measured.lines);
        if (std::isfinite(measured.examination))
            section.paragraphs.push_back(fmt::format("examination is the factor per place that fits the measured places best; the largest deviation of a place from it is {}.{}",
                                                     threeFigures(measured.largestDeviation), std::isfinite(measured.swipe) ? "" : " The log has no position behind the fold, so swipe stays an assumption."));
    } else {
        section.paragraphs.push_back("The carousel model was not fitted, so this log gives a study no measured swipe probability.");
    }
    ReportTable table;
    table.caption = "Estimates, " + intervalWords(f);
    table.columns = {{"Model"}, {"What"}, {"Estimate", true}};
    bool unquoted = false, silent = false;
    for (const auto i : ranked(f, 100)) {
        const auto& row = f.comparison.rows[i];
        if (row.info.kind == ClickModelKind::ubm || row.info.kind == ClickModelKind::rankCtr) {
            unquoted = unquoted || row.info.kind == ClickModelKind::ubm;
            continue; // one number per position, or per pair of positions: in the figures, not in this table
        }
        for (const auto& e : row.estimates) {
            // Without a second click in any session the continuation after a click has no data: its value is where the fit ran out.
            if (!f.log.log.severalClicks() && e.block == "continuation" && e.label.find("after a click") == 0) {
                silent = true;
                continue;
            }
            table.rows.push_back({textCell(row.info.name, static_cast<int>(i)), textCell(e.block == e.label ? e.label : e.block + ", " + e.label), cell(e.value, e.interval)});
        }
    }
    table.note = std::string("Examination is relative to the first position: clicks alone determine examination and attraction only up to a common factor.") +
                 (silent ? " No session has two clicks, so continuation after a click is left out." : "") +
                 (unquoted ? " The user browsing model has one number per pair of positions; they are in the figures for programs." : "");
    if (!table.rows.empty())
        section.tables.push_back(std::move(table));
    return section;
}

ReportSection convergenceSection(const ClicksFindings& f) {
    ReportSection section{.title = "Did the fits converge"};
    PlotSpec plot{.id = "convergence", .title = "Distance to the end of each fit, by iteration", .subtitle = size(f) + "; the end of a curve is where the fit stopped", .xTitle = "Iteration",
                  .yTitle = "log10 of what is still missing in log-likelihood per session"};
    ReportTable table;
    table.caption = "Fits on all sessions";
    table.columns = {{"Model"}, {"Iterations", true}, {"Converged"}, {"Log-likelihood reached", true}, {"Starts", true}, {"Largest distance between starts", true}};
    std::size_t converged = 0, all = 0;
    for (std::size_t i = 0; i < f.comparison.rows.size(); ++i) {
        const auto& row = f.comparison.rows[i];
        if (!row.refused.empty())
            continue;
        ++all;
        converged += row.fit.converged;
        const auto& trace = row.fit.trace;
        if (trace.size() > 2) {
            PlotSeries series{.name = row.info.name, .colour = static_cast<int>(i)};
            for (std::size_t t = 0; t + 1 < trace.size(); ++t) {
                const double missing = trace.back() - trace[t];
                series.x.push_back(static_cast<double>(t));
                series.y.push_back(missing > 1e-14 ? std::log10(missing) : std::numeric_limits<double>::quiet_NaN());
            }
            plot.series.push_back(std::move(series));
        }
        double apart = 0;
        if (!row.fit.restartEnds.empty()) {
            const auto [low, high] = std::minmax_element(row.fit.restartEnds.begin(), row.fit.restartEnds.end());
            apart = *high - *low;
        }
        table.rows.push_back({textCell(row.info.name, static_cast<int>(i)), textCell(std::to_string(row.fit.iterations)), textCell(row.fit.converged ? "yes" : "no"),
                              textCell(trace.empty() ? "–" : fmt::format("{:.6f}", trace.back())), textCell(std::to_string(std::max<std::size_t>(1, row.fit.restartEnds.size()))),
                              row.fit.restartEnds.size() > 1 ? numberCell(apart) : muted("–")});
    }
    if (f.fitted(ClickModelKind::carousel) && f.log.log.knowsReach())
        table.note = "The carousel model's likelihood here is also that of what came into view, so it is not to be compared with the others'; the held-out figures above are.";
    plot.title = converged == all ? fmt::format("{} converged", all == 1 ? "The fit" : fmt::format("All {} fits", all)) : fmt::format("{} of {} fits converged", converged, all);
    section.tables = {std::move(table)};
    if (!plot.series.empty())
        section.plots = {std::move(plot)};
    return section;
}

ReportSection identificationSection(const ClicksFindings& f) {
    ReportSection section{.title = "What clicks can and cannot tell"};
    section.paragraphs = {"A click needs a look and an attractive item. From clicks alone their product is known, not each of them: examination is given relative to the first position, attraction absorbs the rest. "
                          "Where the log does not say what came into view, swiping on and looking after it are one number."};
    for (const auto& row : f.comparison.rows) {
        std::string meaning = row.info.summary + " What it can tell: " + row.info.identifies;
        for (const auto& note : row.fit.notes)
            meaning += " In this log: " + note;
        section.definitions.push_back({row.info.name, meaning, row.info.source});
    }
    return section;
}

std::string clicksFigures(const ClicksFindings& f) {
    const auto& c = f.comparison;
    nlohmann::json out{{"sessions", c.sessions}, {"heldOutSessions", c.heldOutSessions}, {"clicks", c.clicks}, {"sessionsWithoutClick", c.sessionsWithoutClick},
                       {"window", f.window}, {"slots", f.log.log.slots}, {"confidence", f.confidence}, {"models", nlohmann::json::array()}};
    out["best"] = c.best >= 0 ? nlohmann::json(c.rows[static_cast<std::size_t>(c.best)].info.id) : nlohmann::json(nullptr);
    for (const auto& row : c.rows) {
        nlohmann::json model{{"id", row.info.id}, {"name", row.info.name}};
        if (!row.refused.empty()) {
            model["refused"] = row.refused;
            out["models"].push_back(std::move(model));
            continue;
        }
        const auto& p = row.fit.parameters;
        model["heldOut"] = {{"logLikelihood", number(row.heldOut.logLikelihood)}, {"interval", interval(row.heldOutInterval)}, {"toBest", number(row.toBest)}, {"toBestInterval", interval(row.toBestInterval)},
                            {"perplexity", numbers(row.heldOut.perplexity)}, {"conditionalPerplexity", numbers(row.heldOut.conditionalPerplexity)},
                            {"meanPerplexity", number(row.heldOut.meanPerplexity)}, {"meanConditionalPerplexity", number(row.heldOut.meanConditionalPerplexity)}};
        model["fit"] = {{"iterations", row.fit.iterations}, {"converged", row.fit.converged}, {"trace", numbers(row.fit.trace)}, {"restartEnds", numbers(row.fit.restartEnds)}, {"notes", row.fit.notes}};
        model["examination"] = numbers(p.examination);
        model["continuation"] = numbers(p.continuation);
        if (row.info.kind == ClickModelKind::carousel) {
            const auto measured = measuredEvaluation(row.fit, f.log.log.slots);
            model["swipe"] = number(p.swipe);
            model["continueAfterClick"] = number(p.continueAfterClick);
            model["reset"] = number(p.reset);
            out["evaluation"] = {{"window", measured.window}, {"swipe", number(measured.swipe)}, {"examination", number(measured.examination)}, {"largestDeviation", number(measured.largestDeviation)}};
        }
        model["estimates"] = nlohmann::json::array();
        for (const auto& e : row.estimates)
            model["estimates"].push_back({{"block", e.block}, {"label", e.label}, {"value", number(e.value)}, {"interval", interval(e.interval)}});
        out["models"].push_back(std::move(model));
    }
    return out.dump();
}

} // namespace carousel::analyses
