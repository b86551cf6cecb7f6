// SPDX-License-Identifier: GPL-3.0-or-later
// The options that say who visits in a simulation and what they do, common to every analysis that simulates.
#pragma once
#include "base/parameters.h"

namespace carousel {

std::vector<ParameterSpec> simulationParameters();

} // namespace carousel
