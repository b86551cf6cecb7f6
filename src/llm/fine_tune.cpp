// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/fine_tune.h"
#include "llm/training_checks.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace carousel {

const char* name(RateShape shape) {
    switch (shape) {
    case RateShape::constant:
        return "constant";
    case RateShape::linear:
        return "linear";
    case RateShape::cosine:
        return "cosine";
    }
    return "";
}

const char* name(ValidationMetric metric) {
    return metric == ValidationMetric::loss ? "loss" : "auc";
}

const char* name(FineTuneEnd end) {
    switch (end) {
    case FineTuneEnd::finished:
        return "finished";
    case FineTuneEnd::stoppedEarly:
        return "stopped early";
    case FineTuneEnd::cancelled:
        return "cancelled";
    }
    return "";
}

namespace {

Error refused(const std::string& what, const std::string& hint) {
    return {ErrorKind::usage, "CL-2141", what, hint};
}

std::string firstWrong(const FineTuneExample& example) {
    if (example.messages.empty())
        return "has no messages";
    for (const auto& message : example.messages)
        if (message.role != "system" && message.role != "user" && message.role != "assistant")
            return fmt::format("has a message of the role '{}'", quotedForMessage(message.role));
    if (example.messages.back().role == "system")
        return "ends with a system message";
    if (example.answer.empty())
        return "has an empty answer";
    if (!(example.weight > 0) || example.weight > 1e6)
        return fmt::format("has the weight {}", example.weight);
    return {};
}

} // namespace

Result<void> checkSettings(const FineTuneSettings& s) {
    CAROUSEL_TRY(checkLora(s.lora));
    const SettingRange ranges[] = {{"learning rate", s.schedule.rate, 1e-9, 10},
                            {"share of warm-up steps", s.schedule.warmUpShare, 0, 0.999},
                            {"final share of the learning rate", s.schedule.finalShare, 0, 1},
                            {"number of epochs", double(s.epochs), 1, 10000},
                            {"number of examples per step", double(s.batch), 1, 100000},
                            {"number of tokens computed together", double(s.pieceTokens), 1, 1 << 20},
                            {"weight decay", s.weightDecay, 0, 10},
                            {"beta1", s.beta1, 0, 0.999999},
                            {"beta2", s.beta2, 0, 0.9999999},
                            {"epsilon", s.epsilon, 1e-16, 1},
                            {"largest gradient norm", s.clipNorm, 0, 1e9},
                            {"context limit", double(s.contextLimit), 16, 1 << 24},
                            {"number of steps between validations", double(s.evaluateEvery), 0, 1e9},
                            {"patience", double(s.patience), 0, 1e9},
                            {"number of steps between checkpoints", double(s.checkpointEvery), 1, 1e9},
                            {"memory for the backward pass", double(s.memoryBytes), 0, 1e15}};
    return checkRanges(ranges, "CL-2141");
}

Result<void> checkRequest(const FineTuneRequest& request) {
    CAROUSEL_TRY(checkSettings(request.settings));
    if (request.examples.empty())
        return fail(refused("There is no example to learn from.", "Give at least one prompt with its answer."));
    for (const auto* list : {&request.examples, &request.validation})
        for (std::size_t i = 0; i < list->size(); ++i)
            if (const auto wrong = firstWrong((*list)[i]); !wrong.empty())
                return fail(refused(fmt::format("{} {} {}.", list == &request.examples ? "Example" : "Validation example", i + 1, wrong),
                                    "An example has messages of the roles system, user and assistant, an answer, and a weight above 0."));
    CAROUSEL_TRY(checkNameAndFolder("adapter", request.name, request.folder, "CL-2141"));
    if (request.settings.patience > 0 && request.validation.empty())
        return fail(refused(fmt::format("Training shall end after {} validations without gain, but there are no validation examples.",
                                        request.settings.patience),
                            "Give validation examples, or a patience of 0."));
    if (request.settings.metric == ValidationMetric::auc) {
        std::set<std::string> answers;
        for (const auto& example : request.validation)
            answers.insert(example.answer);
        if (answers.size() != 2 || !answers.count(request.settings.positiveAnswer))
            return fail(refused(fmt::format("The metric auc needs validation examples with two answers, '{}' one of them; they have {}.",
                                            quotedForMessage(request.settings.positiveAnswer),
                                            answers.size() == 1 ? "one answer" : fmt::format("{} answers", answers.size())),
                                "Name the positive answer, or use the metric loss."));
    }
    return {};
}

