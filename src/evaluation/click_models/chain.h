// SPDX-License-Identifier: GPL-3.0-or-later
// What all click models here share: a visit is alive or over, a row of a living visit is clicked with probability look * attraction, and
// the visit stays alive to the next row with a probability that depends on the row and its click. Once over it stays over, so everything up
// to the last proof of life (a click, or a page logged as in view) is certain, and only the tail behind it is hidden. PBM and UBM never
// end.
#pragma once
#include "evaluation/click_models/click_model.h"
#include <array>

namespace carousel {

struct ChainRow {
    double look = 1;       // P(looked at | alive)
    double attraction = 0; // P(click | looked at)
    double stay0 = 1;      // P(alive at the next row | alive, no click); 1 at the last row
    double stay1 = 1;      // the same after a click
    double emission() const { return look * attraction; }
    // P(looked at | alive, no click)
    double lookedWithoutClick() const {
        const double none = 1 - emission();
        return none > 0 ? look * (1 - attraction) / none : 0;
    }
};

// Rows of a session without an allocation for the usual lengths.
template <class T> class ShortArray {
public:
    explicit ShortArray(std::size_t n) : m_size(n) {
        if (n > m_near.size())
            m_far.resize(n);
    }
    T* data() { return m_far.empty() ? m_near.data() : m_far.data(); }
    T& operator[](std::size_t i) { return data()[i]; }
    std::size_t size() const { return m_size; }

private:
    std::array<T, 64> m_near{};
    std::vector<T> m_far;
    std::size_t m_size;
};

// Fills a row per row of the session. UBM's look depends on the clicks before, so it uses those of the session.
void chainRows(ClickModelKind kind, const ClickModelParameters& parameters, std::int32_t slots, const SessionView& session, ChainRow* rows);

// What the reach column says: alive[r] is 1 at the first row of a page that was in view, 0 on all rows of a page that was not, otherwise
// reachUnknown; hidden[r] is 1 when the page was in view but this slot was logged as not. A page before one that was reached or clicked
// was in view itself, and so is the first one unless the log denies it.
void pageReach(const SessionView& session, int window, std::uint8_t* alive, std::uint8_t* hidden);

// P(alive at r | all clicks of the session, and `alive` where it is given), exact.
void alivePosterior(std::span<const ChainRow> rows, std::span<const std::uint8_t> click, const std::uint8_t* alive, double* out);

// Posterior means of the hidden variables of a session: used by tests and shown to people.
struct SessionPosterior {
    std::vector<double> alive, examined;
    std::vector<double> attraction;   // P(the row's item attracts | clicks), also where nobody looked
    std::vector<double> satisfaction; // P(satisfied | clicks) at clicked rows, else 0: sdbn, dbn; ccm: P(relevant | clicks)
};
SessionPosterior sessionPosterior(const ClickModel& model, const SessionView& session, std::int32_t slots);

} // namespace carousel
