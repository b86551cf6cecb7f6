// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/parameters.h"
#include "base/text.h"
#include <algorithm>
#include <cassert>
#include <cmath>

namespace carousel {

namespace {
const ParameterSpec* find(std::span<const ParameterSpec> specs, const std::string& id) {
    for (const auto& spec : specs)
        if (spec.id == id)
            return &spec;
    return nullptr;
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

const char* wanted(ParameterKind kind) {
    switch (kind) {
    case ParameterKind::boolean: return "true or false";
    case ParameterKind::integer: return "a whole number";
    case ParameterKind::number: return "a number";
    case ParameterKind::list: return "a list of texts";
    default: return "a text";
    }
}

Result<ParameterValue> checked(const ParameterSpec& spec, ParameterValue value, const std::string& owner) {
    auto wrongType = [&] {
        return fail(ErrorKind::input, "CL-3002", fmt::format("{}: parameter '{}' is '{}' but must be {}.", owner, spec.id, toText(value), wanted(spec.kind)),
                    fmt::format("Default: {}. {}", toText(spec.defaultValue), spec.help));
    };
    auto inChoices = [&](const std::string& text) { return spec.choices.empty() || std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end(); };
    auto notAChoice = [&](const std::string& text) {
        return fail(ErrorKind::input, "CL-3004", fmt::format("{}: parameter '{}' is '{}', which is not one of: {}.", owner, spec.id, text, joined(spec.choices)),
                    "Choose one of the listed values.");
    };
    switch (spec.kind) {
    case ParameterKind::boolean:
        if (!std::holds_alternative<bool>(value))
            return wrongType();
        break;
    case ParameterKind::integer:
    case ParameterKind::number: {
        if (spec.kind == ParameterKind::number && std::holds_alternative<std::int64_t>(value))
            value = static_cast<double>(std::get<std::int64_t>(value));
        if (spec.kind == ParameterKind::integer && !std::holds_alternative<std::int64_t>(value))
            return wrongType();
        if (spec.kind == ParameterKind::number && !std::holds_alternative<double>(value))
            return wrongType();
        const double x = spec.kind == ParameterKind::integer ? static_cast<double>(std::get<std::int64_t>(value)) : std::get<double>(value);
        if (!std::isfinite(x) || x < spec.minimum || x > spec.maximum)
            return fail(ErrorKind::input, "CL-3003",
                        fmt::format("{}: parameter '{}' is {} but must lie between {} and {}.", owner, spec.id, toText(value), spec.minimum, spec.maximum),
                        spec.help);
        break;
    }
    case ParameterKind::choice:
        if (!std::holds_alternative<std::string>(value))
            return wrongType();
        if (!inChoices(std::get<std::string>(value)))
            return notAChoice(std::get<std::string>(value));
        break;
    case ParameterKind::list:
        if (std::holds_alternative<std::string>(value))
            value = std::vector<std::string>{std::get<std::string>(value)};
        if (!std::holds_alternative<std::vector<std::string>>(value))
            return wrongType();
        for (const auto& entry : std::get<std::vector<std::string>>(value))
            if (!inChoices(entry))
                return notAChoice(entry);
        break;
    case ParameterKind::text:
    case ParameterKind::prompt:
    case ParameterKind::plugin:
        if (!std::holds_alternative<std::string>(value))
            return wrongType();
        break;
    }
    return value;
}
} // namespace

bool Parameters::boolean(const std::string& id) const { return std::get<bool>(m_values.at(id)); }
std::int64_t Parameters::integer(const std::string& id) const { return std::get<std::int64_t>(m_values.at(id)); }
double Parameters::number(const std::string& id) const { return std::get<double>(m_values.at(id)); }
const std::string& Parameters::text(const std::string& id) const { return std::get<std::string>(m_values.at(id)); }
const std::vector<std::string>& Parameters::list(const std::string& id) const { return std::get<std::vector<std::string>>(m_values.at(id)); }

Result<Parameters> validate(std::span<const ParameterSpec> specs, const Parameters& given, const std::string& owner) {
    std::vector<std::string> known;
    for (const auto& spec : specs)
        known.push_back(spec.id);
    for (const auto& [id, value] : given.values())
        if (!find(specs, id))
            return fail(ErrorKind::input, "CL-3001", fmt::format("{} has no parameter '{}'.", owner, id),
                        known.empty() ? "It takes no parameters." : "It knows: " + joined(known) + ".");
    Parameters out;
    for (const auto& spec : specs) {
        const auto it = given.values().find(spec.id);
        CAROUSEL_ASSIGN(auto value, checked(spec, it == given.values().end() ? spec.defaultValue : it->second, owner));
        out.set(spec.id, std::move(value));
    }
    return out;
}

Result<ParameterValue> parseParameter(const ParameterSpec& spec, const std::string& text, const std::string& owner) {
    ParameterValue value = text;
    switch (spec.kind) {
    case ParameterKind::boolean:
        if (text == "true" || text == "on" || text == "1")
            value = true;
        else if (text == "false" || text == "off" || text == "0")
            value = false;
        break;
    case ParameterKind::integer:
        if (const auto parsed = parseInteger(text))
            value = *parsed;
        break;
    case ParameterKind::number:
        if (const auto parsed = parseNumber(text))
            value = *parsed;
        break;
    case ParameterKind::list: {
        std::vector<std::string> words;
        for (const auto& word : split(text, ','))
            if (const auto t = trimmed(word); !t.empty())
                words.emplace_back(t);
        value = std::move(words);
        break;
    }
    default: break;
    }
    return checked(spec, std::move(value), owner);
}

std::string toText(const ParameterValue& value) {
    struct Visitor {
        std::string operator()(bool v) const { return v ? "true" : "false"; }
        std::string operator()(std::int64_t v) const { return std::to_string(v); }
        std::string operator()(double v) const { return fmt::format("{}", v); }
        std::string operator()(const std::string& v) const { return v; }
        std::string operator()(const std::vector<std::string>& v) const { return joined(v); }
    };
    return std::visit(Visitor{}, value);
}

} // namespace carousel
