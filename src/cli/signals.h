// SPDX-License-Identifier: GPL-3.0-or-later
// The first SIGINT or SIGTERM asks for a stop (the batch is finished and saved), the second leaves at once.
#pragma once
#include <stop_token>

namespace carousel::cli {

std::stop_token stopOnSignals(); // installs the handlers at the first call
int stopSignal();                // the signal that asked for the stop, 0: none

} // namespace carousel::cli
