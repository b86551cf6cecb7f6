// SPDX-License-Identifier: GPL-3.0-or-later
// "data.runs[0].state" in a JSON document, "size(data.runs)", and comparisons with a value that is written as text.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace carousel::cli {

std::optional<nlohmann::json> valueAt(const nlohmann::json& document, const std::string& path);
// how: == != < <= > >= contains. `text` is read as JSON; what is not JSON is a plain text.
bool holds(const nlohmann::json& value, const std::string& how, const std::string& text);

} // namespace carousel::cli
