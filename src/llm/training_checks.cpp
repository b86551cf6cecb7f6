// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/training_checks.h"
#include "base/text.h"
#include <algorithm>

namespace carousel {

Result<void> checkRanges(std::span<const SettingRange> ranges, const std::string& code) {
    for (const SettingRange& range : ranges)
        if (!(range.value >= range.minimum && range.value <= range.maximum))
            return fail(ErrorKind::usage, code, fmt::format("The {} is {}.", range.what, range.value),
                        fmt::format("Choose {} to {}.", range.minimum, range.maximum));
    return {};
}

Result<void> checkNameAndFolder(const std::string& what, const std::string& name, const std::string& folder, const std::string& code) {
    const auto named = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
    };
    if (name.empty() || name.size() > 100 || !std::all_of(name.begin(), name.end(), named))
        return fail(ErrorKind::usage, code, fmt::format("The {}'s name is '{}'.", what, quotedForMessage(name)),
                    "Use 1 to 100 letters, digits, '-', '_' and '.'.");
    if (folder.empty())
        return fail(ErrorKind::usage, code, fmt::format("No folder is given for the {}.", what), "Name a folder; it is made when it is not there.");
    return {};
}

} // namespace carousel
