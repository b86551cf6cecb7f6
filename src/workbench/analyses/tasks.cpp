// SPDX-License-Identifier: GPL-3.0-or-later
// Trains, asks, hands on: the straight path of the analysis.
#include "workbench/analyses/tasks.h"
#include "base/machine.h"
#include <algorithm>

namespace carousel::analyses {

namespace {

constexpr int decoderHistory = 5; // titles are long

bool has(const AnalysisSpec& spec, const char* option, const std::string& value) {
    const auto& list = spec.options.list(option);
    return std::find(list.begin(), list.end(), value) != list.end();
}

} // namespace

TaskWorldSettings taskWorldSettings(const AnalysisSpec& spec) {
    TaskWorldSettings out;
    out.indexing = *itemIndexing(spec.options.text("indexing"));
    out.examples.history = static_cast<int>(spec.options.integer("history"));
    out.examples.seed = out.split.seed = spec.seed;
    return out;
}

Result<AnalysisDocument> tasksDocument(const DatasetPtr& dataset, const AnalysisSpec& spec, const TasksHost& host, const RunControl& control) {
    const TaskWorldSettings settings = taskWorldSettings(spec);
    TasksResult result;
    CAROUSEL_ASSIGN(result.world, makeTaskWorld(dataset, settings, host.languageModel, control.slice(0, 0.02)));
    const TaskExamples& world = *result.world;
    const auto limit = static_cast<std::size_t>(spec.options.integer("test"));
    std::vector<TaskFamily> families;
    for (const TaskFamily family : taskFamilies) {
        if (!has(spec, "families", name(family)))
            continue;
        TaskFamilyResult own;
        own.family = family;
        own.questions = world.questions(family, Part::test, limit);
        if (own.questions.size() < 10)
            continue; // the data have no such texts; the document says so
        CAROUSEL_ASSIGN(own.controls, taskControls(world, own.questions));
        result.families.push_back(std::move(own));
        families.push_back(family);
    }
    if (families.empty())
        return fail(ErrorKind::input, "CL-3116", fmt::format("'{}' has no questions for the families that are asked for.", dataset->name),
                    "Histories with times give sequential and direct; reviews give rating, explanation and summary.");

    TaskModelSettings shape;
    shape.epochs = static_cast<int>(spec.options.integer("epochs"));
    shape.width = static_cast<int>(spec.options.integer("width"));
    shape.layers = static_cast<int>(spec.options.integer("layers"));
    shape.vocabulary = static_cast<int>(spec.options.integer("vocabulary"));
    shape.rate = spec.options.number("rate");
    std::vector<std::vector<TaskFamily>> plans;
    if (has(spec, "models", "one") || families.size() == 1)
        plans.push_back(families);
    if (has(spec, "models", "five") && families.size() > 1)
        for (const TaskFamily family : families)
            plans.push_back({family});
    const std::string decoderId = spec.options.text("decoder");
    const double parts = static_cast<double>(plans.size()) * 3 + (decoderId.empty() ? 0 : 3);
    double done = 0;
    const auto part = [&](double share) {
        const RunControl slice = control.slice(0.02 + 0.93 * done / parts, 0.02 + 0.93 * (done + share) / parts);
        done += share;
        return slice;
    };
    for (const auto& plan : plans) {
        CAROUSEL_ASSIGN(TaskModel trained, trainTaskModel(result.world, settings, plan, shape, host.trainer, part(2)));
        CAROUSEL_ASSIGN(LanguageModel* const model, host.languageModel(trained.folder));
        const RunControl asking = part(1);
        const double before = processorSeconds();
        for (std::size_t f = 0; f < plan.size(); ++f) {
            auto& own = *std::find_if(result.families.begin(), result.families.end(), [&](const auto& each) { return each.family == plan[f]; });
            for (const bool heldOut : {false, true}) {
                if (heldOut && plan.size() == 1 && families.size() > 1)
                    continue; // the comparison of one with five is in words that both know
                const RunControl slice = asking.slice((static_cast<double>(f) + heldOut * 0.5) / static_cast<double>(plan.size()), (static_cast<double>(f) + 0.5 + heldOut * 0.5) / static_cast<double>(plan.size()));
                CAROUSEL_ASSIGN(TaskAnswers answers, askTasks(*model, world, own.questions, world.judgedBy(plan[f], heldOut), {}, slice));
                answers.model = trained.title;
                own.models.push_back(std::move(answers));
            }
        }
        result.processorSeconds[trained.title] += processorSeconds() - before;
        result.trained.push_back(std::move(trained));
    }
    if (!decoderId.empty()) {
        TaskWorldSettings words = settings;
        words.indexing = ItemIndexing::titles;
        words.examples.history = decoderHistory;
        CAROUSEL_ASSIGN(const auto spoken, makeTaskWorld(dataset, words, host.languageModel, {}));
        CAROUSEL_ASSIGN(LanguageModel* const model, host.languageModel(decoderId));
        const RunControl asking = part(3);
        const double before = processorSeconds();
        for (std::size_t f = 0; f < families.size(); ++f) {
            TaskFamilyResult& own = result.families[f];
            own.decoderQuestions = spoken->questions(own.family, Part::test, static_cast<std::size_t>(spec.options.integer("decoderQuestions")));
            TaskAskSettings how;
            how.beams = 10, how.perToken = true;
            CAROUSEL_ASSIGN(TaskAnswers answers, askTasks(*model, *spoken, own.decoderQuestions, spoken->judgedBy(own.family, false), how,
                                                          asking.slice(static_cast<double>(f) / static_cast<double>(families.size()), static_cast<double>(f + 1) / static_cast<double>(families.size()))));
            answers.model = model->info().id;
            own.decoder.push_back(std::move(answers));
        }
        result.processorSeconds[model->info().id] += processorSeconds() - before;
    }
    return tasksReport(*dataset, spec, result, control.slice(0.95, 1));
}

} // namespace carousel::analyses
