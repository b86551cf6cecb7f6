// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/tasks/task_world.h"
#include "data/semantic_identifiers.h"
#include <nlohmann/json.hpp>

namespace carousel {

namespace {
constexpr int semanticLevels = 2; // hundreds of items: with the last code three tokens a name
}

std::string toJson(const TaskWorldSettings& settings, const std::string& datasetDigest) {
    return nlohmann::json{{"dataset", datasetDigest},
                          {"indexing", name(settings.indexing)},
                          {"groups", settings.groups},
                          {"leaf", settings.leaf},
                          {"history", settings.examples.history},
                          {"candidates", settings.examples.candidates},
                          {"rounds", settings.examples.rounds},
                          {"seed", settings.examples.seed},
                          {"reviewTestShare", settings.split.reviewTestShare},
                          {"reviewValidationShare", settings.split.reviewValidationShare},
                          {"shortestHistory", settings.split.shortestHistory},
                          {"encoder", settings.encoder},
                          {"templates", settings.templates}}
        .dump(1);
}

Result<ReadTaskWorld> taskWorldFromJson(const std::string& text) {
    const auto wrong = [](const std::string& why) {
        return fail(ErrorKind::input, "CL-3115", fmt::format("The description of the model's tasks cannot be used: {}.", why),
                    "Train the model again with `evaluate tasks`.");
    };
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object())
        return wrong("it is no JSON object");
    ReadTaskWorld out;
    try {
        CAROUSEL_ASSIGN(out.settings.indexing, itemIndexing(json.at("indexing").get<std::string>()));
        out.datasetDigest = json.at("dataset").get<std::string>();
        out.settings.groups = json.at("groups").get<int>();
        out.settings.leaf = json.at("leaf").get<int>();
        out.settings.examples.history = json.at("history").get<int>();
        out.settings.examples.candidates = json.at("candidates").get<int>();
        out.settings.examples.rounds = json.at("rounds").get<std::array<int, 5>>();
        out.settings.examples.seed = out.settings.split.seed = json.at("seed").get<std::uint64_t>();
        out.settings.split.reviewTestShare = json.at("reviewTestShare").get<double>();
        out.settings.split.reviewValidationShare = json.at("reviewValidationShare").get<double>();
        out.settings.split.shortestHistory = json.at("shortestHistory").get<int>();
        out.settings.encoder = json.at("encoder").get<std::string>();
        out.settings.templates = json.at("templates").get<std::string>();
    } catch (const nlohmann::json::exception& error) {
        return wrong(error.what());
    }
    return out;
}

Result<std::shared_ptr<const TaskExamples>> makeTaskWorld(const DatasetPtr& dataset, const TaskWorldSettings& settings,
                                                          const std::function<Result<LanguageModel*>(const std::string&)>& encoder,
                                                          const RunControl& control) {
    CAROUSEL_ASSIGN(auto templates, parseTaskTemplates(settings.templates.empty() ? builtInTaskTemplates() : settings.templates));
    CAROUSEL_ASSIGN(TaskSplit split, makeTaskSplit(dataset, settings.split, control.slice(0, 0.3)));
    const std::size_t items = dataset->items.size();
    const std::uint64_t seed = settings.examples.seed;
    ItemIdentifiers identifiers;
    switch (settings.indexing) {
    case ItemIndexing::random: identifiers = randomIdentifiers(items, seed); break;
    case ItemIndexing::sequential: identifiers = sequentialIdentifiers(items, split.history, seed); break;
    case ItemIndexing::titles: identifiers = titleIdentifiers(dataset->items); break;
    case ItemIndexing::collaborative: {
        CAROUSEL_ASSIGN(identifiers, collaborativeIdentifiers(items, split.history, settings.groups, settings.leaf, seed));
        break;
    }
    case ItemIndexing::semantic: {
        CAROUSEL_ASSIGN(LanguageModel* const model, encoder(settings.encoder));
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < items; ++i) {
            std::string text = dataset->items.displayName(static_cast<Code>(i));
            if (const auto* about = dataset->items.attribute("description"); about && !about->missing(i))
                text += ". " + about->text(i);
            texts.push_back(std::move(text));
        }
        CAROUSEL_ASSIGN(const Matrix vectors, model->embed(texts, Pooling::mean, control.slice(0.3, 0.9)));
        SemanticIdentifierSettings codes;
        codes.levels = semanticLevels, codes.codes = settings.groups, codes.seed = seed;
        CAROUSEL_ASSIGN(const SemanticIdentifiers made, SemanticIdentifiers::make(vectors, codes, control.slice(0.9, 1)));
        std::vector<std::vector<int>> paths;
        for (std::size_t i = 0; i < items; ++i)
            paths.emplace_back(made.of(i).begin(), made.of(i).end());
        identifiers = codeIdentifiers(paths);
        break;
    }
    }
    return std::make_shared<const TaskExamples>(dataset, std::move(split), std::move(identifiers), std::move(templates), settings.examples);
}

} // namespace carousel
