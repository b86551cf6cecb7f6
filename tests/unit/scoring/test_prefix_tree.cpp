// SPDX-License-Identifier: GPL-3.0-or-later
// Properties of the prefix tree on random prompts that begin alike, and the cases worked by hand.
#include "base/random.h"
#include "scoring/prefix_tree.h"
#include <QTest>
#include <algorithm>
#include <set>

using namespace carousel;

namespace {
using Prompts = std::vector<std::vector<TokenId>>;

PrefixTree treeOf(const Prompts& prompts, std::int64_t batchTokens = 1000) {
    const std::vector<std::span<const TokenId>> views(prompts.begin(), prompts.end());
    return PrefixTree(views, batchTokens);
}
std::vector<TokenId> tokensOf(const Prompts& prompts, const PrefixNode& node) {
    const auto from = prompts[node.prompt].begin() + node.start;
    return {from, from + node.length};
}
std::vector<TokenId> tokensOnPath(const Prompts& prompts, const PrefixTree& tree, const std::vector<std::size_t>& path) {
    std::vector<TokenId> out;
    for (const std::size_t node : path) {
        const auto tokens = tokensOf(prompts, tree.nodes()[node]);
        out.insert(out.end(), tokens.begin(), tokens.end());
    }
    return out;
}
// Few different tokens and many copied beginnings, so that heads are shared at every length.
Prompts randomPrompts(std::uint64_t key) {
    RandomStream random(3, "prefix tree", key);
    Prompts out;
    const auto count = random.below(40);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::vector<TokenId> prompt;
        if (!out.empty() && random.below(4) != 0) {
            prompt = out[random.below(out.size())];
            prompt.resize(random.below(prompt.size() + 1));
        }
        for (auto more = random.below(12); more > 0; --more)
            prompt.push_back(static_cast<TokenId>(random.below(3)));
        out.push_back(std::move(prompt));
    }
    return out;
}
} // namespace

