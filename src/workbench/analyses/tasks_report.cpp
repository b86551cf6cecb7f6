// SPDX-License-Identifier: GPL-3.0-or-later
// The document of the five families: each beside its controls, one model beside five, what it cost, and some answers to look at.
#include "base/text.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/tasks.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {

constexpr std::size_t shownAnswers = 4;

std::string metricTitle(TaskFamily family) {
    switch (family) {
    case TaskFamily::sequential:
    case TaskFamily::direct: return "nDCG@10";
    case TaskFamily::rating: return "RMSE, stars";
    case TaskFamily::explanation:
    case TaskFamily::summary: return "ROUGE-L";
    }
    return "";
}

bool isSquare(const std::string& metric) { return metric == "squared"; }

double shown(const std::string& metric, double mean) { return isSquare(metric) ? std::sqrt(std::max(mean, 0.0)) : mean; }

double meanOf(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values)
        sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// All columns of a family with their estimates against the first control.
struct Family {
    const TaskFamilyResult* result = nullptr;
    std::vector<const TaskAnswers*> columns; // controls, then models
    std::vector<TaskEstimate> againstNaive;
    std::vector<TaskEstimate> againstBest;  // against the best control
    std::vector<TaskEstimate> againstAlone; // against the family's own model; empty: there is none
    std::size_t best = 0;                   // of the controls
    std::size_t one = 0, heldOut = 0, alone = 0; // columns; 0: none (a control is always first)
    double sign() const { return lessIsBetter(result->family) ? -1 : 1; }
    bool above(const TaskEstimate& e) const { return sign() > 0 ? e.differenceInterval.low > 0 : e.differenceInterval.high < 0; }
    bool below(const TaskEstimate& e) const { return sign() > 0 ? e.differenceInterval.high < 0 : e.differenceInterval.low > 0; }
};

Result<Family> familyOf(const TaskFamilyResult& result, const AnalysisSpec& spec, const RunControl& control) {
    Family out;
    out.result = &result;
    for (const TaskAnswers& each : result.controls)
        out.columns.push_back(&each);
    for (const TaskAnswers& each : result.models) {
        std::size_t& place = each.model == "one model" || result.models.size() <= 2 ? (each.heldOutWording ? out.heldOut : out.one) : out.alone;
        place = out.columns.size();
        out.columns.push_back(&each);
    }
    if (out.one == 0)
        std::swap(out.one, out.alone); // only the family's own model was asked for
    const std::string metric = mainMetric(result.family);
    const int draws = static_cast<int>(spec.options.integer("draws"));
    const double confidence = spec.options.number("confidence");
    const auto estimates = [&](std::size_t against) {
        return taskEstimates(out.columns, against, metric, result.questions, draws, confidence, spec.seed, control);
    };
    CAROUSEL_ASSIGN(out.againstNaive, estimates(0));
    for (std::size_t c = 1; c < result.controls.size(); ++c)
        if (out.sign() * (out.againstNaive[c].value - out.againstNaive[out.best].value) > 0)
            out.best = c;
    CAROUSEL_ASSIGN(out.againstBest, estimates(out.best));
    if (out.alone > 0) {
        CAROUSEL_ASSIGN(out.againstAlone, estimates(out.alone));
    }
    return out;
}

ReportCell differenceCell(const Family& family, const TaskEstimate& estimate) {
    ReportCell out = cell(estimate.difference, estimate.differenceInterval);
    out.tone = family.above(estimate) ? ReportCell::Tone::good : family.below(estimate) ? ReportCell::Tone::bad : ReportCell::Tone::plain;
    return out;
}

ReportTable mainTable(const std::vector<Family>& families, double confidence) {
    ReportTable out;
    out.caption = "Five families beside their naive controls";
    out.columns = {{"Family", false, ""},
                   {"n", true, "Test questions"},
                   {"Measure", false, "nDCG and ROUGE: more is better; RMSE: less is better"},
                   {"Naive control", false, ""},
                   {"its value", true, ""},
                   {"Model", true, "In a wording that it was trained with"},
                   {"less the control", true, "Paired: the same customers drawn for both"},
                   {"less the best control", true, "The best of the controls that need no model; see the tables below"},
                   {"Wording kept out", true, "The same questions in a template that it never saw"}};
    for (const Family& family : families) {
        const auto& e = family.againstNaive;
        out.rows.push_back({textCell(title(family.result->family)), textCell(withThousands(static_cast<std::int64_t>(family.result->questions.size()))),
                            textCell(metricTitle(family.result->family)), textCell(family.columns[0]->model), cell(e[0].value, e[0].interval),
                            cell(e[family.one].value, e[family.one].interval), differenceCell(family, e[family.one]),
                            differenceCell(family, family.againstBest[family.one]),
                            family.heldOut > 0 ? cell(e[family.heldOut].value, e[family.heldOut].interval) : muted("–")});
    }
    out.note = fmt::format("{} percentile intervals from redrawn customers.", level(confidence));
    return out;
}

