// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/fit_population.h"
#include "base/random.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace carousel {

namespace {

constexpr double adagradFloor = 1e-8;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Row {
    std::int32_t user, item;
    double theta;
    bool click;
};

// Rows that were looked at or could have been: in view and not behind the slate's click.
std::vector<Row> rowsOf(const CarouselLog& log, const Behaviour& behaviour, std::int32_t firstSlate, std::int32_t endSlate) {
    std::vector<Row> out;
    std::int32_t clickedIn = -1;
    for (std::size_t i = 0; i < log.rows(); ++i) {
        if (log.slate[i] < firstSlate || log.slate[i] >= endSlate || !log.inView[i] || clickedIn == log.slate[i])
            continue;
        out.push_back({log.user[i], log.item[i], behaviour.examinationAt(log.slot[i]), log.click[i] != 0});
        if (log.click[i])
            clickedIn = log.slate[i];
    }
    return out;
}

double logLikelihood(const std::vector<Row>& rows, const Population& population) {
    double sum = 0;
    for (const Row& row : rows) {
        const double p = std::clamp(row.theta * sigmoid(population.logit(row.user, row.item)), 1e-12, 1 - 1e-12);
        sum += std::log(row.click ? p : 1 - p);
    }
    return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

} // namespace

std::int32_t firstHeldOut(const CarouselLog& log, double share) {
    const std::int32_t slates = log.rows() ? log.slate.back() + 1 : 0;
    return static_cast<std::int32_t>(std::ceil(static_cast<double>(slates) * (1 - share)));
}

Result<FittedPopulation> fitPopulation(const CarouselLog& log, std::size_t users, std::size_t items, const Behaviour& behaviour,
                                       const FitPopulationSettings& settings, const RunControl& control) {
    CAROUSEL_TRY(checkBehaviour(behaviour));
    const std::int32_t split = firstHeldOut(log, settings.heldOut);
    const auto training = rowsOf(log, behaviour, 0, split);
    const auto test = rowsOf(log, behaviour, split, log.rows() ? log.slate.back() + 1 : 0);
    double clicks = 0, theta = 0;
    for (const Row& row : training) {
        if (row.user < 0 || static_cast<std::size_t>(row.user) >= users || row.item < 0 || static_cast<std::size_t>(row.item) >= items)
            return fail(ErrorKind::input, "CL-3131", fmt::format("The log names user {} and item {}, of {} users and {} items.", row.user, row.item, users, items), "Use the log of this data set, without anonymous users.");
        clicks += row.click, theta += row.theta;
    }
    if (clicks < 1 || test.empty())
        return fail(ErrorKind::input, "CL-3131", fmt::format("The log has {} clicks to fit users to and {} shown items to check them on.", clicks, test.size()), "Use a log with clicks, and more slates.");
    FittedPopulation out;
    out.trainSlates = static_cast<std::size_t>(split), out.heldOutSlates = static_cast<std::size_t>(log.slate.back() + 1 - split);
    Population& p = out.population;
    p.users = users, p.items = items, p.rank = static_cast<std::size_t>(settings.rank);
    const double mean = std::clamp(clicks / theta, 1e-4, 0.9999);
    p.base = static_cast<float>(std::log(mean / (1 - mean)));
    p.itemBias.assign(items, 0);
    p.userVectors.assign(users * p.rank, 0), p.itemVectors.assign(items * p.rank, 0);
    out.nullLogLikelihood = logLikelihood(test, p);
    RandomStream start(settings.seed, "fit population: start");
    for (auto* vectors : {&p.userVectors, &p.itemVectors})
        for (float& value : *vectors)
            value = static_cast<float>(0.1 * start.normal());
    // Adagrad (Duchi, Hazan and Singer, JMLR 2011): rare users and items take larger steps.
    std::vector<float> userSquares(p.userVectors.size(), 0), itemSquares(p.itemVectors.size(), 0), biasSquares(items, 0);
    float baseSquares = 0;
    std::vector<std::size_t> order(training.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    const auto step = [&](float& value, float& squares, double gradient) {
        squares += static_cast<float>(gradient * gradient);
        value -= static_cast<float>(settings.rate * gradient / std::sqrt(static_cast<double>(squares) + adagradFloor));
    };
    for (int epoch = 0; epoch < settings.epochs; ++epoch) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("fitting users to the log"));
        RandomStream random(settings.seed, "fit population: order", static_cast<std::uint64_t>(epoch));
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        for (const std::size_t i : order) {
            const Row& row = training[i];
            const double alpha = sigmoid(p.logit(row.user, row.item));
            const double gradient = row.click ? alpha - 1 : row.theta * alpha * (1 - alpha) / std::max(1e-9, 1 - row.theta * alpha);
            float* const u = p.userVectors.data() + static_cast<std::size_t>(row.user) * p.rank;
            float* const v = p.itemVectors.data() + static_cast<std::size_t>(row.item) * p.rank;
            float* const us = userSquares.data() + static_cast<std::size_t>(row.user) * p.rank;
            float* const vs = itemSquares.data() + static_cast<std::size_t>(row.item) * p.rank;
            for (std::size_t k = 0; k < p.rank; ++k) {
                const double before = u[k];
                step(u[k], us[k], gradient * static_cast<double>(v[k]) + settings.l2 * before);
                step(v[k], vs[k], gradient * before + settings.l2 * static_cast<double>(v[k]));
            }
            auto& bias = p.itemBias[static_cast<std::size_t>(row.item)];
            step(bias, biasSquares[static_cast<std::size_t>(row.item)], gradient + 0.1 * settings.l2 * static_cast<double>(bias));
            step(p.base, baseSquares, gradient);
        }
        control.report("Fitting users to the log", epoch + 1, settings.epochs, "passes");
    }
    out.logLikelihood = logLikelihood(test, p);
    return out;
}

} // namespace carousel
