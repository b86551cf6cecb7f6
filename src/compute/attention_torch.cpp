// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/attention_torch.h"
#include "compute/cpu_kernels.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <omp.h>

namespace carousel {

namespace {

std::int64_t wholeBlocks(std::int64_t count) { return (count + keyBlock - 1) / keyBlock * keyBlock; }

// Keys of row `row` and key/value head `head` into column `column` of a block store.
void storeKey(const AttentionShape& shape, const float* row, std::int64_t head, float* blocks, std::int64_t column) {
    const float* key = row + (shape.heads + head) * shape.headSize;
    float* to = blocks + column / keyBlock * keyBlock * shape.headSize + column % keyBlock;
    for (std::int64_t i = 0; i < shape.headSize; ++i)
        to[i * keyBlock] = key[i];
}

// A run of query rows of one segment and one key/value head: `group` rows per token, six to a tile.
struct Work {
    std::int64_t head, segment, firstRow, rows;
};

std::vector<Work> splitIntoTiles(const AttentionShape& shape, const std::vector<std::int64_t>& starts) {
    std::vector<Work> work;
    for (std::int64_t head = 0; head < shape.keyValueHeads; ++head)
        for (std::size_t segment = 0; segment + 1 < starts.size(); ++segment) {
            const std::int64_t rows = (starts[segment + 1] - starts[segment]) * shape.group();
            for (std::int64_t row = 0; row < rows; row += attentionRows)
                work.push_back({head, static_cast<std::int64_t>(segment), row, std::min<std::int64_t>(attentionRows, rows - row)});
        }
    return work;
}

at::Tensor portableQueries(const AttentionShape& shape, const at::Tensor& rows) { // [keyValueHeads, tokens * group, headSize], scaled
    const std::int64_t tokens = rows.size(0);
    return (rows.narrow(1, 0, shape.heads * shape.headSize) / std::sqrt(static_cast<double>(shape.headSize)))
        .view({tokens, shape.keyValueHeads, shape.group(), shape.headSize})
        .permute({1, 0, 2, 3})
        .reshape({shape.keyValueHeads, tokens * shape.group(), shape.headSize});
}
at::Tensor portablePart(const AttentionShape& shape, const at::Tensor& rows, std::int64_t firstHead) { // [keyValueHeads, tokens, headSize]
    return rows.narrow(1, firstHead * shape.headSize, shape.keyValueHeads * shape.headSize)
        .view({rows.size(0), shape.keyValueHeads, shape.headSize})
        .permute({1, 0, 2});
}
// `scores`: [keyValueHeads, tokens * group, keys]; `hidden`: [tokens, keys], true where a token must not look
at::Tensor portableAttention(const AttentionShape& shape, at::Tensor scores, const at::Tensor& hidden, const at::Tensor& values) {
    const std::int64_t tokens = hidden.size(0), keys = hidden.size(1);
    scores.view({shape.keyValueHeads, tokens, shape.group(), keys}).masked_fill_(hidden.view({1, tokens, 1, keys}), -1e30);
    return at::matmul(at::softmax(scores, -1), values)
        .view({shape.keyValueHeads, tokens, shape.group(), shape.headSize})
        .permute({1, 0, 2, 3})
        .reshape({tokens, shape.heads * shape.headSize});
}

} // namespace

void LayerCache::reserve(const ComputeDevice& device, const AttentionShape& shape, std::int64_t length) {
    if (length <= m_capacity)
        return;
    const std::int64_t capacity = std::max(wholeBlocks(length + 255) / 256 * 256, m_capacity * 3 / 2 / 256 * 256);
    const auto options = at::TensorOptions().dtype(at::kFloat).device(c10::Device(device.name));
    // Capacity is whole blocks, so the old content is the front of each head in both layouts.
    at::Tensor keys = at::zeros({shape.keyValueHeads, capacity, shape.headSize}, options);
    at::Tensor values = at::zeros({shape.keyValueHeads, capacity, shape.headSize}, options);
    if (m_capacity > 0) {
        keys.narrow(1, 0, m_capacity).copy_(m_keys);
        values.narrow(1, 0, m_capacity).copy_(m_values);
    }
    m_keys = keys;
    m_values = values;
    m_capacity = capacity;
}

void LayerCache::append(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows) {
    const std::int64_t tokens = rows.size(0), size = shape.headSize;
    reserve(device, shape, m_length + tokens);
    if (device.portable) {
        m_keys.narrow(1, m_length, tokens).copy_(portablePart(shape, rows, shape.heads));
        m_values.narrow(1, m_length, tokens).copy_(portablePart(shape, rows, shape.heads + shape.keyValueHeads));
    } else {
        const float* from = rows.data_ptr<float>();
        for (std::int64_t head = 0; head < shape.keyValueHeads; ++head)
            for (std::int64_t token = 0; token < tokens; ++token) {
                const float* row = from + token * shape.columns();
                storeKey(shape, row, head, m_keys.data_ptr<float>() + head * m_capacity * size, m_length + token);
                std::memcpy(m_values.data_ptr<float>() + (head * m_capacity + m_length + token) * size,
                            row + (shape.heads + shape.keyValueHeads + head) * size, static_cast<std::size_t>(size) * sizeof(float));
            }
    }
    m_length += tokens;
}

at::Tensor attendSegments(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows,
                          const std::vector<std::int64_t>& starts, const LayerCache* prefix) {
    const std::int64_t tokens = rows.size(0), size = shape.headSize, columns = shape.columns(), group = shape.group();
    const std::int64_t shared = prefix ? prefix->m_length : 0;
    if (device.portable) {
        const at::Tensor queries = portableQueries(shape, rows);
        at::Tensor keys = portablePart(shape, rows, shape.heads), values = portablePart(shape, rows, shape.heads + shape.keyValueHeads);
        std::vector<std::int64_t> segmentOf(static_cast<std::size_t>(tokens));
        for (std::size_t segment = 0; segment + 1 < starts.size(); ++segment)
            std::fill(segmentOf.begin() + starts[segment], segmentOf.begin() + starts[segment + 1], static_cast<std::int64_t>(segment));
        const at::Tensor segments = at::tensor(segmentOf, at::kLong).to(rows.device());
        const at::Tensor places = at::arange(tokens, at::kLong).to(rows.device());
        at::Tensor hidden = segments.unsqueeze(1).ne(segments.unsqueeze(0));
        if (shape.causal)
            hidden = hidden.logical_or(places.unsqueeze(0).gt(places.unsqueeze(1)));
        if (shared > 0) {
            keys = at::cat({prefix->m_keys.narrow(1, 0, shared), keys}, 1);
            values = at::cat({prefix->m_values.narrow(1, 0, shared), values}, 1);
            hidden = at::cat({at::zeros({tokens, shared}, hidden.options()), hidden}, 1);
        }
        return portableAttention(shape, at::matmul(queries, keys.transpose(1, 2)), hidden, values);
    }
    // Own keys of each segment start at a block of their own.
    std::vector<std::int64_t> keyStarts(starts.size(), 0);
    std::int64_t longest = 0;
    for (std::size_t segment = 0; segment + 1 < starts.size(); ++segment) {
        const std::int64_t length = starts[segment + 1] - starts[segment];
        keyStarts[segment + 1] = keyStarts[segment] + wholeBlocks(length);
        longest = std::max(longest, length);
    }
    const std::int64_t keyCapacity = keyStarts.back(), segments = static_cast<std::int64_t>(starts.size()) - 1;
    const at::Tensor ownKeys = at::zeros({shape.keyValueHeads, keyCapacity, size}, at::kFloat);
    at::Tensor out = at::empty({tokens, shape.heads * size}, at::kFloat);
    const float* from = rows.data_ptr<float>();
    float* keys = ownKeys.data_ptr<float>();
    float* to = out.data_ptr<float>();
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t head = 0; head < shape.keyValueHeads; ++head)
        for (std::int64_t segment = 0; segment < segments; ++segment)
            for (std::int64_t row = starts[static_cast<std::size_t>(segment)]; row < starts[static_cast<std::size_t>(segment) + 1]; ++row)
                storeKey(shape, from + row * columns, head, keys + head * keyCapacity * size,
                         keyStarts[static_cast<std::size_t>(segment)] + row - starts[static_cast<std::size_t>(segment)]);

