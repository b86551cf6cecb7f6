// SPDX-License-Identifier: GPL-3.0-or-later
// Clicks and impressions per (item, slot), the counts that every estimator reads, under any weights of the clusters; and what pairs of
// slots share: S_kk', the items shown in both, with their click rates there (Agarwal et al., WSDM 2019).
#pragma once
#include "evaluation/click_models/click_log.h"
#include "evaluation/position_bias/product_fit.h"
#include <algorithm>

namespace carousel::bias {

struct CellCount {
    std::uint32_t impressions = 0, clicks = 0;
};
struct CellIndex { // the (item, slot) cells that occur, by item, then slot
    std::int32_t items = 0, slots = 0;
    std::vector<std::size_t> offsets; // items + 1
    std::vector<std::int16_t> slot;   // per cell
    std::vector<std::uint32_t> ofRow; // per row of the log: its cell
    std::size_t size() const { return slot.size(); }
};
CellIndex indexCells(const ClickLog& log);

// Weighted counts; `weight` per cluster (per session without clusters), empty: 1 each.
void countCells(const ClickLog& log, const CellIndex& index, std::span<const std::uint8_t> weight, std::vector<CellCount>& counts);
inline std::size_t clusterOf(const ClickLog& log, std::size_t session) {
    return log.cluster.empty() ? session : static_cast<std::size_t>(log.cluster[session]);
}
std::vector<ProductCell> productCells(const CellIndex& index, const std::vector<CellCount>& counts);

// For slots k, l at [k * slots + l]: over the items of S_kl, at slot k. The order of the pair is kept, so no two pairs share a place.
struct PairCounts {
    std::int32_t slots = 0;
    std::vector<double> rate; // sum of click rates: clicks weighted by 1 / impressions of the item at k
    std::vector<std::int64_t> items, impressions, clicks;
    std::size_t at(std::size_t k, std::size_t l) const { return k * static_cast<std::size_t>(slots) + l; }
    std::int64_t overlap(std::size_t k, std::size_t l) const { return std::min(impressions[at(k, l)], impressions[at(l, k)]); }
};
PairCounts countPairs(const CellIndex& index, const std::vector<CellCount>& counts);

} // namespace carousel::bias
