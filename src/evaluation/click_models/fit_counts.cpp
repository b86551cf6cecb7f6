// SPDX-License-Identifier: GPL-3.0-or-later
// Gathers the counts. Chunks of sessions are fixed; every count is a sum of small integers, so it is exact in any order.
#include "evaluation/click_models/fit_counts.h"
#include "base/parallel.h"
#include "evaluation/click_models/chain.h"
#include <algorithm>
#include <atomic>

namespace carousel {

namespace {
using K = ClickModelKind;
bool endsBySlot(K kind) {
    return kind == K::carousel;
}
bool mayEndAnywhere(K kind) {
    return kind == K::dbn || kind == K::ccm;
}
bool neverEnds(K kind) {
    return kind == K::rankCtr || kind == K::itemCtr || kind == K::pbm || kind == K::ubm;
}

// A click, and nothing in the log that says that the visit went on behind it.
bool neverGoesOn(const ClickLog& log, int window) {
    std::vector<std::uint8_t> alive, hidden;
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const SessionView view = session(log, s);
        std::size_t first = 0;
        while (first < view.size() && !view.click[first])
            ++first;
        if (first + 1 >= view.size())
            continue;
        alive.resize(view.size());
        hidden.resize(view.size());
        pageReach(view, window, alive.data(), hidden.data());
        for (std::size_t r = first + 1; r < view.size(); ++r)
            if (view.click[r] || alive[r] == 1)
                return false;
    }
    return true;
}
} // namespace

std::size_t ParameterLayout::place(std::size_t at) const {
    return kind == K::carousel ? examination + at % window : examination + at;
}
double ParameterLayout::look(const std::vector<double>& p, std::size_t at) const {
    if (kind == K::carousel)
        return p[place(at)] * (at >= window ? p[reset()] : 1);
    return kind == K::pbm || kind == K::ubm ? p[place(at)] : 1;
}

ClickModelParameters ParameterLayout::unpack(const std::vector<double>& p) const {
    auto part = [&](std::size_t begin, std::size_t end) {
        return std::vector<double>(p.begin() + static_cast<std::ptrdiff_t>(begin), p.begin() + static_cast<std::ptrdiff_t>(end));
    };
    ClickModelParameters result;
    (kind == K::rankCtr ? result.examination : result.attraction) = part(0, satisfaction);
    result.satisfaction = part(satisfaction, examination);
    if (kind != K::rankCtr)
        result.examination = part(examination, continuation);
    result.continuation = part(continuation, scalars);
    if (kind == K::carousel) {
        result.swipe = p[swipe()];
        result.continueAfterClick = p[onAfterClick()];
        result.reset = p[reset()];
        result.window = static_cast<int>(window);
    }
    return result;
}

std::vector<double> ParameterLayout::pack(const ClickModelParameters& parameters) const {
    std::vector<double> p = kind == K::rankCtr ? parameters.examination : parameters.attraction;
    p.insert(p.end(), parameters.satisfaction.begin(), parameters.satisfaction.end());
    if (kind != K::rankCtr)
        p.insert(p.end(), parameters.examination.begin(), parameters.examination.end());
    p.insert(p.end(), parameters.continuation.begin(), parameters.continuation.end());
    if (kind == K::carousel)
        p.insert(p.end(), {parameters.swipe, parameters.continueAfterClick, parameters.reset});
    return p;
}

ParameterLayout parameterLayout(ClickModelKind kind, const ClickLog& log, int window) {
    ParameterLayout layout;
    layout.kind = kind;
    layout.slots = static_cast<std::size_t>(log.slots);
    layout.items = kind == K::rankCtr ? layout.slots : static_cast<std::size_t>(log.items);
    layout.window = kind == K::carousel ? static_cast<std::size_t>(std::max(window, 1)) : 0;
    std::size_t places = 0;
    if (kind == K::pbm)
        layout.contexts = places = layout.slots;
    else if (kind == K::ubm)
        layout.contexts = places = layout.slots * (layout.slots + 1);
    else if (kind == K::carousel) {
        places = layout.window;
        layout.contexts = 2 * places;
        layout.fixedReset = !log.knowsReach();
        layout.fixedContinue = neverGoesOn(log, window);
    } else if (kind == K::cascade) {
        layout.fixedContinue = true;
    }
    layout.satisfaction = layout.items;
    layout.examination = layout.satisfaction + (kind == K::sdbn || kind == K::dbn ? layout.items : 0);
    layout.continuation = layout.examination + places;
    layout.scalars = layout.continuation + (kind == K::dcm ? layout.slots : kind == K::dbn ? 1 : kind == K::ccm ? 3 : 0);
    layout.total = layout.scalars + (kind == K::carousel ? 3 : 0);
    return layout;
}

