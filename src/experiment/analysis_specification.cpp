// SPDX-License-Identifier: GPL-3.0-or-later
// Specifications of analyses: TOML in and out, `--set`, defaults and checks. The options themselves are in analysis_parameters.cpp.
#include "experiment/analysis_specification.h"
#include "base/text.h"
#include "experiment/specification_internal.h"
#include "stages/compute_choice.h"
#include <algorithm>
#include <limits>
#include <sstream>
#include <toml++/toml.h>

namespace carousel {

namespace {
constexpr std::array<AnalysisKind, 11> kinds{AnalysisKind::clicks, AnalysisKind::positionBias, AnalysisKind::offPolicy, AnalysisKind::lens, AnalysisKind::rows, AnalysisKind::likes,
                                             AnalysisKind::ratings, AnalysisKind::tasks, AnalysisKind::abTest, AnalysisKind::abCheck, AnalysisKind::placement};

std::string section(AnalysisKind kind) { // "position_bias"
    std::string out = name(kind);
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}
bool isSection(AnalysisKind kind, const std::string& text) { return text == section(kind) || text == name(kind); }
bool readsLog(AnalysisKind kind) { return kind != AnalysisKind::lens && kind != AnalysisKind::rows; }
std::pair<std::size_t, std::size_t> runsOf(AnalysisKind kind) {
    return kind == AnalysisKind::lens ? std::pair<std::size_t, std::size_t>{1, 2} : std::pair<std::size_t, std::size_t>{2, 8};
}

auto wrongType(const std::string& path, const std::string& where, const std::string& allowed) {
    return fail(ErrorKind::input, "CL-3061", fmt::format("{}{} must be {}.", path, where, allowed), "Correct the value.");
}
std::string at(const toml::node& node) { return fmt::format(" (line {})", node.source().begin.line); }

auto unknownKey(AnalysisKind kind, const std::string& key, const std::string& where) {
    std::vector<std::string> known{"seed", "device", "compute"};
    known.insert(known.begin(), readsLog(kind) ? "dataset" : "runs");
    for (const auto& spec : analysisParameters(kind))
        known.push_back(section(kind) + "." + spec.id);
    if (takesStrategies(kind))
        known.push_back("[[strategy]]");
    return fail(ErrorKind::input, "CL-3062", fmt::format("An analysis of kind '{}' has no key '{}'{}.", name(kind), key, where), fmt::format("It knows: {}.", fmt::join(known, ", ")));
}

Result<ParameterValue> optionValue(const toml::node& node, const std::string& path) {
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
                return wrongType(path, at(entry), "a list of texts, [\"a\", \"b\"]");
            list.push_back(entry.as_string()->get());
        }
        return ParameterValue(std::move(list));
    }
    return wrongType(path, at(node), "a text, number, true, false or a list of texts");
}

const ParameterSpec* optionSpec(AnalysisKind kind, const std::string& id) {
    for (const auto& spec : analysisParameters(kind))
        if (spec.id == id)
            return &spec;
    return nullptr;
}

// What validate() and parseParameter() say about one option, under the key path of the file.
tl::unexpected<Error> refusedOption(AnalysisKind kind, const std::string& id, const std::string& where, Error error) {
    error.code = "CL-3063";
    const std::string owner = section(kind) + ": parameter '" + id + "'";
    if (startsWith(error.message, owner))
        error.message = error.message.substr(owner.size());
    error.message = fmt::format("{}.{}{}{}", section(kind), id, where, error.message);
    return fail(std::move(error));
}

Result<void> readSection(AnalysisKind kind, const toml::node& node, Parameters& options) {
    const auto* table = node.as_table();
    if (!table)
        return wrongType(section(kind), at(node), fmt::format("a table of options: write [{}]", section(kind)));
    for (const auto& [key, value] : *table) {
        const std::string id(key.str()), path = section(kind) + "." + id;
        const auto* spec = optionSpec(kind, id);
        if (!spec)
            return unknownKey(kind, path, at(value));
        CAROUSEL_ASSIGN(auto given, optionValue(value, path));
        Parameters one;
        one.set(id, std::move(given));
        auto checked = validate(std::span(spec, 1), one, section(kind));
        if (!checked)
            return refusedOption(kind, id, at(value), checked.error());
        options.set(id, checked->values().at(id));
    }
    return {};
}

