// SPDX-License-Identifier: GPL-3.0-or-later
// The only place outside ui/ that starts threads.
#pragma once
#include <cstddef>
#include <functional>

namespace carousel {

// Threads used by parallelFor: the machine's, or CAROUSEL_LAB_THREADS.
int threadCount();
// Calls body(begin, end) for chunks of [0, n) from several threads; returns when all are done. Chunks are fixed by n and `grain`
// alone, so a body that writes only to its own rows gives the same result for any number of threads.
void parallelFor(std::size_t n, std::size_t grain, const std::function<void(std::size_t begin, std::size_t end)>& body);

} // namespace carousel
