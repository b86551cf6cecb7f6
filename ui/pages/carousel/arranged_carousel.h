// SPDX-License-Identifier: GPL-3.0-or-later
// One user's carousel in the order that is on the screen, and what it is worth there. Cards can be moved; the stored order is kept.
#pragma once
#include "workbench/workbench.h"

namespace carousel::ui {

class ArrangedCarousel {
public:
    void setCards(std::vector<CarouselCard> cards); // in the stored order
    std::size_t size() const { return m_order.size(); }
    const CarouselCard& at(std::size_t place) const { return m_cards[m_order[place]]; }
    std::size_t storedPlace(std::size_t place) const { return m_order[place]; }
    std::size_t placeOf(std::size_t stored) const;

    void move(std::size_t from, std::size_t to); // the cards between make room
    void reset();
    bool isMoved() const;

    // Figures of the present order; kept until the next call.
    Result<void> evaluate(const CarouselModel& model);
    const CarouselFigures& figures() const { return m_figures; }
    SwipeSensitivity sensitivity(const CarouselModel& model, int steps) const;
    // First place of an item that the user went on to choose; size() when none is among the cards.
    std::size_t targetPlace() const;

private:
    void columns(std::vector<double>& alpha, std::vector<double>& v) const;
    std::vector<CarouselCard> m_cards;
    std::vector<std::size_t> m_order;
    CarouselFigures m_figures;
};

} // namespace carousel::ui
