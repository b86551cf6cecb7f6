// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/parallel.h"
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace carousel {

int threadCount() {
    static const int count = [] {
        if (const char* text = std::getenv("CAROUSEL_LAB_THREADS"))
            if (const int n = std::atoi(text); n > 0)
                return n;
        return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }();
    return count;
}

void letIdleWorkersSleep() {
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    ::setenv("GOMP_SPINCOUNT", idleWorkerSpins, 0);
}

void parallelFor(std::size_t n, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body) {
    grain = std::max<std::size_t>(grain, 1);
    const std::size_t chunks = (n + grain - 1) / grain;
    const std::size_t workers = std::min<std::size_t>(static_cast<std::size_t>(threadCount()), chunks);
    std::atomic<std::size_t> next{0};
    std::exception_ptr thrown;
    std::mutex mutex;
    auto work = [&] {
        for (std::size_t chunk; (chunk = next.fetch_add(1)) < chunks;) {
            try {
                body(chunk * grain, std::min(n, (chunk + 1) * grain));
            } catch (...) {
                std::scoped_lock lock(mutex);
                thrown = std::current_exception();
            }
        }
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < workers; ++i)
        threads.emplace_back(work);
    work();
    threads.clear();
    if (thrown)
        std::rethrow_exception(thrown);
}

} // namespace carousel
