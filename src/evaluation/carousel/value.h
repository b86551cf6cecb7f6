// SPDX-License-Identifier: GPL-3.0-or-later
// The swipe-aware value of a carousel (ours): pages of `window` visible slots; the user examines slot k of a page with probability
// theta_k, clicks an examined item with probability alpha, stops at the first click, and after a page without a click swipes on with
// probability s.  V = sum_m [ prod_{j<m} s_j prod_{k in j}(1 - theta_k alpha_jk) ] * [ sum_{k in m} v theta_k alpha prod_{k'<k}(1 -
// theta_k' alpha_k') ].
#pragma once
#include "evaluation/metrics/ranking.h"

namespace carousel {

struct CarouselModel {
    int window = 6;
    double swipe = 0.35;                                                     // s, 0..1
    std::vector<double> examination;                                         // theta per place in the page, size window, each 0..1
    static CarouselModel geometric(int window, double swipe, double factor); // theta_k = factor^k
};

struct SlotFigures {
    double reach = 0;       // the page of this slot comes into view and no click ended the visit before it
    double examination = 0; // reach * theta
    double click = 0;       // examination * alpha
    double value = 0;       // click * v
    double hidden = 0;      // alpha * v * (1 - reach)
};
struct CarouselFigures {
    std::vector<SlotFigures> slots;
    double value = 0;  // V as shown
    double best = 0;   // V of the best order found (see bestOrder)
    double missed = 0; // best - value, >= 0
};
// alpha, v: per slot, equal lengths; alpha in [0,1], v >= 0. Error CL-8001 otherwise.
Result<CarouselFigures> carouselFigures(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v);
// Order with the highest V; the method used is said in `method`. Exact when
//   - there are at most 12 slots (dynamic programme over subsets), or
//   - all v are equal and sorting by alpha is optimal: one page with falling theta, or any pages with constant theta, or
//   - there is one page with constant theta: sorting by v is optimal.
// With several pages and falling theta sorting is not optimal even for equal v (the first slot of page 2 may beat the last of page 1), so
// longer carousels take the best of several sorted starts, improved by exchanges and by exact re-ordering of short stretches.
struct BestOrder {
    std::vector<std::size_t> order;
    double value = 0;
    std::string method;
    bool exact = false;
};
// Invalid input (see carouselFigures): the shown order with a NaN value.
BestOrder bestOrder(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v);
// The same improvement from one given order, whatever the length: for tests, and where a neighbouring problem was solved before.
BestOrder improvedOrder(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v,
                        std::vector<std::size_t> start);
// V and missed value over a grid of swipe probabilities 0..1 (they are not identified from clicks alone: show the band).
struct SwipeSensitivity {
    std::vector<double> swipe, value, best, missed;
};
SwipeSensitivity swipeSensitivity(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v, int steps = 21);

} // namespace carousel
