// SPDX-License-Identifier: GPL-3.0-or-later
// replay REPORT; see command_replay.cpp.
#pragma once
#include "cli/session.h"

namespace carousel::cli {

void addReplayCommand(CLI::App& app, Session& session);

} // namespace carousel::cli
