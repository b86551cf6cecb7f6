// SPDX-License-Identifier: GPL-3.0-or-later
// Coverage, novelty and diversity of the items shown, with the same rule for ties: expected over random orders inside tie groups.
// A tie group that runs past the stored depth is represented by its stored members.
#pragma once
#include "evaluation/metrics/ranking.h"

namespace carousel {

struct ShownItem {
    std::int32_t item;
    bool certain; // among the first k in every tie order
};
// The items that may be among the first k: certain ones first, then the members of the group that straddles k.
struct ShownList {
    std::vector<ShownItem> items;
    std::size_t certain = 0, drawn = 0; // `drawn` of the others are shown
    double share() const { return items.size() > certain ? static_cast<double>(drawn) / static_cast<double>(items.size() - certain) : 0; }
};
ShownList shownItems(const RankedUser& user, int k);

struct BoundedValue {
    double value = 0, worst = 0, best = 0; // NaN: undefined
};
BoundedValue noveltyOf(const ShownList& shown, std::span<const float> bitsPerItem);
BoundedValue diversityOf(const ShownList& shown, const CatalogueFacts& facts);
BoundedValue coverageOf(std::span<const ShownList> users, std::size_t catalogueItems);
std::vector<float> noveltyBits(const CatalogueFacts& facts, std::size_t evaluatedUsers);

} // namespace carousel
