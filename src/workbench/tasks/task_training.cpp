// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/tasks/task_training.h"
#include "base/machine.h"
#include "base/file.h"
#include "base/hash.h"
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

namespace carousel {

namespace {

constexpr std::size_t validationPerFamily = 100;
constexpr const char* worldFile = "tasks.json";

std::vector<std::string> familyNames(std::span<const TaskFamily> families) {
    std::vector<std::string> out;
    for (const TaskFamily family : families)
        out.emplace_back(name(family));
    return out;
}

std::string titleOf(std::span<const TaskFamily> families) {
    return families.size() > 1 ? "one model" : fmt::format("{} alone", fmt::join(familyNames(families), " and "));
}

// What a caller is told when the model is found again: all that the document shows.
nlohmann::json kept(const TaskModel& model) {
    nlohmann::json curve = nlohmann::json::array();
    for (const TextToTextPoint& point : model.report.validation) {
        nlohmann::json groups = nlohmann::json::array();
        for (const GroupLoss& group : point.groups)
            groups.push_back(group.pairs > 0 ? nlohmann::json(group.loss) : nlohmann::json());
        curve.push_back({{"step", point.step}, {"loss", point.loss}, {"groups", groups}});
    }
    return {{"families", familyNames(model.families)}, {"end", name(model.report.end)}, {"steps", model.report.steps},
            {"bestStep", model.report.bestStep}, {"parameters", model.report.parameters}, {"vocabulary", model.report.vocabulary},
            {"tokens", model.report.tokens}, {"pairs", model.report.pairs}, {"cutSources", model.report.cutSources}, {"cutTargets", model.report.cutTargets},
            {"peakBytes", model.report.peakBytes}, {"seconds", model.report.seconds},
            {"tokensPerSecond", model.report.tokensPerSecond}, {"processorSeconds", model.processorSeconds}, {"validation", curve}};
}

std::optional<std::vector<TaskFamily>> familiesOf(const nlohmann::json& names) {
    std::vector<TaskFamily> out;
    for (const auto& each : names)
        for (const TaskFamily family : taskFamilies)
            if (each == name(family))
                out.push_back(family);
    return out.size() == names.size() ? std::optional(out) : std::nullopt;
}

// The model of a folder as it was told when it was made; nothing where the folder holds none.
std::optional<std::pair<TaskModel, ReadTaskWorld>> readModel(const std::string& folder) {
    const auto text = readFile(folder + "/" + worldFile, 16 << 20);
    if (!text || !fileExists(folder + "/model.safetensors"))
        return std::nullopt;
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object() || !json.contains("world") || !json.contains("model"))
        return std::nullopt;
    auto world = taskWorldFromJson(json["world"].dump());
    if (!world)
        return std::nullopt;
    TaskModel out;
    try {
        const auto& model = json["model"];
        const auto families = familiesOf(model.at("families"));
        if (!families || families->empty())
            return std::nullopt;
        out.families = *families;
        out.report.steps = model.at("steps"), out.report.bestStep = model.at("bestStep");
        out.report.parameters = model.at("parameters"), out.report.vocabulary = model.at("vocabulary");
        out.report.tokens = model.at("tokens"), out.report.pairs = model.at("pairs"), out.report.cutSources = model.at("cutSources");
        out.report.cutTargets = model.at("cutTargets"), out.report.peakBytes = model.at("peakBytes");
        out.report.seconds = model.at("seconds"), out.report.tokensPerSecond = model.at("tokensPerSecond");
        out.processorSeconds = model.at("processorSeconds");
        for (const TextToTextEnd end : {TextToTextEnd::finished, TextToTextEnd::stoppedEarly, TextToTextEnd::outOfTime})
            if (model.at("end") == name(end))
                out.report.end = end;
        for (const auto& point : model.at("validation")) {
            TextToTextPoint read;
            read.step = point.at("step"), read.loss = point.at("loss");
            for (const auto& loss : point.at("groups"))
                read.groups.push_back(loss.is_null() ? GroupLoss{} : GroupLoss{loss.get<double>(), 1});
            out.report.validation.push_back(std::move(read));
        }
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
    out.folder = folder, out.title = titleOf(out.families), out.found = true;
    out.report.modelFolder = folder;
    return std::pair{std::move(out), std::move(*world)};
}

} // namespace

Result<TaskModel> trainTaskModel(const std::shared_ptr<const TaskExamples>& world, const TaskWorldSettings& settings,
                                 const std::vector<TaskFamily>& families, const TaskModelSettings& model, const TaskTrainer& trainer,
                                 const RunControl& control) {
    TextToTextRequest request;
    for (const TaskFamily family : families)
        request.groups.emplace_back(title(family));
    const auto group = [families](TaskFamily family) {
        const auto it = std::find(families.begin(), families.end(), family);
        return it == families.end() ? -1 : static_cast<int>(it - families.begin());
    };
    request.pairs = [world, group](int epoch) -> Result<std::vector<TextPair>> {
        CAROUSEL_ASSIGN(auto texts, world->epoch(epoch));
        std::vector<TextPair> out;
        for (TaskText& text : texts)
            if (const int own = group(text.family); own >= 0 && !text.source.empty() && !text.target.empty())
                out.push_back({std::move(text.source), std::move(text.target), 1, own});
        return out;
    };
    for (const TaskFamily family : families) {
        const std::size_t form = world->judgedBy(family, false);
        for (const TaskQuestion& question : world->questions(family, Part::validation, validationPerFamily)) {
            const TaskText text = world->words(question, form);
            request.validation.push_back({text.source, text.target, 1, group(family)});
        }
    }
    request.symbols = world->identifiers().symbols;
    TextToTextSettings& training = request.settings;
    training.shape.width = model.width, training.shape.layers = model.layers, training.shape.vocabulary = model.vocabulary;
    training.shape.heads = std::max(1, model.width / 24), training.shape.feedForward = 4 * model.width;
    training.epochs = model.epochs, training.schedule.rate = model.rate, training.relativeRates = true, training.batchTokens = model.batchTokens;
    training.seed = settings.examples.seed, training.seconds = model.seconds;
    const std::string worldJson = toJson(settings, world->dataset().digest);
    request.digest = sha256(worldJson + builtInTaskTemplates() + fmt::format("{}", fmt::join(familyNames(families), ",")));
    const std::string key = sha256(digestOf(request)).substr(0, 12);
    request.name = fmt::format("tasks-{}-{}", families.size() == taskFamilies.size() ? "all" : fmt::format("{}", fmt::join(familyNames(families), "-")), key);
    request.folder = trainer.folder + "/" + request.name;
    if (auto known = readModel(request.folder))
        return std::move(known->first);

    request.resume = fileExists(request.folder + "/checkpoint.safetensors");
    TaskModel out;
    out.families = families, out.title = titleOf(families), out.folder = request.folder;
    const double before = processorSeconds();
    CAROUSEL_ASSIGN(out.report, trainer.train(request, control));
    out.processorSeconds = processorSeconds() - before;
    if (out.report.end == TextToTextEnd::cancelled)
        return fail(RunControl::cancelled(fmt::format("training '{}'", out.title)));
    CAROUSEL_TRY(atomicWrite(request.folder + "/" + worldFile,
                             nlohmann::json{{"world", nlohmann::json::parse(worldJson)}, {"model", kept(out)}}.dump(1)));
    return out;
}

std::vector<KeptTaskModel> keptTaskModels(const std::string& folder) {
    std::vector<std::pair<std::filesystem::file_time_type, KeptTaskModel>> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        auto read = readModel(entry.path().string());
        if (!read)
            continue;
        auto& [model, world] = *read;
        found.emplace_back(std::filesystem::last_write_time(entry.path() / worldFile, ignored),
                           KeptTaskModel{model.folder, model.title, model.families, std::move(world.settings), std::move(world.datasetDigest)});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second.folder < b.second.folder; });
    std::vector<KeptTaskModel> out;
    for (auto& [time, model] : found)
        out.push_back(std::move(model));
    return out;
}

} // namespace carousel