ReportTable figuresTable(const Family& family) {
    ReportTable out;
    out.caption = title(family.result->family);
    std::vector<std::string> metrics;
    for (const auto& [metric, values] : family.columns.back()->values)
        metrics.push_back(metric);
    out.columns = {{"Who answers", false, ""}, {"n", true, "Questions"}};
    for (const std::string& metric : metrics)
        out.columns.push_back({metric == "squared" ? "RMSE" : metric == "absolute" ? "MAE" : metric == "right" ? "right star" : metric, true, ""});
    out.columns.push_back({"Unusable", true, "Answers that are no item or empty: they count as misses"});
    out.columns.push_back({"s per 100", true, "Seconds for a hundred questions"});
    const auto row = [&](const TaskAnswers& answers, std::size_t n, bool model) {
        std::vector<ReportCell> cells{textCell(answers.model + (answers.heldOutWording ? ", wording kept out" : "")), textCell(withThousands(static_cast<std::int64_t>(n)))};
        for (const std::string& metric : metrics) {
            const auto it = answers.values.find(metric);
            cells.push_back(it == answers.values.end() || it->second.empty() ? muted("–") : numberCell(shown(metric, meanOf(it->second))));
        }
        cells.push_back(model ? textCell(withThousands(static_cast<std::int64_t>(answers.invalid))) : muted("–"));
        cells.push_back(model ? numberCell(100 * answers.seconds / static_cast<double>(std::max<std::size_t>(n, 1))) : muted("–"));
        out.rows.push_back(std::move(cells));
    };
    for (std::size_t c = 0; c < family.columns.size(); ++c)
        row(*family.columns[c], family.result->questions.size(), c >= family.result->controls.size());
    for (const TaskAnswers& each : family.result->decoder)
        row(each, family.result->decoderQuestions.size(), true);
    if (!family.result->decoder.empty())
        out.note = "The last row answers fewer questions, as a decoder that was never trained on this data, with titles for item names.";
    return out;
}

// Seconds, tokens, energy of a model and of its answers.
struct Cost {
    double trainingSeconds = 0, processorSeconds = 0, answerSeconds = 0, answerProcessorSeconds = 0;
    std::int64_t tokens = 0, parameters = 0, answerTokens = 0;
    std::size_t answers = 0;
};

ReportTable costTable(const std::vector<std::pair<std::string, Cost>>& costs, const AnalysisSpec& spec) {
    const double watts = spec.options.number("watts"), grams = spec.options.number("gramsPerKwh");
    ReportTable out;
    out.caption = "What it costs";
    out.columns = {{"", false, ""},
                   {"Parameters", true, ""},
                   {"Training, s", true, "Seconds by the clock, when it was trained"},
                   {"Tokens trained on", true, "Of sources and targets, over all passes"},
                   {"Training, Wh", true, ""},
                   {"Training, g CO2", true, ""},
                   {"Answers, s per 1,000", true, ""},
                   {"Answers, tokens per 1,000", true, "Read and written"},
                   {"Answers, Wh per 1,000", true, ""}};
    for (const auto& [name, cost] : costs) {
        const double energy = cost.processorSeconds * watts / 3600, thousand = cost.answers > 0 ? 1000.0 / static_cast<double>(cost.answers) : 0;
        out.rows.push_back({textCell(name), cost.parameters > 0 ? textCell(withThousands(cost.parameters)) : muted("–"),
                            cost.tokens > 0 ? numberCell(cost.trainingSeconds) : muted("–"), cost.tokens > 0 ? textCell(withThousands(cost.tokens)) : muted("–"),
                            cost.tokens > 0 ? numberCell(energy) : muted("–"), cost.tokens > 0 ? numberCell(energy * grams / 1000) : muted("–"),
                            numberCell(cost.answerSeconds * thousand), textCell(withThousands(std::llround(static_cast<double>(cost.answerTokens) * thousand))),
                            numberCell(cost.answerProcessorSeconds * watts / 3600 * thousand)});
    }
    out.note = fmt::format("Energy: seconds of processor time, all threads, times {} W for a busy core, and {} g of CO2 per kWh; both are settings. "
                           "Memory, disks and cooling are not in it. Seconds by the clock depend on what else the machine did.",
                           threeFigures(watts), threeFigures(grams));
    return out;
}

