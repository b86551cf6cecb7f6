// SPDX-License-Identifier: GPL-3.0-or-later
// A plugin: one file that describes itself and makes one stage. Adding one: copy a .cpp, change id, parameters and class, and add its
// name to plugins/CMakeLists.txt. Reading a manifest has no side effects and loads no model.
#pragma once
#include "stages/stage.h"

namespace carousel {

constexpr int pluginApiVersion = 1;

struct PluginManifest {
    int apiVersion = pluginApiVersion;
    StageKind kind = StageKind::scorer;
    std::string id, name, summary; // id: lower_snake, unique per kind
    std::string source;            // where the method comes from: paper, equation, or "ours"
    bool usesLanguageModel = false;
    bool modelInFitAlone = false;  // with usesLanguageModel: only fit() asks it, so that scoring is plain, over the whole catalogue as well
    std::string twin;              // the plugin that the one-click LLM switch puts in its place (plain <-> LLM); empty: none
    std::vector<ParameterSpec> parameters;
    // Exactly one is set, the one of `kind`. Parameters have been through validate().
    std::function<Result<std::unique_ptr<FeatureBuilder>>(const Parameters&, const StageEnvironment&)> createFeature;
    std::function<Result<std::unique_ptr<Encoder>>(const Parameters&, const StageEnvironment&)> createEncoder;
    std::function<Result<std::unique_ptr<Scorer>>(const Parameters&, const StageEnvironment&)> createScorer;
    std::function<Result<std::unique_ptr<Controller>>(const Parameters&, const StageEnvironment&)> createController;
};

struct PluginEntry {
    PluginManifest manifest;
    std::string file, sha256; // "(built in)" and empty when linked in
};
struct RefusedPlugin {
    std::string file, reason;
};

// All plugins of this process. Filled once at start; then read-only and safe from any thread.
class PluginRegistry {
public:
    // Linked-in plugins, or the modules of pluginFolder(). A module that fails to load is listed in refused() with its reason.
    static PluginRegistry load();
    static PluginRegistry loadFrom(const std::string& folder);
    Result<const PluginEntry*> find(StageKind kind, const std::string& id) const; // CL-6001 naming the known ids
    const std::vector<PluginEntry>& all() const { return m_entries; }             // sorted by kind, then id
    const std::vector<RefusedPlugin>& refused() const { return m_refused; }
    // CL-6002 wrong API version (both numbers), CL-6003 duplicate id, CL-6004 no or broken manifest
    Result<void> add(PluginManifest manifest, const std::string& file, const std::string& sha256 = {});

private:
    std::vector<PluginEntry> m_entries;
    std::vector<RefusedPlugin> m_refused;
};

// StageEnvironment::plainScorer over these plugins, which outlive what is returned. Errors: CL-6001 unknown, CL-6060 when the scorer needs a
// language model or a retriever of its own.
std::function<Result<std::unique_ptr<Scorer>>(const std::string&)> plainScorers(const PluginRegistry& plugins, StageEnvironment environment);

// StageEnvironment::otherScorer over these plugins, which outlive what is returned; scorers so made get plainScorer and no otherScorer.
// Errors: CL-6001 unknown plugin, CL-3001..CL-3004 for what is set.
std::function<Result<std::unique_ptr<Scorer>>(const std::string&, const Parameters&)> otherScorers(const PluginRegistry& plugins,
                                                                                                   StageEnvironment environment);

} // namespace carousel

// Put once at the end of a plugin's file: CAROUSEL_PLUGIN(manifest) where `manifest` is a function returning PluginManifest.
// CAROUSEL_PLUGIN_NAME is set by plugins/CMakeLists.txt; modules export carousel_plugin, linked-in plugins carousel_plugin_<name>.
#define CAROUSEL_PASTE_(a, b) a##b
#define CAROUSEL_PASTE(a, b) CAROUSEL_PASTE_(a, b)
#ifdef CAROUSEL_PLUGIN_MODULE
#define CAROUSEL_PLUGIN(function)                                                                                                          \
    extern "C" int carousel_plugin_api() { return ::carousel::pluginApiVersion; }                                                          \
    extern "C" void carousel_plugin(::carousel::PluginManifest* out) { *out = function(); }
#else
#define CAROUSEL_PLUGIN(function)                                                                                                          \
    extern "C" void CAROUSEL_PASTE(carousel_plugin_, CAROUSEL_PLUGIN_NAME)(::carousel::PluginManifest * out) { *out = function(); }
#endif
