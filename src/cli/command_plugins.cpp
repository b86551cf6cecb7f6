// SPDX-License-Identifier: GPL-3.0-or-later
// plugins list|show|check.
#include "base/file.h"
#include "base/paths.h"
#include "cli/child.h"
#include "cli/session.h"
#include "cli/table.h"
#include <filesystem>

namespace carousel::cli {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {
constexpr std::array<StageKind, 4> places{StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller};

const char* kindName(ParameterKind kind) {
    switch (kind) {
    case ParameterKind::boolean: return "boolean";
    case ParameterKind::integer: return "integer";
    case ParameterKind::number: return "number";
    case ParameterKind::text: return "text";
    case ParameterKind::choice: return "choice";
    case ParameterKind::list: return "list";
    case ParameterKind::prompt: return "prompt";
    case ParameterKind::plugin: return "plugin";
    }
    return "text";
}

json described(const ParameterSpec& spec) {
    json out{{"id", spec.id}, {"label", spec.label}, {"kind", kindName(spec.kind)}, {"default", std::visit([](const auto& v) { return json(v); }, spec.defaultValue)},
             {"help", spec.help}, {"unit", spec.unit}};
    if (spec.minimum > -1e299)
        out["minimum"] = spec.minimum;
    if (spec.maximum < 1e299)
        out["maximum"] = spec.maximum;
    if (!spec.choices.empty())
        out["choices"] = spec.choices;
    return out;
}

json described(const PluginEntry& entry) {
    const auto& manifest = entry.manifest;
    json parameters = json::array();
    for (const auto& spec : manifest.parameters)
        parameters.push_back(described(spec));
    return {{"kind", name(manifest.kind)}, {"id", manifest.id}, {"name", manifest.name}, {"summary", manifest.summary}, {"source", manifest.source},
            {"usesLanguageModel", manifest.usesLanguageModel}, {"twin", manifest.twin}, {"file", entry.file}, {"sha256", entry.sha256}, {"parameters", parameters}};
}

Result<Answer> listPlugins(Session& session, const std::string& kind) {
    Answer answer;
    TextTable table({"Place", "Plugin", "LLM", "Twin", "What it does"});
    json list = json::array();
    for (const auto& entry : session.bench().plugins().all()) {
        const auto& manifest = entry.manifest;
        if (!kind.empty() && kind != name(manifest.kind))
            continue;
        table.add({name(manifest.kind), manifest.id, manifest.usesLanguageModel ? "yes" : "", manifest.twin, manifest.summary});
        list.push_back(described(entry));
    }
    for (const auto& refused : session.bench().plugins().refused())
        answer.warnings.push_back(fmt::format("Plugin '{}' is refused: {}", refused.file, refused.reason));
    answer.text = table.text();
    answer.data = {{"plugins", list}};
    return answer;
}

Result<Answer> showPlugin(Session& session, const std::string& id) {
    const PluginEntry* found = nullptr;
    std::string known;
    for (const auto& entry : session.bench().plugins().all()) {
        if (entry.manifest.id == id)
            found = &entry;
        known += (known.empty() ? "" : ", ") + entry.manifest.id;
    }
    if (!found)
        return fail(ErrorKind::input, "CL-6001", fmt::format("There is no plugin '{}'.", id), fmt::format("Known: {}.", known));
    const auto& manifest = found->manifest;
    Answer answer;
    answer.text = fmt::format("{} ({}, {})\n{}\nSource: {}\nLanguage model: {}{}\nFile: {}\n", manifest.name, manifest.id, name(manifest.kind), manifest.summary, manifest.source,
                              manifest.usesLanguageModel ? "yes" : "no", manifest.twin.empty() ? "" : fmt::format(" (switches to '{}')", manifest.twin), found->file);
    TextTable table({"Parameter", "Kind", "Default", "Allowed", "What it does"});
    for (const auto& spec : manifest.parameters) {
        std::string allowed = fmt::format("{}", fmt::join(spec.choices, ", "));
        if (spec.minimum > -1e299 || spec.maximum < 1e299)
            allowed = fmt::format("{} to {}", spec.minimum > -1e299 ? fmt::format("{}", spec.minimum) : "", spec.maximum < 1e299 ? fmt::format("{}", spec.maximum) : "");
        if (manifest.usesLanguageModel && spec.id == "model")
            allowed = "a model of the shelf (models list)";
        table.add({spec.id, kindName(spec.kind), shortened(toText(spec.defaultValue)), allowed + (spec.unit.empty() ? "" : " " + spec.unit), spec.help});
    }
    if (!table.empty())
        answer.text += "\n" + table.text();
    answer.data = described(*found);
    return answer;
}

// One file on its own, in this process: a folder that holds only a link to it is read like the plugin folder.
Result<Answer> checkPluginHere(const std::string& file) {
    std::error_code error;
    std::string folder = (fs::temp_directory_path(error) / "carousel-plugin-XXXXXX").string();
    if (error || ::mkdtemp(folder.data()) == nullptr)
        return fail(ErrorKind::io, "CL-5004", "No temporary folder can be made.", "Set TMPDIR to a folder that may be written to.");
    fs::create_symlink(fs::absolute(file), fs::path(folder) / "plugin.so", error);
    const auto registry = PluginRegistry::loadFrom(folder);
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    if (registry.all().empty())
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("Plugin '{}' is refused: {}", file, registry.refused().empty() ? "it holds no manifest." : registry.refused().front().reason),
                    "Build it against this version of the program.");
    const auto& entry = registry.all().front();
    Answer answer;
    answer.text = fmt::format("'{}' is the {} plugin '{}': {}", file, name(entry.manifest.kind), entry.manifest.id, entry.manifest.summary);
    answer.data = described(entry);
    answer.data["file"] = file;
    return answer;
}

// A broken module can end the process that loads it, so a child does.
Result<Answer> checkPluginFile(const std::string& file) {
    if (!fileExists(file) || !fs::is_regular_file(file))
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("'{}' is not a file that can be loaded.", file), "Give the path of a plugin module (.so).");
    CAROUSEL_ASSIGN(const auto child, runChild({ownProgram(), "--json", "plugins", "check", "--here", file}, 30));
    const json answered = json::parse(child.out, nullptr, false);
    if (child.signal != 0 || !answered.is_object())
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("Plugin '{}' ended the process that loaded it ({}).", file, child.signal != 0 ? fmt::format("signal {}", child.signal) : fmt::format("exit code {}", child.exit)),
                    "The file is damaged or does work while it is loaded; build it again.");
    if (!answered.value("ok", false)) {
        const json error = answered.value("error", json::object());
        return fail(ErrorKind::plugin, error.value("code", "CL-6004"), error.value("message", "refused"), error.value("hint", ""));
    }
    Answer answer;
    answer.data = answered.value("data", json::object());
    answer.text = fmt::format("'{}' is the {} plugin '{}': {}", file, answer.data.value("kind", ""), answer.data.value("id", ""), answer.data.value("summary", ""));
    return answer;
}