namespace {
struct Part {                         // what one chunk of sessions adds
    std::vector<float> shown, clicks; // dense; small integers below 2^24 per chunk
    std::vector<std::uint8_t> seen;   // the cell occurs, in a certain row or a tail
    std::vector<double> wentOnItem, wentOnSlot, lastItem, lastSlot;
    double sessions = 0, wentOn = 0, wentOnCrossing = 0, ended = 0;
    std::vector<ClickTail> tails;
    std::vector<ClickTailRow> rows;
};

class Gatherer {
public:
    Gatherer(const ParameterLayout& layout, const ClickLog& log) : m_layout(layout), m_log(log) {}

    void add(std::size_t index, std::uint8_t weight, Part& part) {
        const SessionView view = session(m_log, index);
        const std::size_t n = view.size();
        const K kind = m_layout.kind;
        part.sessions += weight;
        if (n == 0)
            return;
        std::size_t sure = 0, lastClick = n;
        for (std::size_t r = 0; r < n; ++r)
            if (view.click[r])
                lastClick = sure = r;
        if (kind == K::carousel) {
            m_alive.resize(n);
            m_hidden.resize(n);
            pageReach(view, static_cast<int>(m_layout.window), m_alive.data(), m_hidden.data());
            if (m_alive[0] == 0)
                return;
            for (std::size_t r = sure; r < n; ++r)
                if (m_alive[r] == 1)
                    sure = r;
        }
        if (lastClick < n) {
            part.lastItem[itemOf(view, lastClick)] += weight;
            part.lastSlot[static_cast<std::size_t>(view.slot[lastClick])] += weight;
        }
        if (neverEnds(kind))
            sure = n - 1;
        // Without a click nothing ends here, so life is certain one row further.
        while (sure + 1 < n && !view.click[sure] && !mayEnd(view, sure))
            ++sure;

        std::size_t before = 0; // 1 + slot of the last click
        for (std::size_t r = 0; r <= sure; ++r) {
            if (const std::int64_t cell = cellOf(view, r, before); cell >= 0) {
                part.shown[static_cast<std::size_t>(cell)] += static_cast<float>(weight);
                part.clicks[static_cast<std::size_t>(cell)] += static_cast<float>(weight * view.click[r]);
                part.seen[static_cast<std::size_t>(cell)] = 1;
            }
            if (view.click[r])
                before = static_cast<std::size_t>(view.slot[r]) + 1;
            if (r == sure)
                break;
            if (view.click[r]) {
                part.wentOnItem[itemOf(view, r)] += weight;
                part.wentOnSlot[static_cast<std::size_t>(view.slot[r])] += weight;
                if (endsBySlot(kind) && crosses(view, r))
                    part.wentOnCrossing += weight;
            } else if (mayEnd(view, r)) {
                part.wentOn += weight;
            }
        }
        if (sure + 1 < n)
            addTail(view, index, sure, before, weight, part);
    }

private:
    std::size_t itemOf(const SessionView& view, std::size_t r) const {
        return static_cast<std::size_t>(m_layout.kind == K::rankCtr ? view.slot[r] : view.item[r]);
    }
    bool crosses(const SessionView& view, std::size_t r) const {
        const auto window = static_cast<int>(m_layout.window);
        return view.slot[r] / window != view.slot[r + 1] / window;
    }
    bool mayEnd(const SessionView& view, std::size_t r) const {
        return mayEndAnywhere(m_layout.kind) || (endsBySlot(m_layout.kind) && crosses(view, r));
    }
    std::int64_t cellOf(const SessionView& view, std::size_t r, std::size_t before) const {
        const auto slot = static_cast<std::size_t>(view.slot[r]);
        std::size_t context = 0;
        if (m_layout.kind == K::pbm)
            context = slot;
        else if (m_layout.kind == K::ubm)
            context = slot * (m_layout.slots + 1) + before;
        else if (m_layout.kind == K::carousel) {
            if (m_hidden[r])
                return -1;
            context = slot % m_layout.window + (slot >= m_layout.window ? m_layout.window : 0);
        }
        return static_cast<std::int64_t>(itemOf(view, r) * m_layout.contexts + context);
    }
    void addTail(const SessionView& view, std::size_t index, std::size_t sure, std::size_t before, std::uint8_t weight, Part& part) {
        const bool clicked = view.click[sure] != 0, pages = m_layout.kind == K::carousel;
        if (clicked && m_layout.fixedContinue)
            return; // over with certainty
        if (!clicked && pages && m_alive[sure + 1] == 0) {
            part.ended += weight;
            return;
        }
        ClickTail tail;
        tail.begin = part.rows.size();
        tail.item = clicked ? static_cast<std::int32_t>(itemOf(view, sure)) : -1;
        tail.session = static_cast<std::int32_t>(index);
        tail.slot = view.slot[sure];
        tail.crossing = pages && crosses(view, sure);
        tail.weight = weight;
        for (std::size_t r = sure + 1; r < view.size(); ++r) {
            if (pages && m_alive[r] == 0) {
                tail.endsDead = true;
                break;
            }
            ClickTailRow row;
            const std::int64_t cell = cellOf(view, r, before);
            row.cell = static_cast<std::int32_t>(cell);
            row.mayEnd = r + 1 < view.size() && mayEnd(view, r);
            if (cell >= 0)
                part.seen[static_cast<std::size_t>(cell)] = 1;
            part.rows.push_back(row);
            ++tail.rows;
        }
        part.tails.push_back(tail);
    }

