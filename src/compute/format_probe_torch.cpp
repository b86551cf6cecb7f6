// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/format_probe_torch.h"
#include "base/paths.h"
#include "compute/packed_linear_torch.h"
#include <ATen/ops/empty.h>
#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>

namespace carousel {

namespace {

constexpr std::int64_t rows = 64, inputs = 576, outputs = 1536;
// On a quiet machine a few tries agree. On a busy one the least of few is chance, and what is kept would be chance for good: more are made until
// the three least of every format agree, and where they never do, nothing counts as measured.
constexpr int leastTries = 6;
constexpr double usualSeconds = 0.015, longestSeconds = 0.25; // for the tries; packing and planning take some 15 ms more
constexpr double agree = 1.1;

using Clock = std::chrono::steady_clock;

// Values of no meaning: only the time counts, and it depends on none but zeros and denormal numbers, which these are not.
at::Tensor filled(std::int64_t height, std::int64_t width) {
    at::Tensor out = at::empty({height, width}, at::kFloat);
    float* to = out.data_ptr<float>();
    for (std::int64_t i = 0; i < height * width; ++i)
        to[i] = static_cast<float>(i % 61 - 30) / 64;
    return out;
}

// Blocks with a factor of 2^-6 and values that run through all there are.
std::vector<std::byte> blocks(std::int64_t bytesEach, std::size_t factors) {
    std::vector<std::byte> out(static_cast<std::size_t>(outputs * inputs / 32 * bytesEach));
    for (std::size_t at = 0; at < out.size(); ++at) {
        const std::size_t inBlock = at % static_cast<std::size_t>(bytesEach);
        out[at] = inBlock < 2 * factors ? std::byte(inBlock % 2 == 0 ? 0x00 : 0x24) : std::byte((at * 37) & 0xFF);
    }
    return out;
}

struct Candidate {
    std::int64_t FormatTimes::*into;
    PackedLinear product;
    at::Tensor input;
    std::vector<std::int64_t> took = {}; // rising

    void time() {
        const auto start = Clock::now();
        product(input);
        const std::int64_t nanoseconds =
            std::max<std::int64_t>(1000, std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
        took.insert(std::upper_bound(took.begin(), took.end(), nanoseconds), nanoseconds);
    }
    bool steady() const { return took.size() > 2 && static_cast<double>(took[2]) <= agree * static_cast<double>(took[0]); }
};

Candidate packed(ComputeType type, std::int64_t FormatTimes::*into, int threads, const at::Tensor& weight, const at::Tensor& x) {
    ComputeDevice device;
    device.threads = threads;
    device.type = type;
    return {.into = into, .product = PackedLinear(makeMatmulPlans(device), weight), .input = type == ComputeType::bf16 ? x.to(at::kBFloat16) : x};
}

Candidate stored(QuantisedType type, std::int64_t FormatTimes::*into, int threads, const at::Tensor& x) {
    ComputeDevice device;
    device.threads = threads;
    device.type = ComputeType::int16;
    const bool four = type == QuantisedType::q4_1;
    const auto bytes = blocks(four ? 20 : 34, four ? 2 : 1);
    const QuantisedRows part{type, outputs, bytes};
    return {.into = into, .product = PackedLinear(makeMatmulPlans(device), std::span(&part, 1), inputs), .input = x};
}

} // namespace

FormatTimes measureFormats(int threads) {
    ComputeDevice scope;
    scope.threads = threads;
    const ComputeScope here(scope);
    const at::Tensor weight = filled(outputs, inputs), x = filled(rows, inputs);
    std::vector<Candidate> candidates;
    candidates.push_back(packed(ComputeType::fp32, &FormatTimes::fp32, threads, weight, x));
    if (cpuFeatures().bf16) {
        try {
            Candidate bf16 = packed(ComputeType::bf16, &FormatTimes::bf16, threads, weight, x);
            bf16.product(bf16.input);
            candidates.push_back(std::move(bf16));
        } catch (const dnnl::error&) { // oneDNN was told to do without: then this machine has none
        }
    }
    if (QuantisedMatrix::canMultiply()) {
        candidates.push_back(stored(QuantisedType::q4_1, &FormatTimes::fourBits, threads, x));
        candidates.push_back(stored(QuantisedType::q8_0, &FormatTimes::eightBits, threads, x));
    }
    for (const Candidate& each : candidates)
        each.product(each.input); // plans are made and threads started
    const auto begin = Clock::now();
    bool steady = false;
    for (int tries = 1;; ++tries) {
        for (Candidate& each : candidates) // in turns, so that all see the same moments
            each.time();
        const double spent = std::chrono::duration<double>(Clock::now() - begin).count();
        steady = std::all_of(candidates.begin(), candidates.end(), [](const Candidate& each) { return each.steady(); });
        if ((steady && tries >= leastTries && spent > usualSeconds) || spent > longestSeconds)
            break;
    }
    FormatTimes times;
    if (steady)
        for (const Candidate& each : candidates)
            times.*each.into = each.took[0];
    return times;
}

std::optional<FormatTimes> formatTimesHere(int threads) {
    static std::mutex mutex;
    static std::map<int, std::optional<FormatTimes>> known; // by threads
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(threads); found != known.end())
        return found->second;
    const dnnl_version_t* version = dnnl_version();
    const std::string machine =
        formatMachine(cpuFeatures(), threads, fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch));
    std::optional<FormatTimes> times;
    try {
        times = keptFormatTimes(cacheFolder(), machine, [threads] { return measureFormats(threads); });
    } catch (const std::exception&) { // a product that cannot be made: whoever opens a model in that format is told
    }
    return known[threads] = times;
}

} // namespace carousel
