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
// that a layer takes a handful of operations and never waits.
class PortableSegments {
public:
    PortableSegments(const AttentionShape& shape, std::span<const std::int64_t> starts, std::span<const KeyChain> chains,
                     std::span<const std::vector<std::size_t>> within, const at::Device& device);
    at::Tensor attend(const at::Tensor& rows, std::span<const KeyChain> chains) const;

private:
    void maskAll(std::span<const std::int64_t> starts, std::span<const KeyChain> chains, std::span<const std::vector<std::size_t>> within,
                 const at::Device& device);
    void padByLength(std::span<const std::int64_t> starts, const at::Device& device);
    at::Tensor attendMasked(const at::Tensor& rows, std::span<const KeyChain> chains) const;
    at::Tensor attendPadded(const at::Tensor& rows) const;

    // The store of segment `segment` at `level` of its chain, `length` of its tokens.
    struct Store {
        std::size_t segment = 0, level = 0;
        std::int64_t length = 0;
    };
    // Segments of about the same length, padded to the longest: the tokens they take, and where those that are no padding come from and go.
    struct Padded {
        std::int64_t count = 0, longest = 0;
        at::Tensor tokens, bias, places, rows;
    };
    AttentionShape m_shape;
    std::vector<Store> m_stores;  // each once, in the order of the mask's columns; the rows' own keys come last
    at::Tensor m_bias;            // [tokens, keys]: 0 or minus infinity; where segments follow anything
    std::vector<Padded> m_padded; // where none does
};

} // namespace carousel
