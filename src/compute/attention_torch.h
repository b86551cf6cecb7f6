// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of several segments (candidates, texts) of one batch, each over its own tokens and over those of the stores it follows: the
// chain of its ancestors in a prefix tree, e.g. instruction -> a user's history -> head of the question. Every store is kept once and never
// expanded; all parts of a row go through one softmax.
#pragma once
#include "compute/device_torch.h"
#include <ATen/core/Tensor.h>
#include <memory>
#include <span>
#include <vector>

namespace carousel {

struct AttentionShape {
    std::int64_t heads = 0, keyValueHeads = 0, headSize = 0;
    bool causal = true;
    double scale = 0; // what products of queries and keys are multiplied by; 0: 1 / sqrt(headSize)
    std::int64_t group() const { return heads / keyValueHeads; }
    std::int64_t columns() const { return (heads + 2 * keyValueHeads) * headSize; } // of a row: queries, keys, values
    double factor() const;
};

// Keys and values of the tokens so far, for one layer.
class LayerCache {
public:
    std::int64_t length() const { return m_length; }
    std::int64_t capacity() const { return m_capacity; }
    std::int64_t bytes() const { return m_capacity > 0 ? static_cast<std::int64_t>(m_keys.nbytes() + m_values.nbytes()) : 0; }
    void truncate(std::int64_t length) { m_length = length < m_length ? length : m_length; }
    // Takes keys and values from rows of queries, keys and values: [tokens, columns()].
    void append(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows);
    // [keyValueHeads, capacity, headSize]; the CPU loops keep keys as [keyValueHeads, capacity / 32, headSize, 32]
    const at::Tensor& keys() const { return m_keys; }
    const at::Tensor& values() const { return m_values; }

private:
    void reserve(const ComputeDevice& device, const AttentionShape& shape, std::int64_t length);
    at::Tensor m_keys, m_values;
    std::int64_t m_length = 0, m_capacity = 0;
};

// The first `length` tokens of a store, which must outlive the call.
struct KeyView {
    const LayerCache* store = nullptr;
    std::int64_t length = 0;
    KeyView(const LayerCache& all) : store(&all), length(all.length()) {}
    KeyView(const LayerCache& some, std::int64_t firstTokens) : store(&some), length(firstTokens) {}
    bool operator==(const KeyView&) const = default;
};
using KeyChain = std::vector<KeyView>; // in the order of the tokens

// The segments of one pass, laid out once and then attended to layer after layer: the tree has the same shape in all of them, only the
// stores differ. On the CPU segments that follow the same stores read them together, in tiles; elsewhere one mask over all keys of the
// pass says who sees what.
class SegmentLayout {
public:
    // `starts`: first row of each segment, then the number of rows. `chains`, of any layer: what each segment follows: none at all, one for
    // all segments, or one per segment. `within`, off the CPU only: by segment, those of this very pass that it follows; on the CPU these
    // have stores of their own, and their keys are in the chains.
    SegmentLayout(const ComputeDevice& device, const AttentionShape& shape, std::span<const std::int64_t> starts,
                  std::span<const KeyChain> chains = {}, std::span<const std::vector<std::size_t>> within = {});
    // `rows`: [tokens, columns()] with rotated queries and keys; `chains` as above, of this layer. Returns [tokens, heads * headSize]. On
    // the CPU a row's result is bit for bit the same whatever other segments are in the batch.
    at::Tensor attend(const at::Tensor& rows, std::span<const KeyChain> chains = {}) const;

private:
    AttentionShape m_shape;
    std::vector<std::int64_t> m_starts;
    std::vector<std::size_t> m_order, m_shared; // see SegmentOrder
    std::shared_ptr<const class PortableSegments> m_portable;
};
// The same for one layer alone.
at::Tensor attendSegments(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows,
                          std::span<const std::int64_t> starts, std::span<const KeyChain> chains = {});
// The rows are the last tokens of `cache` (already appended), in order; `before` is what the cache itself follows.
at::Tensor attendLast(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache,
                      const KeyChain& before = {});

} // namespace carousel
