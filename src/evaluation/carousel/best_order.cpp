// SPDX-License-Identifier: GPL-3.0-or-later
// The order with the highest value. Walking backwards, what follows a slot depends only on which items are left, not on how the earlier
// ones were arranged, so a programme over subsets is exact: f(S) = max over i in S of click v + (1 - click) pass f(S \ {i}).
#include "evaluation/carousel/carousel_value.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace carousel {

namespace {
constexpr std::size_t exactSlots = 12, stretchSlots = 6;
constexpr int mostRounds = 30;

struct Problem {
    const CarouselModel& model;
    std::span<const double> alpha, v;
};

// Re-orders order[first .. first + count) in the best way, given the value of everything behind it.
void arrangeStretch(const Problem& p, std::vector<std::size_t>& order, std::size_t first, std::size_t count, double behind) {
    const std::size_t sets = std::size_t(1) << count;
    std::vector<double> best(sets, behind);
    std::vector<std::uint8_t> choice(sets, 0);
    for (std::size_t set = 1; set < sets; ++set) {
        const std::size_t slot = first + count - static_cast<std::size_t>(std::popcount(set));
        const double theta = thetaAt(p.model, slot), pass = passOn(p.model, slot);
        double highest = -1;
        for (std::size_t i = 0; i < count; ++i) {
            if (!(set >> i & 1))
                continue;
            const std::size_t item = order[first + i];
            const double click = theta * p.alpha[item];
            const double value = click * p.v[item] + (1 - click) * pass * best[set ^ (std::size_t(1) << i)];
            if (value > highest) {
                highest = value;
                choice[set] = static_cast<std::uint8_t>(i);
            }
        }
        best[set] = highest;
    }
    std::vector<std::size_t> arranged;
    for (std::size_t set = sets - 1; set != 0; set ^= std::size_t(1) << choice[set])
        arranged.push_back(order[first + choice[set]]);
    std::copy(arranged.begin(), arranged.end(), order.begin() + static_cast<std::ptrdiff_t>(first));
}

std::vector<std::size_t> sortedBy(std::size_t n, auto key) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
    return order;
}

// Best items into the slots that are looked at most, whatever their page: the optimum when everybody swipes on (s = 1, equal v).
std::vector<std::size_t> bySlotAttention(const Problem& p, const std::vector<std::size_t>& sorted) {
    const auto slots = sortedBy(sorted.size(), [&](std::size_t slot) { return thetaAt(p.model, slot); });
    std::vector<std::size_t> order(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i)
        order[slots[i]] = sorted[i];
    return order;
}

bool equalValues(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [&](double x) { return x == values.front(); });
}

// Exchanges pairs as long as that helps. With A = reach of each slot and F = value behind each slot, the gain of an exchange follows from
// the stretch between the two slots alone; stretches are short affine maps, so slots far down the carousel cost little.
bool exchangePass(const Problem& p, std::vector<std::size_t>& order) {
    const std::size_t n = order.size();
    bool changed = false;
    std::vector<double> behind(n + 1, 0);
    auto refresh = [&](std::size_t upTo) {
        for (std::size_t r = upTo; r-- > 0;) {
            const double click = thetaAt(p.model, r) * p.alpha[order[r]];
            behind[r] = click * p.v[order[r]] + (1 - click) * passOn(p.model, r) * behind[r + 1];
        }
    };
    refresh(n);
    const double scale = std::max(behind[0], 1e-300);
    double reach = 1;
    for (std::size_t i = 0; i + 1 < n && reach > 1e-12; ++i) {
        const double thetaI = thetaAt(p.model, i), passI = passOn(p.model, i);
        // Between i and j: value = gain + factor * (value from slot j on)
        double gain = 0, factor = 1;
        for (std::size_t j = i + 1; j < n && reach * factor > 1e-12; ++j) {
            const std::size_t a = order[i], b = order[j];
            const double clickB = thetaI * p.alpha[b], clickA = thetaAt(p.model, j) * p.alpha[a];
            const double fromJ = clickA * p.v[a] + (1 - clickA) * passOn(p.model, j) * behind[j + 1];
            const double fromI = clickB * p.v[b] + (1 - clickB) * passI * (gain + factor * fromJ);
            if ((fromI - behind[i]) * reach > 1e-13 * scale) {
                std::swap(order[i], order[j]);
                refresh(j + 1);
                changed = true;
            }
            const double click = thetaAt(p.model, j) * p.alpha[order[j]];
            gain += factor * click * p.v[order[j]];
            factor *= (1 - click) * passOn(p.model, j);
        }
        reach *= (1 - thetaI * p.alpha[order[i]]) * passI;
    }
    return changed;
}

