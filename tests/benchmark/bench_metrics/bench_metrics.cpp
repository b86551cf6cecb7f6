// SPDX-License-Identifier: GPL-3.0-or-later
// Our side of bench_metrics.py: reads the columns that it wrote, evaluates them several times, prints medians and the values as JSON.
//   bench_metrics FOLDER [repetitions]
#include "base/file.h"
#include "base/parallel.h"
#include "evaluation/metrics/columnar_run.h"
#include "evaluation/statistics/bootstrap.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>

using namespace carousel;

namespace {
template <class T> bool load(const std::string& path, std::vector<T>& values) {
    const auto bytes = readFile(path);
    if (!bytes) {
        std::fprintf(stderr, "%s\n", describe(bytes.error()).c_str());
        return false;
    }
    values.resize(bytes->size() / sizeof(T));
    std::memcpy(values.data(), bytes->data(), values.size() * sizeof(T));
    return true;
}
// Medians of wall time and of the processor time of all threads: on a busy machine only the second says what the work costs.
struct Seconds {
    double wall = 0, processor = 0;
};
Seconds measured(int repetitions, const std::function<void()>& work) {
    std::vector<double> wall, processor;
    auto processorNow = [] {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    work(); // first touch of the memory
    for (int i = 0; i < repetitions; ++i) {
        const auto start = std::chrono::steady_clock::now();
        const double used = processorNow();
        work();
        processor.push_back(processorNow() - used);
        wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(wall.begin(), wall.end());
    std::sort(processor.begin(), processor.end());
    return {wall[wall.size() / 2], processor[processor.size() / 2]};
}
} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_metrics FOLDER [repetitions]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const int repetitions = argc > 2 ? std::max(1, std::atoi(argv[2])) : 21;
    ColumnarRun run;
    ColumnarTruth truth;
    std::vector<std::int64_t> runOffsets, truthOffsets;
    std::vector<float> sample;
    if (!load(folder + "/run.users", run.users) || !load(folder + "/run.offsets", runOffsets) || !load(folder + "/run.items", run.items) ||
        !load(folder + "/run.scores", run.scores) || !load(folder + "/truth.users", truth.users) ||
        !load(folder + "/truth.offsets", truthOffsets) || !load(folder + "/truth.items", truth.items) || !load(folder + "/sample", sample))
        return 3;
    run.offsets.assign(runOffsets.begin(), runOffsets.end());
    truth.offsets.assign(truthOffsets.begin(), truthOffsets.end());

    ColumnarFigures at10, uncut;
    bool sound = true;
    // nDCG@10 has a cut; MRR and MAP are compared without one.
    auto evaluate = [&](std::span<const int> cuts) {
        auto result = evaluateColumns(run, truth, cuts);
        sound = sound && result;
        if (!result)
            return;
        at10 = std::move(result->front());
        if (cuts.size() > 1)
            uncut = std::move(result->back());
    };
    const int two[] = {10, 1000}, ten[] = {10};
    const Seconds one = measured(repetitions, [&] { evaluate(ten); });
    const Seconds both = measured(repetitions, [&] { evaluate(two); });
    Interval interval;
    const Seconds bootstrap = measured(1, [&] { interval = bootstrapMean(sample, 500, 0.95, 1); });
    if (!sound)
        return 1;
    std::printf("{\"both\": %.6f, \"bothProcessor\": %.6f, \"one\": %.6f, \"bootstrap500\": %.6f, \"bootstrap500Processor\": %.6f, "
                "\"threads\": %d, \"ndcg\": %.12f, "
                "\"mrr\": %.12f, \"map\": %.12f, \"low\": %.9f, \"high\": %.9f}\n",
                both.wall, both.processor, one.wall, bootstrap.wall, bootstrap.processor, threadCount(), at10.mean.ndcg, uncut.mean.mrr,
                uncut.mean.map, interval.low, interval.high);
    return 0;
}