    const std::vector<Work> work = splitIntoTiles(shape, starts);
    const std::int64_t stride = wholeBlocks(shared) + wholeBlocks(longest);
    const at::Tensor scratch = at::empty({omp_get_max_threads(), attentionRows * stride}, at::kFloat);
    const std::int64_t count = static_cast<std::int64_t>(work.size());
    // Nothing that may throw happens inside a parallel region.
    float* const scratchRows = scratch.data_ptr<float>();
    const float* const sharedKeys = shared > 0 ? prefix->m_keys.data_ptr<float>() : nullptr;
    const float* const sharedValues = shared > 0 ? prefix->m_values.data_ptr<float>() : nullptr;
#pragma omp parallel for schedule(dynamic, 16)
    for (std::int64_t index = 0; index < count; ++index) {
        const Work& item = work[static_cast<std::size_t>(index)];
        const std::int64_t start = starts[static_cast<std::size_t>(item.segment)];
        const std::int64_t length = starts[static_cast<std::size_t>(item.segment) + 1] - start;
        AttentionTile tile;
        tile.rows = static_cast<int>(item.rows);
        tile.headSize = static_cast<int>(size);
        tile.scale = 1.0f / std::sqrt(static_cast<float>(size));
        for (std::int64_t r = 0; r < item.rows; ++r) {
            const std::int64_t token = (item.firstRow + r) / group, head = item.head * group + (item.firstRow + r) % group;
            tile.queries[r] = from + (start + token) * columns + head * size;
            tile.out[r] = to + ((start + token) * shape.heads + head) * size;
            tile.sharedVisible[r] = shared;
            tile.ownVisible[r] = shape.causal ? token + 1 : length;
        }
        if (shared > 0) {
            tile.sharedKeys = sharedKeys + item.head * prefix->m_capacity * size;
            tile.sharedValues = sharedValues + item.head * prefix->m_capacity * size;
            tile.sharedValueStride = size;
        }
        tile.ownKeys = keys + (item.head * keyCapacity + keyStarts[static_cast<std::size_t>(item.segment)]) * size;
        tile.ownValues = from + start * columns + (shape.heads + shape.keyValueHeads + item.head) * size;
        tile.ownValueStride = columns;
        tile.scratch = scratchRows + omp_get_thread_num() * attentionRows * stride;
        tile.scratchStride = stride;
        cpuKernels().attend(tile);
    }
    return out;
}

