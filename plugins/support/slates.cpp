// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/slates.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel::plugin {

namespace {
bool usable(const ScoredItem& item) {
    return item.status != ScoreStatus::invalid && item.status != ScoreStatus::missing && std::isfinite(item.score);
}
} // namespace

void sortBestFirst(std::vector<ScoredItem>& items) {
    std::stable_sort(items.begin(), items.end(), [](const ScoredItem& a, const ScoredItem& b) {
        const bool goodA = usable(a), goodB = usable(b);
        if (goodA != goodB)
            return goodA;
        // A flagged item's number is made up (imputed): it takes no part in the order.
        return goodA && a.score > b.score;
    });
}

void SlateBuilder::append(const std::vector<ScoredItem>& ordered, bool strict) {
    for (std::size_t i = 0; i < ordered.size(); ++i) {
        const bool tie = i > 0 && !strict && usable(ordered[i]) == usable(ordered[i - 1]) &&
                         (!usable(ordered[i]) || ordered[i].score == ordered[i - 1].score);
        if (!tie && !m_slate.items.empty())
            m_next -= 1;
        m_slate.items.push_back(ordered[i]);
        m_slate.rankScore.push_back(m_next);
    }
}

std::vector<Code> SlateBuilder::items() const {
    std::vector<Code> out;
    out.reserve(m_slate.items.size());
    for (const auto& item : m_slate.items)
        out.push_back(item.item);
    return out;
}

Likeness Likeness::choose(const std::string& wanted, const FeatureTable& features, const EmbeddingTable& embeddings) {
    Likeness out;
    out.m_features = &features;
    out.m_embeddings = &embeddings;
    const bool tags = !features.itemTags.empty(), vectors = !embeddings.items.empty() && !embeddings.trainable;
    if (wanted != "embeddings" && tags)
        out.m_source = Source::tags;
    if (wanted != "tags" && vectors)
        out.m_source = Source::embeddings;
    return out;
}

double Likeness::between(Code a, Code b) const {
    const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
    if (m_source == Source::embeddings) {
        const auto x = m_embeddings->items.row(i), y = m_embeddings->items.row(j);
        double dot = 0, xx = 0, yy = 0;
        for (std::size_t k = 0; k < x.size(); ++k) {
            dot += double(x[k]) * y[k];
            xx += double(x[k]) * x[k];
            yy += double(y[k]) * y[k];
        }
        return xx > 0 && yy > 0 ? std::clamp(dot / std::sqrt(xx * yy), 0.0, 1.0) : 0.0;
    }
    if (m_source == Source::tags) { // weighted Jaccard: sum of minima over sum of maxima
        const auto &x = m_features->itemTags[i], &y = m_features->itemTags[j];
        double common = 0, all = 0;
        for (const auto& tag : x)
            all += tag.confidence;
        for (const auto& tag : y) {
            const auto it = std::find_if(x.begin(), x.end(), [&](const Tag& other) { return other.name == tag.name; });
            const double other = it == x.end() ? 0.0 : it->confidence;
            common += std::min<double>(other, tag.confidence);
            all += tag.confidence - std::min<double>(other, tag.confidence);
        }
        return all > 0 ? common / all : 0.0;
    }
    return 0;
}

std::vector<double> relevanceOf(const std::vector<ScoredItem>& items) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const auto& item : items)
        if (usable(item)) {
            low = std::min<double>(low, item.score);
            high = std::max<double>(high, item.score);
        }
    std::vector<double> out(items.size(), 0.0);
    for (std::size_t i = 0; i < items.size(); ++i)
        if (usable(items[i]))
            out[i] = high > low ? (items[i].score - low) / (high - low) : 1.0;
    return out;
}

std::vector<std::size_t> marginalRelevance(const std::vector<ScoredItem>& pool, const std::vector<double>& relevance,
                                           const Likeness& likeness, double lambda, std::size_t count) {
    const auto n = pool.size();
    std::vector<double> nearest(n, 0.0);
    std::vector<bool> taken(n, false);
    std::vector<std::size_t> order;
    order.reserve(n);
    while (order.size() < std::min(count, n)) {
        std::size_t best = n;
        double bestValue = -std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < n; ++i) {
            if (taken[i])
                continue;
            const double value = lambda * relevance[i] - (1 - lambda) * nearest[i];
            if (value > bestValue) {
                bestValue = value;
                best = i;
            }
        }
        taken[best] = true;
        order.push_back(best);
        for (std::size_t i = 0; i < n; ++i)
            if (!taken[i])
                nearest[i] = std::max(nearest[i], likeness.between(pool[i].item, pool[best].item));
    }
    for (std::size_t i = 0; i < n; ++i)
        if (!taken[i])
            order.push_back(i);
    return order;
}

} // namespace carousel::plugin
