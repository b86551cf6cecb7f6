// SPDX-License-Identifier: GPL-3.0-or-later
// The options of a placement study, declared once: analysisParameters() returns them.
#pragma once
#include "base/parameters.h"

namespace carousel {

std::vector<ParameterSpec> placementParameters();

} // namespace carousel
