// SPDX-License-Identifier: GPL-3.0-or-later
// Specifications as TOML (for people) and as canonical JSON (for hashing).
#include "base/text.h"
#include "experiment/specification_internal.h"
#include "stages/endpoint.h"
#include <nlohmann/json.hpp>
#include <sstream>
#include <toml++/toml.h>

namespace carousel {

namespace {

constexpr std::array<StageKind, 4> places{StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller};
const char* defaultPlugin(StageKind kind) {
    switch (kind) {
    case StageKind::feature: return "text_template";
    case StageKind::encoder: return "one_hot_embedding";
    case StageKind::controller: return "fixed_cascade";
    case StageKind::scorer: break;
    }
    return "";
}

auto refused(const std::string& message, const std::string& hint) { return fail(ErrorKind::input, "CL-3005", message, hint); }

std::string scalarText(const toml::node& node) {
    if (const auto* s = node.as_string())
        return s->get();
    if (const auto* b = node.as_boolean())
        return b->get() ? "true" : "false";
    if (const auto* i = node.as_integer())
        return std::to_string(i->get());
    if (const auto* d = node.as_floating_point())
        return fmt::format("{}", d->get());
    return {};
}

std::string at(const toml::node& node) { return fmt::format("line {}", node.source().begin.line); }

Result<ParameterValue> parameterValue(const toml::node& node, const std::string& path) {
    if (const auto* b = node.as_boolean())
        return ParameterValue(b->get());
    if (const auto* i = node.as_integer())
        return ParameterValue(static_cast<std::int64_t>(i->get()));
    if (const auto* d = node.as_floating_point())
        return ParameterValue(d->get());
    if (const auto* s = node.as_string())
        return ParameterValue(s->get());
    if (const auto* a = node.as_array()) {
        std::vector<std::string> list;
        for (const auto& entry : *a) {
            if (!entry.is_string())
                return refused(fmt::format("{} ({}): lists hold texts only.", path, at(entry)), "Write [\"a\", \"b\"].");
            list.push_back(entry.as_string()->get());
        }
        return ParameterValue(std::move(list));
    }
    return refused(fmt::format("{} ({}): a parameter is a text, number, true/false or list of texts.", path, at(node)), "Correct the value.");
}

Result<StageSpec> readStage(const toml::node& node, const std::string& path) {
    StageSpec stage;
    if (const auto* plugin = node.as_string()) { // scorer = "popularity"
        stage.plugin = plugin->get();
        return stage;
    }
    const auto* table = node.as_table();
    if (!table)
        return refused(fmt::format("{} ({}) must be a table or the name of a plugin.", path, at(node)), "Write scorer = \"popularity\" or [strategy.scorer] with plugin = \"...\".");
    for (const auto& [key, value] : *table) {
        const std::string id(key.str());
        if (id == "plugin") {
            if (!value.is_string())
                return refused(fmt::format("{}.plugin ({}) must be a text.", path, at(value)), "Write plugin = \"popularity\".");
            stage.plugin = value.as_string()->get();
            continue;
        }
        CAROUSEL_ASSIGN(auto parameter, parameterValue(value, path + "." + id));
        stage.parameters.set(id, std::move(parameter));
    }
    return stage;
}

Result<StrategySpec> readStrategy(const toml::table& table, const std::vector<StrategySpec>& earlier, std::size_t index) {
    const std::string path = fmt::format("strategy[{}]", index + 1);
    StrategySpec strategy;
    for (const StageKind kind : places)
        strategy.stage(kind).plugin = defaultPlugin(kind);
    if (const auto* like = table.get_as<std::string>("like")) {
        const auto it = std::find_if(earlier.begin(), earlier.end(), [&](const auto& s) { return s.name == like->get(); });
        if (it == earlier.end())
            return refused(fmt::format("{} ({}): like = \"{}\" names no earlier strategy.", path, at(*like), like->get()), "Put the strategy it starts from before it.");
        strategy = *it;
        strategy.name.clear();
    }
    for (const auto& [key, value] : table) {
        const std::string id(key.str());
        if (id == "like")
            continue;
        if (id == "name" || id == "eventModel") {
            if (!value.is_string())
                return refused(fmt::format("{}.{} ({}) must be a text.", path, id, at(value)), "Put the value in quotes.");
            (id == "name" ? strategy.name : strategy.eventModel) = value.as_string()->get();
            continue;
        }
        bool known = id == "training";
        if (known) {
            const auto* training = value.as_table();
            if (!training)
                return refused(fmt::format("{}.training ({}) must be a table.", path, at(value)), "Write training = {clicks = \"ips\"} or [strategy.training].");
            for (const auto& [inner, node] : *training)
                if (auto set = setTrainingKey(strategy.training, std::string(inner.str()), scalarText(node)); !set) {
                    set.error().message = fmt::format("{} ({}): {}", path, at(node), set.error().message);
                    return fail(set.error());
                }
        }
        for (const StageKind kind : places)
            if (id == name(kind)) {
                CAROUSEL_ASSIGN(auto stage, readStage(value, path + "." + id));
                if (stage.plugin.empty()) { // only parameters: they change the plugin that is there
                    stage.plugin = strategy.stage(kind).plugin;
                    for (const auto& [parameter, kept] : strategy.stage(kind).parameters.values())
                        if (!stage.parameters.has(parameter))
                            stage.parameters.set(parameter, kept);
                }
                strategy.stage(kind) = std::move(stage);
                known = true;
            }
        if (!known)
            return refused(fmt::format("{} ({}) has no key '{}'.", path, at(value), id), "It knows: name, like, eventModel, training, feature, encoder, scorer, controller.");
    }
    if (strategy.stage(StageKind::scorer).plugin.empty())
        return refused(fmt::format("{} ('{}') names no scorer.", path, strategy.name), "Add scorer = \"popularity\" or another scorer; see `plugins list`.");
    return strategy;
}

nlohmann::json toJson(const ParameterValue& value) {
    return std::visit([](const auto& v) { return nlohmann::json(v); }, value);
}

nlohmann::json toJson(const StrategySpec& strategy) {
    nlohmann::json out{{"name", strategy.name}, {"eventModel", strategy.eventModel}};
    // Absent when the log is not used, so that such strategies keep the fingerprint they always had.
    if (const auto& t = strategy.training; t != TrainingSpec{})
        out["training"] = {{"clicks", t.clicks}, {"examination", t.examination}, {"clip", t.clip}, {"logShare", t.logShare}};
    for (const StageKind kind : places) {
        auto& stage = out[name(kind)];
        stage["plugin"] = strategy.stage(kind).plugin;
        stage["parameters"] = nlohmann::json::object();
        for (const auto& [id, value] : strategy.stage(kind).parameters.values())
            stage["parameters"][id] = toJson(value);
    }
    return out;
}

void insert(toml::table& table, const std::string& id, const ParameterValue& value) {
    std::visit(
        [&](const auto& v) {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>) {
                toml::array list;
                for (const auto& entry : v)
                    list.push_back(entry);
                table.insert(id, std::move(list));
            } else {
                table.insert(id, v);
            }
        },
        value);
}

Result<toml::table> parsedToml(const std::string& text) {
    if (const auto bad = firstInvalidUtf8(text); bad != std::string_view::npos)
        return refused(fmt::format("The specification is not UTF-8 text (byte {}).", bad), "Save it as UTF-8.");
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) {
        return refused(fmt::format("The specification is not valid TOML: {} (line {}, column {}).", error.description(), error.source().begin.line, error.source().begin.column),
                       "Correct the line.");
    }
}

