// SPDX-License-Identifier: GPL-3.0-or-later
// Finds the plugins: linked into the program, or loadable modules of one folder. A module stays loaded for the life of the process,
// because manifests hold functions of it.
#include "base/hash.h"
#include "base/paths.h"
#include "base/text.h"
#include "stages/plugin.h"
#include <algorithm>
#include <dlfcn.h>
#include <filesystem>

#ifdef CAROUSEL_PLUGINS_LINKED
// Written by plugins/CMakeLists.txt: calls `use` with the manifest function of every linked-in plugin.
extern "C" void carousel_linked_plugins(void (*use)(void* context, void (*manifest)(::carousel::PluginManifest*)), void* context);
#endif

namespace carousel {

namespace fs = std::filesystem;

namespace {
bool isLowerSnake(const std::string& id) {
    return !id.empty() && id[0] >= 'a' && id[0] <= 'z' &&
           std::all_of(id.begin(), id.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

const char* faultOf(const PluginManifest& manifest) {
    if (!isLowerSnake(manifest.id))
        return "its id is not lower_snake";
    if (manifest.name.empty() || manifest.summary.empty())
        return "its name or summary is empty";
    const int kind = static_cast<int>(manifest.kind);
    if (kind < 0 || kind > 3)
        return "its kind is not one of feature, encoder, scorer, controller";
    const bool makes[] = {bool(manifest.createFeature), bool(manifest.createEncoder), bool(manifest.createScorer),
                          bool(manifest.createController)};
    if (std::count(std::begin(makes), std::end(makes), true) != 1 || !makes[kind])
        return "it must set exactly one create function, the one of its kind";
    for (std::size_t i = 0; i < manifest.parameters.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (manifest.parameters[i].id == manifest.parameters[j].id)
                return "two of its parameters have the same id";
    return nullptr;
}

// Loads one module and asks it for its manifest; everything that can go wrong is an Error with a reason for people.
Result<PluginManifest> manifestOf(const std::string& file) {
    void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        const char* reason = dlerror();
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("{} cannot be loaded: {}.", file, reason ? reason : "no reason given"),
                    "Rebuild the plugin against this version of the program.");
    }
    using Api = int (*)();
    using Fill = void (*)(PluginManifest*);
    const auto api = reinterpret_cast<Api>(dlsym(module, "carousel_plugin_api"));
    const auto fill = reinterpret_cast<Fill>(dlsym(module, "carousel_plugin"));
    if (!api || !fill) {
        dlclose(module);
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("{} is not a plugin: it exports no manifest.", file),
                    "End the plugin's source file with CAROUSEL_PLUGIN(manifest).");
    }
    // Asked before the manifest is read: with another version its layout may differ.
    if (const int version = api(); version != pluginApiVersion) {
        dlclose(module);
        return fail(ErrorKind::plugin, "CL-6002",
                    fmt::format("{} was built for plugin API version {}, this program has version {}.", file, version, pluginApiVersion),
                    "Rebuild the plugin against this version of the program.");
    }
    PluginManifest manifest;
    try {
        fill(&manifest);
    } catch (const std::exception& error) {
        return fail(ErrorKind::plugin, "CL-6004", fmt::format("{} failed while describing itself: {}.", file, error.what()),
                    "A manifest must not do any work; see an existing plugin.");
    }
    return manifest;
}
} // namespace

Result<void> PluginRegistry::add(PluginManifest manifest, const std::string& file, const std::string& sha256) {
    if (manifest.apiVersion != pluginApiVersion)
        return fail(ErrorKind::plugin, "CL-6002",
                    fmt::format("{} ({}) was built for plugin API version {}, this program has version {}.", quotedForMessage(manifest.id),
                                file, manifest.apiVersion, pluginApiVersion),
                    "Rebuild the plugin against this version of the program.");
    if (const char* fault = faultOf(manifest))
        return fail(ErrorKind::plugin, "CL-6004",
                    fmt::format("The manifest of '{}' ({}) is refused: {}.", quotedForMessage(manifest.id), file, fault),
                    "Compare it with an existing plugin of the same kind.");
    for (const auto& entry : m_entries)
        if (entry.manifest.kind == manifest.kind && entry.manifest.id == manifest.id)
            return fail(ErrorKind::plugin, "CL-6003",
                        fmt::format("Two {} plugins have the id '{}': {} and {}.", name(manifest.kind), manifest.id, entry.file, file),
                        "Remove one of the two files or give it another id.");
    const auto place = std::find_if(m_entries.begin(), m_entries.end(), [&](const PluginEntry& entry) {
        return std::pair(entry.manifest.kind, entry.manifest.id) > std::pair(manifest.kind, manifest.id);
    });
    m_entries.insert(place, {std::move(manifest), file, sha256});
    return {};
}

Result<const PluginEntry*> PluginRegistry::find(StageKind kind, const std::string& id) const {
    std::vector<std::string> known;
    for (const auto& entry : m_entries) {
        if (entry.manifest.kind != kind)
            continue;
        if (entry.manifest.id == id)
            return &entry;
        known.push_back(entry.manifest.id);
    }
    return fail(ErrorKind::plugin, "CL-6001", fmt::format("There is no {} plugin '{}'.", name(kind), quotedForMessage(id)),
                known.empty() ? fmt::format("No {} plugin is loaded: check the plugin folder {}.", name(kind), pluginFolder())
                              : fmt::format("Loaded {} plugins: {}.", name(kind), fmt::join(known, ", ")));
}

PluginRegistry PluginRegistry::loadFrom(const std::string& folder) {
    PluginRegistry registry;
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (it->path().extension() == ".so")
            files.push_back(it->path().string());
    if (error)
        registry.m_refused.push_back({folder, fmt::format("The plugin folder cannot be read: {}.", error.message())});
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        auto manifest = manifestOf(file);
        const auto added = manifest ? registry.add(std::move(*manifest), file, sha256File(file).value_or(std::string{}))
                                    : Result<void>(tl::unexpected(std::move(manifest.error())));
        if (!added)
            registry.m_refused.push_back({file, describe(added.error())});
    }
    return registry;
}

