// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/carousel/value.h"
#include "evaluation/carousel/carousel_value.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

CarouselModel CarouselModel::geometric(int window, double swipe, double factor) {
    CarouselModel model{.window = window, .swipe = swipe};
    double theta = 1;
    for (int k = 0; k < window; ++k, theta *= factor)
        model.examination.push_back(theta);
    return model;
}

Result<void> checkCarousel(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v) {
    auto refuse = [](const std::string& what, const std::string& hint) { return fail(ErrorKind::input, "CL-8001", what, hint); };
    auto share = [](double x) { return x >= 0 && x <= 1; }; // false for NaN
    if (model.window < 1)
        return refuse(fmt::format("the carousel window is {} slots", model.window), "Set the window to at least 1 slot.");
    if (!share(model.swipe))
        return refuse(fmt::format("the swipe probability is {}", model.swipe), "Give a probability between 0 and 1.");
    if (model.examination.size() != static_cast<std::size_t>(model.window))
        return refuse(fmt::format("the window has {} slots but {} examination probabilities", model.window, model.examination.size()),
                      "Give one examination probability per slot of a page.");
    for (std::size_t k = 0; k < model.examination.size(); ++k)
        if (!share(model.examination[k]))
            return refuse(fmt::format("the examination probability of position {} is {}", k + 1, model.examination[k]),
                          "Give probabilities between 0 and 1.");
    if (alpha.size() != v.size())
        return refuse(fmt::format("{} slots have an attraction but {} have a value", alpha.size(), v.size()), "Give both for every slot.");
    for (std::size_t r = 0; r < alpha.size(); ++r) {
        if (!share(alpha[r]))
            return refuse(fmt::format("the attraction at position {} is {}", r + 1, alpha[r]),
                          "An attraction is the probability of a click when looked at, 0 to 1.");
        if (!(v[r] >= 0) || !std::isfinite(v[r]))
            return refuse(fmt::format("the value at position {} is {}", r + 1, v[r]),
                          "A value is 0 or more, for example a price or 1 for every click.");
    }
    return {};
}

double valueOfOrder(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v,
                    std::span<const std::size_t> order) {
    double value = 0;
    for (std::size_t r = order.size(); r-- > 0;) {
        const double click = thetaAt(model, r) * alpha[order[r]];
        value = click * v[order[r]] + (1 - click) * passOn(model, r) * value;
    }
    return value;
}

Result<CarouselFigures> carouselFigures(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v) {
    CAROUSEL_TRY(checkCarousel(model, alpha, v));
    CarouselFigures figures;
    figures.slots.resize(alpha.size());
    double reach = 1;
    for (std::size_t r = 0; r < alpha.size(); ++r) {
        auto& slot = figures.slots[r];
        slot.reach = reach;
        slot.examination = reach * thetaAt(model, r);
        slot.click = slot.examination * alpha[r];
        slot.value = slot.click * v[r];
        slot.hidden = alpha[r] * v[r] * (1 - reach);
        figures.value += slot.value;
        reach = (reach - slot.click) * passOn(model, r);
    }
    // The shown order is itself a candidate, so that rounding and heuristics never make the best worse than what is shown.
    figures.best = std::max(figures.value, bestOrder(model, alpha, v).value);
    figures.missed = figures.best - figures.value;
    return figures;
}

SwipeSensitivity swipeSensitivity(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v, int steps) {
    SwipeSensitivity grid;
    if (!checkCarousel(model, alpha, v))
        return grid;
    std::vector<std::size_t> shown(alpha.size());
    std::iota(shown.begin(), shown.end(), std::size_t(0));
    std::vector<std::size_t> previous;
    const int last = std::max(steps, 2) - 1;
    for (int i = 0; i <= last; ++i) {
        CarouselModel at = model;
        at.swipe = static_cast<double>(i) / last;
        const double value = valueOfOrder(at, alpha, v, shown);
        auto found = bestOrder(at, alpha, v);
        // Neighbouring swipe probabilities have similar best orders: what was good there is tried here.
        if (!found.exact && !previous.empty())
            if (const double kept = valueOfOrder(at, alpha, v, previous); kept > found.value)
                found = improvedOrder(at, alpha, v, previous);
        const double best = std::max(value, found.value);
        previous = std::move(found.order);
        grid.swipe.push_back(at.swipe);
        grid.value.push_back(value);
        grid.best.push_back(best);
        grid.missed.push_back(best - value);
    }
    return grid;
}

} // namespace carousel
