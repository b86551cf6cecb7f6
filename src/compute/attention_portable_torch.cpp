// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/attention_portable_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <functional>
#include <numeric>

namespace carousel {

namespace {

// Weighted sums over the keys seen so far, relative to the largest score so far: parts can be added one after another, and the quotient is
// the softmax over all of them.
class SoftmaxSums {
public:
    SoftmaxSums(std::int64_t heads, std::int64_t rows, std::int64_t size, const at::TensorOptions& options)
        : m_largest(at::full({heads, rows, 1}, -1e30, options)), m_total(at::zeros({heads, rows, 1}, options)),
          m_sums(at::zeros({heads, rows, size}, options)) {}
    // `scores`: [heads, rows, keys] of rows [first, first + rows); `values`: [heads, keys, size]
    void add(std::int64_t first, const at::Tensor& scores, const at::Tensor& values) {
        const std::int64_t rows = scores.size(1);
        at::Tensor largest = m_largest.narrow(1, first, rows), total = m_total.narrow(1, first, rows), sums = m_sums.narrow(1, first, rows);
        const at::Tensor now = at::maximum(largest, scores.amax({-1}, true));
        const at::Tensor weights = at::exp(scores - now), fade = at::exp(largest - now);
        total.mul_(fade).add_(weights.sum({-1}, true));
        sums.mul_(fade).add_(at::matmul(weights, values));
        largest.copy_(now);
    }
    // Rows that nothing was added to yet, in any order: their largest scores, totals and sums.
    void put(const at::Tensor& rows, const at::Tensor& largest, const at::Tensor& total, const at::Tensor& sums) {
        m_largest.index_copy_(1, rows, largest);
        m_total.index_copy_(1, rows, total);
        m_sums.index_copy_(1, rows, sums);
    }
    void join(const SoftmaxSums& other) {
        const at::Tensor now = at::maximum(m_largest, other.m_largest);
        const at::Tensor fade = at::exp(m_largest - now), weight = at::exp(other.m_largest - now);
        m_total = m_total * fade + other.m_total * weight;
        m_sums = m_sums * fade + other.m_sums * weight;
        m_largest = now;
    }
    at::Tensor result() const { return m_sums / m_total; }

private:
    at::Tensor m_largest, m_total, m_sums;
};

at::Tensor portableQueries(const AttentionShape& shape, const at::Tensor& rows) { // [keyValueHeads, tokens * group, headSize], scaled
    const std::int64_t tokens = rows.size(0);
    return (rows.narrow(1, 0, shape.heads * shape.headSize) * shape.factor())
        .view({tokens, shape.keyValueHeads, shape.group(), shape.headSize})
        .permute({1, 0, 2, 3})
        .reshape({shape.keyValueHeads, tokens * shape.group(), shape.headSize});
}
at::Tensor backToRows(const AttentionShape& shape,
                      const at::Tensor& x) { // [keyValueHeads, tokens * group, headSize] -> [tokens, heads * headSize]
    const std::int64_t tokens = x.size(1) / shape.group();
    return x.view({shape.keyValueHeads, tokens, shape.group(), shape.headSize})
        .permute({1, 0, 2, 3})
        .reshape({tokens, shape.heads * shape.headSize});
}
void addStore(SoftmaxSums& sums, const at::Tensor& queries, std::int64_t first, std::int64_t rows, const KeyView& view) {
    if (view.length == 0)
        return;
    const at::Tensor keys = view.store->keys().narrow(1, 0, view.length), values = view.store->values().narrow(1, 0, view.length);
    sums.add(first, at::matmul(queries.narrow(1, first, rows), keys.transpose(1, 2)), values);
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

PortableSegments::PortableSegments(const AttentionShape& shape, std::span<const std::int64_t> starts, const SegmentOrder& order,
                                   std::span<const KeyChain> chains, const at::Device& device)
    : m_shape(shape) {
    const std::size_t segments = starts.size() - 1;
    const std::int64_t group = shape.group();
    const auto indices = [&](const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong).to(device); };
    // Rows in the order of the tree: each store then serves one stretch of rows.
    std::vector<std::int64_t> sorted, back(static_cast<std::size_t>(starts.back())), sortedStarts{0};
    for (const std::size_t segment : order.order) {
        for (std::int64_t row = starts[segment]; row < starts[segment + 1]; ++row) {
            back[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(sorted.size());
            sorted.push_back(row);
        }
        sortedStarts.push_back(static_cast<std::int64_t>(sorted.size()));
    }
    if (!std::is_sorted(sorted.begin(), sorted.end())) {
        m_sorted = indices(sorted);
        m_back = indices(back);
    }
    for (std::size_t i = 0; i < segments; ++i) {
        const std::size_t levels = chainOf(chains, order.order[i]).size();
        for (std::size_t level = order.shared[i]; level < levels; ++level) { // stores that begin to serve here
            std::size_t end = i + 1;
            while (end < segments && order.shared[end] > level)
                ++end;
            m_served.push_back({order.order[i], level, sortedStarts[i] * group, (sortedStarts[end] - sortedStarts[i]) * group});
        }
    }
    std::vector<std::size_t> byLength(segments);
    std::iota(byLength.begin(), byLength.end(), std::size_t(0));
    const auto length = [&](std::size_t i) { return sortedStarts[i + 1] - sortedStarts[i]; };
    std::stable_sort(byLength.begin(), byLength.end(), [&](std::size_t a, std::size_t b) { return length(a) < length(b); });
    for (std::size_t begin = 0; begin < segments;) {
        const std::int64_t most = std::max<std::int64_t>(16, 2 * length(byLength[begin]));
        std::size_t end = begin;
        while (end < segments && length(byLength[end]) <= most)
            ++end;
        const auto count = static_cast<std::int64_t>(end - begin), longest = length(byLength[end - 1]);
        std::vector<std::int64_t> taken(static_cast<std::size_t>(count * longest), 0), lengths, places, rowsOf;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::size_t segment = byLength[begin + static_cast<std::size_t>(i)];
            lengths.push_back(length(segment));
            for (std::int64_t t = 0; t < length(segment); ++t) {
                taken[static_cast<std::size_t>(i * longest + t)] = sortedStarts[segment] + t;
                for (std::int64_t g = 0; g < group; ++g) {
                    places.push_back((i * longest + t) * group + g);
                    rowsOf.push_back((sortedStarts[segment] + t) * group + g);
                }
            }
        }
        begin = end;
        if (longest == 0)
            continue;
        const at::Tensor place = at::arange(longest, at::kLong).to(device);
        at::Tensor hidden = place.view({1, 1, longest}).ge(indices(lengths).view({count, 1, 1}));
        if (shape.causal)
            hidden = hidden.logical_or(place.view({1, 1, longest}).gt(place.view({1, longest, 1})));
        m_padded.push_back(
            {count, longest, indices(taken), hidden.view({1, count, hidden.size(1), 1, longest}), indices(places), indices(rowsOf)});
    }
}

at::Tensor PortableSegments::attend(const at::Tensor& rows, std::span<const KeyChain> chains) const {
    const std::int64_t tokens = rows.size(0), group = m_shape.group(), size = m_shape.headSize, heads = m_shape.keyValueHeads;
    const at::Tensor x = m_sorted.defined() ? rows.index_select(0, m_sorted) : rows;
    const at::Tensor queries = portableQueries(m_shape, x);
    SoftmaxSums sums(heads, tokens * group, size, queries.options());
    for (const Served& served : m_served)
        addStore(sums, queries, served.first, served.count, chainOf(chains, served.segment)[served.level]);
    const at::Tensor keys = portablePart(m_shape, x, m_shape.heads), values = portablePart(m_shape, x, m_shape.heads + heads);
    SoftmaxSums own(heads, tokens * group, size, queries.options());
    for (const Padded& part : m_padded) {
        const std::int64_t count = part.count, longest = part.longest;
        const auto padded = [&](const at::Tensor& of) { return of.index_select(1, part.tokens).view({heads, count, longest, size}); };
        const at::Tensor ownQueries =
            queries.view({heads, tokens, group * size}).index_select(1, part.tokens).view({heads, count, longest * group, size});
        at::Tensor scores = at::matmul(ownQueries, padded(keys).transpose(2, 3)); // [heads, count, longest * group, longest]
        scores.view({heads, count, -1, group, longest}).masked_fill_(part.hidden, -1e30);
        // Back to one row per token before the sums are joined.
        const at::Tensor largest = scores.amax({-1}, true), weights = at::exp(scores - largest);
        const auto pick = [&](const at::Tensor& of) {
            return of.reshape({heads, count * longest * group, -1}).index_select(1, part.places);
        };
        own.put(part.rows, pick(largest), pick(weights.sum({-1}, true)), pick(at::matmul(weights, padded(values))));
    }
    if (!m_served.empty())
        own.join(sums);
    const at::Tensor out = backToRows(m_shape, own.result());
    return m_back.defined() ? out.index_select(0, m_back) : out;
}

at::Tensor attendLastPortable(const AttentionShape& shape, const at::Tensor& rows, const LayerCache& cache, const KeyChain& before) {
    const std::int64_t tokens = rows.size(0), length = cache.length(), group = shape.group();
    const at::Tensor queries = portableQueries(shape, rows);
    SoftmaxSums sums(shape.keyValueHeads, tokens * group, shape.headSize, queries.options());
    for (const KeyView& view : before)
        addStore(sums, queries, 0, tokens * group, view);
    at::Tensor scores = at::matmul(queries, cache.keys().narrow(1, 0, length).transpose(1, 2));
    const auto options = at::TensorOptions().dtype(at::kLong).device(rows.device());
    const at::Tensor hidden = at::arange(length, options).unsqueeze(0).gt(at::arange(length - tokens, length, options).unsqueeze(1));
    scores.view({shape.keyValueHeads, tokens, group, length}).masked_fill_(hidden.view({1, tokens, 1, length}), -1e30);
    sums.add(0, scores, cache.values().narrow(1, 0, length));
    return backToRows(shape, sums.result());
}

} // namespace carousel
