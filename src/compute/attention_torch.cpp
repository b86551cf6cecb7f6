// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/attention_torch.h"
#include "compute/attention_portable_torch.h"
#include "compute/cpu_kernels.h"
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <omp.h>

namespace carousel {

double AttentionShape::factor() const {
    return scale > 0 ? scale : 1 / std::sqrt(static_cast<double>(headSize));
}

namespace {

std::int64_t wholeBlocks(std::int64_t count) {
    return (count + keyBlock - 1) / keyBlock * keyBlock;
}

// Keys of row `row` and key/value head `head` into column `column` of a block store.
void storeKey(const AttentionShape& shape, const float* row, std::int64_t head, float* blocks, std::int64_t column) {
    const float* key = row + (shape.heads + head) * shape.headSize;
    float* to = blocks + column / keyBlock * keyBlock * shape.headSize + column % keyBlock;
    for (std::int64_t i = 0; i < shape.headSize; ++i)
        to[i * keyBlock] = key[i];
}

// A part as the first key/value head sees it, and how far the next head's keys and values are.
struct PlannedPart {
    AttentionPart part;
    std::int64_t keyStep = 0, valueStep = 0;
};
// Query rows of a tile: `group` rows per token; tokens by their row in the batch.
struct PlannedTile {
    std::int64_t tokens[attentionRows], heads[attentionRows]; // heads: within the group
    int rows = 0;
    std::size_t firstPart = 0, parts = 0;
};

// Which rows are computed together and what they look at: the same for every key/value head.
class AttentionPlan {
public:
    // Keys of rows [firstRow, ...) of the tile being filled; `visible` rows see so many.
    struct Source {
        const float* keys = nullptr;
        const float* values = nullptr;
        std::int64_t valueStride = 0, keyStep = 0, valueStep = 0;
    };

    bool full() const { return m_tiles.empty() || m_tiles.back().rows == attentionRows; }
    void newTile() {
        if (m_tiles.empty() || m_tiles.back().rows > 0)
            m_tiles.push_back({});
        m_tiles.back().firstPart = m_parts.size();
    }
    int row() const { return m_tiles.back().rows; }
    void addRow(std::int64_t token, std::int64_t head) {
        PlannedTile& tile = m_tiles.back();
        tile.tokens[tile.rows] = token;
        tile.heads[tile.rows++] = head;
    }
    // A part that begins with the next row, its scores at `column`; returns its place.
    std::size_t openPart(const Source& source, std::int64_t column) {
        PlannedPart planned{{source.keys, source.values, source.valueStride, column, row(), 0, {}}, source.keyStep, source.valueStep};
        m_parts.push_back(planned);
        ++m_tiles.back().parts;
        m_mostParts = std::max(m_mostParts, m_tiles.back().parts);
        return m_parts.size() - 1;
    }
    void see(std::size_t part, std::int64_t visible) { // the next row sees so many keys of this part
        AttentionPart& p = m_parts[part].part;
        p.visible[row()] = visible;
        ++p.rows;
        m_stride = std::max(m_stride, p.column + wholeBlocks(visible));
    }

