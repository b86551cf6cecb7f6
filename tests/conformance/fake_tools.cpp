// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_tools.h"
#include <algorithm>

namespace carousel::conformance {

FakeTools::FakeTools(const Kitchen& kitchen, Code user) : m_kitchen(kitchen), m_user(user) {
    const auto seen = training().seenItems(user);
    for (Code item = 0; item < static_cast<Code>(training().itemCount()); ++item)
        if (!std::binary_search(seen.begin(), seen.end(), item))
            m_unseen.push_back(item);
}

Result<std::vector<ScoredItem>> FakeTools::ranking(const std::string& scorer) {
    const auto it = m_kitchen.scorers.find(scorer);
    if (it == m_kitchen.scorers.end())
        return fail(ErrorKind::internal, "CL-9001", "The retriever '" + scorer + "' was not asked for.", "Name it in retrievers().");
    std::vector<float> scores(m_unseen.size());
    std::vector<ScoreStatus> status(m_unseen.size());
    CAROUSEL_TRY(it->second->score({m_user, m_unseen, training()}, scores, status, {}));
    std::vector<ScoredItem> out;
    for (std::size_t i = 0; i < m_unseen.size(); ++i)
        out.push_back({m_unseen[i], scores[i], status[i]});
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    return out;
}

Result<std::vector<ScoredItem>> FakeTools::candidates() {
    if (!m_kitchen.retriever.empty())
        return retrieve(m_kitchen.retriever, m_kitchen.count);
    std::vector<ScoredItem> out;
    for (const auto item : m_unseen)
        out.push_back({item, 0, ScoreStatus::ok});
    return out;
}

Result<std::vector<ScoredItem>> FakeTools::retrieve(const std::string& scorerPlugin, int count) {
    CAROUSEL_ASSIGN(auto all, ranking(scorerPlugin));
    all.resize(std::min(all.size(), static_cast<std::size_t>(std::max(count, 0))));
    return all;
}

Result<std::vector<ScoredItem>> FakeTools::score(std::span<const Code> items) {
    std::vector<float> scores(items.size());
    std::vector<ScoreStatus> status(items.size());
    CAROUSEL_TRY(m_kitchen.scorers.at(m_kitchen.own)->score({m_user, items, training()}, scores, status, {}));
    std::vector<ScoredItem> out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        out.push_back({items[i], scores[i], status[i]});
        if (items[i] % 7 == 3) // some scores are flagged, as a language model's may be
            out.back().status = ScoreStatus::invalid;
    }
    return out;
}

Result<std::vector<ScoredItem>> FakeTools::remainder(std::span<const Code> chosen) {
    CAROUSEL_ASSIGN(auto all, ranking(m_kitchen.retriever.empty() ? m_kitchen.own : m_kitchen.retriever));
    std::erase_if(all, [&](const ScoredItem& s) { return std::find(chosen.begin(), chosen.end(), s.item) != chosen.end(); });
    return all;
}

} // namespace carousel::conformance
