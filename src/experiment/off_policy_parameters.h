// SPDX-License-Identifier: GPL-3.0-or-later
// The options of an off-policy evaluation, declared once: analysisParameters(AnalysisKind::offPolicy) returns them.
#pragma once
#include "base/parameters.h"

namespace carousel {

std::vector<ParameterSpec> offPolicyParameters();

} // namespace carousel