Result<void> setSeed(AnalysisSpec& spec, std::optional<std::int64_t> value, const std::string& where) {
    if (!value || *value < 0)
        return wrongType("seed", where, "a whole number from 0 up");
    spec.seed = static_cast<std::uint64_t>(*value);
    return {};
}
Result<void> setDevice(AnalysisSpec& spec, const std::string& text, const std::string& where) {
    if (!offers(deviceChoices, text))
        return wrongType("device", where, fmt::format("one of: {}", fmt::join(idsOf(deviceChoices), ", ")));
    spec.device = text;
    return {};
}
Result<void> setCompute(AnalysisSpec& spec, const std::string& text, const std::string& where) {
    if (!offers(computeTypeChoices, text))
        return wrongType("compute", where, fmt::format("one of: {}", fmt::join(idsOf(computeTypeChoices), ", ")));
    spec.compute = text;
    return {};
}

Result<void> readKey(AnalysisSpec& spec, const std::string& id, const toml::node& value) {
    for (const auto kind : kinds)
        if (isSection(kind, id)) { // one file may hold the options of several kinds; all are checked
            Parameters other;
            return readSection(kind, value, kind == spec.kind ? spec.options : other);
        }
    if (id == "dataset") {
        if (!value.is_string())
            return wrongType(id, at(value), "the name of a data set of the project");
        if (readsLog(spec.kind))
            spec.dataset = value.as_string()->get();
        return {};
    }
    if (id == "seed")
        return setSeed(spec, value.is_integer() ? std::optional<std::int64_t>(value.as_integer()->get()) : std::nullopt, at(value));
    if (id == "device")
        return setDevice(spec, value.is_string() ? value.as_string()->get() : "", at(value));
    if (id == "compute")
        return setCompute(spec, value.is_string() ? value.as_string()->get() : "", at(value));
    if (id == "runs") {
        const auto* list = value.as_array();
        if (!list)
            return wrongType(id, at(value), "a list of run numbers, [1, 2]");
        std::vector<std::int64_t> runs;
        for (const auto& entry : *list) {
            if (!entry.is_integer())
                return wrongType(id, at(entry), "a list of run numbers, [1, 2]");
            runs.push_back(entry.as_integer()->get());
        }
        if (!readsLog(spec.kind))
            spec.runs = std::move(runs);
        return {};
    }
    // What else a study says is not about analyses.
    if (id == "strategy" || id == "name" || id == "controls" || id == "answers" || id == "split" || id == "evaluation")
        return {};
    return unknownKey(spec.kind, id, at(value));
}

Result<void> applyAnalysisSet(AnalysisSpec& spec, const std::string& set, const PluginRegistry& plugins) {
    const auto equals = set.find('=');
    if (equals == std::string::npos)
        return fail(ErrorKind::usage, "CL-3064", fmt::format("'--set {}' has no '='.", set), fmt::format("Write --set key=value, for example --set {}.{}=...", section(spec.kind), analysisParameters(spec.kind).front().id));
    std::string key(trimmed(std::string_view(set).substr(0, equals)));
    const std::string text(trimmed(std::string_view(set).substr(equals + 1))), given = " (--set " + set + ")";
    if (key == "dataset" && readsLog(spec.kind)) {
        spec.dataset = text;
        return {};
    }
    if (key == "seed")
        return setSeed(spec, parseInteger(text), given);
    if (key == "device")
        return setDevice(spec, text, given);
    if (key == "compute")
        return setCompute(spec, text, given);
    if (key == "runs" && !readsLog(spec.kind)) {
        spec.runs.clear();
        for (const auto& word : split(text, ',')) {
            const auto run = parseInteger(trimmed(word));
            if (!run)
                return wrongType("runs", given, "run numbers with commas between them, 1,2");
            spec.runs.push_back(*run);
        }
        return {};
    }
    std::string id = key;
    if (const auto dot = key.find('.'); dot != std::string::npos && isSection(spec.kind, key.substr(0, dot)))
        id = key.substr(dot + 1);
    if (const auto* option = optionSpec(spec.kind, id)) {
        auto value = parseParameter(*option, text, section(spec.kind));
        if (!value)
            return refusedOption(spec.kind, id, given, value.error());
        spec.options.set(id, std::move(*value));
        return {};
    }
    if (!takesStrategies(spec.kind))
        return unknownKey(spec.kind, key, given);
    const std::string inStrategy = key.substr(key.rfind(':') + 1), head = inStrategy.substr(0, inStrategy.find('.'));
    bool known = head == "eventModel" || head == "training";
    for (const auto kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
        known = known || head == name(kind);
    if (!known)
        return unknownKey(spec.kind, key, given);
    StudySpec study;
    study.strategies = spec.strategies;
    CAROUSEL_TRY(applySet(study, set, plugins));
    spec.strategies = std::move(study.strategies);
    return {};
}
} // namespace

