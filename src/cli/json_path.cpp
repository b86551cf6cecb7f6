// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/json_path.h"
#include "base/text.h"

namespace carousel::cli {

using nlohmann::json;

std::optional<json> valueAt(const json& document, const std::string& path) {
    if (startsWith(path, "size(") && path.back() == ')') {
        const auto value = valueAt(document, path.substr(5, path.size() - 6));
        return value ? std::optional<json>(value->size()) : std::nullopt;
    }
    const json* at = &document;
    for (const auto part : split(path, '.')) {
        const auto bracket = part.find('[');
        if (const std::string key(part.substr(0, bracket)); !key.empty()) {
            if (!at->is_object() || !at->contains(key))
                return std::nullopt;
            at = &(*at)[key];
        }
        for (auto open = bracket; open != std::string_view::npos; open = part.find('[', open + 1)) {
            const auto close = part.find(']', open);
            if (close == std::string_view::npos)
                return std::nullopt;
            const auto index = parseInteger(part.substr(open + 1, close - open - 1));
            if (!index || !at->is_array() || *index < 0 || static_cast<std::size_t>(*index) >= at->size())
                return std::nullopt;
            at = &(*at)[static_cast<std::size_t>(*index)];
        }
    }
    return *at;
}

bool holds(const json& value, const std::string& how, const std::string& text) {
    json expected = json::parse(text, nullptr, false);
    if (expected.is_discarded())
        expected = text;
    if (how == "==")
        return value == expected;
    if (how == "!=")
        return value != expected;
    if (how == "contains")
        return value.is_string() && value.get<std::string>().find(expected.is_string() ? expected.get<std::string>() : text) != std::string::npos;
    if (!value.is_number() || !expected.is_number())
        return false;
    const double a = value, b = expected;
    return (how == "<" && a < b) || (how == "<=" && a <= b) || (how == ">" && a > b) || (how == ">=" && a >= b);
}

} // namespace carousel::cli
