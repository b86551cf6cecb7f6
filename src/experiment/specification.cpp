// SPDX-License-Identifier: GPL-3.0-or-later
// Resolving a specification: defaults, checks, twins, --set. Reading and writing TOML and JSON is in specification_io.cpp.
#include "experiment/specification.h"
#include "base/text.h"
#include "experiment/specification_internal.h"
#include "stages/compute_choice.h"
#include <algorithm>

namespace carousel {

namespace {

constexpr std::array<StageKind, 4> places{StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller};

Result<void> setNumber(const std::string& path, const std::string& text, double minimum, double maximum, double& target) {
    const auto value = parseNumber(text);
    if (!value || *value < minimum || *value > maximum)
        return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be a number between {} and {}.", path, text, minimum, maximum), "Correct the value.");
    target = *value;
    return {};
}

Result<void> setInteger(const std::string& path, const std::string& text, std::int64_t minimum, std::int64_t maximum, std::int64_t& target) {
    const auto value = parseInteger(text);
    if (!value || *value < minimum || *value > maximum)
        return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be a whole number between {} and {}.", path, text, minimum, maximum), "Correct the value.");
    target = *value;
    return {};
}

Result<void> setInt(const std::string& path, const std::string& text, int minimum, int maximum, int& target) {
    std::int64_t value = target;
    CAROUSEL_TRY(setInteger(path, text, minimum, maximum, value));
    target = static_cast<int>(value);
    return {};
}

Result<void> setBoolean(const std::string& path, const std::string& text, bool& target) {
    if (text != "true" && text != "false")
        return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be true or false.", path, text), "Correct the value.");
    target = text == "true";
    return {};
}

Result<void> checkComputeChoice(const std::string& path, const std::string& text) {
    const auto check = [&](const auto& choices) -> Result<void> {
        if (!offers(choices, text))
            return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be one of: {}.", path, text, fmt::join(idsOf(choices), ", ")), "Correct the value.");
        return {};
    };
    return path == "device" ? check(deviceChoices) : check(computeTypeChoices);
}

} // namespace

const std::vector<std::string>& studyKeys() {
    static const std::vector<std::string> keys{
        "name", "dataset", "seed", "device", "compute", "controls", "answers", "split.method", "split.testShare", "split.validationShare", "split.targetModel", "split.minimumHistory", "split.seed",
        "evaluation.k", "evaluation.window", "evaluation.swipe", "evaluation.examination", "evaluation.users", "evaluation.depth", "evaluation.bootstrap",
        "evaluation.confidence", "evaluation.refitOnValidation", "evaluation.value"};
    return keys;
}

Result<void> setStudyKey(StudySpec& study, const std::string& key, const std::string& text) {
    auto& e = study.evaluation;
    auto& s = study.split;
    if (key == "name")
        study.name = text;
    else if (key == "dataset")
        study.dataset = text;
    else if (key == "seed" || key == "split.seed") {
        std::int64_t value = 0;
        CAROUSEL_TRY(setInteger(key, text, 0, std::numeric_limits<std::int64_t>::max(), value));
        (key == "seed" ? study.seed : s.seed) = static_cast<std::uint64_t>(value);
    } else if (key == "device") {
        CAROUSEL_TRY(checkComputeChoice(key, text));
        study.device = text;
    } else if (key == "compute") {
        CAROUSEL_TRY(checkComputeChoice(key, text));
        study.compute = text;
    } else if (key == "controls" || key == "answers") {
        const bool ofControls = key == "controls";
        const char *plain = ofControls ? "auto" : "kept", *other = ofControls ? "none" : "fresh";
        if (text != plain && text != other)
            return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be {} or {}.", key, text, plain, other), "Correct the value.");
        (ofControls ? study.controls : study.freshAnswers) = text == (ofControls ? "auto" : "fresh");
    } else if (key == "split.method") {
        CAROUSEL_ASSIGN(s.method, splitMethod(text));
    } else if (key == "split.testShare")
        return setNumber(key, text, 0.001, 0.9, s.testShare);
    else if (key == "split.validationShare")
        return setNumber(key, text, 0, 0.9, s.validationShare);
    else if (key == "split.targetModel") {
        CAROUSEL_TRY(presetEventModel(text));
        s.targetModel = text;
    } else if (key == "split.minimumHistory")
        return setInt(key, text, 0, 1000000, s.minimumHistory);
    else if (key == "evaluation.k")
        return setInt(key, text, 1, 1000, e.k);
    else if (key == "evaluation.window")
        return setInt(key, text, 1, 100, e.window);
    else if (key == "evaluation.swipe")
        return setNumber(key, text, 0, 1, e.swipe);
    else if (key == "evaluation.examination")
        return setNumber(key, text, 0.01, 1, e.examination);
    else if (key == "evaluation.users")
        return setInt(key, text, 0, 1000000000, e.users);
    else if (key == "evaluation.depth")
        return setInt(key, text, 10, 10000, e.depth);
    else if (key == "evaluation.bootstrap")
        return setInt(key, text, 100, 1000000, e.bootstrap);
    else if (key == "evaluation.confidence")
        return setNumber(key, text, 0.5, 0.999, e.confidence);
    else if (key == "evaluation.refitOnValidation")
        return setBoolean(key, text, e.refitOnValidation);
    else if (key == "evaluation.value")
        e.value = text;
    else
        return fail(ErrorKind::input, "CL-3005", fmt::format("The specification has no key '{}'.", key), fmt::format("It knows: {}.", fmt::join(studyKeys(), ", ")));
    return {};
}

Result<void> setTrainingKey(TrainingSpec& training, const std::string& key, const std::string& text) {
    static const std::vector<std::string> choices{"none", "evidence", "naive", "ips"};
    const std::string path = "training." + key;
    if (key == "clicks") {
        if (std::find(choices.begin(), choices.end(), text) == choices.end())
            return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be one of: {}.", path, text, fmt::join(choices, ", ")), "Correct the value.");
        training.clicks = text;
    } else if (key == "examination") {
        double value = 0;
        CAROUSEL_TRY(setNumber(path, text, 0, 1, value));
        if (value > 0 && value < 0.01)
            return fail(ErrorKind::input, "CL-3003", fmt::format("'{}' is '{}' but must be 0 (the study's) or a number between 0.01 and 1.", path, text), "Correct the value.");
        training.examination = value;
    } else if (key == "clip")
        return setNumber(path, text, 1, 1e6, training.clip);
    else if (key == "logShare")
        return setNumber(path, text, 0.001, 1, training.logShare);
    else
        return fail(ErrorKind::input, "CL-3005", fmt::format("A strategy's training has no key '{}'.", key), "It knows: clicks, examination, clip, logShare.");
    return {};
}

Result<StageSpec> resolvedStage(StageKind kind, const StageSpec& stage, const PluginRegistry& plugins) {
    CAROUSEL_ASSIGN(const auto* entry, plugins.find(kind, stage.plugin));
    StageSpec out{stage.plugin, {}};
    CAROUSEL_ASSIGN(out.parameters, validate(entry->manifest.parameters, stage.parameters, fmt::format("{} '{}'", name(kind), stage.plugin)));
    for (const auto& spec : entry->manifest.parameters)
        if (spec.kind == ParameterKind::plugin) {
            for (const StageKind other : places)
                if (spec.pluginKind == name(other))
                    CAROUSEL_TRY(plugins.find(other, out.parameters.text(spec.id)));
        }
    return out;
}

Result<StrategySpec> resolved(const StrategySpec& strategy, const PluginRegistry& plugins) {
    StrategySpec out = strategy;
    if (trimmed(out.name).empty())
        return fail(ErrorKind::input, "CL-3006", "A strategy has no name.", "Give every strategy a name of its own.");
    CAROUSEL_TRY(presetEventModel(out.eventModel));
    if (out.training.clicks == "none")
        out.training = {}; // settings of what is not used make no other strategy
    for (const StageKind kind : places) {
        auto named = resolvedStage(kind, strategy.stage(kind), plugins);
        if (!named) {
            named.error().message = fmt::format("Strategy '{}': {}", out.name, named.error().message);
            return fail(named.error());
        }
        out.stage(kind) = std::move(*named);
    }
    return out;
}

Result<StrategySpec> withTwin(const StrategySpec& strategy, StageKind kind, const PluginRegistry& plugins) {
    CAROUSEL_ASSIGN(const auto* entry, plugins.find(kind, strategy.stage(kind).plugin));
    if (entry->manifest.twin.empty())
        return fail(ErrorKind::input, "CL-3008", fmt::format("The {} '{}' has no twin to switch to.", name(kind), entry->manifest.id),
                    "Choose another plugin for this place from the list.");
    CAROUSEL_ASSIGN(const auto* twin, plugins.find(kind, entry->manifest.twin));
    StrategySpec out = strategy;
    StageSpec next{twin->manifest.id, {}};
    // What both understand stays as the analyst set it.
    for (const auto& spec : twin->manifest.parameters)
        if (strategy.stage(kind).parameters.has(spec.id))
            if (auto kept = parseParameter(spec, toText(strategy.stage(kind).parameters.values().at(spec.id)), twin->manifest.id))
                next.parameters.set(spec.id, std::move(*kept));
    CAROUSEL_ASSIGN(out.stage(kind), resolvedStage(kind, next, plugins));
    return out;
}

namespace {

Result<void> setStageKey(StrategySpec& strategy, StageKind kind, const std::string& rest, const std::string& text, const PluginRegistry& plugins) {
    auto& stage = strategy.stage(kind);
    if (rest.empty()) { // "scorer=popularity"
        CAROUSEL_TRY(plugins.find(kind, text));
        if (stage.plugin != text)
            stage = {text, {}};
        return {};
    }
    CAROUSEL_ASSIGN(const auto* entry, plugins.find(kind, stage.plugin));
    if (rest == "llm") {
        if (text != "on" && text != "off")
            return fail(ErrorKind::input, "CL-3003", fmt::format("'{}.llm' is '{}' but must be on or off.", name(kind), text), "Correct the value.");
        if (entry->manifest.usesLanguageModel == (text == "on"))
            return {};
        CAROUSEL_ASSIGN(strategy, withTwin(strategy, kind, plugins));
        return {};
    }
    for (const auto& spec : entry->manifest.parameters)
        if (spec.id == rest) {
            CAROUSEL_ASSIGN(auto value, parseParameter(spec, text, fmt::format("{} '{}'", name(kind), stage.plugin)));
            stage.parameters.set(rest, std::move(value));
            return {};
        }
    std::vector<std::string> known;
    for (const auto& spec : entry->manifest.parameters)
        known.push_back(spec.id);
    return fail(ErrorKind::input, "CL-3001", fmt::format("{} '{}' has no parameter '{}'.", name(kind), stage.plugin, rest),
                known.empty() ? "It takes no parameters." : fmt::format("It knows: {}.", fmt::join(known, ", ")));
}

bool stageHasKey(const StrategySpec& strategy, StageKind kind, const std::string& rest, const PluginRegistry& plugins) {
    if (rest.empty() || rest == "llm")
        return true;
    const auto entry = plugins.find(kind, strategy.stage(kind).plugin);
    return entry && std::any_of((*entry)->manifest.parameters.begin(), (*entry)->manifest.parameters.end(), [&](const auto& s) { return s.id == rest; });
}

} // namespace

Result<void> applySet(StudySpec& study, const std::string& set, const PluginRegistry& plugins) {
    const auto equals = set.find('=');
    if (equals == std::string::npos)
        return fail(ErrorKind::usage, "CL-3007", fmt::format("'--set {}' has no '='.", set), "Write --set key=value, for example --set evaluation.users=200.");
    std::string key(trimmed(std::string_view(set).substr(0, equals)));
    const std::string text(trimmed(std::string_view(set).substr(equals + 1)));
    std::string only;
    if (const auto colon = key.rfind(':'); colon != std::string::npos) {
        only = key.substr(0, colon);
        key = key.substr(colon + 1);
        if (std::none_of(study.strategies.begin(), study.strategies.end(), [&](const auto& s) { return s.name == only; })) {
            std::vector<std::string> names;
            for (const auto& s : study.strategies)
                names.push_back(s.name);
            return fail(ErrorKind::input, "CL-3009", fmt::format("There is no strategy '{}' to set '{}' in.", only, key), fmt::format("The study has: {}.", fmt::join(names, ", ")));
        }
    }
    const auto dot = key.find('.');
    const std::string head = key.substr(0, dot), rest = dot == std::string::npos ? "" : key.substr(dot + 1);
    if (key == "eventModel") {
        CAROUSEL_TRY(presetEventModel(text));
        for (auto& s : study.strategies)
            if (only.empty() || s.name == only)
                s.eventModel = text;
        return {};
    }
    if (head == "training") {
        for (auto& s : study.strategies)
            if (only.empty() || s.name == only)
                CAROUSEL_TRY(setTrainingKey(s.training, rest, text));
        return {};
    }
    for (const StageKind kind : places)
        if (head == name(kind)) {
            // Without a strategy's name a parameter goes to every strategy whose plugin knows it, and to none silently.
            bool any = false;
            for (auto& s : study.strategies)
                if ((only.empty() && stageHasKey(s, kind, rest, plugins)) || s.name == only) {
                    CAROUSEL_TRY(setStageKey(s, kind, rest, text, plugins));
                    any = true;
                }
            if (!any)
                return fail(ErrorKind::input, "CL-3001", fmt::format("No strategy of this study has a {} with a parameter '{}'.", head, rest), "See `plugins show` for the parameters of a plugin.");
            return {};
        }
    return setStudyKey(study, key, text);
}

Result<void> checkStudy(StudySpec& study, const PluginRegistry& plugins) {
    if (study.strategies.empty())
        return fail(ErrorKind::input, "CL-3006", "The study has no strategy.", "Add at least one [[strategy]] with a name and a scorer.");
    for (std::size_t i = 0; i < study.strategies.size(); ++i) {
        CAROUSEL_ASSIGN(study.strategies[i], resolved(study.strategies[i], plugins));
        for (std::size_t j = 0; j < i; ++j)
            if (study.strategies[j].name == study.strategies[i].name)
                return fail(ErrorKind::input, "CL-3006", fmt::format("Two strategies are called '{}'.", study.strategies[i].name), "Give every strategy a name of its own.");
    }
    if (study.dataset.empty())
        return fail(ErrorKind::input, "CL-3006", "The study names no data set.", "Add dataset = \"...\" with the name the data has in the project.");
    if (study.split.testShare + study.split.validationShare >= 1)
        return fail(ErrorKind::input, "CL-3006", fmt::format("testShare {} and validationShare {} leave nothing to train on.", study.split.testShare, study.split.validationShare),
                    "Make their sum smaller than 1.");
    if (study.evaluation.k > study.evaluation.depth)
        return fail(ErrorKind::input, "CL-3006", fmt::format("k = {} is larger than the stored depth {}.", study.evaluation.k, study.evaluation.depth), "Raise evaluation.depth.");
    return {};
}

} // namespace carousel
