// SPDX-License-Identifier: GPL-3.0-or-later
// A secret from the standard input: typed at a terminal without echo, or the first line of what is piped in.
#pragma once
#include "base/result.h"

namespace carousel::cli {

// `question` goes to stderr, and only where a person types. The line's end is not part of the secret; whoever takes it wipes it.
// CL-2103: nothing came, or more than 4096 bytes.
Result<std::string> readSecret(const std::string& question);

} // namespace carousel::cli
