// SPDX-License-Identifier: GPL-3.0-or-later
// What a plugin says about itself: complete, in order, free of side effects, and holding callers to it.
#include "base/text.h"
#include "checks.h"
#include <set>

namespace carousel::conformance {

namespace {

std::string checkWords(const PluginManifest& m) {
    if (m.name.empty() || m.summary.empty() || m.source.empty())
        return "name, summary or source is empty";
    if (m.summary.back() != '.')
        return "the summary is not a sentence";
    std::set<std::string> labels;
    for (const auto& p : m.parameters) {
        if (p.label.empty() || p.help.size() < 15 || p.help.back() != '.')
            return fmt::format("parameter '{}' has no label, or its help is not a sentence", p.id);
        if (!labels.insert(p.label).second)
            return fmt::format("two parameters are called '{}'", p.label);
        if ((p.kind == ParameterKind::integer || p.kind == ParameterKind::number) &&
            (p.minimum < -1e12 || p.maximum > 1e12 || p.minimum >= p.maximum))
            return fmt::format("parameter '{}' has no sensible range", p.id);
        if (p.kind == ParameterKind::choice && p.choices.size() < 2)
            return fmt::format("parameter '{}' has nothing to choose from", p.id);
    }
    return "";
}

std::string checkTwin(const PluginRegistry& registry, const PluginManifest& m) {
    if (m.twin.empty())
        return m.usesLanguageModel ? "a plugin with a language model must name its plain twin" : "";
    const auto twin = registry.find(m.kind, m.twin);
    if (!twin)
        return describe(twin.error());
    return (*twin)->manifest.usesLanguageModel == m.usesLanguageModel ? fmt::format("the twin '{}' is of the same sort", m.twin) : "";
}

std::string checkRetrieverNames(const PluginRegistry& registry, const PluginManifest& m) {
    for (const auto& p : m.parameters) {
        if (p.kind != ParameterKind::plugin)
            continue;
        for (const auto kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
            if (p.pluginKind == name(kind)) {
                if (const auto found = registry.find(kind, std::get<std::string>(p.defaultValue)); !found)
                    return fmt::format("parameter '{}': {}", p.id, describe(found.error()));
                return "";
            }
        return fmt::format("parameter '{}' names the unknown kind '{}'", p.id, p.pluginKind);
    }
    return "";
}

std::string checkRefusals(const PluginEntry& entry) {
    const auto& specs = entry.manifest.parameters;
    auto refused = [&](const std::string& id, ParameterValue value, const char* code) {
        Parameters given;
        given.set(id, std::move(value));
        const auto result = validate(specs, given, label(entry));
        return !result && result.error().code == code && !result.error().hint.empty();
    };
    if (!refused("noSuchParameter", true, "CL-3001"))
        return "an unknown parameter is not refused with CL-3001 and a hint";
    for (const auto& p : specs) {
        if (p.kind == ParameterKind::integer && (!refused(p.id, static_cast<std::int64_t>(p.minimum) - 1, "CL-3003") ||
                                                 !refused(p.id, static_cast<std::int64_t>(p.maximum) + 1, "CL-3003")))
            return fmt::format("'{}' out of its range is not refused", p.id);
        if (p.kind == ParameterKind::number && (!refused(p.id, p.minimum - 1, "CL-3003") || !refused(p.id, p.maximum + 1, "CL-3003")))
            return fmt::format("'{}' out of its range is not refused", p.id);
        if (p.kind == ParameterKind::choice && !refused(p.id, std::string("no such choice"), "CL-3004"))
            return fmt::format("'{}' with an unknown choice is not refused", p.id);
        if (p.kind != ParameterKind::boolean && !refused(p.id, true, "CL-3002"))
            return fmt::format("'{}' of a wrong type is not refused", p.id);
    }
    return "";
}

std::string checkTextForm(const PluginEntry& entry) { // what --set and the forms do
    for (const auto& p : entry.manifest.parameters) {
        const auto text = std::holds_alternative<std::vector<std::string>>(p.defaultValue)
                              ? fmt::format("{}", fmt::join(std::get<std::vector<std::string>>(p.defaultValue), ","))
                              : toText(p.defaultValue);
        const auto back = parseParameter(p, text, label(entry));
        if (!back || *back != p.defaultValue)
            return fmt::format("the default of '{}' does not survive being written and read", p.id);
    }
    return "";
}

std::string create(const PluginEntry& entry, const Parameters& parameters, const StageEnvironment& environment) {
    const auto& m = entry.manifest;
    auto outcome = [](const auto& made) { return made ? (*made ? "" : "create gave nothing") : describe(made.error()); };
    switch (m.kind) {
    case StageKind::feature:
        return outcome(m.createFeature(parameters, environment));
    case StageKind::encoder:
        return outcome(m.createEncoder(parameters, environment));
    case StageKind::scorer:
        return outcome(m.createScorer(parameters, environment));
    case StageKind::controller:
        return outcome(m.createController(parameters, environment));
    }
    return "unknown kind";
}

std::string checkTemplates(const PluginEntry& entry) {
    Bench bench;
    for (const auto& p : entry.manifest.parameters) {
        if (p.kind != ParameterKind::prompt || p.id == "tail") // the tail is plain text
            continue;
        auto parameters = defaultsOf(entry);
        parameters.set(p.id, std::string("{{#open}} never closed"));
        if (create(entry, parameters, bench.environment()).find("CL-6021") == std::string::npos)
            return fmt::format("a broken template in '{}' is not refused with CL-6021", p.id);
    }
    return "";
}

} // namespace

void checkManifests(const PluginRegistry& registry, Report& report) {
    report.check("registry", "no module is refused", [&]() -> std::string {
        return registry.refused().empty() ? "" : registry.refused().front().file + ": " + registry.refused().front().reason;
    });
    report.check("registry", "every kind has a plugin with a language model and a plain one", [&]() -> std::string {
        for (const auto kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
            for (const bool model : {false, true}) {
                bool found = false;
                for (const auto& entry : registry.all())
                    found = found || (entry.manifest.kind == kind && entry.manifest.usesLanguageModel == model);
                if (!found)
                    return fmt::format("no {} {} a language model", name(kind), model ? "with" : "without");
            }
        return "";
    });
    report.check("registry", "an unknown id, a second id and another API version are refused", [&]() -> std::string {
        if (const auto found = registry.find(StageKind::scorer, "nothing");
            found || found.error().code != "CL-6001" || found.error().hint.find("popularity") == std::string::npos)
            return "an unknown id does not give CL-6001 with the known ones";
        PluginRegistry copy;
        const auto& first = registry.all().front().manifest;
        must(copy.add(first, "one"));
        if (const auto twice = copy.add(first, "two"); twice || twice.error().code != "CL-6003")
            return "a second plugin of the same id does not give CL-6003";
        auto newer = first;
        newer.apiVersion = pluginApiVersion + 1;
        if (const auto added = copy.add(newer, "three");
            added || added.error().code != "CL-6002" ||
            added.error().message.find(std::to_string(pluginApiVersion + 1)) == std::string::npos)
            return "another API version does not give CL-6002 with the number";
        auto broken = first;
        broken.id = "Not Snake";
        if (const auto added = copy.add(broken, "four"); added || added.error().code != "CL-6004")
            return "a broken manifest does not give CL-6004";
        const auto empty = PluginRegistry::loadFrom("/nonexistent-folder");
        return empty.all().empty() && empty.refused().size() == 1 ? "" : "a missing folder is not reported";
    });
    for (const auto& entry : registry.all()) {
        const auto& m = entry.manifest;
        report.check(label(entry), "says what it is and what each parameter does", [&] { return checkWords(m); });
        report.check(label(entry), "twin exists and is of the other sort", [&] { return checkTwin(registry, m); });
        report.check(label(entry), "plugins named by parameters exist", [&] { return checkRetrieverNames(registry, m); });
        report.check(label(entry), "defaults are valid, wrong parameters are refused", [&]() -> std::string {
            defaultsOf(entry);
            return checkRefusals(entry);
        });
        report.check(label(entry), "defaults survive being written and read", [&] { return checkTextForm(entry); });
        report.check(label(entry), "broken templates are refused", [&] { return checkTemplates(entry); });
        report.check(label(entry), "making it opens no model and costs nothing", [&]() -> std::string {
            Bench bench;
            const auto wrong = create(entry, defaultsOf(entry), bench.environment());
            if (!wrong.empty())
                return wrong;
            return bench.opened == 0 && bench.model.calls() == 0 && bench.cost.total() == Cost{} ? "" : "a model was opened";
        });
    }
}

} // namespace carousel::conformance
