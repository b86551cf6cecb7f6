// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/lora_settings.h"
#include "base/text.h"
#include <algorithm>

namespace carousel {

namespace {
constexpr const char* moduleHint = "Name some of q, k, v, o, gate, up, down, separated by commas, or all.";
}

bool LoraSettings::has(LoraModule module) const {
    return std::find(modules.begin(), modules.end(), module) != modules.end();
}

Result<std::vector<LoraModule>> parseLoraModules(const std::string& text) {
    std::vector<LoraModule> out;
    if (text == "all") {
        for (const auto& known : loraModules)
            out.push_back(known.module);
        return out;
    }
    for (const auto field : split(text, ',')) {
        const auto wanted = trimmed(field);
        const auto known =
            std::find_if(loraModules.begin(), loraModules.end(), [&](const LoraModuleName& name) { return wanted == name.shortName; });
        if (known == loraModules.end())
            return fail(ErrorKind::usage, "CL-2140", fmt::format("'{}' is no matrix that can be adapted.", quotedForMessage(wanted)),
                        moduleHint);
        if (std::find(out.begin(), out.end(), known->module) != out.end())
            return fail(ErrorKind::usage, "CL-2140", fmt::format("The matrix '{}' is named twice.", wanted), moduleHint);
        out.push_back(known->module);
    }
    std::sort(out.begin(), out.end());
    return out;
}

Result<void> checkLora(const LoraSettings& settings) {
    const auto refuse = [](const std::string& what, const char* hint) { return fail(ErrorKind::usage, "CL-2140", what, hint); };
    if (settings.rank < 1 || settings.rank > 256)
        return refuse(fmt::format("The rank of the adapter is {}.", settings.rank), "Choose 1 to 256; 8 is usual.");
    if (!(settings.alpha > 0) || settings.alpha > 1e6)
        return refuse(fmt::format("The alpha of the adapter is {}.", settings.alpha), "Choose a number above 0; twice the rank is usual.");
    if (!(settings.dropout >= 0) || settings.dropout >= 1)
        return refuse(fmt::format("The dropout of the adapter is {}.", settings.dropout), "Choose 0 to below 1; 0.05 is usual.");
    if (settings.modules.empty())
        return refuse("The adapter changes no matrix.", moduleHint);
    auto sorted = settings.modules;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        return refuse("A matrix of the adapter is named twice.", moduleHint);
    return {};
}

} // namespace carousel
