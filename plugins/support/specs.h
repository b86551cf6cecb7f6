// SPDX-License-Identifier: GPL-3.0-or-later
// Short forms in which plugins declare their parameters.
#pragma once
#include "base/parameters.h"

namespace carousel::plugin {

inline ParameterSpec flag(std::string id, std::string label, bool value, std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id), spec.label = std::move(label), spec.help = std::move(help);
    spec.kind = ParameterKind::boolean;
    spec.defaultValue = value;
    return spec;
}

inline ParameterSpec integer(std::string id, std::string label, std::int64_t value, double minimum, double maximum, std::string unit,
                             std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id), spec.label = std::move(label), spec.unit = std::move(unit), spec.help = std::move(help);
    spec.kind = ParameterKind::integer;
    spec.defaultValue = value;
    spec.minimum = minimum, spec.maximum = maximum;
    return spec;
}

inline ParameterSpec number(std::string id, std::string label, double value, double minimum, double maximum, std::string unit,
                            std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id), spec.label = std::move(label), spec.unit = std::move(unit), spec.help = std::move(help);
    spec.kind = ParameterKind::number;
    spec.defaultValue = value;
    spec.minimum = minimum, spec.maximum = maximum;
    return spec;
}

inline ParameterSpec text(std::string id, std::string label, std::string value, std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id), spec.label = std::move(label), spec.help = std::move(help);
    spec.kind = ParameterKind::text;
    spec.defaultValue = std::move(value);
    return spec;
}

inline ParameterSpec prompt(std::string id, std::string label, std::string value, std::string help) {
    auto spec = text(std::move(id), std::move(label), std::move(value), std::move(help));
    spec.kind = ParameterKind::prompt;
    return spec;
}

inline ParameterSpec choice(std::string id, std::string label, std::vector<std::string> choices, std::string value, std::string help) {
    auto spec = text(std::move(id), std::move(label), std::move(value), std::move(help));
    spec.kind = ParameterKind::choice;
    spec.choices = std::move(choices);
    return spec;
}

// An item attribute of the data set at hand; the empty text means "chosen by the plugin".
inline ParameterSpec dataField(std::string id, std::string label, std::string help) {
    auto spec = text(std::move(id), std::move(label), "", std::move(help));
    spec.fromDataFields = true;
    return spec;
}

inline ParameterSpec dataFields(std::string id, std::string label, std::string help) {
    auto spec = text(std::move(id), std::move(label), "", std::move(help));
    spec.kind = ParameterKind::list;
    spec.defaultValue = std::vector<std::string>{};
    spec.fromDataFields = true;
    return spec;
}

inline ParameterSpec texts(std::string id, std::string label, std::string help) {
    auto spec = dataFields(std::move(id), std::move(label), std::move(help));
    spec.fromDataFields = false;
    return spec;
}

inline ParameterSpec scorerPlugin(std::string id, std::string label, std::string value, std::string help) {
    auto spec = text(std::move(id), std::move(label), std::move(value), std::move(help));
    spec.kind = ParameterKind::plugin;
    spec.pluginKind = "scorer";
    return spec;
}

inline ParameterSpec languageModel(std::string value,
                                   std::string help = "The model to ask; see the list of models for those that are there.") {
    return text("model", "Language model", std::move(value), std::move(help));
}

} // namespace carousel::plugin
