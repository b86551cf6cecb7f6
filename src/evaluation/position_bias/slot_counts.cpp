// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/position_bias/slot_counts.h"

namespace carousel::bias {

CellIndex indexCells(const ClickLog& log) {
    CellIndex index;
    index.items = log.items;
    index.slots = log.slots;
    const auto items = static_cast<std::size_t>(log.items);
    // Slots seen per item, first with repetitions (rows by item), then each once.
    std::vector<std::size_t> rows(items + 1, 0);
    for (const auto item : log.item)
        ++rows[static_cast<std::size_t>(item) + 1];
    for (std::size_t i = 0; i < items; ++i)
        rows[i + 1] += rows[i];
    std::vector<std::int16_t> slots(log.rows());
    auto next = rows;
    for (std::size_t r = 0; r < log.rows(); ++r)
        slots[next[static_cast<std::size_t>(log.item[r])]++] = log.slot[r];
    index.offsets.assign(items + 1, 0);
    std::vector<char> seen(static_cast<std::size_t>(log.slots));
    for (std::size_t i = 0; i < items; ++i) {
        std::fill(seen.begin(), seen.end(), 0);
        for (std::size_t r = rows[i]; r < rows[i + 1]; ++r)
            seen[static_cast<std::size_t>(slots[r])] = 1;
        for (std::size_t k = 0; k < seen.size(); ++k)
            if (seen[k])
                index.slot.push_back(static_cast<std::int16_t>(k));
        index.offsets[i + 1] = index.slot.size();
    }
    index.ofRow.resize(log.rows());
    for (std::size_t r = 0; r < log.rows(); ++r) {
        const auto item = static_cast<std::size_t>(log.item[r]);
        const auto begin = index.slot.begin() + static_cast<std::ptrdiff_t>(index.offsets[item]),
                   end = index.slot.begin() + static_cast<std::ptrdiff_t>(index.offsets[item + 1]);
        index.ofRow[r] = static_cast<std::uint32_t>(std::lower_bound(begin, end, log.slot[r]) - index.slot.begin());
    }
    return index;
}

void countCells(const ClickLog& log, const CellIndex& index, std::span<const std::uint8_t> weight, std::vector<CellCount>& counts) {
    counts.assign(index.size(), {});
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const std::uint32_t w = weight.empty() ? 1 : weight[clusterOf(log, s)];
        if (w == 0)
            continue;
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            auto& cell = counts[index.ofRow[r]];
            cell.impressions += w;
            cell.clicks += w * log.click[r];
        }
    }
}

std::vector<ProductCell> productCells(const CellIndex& index, const std::vector<CellCount>& counts) {
    std::vector<ProductCell> cells;
    cells.reserve(counts.size());
    for (std::int32_t item = 0; item < index.items; ++item)
        for (std::size_t c = index.offsets[static_cast<std::size_t>(item)]; c < index.offsets[static_cast<std::size_t>(item) + 1]; ++c)
            if (counts[c].impressions > 0)
                cells.push_back(
                    {item, index.slot[c], false, static_cast<double>(counts[c].impressions), static_cast<double>(counts[c].clicks)});
    return cells;
}

PairCounts countPairs(const CellIndex& index, const std::vector<CellCount>& counts) {
    PairCounts pairs;
    pairs.slots = index.slots;
    const auto size = static_cast<std::size_t>(index.slots) * static_cast<std::size_t>(index.slots);
    pairs.rate.assign(size, 0);
    pairs.items.assign(size, 0);
    pairs.impressions.assign(size, 0);
    pairs.clicks.assign(size, 0);
    for (std::size_t item = 0; item < static_cast<std::size_t>(index.items); ++item)
        for (std::size_t a = index.offsets[item]; a < index.offsets[item + 1]; ++a) {
            if (counts[a].impressions == 0)
                continue;
            const double rate = static_cast<double>(counts[a].clicks) / counts[a].impressions;
            for (std::size_t b = index.offsets[item]; b < index.offsets[item + 1]; ++b) {
                if (counts[b].impressions == 0)
                    continue;
                const std::size_t at = pairs.at(static_cast<std::size_t>(index.slot[a]), static_cast<std::size_t>(index.slot[b]));
                pairs.rate[at] += rate;
                ++pairs.items[at];
                pairs.impressions[at] += counts[a].impressions;
                pairs.clicks[at] += counts[a].clicks;
            }
        }
    return pairs;
}

} // namespace carousel::bias
