// SPDX-License-Identifier: GPL-3.0-or-later
// The document of a like prediction: what each method reaches, what it adds to counting, how it grows with examples.
#include "workbench/analyses/likes.h"
#include "base/text.h"
#include "evaluation/statistics/auc.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace carousel::analyses {

namespace {

using Estimate = AreaDraws::Estimate;

// All columns of one method and size: one, or one per seed.
struct Method {
    std::string name;   // "adapter, 64 examples"
    std::string method; // "lora"
    int examples = -1;
    bool languageModel = false, control = false;
    std::vector<std::size_t> columns;
    Estimate area, overCounting; // less the best control's
    double spread = 0;           // largest less smallest seed
    std::size_t invalid = 0;
    double trainSeconds = 0, answerSeconds = 0; // means over seeds
};

std::string nameOf(const LikeColumn& column) {
    if (column.method == "lora")
        return fmt::format("adapter, {} examples", column.examples);
    if (column.method == "head")
        return fmt::format("head on hidden states, {} examples", column.examples);
    return column.method;
}

std::vector<Method> grouped(std::span<const LikeColumn> columns, const AreaDraws& draws, double confidence) {
    std::vector<Method> out;
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const std::string name = nameOf(columns[c]);
        auto it = std::find_if(out.begin(), out.end(), [&](const Method& m) { return m.name == name; });
        if (it == out.end()) {
            out.push_back({});
            it = out.end() - 1;
            it->name = name;
            it->method = columns[c].method;
            it->examples = columns[c].examples;
            it->languageModel = columns[c].usesLanguageModel;
        }
        it->columns.push_back(c);
        it->invalid += columns[c].invalid;
        it->trainSeconds += columns[c].trainSeconds;
        it->answerSeconds += columns[c].answerSeconds;
    }
    for (Method& method : out) {
        method.control = !method.languageModel;
        method.area = draws.mean(method.columns, {}, confidence);
        const auto [low, high] = std::minmax_element(method.columns.begin(), method.columns.end(),
                                                     [&](std::size_t a, std::size_t b) { return draws.area[a] < draws.area[b]; });
        method.spread = draws.area[*high] - draws.area[*low];
        method.trainSeconds /= static_cast<double>(method.columns.size());
        method.answerSeconds /= static_cast<double>(method.columns.size());
    }
    return out;
}

const Method* bestOf(const std::vector<Method>& methods, bool control) {
    const Method* best = nullptr;
    for (const Method& method : methods)
        if (method.control == control && method.name != "hybrid" && (!best || method.area.value > best->area.value))
            best = &method;
    return best;
}

const Method* named(const std::vector<Method>& methods, const std::string& name) {
    const auto it = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.name == name; });
    return it == methods.end() ? nullptr : &*it;
}

ReportTable table(const std::vector<Method>& methods, const Method& control, int seeds, double confidence) {
    ReportTable out;
    out.caption = "Area under the ROC curve on the test questions";
    out.columns = {{"Method", false, ""},
                   {"AUC", true, "0.5: chance; 1: every liked item scores above every other"},
                   {"less " + control.name, true, "Paired: the same users drawn for both"},
                   {"Between seeds", true, "Largest less smallest AUC over training sets"},
                   {"Hardly Yes or No", true, "Answers whose Yes and No are together less probable than 1 %; they count with their logits"},
                   {"Training, s", true, "Mean of the seeds; 0: found from an earlier run"},
                   {"Answers, s", true, "Validation and test; kept answers cost nothing"}};
    for (const Method& m : methods) {
        ReportCell difference = &m == &control ? muted("–") : cell(m.overCounting.value, m.overCounting.interval);
        if (&m != &control && m.overCounting.interval.low > 0)
            difference.tone = ReportCell::Tone::good;
        if (&m != &control && m.overCounting.interval.high < 0)
            difference.tone = ReportCell::Tone::bad;
        out.rows.push_back(
            {textCell(m.name), cell(m.area.value, m.area.interval), difference, m.columns.size() > 1 ? numberCell(m.spread) : muted("–"),
             m.languageModel ? textCell(withThousands(static_cast<std::int64_t>(m.invalid))) : muted("–"),
             m.trainSeconds > 0 ? numberCell(m.trainSeconds) : muted("–"), m.answerSeconds > 0 ? numberCell(m.answerSeconds) : muted("–")});
    }
    out.note = fmt::format("{} intervals from redrawn users; methods with training: mean over {}.", level(confidence),
                           countOf(static_cast<std::size_t>(seeds), "training set", "training sets"));
    return out;
}