at::Tensor attendLast(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache) {
    const std::int64_t tokens = rows.size(0), size = shape.headSize, columns = shape.columns(), group = shape.group();
    const std::int64_t past = cache.m_length - tokens;
    if (device.portable) {
        const at::Tensor keys = cache.m_keys.narrow(1, 0, cache.m_length), values = cache.m_values.narrow(1, 0, cache.m_length);
        const auto options = at::TensorOptions().dtype(at::kLong).device(rows.device());
        const at::Tensor hidden = at::arange(cache.m_length, options).unsqueeze(0).gt(at::arange(past, cache.m_length, options).unsqueeze(1));
        return portableAttention(shape, at::matmul(portableQueries(shape, rows), keys.transpose(1, 2)), hidden, values);
    }
    const std::vector<Work> work = splitIntoTiles(shape, {0, tokens});
    const std::int64_t stride = wholeBlocks(cache.m_length), count = static_cast<std::int64_t>(work.size());
    const at::Tensor scratch = at::empty({omp_get_max_threads(), attentionRows * stride}, at::kFloat);
    at::Tensor out = at::empty({tokens, shape.heads * size}, at::kFloat);
    const float* from = rows.data_ptr<float>();
    const float* const keys = cache.m_keys.data_ptr<float>();
    const float* const values = cache.m_values.data_ptr<float>();
    float* const scratchRows = scratch.data_ptr<float>();
    float* to = out.data_ptr<float>();
#pragma omp parallel for schedule(dynamic, 8)
    for (std::int64_t index = 0; index < count; ++index) {
        const Work& item = work[static_cast<std::size_t>(index)];
        AttentionTile tile;
        tile.rows = static_cast<int>(item.rows);
        tile.headSize = static_cast<int>(size);
        tile.scale = 1.0f / std::sqrt(static_cast<float>(size));
        for (std::int64_t r = 0; r < item.rows; ++r) {
            const std::int64_t token = (item.firstRow + r) / group, head = item.head * group + (item.firstRow + r) % group;
            tile.queries[r] = from + token * columns + head * size;
            tile.out[r] = to + (token * shape.heads + head) * size;
            tile.sharedVisible[r] = past + token + 1;
        }
        tile.sharedKeys = keys + item.head * cache.m_capacity * size;
        tile.sharedValues = values + item.head * cache.m_capacity * size;
        tile.sharedValueStride = size;
        tile.scratch = scratchRows + omp_get_thread_num() * attentionRows * stride;
        tile.scratchStride = stride;
        cpuKernels().attend(tile);
    }
    return out;
}

} // namespace carousel
