// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/training_order.h"
#include "base/random.h"
#include <algorithm>
#include <numeric>

namespace carousel {

std::vector<std::size_t> TrainingOrder::examplesOf(std::int64_t step) {
    const std::int64_t epoch = step / stepsPerEpoch();
    if (epoch != m_epoch) {
        m_order.resize(m_examples);
        std::iota(m_order.begin(), m_order.end(), std::size_t(0));
        RandomStream random(m_seed, "fine-tune order", static_cast<std::uint64_t>(epoch));
        for (std::size_t left = m_examples; left > 1; --left)
            std::swap(m_order[left - 1], m_order[random.below(left)]);
        m_epoch = epoch;
    }
    const std::size_t begin = static_cast<std::size_t>(step % stepsPerEpoch()) * m_batch, end = std::min(begin + m_batch, m_examples);
    return {m_order.begin() + static_cast<std::ptrdiff_t>(begin), m_order.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::vector<std::vector<std::size_t>> piecesByLength(std::span<const std::size_t> indices, std::span<const std::int64_t> lengths,
                                                     std::int64_t tokens) {
    std::vector<std::size_t> sorted(indices.begin(), indices.end());
    std::stable_sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
    std::vector<std::vector<std::size_t>> pieces;
    std::int64_t inPiece = 0;
    for (const std::size_t index : sorted) {
        if (pieces.empty() || inPiece + lengths[index] > tokens) {
            pieces.emplace_back();
            inPiece = 0;
        }
        pieces.back().push_back(index);
        inPiece += lengths[index];
    }
    return pieces;
}

} // namespace carousel
