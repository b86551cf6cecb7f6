// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/paths.h"
#include <cstdlib>
#include <filesystem>

namespace carousel {

namespace fs = std::filesystem;

namespace {
std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}
std::string userData(const char* leaf) {
    std::string base = environment("XDG_DATA_HOME");
    if (base.empty())
        base = environment("HOME") + "/.local/share";
    return base + "/carousel-lab/" + leaf;
}
} // namespace

std::string programFolder() {
    std::error_code error;
    const auto program = fs::read_symlink("/proc/self/exe", error);
    return error ? "." : program.parent_path().string();
}

std::string modelFolder() {
    const auto set = environment("CAROUSEL_LAB_MODELS");
    return set.empty() ? userData("models") : set;
}

std::string dataFolder() {
    const auto set = environment("CAROUSEL_LAB_DATA");
    return set.empty() ? userData("data") : set;
}

std::string sampleDataFolder() {
    if (const auto set = environment("CAROUSEL_LAB_SAMPLE_DATA"); !set.empty())
        return set;
    const fs::path installed = fs::path(programFolder()) / "../share/carousel-lab/sample_data";
    std::error_code error;
    if (fs::exists(installed, error))
        return fs::weakly_canonical(installed, error).string();
    for (fs::path folder = programFolder(); !folder.empty(); folder = folder.parent_path()) {
        if (fs::exists(folder / "sample_data/SOURCE.md", error))
            return (folder / "sample_data").string();
        if (folder == folder.parent_path())
            break;
    }
    return "sample_data";
}

std::string endpointFile() {
    if (const auto set = environment("CAROUSEL_LAB_ENDPOINTS"); !set.empty())
        return set;
    std::string base = environment("XDG_CONFIG_HOME");
    if (base.empty())
        base = environment("HOME") + "/.config";
    return base + "/carousel-lab/endpoints.toml";
}

std::string cacheFolder() {
    if (const auto set = environment("CAROUSEL_LAB_CACHE"); !set.empty())
        return set;
    std::string base = environment("XDG_CACHE_HOME");
    if (base.empty())
        base = environment("HOME") + "/.cache";
    return base + "/carousel-lab";
}

std::string moduleFolder() {
    std::error_code error;
    for (const char* leaf : {"../lib/carousel-lab", "../lib"}) {
        const auto folder = fs::path(programFolder()) / leaf;
        if (fs::exists(folder, error))
            return fs::weakly_canonical(folder, error).string();
    }
    return programFolder();
}

std::string pluginFolder() {
    const auto set = environment("CAROUSEL_LAB_PLUGINS");
    return set.empty() ? moduleFolder() + "/plugins" : set;
}

} // namespace carousel
