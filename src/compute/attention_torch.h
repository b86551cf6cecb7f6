// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of several segments (candidates, texts) of one batch, each over its own tokens and, where there is one, over a prefix that all
// share. The prefix is stored once and never expanded; both parts go through one softmax.
#pragma once
#include "compute/device_torch.h"
#include <ATen/core/Tensor.h>
#include <vector>

namespace carousel {

struct AttentionShape {
    std::int64_t heads = 0, keyValueHeads = 0, headSize = 0;
    bool causal = true;
    std::int64_t group() const { return heads / keyValueHeads; }
    std::int64_t columns() const { return (heads + 2 * keyValueHeads) * headSize; } // of a row: queries, keys, values
};

// Keys and values of the tokens so far, for one layer.
class LayerCache {
public:
    std::int64_t length() const { return m_length; }
    void truncate(std::int64_t length) { m_length = length < m_length ? length : m_length; }
    // Takes keys and values from rows of queries, keys and values.
    void append(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows);

private:
    friend at::Tensor attendSegments(const ComputeDevice&, const AttentionShape&, const at::Tensor&, const std::vector<std::int64_t>&, const LayerCache*);
    friend at::Tensor attendLast(const ComputeDevice&, const AttentionShape&, const at::Tensor&, const LayerCache&);
    void reserve(const ComputeDevice& device, const AttentionShape& shape, std::int64_t length);
    // [keyValueHeads, capacity, headSize]; the CPU loops keep keys as [keyValueHeads, capacity / 32, headSize, 32]
    at::Tensor m_keys, m_values;
    std::int64_t m_length = 0, m_capacity = 0;
};

// `rows`: [tokens, columns()] with rotated queries and keys. `starts`: first row of each segment, then the number of rows.
// Returns [tokens, heads * headSize]. `prefix` may be null.
at::Tensor attendSegments(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows,
                          const std::vector<std::int64_t>& starts, const LayerCache* prefix);
// The rows are the last tokens of `cache` (already appended), in order.
at::Tensor attendLast(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache);

} // namespace carousel
