// SPDX-License-Identifier: GPL-3.0-or-later
// The same attention in plain LibTorch operations, for devices other than the CPU; see attention_torch.h.
#pragma once
#include "compute/attention_torch.h"

namespace carousel {

// Keys or values of rows: [keyValueHeads, tokens, headSize]; `firstHead` is heads for keys, heads + keyValueHeads for values.
at::Tensor portablePart(const AttentionShape& shape, const at::Tensor& rows, std::int64_t firstHead);
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

// SegmentLayout in plain LibTorch operations. Everything that depends on the segments alone is worked out once and lies on the device, so
// that a layer neither copies indices nor waits for the device.
class PortableSegments {
public:
    PortableSegments(const AttentionShape& shape, std::span<const std::int64_t> starts, const SegmentOrder& order,
                     std::span<const KeyChain> chains, const at::Device& device);
    at::Tensor attend(const at::Tensor& rows, std::span<const KeyChain> chains) const;

private:
    // A store of segment `segment` at `level` of its chain serves the rows [first, first + count), counted per head of a group.
    struct Served {
        std::size_t segment = 0, level = 0;
        std::int64_t first = 0, count = 0;
    };
    // Segments of about the same length, padded to the longest: which tokens they take, what they must not see, and where the rows that
    // are no padding stand in the padded and in the sorted order.
    struct Padded {
        std::int64_t count = 0, longest = 0;
        at::Tensor tokens, hidden, places, rows;
    };
    AttentionShape m_shape;
    std::vector<Served> m_served;
    std::vector<Padded> m_padded;
    at::Tensor m_sorted, m_back; // undefined where the rows are in order
};

} // namespace carousel
