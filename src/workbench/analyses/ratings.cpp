// SPDX-License-Identifier: GPL-3.0-or-later
// The document of a rating prediction: errors over all questions, what they gain on means, and whether the numbers are on the users' scale.
#include "workbench/analyses/ratings.h"
#include "base/text.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <cmath>
#include <map>

namespace carousel::analyses {

namespace {

struct Method {
    const RatingColumn* column = nullptr;
    std::string name;                   // "expected rating, calibrated"
    double rmse = 0, mae = 0, less = 0; // less: RMSE less that of the best control
    Interval rmseInterval, maeInterval, lessInterval;
    Reliability reliability;
    std::vector<Interval> binIntervals; // of the mean rating in each bin
};

// Users drawn again; every method sees the same draws.
Result<std::vector<Method>> measured(const std::vector<RatingColumn>& columns, std::span<const double> rated,
                                     std::span<const std::int32_t> cluster, const AnalysisSpec& spec, const RunControl& control) {
    const auto n = rated.size();
    std::vector<Method> out;
    std::vector<std::vector<double>> values; // per method: squared error, absolute error, then two per bin
    for (const RatingColumn& column : columns) {
        Method method;
        method.column = &column;
        method.name = column.method + (column.calibrated ? ", calibrated" : "");
        method.reliability = reliability(column.test, rated, static_cast<std::size_t>(spec.options.integer("bins")));
        std::vector<double> squared(n), absolute(n);
        for (std::size_t i = 0; i < n; ++i) {
            const double error = column.test[i] - rated[i];
            squared[i] = error * error, absolute[i] = std::fabs(error);
            method.rmse += squared[i] / static_cast<double>(n);
            method.mae += absolute[i] / static_cast<double>(n);
        }
        method.rmse = std::sqrt(method.rmse);
        values.push_back(std::move(squared));
        values.push_back(std::move(absolute));
        for (std::size_t b = 0; b < method.reliability.bins.size(); ++b) {
            std::vector<double> inside(n), sum(n);
            for (std::size_t i = 0; i < n; ++i)
                inside[i] = method.reliability.bin[i] == b, sum[i] = inside[i] * rated[i];
            values.push_back(std::move(inside));
            values.push_back(std::move(sum));
        }
        out.push_back(std::move(method));
    }
    const std::vector<std::span<const double>> spans(values.begin(), values.end());
    const int draws = static_cast<int>(spec.options.integer("draws"));
    const double confidence = spec.options.number("confidence");
    CAROUSEL_ASSIGN(const BootstrapSums sums, bootstrapSums(spans, cluster, draws, spec.seed, control));
    const auto drawn = [&](auto value) {
        std::vector<double> list;
        for (int d = 0; d < draws; ++d)
            list.push_back(value(d));
        return list;
    };
    const Method* best = nullptr;
    std::size_t at = 0;
    std::vector<std::vector<double>> rmse;
    for (Method& method : out) {
        const auto weight = [&](int d) { return sums.weight[static_cast<std::size_t>(d)]; };
        rmse.push_back(drawn([&](int d) { return std::sqrt(sums.at(d, at) / weight(d)); }));
        method.rmseInterval = percentileInterval(rmse.back(), confidence);
        method.maeInterval = percentileInterval(drawn([&](int d) { return sums.at(d, at + 1) / weight(d); }), confidence);
        for (std::size_t b = 0; b < method.reliability.bins.size(); ++b)
            method.binIntervals.push_back(
                percentileInterval(drawn([&](int d) { return sums.at(d, at + 3 + 2 * b) / sums.at(d, at + 2 + 2 * b); }), confidence));
        at += 2 + 2 * method.reliability.bins.size();
        if (!method.column->usesLanguageModel && (!best || method.rmse < best->rmse))
            best = &method;
    }
    const auto bestAt = static_cast<std::size_t>(best - out.data());
    for (std::size_t m = 0; m < out.size(); ++m) {
        out[m].less = out[m].rmse - best->rmse;
        std::vector<double> difference = rmse[m];
        for (std::size_t d = 0; d < difference.size(); ++d)
            difference[d] -= rmse[bestAt][d];
        out[m].lessInterval = percentileInterval(std::move(difference), confidence);
    }
    return out;
}

const Method* bestOf(const std::vector<Method>& methods, bool languageModel) {
    const Method* best = nullptr;
    for (const Method& m : methods)
        if (m.column->usesLanguageModel == languageModel && (!best || m.rmse < best->rmse))
            best = &m;
    return best;
}

ReportTable table(const std::vector<Method>& methods, const Method& control, double confidence) {
    const auto n = static_cast<std::int64_t>(control.column->test.size());
    ReportTable out;
    out.caption = "Errors on the test questions";
    out.columns = {{"Method", false, ""},
                   {"RMSE", true, "Root of the mean squared error over all questions"},
                   {"less " + control.name, true, "Paired: the same users drawn for both; below 0: nearer to the ratings"},
                   {"MAE", true, "Mean absolute error over all questions"},
                   {"Calibration error", true, "Mean distance between predicted and actual means of groups of like predictions"},
                   {"No rating", true, "Answers that were none; they take the user's mean"},
                   {"Questions", true, "The denominator: no question is left out"},
                   {"Answers, s", true, "Validation and test; kept answers cost nothing"}};
    for (const Method& m : methods) {
        ReportCell difference = &m == &control ? muted("–") : cell(m.less, m.lessInterval);
        if (&m != &control && m.lessInterval.high < 0)
            difference.tone = ReportCell::Tone::good;
        if (&m != &control && m.lessInterval.low > 0)
            difference.tone = ReportCell::Tone::bad;
        const auto invalid = static_cast<std::int64_t>(m.column->invalid());
        out.rows.push_back(
            {textCell(m.name), cell(m.rmse, m.rmseInterval), difference, cell(m.mae, m.maeInterval), numberCell(m.reliability.error),
             m.column->usesLanguageModel
                 ? textCell(fmt::format("{} ({})", withThousands(invalid), percent(static_cast<double>(invalid) / static_cast<double>(n))))
                 : muted("–"),
             textCell(withThousands(n)), m.column->answerSeconds > 0 ? numberCell(m.column->answerSeconds) : muted("–")});
    }
    out.note =
        fmt::format("{} intervals from redrawn users. Calibrated: isotonic regression on the validation questions.", level(confidence));
    return out;
}

PlotSpec reliabilityPlot(const std::vector<Method>& methods, const Method& control, const LikeInstances& all, const std::string& sizes) {
    PlotSpec plot;
    plot.id = "reliability";
    plot.title = "Are the numbers on the users' scale?";
    plot.subtitle = sizes;
    plot.xTitle = "Predicted rating, mean of a group";
    plot.yTitle = "Actual rating, mean of the group";
    plot.yMinimum = all.lowest, plot.yMaximum = all.highest;
    plot.series.push_back({.name = "on the scale",
                           .colour = -1,
                           .x = {all.lowest, all.highest},
                           .y = {all.lowest, all.highest},
                           .low = {},
                           .high = {},
                           .dashed = true});
    int colour = 0;
    for (const Method& m : methods)
        if (m.column->usesLanguageModel || &m == &control) {
            PlotSeries series{.name = m.name, .colour = colour++, .kind = PlotSeries::Kind::points};
            for (std::size_t b = 0; b < m.reliability.bins.size(); ++b) {
                series.x.push_back(m.reliability.bins[b].predicted);
                series.y.push_back(m.reliability.bins[b].actual);
                series.low.push_back(m.binIntervals[b].low);
                series.high.push_back(m.binIntervals[b].high);
            }
            plot.series.push_back(std::move(series));
        }
    return plot;
}

PlotSpec errorPlot(const std::vector<Method>& methods, const std::string& sizes) {
    PlotSpec plot;
    plot.id = "rmse";
    plot.title = "How far off";
    plot.subtitle = sizes;
    plot.xTitle = "Method";
    plot.yTitle = "RMSE";
    for (std::size_t m = 0; m < methods.size(); ++m) {
        plot.categories.push_back(methods[m].name);
        plot.series.push_back({.name = methods[m].name,
                               .colour = methods[m].column->usesLanguageModel ? 0 : 1,
                               .kind = PlotSeries::Kind::points,
                               .x = {static_cast<double>(m)},
                               .y = {methods[m].rmse},
                               .low = {methods[m].rmseInterval.low},
                               .high = {methods[m].rmseInterval.high}});
    }
    return plot;
}

std::string versus(const Method& a, const Method& b) {
    const std::string figures = fmt::format("RMSE {} against {} of '{}', a difference of {} {}", threeFigures(a.rmse), threeFigures(b.rmse),
                                            b.name, signedFigures(a.less), range(a.lessInterval));
    if (a.lessInterval.high < 0)
        return fmt::format("'{}' comes nearer to the ratings than means do: {}.", a.name, figures);
    if (a.lessInterval.low > 0)
        return fmt::format("'{}' is further from the ratings than means are: {}.", a.name, figures);
    return fmt::format("'{}' cannot be told from means: {}.", a.name, figures);
}

nlohmann::json figuresOf(const std::vector<Method>& methods) {
    auto list = nlohmann::json::array();
    for (const Method& m : methods) {
        auto bins = nlohmann::json::array();
        for (std::size_t b = 0; b < m.reliability.bins.size(); ++b)
            bins.push_back({{"questions", m.reliability.bins[b].count},
                            {"predicted", number(m.reliability.bins[b].predicted)},
                            {"actual", number(m.reliability.bins[b].actual)},
                            {"interval", interval(m.binIntervals[b])}});
        list.push_back({{"name", m.name},
                        {"method", m.column->method},
                        {"languageModel", m.column->usesLanguageModel},
                        {"calibrated", m.column->calibrated},
                        {"rmse", number(m.rmse)},
                        {"rmseInterval", interval(m.rmseInterval)},
                        {"less", number(m.less)},
                        {"lessInterval", interval(m.lessInterval)},
                        {"mae", number(m.mae)},
                        {"maeInterval", interval(m.maeInterval)},
                        {"calibrationError", number(m.reliability.error)},
                        {"bins", bins},
                        {"invalid", m.column->invalid()},
                        {"questions", m.column->test.size()},
                        {"answerSeconds", number(m.column->answerSeconds)}});
    }
    return list;
}

} // namespace

Result<AnalysisDocument> ratingsDocument(const Dataset& dataset, const AnalysisSpec& spec, const LikesHost& host,
                                         const RunControl& control) {
    LikeSettings settings;
    settings.window = static_cast<int>(spec.options.integer("window"));
    settings.likedAbove = spec.options.number("likedAbove");
    CAROUSEL_ASSIGN(const LikeInstances all, likeInstances(dataset, settings));
    if (!(all.highest > all.lowest))
        return fail(ErrorKind::input, "CL-3092",
                    fmt::format("Every rating of '{}' is {}, so there is nothing to predict.", dataset.name, all.lowest),
                    "Use a data set with ratings of several values, for example ml-100k.");
    const LikeQuestions questions = drawQuestions(all, static_cast<std::size_t>(spec.options.integer("validation")),
                                                  static_cast<std::size_t>(spec.options.integer("test")), 0, 0, spec.seed);

    std::vector<RatingColumn> columns;
    std::vector<std::string> raw; // what could not be calibrated
    const auto add = [&](std::vector<RatingColumn> made) {
        for (RatingColumn& column : made) {
            auto calibrated = calibratedColumn(column, questions);
            if (!calibrated)
                raw.push_back("'" + column.method + "'");
            columns.push_back(std::move(column));
            if (calibrated && columns.back().method != "mean of all") // a constant has no order to calibrate
                columns.push_back(std::move(*calibrated));
        }
    };
    add(ratingControls(all, questions));
    CAROUSEL_ASSIGN(std::vector<RatingColumn> models, ratingModels(dataset, all, questions, spec, host, control.slice(0, 0.95)));
    add(std::move(models));

    std::vector<double> rated;
    std::vector<std::int32_t> cluster;
    std::map<Code, std::int32_t> users;
    for (const LikeInstance& each : questions.test) {
        rated.push_back(each.rating);
        cluster.push_back(users.emplace(each.user, static_cast<std::int32_t>(users.size())).first->second);
    }
    CAROUSEL_ASSIGN(const std::vector<Method> methods, measured(columns, rated, cluster, spec, control.slice(0.95, 1)));
    const Method& means = *bestOf(methods, false);
    const Method* const model = bestOf(methods, true);
    const double confidence = spec.options.number("confidence");
    const auto count = [](std::size_t n) { return withThousands(static_cast<std::int64_t>(n)); };

    AnalysisDocument document;
    ReportModel& report = document.report;
    report.title = "Rating prediction";
    report.subtitle = fmt::format("{}: {} test questions of {} users, asked after {} ratings each; {}",
                                  dataset.title.empty() ? dataset.name : dataset.title, count(rated.size()), count(users.size()),
                                  settings.window, spec.options.text("model"));
    if (model)
        report.lead.push_back(versus(*model, means));
    for (std::size_t m = 0; m + 1 < methods.size(); ++m)
        if (methods[m].column->usesLanguageModel && methods[m + 1].column->calibrated &&
            methods[m + 1].column->method == methods[m].column->method)
            report.lead.push_back(
                fmt::format("Put on the users' scale, the RMSE of '{}' goes from {} to {} and its calibration error from {} to {}.",
                            methods[m].name, threeFigures(methods[m].rmse), threeFigures(methods[m + 1].rmse),
                            threeFigures(methods[m].reliability.error), threeFigures(methods[m + 1].reliability.error)));
    for (const Method& m : methods)
        if (!m.column->calibrated && m.column->invalid() > 0)
            report.warnings.push_back(
                fmt::format("'{}': {} of {} answers were no rating ({}). They take the user's mean and count in every error.", m.name,
                            count(m.column->invalid()), count(rated.size()),
                            percent(static_cast<double>(m.column->invalid()) / static_cast<double>(rated.size()))));
    if (!raw.empty())
        report.warnings.push_back(
            fmt::format("Fewer than ten valid answers on the validation questions: {} could not be calibrated.", joined(raw)));
    report.facts = {{"Test questions", count(rated.size())},
                    {"Users", count(users.size())},
                    {"Validation questions", count(questions.validation.size())},
                    {"Scale", fmt::format("{} to {}", threeFigures(all.lowest), threeFigures(all.highest))}};
    report.findings.push_back(
        {Light::green, "Split by time",
         fmt::format("Item means end before the {} questions for calibration, and those before the {} of the test; a user's "
                     "mean knows the user's ratings before the question.",
                     count(all.validation.size()), count(all.test.size()))});
    ReportSection section;
    section.title = "How far off";
    const std::string sizes =
        fmt::format("n = {} test questions of {} users, {} intervals", count(rated.size()), count(users.size()), level(confidence));
    section.tables.push_back(table(methods, means, confidence));
    section.plots = {reliabilityPlot(methods, means, all, sizes), errorPlot(methods, sizes)};
    section.definitions = {
        {"expected rating",
         "The mean of 1 to 5 under the model's probabilities of the five digits; no rating where they are together below 1 %.", ""},
        {"written rating", "The digit that the model writes; any other answer is no rating.", "Kang et al., 2023"},
        {"calibrated",
         "Through the rising curve nearest to the validation ratings (isotonic regression). Ranking is hardly changed by it, errors are.",
         "Ayer et al., 1955"},
        {"user mean",
         "Of the user's ratings before the question, drawn to the mean of all by five ratings; also what stands in for an answer that is "
         "no rating.",
         ""},
        {"item mean", "Of the item's ratings before the validation part, drawn to the mean of all by five ratings.", ""},
        {"user and item", "The item mean plus the user's mean distance from item means, drawn to 0 by five ratings.",
         "Koren, 2010 (baseline predictor)"},
        {"RMSE, MAE", "Root of the mean squared error, and mean absolute error, over all test questions on the data set's scale.", ""},
        {"calibration error",
         fmt::format("Test predictions in at most {} groups of like size; the mean over questions of |mean predicted − mean actual| of "
                     "their group. Groups are small, so it is above 0 for perfect numbers too.",
                     spec.options.integer("bins")),
         "Naeini et al., 2015"}};
    report.sections.push_back(std::move(section));
    document.figuresJson = nlohmann::json{
        {"testQuestions", rated.size()},
        {"users", users.size()},
        {"means", means.name},
        {"scale", {all.lowest, all.highest}},
        {"methods",
         figuresOf(methods)}}.dump();
    return document;
}

} // namespace carousel::analyses
