// SPDX-License-Identifier: GPL-3.0-or-later
#include "unit/scoring/attention_case_torch.h"
#include "compute/attention_torch.h"
#include "compute/layers_torch.h"
#include "scoring/tensor_bridge_torch.h"

using namespace carousel;

namespace {
AttentionShape shapeOf(const AttentionCase& problem) {
    return {problem.heads, problem.keyValueHeads, problem.headSize, problem.causal};
}
ComputeDevice deviceOf(bool portable, int threads) {
    ComputeDevice device = *openComputeDevice("cpu", "fp32", threads);
    device.portable = portable;
    return device;
}
at::Tensor tensor(const Matrix& x) {
    return viewRows(x, 0, x.rows).clone();
}
std::vector<LayerCache> fill(const AttentionCase& problem, const ComputeDevice& device) {
    std::vector<LayerCache> stores(problem.stores.size());
    for (std::size_t i = 0; i < stores.size(); ++i) {
        const at::Tensor rows = tensor(problem.stores[i]);
        const std::int64_t first = rows.size(0) / 3; // in two steps, as prompts are
        stores[i].append(device, shapeOf(problem), rows.narrow(0, 0, first).contiguous());
        stores[i].append(device, shapeOf(problem), rows.narrow(0, first, rows.size(0) - first).contiguous());
    }
    return stores;
}
} // namespace

std::vector<Matrix> attendTogether(const AttentionCase& problem, bool portable, int threads) {
    const ComputeDevice device = deviceOf(portable, threads);
    const ComputeScope scope(device);
    const std::vector<LayerCache> stores = fill(problem, device);
    Matrix rows;
    std::vector<std::int64_t> starts{0};
    std::vector<KeyChain> chains;
    bool same = true;
    for (const auto& segment : problem.segments) {
        rows.columns = segment.rows.columns;
        rows.rows += segment.rows.rows;
        rows.values.insert(rows.values.end(), segment.rows.values.begin(), segment.rows.values.end());
        starts.push_back(static_cast<std::int64_t>(rows.rows));
        chains.emplace_back();
        for (std::size_t level = 0; level < segment.chain.size(); ++level) {
            const LayerCache& store = stores[segment.chain[level]];
            chains.back().push_back(segment.lengths.empty() ? KeyView(store) : KeyView(store, segment.lengths[level]));
        }
        same = same && chains.back() == chains.front();
    }
    if (same)
        chains.resize(chains.front().empty() ? 0 : 1);
    const Matrix all = toMatrix(attendSegments(device, shapeOf(problem), tensor(rows), starts, chains));
    std::vector<Matrix> out;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        Matrix part(static_cast<std::size_t>(starts[i + 1] - starts[i]), all.columns);
        std::copy_n(all.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(starts[i]) * all.columns), part.values.size(),
                    part.values.begin());
        out.push_back(std::move(part));
    }
    return out;
}

Matrix attendAtTheEnd(const AttentionCase& problem, const std::vector<std::size_t>& chain, std::int64_t last, bool portable) {
    const ComputeDevice device = deviceOf(portable, 2);
    const ComputeScope scope(device);
    const std::vector<LayerCache> stores = fill(problem, device);
    KeyChain before;
    for (std::size_t level = 0; level + 1 < chain.size(); ++level)
        before.push_back(stores[chain[level]]);
    const at::Tensor rows = tensor(problem.stores[chain.back()]);
    return toMatrix(
        attendLast(device, shapeOf(problem), rows.narrow(0, rows.size(0) - last, last).contiguous(), stores[chain.back()], before));
}

Matrix rotated(const RotaryCase& problem, const Matrix& x, bool portable) {
    const ComputeDevice device = deviceOf(portable, 2);
    const ComputeScope scope(device);
    RotaryTable table(RotaryShape{problem.base, problem.headSize, problem.halves ? RotaryPairs::halves : RotaryPairs::neighbours,
                                  problem.scale, problem.factors});
    at::Tensor turned = tensor(x);
    table.apply(device, turned, problem.heads, problem.positions);
    return toMatrix(turned);
}
