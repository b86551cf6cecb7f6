// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/event_order.h"
#include "base/random.h"
#include <algorithm>

namespace carousel {

std::vector<std::uint64_t> tieKeys(std::uint64_t seed, std::size_t rows) {
    RandomStream stream(seed, "split ties");
    std::vector<std::uint64_t> keys(rows);
    for (auto& key : keys)
        key = stream.next64();
    return keys;
}

UserOrder orderByUser(const Dataset& dataset, std::span<const std::uint64_t> keys, const std::vector<std::uint8_t>& keep) {
    const auto& events = dataset.interactions;
    UserOrder order;
    order.offsets.assign(dataset.users.size() + 1, 0);
    auto kept = [&](std::size_t row) { return keep.empty() || keep[row] != 0; };
    for (std::size_t row = 0; row < events.size(); ++row)
        if (kept(row))
            ++order.offsets[static_cast<std::size_t>(events.user[row]) + 1];
    for (std::size_t u = 1; u < order.offsets.size(); ++u)
        order.offsets[u] += order.offsets[u - 1];
    order.rows.resize(order.offsets.back());
    auto next = order.offsets;
    for (std::size_t row = 0; row < events.size(); ++row)
        if (kept(row))
            order.rows[next[static_cast<std::size_t>(events.user[row])]++] = row;
    for (std::size_t u = 0; u + 1 < order.offsets.size(); ++u)
        std::sort(order.rows.begin() + static_cast<std::ptrdiff_t>(order.offsets[u]),
                  order.rows.begin() + static_cast<std::ptrdiff_t>(order.offsets[u + 1]), [&](std::size_t a, std::size_t b) {
                      if (events.time[a] != events.time[b])
                          return events.time[a] < events.time[b];
                      return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
                  });
    return order;
}

} // namespace carousel