    const ParameterLayout& m_layout;
    const ClickLog& m_log;
    std::vector<std::uint8_t> m_alive, m_hidden;
};

void addTo(std::vector<double>& to, const std::vector<double>& from) {
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] += from[i];
}
} // namespace

Result<ClickCounts> countClicks(const ParameterLayout& layout, const ClickLog& log, std::span<const std::uint8_t> weight,
                                const RunControl& control) {
    const std::size_t dense = layout.items * layout.contexts, n = log.sessions();
    if (dense > (std::size_t{1} << 27))
        return fail(ErrorKind::input, "CL-8023",
                    fmt::format("Click model {}: {} items in {} contexts are too many cells.",
                                clickModels()[static_cast<std::size_t>(layout.kind)].id, layout.items, layout.contexts),
                    "Keep the most shown items, or choose a model with fewer contexts.");
    // As many parts as memory allows, by the size of the task alone. Single precision counts exactly below 2^24.
    const std::size_t most = std::max<std::size_t>(1, (std::size_t{1} << 22) / std::max<std::size_t>(dense, 1));
    const std::size_t least = n * 8 / (std::size_t{1} << 24) + 1;
    const std::size_t partCount = std::max(least, std::min({most, std::size_t{16}, n / 32768 + 1}));
    const std::size_t grain = std::max<std::size_t>(1, (n + partCount - 1) / partCount);
    std::vector<Part> parts((n + grain - 1) / grain);
    std::atomic<bool> stopped{false};
    parallelFor(n, grain, [&](std::size_t begin, std::size_t end) {
        Part& part = parts[begin / grain];
        part.shown.assign(dense, 0.0f);
        part.clicks.assign(dense, 0.0f);
        part.seen.assign(dense, 0);
        part.wentOnItem.assign(layout.items, 0.0);
        part.lastItem = part.wentOnItem;
        part.wentOnSlot.assign(layout.slots, 0.0);
        part.lastSlot = part.wentOnSlot;
        Gatherer gatherer(layout, log);
        for (std::size_t s = begin; s < end; ++s) {
            if (s % 8192 == 0 && control.stopRequested())
                stopped = true;
            if (stopped)
                return;
            const std::uint8_t w = weight.empty() ? 1 : weight[log.cluster.empty() ? s : static_cast<std::size_t>(log.cluster[s])];
            if (w > 0)
                gatherer.add(s, w, part);
        }
    });
    if (stopped)
        return fail(RunControl::cancelled("Counting clicks"));

    ClickCounts counts;
    counts.layout = layout;
    counts.wentOnItem.assign(layout.items, 0.0);
    counts.lastItem = counts.wentOnItem;
    counts.wentOnSlot.assign(layout.slots, 0.0);
    counts.lastSlot = counts.wentOnSlot;
    counts.start.assign(layout.items + 1, 0);
    std::vector<std::int32_t> cellAt(dense, -1);
    for (std::size_t item = 0; item < layout.items; ++item) {
        for (std::size_t c = 0; c < layout.contexts; ++c) {
            const std::size_t at = item * layout.contexts + c;
            double shown = 0, clicks = 0;
            bool seen = false;
            for (const Part& part : parts) {
                seen = seen || part.seen[at];
                shown += static_cast<double>(part.shown[at]);
                clicks += static_cast<double>(part.clicks[at]);
            }
            if (!seen)
                continue;
            cellAt[at] = static_cast<std::int32_t>(counts.context.size());
            counts.context.push_back(static_cast<std::int32_t>(c));
            counts.shown.push_back(shown);
            counts.clicks.push_back(clicks);
        }
        counts.start[item + 1] = counts.context.size();
    }
    for (Part& part : parts) {
        counts.sessions += part.sessions;
        counts.wentOn += part.wentOn;
        counts.wentOnCrossing += part.wentOnCrossing;
        counts.ended += part.ended;
        addTo(counts.wentOnItem, part.wentOnItem);
        addTo(counts.wentOnSlot, part.wentOnSlot);
        addTo(counts.lastItem, part.lastItem);
        addTo(counts.lastSlot, part.lastSlot);
        for (ClickTail& tail : part.tails) {
            tail.begin += counts.tailRows.size();
            counts.tails.push_back(tail);
        }
        for (ClickTailRow row : part.rows) {
            row.cell = row.cell < 0 ? -1 : cellAt[static_cast<std::size_t>(row.cell)];
            counts.tailRows.push_back(row);
        }
        part = Part();
    }
    return counts;
}

} // namespace carousel
