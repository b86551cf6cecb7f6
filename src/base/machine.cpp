// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/machine.h"
#include "base/text.h"
#include <fstream>

namespace carousel {

std::string processorName() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (const auto colon = line.find(':'); startsWith(line, "model name") && colon != std::string::npos)
            return std::string(trimmed(std::string_view(line).substr(colon + 1)));
    return "unknown";
}

ProcessMemory processMemory() {
    ProcessMemory memory;
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) { // "VmRSS:     1234 kB"
        const auto colon = line.find(':');
        if (colon == std::string::npos || (!startsWith(line, "VmRSS") && !startsWith(line, "VmHWM")))
            continue;
        const auto words = split(trimmed(std::string_view(line).substr(colon + 1)), ' ');
        const std::int64_t bytes = parseInteger(words.front()).value_or(0) * 1024;
        (startsWith(line, "VmRSS") ? memory.residentBytes : memory.peakBytes) = bytes;
    }
    return memory;
}

} // namespace carousel
