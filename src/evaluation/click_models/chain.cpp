// SPDX-License-Identifier: GPL-3.0-or-later
// Rows of the two-state chain per model, and its exact posterior.
#include "evaluation/click_models/chain.h"

namespace carousel {

void chainRows(ClickModelKind kind, const ClickModelParameters& p, std::int32_t slots, const SessionView& session, ChainRow* rows) {
    const std::size_t n = session.size();
    std::size_t last = 0; // 1 + slot of the last click
    for (std::size_t r = 0; r < n; ++r) {
        ChainRow row;
        const auto slot = static_cast<std::size_t>(session.slot[r]), item = static_cast<std::size_t>(session.item[r]);
        row.attraction = kind == ClickModelKind::rankCtr ? p.examination[slot] : p.attraction[item];
        const bool more = r + 1 < n;
        switch (kind) {
        case ClickModelKind::rankCtr:
        case ClickModelKind::itemCtr:
            break;
        case ClickModelKind::pbm:
            row.look = p.examination[slot];
            break;
        case ClickModelKind::ubm:
            row.look = p.examination[slot * (static_cast<std::size_t>(slots) + 1) + last];
            break;
        case ClickModelKind::cascade:
            row.stay1 = 0;
            break;
        case ClickModelKind::dcm:
            row.stay1 = p.continuation[slot];
            break;
        case ClickModelKind::sdbn:
            row.stay1 = 1 - p.satisfaction[item];
            break;
        case ClickModelKind::dbn:
            row.stay0 = p.continuation[0];
            row.stay1 = p.continuation[0] * (1 - p.satisfaction[item]);
            break;
        case ClickModelKind::ccm:
            row.stay0 = p.continuation[0];
            row.stay1 = p.continuation[1] * (1 - row.attraction) + p.continuation[2] * row.attraction;
            break;
        case ClickModelKind::carousel: {
            const auto window = static_cast<std::size_t>(p.window);
            row.look = p.examination[slot % window] * (slot >= window ? p.reset : 1);
            row.stay1 = p.continueAfterClick;
            if (more && static_cast<std::size_t>(session.slot[r + 1]) / window != slot / window) {
                row.stay0 = p.swipe;
                row.stay1 *= p.swipe;
            }
            break;
        }
        }
        if (!more)
            row.stay0 = row.stay1 = 1;
        if (session.click[r])
            last = slot + 1;
        rows[r] = row;
    }
}

void pageReach(const SessionView& session, int window, std::uint8_t* alive, std::uint8_t* hidden) {
    const std::size_t n = session.size();
    auto page = [&](std::size_t r) { return session.slot[r] / window; };
    std::size_t end = n;
    bool later = false; // a later page was reached
    while (end > 0) {
        std::size_t begin = end - 1;
        while (begin > 0 && page(begin - 1) == page(end - 1))
            --begin;
        bool in = later, out = false;
        for (std::size_t r = begin; r < end; ++r) {
            in = in || session.click[r] || (!session.reached.empty() && session.reached[r] == 1);
            out = out || (!session.reached.empty() && session.reached[r] == 0);
        }
        const std::uint8_t known = in ? 1 : out ? 0 : begin == 0 ? 1 : reachUnknown;
        for (std::size_t r = begin; r < end; ++r) {
            alive[r] = known == 1 && r > begin ? reachUnknown : known;
            hidden[r] = known == 1 && !session.reached.empty() && session.reached[r] == 0;
        }
        later = known == 1;
        end = begin;
    }
}

void alivePosterior(std::span<const ChainRow> rows, std::span<const std::uint8_t> click, const std::uint8_t* alive, double* out) {
    const std::size_t n = rows.size();
    if (n == 0)
        return;
    // The last row at which the visit was certainly alive.
    std::size_t sure = 0;
    for (std::size_t r = 0; r < n; ++r)
        if (click[r] || (alive != nullptr && alive[r] == 1))
            sure = r;
    if (alive != nullptr && alive[0] == 0) {
        std::fill(out, out + n, 0.0);
        return;
    }
    // ahead[r] = P(no click from r on, and what is known of the pages | alive at r)
    ShortArray<double> ahead(n + 1);
    ahead[n] = 1;
    for (std::size_t r = n; r-- > sure + 1;)
        ahead[r] = alive != nullptr && alive[r] == 0 ? 0 : (1 - rows[r].emission()) * (rows[r].stay0 * ahead[r + 1] + 1 - rows[r].stay0);
    for (std::size_t r = 0; r <= sure; ++r)
        out[r] = 1;
    for (std::size_t r = sure; r + 1 < n; ++r) {
        const double stay = click[r] ? rows[r].stay1 : rows[r].stay0, on = stay * ahead[r + 1], all = on + 1 - stay;
        out[r + 1] = all > 0 ? out[r] * on / all : 0;
    }
}

SessionPosterior sessionPosterior(const ClickModel& model, const SessionView& session, std::int32_t slots) {
    const std::size_t n = session.size();
    SessionPosterior result;
    result.alive.assign(n, 1);
    result.examined.assign(n, 1);
    result.attraction.assign(n, 1);
    result.satisfaction.assign(n, 0);
    std::vector<ChainRow> rows(n);
    const ClickModelParameters& p = model.parameters();
    const ClickModelKind kind = model.kind();
    chainRows(kind, p, slots, session, rows.data());
    std::vector<std::uint8_t> alive(n), hidden(n, 0);
    const bool pages = kind == ClickModelKind::carousel;
    if (pages)
        pageReach(session, p.window, alive.data(), hidden.data());
    for (std::size_t r = 0; r < n; ++r)
        if (hidden[r])
            rows[r].look = 0;
    alivePosterior(rows, session.click, pages ? alive.data() : nullptr, result.alive.data());
    for (std::size_t r = 0; r < n; ++r) {
        if (session.click[r]) {
            const double next = r + 1 < n ? result.alive[r + 1] : 0, a = rows[r].attraction, stay = rows[r].stay1;
            if (kind == ClickModelKind::sdbn || kind == ClickModelKind::dbn) {
                const double sigma = p.satisfaction[static_cast<std::size_t>(session.item[r])];
                result.satisfaction[r] = r + 1 == n ? sigma : stay < 1 ? (1 - next) * sigma / (1 - stay) : 0;
            } else if (kind == ClickModelKind::ccm) {
                const double on = stay > 0 ? a * p.continuation[2] / stay : 0,
                             off = stay < 1 ? a * (1 - p.continuation[2]) / (1 - stay) : 0;
                result.satisfaction[r] = r + 1 == n ? a : next * on + (1 - next) * off;
            }
            continue;
        }
        result.examined[r] = result.alive[r] * rows[r].lookedWithoutClick();
        // Looked at without a click: it does not attract. Not looked at: nothing was learnt.
        result.attraction[r] = (1 - result.examined[r]) * rows[r].attraction;
    }
    return result;
}

} // namespace carousel
