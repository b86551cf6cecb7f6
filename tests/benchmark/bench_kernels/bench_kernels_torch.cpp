// SPDX-License-Identifier: GPL-3.0-or-later
// Products with weights in every number format, and attention, one by one: bench_kernels [repeats] [threads]. Medians; one run's lines
// are compared with each other, since the machine's speed changes between runs.
#include "base/parallel.h"
#include "base/random.h"
#include "compute/attention_torch.h"
#include "compute/guard_torch.h"
#include "compute/packed_linear_torch.h"
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace carousel;

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Body> double medianSeconds(int repeats, Body&& body) {
    std::vector<double> times;
    body();
    double once = seconds();
    body();
    once = seconds() - once;
    const int inner = std::max(1, static_cast<int>(0.02 / once));
    for (int i = 0; i < repeats; ++i) {
        const double before = seconds();
        for (int k = 0; k < inner; ++k)
            body();
        times.push_back((seconds() - before) / inner);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

at::Tensor random(std::vector<std::int64_t> dims, std::uint64_t key) {
    at::Tensor out = at::empty(dims, at::kFloat);
    RandomStream stream(1, "bench", key);
    for (std::int64_t i = 0; i < out.numel(); ++i)
        out.data_ptr<float>()[i] = static_cast<float>(stream.normal());
    return out;
}

void products(int repeats, int threads) {
    std::printf("products with weights, GFLOP/s and microseconds a call\n%6s %6s %5s", "out", "in", "rows");
    const auto formats = {"fp32", "bf16", "int16 Q4_1", "int16 Q8_0"};
    for (const char* format : formats)
        std::printf(" %18s", format);
    for (const auto& [outputs, inputs] :
         {std::pair<std::int64_t, std::int64_t>{960, 576}, {576, 576}, {3072, 576}, {576, 1536}, {49152, 576}})
        for (const std::int64_t rows : {1, 4, 32, 128, 352}) {
            if (outputs > 10000 && rows > 32)
                continue;
            const at::Tensor x = random({rows, inputs}, 1);
            std::printf("\n%6lld %6lld %5lld", static_cast<long long>(outputs), static_cast<long long>(inputs),
                        static_cast<long long>(rows));
            for (const std::string format : formats) {
                const auto device = openComputeDevice("cpu", format.substr(0, format.find(' ')), threads);
                const ComputeScope scope(*device);
                PackedLinear linear;
                if (format[0] != 'i') {
                    linear = PackedLinear(makeMatmulPlans(*device), at::zeros({outputs, inputs}, at::kFloat));
                } else if (PackedLinear::multipliesStored(*device)) {
                    const bool eight = format.back() == '0';
                    const std::vector<std::byte> blocks(static_cast<std::size_t>(outputs * inputs / 32 * (eight ? 34 : 20)),
                                                        std::byte(0x22));
                    const QuantisedRows part{eight ? QuantisedType::q8_0 : QuantisedType::q4_1, outputs, blocks};
                    linear = PackedLinear(makeMatmulPlans(*device), std::span(&part, 1), inputs);
                } else {
                    continue;
                }
                const double time = medianSeconds(repeats, [&] { linear(x); });
                std::printf(" %9.0f %8.1f", 2e-9 * static_cast<double>(outputs * inputs * rows) / time, time * 1e6);
                std::fflush(stdout);
            }
        }
    std::printf("\n");
}

void attention(int repeats, int threads) {
    struct Task {
        const char* name;
        AttentionShape shape;
        std::int64_t prefix, segments, tokens;
    };
    std::printf("attention, GFLOP/s and microseconds a call\n");
    for (const Task& task :
         {Task{"10 candidates of 34 tokens after 300", {9, 3, 64, true}, 300, 10, 34},
          Task{"prompt piece of 128 after 128", {9, 3, 64, true}, 128, 1, 128}, Task{"one token after 400", {9, 3, 64, true}, 400, 1, 1},
          Task{"23 texts of 22 tokens", {12, 12, 32, false}, 0, 23, 22}})
        for (const char* format : {"fp32", "bf16"}) {
            const auto device = openComputeDevice("cpu", format, threads);
            const ComputeScope scope(*device);
            LayerCache cache;
            cache.append(*device, task.shape, random({task.prefix, task.shape.columns()}, 3));
            const at::Tensor rows = random({task.segments * task.tokens, task.shape.columns()}, 4);
            std::vector<std::int64_t> starts;
            for (std::int64_t i = 0; i <= task.segments; ++i)
                starts.push_back(i * task.tokens);
            const std::vector<KeyChain> chains{{cache}};
            const double own = task.shape.causal ? static_cast<double>(task.tokens + 1) / 2 : static_cast<double>(task.tokens);
            const double work = 4.0 * static_cast<double>(task.segments * task.tokens * task.shape.heads * task.shape.headSize) *
                                (static_cast<double>(task.prefix) + own);
            const double time = medianSeconds(repeats, [&] { attendSegments(*device, task.shape, rows, starts, chains); });
            std::printf("%-40s %5s %9.0f %8.1f\n", task.name, format, 1e-9 * work / time, time * 1e6);
        }
}

} // namespace

int main(int count, char** arguments) {
    const int repeats = count > 1 ? std::max(1, std::atoi(arguments[1])) : 7, threads = count > 2 ? std::atoi(arguments[2]) : threadCount();
    std::printf("%s\n", describeLibraries(threads).c_str());
    products(repeats, threads);
    attention(repeats, threads);
    return 0;
}