const char* name(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks: return "clicks";
    case AnalysisKind::positionBias: return "position-bias";
    case AnalysisKind::offPolicy: return "off-policy";
    case AnalysisKind::lens: return "lens";
    case AnalysisKind::rows: return "rows";
    case AnalysisKind::likes: return "likes";
    case AnalysisKind::ratings: return "ratings";
    case AnalysisKind::tasks: return "tasks";
    case AnalysisKind::abTest: return "ab-test";
    case AnalysisKind::abCheck: return "ab-check";
    case AnalysisKind::placement: return "placement";
    }
    return "";
}

const char* title(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks: return "Click models";
    case AnalysisKind::positionBias: return "Position bias";
    case AnalysisKind::offPolicy: return "Off-policy evaluation";
    case AnalysisKind::lens: return "Position lens";
    case AnalysisKind::rows: return "Carousel rows";
    case AnalysisKind::likes: return "Like prediction";
    case AnalysisKind::ratings: return "Rating prediction";
    case AnalysisKind::tasks: return "Five tasks, one model";
    case AnalysisKind::abTest: return "A/B simulation";
    case AnalysisKind::abCheck: return "Check of stopping rules";
    case AnalysisKind::placement: return "Where the language model pays";
    }
    return "";
}

bool takesStrategies(AnalysisKind kind) {
    return kind == AnalysisKind::offPolicy || kind == AnalysisKind::abTest || kind == AnalysisKind::abCheck || kind == AnalysisKind::placement;
}

Result<AnalysisKind> analysisKind(const std::string& text) {
    for (const auto kind : kinds)
        if (isSection(kind, text))
            return kind;
    return fail(ErrorKind::usage, "CL-3060", fmt::format("There is no analysis '{}'.", quotedForMessage(text)), "Use clicks, position-bias, off-policy, lens, rows, likes, ratings, tasks, ab-test, ab-check or placement.");
}

AnalysisSpec defaultAnalysis(AnalysisKind kind) {
    AnalysisSpec spec;
    spec.kind = kind;
    for (const auto& option : analysisParameters(kind))
        spec.options.set(option.id, option.defaultValue);
    return spec;
}

