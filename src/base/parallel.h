// SPDX-License-Identifier: GPL-3.0-or-later
// The only place outside ui/ that starts threads.
#pragma once
#include <cstddef>
#include <functional>

namespace carousel {

// Threads used by parallelFor: the machine's, or CAROUSEL_LAB_THREADS.
int threadCount();
// How long an idle OpenMP worker of the language models looks for work before it sleeps, as GOMP_SPINCOUNT. To wake one takes longer than a
// small product: with 0, one token after the other goes at a third of the speed (51 against 149 tokens a second) and scoring at 85 %. To
// look for ever takes the processor from everybody else. Measured with bench llm on two cores: idle 35.5 candidates/s with 0, 41.1 with
// 5000, 36.8 with 100000; beside two busy programs 20.1, about 17, 16.4 with 10000.
inline constexpr const char* idleWorkerSpins = "5000";
// Says so in the environment, which OpenMP reads when it is loaded; what the user has set stays.
void letIdleWorkersSleep();
// Calls body(begin, end) for chunks of [0, n) from several threads; returns when all are done. Chunks are fixed by n and `grain`
// alone, so a body that writes only to its own rows gives the same result for any number of threads.
void parallelFor(std::size_t n, std::size_t grain, const std::function<void(std::size_t begin, std::size_t end)>& body);

} // namespace carousel