    void run(const AttentionShape& shape, const float* rows, float* out) const;

private:
    std::vector<PlannedTile> m_tiles;
    std::vector<PlannedPart> m_parts;
    std::size_t m_mostParts = 0;
    std::int64_t m_stride = 0;
};

void AttentionPlan::run(const AttentionShape& shape, const float* rows, float* out) const {
    const std::int64_t columns = shape.columns(), size = shape.headSize, group = shape.group();
    const auto tiles = static_cast<std::int64_t>(m_tiles.size()), count = tiles * shape.keyValueHeads;
    // Nothing that may throw happens inside the parallel region.
    const at::Tensor scratch = at::empty({omp_get_max_threads(), attentionRows * m_stride}, at::kFloat);
    std::vector<AttentionPart> partScratch(static_cast<std::size_t>(omp_get_max_threads()) * m_mostParts);
    float* const scratchRows = scratch.data_ptr<float>();
#pragma omp parallel for schedule(dynamic, 4)
    for (std::int64_t index = 0; index < count; ++index) {
        const std::int64_t keyHead = index / tiles;
        const PlannedTile& planned = m_tiles[static_cast<std::size_t>(index % tiles)];
        AttentionPart* parts = partScratch.data() + static_cast<std::size_t>(omp_get_thread_num()) * m_mostParts;
        for (std::size_t p = 0; p < planned.parts; ++p) {
            const PlannedPart& from = m_parts[planned.firstPart + p];
            parts[p] = from.part;
            parts[p].keys += keyHead * from.keyStep;
            parts[p].values += keyHead * from.valueStep;
        }
        AttentionTile tile;
        tile.rows = planned.rows;
        tile.headSize = static_cast<int>(size);
        tile.scale = static_cast<float>(shape.factor());
        for (int r = 0; r < planned.rows; ++r) {
            const std::int64_t head = keyHead * group + planned.heads[r];
            tile.queries[r] = rows + planned.tokens[r] * columns + head * size;
            tile.out[r] = out + (planned.tokens[r] * shape.heads + head) * size;
        }
        tile.parts = parts;
        tile.partCount = static_cast<std::int64_t>(planned.parts);
        tile.scratch = scratchRows + omp_get_thread_num() * attentionRows * m_stride;
        tile.scratchStride = m_stride;
        cpuKernels().attend(tile);
    }
}

AttentionPlan::Source storeSource(const AttentionShape& shape, const LayerCache& store) {
    const std::int64_t step = store.capacity() * shape.headSize;
    return {store.keys().data_ptr<float>(), store.values().data_ptr<float>(), shape.headSize, step, step};
}

} // namespace

void LayerCache::reserve(const ComputeDevice& device, const AttentionShape& shape, std::int64_t length) {
    if (length <= m_capacity)
        return;
    // Small stores (a candidate, the head of a question) come in great numbers and take whole blocks; long ones grow in larger steps.
    const std::int64_t step = length <= 256 ? keyBlock : 256;
    const std::int64_t capacity = std::max((length + step - 1) / step * step, m_capacity * 3 / 2 / keyBlock * keyBlock);
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
    if (tokens == 0)
        return;
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

SegmentLayout::SegmentLayout(const ComputeDevice& device, const AttentionShape& shape, std::span<const std::int64_t> starts,
                             std::span<const KeyChain> chains, std::span<const std::vector<std::size_t>> within)
    : m_shape(shape), m_starts(starts.begin(), starts.end()) {
    if (device.portable) {
        m_portable = std::make_shared<PortableSegments>(shape, starts, chains, within, c10::Device(device.name));
        return;
    }
    SegmentOrder order = orderByChain(starts.size() - 1, chains);
    m_order = std::move(order.order);
    m_shared = std::move(order.shared);
}

at::Tensor attendSegments(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows,
                          std::span<const std::int64_t> starts, std::span<const KeyChain> chains) {
    return SegmentLayout(device, shape, starts, chains).attend(rows, chains);
}

at::Tensor SegmentLayout::attend(const at::Tensor& rows, std::span<const KeyChain> chains) const {
    if (m_portable)
        return m_portable->attend(rows, chains);
    const AttentionShape& shape = m_shape;
    const std::vector<std::int64_t>& starts = m_starts;
    const std::int64_t tokens = rows.size(0), size = shape.headSize, columns = shape.columns();
    // Own keys of each segment start at a block of their own.
    const std::size_t segments = starts.size() - 1;
    std::vector<std::int64_t> keyStarts(segments + 1, 0);
    for (std::size_t segment = 0; segment < segments; ++segment)
        keyStarts[segment + 1] = keyStarts[segment] + wholeBlocks(starts[segment + 1] - starts[segment]);
    const std::int64_t keyCapacity = keyStarts.back();
    const at::Tensor ownKeys = at::zeros({shape.keyValueHeads, keyCapacity, size}, at::kFloat);
    at::Tensor out = at::empty({tokens, shape.heads * size}, at::kFloat);
    const float* from = rows.data_ptr<float>();
    float* keys = ownKeys.data_ptr<float>();
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t head = 0; head < shape.keyValueHeads; ++head)
        for (std::size_t segment = 0; segment < segments; ++segment)
            for (std::int64_t row = starts[segment]; row < starts[segment + 1]; ++row)
                storeKey(shape, from + row * columns, head, keys + head * keyCapacity * size, keyStarts[segment] + row - starts[segment]);

    const std::vector<std::size_t>&order = m_order, &shared = m_shared;
    AttentionPlan plan;
    std::vector<std::size_t> open; // the open tile's parts for the stores of the current chain
    for (std::size_t i = 0; i < segments; ++i) {
        const std::size_t segment = order[i];
        const KeyChain& chain = chainOf(chains, segment);
        const std::int64_t start = starts[segment], length = starts[segment + 1] - start;
        open.resize(std::min(open.size(), shared[i]));
        const AttentionPlan::Source own{keys + keyStarts[segment] * size,
                                        from + start * columns + (shape.heads + shape.keyValueHeads) * size, columns, keyCapacity * size,
                                        size};
        std::vector<std::int64_t> at(chain.size() + 1, 0); // columns of the parts
        for (std::size_t level = 0; level < chain.size(); ++level)
            at[level + 1] = at[level] + wholeBlocks(chain[level].length);
        std::size_t ownPart = 0;
        bool begun = false; // the segment has its parts in the open tile
        for (std::int64_t row = 0; row < length * shape.group(); ++row) {
            // A tile goes on with another segment where both share keys; without any there is nothing to gain.
            if (plan.full() || (row == 0 && at[shared[i]] == 0)) {
                plan.newTile();
                open.clear();
                begun = false;
            }
            if (!begun) {
                for (std::size_t level = open.size(); level < chain.size(); ++level)
                    open.push_back(chain[level].length > 0 ? plan.openPart(storeSource(shape, *chain[level].store), at[level]) : 0);
                ownPart = plan.openPart(own, at.back());
                begun = true;
            }
            for (std::size_t level = 0; level < chain.size(); ++level)
                if (chain[level].length > 0)
                    plan.see(open[level], chain[level].length);
            plan.see(ownPart, shape.causal ? row / shape.group() + 1 : length);
            plan.addRow(start + row / shape.group(), row % shape.group());
        }
    }
    plan.run(shape, from, out.data_ptr<float>());
    return out;
}

at::Tensor attendLast(const ComputeDevice& device, const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache,
                      const KeyChain& before) {
    const std::int64_t tokens = rows.size(0), past = cache.length() - tokens;
    if (device.portable)
        return attendLastPortable(shape, rows, cache, before);
    AttentionPlan plan;
    std::vector<std::size_t> open;
    for (std::int64_t row = 0; row < tokens * shape.group(); ++row) {
        if (plan.full()) {
            plan.newTile();
            open.clear();
            std::int64_t column = 0;
            for (const KeyView& view : before) {
                open.push_back(view.length > 0 ? plan.openPart(storeSource(shape, *view.store), column) : 0);
                column += wholeBlocks(view.length);
            }
            open.push_back(plan.openPart(storeSource(shape, cache), column));
        }
        for (std::size_t level = 0; level < before.size(); ++level)
            if (before[level].length > 0)
                plan.see(open[level], before[level].length);
        plan.see(open.back(), past + row / shape.group() + 1);
        plan.addRow(row / shape.group(), row % shape.group());
    }
    at::Tensor out = at::empty({tokens, shape.heads * shape.headSize}, at::kFloat);
    plan.run(shape, rows.data_ptr<float>(), out.data_ptr<float>());
    return out;
}

} // namespace carousel
