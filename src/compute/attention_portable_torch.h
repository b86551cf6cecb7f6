// SPDX-License-Identifier: GPL-3.0-or-later
// The same attention in plain LibTorch operations, for devices other than the CPU; see attention_torch.h.
#pragma once
#include "compute/attention_torch.h"

namespace carousel {

// Keys or values of rows: [keyValueHeads, tokens, headSize]; `firstHead` is heads for keys, heads + keyValueHeads for values.
at::Tensor portablePart(const AttentionShape& shape, const at::Tensor& rows, std::int64_t firstHead);
at::Tensor attendSegmentsPortable(const AttentionShape& shape, const at::Tensor& rows, std::span<const std::int64_t> starts,
                                  std::span<const KeyChain> chains);
at::Tensor attendLastPortable(const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache, const KeyChain& before);

// Segments in an order in which those that follow the same stores stand together, at every level of the tree. shared[i]: how many stores
// the i-th in this order has in common with the one before it, from the first on.
struct SegmentOrder {
    std::vector<std::size_t> order;
    std::vector<std::size_t> shared;
};
SegmentOrder orderByChain(std::size_t segments, std::span<const KeyChain> chains);
inline const KeyChain& chainOf(std::span<const KeyChain> chains, std::size_t segment) {
    static const KeyChain none;
    return chains.empty() ? none : chains.size() == 1 ? chains[0] : chains[segment];
}

} // namespace carousel
