// SPDX-License-Identifier: GPL-3.0-or-later
// The options of an A/B simulation and of the check of stopping rules, declared once: analysisParameters() returns them.
#pragma once
#include "base/parameters.h"

namespace carousel {

std::vector<ParameterSpec> abTestParameters();
std::vector<ParameterSpec> abCheckParameters();

} // namespace carousel
