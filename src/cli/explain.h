// SPDX-License-Identifier: GPL-3.0-or-later
// The command that explains recommendations in sentences.
#pragma once
#include "cli/session.h"

namespace carousel::cli {

void addExplainCommand(CLI::App& app, Session& session); // explain; see command_explain.cpp

} // namespace carousel::cli