Result<Answer> checkPlugins(Session& session, const std::string& file, bool here) {
    if (!file.empty())
        return here ? checkPluginHere(file) : checkPluginFile(file);
    const auto& plugins = session.bench().plugins();
    if (!plugins.refused().empty())
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("{} of {} plugins are refused; the first: {}", plugins.refused().size(), plugins.refused().size() + plugins.all().size(), plugins.refused().front().reason),
                    fmt::format("Build '{}' again or take it out of the plugin folder.", plugins.refused().front().file));
    Answer answer;
    answer.text = fmt::format("{} plugins, all loaded.", plugins.all().size());
    answer.data = {{"loaded", plugins.all().size()}};
    return answer;
}

} // namespace

void addPluginCommands(CLI::App& app, Session& session) {
    auto* plugins = app.add_subcommand("plugins", "The plugins that fill the four places of a pipeline");
    plugins->require_subcommand(1);
    auto kind = std::make_shared<std::string>();
    auto* list = plugins->add_subcommand("list", "All plugins");
    list->add_option("--place", *kind, "Only those of one place")->check(CLI::IsMember({"feature", "encoder", "scorer", "controller"}));
    session.chosen(list, "plugins-list", [&session, kind] { return listPlugins(session, *kind); });
    auto id = std::make_shared<std::string>();
    auto* show = plugins->add_subcommand("show", "One plugin and its parameters");
    show->add_option("id", *id, "Plugin")->required();
    session.chosen(show, "plugins-show", [&session, id] { return showPlugin(session, *id); });
    auto file = std::make_shared<std::string>();
    auto here = std::make_shared<bool>(false);
    auto* check = plugins->add_subcommand("check", "Load a plugin module in a process of its own, or all of the plugin folder");
    check->add_option("file", *file, "Plugin module");
    check->add_flag("--here", *here, "In this process")->group("");
    session.chosen(check, "plugins-check", [&session, file, here] { return checkPlugins(session, *file, *here); });
}

} // namespace carousel::cli
