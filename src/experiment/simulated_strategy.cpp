// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/simulated_strategy.h"
#include "base/hash.h"
#include <algorithm>

namespace carousel {

namespace {

std::uint8_t kindOf(InteractionTable& events, const std::string& name) {
    const auto it = std::find(events.kinds.begin(), events.kinds.end(), name);
    if (it != events.kinds.end())
        return static_cast<std::uint8_t>(it - events.kinds.begin());
    events.kinds.push_back(name);
    return static_cast<std::uint8_t>(events.kinds.size() - 1);
}

} // namespace

DatasetPtr withClicks(const Dataset& dataset, std::span<const SimulatedClick> learned, std::int64_t time) {
    auto out = std::make_shared<Dataset>(dataset);
    InteractionTable& events = out->interactions;
    const std::uint8_t click = kindOf(events, "click"), purchase = kindOf(events, "purchase");
    const auto add = [&](const SimulatedClick& c, std::uint8_t kind) {
        events.user.push_back(c.user), events.item.push_back(c.item), events.kind.push_back(kind);
        events.value.push_back(1), events.time.push_back(time++);
    };
    for (const SimulatedClick& c : learned) {
        add(c, click);
        if (c.bought)
            add(c, purchase);
    }
    out->digest = sha256(fmt::format("{} and {} simulated clicks", dataset.digest, learned.size()));
    return out;
}

Result<std::unique_ptr<StrategySource>> StrategySource::make(Request request, const RunControl& control) {
    auto out = std::unique_ptr<StrategySource>(new StrategySource(std::move(request)));
    const Request& r = out->m_request;
    out->m_rowOf.assign(r.dataset->users.size(), -1);
    for (std::size_t row = 0; row < r.people.size(); ++row)
        out->m_rowOf[static_cast<std::size_t>(r.people[row])] = static_cast<std::int32_t>(row);
    CAROUSEL_TRY(out->fit(r.dataset, r.before, control));
    return out;
}

Result<void> StrategySource::fit(const DatasetPtr& dataset, std::int64_t before, const RunControl& control) {
    CAROUSEL_ASSIGN(const StrategyOrders orders, orderForUsers(dataset, m_request.strategy, m_request.people, before, m_request.seed, m_request.device, m_request.host, control));
    m_orders.assign(m_request.people.size() * m_request.length, -1);
    for (const auto& [user, order] : orders.users) {
        const auto row = static_cast<std::size_t>(m_rowOf[static_cast<std::size_t>(user)]);
        std::copy_n(order.items.begin(), std::min(order.items.size(), m_request.length), m_orders.begin() + static_cast<std::ptrdiff_t>(row * m_request.length));
    }
    m_cost += orders.cost;
    m_seconds += orders.seconds;
    if (++m_fits == 1)
        m_notes = orders.notes;
    return {};
}

void StrategySource::slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const {
    const std::int32_t row = m_rowOf[static_cast<std::size_t>(user)];
    std::size_t filled = 0;
    if (row >= 0) {
        const std::int32_t* const order = m_orders.data() + static_cast<std::size_t>(row) * m_request.length;
        for (std::size_t i = 0; i < m_request.length && filled < out.size() && order[i] >= 0; ++i)
            if (clicked.empty() || !std::binary_search(clicked.begin(), clicked.end(), order[i]))
                out[filled++] = order[i];
    }
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(filled), out.end(), -1);
}

Result<void> StrategySource::learn(std::span<const SimulatedClick> clicks, const RunControl& control) {
    m_clicks.insert(m_clicks.end(), clicks.begin(), clicks.end());
    // What lies behind `before` stays unknown: simulated clicks come right after what is known, and the rest is moved out of the way.
    auto dataset = std::make_shared<Dataset>(*withClicks(*m_request.dataset, m_clicks, m_request.before));
    const auto end = m_request.before + 2 * static_cast<std::int64_t>(m_clicks.size());
    for (std::size_t row = 0; row < m_request.dataset->interactions.size(); ++row)
        if (std::int64_t& time = dataset->interactions.time[row]; time != noTime && time >= m_request.before)
            time = std::max(time, end);
    return fit(dataset, end, control);
}

} // namespace carousel