PlotSpec curve(const std::vector<Method>& methods, const Method& control, std::size_t test, std::size_t users, double confidence) {
    PlotSpec plot;
    plot.id = "examples";
    plot.title = "What examples buy";
    plot.subtitle = fmt::format("n = {} test questions of {} users, {} intervals", withThousands(static_cast<std::int64_t>(test)),
                                withThousands(static_cast<std::int64_t>(users)), level(confidence));
    plot.xTitle = "Examples trained on";
    plot.yTitle = "AUC";
    std::set<int> sizes{0};
    for (const Method& m : methods)
        if (m.examples > 0)
            sizes.insert(m.examples);
    for (const int size : sizes)
        plot.categories.push_back(std::to_string(size));
    const auto place = [&](int size) { return static_cast<double>(std::distance(sizes.begin(), sizes.find(std::max(size, 0)))); };
    int colour = 0;
    for (const auto& [method, title] : {std::pair{"lora", "adapter"}, {"head", "head on hidden states"}}) {
        PlotSeries series{.name = title, .colour = colour++};
        for (const Method& m : methods)
            if (m.method == method || (m.method == "zero-shot" && std::string(method) == "lora")) {
                series.x.push_back(place(m.examples));
                series.y.push_back(m.area.value);
                series.low.push_back(m.area.interval.low);
                series.high.push_back(m.area.interval.high);
            }
        // In the order of the axis.
        std::vector<std::size_t> order(series.x.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return series.x[a] < series.x[b]; });
        PlotSeries sorted{.name = series.name, .colour = series.colour};
        for (const std::size_t i : order) {
            sorted.x.push_back(series.x[i]);
            sorted.y.push_back(series.y[i]);
            sorted.low.push_back(series.low[i]);
            sorted.high.push_back(series.high[i]);
        }
        if (sorted.x.size() == 1) // a line of one point shows nothing
            sorted.kind = PlotSeries::Kind::points;
        if (!sorted.x.empty())
            plot.series.push_back(std::move(sorted));
    }
    for (const Method& m : methods)
        if (&m == &control)
            plot.series.push_back({.name = m.name,
                                   .colour = -1,
                                   .x = {0, static_cast<double>(sizes.size() - 1)},
                                   .y = {m.area.value, m.area.value},
                                   .low = {},
                                   .high = {},
                                   .dashed = true});
    return plot;
}

std::string versus(const Method& a, const Method& b) {
    const Interval& i = a.overCounting.interval;
    const std::string figures = fmt::format("{} against {} of {}, a difference of {} {}", threeFigures(a.area.value),
                                            threeFigures(b.area.value), b.name, signedFigures(a.overCounting.value), range(i));
    if (i.low > 0)
        return fmt::format("'{}' tells likes better than counting does: AUC {}.", a.name, figures);
    if (i.high < 0)
        return fmt::format("'{}' tells likes worse than counting does: AUC {}.", a.name, figures);
    return fmt::format("'{}' cannot be told from counting: AUC {}.", a.name, figures);
}

} // namespace

