// SPDX-License-Identifier: GPL-3.0-or-later
// The one order of events that splits and histories share: by time, ties in a seeded order. The order of the file is never used to
// break a tie, because logs with coarse times are often sorted by item id within a day, and a model could learn that.
#pragma once
#include "data/dataset.h"

namespace carousel {

// One random key per interaction row; depends on the seed and the number of the row alone.
std::vector<std::uint64_t> tieKeys(std::uint64_t seed, std::size_t rows);

// Interaction rows grouped by user: rows[offsets[u] .. offsets[u + 1]) are those of user u, oldest first.
struct UserOrder {
    std::vector<std::size_t> offsets, rows;
    std::span<const std::size_t> of(std::size_t user) const { return {rows.data() + offsets[user], offsets[user + 1] - offsets[user]}; }
};
// `keep` empty: all rows; else only rows with keep[row] != 0.
UserOrder orderByUser(const Dataset& dataset, std::span<const std::uint64_t> keys, const std::vector<std::uint8_t>& keep = {});

} // namespace carousel
