// SPDX-License-Identifier: GPL-3.0-or-later
// Our side of bench_off_policy.py: reads the columns that it wrote, estimates several times, prints medians and the values as JSON.
//   bench_off_policy FOLDER ACTIONS [repetitions]
// Work that obp's call includes is inside ours: looking up the target policy's probability of the logged action, the check of every number,
// and for DR the predicted reward of the logged action and the sum over actions.
#include "base/file.h"
#include "base/parallel.h"
#include "evaluation/off_policy/bandit.h"
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
    for (int i = -(repetitions > 1); i < repetitions; ++i) { // the first of several is warming up
        const auto start = std::chrono::steady_clock::now();
        const double used = processorNow();
        work();
        if (i < 0)
            continue;
        processor.push_back(processorNow() - used);
        wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(wall.begin(), wall.end());
    std::sort(processor.begin(), processor.end());
    return {wall[wall.size() / 2], processor[processor.size() / 2]};
}
} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: bench_off_policy FOLDER ACTIONS [repetitions]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const auto actions = static_cast<std::size_t>(std::atoi(argv[2]));
    const int repetitions = argc > 3 ? std::max(1, std::atoi(argv[3])) : 11;
    BanditLog log;
    std::vector<double> policy, predictions;
    std::vector<std::int32_t> action;
    if (!load(folder + "/reward", log.reward) || !load(folder + "/propensity", log.propensity) || !load(folder + "/action", action) ||
        !load(folder + "/policy", policy) || !load(folder + "/predictions", predictions))
        return 3;
    bool sound = true;
    auto must = [&](const auto& result) {
        if (!result) {
            std::fprintf(stderr, "%s\n", describe(result.error()).c_str());
            sound = false;
        }
    };
    // As a caller has it before the first estimate: the log alone.
    auto prepare = [&](bool model) {
        if (model) {
            must(readPolicy(policy, predictions, action, actions, log));
            return;
        }
        log.target.resize(log.rounds());
        must(ofLoggedAction(policy, action, actions, log.target));
        log.predicted.clear();
        log.predictedUnderTarget.clear();
    };
    struct Case {
        const char* name;
        OffPolicy estimator;
        bool model;
    };
    std::printf("{\"threads\": %d", threadCount());
    for (const auto& [name, estimator, model] :
         {Case{"ips", OffPolicy::ips, false}, Case{"snips", OffPolicy::snips, false}, Case{"dr", OffPolicy::dr, true}}) {
        double value = 0;
        const Seconds point = measured(repetitions, [&] {
            prepare(model);
            const auto result = offPolicyValue(estimator, log);
            must(result);
            value = result.value_or(0);
        });
        Interval interval;
        const Seconds bootstrap = measured(1, [&] {
            prepare(model);
            const auto result = estimatePolicy({estimator}, log, {.draws = 1000}, RunControl());
            must(result);
            if (result)
                interval = result->front().bootstrap;
        });
        std::printf(
            ", \"%s\": {\"value\": %.17g, \"wall\": %.6f, \"processor\": %.6f, \"low\": %.9g, \"high\": %.9g, \"intervalWall\": %.6f, "
            "\"intervalProcessor\": %.6f}",
            name, value, point.wall, point.processor, interval.low, interval.high, bootstrap.wall, bootstrap.processor);
    }
    std::printf("}\n");
    return sound ? 0 : 1;
}
