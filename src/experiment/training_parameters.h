// SPDX-License-Identifier: GPL-3.0-or-later
// The settings of what a strategy learns from a carousel log, for forms and for the reader of specifications: labels, help and ranges.
#pragma once
#include "experiment/specification.h"

namespace carousel {

const std::vector<ParameterSpec>& trainingParameters(); // clicks, examination, clip, logShare

} // namespace carousel
