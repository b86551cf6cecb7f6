// SPDX-License-Identifier: GPL-3.0-or-later
// How prompts go through the layers: a prompt that is kept piece by piece, many prompts as a prefix tree in batches under a token budget.
// The keys and values of a node are stored once and dropped as soon as nothing that follows is left to compute.
#include "compute/guard_torch.h"
#include "scoring/llama_weights_torch.h"
#include "scoring/prefix_tree.h"
#include "scoring/tensor_bridge_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <algorithm>
#include <optional>

namespace carousel {

DecoderCache::DecoderCache() = default;
DecoderCache::~DecoderCache() = default;
DecoderCache::DecoderCache(DecoderCache&&) noexcept = default;
DecoderCache& DecoderCache::operator=(DecoderCache&&) noexcept = default;

void DecoderCache::truncate(std::int64_t length) {
    if (length >= this->length())
        return;
    m_tokens.resize(static_cast<std::size_t>(length));
    if (m_layers)
        m_layers->truncate(length);
}

std::int64_t DecoderCache::bytes() const {
    return m_layers ? m_layers->bytes() : 0;
}

void LlamaDecoder::Pass::add(std::span<const TokenId> segment, std::int64_t firstPosition, std::int64_t wantedRows,
                             std::vector<Followed> after, Layers* store, std::vector<std::size_t> ofThisPass) {
    const auto count = static_cast<std::int64_t>(segment.size()), start = starts.back();
    tokens.insert(tokens.end(), segment.begin(), segment.end());
    for (std::int64_t i = 0; i < count; ++i)
        positions.push_back(firstPosition + i);
    for (std::int64_t i = std::max<std::int64_t>(0, count - wantedRows); i < count; ++i)
        wanted.push_back(start + i);
    starts.push_back(start + count);
    follows.push_back(std::move(after));
    within.push_back(std::move(ofThisPass));
    keep.push_back(store);
}

std::int64_t LlamaDecoder::tokensAtOnce() const {
    return m_device.name == "cpu" ? groupTokens : groupTokensOffCpu;
}

std::int64_t LlamaDecoder::keyValueBytes() const {
    return m_shape.blocks * 2 * m_shape.keyValueHeads * m_weights->attention.headSize * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t LlamaDecoder::workingBytes(std::int64_t promptTokens) const {
    // Per row: stream, its norm, queries with keys and values, what attention gives, gates and ups, their product; fp32 and a bf16 copy.
    const std::int64_t perRow =
        3 * m_shape.width + (2 * m_shape.heads + 2 * m_shape.keyValueHeads) * m_weights->attention.headSize + 3 * m_shape.feedForward;
    const std::int64_t logits = logitRows * m_shape.vocabulary * static_cast<std::int64_t>(sizeof(float));
    // Off the CPU a mask over all pairs of a pass, as bytes and as fp32.
    const std::int64_t mask = m_device.portable ? tokensAtOnce() * (promptTokens + tokensAtOnce()) * 5 : 0;
    return std::max(tokensAtOnce() * perRow * 6, logits) + mask + (promptTokens + tokensAtOnce()) * keyValueBytes();
}

at::Tensor LlamaDecoder::embedded(std::span<const TokenId> tokens) const {
    const auto width = static_cast<std::size_t>(m_shape.width);
    const auto givenRow = [&](TokenId token) -> const float* { // of a vector that stands in a token's place; null for a token
        const auto place = static_cast<std::size_t>(std::max<std::int64_t>(0, token - m_shape.vocabulary));
        return token >= m_shape.vocabulary && place < m_injectedIds.size() ? m_injected.data() + place * width : nullptr;
    };
    if (m_weights->embedding.defined()) {
        const at::Tensor ids = at::empty({static_cast<std::int64_t>(tokens.size())}, at::kLong);
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const bool given = givenRow(tokens[i]) != nullptr;
            if (!given)
                checkToken(tokens[i]);
            ids.data_ptr<std::int64_t>()[i] = given ? 0 : tokens[i];
        }
        const at::Tensor x = m_weights->embedding.index_select(0, ids.to(c10::Device(m_device.name)));
        for (std::size_t i = 0; i < tokens.size(); ++i)
            if (const float* row = givenRow(tokens[i])) {
                const at::Tensor given = at::empty({m_shape.width}, at::kFloat);
                std::copy_n(row, width, given.data_ptr<float>());
                x.select(0, static_cast<std::int64_t>(i)).copy_(given);
            }
        return x;
    }
    const at::Tensor x = at::empty({static_cast<std::int64_t>(tokens.size()), m_shape.width}, at::kFloat);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (const float* row = givenRow(tokens[i]))
            std::copy_n(row, width, x.data_ptr<float>() + i * width);
        else
            readRow(WeightRole::tokenEmbedding, tokens[i], {x.data_ptr<float>() + i * width, width});
    }
    return x.to(c10::Device(m_device.name));
}

