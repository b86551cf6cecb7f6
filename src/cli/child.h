// SPDX-License-Identifier: GPL-3.0-or-later
// A program run to its end, with what it printed.
#pragma once
#include "base/result.h"
#include <string>
#include <vector>

namespace carousel::cli {

struct ChildResult {
    int exit = 0, signal = 0; // signal 0: ended by itself
    bool timedOut = false;    // and was killed for it
    std::string out, err;
    double seconds = 0;
};
// `acksBeforeSignal` > 0: `signal` is sent once, when so many lines on stderr began with "ACK"; ending before that is no error.
Result<ChildResult> runChild(const std::vector<std::string>& words, double timeoutSeconds, int acksBeforeSignal = 0, int signal = 9);
std::string ownProgram();

} // namespace carousel::cli