PluginRegistry PluginRegistry::load() {
#ifdef CAROUSEL_PLUGINS_LINKED
    PluginRegistry registry;
    carousel_linked_plugins(
        [](void* context, void (*fill)(PluginManifest*)) {
            auto& into = *static_cast<PluginRegistry*>(context);
            PluginManifest manifest;
            fill(&manifest);
            if (const auto added = into.add(std::move(manifest), "(built in)"); !added)
                into.m_refused.push_back({"(built in)", describe(added.error())});
        },
        &registry);
    return registry;
#else
    return loadFrom(pluginFolder());
#endif
}

std::function<Result<std::unique_ptr<Scorer>>(const std::string&)> plainScorers(const PluginRegistry& plugins,
                                                                                StageEnvironment environment) {
    environment.plainScorer = nullptr;
    environment.otherScorer = nullptr;
    return [&plugins, environment = std::move(environment)](const std::string& id) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(const auto* entry, plugins.find(StageKind::scorer, id));
        const auto refused = [&](const char* why) {
            return fail(ErrorKind::input, "CL-6060", fmt::format("The scorer '{}' cannot be a part of another one: it needs {}.", id, why),
                        "Choose a plain scorer such as sequence_rules.");
        };
        if (entry->manifest.usesLanguageModel)
            return refused("a language model");
        CAROUSEL_ASSIGN(const auto defaults, validate(entry->manifest.parameters, {}, "scorer '" + id + "'"));
        CAROUSEL_ASSIGN(auto made, entry->manifest.createScorer(defaults, environment));
        if (made->retriever())
            return refused("a retriever of its own");
        return made;
    };
}

std::function<Result<std::unique_ptr<Scorer>>(const std::string&, const Parameters&)> otherScorers(const PluginRegistry& plugins,
                                                                                                   StageEnvironment environment) {
    environment.otherScorer = nullptr;
    return [&plugins, environment = std::move(environment)](const std::string& id,
                                                            const Parameters& set) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(const auto* entry, plugins.find(StageKind::scorer, id));
        CAROUSEL_ASSIGN(const auto parameters, validate(entry->manifest.parameters, set, "scorer '" + id + "'"));
        return entry->manifest.createScorer(parameters, environment);
    };
}

} // namespace carousel
