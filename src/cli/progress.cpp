// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/progress.h"
#include "base/text.h"
#include <chrono>
#include <cstdio>
#include <mutex>
#include <unistd.h>

namespace carousel::cli {

namespace {
using Clock = std::chrono::steady_clock;
std::mutex mutex; // guards what follows; listeners are called from worker threads
bool drawn = false;
Clock::time_point lastLine;

std::string duration(double seconds) {
    const auto whole = static_cast<long long>(seconds + 0.5);
    if (whole < 60)
        return fmt::format("{} s", whole);
    if (whole < 3600)
        return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string lineOf(const Progress& progress) {
    std::string line = progress.stage;
    if (progress.total > 0)
        line += fmt::format(" {} of {} {}", withThousands(static_cast<std::int64_t>(progress.done)), withThousands(static_cast<std::int64_t>(progress.total)), progress.unit);
    else if (progress.done > 0)
        line += fmt::format(" {} {}", withThousands(static_cast<std::int64_t>(progress.done)), progress.unit);
    if (progress.perSecond > 0)
        line += fmt::format(", {}/s", threeFigures(progress.perSecond));
    if (progress.remainingSeconds > 0)
        line += fmt::format(", {} left", duration(progress.remainingSeconds));
    if (progress.fraction >= 0)
        line += fmt::format("  [{:.0f} % of all]", progress.fraction * 100);
    return line;
}
} // namespace

RunControl::Listener progressListener(bool quiet) {
    if (quiet)
        return {};
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    {
        std::scoped_lock lock(mutex);
        lastLine = Clock::now();
    }
    return [terminal](const Progress& progress) {
        std::scoped_lock lock(mutex);
        if (terminal) {
            std::fprintf(stderr, "\r\x1b[K%s", lineOf(progress).c_str());
            std::fflush(stderr);
            drawn = true;
            return;
        }
        const auto now = Clock::now();
        if (now - lastLine < std::chrono::seconds(5))
            return;
        lastLine = now;
        std::fprintf(stderr, "%s\n", lineOf(progress).c_str());
    };
}

void clearProgress() {
    std::scoped_lock lock(mutex);
    if (drawn)
        std::fprintf(stderr, "\r\x1b[K");
    drawn = false;
}

} // namespace carousel::cli