void improve(const Problem& p, std::vector<std::size_t>& order) {
    const std::size_t n = order.size();
    double value = valueOfOrder(p.model, p.alpha, p.v, order);
    for (int round = 0; round < mostRounds; ++round) {
        while (exchangePass(p, order)) {
        }
        double behind = 0;
        std::vector<double> tail(n + 1, 0);
        for (std::size_t first = n; first-- > 0;) {
            const std::size_t count = std::min(stretchSlots, n - first);
            behind = tail[first + count];
            if (count > 1)
                arrangeStretch(p, order, first, count, behind);
            for (std::size_t r = first + count; r-- > first;) {
                const double click = thetaAt(p.model, r) * p.alpha[order[r]];
                tail[r] = click * p.v[order[r]] + (1 - click) * passOn(p.model, r) * tail[r + 1];
            }
        }
        if (!(tail[0] > value * (1 + 1e-12)))
            break;
        value = tail[0];
    }
}

BestOrder finished(const Problem& p, std::vector<std::size_t> order, std::string method, bool exact) {
    BestOrder best{.order = std::move(order), .method = std::move(method), .exact = exact};
    best.value = valueOfOrder(p.model, p.alpha, p.v, best.order);
    return best;
}
} // namespace

BestOrder improvedOrder(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v,
                        std::vector<std::size_t> start) {
    const Problem p{model, alpha, v};
    improve(p, start);
    return finished(p, std::move(start), "improved by exchanges (not proven best)", false);
}

BestOrder bestOrder(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v) {
    const std::size_t n = alpha.size();
    if (const auto checked = checkCarousel(model, alpha, v); !checked) {
        BestOrder refused{.order = sortedBy(n, [](std::size_t) { return 0; }), .method = checked.error().message};
        refused.value = std::numeric_limits<double>::quiet_NaN();
        return refused;
    }
    const Problem p{model, alpha, v};
    auto byClick = sortedBy(n, [&](std::size_t i) { return alpha[i]; });
    if (n < 2)
        return finished(p, byClick, "nothing to re-order (exact)", true);
    const bool onePage = n <= static_cast<std::size_t>(model.window);
    const auto theta = std::span<const double>(model.examination).first(std::min(n, model.examination.size()));
    const bool constant = equalValues(theta);
    const bool falling = std::is_sorted(theta.begin(), theta.end(), std::greater<>());
    if (equalValues(v) && (constant || (onePage && falling)))
        return finished(p, byClick, "sorted by attraction (exact: equal values)", true);
    auto byValue = sortedBy(n, [&](std::size_t i) { return v[i]; });
    if (onePage && constant)
        return finished(p, byValue, "sorted by value (exact: one page, equal examination)", true);
    if (n <= exactSlots) {
        arrangeStretch(p, byClick, 0, n, 0);
        return finished(p, byClick, "all orders (exact: dynamic programme)", true);
    }
    const auto byBoth = sortedBy(n, [&](std::size_t i) { return alpha[i] * v[i]; });
    BestOrder best;
    best.value = -1;
    // Sorting by value reaches the top of each page; starts that differ guard against a poor local optimum.
    for (auto& start : {byBoth, bySlotAttention(p, byBoth), byValue}) {
        auto order = start;
        improve(p, order);
        auto found = finished(p, std::move(order), "sorted starts improved by exchanges (not proven best)", false);
        if (found.value > best.value)
            best = std::move(found);
    }
    return best;
}

} // namespace carousel
