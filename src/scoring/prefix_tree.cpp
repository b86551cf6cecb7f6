// SPDX-License-Identifier: GPL-3.0-or-later
// Sorted prompts that begin alike stand next to each other, so the tree is read off the lengths of common beginnings of neighbours.
#include "scoring/prefix_tree.h"
#include <algorithm>
#include <numeric>

namespace carousel {

PrefixTree::PrefixTree(std::span<const std::span<const TokenId>> prompts, std::int64_t batchTokens)
    : m_ends(prompts.size(), PrefixNode::none) {
    std::vector<std::size_t> order(prompts.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto x = prompts[a], y = prompts[b];
        const auto [p, q] = std::mismatch(x.begin(), x.end(), y.begin(), y.end());
        if (p == x.end() || q == y.end())
            return x.size() != y.size() ? x.size() < y.size() : a < b;
        return *p < *q;
    });
    // common[i]: how many tokens sorted prompt i shares with the one before it.
    std::vector<std::int64_t> common(order.size() + 1, 0);
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto x = prompts[order[i - 1]], y = prompts[order[i]];
        common[i] = std::mismatch(x.begin(), x.end(), y.begin(), y.end()).second - y.begin();
    }

    // A prompt's new tokens, from where it leaves the one before, are cut wherever a later prompt leaves it in turn (or it ends inside a
    // later one), so that every node is shared as a whole. `cuts` are those places, found from the end.
    std::vector<std::vector<std::int64_t>> cuts(order.size());
    std::vector<std::pair<std::int64_t, std::size_t>> open; // (begin of its new tokens, sorted prompt), deepest last
    for (std::size_t i = 0; i < order.size(); ++i) {
        while (!open.empty() && open.back().first >= common[i])
            open.pop_back();
        if (!open.empty() && common[i] > open.back().first)
            cuts[open.back().second].push_back(common[i]);
        if (static_cast<std::int64_t>(prompts[order[i]].size()) > common[i])
            open.emplace_back(common[i], i);
    }

    std::vector<std::size_t> current; // nodes from the first to the last one made
    auto closeFrom = [&](std::int64_t position) {
        while (!current.empty() && m_nodes[current.back()].start >= position) {
            m_nodes[current.back()].subtreeEnd = m_nodes.size();
            current.pop_back();
        }
    };
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto length = static_cast<std::int64_t>(prompts[order[i]].size());
        closeFrom(common[i]);
        std::vector<std::int64_t>& ends = cuts[i];
        ends.push_back(length);
        std::sort(ends.begin(), ends.end());
        std::int64_t from = common[i];
        for (const std::int64_t end : ends)
            if (from < end) {
                PrefixNode node;
                node.parent = current.empty() ? PrefixNode::none : current.back();
                node.prompt = order[i];
                node.start = from;
                node.length = end - from;
                from += node.length;
                current.push_back(m_nodes.size());
                m_nodes.push_back(node);
            }
        m_ends[order[i]] = current.empty() ? PrefixNode::none : current.back();
    }
    closeFrom(0);
    cutIntoBatches(std::max<std::int64_t>(1, batchTokens));
}

void PrefixTree::cutIntoBatches(std::int64_t batchTokens) {
    std::vector<PrefixNode> pieces;
    std::vector<std::size_t> firstPiece, lastPiece; // by node
    for (const PrefixNode& node : m_nodes) {
        firstPiece.push_back(pieces.size());
        PrefixNode piece = node;
        piece.parent = node.parent == PrefixNode::none ? PrefixNode::none : lastPiece[node.parent];
        for (; piece.start < node.end(); piece.start += piece.length) {
            if (m_batches.empty() || m_batches.back().tokens == batchTokens)
                m_batches.push_back({pieces.size(), pieces.size(), 0});
            piece.length = std::min(node.end() - piece.start, batchTokens - m_batches.back().tokens);
            m_batches.back().tokens += piece.length;
            m_batches.back().last = pieces.size() + 1;
            pieces.push_back(piece);
            piece.parent = pieces.size() - 1;
        }
        lastPiece.push_back(pieces.size() - 1);
    }
    firstPiece.push_back(pieces.size());
    for (std::size_t i = 0; i < m_nodes.size(); ++i)
        for (std::size_t piece = firstPiece[i]; piece <= lastPiece[i]; ++piece)
            pieces[piece].subtreeEnd = firstPiece[m_nodes[i].subtreeEnd];
    for (std::size_t& end : m_ends)
        if (end != PrefixNode::none)
            end = lastPiece[end];
    m_nodes = std::move(pieces);
}

std::vector<std::size_t> PrefixTree::pathOfNode(std::size_t node) const {
    std::vector<std::size_t> out;
    for (; node != PrefixNode::none; node = m_nodes[node].parent)
        out.push_back(node);
    std::reverse(out.begin(), out.end());
    return out;
}

std::vector<std::size_t> PrefixTree::path(std::size_t prompt) const {
    return pathOfNode(m_ends[prompt]);
}

std::int64_t PrefixTree::tokens() const {
    return std::accumulate(m_nodes.begin(), m_nodes.end(), std::int64_t(0),
                           [](std::int64_t sum, const PrefixNode& node) { return sum + node.length; });
}

std::vector<std::int64_t> PrefixTree::addedTokens() const {
    std::vector<std::int64_t> out(m_ends.size(), 0);
    std::vector<bool> seen(m_nodes.size(), false);
    for (std::size_t prompt = 0; prompt < m_ends.size(); ++prompt)
        for (std::size_t node = m_ends[prompt]; node != PrefixNode::none && !seen[node]; node = m_nodes[node].parent) {
            seen[node] = true;
            out[prompt] += m_nodes[node].length;
        }
    return out;
}

} // namespace carousel
