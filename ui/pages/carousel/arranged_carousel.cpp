// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/arranged_carousel.h"
#include <algorithm>
#include <numeric>

namespace carousel::ui {

void ArrangedCarousel::setCards(std::vector<CarouselCard> cards) {
    m_cards = std::move(cards);
    m_order.resize(m_cards.size());
    reset();
    m_figures = {};
    m_figures.slots.resize(m_cards.size());
}

std::size_t ArrangedCarousel::placeOf(std::size_t stored) const {
    return static_cast<std::size_t>(std::find(m_order.begin(), m_order.end(), stored) - m_order.begin());
}

void ArrangedCarousel::move(std::size_t from, std::size_t to) {
    if (from >= m_order.size() || to >= m_order.size() || from == to)
        return;
    const auto at = [&](std::size_t place) { return m_order.begin() + static_cast<std::ptrdiff_t>(place); };
    if (from < to)
        std::rotate(at(from), at(from + 1), at(to + 1));
    else
        std::rotate(at(to), at(from), at(from + 1));
}

void ArrangedCarousel::reset() {
    std::iota(m_order.begin(), m_order.end(), std::size_t(0));
}

bool ArrangedCarousel::isMoved() const {
    return !std::is_sorted(m_order.begin(), m_order.end());
}

void ArrangedCarousel::columns(std::vector<double>& alpha, std::vector<double>& v) const {
    for (const auto stored : m_order) {
        alpha.push_back(m_cards[stored].attraction);
        v.push_back(m_cards[stored].value);
    }
}

Result<void> ArrangedCarousel::evaluate(const CarouselModel& model) {
    std::vector<double> alpha, v;
    columns(alpha, v);
    CAROUSEL_ASSIGN(m_figures, carouselFigures(model, alpha, v));
    return {};
}

SwipeSensitivity ArrangedCarousel::sensitivity(const CarouselModel& model, int steps) const {
    std::vector<double> alpha, v;
    columns(alpha, v);
    return swipeSensitivity(model, alpha, v, steps);
}

std::size_t ArrangedCarousel::targetPlace() const {
    for (std::size_t place = 0; place < m_order.size(); ++place)
        if (at(place).isTarget)
            return place;
    return m_order.size();
}

} // namespace carousel::ui