Result<AnalysisSpec> resolved(const AnalysisSpec& given, const PluginRegistry& plugins) {
    AnalysisSpec spec = given;
    for (const auto& [id, value] : given.options.values())
        if (!optionSpec(spec.kind, id))
            return unknownKey(spec.kind, section(spec.kind) + "." + id, "");
    for (const auto& option : analysisParameters(spec.kind)) {
        Parameters one;
        if (given.options.has(option.id))
            one.set(option.id, given.options.values().at(option.id));
        auto checked = validate(std::span(&option, 1), one, section(spec.kind));
        if (!checked)
            return refusedOption(spec.kind, option.id, "", checked.error());
        spec.options.set(option.id, checked->values().at(option.id));
    }
    CAROUSEL_TRY(setDevice(spec, spec.device, ""));
    CAROUSEL_TRY(setCompute(spec, spec.compute, ""));
    if (!readsLog(spec.kind)) {
        const auto [fewest, most] = runsOf(spec.kind);
        for (std::size_t i = 0; i < spec.runs.size(); ++i)
            if (spec.runs[i] < 1 || std::find(spec.runs.begin(), spec.runs.begin() + static_cast<std::ptrdiff_t>(i), spec.runs[i]) != spec.runs.begin() + static_cast<std::ptrdiff_t>(i))
                return fail(ErrorKind::input, "CL-3065", fmt::format("runs: {} is no run number, or is named twice.", spec.runs[i]), "See `runs list`; name every run once.");
        if (spec.runs.size() < fewest || spec.runs.size() > most)
            return fail(ErrorKind::input, "CL-3065", fmt::format("runs: {} were named, but an analysis of kind '{}' takes {} to {}.", spec.runs.size(), name(spec.kind), fewest, most),
                        "See `runs list` for their numbers.");
    }
    if (spec.kind == AnalysisKind::rows && spec.options.number("alpha") + spec.options.number("beta") < 2)
        return fail(ErrorKind::input, "CL-3063", fmt::format("rows.alpha {} and rows.beta {} add up to less than 2.", spec.options.number("alpha"), spec.options.number("beta")),
                    "The discount of the first cell, log2(alpha + beta), must be at least 1: raise one of them.");
    if (!takesStrategies(spec.kind))
        spec.strategies.clear();
    for (std::size_t i = 0; i < spec.strategies.size(); ++i) {
        CAROUSEL_ASSIGN(spec.strategies[i], resolved(spec.strategies[i], plugins));
        for (std::size_t j = 0; j < i; ++j)
            if (spec.strategies[j].name == spec.strategies[i].name)
                return fail(ErrorKind::input, "CL-3006", fmt::format("Two strategies are called '{}'.", spec.strategies[i].name), "Give every strategy a name of its own.");
    }
    return spec;
}

Result<AnalysisSpec> parseAnalysis(AnalysisKind kind, const std::string& text, const PluginRegistry& plugins, std::span<const std::string> sets) {
    if (const auto bad = firstInvalidUtf8(text); bad != std::string_view::npos)
        return fail(ErrorKind::input, "CL-3061", fmt::format("The specification is not UTF-8 text (byte {}).", bad), "Save it as UTF-8.");
    auto spec = defaultAnalysis(kind);
    toml::table document;
    try {
        document = toml::parse(text);
    } catch (const toml::parse_error& error) {
        return fail(ErrorKind::input, "CL-3061", fmt::format("The specification is not valid TOML: {} (line {}, column {}).", error.description(), error.source().begin.line, error.source().begin.column),
                    "Correct the line.");
    }
    for (const auto& [key, value] : document)
        CAROUSEL_TRY(readKey(spec, std::string(key.str()), value));
    if (takesStrategies(kind)) {
        CAROUSEL_ASSIGN(spec.strategies, parseStrategies(text));
    }
    for (const auto& set : sets)
        CAROUSEL_TRY(applyAnalysisSet(spec, set, plugins));
    return resolved(spec, plugins);
}

std::string toToml(const AnalysisSpec& spec) {
    toml::table document, options;
    document.insert("seed", static_cast<std::int64_t>(spec.seed));
    document.insert("device", spec.device);
    document.insert("compute", spec.compute);
    if (readsLog(spec.kind)) {
        document.insert("dataset", spec.dataset);
    } else {
        toml::array runs;
        for (const auto run : spec.runs)
            runs.push_back(run);
        document.insert("runs", std::move(runs));
    }
    for (const auto& [id, value] : spec.options.values())
        std::visit(
            [&, &key = id](const auto& v) {
                if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>) {
                    toml::array list;
                    for (const auto& entry : v)
                        list.push_back(entry);
                    options.insert(key, std::move(list));
                } else {
                    options.insert(key, v);
                }
            },
            value);
    document.insert(section(spec.kind), std::move(options));
    std::ostringstream out;
    out << document << "\n";
    if (!spec.strategies.empty())
        out << strategiesToml(spec.strategies);
    return out.str();
}

} // namespace carousel
