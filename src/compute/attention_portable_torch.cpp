// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/attention_portable_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <torch/version.h>

#define CAROUSEL_ONE_OPERATION (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1))
#if CAROUSEL_ONE_OPERATION
#include <ATen/ops/scaled_dot_product_attention.h>
#endif

namespace carousel {

namespace {

constexpr double minusInfinity = -std::numeric_limits<double>::infinity();

// softmax(queries * keys + bias) * values. `queries`: [batches, group, rows, headSize]; `keys`, `values`: [batches, keys, headSize], the
// same for a group; `bias`: undefined, or broadcast to [batches, 1, rows, keys]. Returns the shape of the queries.
at::Tensor softmaxAttention(const AttentionShape& shape, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                            const at::Tensor& bias) {
    const std::int64_t batches = queries.size(0), group = queries.size(1), rows = queries.size(2), count = keys.size(1);
#if CAROUSEL_ONE_OPERATION
    const auto ofGroup = [&](const at::Tensor& x) { return x.unsqueeze(1).expand({batches, group, count, shape.headSize}); };
    std::optional<at::Tensor> mask;
    if (bias.defined())
        mask = bias.expand({batches, group, rows, count});
    return at::scaled_dot_product_attention(queries, ofGroup(keys), ofGroup(values), mask, 0.0, false, shape.factor());
#else
    constexpr std::int64_t scoresAtOnce = std::int64_t(64) << 20; // 256 MB of them
    const std::int64_t step = std::max<std::int64_t>(1, scoresAtOnce / std::max<std::int64_t>(1, batches * group * count));
    const at::Tensor across = keys.transpose(1, 2).unsqueeze(1), down = values.unsqueeze(1);
    std::vector<at::Tensor> parts;
    for (std::int64_t first = 0; first < rows; first += step) {
        const std::int64_t taken = std::min(step, rows - first);
        at::Tensor scores = at::matmul(queries.narrow(2, first, taken) * shape.factor(), across);
        if (bias.defined())
            scores.add_(bias.size(-2) == 1 ? bias : bias.narrow(-2, first, taken));
        parts.push_back(at::matmul(at::softmax(scores, -1), down));
    }
    return parts.size() == 1 ? parts[0] : at::cat(parts, 2);
#endif
}

at::Tensor queriesOf(const AttentionShape& shape, const at::Tensor& rows) { // [keyValueHeads, group, tokens, headSize]
    return rows.narrow(1, 0, shape.heads * shape.headSize)
        .view({rows.size(0), shape.keyValueHeads, shape.group(), shape.headSize})
        .permute({1, 2, 0, 3});
}
at::Tensor backToRows(const AttentionShape& shape, const at::Tensor& x) { // -> [tokens, heads * headSize]
    return x.permute({2, 0, 1, 3}).reshape({x.size(2), shape.heads * shape.headSize});
}
at::Tensor joined(const std::vector<at::Tensor>& parts) {
    return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

} // namespace

at::Tensor portablePart(const AttentionShape& shape, const at::Tensor& rows, std::int64_t firstHead) {
    return rows.narrow(1, firstHead * shape.headSize, shape.keyValueHeads * shape.headSize)
        .view({rows.size(0), shape.keyValueHeads, shape.headSize})
        .permute({1, 0, 2});
}

SegmentOrder orderByChain(std::size_t segments, std::span<const KeyChain> chains) {
    SegmentOrder out;
    out.order.resize(segments);
    std::iota(out.order.begin(), out.order.end(), std::size_t(0));
    out.shared.assign(segments, 0);
    const auto before = [](const KeyView& a, const KeyView& b) {
        return a.store != b.store ? std::less<>()(a.store, b.store) : a.length < b.length;
    };
    if (chains.size() > 1)
        std::stable_sort(out.order.begin(), out.order.end(), [&](std::size_t a, std::size_t b) {
            return std::lexicographical_compare(chains[a].begin(), chains[a].end(), chains[b].begin(), chains[b].end(), before);
        });
    for (std::size_t i = 1; i < segments; ++i) {
        const KeyChain &a = chainOf(chains, out.order[i - 1]), &b = chainOf(chains, out.order[i]);
        out.shared[i] = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    }
    return out;
}

PortableSegments::PortableSegments(const AttentionShape& shape, std::span<const std::int64_t> starts, std::span<const KeyChain> chains,
                                   std::span<const std::vector<std::size_t>> within, const at::Device& device)
    : m_shape(shape) {
    const auto something = [](const auto& list) { return !list.empty(); };
    if (std::any_of(chains.begin(), chains.end(), something) || std::any_of(within.begin(), within.end(), something))
        maskAll(starts, chains, within, device);
    else
        padByLength(starts, device);
}

void PortableSegments::maskAll(std::span<const std::int64_t> starts, std::span<const KeyChain> chains,
                               std::span<const std::vector<std::size_t>> within, const at::Device& device) {
    const std::size_t segments = starts.size() - 1;
    const std::int64_t tokens = starts.back();
    std::vector<const LayerCache*> known;
    const auto placeOf = [&](const KeyView& view) {
        return static_cast<std::size_t>(std::find(known.begin(), known.end(), view.store) - known.begin());
    };
    for (std::size_t i = 0; i < (chains.size() == 1 ? 1 : chains.empty() ? 0 : segments); ++i)
        for (std::size_t level = 0; level < chains[i].size(); ++level) {
            const std::size_t place = placeOf(chains[i][level]);
            if (place == known.size()) {
                known.push_back(chains[i][level].store);
                m_stores.push_back({i, level, 0});
            }
            if (chains[i][level].length > m_stores[place].length)
                m_stores[place] = {i, level, chains[i][level].length};
        }
    std::vector<std::int64_t> columns{0}; // of each store, then of the rows' own keys
    for (const Store& store : m_stores)
        columns.push_back(columns.back() + store.length);
    const std::int64_t keys = columns.back() + tokens, aligned = (keys + 15) / 16 * 16; // as fused kernels want it
    const at::Tensor hidden = at::ones({tokens, aligned}, at::kByte);
    for (std::size_t i = 0; i < segments; ++i)
        for (std::int64_t row = starts[i]; row < starts[i + 1]; ++row) {
            std::uint8_t* seen = hidden.data_ptr<std::uint8_t>() + row * aligned;
            const auto see = [&](std::int64_t first, std::int64_t count) { std::memset(seen + first, 0, static_cast<std::size_t>(count)); };
            for (const KeyView& view : chainOf(chains, i))
                see(columns[placeOf(view)], view.length);
            if (!within.empty())
                for (const std::size_t before : within[i])
                    see(columns.back() + starts[before], starts[before + 1] - starts[before]);
            see(columns.back() + starts[i], m_shape.causal ? row + 1 - starts[i] : starts[i + 1] - starts[i]);
        }
    m_bias = at::zeros({tokens, aligned}, at::TensorOptions(at::kFloat).device(device));
    m_bias = m_bias.masked_fill_(hidden.to(device).to(at::kBool), minusInfinity).narrow(1, 0, keys);
}

at::Tensor PortableSegments::attendMasked(const at::Tensor& rows, std::span<const KeyChain> chains) const {
    std::vector<at::Tensor> keys, values;
    for (const Store& store : m_stores) {
        const LayerCache& from = *chainOf(chains, store.segment)[store.level].store;
        keys.push_back(from.keys().narrow(1, 0, store.length));
        values.push_back(from.values().narrow(1, 0, store.length));
    }
    keys.push_back(portablePart(m_shape, rows, m_shape.heads));
    values.push_back(portablePart(m_shape, rows, m_shape.heads + m_shape.keyValueHeads));
    return backToRows(m_shape, softmaxAttention(m_shape, queriesOf(m_shape, rows), joined(keys), joined(values), m_bias));
}

void PortableSegments::padByLength(std::span<const std::int64_t> starts, const at::Device& device) {
    const std::size_t segments = starts.size() - 1;
    const auto indices = [&](const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong).to(device); };
    std::vector<std::size_t> byLength(segments);
    std::iota(byLength.begin(), byLength.end(), std::size_t(0));
    const auto length = [&](std::size_t i) { return starts[i + 1] - starts[i]; };
    std::stable_sort(byLength.begin(), byLength.end(), [&](std::size_t a, std::size_t b) { return length(a) < length(b); });
    for (std::size_t begin = 0; begin < segments;) { // from the shortest to the longest at most a factor of two
        const std::int64_t most = std::max<std::int64_t>(16, 2 * length(byLength[begin]));
        std::size_t end = begin;
        while (end < segments && length(byLength[end]) <= most)
            ++end;
        Padded part{static_cast<std::int64_t>(end - begin), length(byLength[end - 1]), {}, {}, {}, {}};
        std::vector<std::int64_t> taken(static_cast<std::size_t>(part.count * part.longest), 0), lengths, places, rows;
        for (std::int64_t i = 0; i < part.count; ++i) {
            const std::size_t segment = byLength[begin + static_cast<std::size_t>(i)];
            lengths.push_back(length(segment));
            for (std::int64_t t = 0; t < length(segment); ++t) {
                places.push_back(i * part.longest + t);
                rows.push_back(starts[segment] + t);
                taken[static_cast<std::size_t>(places.back())] = rows.back();
            }
        }
        begin = end;
        if (part.longest == 0)
            continue;
        const at::Tensor place = at::arange(part.longest, at::kLong);
        at::Tensor hidden = place.view({1, 1, part.longest}).ge(at::tensor(lengths, at::kLong).view({part.count, 1, 1}));
        if (m_shape.causal)
            hidden = hidden.logical_or(place.view({1, 1, part.longest}).gt(place.view({1, part.longest, 1})));
        // One per key/value head, since those are batches as the segments are.
        part.bias = at::zeros(hidden.sizes(), at::kFloat)
                        .masked_fill_(hidden, minusInfinity)
                        .to(device)
                        .repeat_interleave(m_shape.keyValueHeads, 0)
                        .unsqueeze(1);
        part.tokens = indices(taken);
        part.places = indices(places);
        part.rows = indices(rows);
        m_padded.push_back(std::move(part));
    }
}

at::Tensor PortableSegments::attendPadded(const at::Tensor& rows) const {
    const std::int64_t size = m_shape.headSize, heads = m_shape.keyValueHeads, group = m_shape.group();
    at::Tensor out = at::empty({rows.size(0), m_shape.heads * size}, rows.options());
    for (const Padded& part : m_padded) {
        const std::int64_t count = part.count, longest = part.longest;
        const at::Tensor taken = rows.index_select(0, part.tokens).view({count, longest, m_shape.columns()});
        const auto batches = [&](std::int64_t first, std::int64_t each) { // [count * heads, each, longest, size]
            return taken.narrow(2, first * size, heads * each * size)
                .view({count, longest, heads, each, size})
                .permute({0, 2, 3, 1, 4})
                .reshape({count * heads, each, longest, size});
        };
        const at::Tensor mixed = softmaxAttention(m_shape, batches(0, group), batches(m_shape.heads, 1).squeeze(1),
                                                  batches(m_shape.heads + heads, 1).squeeze(1), part.bias);
        const at::Tensor flat =
            mixed.reshape({count, heads, group, longest, size}).permute({0, 3, 1, 2, 4}).reshape({count * longest, m_shape.heads * size});
        out.index_copy_(0, part.rows, flat.index_select(0, part.places));
    }
    return out;
}

at::Tensor PortableSegments::attend(const at::Tensor& rows, std::span<const KeyChain> chains) const {
    return m_bias.defined() ? attendMasked(rows, chains) : attendPadded(rows);
}

at::Tensor attendLastPortable(const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache, const KeyChain& before) {
    const std::int64_t tokens = rows.size(0);
    std::vector<at::Tensor> keys, values;
    const auto add = [&](const LayerCache& store, std::int64_t length) {
        keys.push_back(store.keys().narrow(1, 0, length));
        values.push_back(store.values().narrow(1, 0, length));
    };
    for (const KeyView& view : before)
        add(*view.store, view.length);
    add(cache, cache.length());
    const at::Tensor all = joined(keys);
    at::Tensor bias;
    if (tokens > 1) {
        const std::int64_t count = all.size(1);
        const auto options = at::TensorOptions().dtype(at::kLong).device(rows.device());
        const at::Tensor hidden = at::arange(count, options).unsqueeze(0).gt(at::arange(count - tokens, count, options).unsqueeze(1));
        bias = at::zeros({tokens, count}, rows.options()).masked_fill_(hidden, minusInfinity);
    }
    return backToRows(shape, softmaxAttention(shape, queriesOf(shape, rows), all, joined(values), bias));
}

} // namespace carousel