std::vector<std::pair<std::string, Cost>> costsOf(const TasksResult& result, bool one) {
    std::vector<std::pair<std::string, Cost>> out;
    const auto answered = [&](Cost& cost, const TaskAnswers& answers, std::size_t n) {
        cost.answerSeconds += answers.seconds;
        cost.answerTokens += answers.promptTokens + answers.generatedTokens;
        cost.answers += n;
    };
    Cost all, five;
    bool hasFive = false;
    for (const TaskModel& model : result.trained) {
        Cost& cost = model.families.size() > 1 || !one ? all : five;
        hasFive = hasFive || &cost == &five;
        cost.trainingSeconds += model.report.seconds, cost.processorSeconds += model.processorSeconds;
        cost.tokens += model.report.tokens, cost.parameters += model.report.parameters;
        if (const auto it = result.processorSeconds.find(model.title); it != result.processorSeconds.end())
            cost.answerProcessorSeconds += it->second;
        for (const TaskFamilyResult& family : result.families)
            for (const TaskAnswers& answers : family.models)
                if (answers.model == model.title)
                    answered(cost, answers, family.questions.size());
    }
    out.emplace_back(one ? "One model" : "Each its own", all);
    if (hasFive)
        out.emplace_back("Five models", five);
    Cost decoder;
    std::string name;
    for (const TaskFamilyResult& family : result.families)
        for (const TaskAnswers& answers : family.decoder) {
            answered(decoder, answers, family.decoderQuestions.size());
            name = answers.model;
        }
    if (!name.empty()) {
        if (const auto it = result.processorSeconds.find(name); it != result.processorSeconds.end())
            decoder.answerProcessorSeconds = it->second;
        out.emplace_back(name, decoder);
    }
    return out;
}

ReportTable sharingTable(const std::vector<Family>& families) {
    ReportTable out;
    out.caption = "One model or five";
    out.columns = {{"Family", false, ""}, {"Measure", false, ""}, {"One model", true, ""}, {"Its own model", true, ""}, {"One less own", true, "Paired"}};
    for (const Family& family : families)
        if (family.alone > 0) {
            const auto& e = family.againstAlone;
            out.rows.push_back({textCell(title(family.result->family)), textCell(metricTitle(family.result->family)), cell(e[family.one].value, e[family.one].interval),
                                cell(e[family.alone].value, e[family.alone].interval), differenceCell(family, e[family.one])});
        }
    out.note = "Same examples of the family, same passes, same size of model: the one model has learned the other families besides.";
    return out;
}

PlotSpec gainPlot(const std::vector<Family>& families, double confidence) {
    PlotSpec plot;
    plot.id = "gain";
    plot.title = "What the model adds to its naive control";
    plot.subtitle = fmt::format("Difference in the family's measure as a share of the control's value, {} intervals; above 0 is better", level(confidence));
    plot.xTitle = "Family";
    plot.yTitle = "Gain, % of the control";
    PlotSeries series{.name = "one model", .colour = 0, .kind = PlotSeries::Kind::points};
    for (std::size_t f = 0; f < families.size(); ++f) {
        const Family& family = families[f];
        const TaskEstimate& e = family.againstNaive[family.one];
        const double scale = 100 * family.sign() / family.againstNaive[0].value;
        plot.categories.emplace_back(name(family.result->family));
        series.x.push_back(static_cast<double>(f));
        series.y.push_back(e.difference * scale);
        series.low.push_back(std::min(e.differenceInterval.low * scale, e.differenceInterval.high * scale));
        series.high.push_back(std::max(e.differenceInterval.low * scale, e.differenceInterval.high * scale));
    }
    plot.series.push_back(std::move(series));
    if (families.size() > 1)
        plot.series.push_back({.name = "control", .colour = -1, .x = {0, static_cast<double>(families.size() - 1)}, .y = {0, 0}, .low = {}, .high = {}, .dashed = true});
    return plot;
}