Matrix LlamaDecoder::forward(const Pass& pass, const RunControl& control) {
    Weights& w = *m_weights;
    const auto tokens = static_cast<std::int64_t>(pass.tokens.size());
    at::Tensor x = embedded(pass.tokens);
    const std::int64_t rotatedHeads = m_shape.heads + m_shape.keyValueHeads;
    const bool everyRow = static_cast<std::int64_t>(pass.wanted.size()) == tokens;
    const std::size_t segments = pass.follows.size();
    for (DecoderCache::Layers* store : pass.keep)
        if (store)
            store->each.resize(w.layers.size());
    const RotaryTable::Rows angles = w.rotary.rows(m_device, pass.positions);
    std::optional<SegmentLayout> layout; // laid out in the first layer, when it is known how long the stores are
    const at::Tensor wanted = everyRow ? at::Tensor() : at::tensor(pass.wanted, at::kLong).to(x.device());
    for (std::size_t index = 0; index < w.layers.size(); ++index) {
        checkStop(control);
        const Weights::Layer& layer = w.layers[index];
        at::Tensor rows = layer.queryKeyValue(rmsNorm(m_device, x, layer.attentionNorm, m_shape.rmsEpsilon, Use::product));
        w.rotary.apply(m_device, rows, rotatedHeads, angles);
        // Stored before anything attends: a node's children may be in the same pass.
        for (std::size_t i = 0; i < segments; ++i)
            if (pass.keep[i])
                pass.keep[i]->each[index].append(m_device, w.attention,
                                                 rows.narrow(0, pass.starts[i], pass.starts[i + 1] - pass.starts[i]));
        const bool lastLayer = index + 1 == w.layers.size();
        if (lastLayer && pass.wanted.empty())
            break; // only the keys and values were needed
        at::Tensor attended;
        if (pass.continues && (tokens == 1 || !m_device.portable)) {
            attended = attendLast(m_device, w.attention, rows, pass.keep.front()->each[index]);
        } else {
            std::vector<KeyChain> chains(segments);
            for (std::size_t i = 0; i < segments; ++i)
                for (const Pass::Followed& followed : pass.follows[i]) {
                    const LayerCache& store = followed.store->each[index];
                    chains[i].emplace_back(store, followed.length == Pass::all ? store.length() : followed.length);
                }
            if (pass.continues)
                chains[0].emplace_back(pass.keep.front()->each[index], pass.positions.front());
            if (!layout)
                layout.emplace(m_device, w.attention, pass.starts, chains, pass.within);
            attended = layout->attend(rows, chains);
        }
        if (lastLayer && !everyRow) { // what follows works on single rows
            attended = attended.index_select(0, wanted);
            x = x.index_select(0, wanted);
        }
        layer.attentionOut.addTo(x, attended);
        const at::Tensor gateUp =
            layer.gateUp.forNextProduct(rmsNorm(m_device, x, layer.feedForwardNorm, m_shape.rmsEpsilon, Use::product));
        layer.down.addTo(x, swiGlu(m_device, gateUp, Use::product));
    }
    if (pass.wanted.empty())
        return Matrix(0, static_cast<std::size_t>(m_shape.width));
    return toMatrix(rmsNorm(m_device, x, w.outputNorm, m_shape.rmsEpsilon));
}

Matrix LlamaDecoder::extendPiece(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control) {
    if (!cache.m_layers)
        cache.m_layers = std::make_unique<DecoderCache::Layers>();
    const std::int64_t before = cache.length();
    Pass pass;
    pass.continues = true;
    pass.add(tokens, before, lastRows, {}, cache.m_layers.get());
    try {
        Matrix rows = forward(pass, control);
        cache.m_tokens.insert(cache.m_tokens.end(), tokens.begin(), tokens.end());
        return rows;
    } catch (...) { // some layers may have taken the new tokens already
        cache.m_layers->truncate(before);
        throw;
    }
}

namespace {
void appendRows(Matrix& to, const Matrix& from) {
    to.columns = from.columns;
    to.rows += from.rows;
    to.values.insert(to.values.end(), from.values.begin(), from.values.end());
}
} // namespace

