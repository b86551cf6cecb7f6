// SPDX-License-Identifier: GPL-3.0-or-later
// Which numbers "auto" comes to on this processor: what it can do, and how long one product of a decoder took it in each format. Times are
// noise; so that the same study gives the same bytes on every run, they are taken once for a machine and kept in the user's cache folder, and
// the choice follows from what is kept. Where nothing can be kept, the processor's abilities alone decide.
#pragma once
#include "base/result.h"
#include "compute/cpu_features.h"
#include "compute/device_torch.h"
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace carousel {

// Nanoseconds of the same product, the least of some tries; 0: this processor does not multiply so. All 0: the machine was too busy to tell, and
// that is kept as well, since a verdict that came later would change results.
struct FormatTimes {
    std::int64_t fp32 = 0, bf16 = 0;
    std::int64_t fourBits = 0, eightBits = 0; // int16: stored weights times 16-bit activations
    bool measured() const { return fp32 > 0; }
    bool operator==(const FormatTimes&) const = default;
};

// `weightBits`: 4 or 8 where most of a model's weights are stored in blocks of that kind, else 0. bf16 where the processor multiplies it and it
// took at most 1/1.15 of fp32's time; else int16 where it took less than fp32; else fp32. Nothing measured: bf16 where the processor
// multiplies it, else fp32.
ComputeType chooseFormat(const CpuFeatures& features, const std::optional<FormatTimes>& times, int weightBits);
// "bf16 2.3 times, int16 1.4 times as fast as fp32 here"; empty when nothing was measured. int16: of 4-bit weights.
std::string describe(const std::optional<FormatTimes>& times);

// What the times depend on: processor, abilities (also those taken away by CAROUSEL_CPU or oneDNN's variables), threads, oneDNN's version.
std::string formatMachine(const CpuFeatures& features, int threads, const std::string& libraries);

// A kept measurement as text, and back: nothing when it is another machine's, cut, changed, or out of range (a microsecond to ten seconds).
std::string formatTimesText(const std::string& machine, const FormatTimes& times);
std::optional<FormatTimes> parseFormatTimes(const std::string& text, const std::string& machine);

// The times kept for `machine` in `folder`, else those that `measure` takes, once they are kept. Of several processes that measure at the same
// moment the first to keep its times decides for all. Nothing where they cannot be kept.
std::optional<FormatTimes> keptFormatTimes(const std::string& folder, const std::string& machine,
                                           const std::function<FormatTimes()>& measure);

} // namespace carousel
