// SPDX-License-Identifier: GPL-3.0-or-later
// The device that models run on, and the one place where threads, allocator and number format are set. No tensor type in this header.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <string>

namespace carousel {

// fp32: exact. int16: weights of 4 and 8 bits as the file stores them times 16-bit activations, all else fp32; logits within about 0.001 of
// fp32, and as fast as fp32 at least. bf16: fastest on processors that have it; logits within some hundredths.
enum class ComputeType { fp32, bf16, int16 };
const char* name(ComputeType type); // "fp32", "bf16", "int16"

struct ComputeDevice {
    std::string name = "cpu";  // "cpu", "cuda:0"
    int threads = 1;
    ComputeType type = ComputeType::fp32;
    // Plain LibTorch operations instead of our loops and oneDNN: always so off the CPU; on the CPU it is how tests compare the two.
    bool portable = false;
};

// `device`: "cpu", "cuda", "cuda:1", "auto" (cuda when there is one); `computeType`: "fp32", "bf16", "int16" or "auto".
// "auto" on the CPU is chooseFormat() of format_choice.h, by times that are taken once on a machine; on a graphics card bf16; with `preferExact`
// fp32. `weightBits`: 4 or 8 where a model stores most of its weights so, else 0. CL-2085: no such device; CL-2086: no such number format.
Result<ComputeDevice> openComputeDevice(const std::string& device, const std::string& computeType, int threads, bool preferExact = false,
                                        int weightBits = 0);
bool cpuMultipliesBf16();
// "LibTorch 1.13.1, oneDNN 2.6.3, avx512 loops, 2 threads; bf16 2.3 times, int16 1.4 times as fast as fp32 here"
std::string describeLibraries(int threads);

// While it lives, tensor work of the calling thread uses `threads` threads (OpenMP keeps the number per thread) and records no gradients.
class ComputeScope {
public:
    explicit ComputeScope(const ComputeDevice& device);
    ~ComputeScope();
    ComputeScope(const ComputeScope&) = delete;
    ComputeScope& operator=(const ComputeScope&) = delete;

private:
    struct Inference;
    Inference* m_inference;
    int m_before;
};

} // namespace carousel
