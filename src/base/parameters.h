// SPDX-License-Identifier: GPL-3.0-or-later
// One ParameterSpec yields the form in the window, `--set scorer.halfLifeDays=14`, validation and the parameter table in reports.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace carousel {

enum class ParameterKind {
    boolean, // bool
    integer, // int64
    number,  // double
    text,    // std::string
    choice,  // std::string, one of `choices`
    list,    // std::vector<std::string>; when `choices` is not empty, each entry is one of them
    prompt,  // std::string shown in the prompt editor with a preview
    plugin   // std::string, id of another plugin of kind `pluginKind` (for example a scorer's retriever)
};

using ParameterValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct ParameterSpec {
    std::string id;      // camelCase, unique in its plugin
    std::string label;   // for people
    ParameterKind kind = ParameterKind::number;
    ParameterValue defaultValue;
    std::string help;    // one sentence: what it does and when to change it
    double minimum = -1e300, maximum = 1e300; // for integer and number, inclusive
    std::vector<std::string> choices;
    std::string unit;    // "items", "days"; empty when none
    std::string pluginKind; // for kind plugin: "feature", "encoder", "scorer", "controller"
    bool fromDataFields = false; // text or list whose choices are the item attributes of the data set at hand
};

// Parameter values by id; ordered, so that two equal sets print and hash alike.
class Parameters {
public:
    bool has(const std::string& id) const { return m_values.count(id) != 0; }
    void set(const std::string& id, ParameterValue value) { m_values[id] = std::move(value); }
    void erase(const std::string& id) { m_values.erase(id); }
    // The typed getters assert that `validated` has been through validate(): the id exists with that type.
    bool boolean(const std::string& id) const;
    std::int64_t integer(const std::string& id) const;
    double number(const std::string& id) const;
    const std::string& text(const std::string& id) const;
    const std::vector<std::string>& list(const std::string& id) const;
    const std::map<std::string, ParameterValue>& values() const { return m_values; }
    bool operator==(const Parameters&) const = default;

private:
    std::map<std::string, ParameterValue> m_values;
};

// Fills defaults, converts int to double where a number is asked, checks ranges and choices, refuses unknown ids (CL-3001..CL-3004,
// naming `owner`, the id, the value given and what is allowed).
Result<Parameters> validate(std::span<const ParameterSpec> specs, const Parameters& given, const std::string& owner);
// Reads "14", "true", "a,b,c" as the kind of `spec` asks (for --set and forms).
Result<ParameterValue> parseParameter(const ParameterSpec& spec, const std::string& text, const std::string& owner);
std::string toText(const ParameterValue& value);

} // namespace carousel
