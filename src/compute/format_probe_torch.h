// SPDX-License-Identifier: GPL-3.0-or-later
// How fast this processor multiplies in each number format, taken with the products that the models use.
#pragma once
#include "compute/format_choice.h"

namespace carousel {

// One product of a small decoder's shape (64 rows, 576 inputs, 1536 outputs) in every format the processor has, in turns, the least of some
// tries: about 30 ms and 15 MB, up to 0.3 s on a busy machine. All 0 where the tries do not agree. Leaves the calling thread's number of threads as it was.
FormatTimes measureFormats(int threads);

// The times of this machine and so many threads: kept ones, else measured and kept (keptFormatTimes in cacheFolder()); asked for once in a
// process. Safe from any thread.
std::optional<FormatTimes> formatTimesHere(int threads);

} // namespace carousel
