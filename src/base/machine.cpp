// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/machine.h"
#include "base/text.h"
#include <fstream>
#include <sys/resource.h>

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

double processorSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace carousel
