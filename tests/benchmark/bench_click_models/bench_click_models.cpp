// SPDX-License-Identifier: GPL-3.0-or-later
// Our side of bench_click_models.py: reads the columns that it wrote, runs iterations of the position-based model, prints medians of
// seconds and the parameters after three iterations as JSON.
//   bench_click_models FOLDER ITEMS SLOTS [repetitions]
#include "base/file.h"
#include "base/parallel.h"
#include "evaluation/click_models/fit_counts.h"
#include "evaluation/statistics/cluster_bootstrap.h"
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
struct Seconds { // medians of wall time and of the processor time of all threads
    double wall = 0, processor = 0;
};
Seconds measured(int repetitions, const std::function<void()>& work) {
    std::vector<double> wall, processor;
    auto processorNow = [] {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
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
    if (argc < 4) {
        std::fprintf(stderr, "usage: bench_click_models FOLDER ITEMS SLOTS [repetitions]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const int repetitions = argc > 4 ? std::max(1, std::atoi(argv[4])) : 11;
    ClickLog log;
    log.items = std::atoi(argv[2]);
    log.slots = std::atoi(argv[3]);
    if (!load(folder + "/item", log.item) || !load(folder + "/slot", log.slot) || !load(folder + "/click", log.click))
        return 3;
    for (std::size_t row = 0; row < log.rows(); row += static_cast<std::size_t>(log.slots))
        log.offsets.push_back(row + static_cast<std::size_t>(log.slots));
    if (const auto sound = checkClickLog(log); !sound) {
        std::fprintf(stderr, "%s\n", describe(sound.error()).c_str());
        return 3;
    }
    ClickModelParameters start;
    start.attraction.assign(static_cast<std::size_t>(log.items), 0.5);
    start.examination.assign(static_cast<std::size_t>(log.slots), 0.5);
    ClickModelParameters rows = start;
    for (int i = 0; i < 3; ++i)
        pbmIterationByRows(log, rows, 1, 2);
    ClickModelParameters scratch = start;
    const Seconds byRows = measured(repetitions, [&] { pbmIterationByRows(log, scratch, 1, 2); });

    const ParameterLayout layout = parameterLayout(ClickModelKind::pbm, log, 1);
    bool counted = true;
    const Seconds gathering = measured(std::min(repetitions, 5), [&] { counted = counted && countClicks(layout, log, {}, RunControl()); });
    const auto counts = countClicks(layout, log, {}, RunControl());
    if (!counted || !counts)
        return 1;
    std::vector<double> p = layout.pack(start);
    Expectation expectation;
    const Seconds byCounts = measured(repetitions, [&] {
        expectClicks(*counts, p, expectation);
        for (std::size_t i = 0; i < p.size(); ++i)
            p[i] = (expectation.successes[i] + 1) / (expectation.trials[i] + 2);
    });
    const std::vector<double> value(log.click.begin(),
                                    log.click.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(log.rows(), 1000000)));
    const std::vector<std::span<const double>> columns(3, value);
    bool drawn = true;
    const Seconds bootstrap = measured(1, [&] { drawn = drawn && bootstrapSums(columns, {}, 1000, 1, RunControl()); });
    std::printf(
        "{\"rows\": %.6f, \"rowsProcessor\": %.6f, \"gathering\": %.6f, \"counts\": %.6f, \"countsProcessor\": %.6f, \"cells\": %zu, "
        "\"bootstrap\": %.4f, \"bootstrapProcessor\": %.4f, \"threads\": %d, \"examination\": [",
        byRows.wall, byRows.processor, gathering.wall, byCounts.wall, byCounts.processor, counts->context.size(), bootstrap.wall,
        bootstrap.processor, threadCount());
    for (std::size_t k = 0; k < rows.examination.size(); ++k)
        std::printf("%s%.15g", k > 0 ? ", " : "", rows.examination[k]);
    std::printf("], \"attraction0\": %.15g}\n", rows.attraction[0]);
    return drawn ? 0 : 1;
}
