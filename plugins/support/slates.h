// SPDX-License-Identifier: GPL-3.0-or-later
// Parts of controllers: order by score, complete the order, re-rank for diversity.
#pragma once
#include "stages/stage.h"

namespace carousel::plugin {

// Best first: usable scores, then those flagged invalid or missing; equal scores keep the order they came in.
void sortBestFirst(std::vector<ScoredItem>& items);

// Collects an order block by block and gives the rank scores: 0 for the first tie group, -1 for the next, and so on, so that they fall
// exactly whatever the scale of the scores.
class SlateBuilder {
public:
    // Items in their final order; equal neighbouring scores of equal usability count as ties unless `strict`.
    void append(const std::vector<ScoredItem>& ordered, bool strict = false);
    Slate finish() { return std::move(m_slate); }
    std::vector<Code> items() const;

private:
    Slate m_slate;
    float m_next = 0;
};

// How alike two items are, 0..1 (cosine of embeddings cut at 0, or the share of common tags).
class Likeness {
public:
    enum class Source { none, embeddings, tags };
    // `wanted`: "auto", "embeddings", "tags". Trainable embeddings are a random start and say nothing about likeness: none.
    static Likeness choose(const std::string& wanted, const FeatureTable& features, const EmbeddingTable& embeddings);
    Source source() const { return m_source; }
    double between(Code a, Code b) const;

private:
    Source m_source = Source::none;
    const FeatureTable* m_features = nullptr;
    const EmbeddingTable* m_embeddings = nullptr;
};

// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): takes `count` items one by one, each maximising
// lambda * relevance - (1 - lambda) * likeness to the nearest item taken before; the others follow as they were.
// `relevance` in 0..1, parallel to `pool`. Returns the new order as indices into pool.
std::vector<std::size_t> marginalRelevance(const std::vector<ScoredItem>& pool, const std::vector<double>& relevance,
                                           const Likeness& likeness, double lambda, std::size_t count);
// Scores of usable items spread over 0..1 (all 1 when they are equal); others 0.
std::vector<double> relevanceOf(const std::vector<ScoredItem>& items);

} // namespace carousel::plugin