Result<AnalysisDocument> likesDocument(const Dataset& dataset, const AnalysisSpec& spec, const LikesHost& host, const RunControl& control) {
    LikeSettings settings;
    settings.window = static_cast<int>(spec.options.integer("window"));
    settings.likedAbove = spec.options.number("likedAbove");
    CAROUSEL_ASSIGN(const LikeInstances all, likeInstances(dataset, settings));
    const int seeds = static_cast<int>(spec.options.integer("seeds"));
    std::size_t largest = 0;
    for (const auto& size : spec.options.list("examples"))
        largest = std::max(largest, static_cast<std::size_t>(std::stoul(size)));
    const LikeQuestions questions = drawQuestions(all, static_cast<std::size_t>(spec.options.integer("validation")),
                                                  static_cast<std::size_t>(spec.options.integer("test")), largest, seeds, spec.seed);

    // Counting, the language model in its forms, then both together.
    std::vector<LikeColumn> columns = likeControls(all, questions);
    {
        const std::vector<const LikeColumn*> counted{&columns[0], &columns[1]};
        CAROUSEL_ASSIGN(LikeColumn both, stackedColumn("counting, both", -1, counted, questions));
        columns.push_back(std::move(both));
    }
    const std::size_t controls = columns.size();
    CAROUSEL_ASSIGN(std::vector<LikeColumn> models, likeModels(dataset, questions, spec, host, control.slice(0, 0.97)));
    columns.insert(columns.end(), models.begin(), models.end());
    const auto& wanted = spec.options.list("methods");
    if (std::find(wanted.begin(), wanted.end(), "hybrid") != wanted.end() && columns.size() > controls) {
        std::vector<LikeColumn> hybrids;
        for (int s = 0; s < seeds; ++s) { // the largest training set of each method, and what needs none
            std::map<std::string, const LikeColumn*> best;
            for (std::size_t c = controls; c < columns.size(); ++c)
                if (columns[c].seed == -1 || columns[c].seed == s) {
                    const LikeColumn*& kept = best[columns[c].method];
                    if (!kept || columns[c].examples > kept->examples)
                        kept = &columns[c];
                }
            std::vector<const LikeColumn*> parts{&columns[0], &columns[1]};
            for (const auto& [method, column] : best)
                parts.push_back(column);
            CAROUSEL_ASSIGN(LikeColumn hybrid, stackedColumn("hybrid", s, parts, questions));
            hybrids.push_back(std::move(hybrid));
        }
        columns.insert(columns.end(), hybrids.begin(), hybrids.end());
    }

    std::vector<std::vector<double>> scores;
    for (const auto& column : columns)
        scores.push_back(column.test);
    std::vector<std::uint8_t> liked;
    std::vector<std::int32_t> cluster;
    std::map<Code, std::int32_t> users;
    std::size_t likes = 0;
    for (const LikeInstance& each : questions.test) {
        liked.push_back(each.liked);
        likes += each.liked;
        cluster.push_back(users.emplace(each.user, static_cast<std::int32_t>(users.size())).first->second);
    }
    if (likes == 0 || likes == liked.size())
        return fail(ErrorKind::input, "CL-3092", "Every test question has the same answer, so nothing can be told apart.",
                    "Choose another limit for a like, or more test questions.");
    const double confidence = spec.options.number("confidence");
    CAROUSEL_ASSIGN(const AreaDraws draws,
                    areaDraws(scores, liked, cluster, static_cast<int>(spec.options.integer("draws")), spec.seed, control.slice(0.97, 1)));
    std::vector<Method> methods = grouped(columns, draws, confidence);
    const Method& counting = *bestOf(methods, true);
    for (Method& m : methods)
        m.overCounting = draws.mean(m.columns, counting.columns, confidence);

    AnalysisDocument document;
    ReportModel& report = document.report;
    report.title = "Like prediction";
    report.subtitle =
        fmt::format("{}: {} test questions of {} users, asked after {} ratings each; {}",
                    dataset.title.empty() ? dataset.name : dataset.title, withThousands(static_cast<std::int64_t>(liked.size())),
                    withThousands(static_cast<std::int64_t>(users.size())), settings.window, spec.options.text("model"));
    const Method* const hybrid = named(methods, "hybrid");
    const Method* const model = bestOf(methods, false);
    if (model)
        report.lead.push_back(versus(*model, counting));
    if (hybrid)
        report.lead.push_back(hybrid->overCounting.interval.low > 0 ? "Together with counting it gains: " + versus(*hybrid, counting)
                              : hybrid->overCounting.interval.high < 0
                                  ? "Together with counting it even loses: " + versus(*hybrid, counting)
                                  : "Together with counting it is not shown to gain: " + versus(*hybrid, counting));
    if (const Method* const zero = named(methods, "zero-shot"); zero && zero->area.interval.low <= 0.5 && zero->area.interval.high >= 0.5)
        report.lead.push_back(fmt::format("Without examples the model does not know: its AUC {} {} includes chance.",
                                          threeFigures(zero->area.value), range(zero->area.interval)));
    report.light = Light::none;
    report.facts = {{"Test questions", withThousands(static_cast<std::int64_t>(liked.size()))},
                    {"Users", withThousands(static_cast<std::int64_t>(users.size()))},
                    {"Liked", percent(static_cast<double>(likes) / static_cast<double>(liked.size()))},
                    {"Training sets", std::to_string(seeds)}};
    report.findings.push_back(
        {Light::green, "Split by time",
         fmt::format("All {} questions that may be learned from come before the {} for choosing, and those before the {} of the test.",
                     withThousands(static_cast<std::int64_t>(all.train.size())),
                     withThousands(static_cast<std::int64_t>(all.validation.size())),
                     withThousands(static_cast<std::int64_t>(all.test.size())))});
    if (all.tiedTimes * 20 > all.ratings)
        report.findings.push_back({Light::amber, "Ratings in the same second",
                                   fmt::format("{} of the ratings stand in the same second as the user's one before; their order is the "
                                               "file's, and windows depend on it.",
                                               percent(static_cast<double>(all.tiedTimes) / static_cast<double>(all.ratings)))});
    ReportSection section;
    section.title = "Who tells likes";
    section.tables.push_back(table(methods, counting, seeds, confidence));
    section.plots.push_back(curve(methods, counting, liked.size(), users.size(), confidence));
    section.definitions = {
        {"zero-shot", "The model is shown the window's likes and dislikes and asked Yes or No; the score is logit(Yes) less logit(No).",
         "Bao et al., TALLRec, RecSys 2023"},
        {"adapter",
         "The same model with low-rank additions to its queries and values, trained on balanced examples; training ends when the "
         "validation AUC stops growing.",
         "Hu et al., LoRA, ICLR 2022; Bao et al., 2023"},
        {"head on hidden states",
         "A logistic regression on what the unchanged model would answer from; its penalty is chosen on the validation part.",
         "Kang et al., 2023"},
        {"like rate of the window", "(likes + 1) / (likes + dislikes + 2) of the ratings shown: no look at the item in question.", ""},
        {"item mean", "The item's mean rating before the validation part, drawn to the mean of all by five ratings: no look at the user.",
         ""},
        {"counting, both", "A logistic regression of these two, fitted on the validation part.", ""},
        {"hybrid",
         "A logistic regression of like rate, item mean and the model's scores (zero-shot, largest adapter, largest head), fitted on the "
         "validation part.",
         ""},
        {"AUC", "How often a liked item scores above one that was not, over all pairs of test questions, ties as half.",
         "Hanley and McNeil, 1982"}};
    report.sections.push_back(std::move(section));

    nlohmann::json figures{{"testQuestions", liked.size()},
                           {"users", users.size()},
                           {"liked", likes},
                           {"counting", counting.name},
                           {"methods", nlohmann::json::array()}};
    for (const Method& m : methods) {
        std::vector<double> perSeed;
        for (const std::size_t c : m.columns)
            perSeed.push_back(draws.area[c]);
        figures["methods"].push_back({{"name", m.name},
                                      {"method", m.method},
                                      {"examples", m.examples},
                                      {"auc", number(m.area.value)},
                                      {"interval", interval(m.area.interval)},
                                      {"less", number(m.overCounting.value)},
                                      {"lessInterval", interval(m.overCounting.interval)},
                                      {"perSeed", numbers(perSeed)},
                                      {"invalid", m.invalid},
                                      {"trainSeconds", number(m.trainSeconds)},
                                      {"answerSeconds", number(m.answerSeconds)}});
    }
    document.figuresJson = figures.dump();
    return document;
}

} // namespace carousel::analyses
