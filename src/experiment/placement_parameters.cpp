// SPDX-License-Identifier: GPL-3.0-or-later
// Options of a placement study.
#include "experiment/placement_parameters.h"

namespace carousel {

namespace {
ParameterSpec option(std::string id, std::string label, ParameterKind kind, ParameterValue value, std::string help) {
    ParameterSpec spec;
    spec.id = std::move(id);
    spec.label = std::move(label);
    spec.kind = kind;
    spec.defaultValue = std::move(value);
    spec.help = std::move(help);
    return spec;
}
ParameterSpec within(ParameterSpec spec, double minimum, double maximum, std::string unit = {}) {
    spec.minimum = minimum;
    spec.maximum = maximum;
    spec.unit = std::move(unit);
    return spec;
}
} // namespace

std::vector<ParameterSpec> placementParameters() {
    using Kind = ParameterKind;
    return {within(option("users", "Users", Kind::integer, std::int64_t(40), "Drawn with the seed; the same for every strategy."), 2, 1e9, "users")};
}

} // namespace carousel
