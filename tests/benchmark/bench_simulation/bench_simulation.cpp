// SPDX-License-Identifier: GPL-3.0-or-later
// Carousels a second of the simulator with rankings worked out before, and of the bootstrap. One JSON line. Same arrays as
// bench_simulation.py: FOLDER holds user_vectors.f32, item_vectors.f32, item_bias.f32, rankings.i32, outcome.f64; argument order below.
#include "evaluation/simulation/simulate.h"
#include "evaluation/statistics/grouped_bootstrap.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

using namespace carousel;

namespace {
template <class T> std::vector<T> read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    std::vector<T> out(bytes.size() / sizeof(T));
    std::copy_n(bytes.data(), out.size() * sizeof(T), reinterpret_cast<char*>(out.data()));
    return out;
}
template <class Work> double seconds(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
} // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fprintf(stderr, "bench_simulation FOLDER USERS ITEMS RANK LENGTH ROUNDS\n");
        return 2;
    }
    const std::string folder = argv[1];
    const auto size = [&](int i) { return static_cast<std::size_t>(std::strtoull(argv[i], nullptr, 10)); };
    Population people;
    people.users = size(2), people.items = size(3), people.rank = size(4), people.base = -5;
    people.userVectors = read<float>(folder + "/user_vectors.f32"), people.itemVectors = read<float>(folder + "/item_vectors.f32");
    people.itemBias = read<float>(folder + "/item_bias.f32");
    RankedSource source(read<std::int32_t>(folder + "/rankings.i32"), size(5));
    Behaviour behaviour;
    behaviour.examination = {0.95, 0.86, 0.77, 0.69, 0.62, 0.55};
    SimulationSettings settings;
    settings.rounds = static_cast<int>(size(6));
    const ArmPlan arm{"ranked", &source};
    const std::vector<std::int32_t> both(people.users, -1);
    double visits = 0, clicks = 0;
    const double simulated = seconds([&] {
        const auto out = simulate(people, behaviour, {&arm, 1}, both, settings, {});
        if (!out)
            std::exit(1);
        for (const auto& round : (*out)[0].rounds)
            visits += round.visits, clicks += round.clicks;
    });
    const auto outcome = read<double>(folder + "/outcome.f64");
    double drawn = 0;
    const double bootstrapped = seconds([&] {
        const std::span<const double> column(outcome);
        const auto sums = bootstrapSums({&column, 1}, {}, 10000, 1, {});
        if (!sums)
            std::exit(1);
        for (int d = 0; d < 10000; ++d)
            drawn += sums->at(d, 0) / sums->weight[static_cast<std::size_t>(d)] / 10000;
    });
    double grouped = 0;
    const double groupedSeconds = seconds([&] { // the same draws of a metric whose values repeat
        const std::span<const double> column(outcome);
        const auto sums = groupedBootstrapSums({&column, 1}, 10000, 1, {});
        if (!sums)
            std::exit(1);
        for (int d = 0; d < 10000; ++d)
            grouped += sums->at(d, 0) / sums->weight[static_cast<std::size_t>(d)] / 10000;
    });
    std::printf("{\"visits\": %.0f, \"clicks\": %.0f, \"seconds\": %.6f, \"bootstrapSeconds\": %.6f, \"bootstrapMean\": %.9f, \"groupedSeconds\": %.6f, \"groupedMean\": %.9f}\n", visits,
                clicks, simulated, bootstrapped, drawn, groupedSeconds, grouped);
    return 0;
}
