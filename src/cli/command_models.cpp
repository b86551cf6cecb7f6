// SPDX-License-Identifier: GPL-3.0-or-later
// models list|add|remove|check|measure: the language models on this machine.
#include "base/file.h"
#include "base/machine.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "llm/measure_model.h"
#include "llm/model_intake.h"
#include "llm/model_memory.h"
#include "stages/compute_choice.h"
#include <cmath>

namespace carousel::cli {

using nlohmann::json;

namespace {

json memoryJson(const ModelCard& card, std::int64_t context) {
    json out = json::object();
    for (const char* type : {"fp32", "bf16", "int16"}) {
        const auto need = memoryNeeded(card, type, context);
        out[type] = {{"weights", need.weights}, {"keysAndValues", need.keysAndValues}, {"activations", need.activations},
                     {"tables", need.tables}, {"total", need.total()}, {"contextTokens", need.contextTokens}};
    }
    out["libraries"] = libraryBytes;
    return out;
}

json speedJson(const SpeedRecord& record) {
    json out{{"processor", record.processor}, {"device", record.device}, {"compute", record.computeType}, {"threads", record.threads},
             {"libraries", record.libraries}, {"date", record.date}, {"sha256", record.sha256}, {"runs", record.runs},
             {"slowest", record.slowest}, {"fastest", record.fastest}, {"candidateTokens", record.candidateTokens}, {"candidates", record.candidates}};
    if (record.candidatesPerSecond > 0) {
        out["candidatesPerSecond"] = record.candidatesPerSecond;
        out["promptTokens"] = record.promptTokens;
    }
    if (record.textsPerSecond > 0)
        out["textsPerSecond"] = record.textsPerSecond;
    if (record.residentBytes > 0)
        out["memory"] = {{"measured", record.residentBytes}, {"expected", record.expectedBytes}, {"error", memoryError(record)}};
    return out;
}

std::string speedText(const SpeedRecord& record) {
    const double rate = record.candidatesPerSecond > 0 ? record.candidatesPerSecond : record.textsPerSecond;
    return fmt::format("{} {}/s {}", threeFigures(rate), record.candidatesPerSecond > 0 ? "cand" : "texts", record.computeType);
}

json statusJson(const ModelStatus& status, std::int64_t context) {
    const auto& card = status.model;
    const auto& d = card.dimensions;
    json out{{"id", card.id}, {"title", card.title}, {"state", name(status.state)}, {"detail", status.detail}, {"folder", status.folder}, {"licence", card.licence},
             {"purpose", card.purpose}, {"format", card.format}, {"architecture", card.architecture}, {"quantisation", card.quantisation}, {"bytes", status.bytes()},
             {"chat", card.chat}, {"canChat", card.canChat}, {"canEmbed", card.canEmbed}, {"known", card.known}, {"parameters", d.parameters}, {"contextLength", d.contextLength},
             {"added", card.added}, {"from", card.from}, {"link", card.link}};
    out["files"] = json::array();
    for (const auto& file : card.files)
        out["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    out["sha256"] = card.files.empty() ? "" : card.files.front().sha256;
    if (d.parameters > 0)
        out["memory"] = memoryJson(card, context);
    out["speeds"] = json::array();
    for (const auto& record : status.speeds)
        out["speeds"].push_back(speedJson(record));
    return out;
}

Result<Answer> listModels(std::int64_t context, const std::string& type) {
    Answer answer;
    TextTable table({"Model", "State", ">Size", "Type", ">Context", ">Memory", "Speed here", "Licence", "SHA-256", "Title"});
    json list = json::array();
    const std::string here = processorName();
    std::string reasons;
    const ModelShelf shelf;
    for (const auto& status : shelf.status()) {
        const auto& card = status.model;
        std::string speed = status.state == ModelState::ready ? "not measured" : "";
        if (const auto* record = speedOn(status.speeds, here, computesIn(card, type)))
            speed = speedText(*record);
        const bool sized = card.dimensions.parameters > 0;
        table.add({card.id, name(status.state), status.bytes() > 0 ? megabytes(status.bytes()) : "", card.quantisation,
                   sized ? withThousands(card.dimensions.contextLength) : "", sized ? megabytes(memoryNeeded(card, type, context).total()) : "", speed,
                   card.licence, card.files.empty() ? "" : card.files.front().sha256.substr(0, 12), shortened(card.title)});
        if (!status.detail.empty())
            reasons += fmt::format("{}: {}: {}{}\n", card.id, name(status.state), status.detail, status.detail.back() == '.' ? "" : ".");
        list.push_back(statusJson(status, context));
    }
    answer.text = fmt::format("{}\nMemory: to open it and read a prompt of {} tokens ({}), beside {} for LibTorch. Speed: `models measure MODEL`; in these numbers where they were measured, else as it says.\n{}", table.text(),
                              withThousands(context), type == "auto" ? "decoders in bf16, as auto is where that is fast; all others in fp32" : "in " + type + " where the model can", megabytes(libraryBytes), reasons);
    answer.data = {{"folder", shelf.folder()}, {"processor", here}, {"models", list}};
    return answer;
}

json factsJson(const ModelFacts& facts) {
    const auto& card = facts.card;
    return {{"title", card.title}, {"format", card.format}, {"architecture", card.architecture}, {"quantisation", card.quantisation}, {"licence", card.licence},
            {"parameters", card.dimensions.parameters}, {"contextLength", card.dimensions.contextLength}, {"tokenizer", facts.tokenizer},
            {"chatTemplate", facts.chatTemplate}, {"purpose", card.purpose}, {"canChat", card.canChat}, {"canEmbed", card.canEmbed}, {"tensors", facts.tensors}};
}

Result<Answer> addModelFile(Session& session, const AddRequest& request) {
    const ModelShelf shelf;
    CAROUSEL_ASSIGN(const auto added, addModel(shelf, request, session.control()));
    const auto& card = added.status.model;
    Answer answer;
    answer.text = fmt::format("Added '{}': {}, {} parameters, {}, context {} tokens, licence {}.\n{}.\nSHA-256 {}\n", card.id, card.architecture, withThousands(card.dimensions.parameters), card.quantisation,
                              withThousands(card.dimensions.contextLength), card.licence, card.purpose, card.files.front().sha256);
    if (!card.link.empty())
        answer.text += fmt::format("Its weights stay at '{}'.\n", card.link);
    answer.data = statusJson(added.status, usualContextTokens);
    answer.data["tokenizer"] = added.facts.tokenizer;
    answer.data["chatTemplate"] = added.facts.chatTemplate;
    answer.warnings = added.facts.warnings;
    return answer;
}

Result<Answer> removeModelNamed(const std::string& id) {
    CAROUSEL_TRY(removeModel(ModelShelf(), id));
    Answer answer;
    answer.text = fmt::format("Removed '{}'.", id);
    answer.data = {{"id", id}};
    return answer;
}

Result<Answer> checkModelFile(Session& session, const std::string& path) {
    CAROUSEL_ASSIGN(const auto facts, inspectModel(path, true, session.control()));
    Answer answer;
    answer.text = fmt::format("'{}' is sound and can be used: {} ({}), {} parameters in {} tensors, {}, context {} tokens, licence {}.\n{}.\nTokenizer: {}\nChat template: {}\n", path,
                              facts.card.architecture, facts.card.format, withThousands(facts.card.dimensions.parameters), facts.tensors, facts.card.quantisation,
                              withThousands(facts.card.dimensions.contextLength), facts.card.licence, facts.card.purpose, facts.tokenizer, facts.chatTemplate);
    answer.data = factsJson(facts);
    answer.data["file"] = path;
    answer.warnings = facts.warnings;
    return answer;
}

Result<Answer> checkModels(Session& session, const std::string& idOrPath) {
    if (!idOrPath.empty() && (fileExists(idOrPath) || idOrPath.find('/') != std::string::npos))
        return checkModelFile(session, idOrPath);
    std::vector<ModelStatus> statuses;
    if (idOrPath.empty()) {
        CAROUSEL_ASSIGN(statuses, ModelShelf().statusWithHashes(session.control()));
    } else {
        CAROUSEL_ASSIGN(auto status, ModelShelf().status(idOrPath, true, session.control()));
        statuses.push_back(std::move(status));
    }
    Answer answer;
    json list = json::array();
    for (const auto& status : statuses) {
        if (status.state == ModelState::notAdded) {
            answer.warnings.push_back(fmt::format("'{}' is not a model of the shelf: {}.", status.model.id, status.detail));
            continue;
        }
        if (status.state != ModelState::ready)
            return fail(ErrorKind::input, status.state == ModelState::missing ? "CL-2071" : status.state == ModelState::refused ? "CL-2074" : "CL-2072",
                        fmt::format("Model '{}': {} ({}).", status.model.id, name(status.state), status.detail),
                        status.model.known ? std::string("Run packaging/fetch.sh once with a network.")
                                           : fmt::format("Put the file back, or remove the model with `models remove {}` and add it again.", status.model.id));
        answer.text += fmt::format("{}: every file has its {} SHA-256\n", status.model.id, status.model.known ? "known" : "noted");
        list.push_back({{"id", status.model.id}, {"state", name(status.state)}});
    }
    answer.data = {{"models", list}};
    return answer;
}

Result<Answer> measure(Session& session, const std::string& id, const OpenOptions& options, const SpeedProbe& probe) {
    CAROUSEL_ASSIGN(const auto record, measureModel(ModelShelf(), id, options, probe, session.control()));
    Answer answer;
    const bool scores = record.candidatesPerSecond > 0;
    answer.text = fmt::format("{}: {} {} per second on {}, {}, {} threads ({}).\n", id, threeFigures(scores ? record.candidatesPerSecond : record.textsPerSecond), scores ? "candidates" : "texts",
                              record.device, record.computeType, record.threads, record.processor);
    answer.text += fmt::format("Median of {} runs, {} to {}; {} {} of about {} tokens", record.runs, threeFigures(record.slowest), threeFigures(record.fastest), record.candidates,
                               scores ? "candidates" : "texts", record.candidateTokens);
    answer.text += scores ? fmt::format(" behind a new history of {} tokens each.\n", record.promptTokens) : ".\n";
    answer.text += record.libraries + ".\n";
    if (record.residentBytes > 0)
        answer.text += fmt::format("Memory: {} worked out beforehand, {} taken ({:+.1f} %).\n", megabytes(record.expectedBytes), megabytes(record.residentBytes), 100 * memoryError(record));
    answer.data = speedJson(record);
    answer.data["id"] = id;
    return answer;
}
} // namespace

void addModelCommands(CLI::App& app, Session& session) {
    auto* models = app.add_subcommand("models", "Language models on this machine: those the program knows and those you add");
    models->require_subcommand(1);

    auto context = std::make_shared<std::int64_t>(usualContextTokens);
    auto* list = models->add_subcommand("list", "All models: state, size, licence, memory before loading, speed measured here");
    list->add_option("--context", *context, "Longest prompt in tokens that the memory is worked out for")->check(CLI::Range(std::int64_t(1), std::int64_t(1) << 24))->capture_default_str();
    auto type = std::make_shared<std::string>("auto");
    list->add_option("--compute", *type, "Numbers that memory and speed are shown for")->check(CLI::IsMember(idsOf(computeTypeChoices)))->capture_default_str();
    session.chosen(list, "models-list", [context, type] { return listModels(*context, *type); });

    auto request = std::make_shared<AddRequest>();
    auto* add = models->add_subcommand("add", "Check a model file from end to end and put it on the shelf");
    add->add_option("file", request->source, "A .gguf or .safetensors file, or the folder that holds it")->required()->type_name("FILE");
    add->add_option("--name", request->id, "Name on the shelf (else the file's)")->type_name("ID");
    add->add_flag("--link", request->link, "Leave the files where they are and point to them, instead of copying");
    session.chosen(add, "models-add", [&session, request] { return addModelFile(session, *request); });

    auto removed = std::make_shared<std::string>();
    auto* remove = models->add_subcommand("remove", "Take an added model off the shelf and delete its copy");
    remove->add_option("model", *removed, "Model")->required();
    session.chosen(remove, "models-remove", [removed] { return removeModelNamed(*removed); });

    auto model = std::make_shared<std::string>();
    auto* check = models->add_subcommand("check", "Compare models of the shelf with their SHA-256, or say whether a model file could be added");
    check->add_option("model", *model, "Model, or path of a model file or folder; none: the whole shelf");
    session.chosen(check, "models-check", [&session, model] { return checkModels(session, *model); });

    auto measured = std::make_shared<std::string>();
    auto options = std::make_shared<OpenOptions>();
    auto probe = std::make_shared<SpeedProbe>();
    auto* speed = models->add_subcommand("measure", "Open a model, let it work for some seconds, and keep its speed and memory on the shelf");
    speed->add_option("model", *measured, "Model")->required();
    speed->add_option("--device", options->device, "Where it computes")->check(CLI::IsMember(idsOf(deviceChoices)));
    speed->add_option("--compute", options->computeType, "Numbers it computes in")->check(CLI::IsMember(idsOf(computeTypeChoices)));
    speed->add_option("--threads", options->threads, "Threads (else all)")->check(CLI::Range(1, 1024));
    speed->add_option("--runs", probe->runs, "Repetitions")->check(CLI::Range(1, 100))->capture_default_str();
    addAskCommand(*models, session);
    session.chosen(speed, "models-measure", [&session, measured, options, probe] { return measure(session, *measured, *options, *probe); });
}

} // namespace carousel::cli
