// SPDX-License-Identifier: GPL-3.0-or-later
// One user's result as one cell: a version byte, exact float bits (a resumed run must give the same numbers) and a checksum.
#pragma once
#include "experiment/run_experiment.h"

namespace carousel::store {

std::string encoded(const UserResult& result); // without the trace, which has its own cell
// Empty when the bytes are damaged or of an unknown version.
std::optional<UserResult> decoded(std::string_view cell);
// A number that is not one must never be stored as if it were: CL-4012 naming user, item and the value.
Result<void> checkNumbers(const UserResult& result);

} // namespace carousel::store
