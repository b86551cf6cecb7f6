// SPDX-License-Identifier: GPL-3.0-or-later
// Progress on stderr: one line that is redrawn on a terminal, else a line every five seconds.
#pragma once
#include "base/run_control.h"

namespace carousel::cli {

RunControl::Listener progressListener(bool quiet);
void clearProgress(); // before anything else is printed

} // namespace carousel::cli
