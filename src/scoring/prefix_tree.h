// SPDX-License-Identifier: GPL-3.0-or-later
// Prompts as a tree: what several of them begin with is one node, computed once. Instruction, a user's history, the head of a question and
// the candidates become levels by themselves, for one user or for many. Token ids only; no tensors.
#pragma once
#include "llm/tokenizer.h"
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct PrefixNode {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t parent = none;  // always before its children
    std::size_t prompt = 0;     // the tokens are prompts[prompt][start, start + length)
    std::int64_t start = 0;     // position of the first token in every prompt that runs through here
    std::int64_t length = 0;    // at least 1
    std::size_t subtreeEnd = 0; // this node and its descendants are nodes [own index, subtreeEnd)
    std::int64_t end() const { return start + length; }
};

// Nodes to be computed in one pass: [first, last).
struct PrefixBatch {
    std::size_t first = 0, last = 0;
    std::int64_t tokens = 0;
};

class PrefixTree {
public:
    PrefixTree() = default;
    // `batchTokens`: how many tokens are computed together, at least 1. Stretches are cut where a batch is full, so that all batches but
    // the last have exactly so many: products of few different sizes, each as large as may be. The prompts are not kept. The nodes depend
    // on the set of prompts alone: another order of the same prompts gives the same nodes up to the numbers in `prompt`.
    PrefixTree(std::span<const std::span<const TokenId>> prompts, std::int64_t batchTokens);

    const std::vector<PrefixNode>& nodes() const { return m_nodes; } // depth first
    std::size_t promptCount() const { return m_ends.size(); }
    // The node whose last token is the prompt's last; none for a prompt without tokens.
    std::size_t endOf(std::size_t prompt) const { return m_ends[prompt]; }
    // From the first node to the prompt's last.
    std::vector<std::size_t> path(std::size_t prompt) const;
    std::vector<std::size_t> pathOfNode(std::size_t node) const;
    bool hasChildren(std::size_t node) const { return m_nodes[node].subtreeEnd > node + 1; }
    std::int64_t tokens() const; // of all nodes: what there is to compute
    // By prompt: how many of its last tokens no prompt of a smaller number has in the same place. Their sum is tokens().
    std::vector<std::int64_t> addedTokens() const;

    const std::vector<PrefixBatch>& batches() const { return m_batches; } // all nodes, in their order

private:
    void cutIntoBatches(std::int64_t batchTokens);
    std::vector<PrefixNode> m_nodes;
    std::vector<std::size_t> m_ends;
    std::vector<PrefixBatch> m_batches;
};

} // namespace carousel
