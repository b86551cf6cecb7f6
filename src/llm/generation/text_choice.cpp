// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/text_choice.h"
#include "base/text.h"
#include <algorithm>
#include <deque>
#include <numeric>

namespace carousel {

Result<TextChoice> TextChoice::make(const std::vector<std::string>& texts,
                                    const std::function<std::vector<TokenId>(const std::string&)>& spell, const RunControl& control) {
    std::vector<std::vector<TokenId>> tokens;
    tokens.reserve(texts.size());
    for (const std::string& text : texts) {
        tokens.push_back(spell(text));
        if (tokens.back().empty() && !text.empty())
            return fail(ErrorKind::input, "CL-2160",
                        fmt::format("the model's vocabulary cannot spell the text '{}'", quotedForMessage(text)),
                        "leave this text out, or use a model whose tokenizer covers its characters");
        if (tokens.size() % 1024 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("preparing the texts to choose from"));
    }
    std::vector<std::size_t> order(texts.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return tokens[a] != tokens[b] ? tokens[a] < tokens[b] : a < b; });

    // Breadth first over ranges of the sorted texts, so that the children of a node get neighbouring numbers.
    struct Range {
        std::size_t begin, end, depth;
    };
    TextChoice out;
    std::vector<std::uint32_t> parents{0};
    std::deque<Range> waiting{{0, order.size(), 0}};
    out.m_nodes.emplace_back();
    out.m_tokens.push_back(-1);
    for (std::size_t node = 0; !waiting.empty(); ++node) {
        if (node % 4096 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("preparing the texts to choose from"));
        Range range = waiting.front();
        waiting.pop_front();
        while (range.begin < range.end && tokens[order[range.begin]].size() == range.depth) {
            if (out.m_nodes[node].text < 0)
                out.m_nodes[node].text = static_cast<std::int64_t>(order[range.begin]);
            ++range.begin;
        }
        out.m_nodes[node].firstChild = static_cast<std::uint32_t>(out.m_nodes.size());
        while (range.begin < range.end) {
            const TokenId token = tokens[order[range.begin]][range.depth];
            std::size_t end = range.begin;
            while (end < range.end && tokens[order[end]][range.depth] == token)
                ++end;
            waiting.push_back({range.begin, end, range.depth + 1});
            out.m_nodes.emplace_back();
            out.m_tokens.push_back(token);
            parents.push_back(static_cast<std::uint32_t>(node));
            ++out.m_nodes[node].children;
            range.begin = end;
        }
    }
    constexpr std::int32_t far = std::numeric_limits<std::int32_t>::max() / 2;
    for (Node& node : out.m_nodes)
        node.toEnd = node.text >= 0 ? 0 : far;
    for (std::size_t node = out.m_nodes.size(); node-- > 1;) {
        Node& parent = out.m_nodes[parents[node]];
        parent.toEnd = std::min(parent.toEnd, out.m_nodes[node].toEnd + 1);
    }
    return out;
}

std::span<const TokenId> TextChoice::allowed(State state, std::int64_t left) {
    const Node& node = m_nodes[state];
    const std::span<const TokenId> all(m_tokens.data() + node.firstChild, node.children);
    m_some.clear();
    for (std::uint32_t i = 0; i < node.children; ++i)
        if (m_nodes[node.firstChild + i].toEnd < left)
            m_some.push_back(all[i]);
    return m_some;
}

TokenConstraint::State TextChoice::after(State state, TokenId token) {
    const Node& node = m_nodes[state];
    const auto first = m_tokens.begin() + node.firstChild, last = first + node.children;
    return node.firstChild + static_cast<State>(std::lower_bound(first, last, token) - first);
}

} // namespace carousel
