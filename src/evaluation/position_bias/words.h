// SPDX-License-Identifier: GPL-3.0-or-later
// Short forms for the sentences about a log: "positions 2 to 4 and 7", "95 %".
#pragma once
#include <string>
#include <vector>

namespace carousel::bias {

// 0-based slots, rising; empty: "no position".
std::string positions(const std::vector<std::size_t>& slots);
std::string percent(double share); // 0.95 -> "95 %"
std::string count(double n, const char* one, const char* many);

} // namespace carousel::bias
