// SPDX-License-Identifier: GPL-3.0-or-later
// What a scorer may see, and the order in which it shows what it sees.
#pragma once
#include "report.h"
#include "stages/plugin.h"

namespace carousel::conformance {

void checkLabels(const PluginRegistry& registry, Report& report);
void checkShuffling(const PluginRegistry& registry, Report& report);

} // namespace carousel::conformance