PlotSpec lossPlot(const TaskModel& model) {
    PlotSpec plot;
    plot.id = "learning";
    plot.title = "How each family was learned";
    plot.subtitle = fmt::format("{} parameters, {} steps; loss on questions kept for choosing", withThousands(model.report.parameters), withThousands(model.report.steps));
    plot.xTitle = "Step";
    plot.yTitle = "Loss, nats per token";
    for (std::size_t g = 0; g < model.families.size(); ++g) {
        PlotSeries series{.name = name(model.families[g]), .colour = static_cast<int>(g)};
        for (const TextToTextPoint& point : model.report.validation)
            if (g < point.groups.size() && point.groups[g].pairs > 0) {
                series.x.push_back(static_cast<double>(point.step));
                series.y.push_back(point.groups[g].loss);
            }
        if (!series.x.empty())
            plot.series.push_back(std::move(series));
    }
    return plot;
}

ReportTable answersTable(const TasksResult& result, const std::vector<Family>& families) {
    ReportTable out;
    out.caption = "Some answers";
    out.columns = {{"Family", false, ""}, {"Asked", false, ""}, {"Answer", false, ""}, {"What was so", false, ""}};
    const TaskExamples& world = *result.world;
    const auto named = [&](const std::string& text) { // an item by its title, since its name says nothing to people
        const Code item = world.identifiers().find(text);
        return item == noCode ? text : world.dataset().items.displayName(item);
    };
    for (const Family& family : families)
        for (std::size_t q = 0; q < std::min(shownAnswers, family.result->questions.size()); ++q) {
            const TaskQuestion& question = family.result->questions[q];
            const auto row = static_cast<std::size_t>(std::max<std::int64_t>(question.review, 0));
            std::string truth = world.dataset().items.displayName(question.item);
            if (family.result->family == TaskFamily::rating)
                truth = fmt::format("{:.0f}", world.dataset().reviews.stars[row]);
            else if (family.result->family == TaskFamily::explanation)
                truth = world.explanationOf(question.review);
            else if (family.result->family == TaskFamily::summary)
                truth = world.dataset().reviews.headline[row];
            out.rows.push_back({textCell(name(family.result->family)), textCell(world.words(question, world.judgedBy(family.result->family, false)).source),
                                textCell(q < family.columns[family.one]->texts.size() ? named(family.columns[family.one]->texts[q]) : ""), textCell(truth)});
        }
    out.note = "The first questions of each family's test, not chosen. Items are shown by their titles.";
    return out;
}

} // namespace

Result<std::vector<TaskEstimate>> taskEstimates(std::span<const TaskAnswers* const> columns, std::size_t against, const std::string& metric,
                                                std::span<const TaskQuestion> questions, int draws, double confidence, std::uint64_t seed,
                                                const RunControl& control) {
    std::vector<std::span<const double>> values;
    for (const TaskAnswers* column : columns)
        values.emplace_back(column->values.at(metric));
    std::map<Code, std::int32_t> users;
    std::vector<std::int32_t> cluster;
    for (const TaskQuestion& question : questions)
        cluster.push_back(users.emplace(question.user, static_cast<std::int32_t>(users.size())).first->second);
    CAROUSEL_ASSIGN(const BootstrapSums sums, bootstrapSums(values, cluster, draws, seed, control));
    std::vector<TaskEstimate> out(columns.size());
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const auto mean = [&](std::size_t column) {
            double sum = 0;
            for (const double value : values[column])
                sum += value;
            return shown(metric, sum / static_cast<double>(values[column].size()));
        };
        out[c].value = mean(c), out[c].difference = mean(c) - mean(against);
        std::vector<double> own, less;
        for (int d = 0; d < draws; ++d) {
            const double weight = sums.weight[static_cast<std::size_t>(d)];
            const double drawn = shown(metric, sums.at(d, c) / weight);
            own.push_back(drawn);
            less.push_back(drawn - shown(metric, sums.at(d, against) / weight));
        }
        out[c].interval = percentileInterval(std::move(own), confidence);
        out[c].differenceInterval = percentileInterval(std::move(less), confidence);
    }
    return out;
}

