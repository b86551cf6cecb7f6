// SPDX-License-Identifier: GPL-3.0-or-later
// Short ways to declare parameters: options of analyses, fields of an endpoint.
#pragma once
#include "base/parameters.h"

namespace carousel {

inline ParameterSpec option(std::string id, std::string label, ParameterKind kind, ParameterValue value, std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id);
    spec.label = std::move(label);
    spec.kind = kind;
    spec.defaultValue = std::move(value);
    spec.help = std::move(help);
    return spec;
}
inline ParameterSpec within(ParameterSpec spec, double minimum, double maximum, std::string unit = {}) {
    spec.minimum = minimum;
    spec.maximum = maximum;
    spec.unit = std::move(unit);
    return spec;
}
inline ParameterSpec oneOf(ParameterSpec spec, std::vector<std::string> choices) {
    spec.choices = std::move(choices);
    return spec;
}

} // namespace carousel