Result<Matrix> LlamaDecoder::extend(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows,
                                    const RunControl& control) {
    return guarded(m_device, "computing a prompt", [&]() -> Result<Matrix> {
        Matrix out(0, static_cast<std::size_t>(m_shape.width));
        const auto count = static_cast<std::int64_t>(tokens.size());
        const std::int64_t firstWanted = std::max<std::int64_t>(0, count - lastRows);
        for (std::int64_t done = 0; done < count;) {
            // Where it matters, pieces end where a multiple of the grain is reached, wherever the cache started.
            const std::int64_t room = m_reuseGrain == 1 ? longestPiece : m_reuseGrain - cache.length() % m_reuseGrain;
            const std::int64_t end = std::min(count, done + room);
            appendRows(out, extendPiece(cache, tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(end - done)),
                                        std::max<std::int64_t>(0, end - std::max(done, firstWanted)), control));
            done = end;
        }
        return out;
    });
}

std::int64_t LlamaDecoder::keepReusable(DecoderCache& cache, std::span<const TokenId> tokens) const {
    const auto count = static_cast<std::int64_t>(tokens.size());
    const auto differ = std::mismatch(tokens.begin(), tokens.end(), cache.m_tokens.begin(), cache.m_tokens.end());
    std::int64_t reused = differ.first - tokens.begin();
    if (reused < count || cache.length() > count)
        reused = reused / m_reuseGrain * m_reuseGrain;
    cache.truncate(reused);
    return reused;
}

Result<std::int64_t> LlamaDecoder::prepare(DecoderCache& cache, std::span<const TokenId> tokens, const RunControl& control) {
    const std::int64_t reused = keepReusable(cache, tokens);
    CAROUSEL_TRY(extend(cache, tokens.subspan(static_cast<std::size_t>(reused)), 0, control));
    return reused;
}

namespace {

// The rows of the tree that are wanted, and where each stands among those computed.
struct WantedRows {
    std::vector<std::int64_t> perNode; // the last so many of each node
    std::vector<std::size_t> firstRow; // of each node
    std::vector<std::vector<std::size_t>> ofPrompt;

    WantedRows(const PrefixTree& tree, std::span<const std::span<const TokenId>> prompts, std::int64_t lastRows)
        : perNode(tree.nodes().size(), 0), firstRow(tree.nodes().size(), 0), ofPrompt(prompts.size()) {
        const auto firstWanted = [&](std::size_t prompt) {
            return std::max<std::int64_t>(0, static_cast<std::int64_t>(prompts[prompt].size()) - lastRows);
        };
        for (std::size_t p = 0; p < prompts.size(); ++p)
            for (std::size_t node = tree.endOf(p); node != PrefixNode::none && tree.nodes()[node].end() > firstWanted(p);
                 node = tree.nodes()[node].parent)
                perNode[node] = std::max(perNode[node], std::min(tree.nodes()[node].length, tree.nodes()[node].end() - firstWanted(p)));
        for (std::size_t node = 1; node < perNode.size(); ++node)
            firstRow[node] = firstRow[node - 1] + static_cast<std::size_t>(perNode[node - 1]);
        for (std::size_t p = 0; p < prompts.size(); ++p)
            for (const std::size_t node : tree.path(p)) {
                const PrefixNode& at = tree.nodes()[node];
                for (std::int64_t position = std::max(at.start, firstWanted(p)); position < at.end(); ++position)
                    ofPrompt[p].push_back(firstRow[node] + static_cast<std::size_t>(position - (at.end() - perNode[node])));
            }
    }
};

} // namespace