Result<AnalysisDocument> tasksReport(const Dataset& dataset, const AnalysisSpec& spec, const TasksResult& result, const RunControl& control) {
    const double confidence = spec.options.number("confidence");
    std::vector<Family> families;
    for (const TaskFamilyResult& each : result.families) {
        CAROUSEL_ASSIGN(Family family, familyOf(each, spec, control));
        families.push_back(std::move(family));
    }
    const bool one = std::any_of(result.trained.begin(), result.trained.end(), [](const TaskModel& model) { return model.families.size() > 1; });
    const bool both = one && result.trained.size() > 1;

    AnalysisDocument document;
    ReportModel& report = document.report;
    report.title = "Five tasks, one model";
    report.subtitle = fmt::format("{}: {} customers, {} items, {} reviews; items named by {} identifiers", dataset.title.empty() ? dataset.name : dataset.title,
                                  withThousands(static_cast<std::int64_t>(dataset.users.size())), withThousands(static_cast<std::int64_t>(dataset.items.size())),
                                  withThousands(static_cast<std::int64_t>(dataset.reviews.size())), spec.options.text("indexing"));
    std::vector<std::string> above, notAbove, notBest;
    for (const Family& family : families) {
        (family.above(family.againstNaive[family.one]) ? above : notAbove).emplace_back(title(family.result->family));
        if (family.best != 0 && !family.above(family.againstBest[family.one]))
            notBest.push_back(fmt::format("{} (against '{}')", title(family.result->family), family.columns[family.best]->model));
    }
    const std::string who = one ? "One model" : "A model for each";
    report.lead.push_back(notAbove.empty() ? fmt::format("{} answers {} above {}.", who, families.size() == 1 ? "its family" : fmt::format("all {} families", families.size()),
                                                         families.size() == 1 ? "its naive control" : "their naive controls")
                                           : fmt::format("{} is not shown to be above the naive control in {}{}.", who, joined(notAbove),
                                                         above.empty() ? "" : "; it is in " + joined(above)));
    if (!notBest.empty())
        report.lead.push_back(fmt::format("A better control that needs no model is not shown to be beaten in {}.", joined(notBest)));
    if (both) {
        std::vector<std::string> gains, losses;
        for (const Family& family : families)
            if (family.alone > 0) {
                if (family.above(family.againstAlone[family.one]))
                    gains.emplace_back(title(family.result->family));
                else if (family.below(family.againstAlone[family.one]))
                    losses.emplace_back(title(family.result->family));
            }
        report.lead.push_back(gains.empty() && losses.empty() ? std::string("Sharing one model is not shown to change any family against a model of its own.")
                                                              : fmt::format("Against a model of its own, sharing{}{}{}.", gains.empty() ? "" : " gains in " + joined(gains),
                                                                            !gains.empty() && !losses.empty() ? " and" : "", losses.empty() ? "" : " loses in " + joined(losses)));
    }
    report.light = Light::none;
    const TaskSplit& split = result.world->split();
    const TaskModel* const shared = result.trained.empty() ? nullptr : &result.trained.front();
    if (shared) {
        report.facts = {{"Parameters", withThousands(shared->report.parameters)},
                        {"Training", fmt::format("{:.0f} s{}", shared->report.seconds, shared->found ? ", earlier" : "")},
                        {"Tokens a second", withThousands(std::llround(shared->report.tokensPerSecond))},
                        {"Held-out pairs", withThousands(static_cast<std::int64_t>(split.heldOutPairs))}};
    }
    report.findings.push_back({Light::green, "One split for all families",
                               fmt::format("{} pairs of customer and item are held out for every family; each training text was searched for them, and none has any. "
                                           "{} events of such pairs were left out of histories.",
                                           withThousands(static_cast<std::int64_t>(split.heldOutPairs)), withThousands(static_cast<std::int64_t>(split.removedEvents)))});
    std::size_t unusable = 0, asked = 0;
    for (const Family& family : families)
        for (const TaskAnswers& answers : family.result->models)
            unusable += answers.invalid, asked += answers.texts.size();
    report.findings.push_back({unusable == 0 ? Light::green : Light::amber, "Answers that can be used",
                               unusable == 0 ? fmt::format("All {} answers are items of the catalogue, stars or words.", withThousands(static_cast<std::int64_t>(asked)))
                                             : fmt::format("{} of {} answers are no item or empty; they count as misses.", withThousands(static_cast<std::int64_t>(unusable)),
                                                           withThousands(static_cast<std::int64_t>(asked)))});
    for (const TaskFamily family : taskFamilies)
        if (const auto& wanted = spec.options.list("families"); std::find(wanted.begin(), wanted.end(), name(family)) != wanted.end() &&
            std::none_of(families.begin(), families.end(), [&](const Family& each) { return each.result->family == family; }))
            report.warnings.push_back(fmt::format("{} is left out: '{}' has fewer than 10 questions for it.", title(family), dataset.name));
    if (shared && shared->report.end == TextToTextEnd::outOfTime)
        report.warnings.push_back("Training ended by time, so another run may come to other numbers.");

    ReportSection verdict;
    verdict.title = "Beside naive controls";
    verdict.tables.push_back(mainTable(families, confidence));
    verdict.plots.push_back(gainPlot(families, confidence));
    verdict.definitions = {
        {"nDCG@10", "1 / log2(1 + rank) of the item that was chosen, 0 behind the tenth. Sequential: among all items that the customer has not met, found by beam search over item names. Direct: among 100 items, 99 drawn from those not met.", "Järvelin and Kekäläinen, 2002"},
        {"RMSE, stars", "Root of the mean squared error of the expected rating, the mean of 1 to 5 under the model's probabilities; every question counts.", ""},
        {"ROUGE-L", "F1 of the longest common subsequence of words of answer and reference.", "Lin, 2004"},
        {"naive controls", "Most chosen items not met; the customer's mean rating; the most frequent explanation; the review's first sentence; any order of the hundred.", ""}};
    report.sections.push_back(std::move(verdict));
    ReportSection figures;
    figures.title = "All measures";
    for (const Family& family : families)
        figures.tables.push_back(figuresTable(family));
    if (shared && shared->report.validation.size() > 1)
        figures.plots.push_back(lossPlot(*shared));
    report.sections.push_back(std::move(figures));
    ReportSection costs;
    costs.title = both ? "One model or five, and what they cost" : "What it costs";
    if (both)
        costs.tables.push_back(sharingTable(families));
    const auto spent = costsOf(result, one);
    costs.tables.push_back(costTable(spent, spec));
    report.sections.push_back(std::move(costs));
    ReportSection examples;
    examples.title = "Answers";
    examples.tables.push_back(answersTable(result, families));
    report.sections.push_back(std::move(examples));

    nlohmann::json out{{"heldOutPairs", split.heldOutPairs}, {"families", nlohmann::json::array()}, {"models", nlohmann::json::array()}, {"costs", nlohmann::json::array()}};
    for (const Family& family : families) {
        nlohmann::json columns = nlohmann::json::array();
        const auto add = [&](const TaskAnswers& answers, const TaskEstimate* estimate, std::size_t n) {
            nlohmann::json metrics;
            for (const auto& [metric, values] : answers.values)
                metrics[metric == "squared" ? "rmse" : metric == "absolute" ? "mae" : metric] = number(shown(metric, meanOf(values)));
            nlohmann::json each{{"model", answers.model}, {"heldOutWording", answers.heldOutWording}, {"n", n}, {"metrics", metrics}, {"unusable", answers.invalid}, {"seconds", number(answers.seconds)}};
            if (estimate) {
                each["interval"] = interval(estimate->interval);
                each["lessControl"] = number(estimate->difference);
                each["lessControlInterval"] = interval(estimate->differenceInterval);
            }
            columns.push_back(std::move(each));
        };
        for (std::size_t c = 0; c < family.columns.size(); ++c)
            add(*family.columns[c], &family.againstNaive[c], family.result->questions.size());
        for (const TaskAnswers& decoder : family.result->decoder)
            add(decoder, nullptr, family.result->decoderQuestions.size());
        out["families"].push_back({{"family", name(family.result->family)}, {"metric", metricTitle(family.result->family)}, {"above", family.above(family.againstNaive[family.one])}, {"columns", columns}});
    }
    for (const TaskModel& model : result.trained)
        out["models"].push_back({{"title", model.title}, {"folder", model.folder.substr(model.folder.find_last_of('/') + 1)}, {"parameters", model.report.parameters}, {"vocabulary", model.report.vocabulary},
                                 {"steps", model.report.steps}, {"tokens", model.report.tokens}, {"seconds", number(model.report.seconds)}, {"tokensPerSecond", number(model.report.tokensPerSecond)},
                                 {"processorSeconds", number(model.processorSeconds)}, {"peakBytes", model.report.peakBytes}, {"found", model.found}});
    for (const auto& [name, cost] : spent)
        out["costs"].push_back({{"name", name}, {"trainingSeconds", number(cost.trainingSeconds)}, {"processorSeconds", number(cost.processorSeconds)}, {"answerSeconds", number(cost.answerSeconds)}, {"answers", cost.answers}});
    document.figuresJson = out.dump();
    return document;
}

} // namespace carousel::analyses