Result<std::vector<StrategySpec>> readStrategies(const toml::node& value) {
    std::vector<StrategySpec> strategies;
    const auto* list = value.as_array();
    if (!list)
        return refused(fmt::format("'strategy' ({}) must be written as [[strategy]].", at(value)), "Use double brackets, once per strategy.");
    for (const auto& entry : *list) {
        if (!entry.is_table())
            return refused(fmt::format("'strategy' ({}) must be written as [[strategy]].", at(entry)), "Use double brackets, once per strategy.");
        CAROUSEL_ASSIGN(auto strategy, readStrategy(*entry.as_table(), strategies, strategies.size()));
        strategies.push_back(std::move(strategy));
    }
    return strategies;
}

Result<std::map<std::string, Parameters>> readEndpoints(const toml::node& node) {
    const auto* tables = node.as_table();
    if (!tables)
        return refused(fmt::format("'endpoints' ({}) must be written as [endpoints.NAME].", at(node)), "Write [endpoints.lab] with url = \"http://127.0.0.1:8000\" below it.");
    std::map<std::string, Parameters> out;
    for (const auto& [key, entry] : *tables) {
        const std::string path = "endpoints." + std::string(key.str());
        const auto* table = entry.as_table();
        if (!table)
            return refused(fmt::format("{} ({}) must be a table.", path, at(entry)), "Write [endpoints.lab] with url = \"http://127.0.0.1:8000\" below it.");
        Parameters given;
        for (const auto& [id, value] : *table) {
            CAROUSEL_ASSIGN(auto parameter, parameterValue(value, path + "." + std::string(id.str())));
            given.set(std::string(id.str()), std::move(parameter));
        }
        CAROUSEL_ASSIGN(auto checked, checkedEndpoint(std::string(key.str()), given));
        out.emplace(std::string(key.str()), std::move(checked));
    }
    return out;
}
} // namespace

Result<std::vector<StrategySpec>> parseStrategies(const std::string& text) {
    CAROUSEL_ASSIGN(const auto document, parsedToml(text));
    const auto* value = document.get("strategy");
    return value ? readStrategies(*value) : std::vector<StrategySpec>();
}

