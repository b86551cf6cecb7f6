// SPDX-License-Identifier: GPL-3.0-or-later
// What a measurement must name so that it can be compared: the processor, and the memory this process holds.
#pragma once
#include <cstdint>
#include <string>

namespace carousel {

std::string processorName(); // "Intel(R) Xeon(R) ...", "unknown" where the system does not say

struct ProcessMemory {
    std::int64_t residentBytes = 0, peakBytes = 0; // 0 where the system does not say
};
ProcessMemory processMemory();
double processorSeconds(); // that this process has used, all threads

} // namespace carousel
