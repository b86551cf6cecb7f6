// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/text_to_text.h"
#include "llm/training_checks.h"
#include "base/hash.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel {

const char* name(TextToTextEnd end) {
    switch (end) {
    case TextToTextEnd::finished:
        return "finished";
    case TextToTextEnd::stoppedEarly:
        return "stopped early";
    case TextToTextEnd::outOfTime:
        return "out of time";
    case TextToTextEnd::cancelled:
        return "cancelled";
    }
    return "";
}

namespace {

Error refused(const std::string& what, const std::string& hint) {
    return {ErrorKind::usage, "CL-2174", what, hint};
}

} // namespace

Result<void> checkSettings(const TextToTextSettings& s) {
    const SettingRange ranges[] = {{"width", double(s.shape.width), 4, 4096},
                            {"number of layers", double(s.shape.layers), 1, 64},
                            {"number of heads", double(s.shape.heads), 1, 256},
                            {"size of a head", double(s.shape.headSize), 1, 1024},
                            {"width of the feed-forward", double(s.shape.feedForward), 1, 1 << 16},
                            {"size of the vocabulary", double(s.shape.vocabulary), 16, 1000000},
                            {"share of dropout", s.shape.dropout, 0, 0.9},
                            {"learning rate", s.schedule.rate, 1e-9, 10},
                            {"share of warm-up steps", s.schedule.warmUpShare, 0, 0.999},
                            {"final share of the learning rate", s.schedule.finalShare, 0, 1},
                            {"number of epochs", double(s.epochs), 1, 100000},
                            {"number of tokens per step", double(s.batchTokens), 1, 1 << 22},
                            {"weight decay", s.weightDecay, 0, 10},
                            {"beta1", s.beta1, 0, 0.999999},
                            {"beta2", s.beta2, 0, 0.9999999},
                            {"epsilon", s.epsilon, 1e-16, 1},
                            {"largest gradient norm", s.clipNorm, 0, 1e9},
                            {"patience", double(s.patience), 0, 1e9},
                            {"number of steps between validations", double(s.evaluateEvery), 0, 1e9},
                            {"number of steps between checkpoints", double(s.checkpointEvery), 0, 1e9},
                            {"number of seconds", s.seconds, 0, 1e9},
                            {"limit of a source", double(s.sourceLimit), 2, 1 << 16},
                            {"limit of a target", double(s.targetLimit), 2, 1 << 14}};
    return checkRanges(ranges, "CL-2173");
}

Result<void> checkPairs(const std::vector<TextPair>& pairs, std::size_t groups, const std::string& what) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const TextPair& pair = pairs[i];
        std::string wrong;
        if (trimmed(pair.source).empty() || trimmed(pair.target).empty())
            wrong = fmt::format("has an empty {}", trimmed(pair.source).empty() ? "source" : "target");
        else if (!(pair.weight > 0) || !std::isfinite(pair.weight))
            wrong = fmt::format("has the weight {}", pair.weight);
        else if (pair.group < 0 || static_cast<std::size_t>(pair.group) >= groups)
            wrong = fmt::format("is of group {}, and there are {}", pair.group, groups);
        if (!wrong.empty())
            return fail(refused(fmt::format("Pair {} {} {}.", i + 1, what, wrong),
                                "A pair has a source, a target, a weight above 0 and one of the groups."));
    }
    return {};
}

Result<void> checkRequest(const TextToTextRequest& request) {
    CAROUSEL_TRY(checkSettings(request.settings));
    if (!request.pairs || request.digest.empty())
        return fail(refused("There are no pairs of texts to learn from, or no digest of them.", "Give both."));
    if (request.groups.empty())
        return fail(refused("No group of pairs has a name.", "Name at least one."));
    CAROUSEL_TRY(checkPairs(request.validation, request.groups.size(), "for validation"));
    CAROUSEL_TRY(checkNameAndFolder("model", request.name, request.folder, "CL-2174"));
    if (request.settings.patience > 0 && request.validation.empty())
        return fail(refused(fmt::format("Training shall end after {} validations without gain, but there are no validation pairs.",
                                        request.settings.patience),
                            "Give validation pairs, or a patience of 0."));
    return {};
}

std::string digestOf(const TextToTextRequest& request) {
    Sha256 hash;
    const auto number = [&](double value) { hash.addValues(std::span<const double>(&value, 1)); };
    hash.addField("text to text 1").addField(request.digest).addField(request.name);
    for (const auto* list : {&request.vocabularyTexts, &request.symbols, &request.groups}) {
        number(static_cast<double>(list->size()));
        for (const std::string& text : *list)
            hash.addField(text);
    }
    for (const TextPair& pair : request.validation) {
        hash.addField(pair.source).addField(pair.target);
        number(pair.weight);
        number(pair.group);
    }
    const TextToTextSettings& s = request.settings;
    hash.addField(s.relativeRates ? "relative rates" : "one rate");
    hash.addField(name(s.schedule.shape));
    for (const double value : {double(s.shape.width),
                               double(s.shape.layers),
                               double(s.shape.heads),
                               double(s.shape.headSize),
                               double(s.shape.feedForward),
                               s.shape.wholeWords ? 1.0 : 0.0,
                               double(s.shape.vocabulary),
                               s.shape.dropout,
                               s.schedule.rate,
                               s.schedule.warmUpShare,
                               s.schedule.finalShare,
                               double(s.epochs),
                               double(s.batchTokens),
                               s.weightDecay,
                               s.beta1,
                               s.beta2,
                               s.epsilon,
                               s.clipNorm,
                               double(s.seed >> 32),
                               double(s.seed & 0xffffffffu),
                               double(s.patience),
                               double(s.evaluateEvery),
                               s.seconds,
                               double(s.sourceLimit),
                               double(s.targetLimit)})
        number(value);
    return hash.hex();
}

} // namespace carousel