// `pending`: tokens that the cache is to take in the first pass, into `appended`, its layers; every prompt follows them.
TreeStates LlamaDecoder::computeTree(const DecoderCache& cache, DecoderCache::Layers* appended, std::span<const TokenId> pending,
                                     std::span<const std::span<const TokenId>> prompts, std::int64_t lastRows, const RunControl& control) {
    const PrefixTree tree(prompts, tokensAtOnce());
    const std::vector<PrefixNode>& nodes = tree.nodes();
    WantedRows wanted(tree, prompts, lastRows);
    TreeStates out;
    out.rows = Matrix(0, static_cast<std::size_t>(m_shape.width));
    out.ofPrompt = std::move(wanted.ofPrompt);
    out.tokens = tree.tokens();
    out.added = tree.addedTokens();
    std::vector<std::unique_ptr<DecoderCache::Layers>> stores(nodes.size());
    const std::int64_t before = cache.length(), first = before + static_cast<std::int64_t>(pending.size());
    for (const PrefixBatch& batch : tree.batches()) {
        Pass pass;
        const bool takesPending = batch.first == 0 && !pending.empty();
        const std::size_t segmentsBefore = takesPending ? 1 : 0;
        std::vector<Pass::Followed> kept;
        if (takesPending ? before > 0 : first > 0)
            kept.push_back({appended ? appended : cache.m_layers.get(), takesPending ? before : Pass::all});
        if (takesPending)
            pass.add(pending, before, 0, kept, appended);
        for (std::size_t i = batch.first; i < batch.last; ++i) {
            const PrefixNode& node = nodes[i];
            // On the CPU whoever follows reads a store; elsewhere one pass sees all its keys, and only later passes need stores.
            if (m_device.portable ? node.subtreeEnd > batch.last : tree.hasChildren(i))
                stores[i] = std::make_unique<DecoderCache::Layers>();
            std::vector<Pass::Followed> follows = kept;
            std::vector<std::size_t> within;
            if (takesPending)
                within.push_back(0);
            for (const std::size_t ancestor : tree.pathOfNode(i))
                if (ancestor != i && m_device.portable && ancestor >= batch.first)
                    within.push_back(ancestor - batch.first + segmentsBefore);
                else if (ancestor != i)
                    follows.push_back({stores[ancestor].get()});
            const auto tokens = prompts[node.prompt].subspan(static_cast<std::size_t>(node.start), static_cast<std::size_t>(node.length));
            pass.add(tokens, first + node.start, wanted.perNode[i], std::move(follows), stores[i].get(), std::move(within));
        }
        appendRows(out.rows, forward(pass, control));
        std::int64_t held = 0;
        for (std::size_t i = 0; i < batch.last; ++i)
            if (stores[i]) {
                held += stores[i]->bytes();
                if (nodes[i].subtreeEnd <= batch.last)
                    stores[i].reset();
            }
        out.peakBytes = std::max(out.peakBytes, held);
    }
    return out;
}

Result<TreeStates> LlamaDecoder::follow(const DecoderCache& cache, std::span<const std::span<const TokenId>> prompts, std::int64_t lastRows,
                                        const RunControl& control) {
    return guarded(m_device, "scoring candidates",
                   [&]() -> Result<TreeStates> { return computeTree(cache, nullptr, {}, prompts, lastRows, control); });
}

Result<TreeStates> LlamaDecoder::followPrompt(DecoderCache& cache, std::span<const TokenId> prompt,
                                              std::span<const std::span<const TokenId>> prompts, std::int64_t lastRows,
                                              const RunControl& control) {
    const bool anything = std::any_of(prompts.begin(), prompts.end(), [](const auto& each) { return !each.empty(); });
    if (!m_device.portable || !anything) {
        CAROUSEL_ASSIGN(const std::int64_t reused, prepare(cache, prompt, control));
        CAROUSEL_ASSIGN(TreeStates states, follow(cache, prompts, lastRows, control));
        states.reused = reused;
        return states;
    }
    const std::int64_t reused = keepReusable(cache, prompt);
    std::span<const TokenId> rest = prompt.subspan(static_cast<std::size_t>(reused));
    const auto piece = static_cast<std::size_t>(m_reuseGrain);
    if (rest.size() > piece) { // whole pieces by themselves, so that a kept prompt was always computed in the same ones
        const std::size_t whole = (rest.size() - 1) / piece * piece;
        CAROUSEL_TRY(extend(cache, rest.first(whole), 0, control));
        rest = rest.subspan(whole);
    }
    return guarded(m_device, "scoring candidates", [&]() -> Result<TreeStates> {
        if (!cache.m_layers)
            cache.m_layers = std::make_unique<DecoderCache::Layers>();
        const std::int64_t before = cache.length();
        try {
            TreeStates states = computeTree(cache, cache.m_layers.get(), rest, prompts, lastRows, control);
            cache.m_tokens.insert(cache.m_tokens.end(), rest.begin(), rest.end());
            states.reused = reused;
            return states;
        } catch (...) { // some layers may have taken the new tokens already
            cache.m_layers->truncate(before);
            throw;
        }
    });
}

Result<HiddenStates> LlamaDecoder::branches(DecoderCache& cache, std::span<const std::vector<TokenId>> segments, std::int64_t lastRows,
                                            const RunControl& control) {
    const std::vector<std::span<const TokenId>> prompts(segments.begin(), segments.end());
    CAROUSEL_ASSIGN(const TreeStates states, follow(cache, prompts, lastRows, control));
    HiddenStates out;
    out.rows = Matrix(0, states.rows.columns);
    out.first.push_back(0);
    for (const std::vector<std::size_t>& rows : states.ofPrompt) {
        for (const std::size_t row : rows)
            out.rows.values.insert(out.rows.values.end(), states.rows.row(row).begin(), states.rows.row(row).end());
        out.rows.rows += rows.size();
        out.first.push_back(out.rows.rows);
    }
    return out;
}

} // namespace carousel