Result<StudySpec> parseStudy(const std::string& text, const PluginRegistry& plugins, std::span<const std::string> sets) {
    CAROUSEL_ASSIGN(const auto document, parsedToml(text));
    StudySpec study;
    for (const auto& [key, value] : document) {
        const std::string id(key.str());
        if (id == "strategy") {
            CAROUSEL_ASSIGN(study.strategies, readStrategies(value));
        } else if (id == "endpoints") {
            CAROUSEL_ASSIGN(study.endpoints, readEndpoints(value));
        } else if (const auto* section = value.as_table()) {
            for (const auto& [inner, node] : *section)
                CAROUSEL_TRY(setStudyKey(study, id + "." + std::string(inner.str()), scalarText(node)));
        } else {
            CAROUSEL_TRY(setStudyKey(study, id, scalarText(value)));
        }
    }
    for (const auto& set : sets)
        CAROUSEL_TRY(applySet(study, set, plugins));
    CAROUSEL_TRY(checkStudy(study, plugins));
    return study;
}

std::string toToml(const StudySpec& study) {
    toml::table document;
    document.insert("name", study.name);
    document.insert("dataset", study.dataset);
    document.insert("seed", static_cast<std::int64_t>(study.seed));
    document.insert("device", study.device);
    document.insert("compute", study.compute);
    if (!study.controls)
        document.insert("controls", "none");
    if (study.freshAnswers)
        document.insert("answers", "fresh");
    const auto& s = study.split;
    document.insert("split", toml::table{{"method", name(s.method)},
                                         {"testShare", s.testShare},
                                         {"validationShare", s.validationShare},
                                         {"targetModel", s.targetModel},
                                         {"minimumHistory", s.minimumHistory},
                                         {"seed", static_cast<std::int64_t>(s.seed)}});
    const auto& e = study.evaluation;
    document.insert("evaluation", toml::table{{"k", e.k},
                                              {"window", e.window},
                                              {"swipe", e.swipe},
                                              {"examination", e.examination},
                                              {"users", e.users},
                                              {"depth", e.depth},
                                              {"bootstrap", e.bootstrap},
                                              {"confidence", e.confidence},
                                              {"refitOnValidation", e.refitOnValidation},
                                              {"value", e.value}});
    toml::table endpoints;
    for (const auto& [name, endpoint] : study.endpoints) {
        toml::table table;
        for (const auto& [id, value] : endpoint.values())
            insert(table, id, value);
        endpoints.insert(name, std::move(table));
    }
    if (!endpoints.empty())
        document.insert("endpoints", std::move(endpoints));
    std::ostringstream out;
    out << document << "\n" << strategiesToml(study.strategies);
    return out.str();
}

std::string strategiesToml(const std::vector<StrategySpec>& list) {
    toml::array strategies;
    for (const auto& strategy : list) {
        toml::table table{{"name", strategy.name}, {"eventModel", strategy.eventModel}};
        if (const auto& t = strategy.training; t != TrainingSpec{})
            table.insert("training", toml::table{{"clicks", t.clicks}, {"examination", t.examination}, {"clip", t.clip}, {"logShare", t.logShare}});
        for (const StageKind kind : places) {
            toml::table stage{{"plugin", strategy.stage(kind).plugin}};
            for (const auto& [id, value] : strategy.stage(kind).parameters.values())
                insert(stage, id, value);
            table.insert(name(kind), std::move(stage));
        }
        strategies.push_back(std::move(table));
    }
    std::ostringstream out;
    out << toml::table{{"strategy", std::move(strategies)}} << "\n";
    return out.str();
}

std::string canonicalJson(const StrategySpec& strategy) { return toJson(strategy).dump(); }

std::string canonicalJson(const StudySpec& study) {
    const auto& s = study.split;
    const auto& e = study.evaluation;
    nlohmann::json out{{"name", study.name}, {"dataset", study.dataset}, {"seed", study.seed}, {"device", study.device}};
    if (study.compute != "auto") // absent before it could be chosen: such studies keep the fingerprint they always had
        out["compute"] = study.compute;
    if (study.freshAnswers) // which strategies stand beside a run changes nothing in it
        out["answers"] = "fresh";
    out["split"] = {{"method", name(s.method)}, {"testShare", s.testShare}, {"validationShare", s.validationShare},
                    {"targetModel", s.targetModel}, {"minimumHistory", s.minimumHistory}, {"seed", s.seed}};
    out["evaluation"] = {{"k", e.k}, {"window", e.window}, {"swipe", e.swipe}, {"examination", e.examination}, {"users", e.users}, {"depth", e.depth},
                         {"bootstrap", e.bootstrap}, {"confidence", e.confidence}, {"refitOnValidation", e.refitOnValidation}, {"value", e.value}};
    for (const auto& [name, endpoint] : study.endpoints) // what decides the answers; not how fast they come and what they cost
        for (const char* id : {"url", "model", "kind", "rung", "prompt", "thinking", "top_logprobs"})
            if (const auto it = endpoint.values().find(id); it != endpoint.values().end())
                out["endpoints"][name][id] = toJson(it->second);
    out["strategies"] = nlohmann::json::array();
    for (const auto& strategy : study.strategies)
        out["strategies"].push_back(toJson(strategy));
    return out.dump();
}

} // namespace carousel