class TestPrefixTree : public QObject {
    Q_OBJECT

private slots:
    void sharesInstructionHistoryAndQuestion() {
        // instruction 1 2 3; two users 10 11 and 20; their candidates
        const Prompts prompts{
            {1, 2, 3, 10, 11, 50, 51}, {1, 2, 3, 20, 60}, {1, 2, 3, 10, 11, 50, 52}, {1, 2, 3, 10, 11, 70}, {1, 2, 3, 20, 61}};
        const PrefixTree tree = treeOf(prompts);
        QCOMPARE(tree.tokens(), 3 + 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1);
        QCOMPARE(tree.nodes().size(), std::size_t(9));
        QCOMPARE(tree.path(0).size(), std::size_t(4)); // instruction, user, 50, 51
        QCOMPARE(tree.path(1).size(), std::size_t(3));
        QCOMPARE(tree.path(0)[1], tree.path(3)[1]);
        QVERIFY(tree.path(0)[1] != tree.path(1)[1]);
        QCOMPARE(tree.nodes()[0].subtreeEnd, std::size_t(9));
    }
    void equalPromptsAndPromptsInsideOthers() {
        const Prompts prompts{{1, 2, 3}, {}, {1, 2}, {1, 2, 3}, {1, 2, 3, 4}};
        const PrefixTree tree = treeOf(prompts);
        QCOMPARE(tree.tokens(), 4);
        QCOMPARE(tree.endOf(0), tree.endOf(3));
        QCOMPARE(tree.endOf(1), PrefixNode::none);
        QVERIFY(tree.path(1).empty());
        QCOMPARE(tree.nodes()[tree.endOf(2)].end(), 2);
        QCOMPARE(tree.nodes()[tree.endOf(0)].parent, tree.endOf(2));
        QVERIFY(treeOf({}).nodes().empty());
        QVERIFY(treeOf({{}, {}}).nodes().empty());
    }
    void everyPromptIsOnePathAndNothingIsComputedTwice() {
        for (std::uint64_t key = 0; key < 400; ++key) {
            const Prompts prompts = randomPrompts(key);
            const std::int64_t batchTokens = key % 3 == 0 ? 3 : 1000;
            const PrefixTree tree = treeOf(prompts, batchTokens);
            std::set<std::vector<TokenId>> beginnings; // each stands for one token with all before it
            for (std::size_t i = 0; i < prompts.size(); ++i) {
                QCOMPARE(tokensOnPath(prompts, tree, tree.path(i)), prompts[i]);
                for (std::size_t length = 1; length <= prompts[i].size(); ++length)
                    beginnings.emplace(prompts[i].begin(), prompts[i].begin() + static_cast<std::ptrdiff_t>(length));
            }
            QCOMPARE(tree.tokens(), static_cast<std::int64_t>(beginnings.size()));
            beginnings.clear();
            const auto added = tree.addedTokens();
            for (std::size_t i = 0; i < prompts.size(); ++i) {
                const auto before = beginnings.size();
                for (std::size_t length = 1; length <= prompts[i].size(); ++length)
                    beginnings.emplace(prompts[i].begin(), prompts[i].begin() + static_cast<std::ptrdiff_t>(length));
                QCOMPARE(added[i], static_cast<std::int64_t>(beginnings.size() - before));
            }
            for (std::size_t i = 0; i < tree.nodes().size(); ++i) {
                const PrefixNode& node = tree.nodes()[i];
                QVERIFY(node.length >= 1 && node.length <= batchTokens);
                QVERIFY(node.subtreeEnd > i && node.subtreeEnd <= tree.nodes().size());
                if (node.parent == PrefixNode::none) {
                    QCOMPARE(node.start, 0);
                    continue;
                }
                const PrefixNode& parent = tree.nodes()[node.parent];
                QVERIFY(node.parent < i); // computed before
                QCOMPARE(node.start, parent.end());
                QVERIFY(i < parent.subtreeEnd && node.subtreeEnd <= parent.subtreeEnd);
            }
            // A node with one child is there only where a prompt ends, or where a long stretch is cut.
            for (std::size_t i = 0; i < tree.nodes().size() && batchTokens == 1000; ++i) {
                std::size_t children = 0, ending = 0;
                for (const PrefixNode& node : tree.nodes())
                    children += node.parent == i;
                for (std::size_t p = 0; p < prompts.size(); ++p)
                    ending += tree.endOf(p) == i;
                QVERIFY(children != 1 || ending > 0);
            }
        }
    }
    void anotherOrderOfThePromptsChangesNothingElse() {
        for (std::uint64_t key = 0; key < 200; ++key) {
            const Prompts prompts = randomPrompts(key);
            std::vector<std::size_t> order(prompts.size());
            for (std::size_t i = 0; i < order.size(); ++i)
                order[i] = i;
            RandomStream random(4, "order", key);
            for (std::size_t i = order.size(); i > 1; --i)
                std::swap(order[i - 1], order[random.below(i)]);
            Prompts mixed;
            for (const std::size_t i : order)
                mixed.push_back(prompts[i]);
            const PrefixTree a = treeOf(prompts), b = treeOf(mixed);
            QCOMPARE(a.nodes().size(), b.nodes().size());
            for (std::size_t i = 0; i < a.nodes().size(); ++i) {
                QCOMPARE(a.nodes()[i].parent, b.nodes()[i].parent);
                QCOMPARE(a.nodes()[i].subtreeEnd, b.nodes()[i].subtreeEnd);
                QCOMPARE(tokensOf(prompts, a.nodes()[i]), tokensOf(mixed, b.nodes()[i]));
            }
            for (std::size_t i = 0; i < order.size(); ++i)
                QCOMPARE(b.endOf(i), a.endOf(order[i]));
        }
    }
    void batchesAreFullAndMissNothing() {
        for (std::uint64_t key = 0; key < 100; ++key) {
            const Prompts prompts = randomPrompts(key);
            const PrefixTree tree = treeOf(prompts, 20);
            std::size_t next = 0;
            std::int64_t left = tree.tokens();
            for (const PrefixBatch& batch : tree.batches()) {
                QCOMPARE(batch.first, next);
                QVERIFY(batch.last > batch.first);
                std::int64_t tokens = 0;
                for (std::size_t i = batch.first; i < batch.last; ++i)
                    tokens += tree.nodes()[i].length;
                QCOMPARE(batch.tokens, tokens);
                QCOMPARE(tokens, std::min<std::int64_t>(20, left));
                left -= tokens;
                next = batch.last;
            }
            QCOMPARE(next, tree.nodes().size());
        }
        const PrefixTree one = treeOf({{1, 2, 3, 4, 5, 6, 7}}, 3);
        QCOMPARE(one.path(0).size(), std::size_t(3));
        QCOMPARE(one.batches().size(), std::size_t(3));
    }
};

QTEST_APPLESS_MAIN(TestPrefixTree)
#include "test_prefix_tree.moc"