std::string digestOf(const FineTuneRequest& request) {
    Sha256 hash;
    const auto number = [&](double value) { hash.addValues(std::span<const double>(&value, 1)); };
    for (const auto* list : {&request.examples, &request.validation}) {
        number(static_cast<double>(list->size()));
        for (const auto& example : *list) {
            number(static_cast<double>(example.messages.size()));
            for (const auto& message : example.messages)
                hash.addField(message.role).addField(message.content);
            hash.addField(example.answer);
            number(example.weight);
        }
    }
    const FineTuneSettings& s = request.settings;
    hash.addField(name(s.schedule.shape)).addField(name(s.metric)).addField(s.positiveAnswer).addField(request.name);
    for (const double value : {double(s.lora.rank),
                               s.lora.alpha,
                               s.lora.dropout,
                               s.schedule.rate,
                               s.schedule.warmUpShare,
                               s.schedule.finalShare,
                               double(s.epochs),
                               double(s.batch),
                               double(s.pieceTokens),
                               s.weightDecay,
                               s.beta1,
                               s.beta2,
                               s.epsilon,
                               s.clipNorm,
                               s.learnEnd ? 1.0 : 0.0,
                               double(s.contextLimit),
                               double(s.seed >> 32),
                               double(s.seed & 0xffffffffu),
                               double(s.evaluateEvery),
                               double(s.patience)})
        number(value);
    for (const LoraModule module : s.lora.modules)
        hash.addField(nameOf(module).shortName);
    return hash.hex();
}

Result<std::vector<FineTuneExample>> readExamples(const std::string& path) {
    CAROUSEL_ASSIGN(const auto text, readFile(path));
    std::vector<FineTuneExample> out;
    std::size_t number = 0;
    for (const auto line : split(text, '\n')) {
        ++number;
        if (trimmed(line).empty())
            continue;
        const auto refuse = [&](const std::string& what) {
            return fail(ErrorKind::input, "CL-2142", fmt::format("'{}', line {}: {}.", path, number, what),
                        R"(A line is {"messages": [{"role": "user", "content": "..."}], "answer": "Yes", "weight": 1}.)");
        };
        const auto object = nlohmann::json::parse(line, nullptr, false);
        if (!object.is_object())
            return refuse("it is not one JSON object");
        FineTuneExample example;
        for (const auto& [key, value] : object.items()) {
            if (key == "messages" && value.is_array()) {
                for (const auto& message : value) {
                    if (!message.is_object() || message.size() != 2 || !message.contains("role") || !message.contains("content") ||
                        !message["role"].is_string() || !message["content"].is_string())
                        return refuse("a message is not an object with the texts role and content");
                    example.messages.push_back({message["role"].get<std::string>(), message["content"].get<std::string>()});
                }
            } else if (key == "answer" && value.is_string()) {
                example.answer = value.get<std::string>();
            } else if (key == "weight" && value.is_number()) {
                example.weight = value.get<double>();
            } else {
                return refuse(fmt::format("'{}' is not known, or of another type", quotedForMessage(key)));
            }
        }
        if (const auto wrong = firstWrong(example); !wrong.empty())
            return refuse("the example " + wrong);
        out.push_back(std::move(example));
    }
    if (out.empty())
        return fail(ErrorKind::input, "CL-2142", fmt::format("'{}' has no examples.", path), "Give a file with one JSON object a line.");
    return out;
}

} // namespace carousel
