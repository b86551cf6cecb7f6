// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/strict_json.h"
#include "base/file.h"
#include "base/text.h"
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

namespace carousel {

namespace {

constexpr int nestingLimit = 64;

tl::unexpected<Error> refuseFile(const std::string& path, const std::string& what) {
    return fail(ErrorKind::input, "CL-2040", fmt::format("'{}': {}.", path, what),
                "The file is damaged or of a model that this program does not know; fetch it again or choose another model.");
}

} // namespace

Result<StrictJson> StrictJson::read(const std::string& path, std::size_t largestBytes) {
    if (!fileExists(path))
        return refuseFile(path, "the file is not there, and the model cannot be read without it");
    CAROUSEL_ASSIGN(const std::string bytes, readFile(path, largestBytes));
    return parse(bytes, path);
}

Result<StrictJson> StrictJson::parse(std::string_view bytes, const std::string& path) {
    if (const auto bad = firstInvalidUtf8(bytes); bad != std::string_view::npos)
        return refuseFile(path, fmt::format("byte {} is not valid UTF-8", bad));
    if (const auto nul = bytes.find('\0'); nul != std::string_view::npos)
        return refuseFile(path, fmt::format("byte {} is NUL", nul));
    std::vector<std::unordered_set<std::string>> keys; // one set for each open object
    std::string problem;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        using Event = nlohmann::json::parse_event_t;
        if (depth > nestingLimit && problem.empty())
            problem = fmt::format("it is nested deeper than {} levels", nestingLimit);
        if (event == Event::object_start)
            keys.emplace_back();
        else if (event == Event::object_end && !keys.empty())
            keys.pop_back();
        else if (event == Event::key && !keys.empty() && !keys.back().insert(value.get<std::string>()).second && problem.empty())
            problem = fmt::format("the key '{}' comes twice", quotedForMessage(value.get<std::string>()));
        return problem.empty(); // what follows a problem is dropped, so that it takes no memory
    };
    auto root = nlohmann::json::parse(bytes.begin(), bytes.end(), watch, false);
    if (!problem.empty())
        return refuseFile(path, problem);
    if (!root.is_object())
        return refuseFile(path, "it is not a JSON object");
    StrictJson result;
    result.m_path = path;
    result.m_root = std::make_shared<const nlohmann::json>(std::move(root));
    return result;
}

tl::unexpected<Error> StrictJson::refuse(const std::string& what) const {
    return refuseFile(m_path, what);
}

const nlohmann::json* StrictJson::find(std::string_view field) const {
    const nlohmann::json* at = m_root.get();
    for (const auto part : split(field, '.')) {
        if (!at->is_object())
            return nullptr;
        const auto found = at->find(std::string(part));
        if (found == at->end() || found->is_null())
            return nullptr;
        at = &*found;
    }
    return at;
}

bool StrictJson::has(std::string_view field) const {
    return find(field) != nullptr;
}

std::string StrictJson::shown(std::string_view field) const {
    const auto* found = find(field);
    return found ? quotedForMessage(found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), 80) : "absent";
}

Result<std::int64_t> StrictJson::integer(std::string_view field, std::int64_t minimum, std::int64_t maximum) const {
    const auto* found = find(field);
    if (!found || !found->is_number_integer())
        return refuse(fmt::format("'{}' is {}; an integer from {} to {} is expected", field, shown(field), minimum, maximum));
    const bool large = found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
    const auto value = large ? INT64_MAX : found->get<std::int64_t>();
    if (large || value < minimum || value > maximum)
        return refuse(fmt::format("'{}' is {}; {} to {} is allowed", field, shown(field), minimum, maximum));
    return value;
}

Result<double> StrictJson::number(std::string_view field, double minimum, double maximum) const {
    const auto* found = find(field);
    const double value = found && found->is_number() ? found->get<double>() : std::nan("");
    if (!(value >= minimum && value <= maximum))
        return refuse(fmt::format("'{}' is {}; a number from {} to {} is expected", field, shown(field), minimum, maximum));
    return value;
}

Result<bool> StrictJson::boolean(std::string_view field) const {
    const auto* found = find(field);
    if (!found || !found->is_boolean())
        return refuse(fmt::format("'{}' is {}; true or false is expected", field, shown(field)));
    return found->get<bool>();
}

Result<std::string> StrictJson::text(std::string_view field) const {
    const auto* found = find(field);
    if (!found || !found->is_string())
        return refuse(fmt::format("'{}' is {}; a text is expected", field, shown(field)));
    return found->get<std::string>();
}

Result<std::map<std::string, std::string>> StrictJson::texts(std::string_view field) const {
    const auto* found = find(field);
    if (!found || !found->is_object())
        return refuse(fmt::format("'{}' is {}; an object of texts is expected", field, found ? found->type_name() : "absent"));
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : found->items()) {
        if (!value.is_string())
            return refuse(fmt::format("'{}' of '{}' is not a text", quotedForMessage(key), field));
        all.emplace(key, value.get<std::string>());
    }
    return all;
}

Result<std::int64_t> StrictJson::integerOr(std::string_view field, std::int64_t minimum, std::int64_t maximum,
                                           std::int64_t otherwise) const {
    return has(field) ? integer(field, minimum, maximum) : Result<std::int64_t>(otherwise);
}
Result<double> StrictJson::numberOr(std::string_view field, double minimum, double maximum, double otherwise) const {
    return has(field) ? number(field, minimum, maximum) : Result<double>(otherwise);
}
Result<bool> StrictJson::booleanOr(std::string_view field, bool otherwise) const {
    return has(field) ? boolean(field) : Result<bool>(otherwise);
}
Result<std::string> StrictJson::textOr(std::string_view field, const std::string& otherwise) const {
    return has(field) ? text(field) : Result<std::string>(otherwise);
}

} // namespace carousel
