// SPDX-License-Identifier: GPL-3.0-or-later
// The lens while something is dragged: 50 drags of the fold and of the swipe probability over 100,000 carousels, everything but painting.
// A drag is one call of figures() with a new model: means per slot and the value of every carousel.
#include "base/parallel.h"
#include "base/random.h"
#include "evaluation/carousel/lens.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>

int main(int argc, char** argv) {
    using namespace carousel;
    const std::size_t carousels = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
    fmt::print("carousels  slots  drags  median ms  largest ms  (threads {}; one screen frame is 16.7 ms)\n", threadCount());
    bool held = true;
    for (const std::size_t slots : {std::size_t(12), std::size_t(30)}) {
        RandomStream random(1, "carousels");
        std::vector<float> alpha(carousels * slots), v(alpha.size());
        for (std::size_t i = 0; i < alpha.size(); ++i) {
            alpha[i] = static_cast<float>(0.3 * random.uniform());
            v[i] = static_cast<float>(20 * random.uniform());
        }
        const auto lens = PositionLens::make(slots, alpha, v);
        if (!lens) {
            fmt::print(stderr, "{}\n", lens.error().message);
            return 1;
        }
        std::vector<double> milliseconds;
        double sum = 0;
        for (int drag = 0; drag < 50; ++drag) {
            const int window = drag % 2 ? 6 : 1 + drag % static_cast<int>(slots);
            const double swipe = drag % 2 ? drag / 49.0 : .35;
            const auto started = std::chrono::steady_clock::now();
            const auto figures = lens->figures(CarouselModel::geometric(window, swipe, .85));
            const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
            milliseconds.push_back(took.count());
            sum += figures ? figures->value : 0;
        }
        std::sort(milliseconds.begin(), milliseconds.end());
        fmt::print("{:9}  {:5}  {:5}  {:9.2f}  {:10.2f}  (mean V over drags {:.4f})\n", carousels, slots, milliseconds.size(),
                   milliseconds[milliseconds.size() / 2], milliseconds.back(), sum / 50);
        // The heat map follows a drag as well, where it is shown.
        const auto started = std::chrono::steady_clock::now();
        const auto map = lens->heatMap(CarouselModel::geometric(6, .35, .85), PositionLens::Figure::value);
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
        fmt::print("                  heat map {:.2f} ms\n", map ? took.count() : -1.0);
        held = held && milliseconds[milliseconds.size() / 2] < 16;
    }
    return held ? 0 : 1;
}
