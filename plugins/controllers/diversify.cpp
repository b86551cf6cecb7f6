// SPDX-License-Identifier: GPL-3.0-or-later
// Controller: scores first, then the front of the carousel re-ranked so that neighbours differ.
#include "stages/plugin.h"
#include "support/slates.h"
#include "support/specs.h"
#include <algorithm>

namespace carousel {
namespace {

class Diversify final : public Controller {
public:
    Diversify(double lambda, std::size_t count, std::size_t pool, std::string likeness)
        : m_lambda(lambda), m_count(count), m_pool(pool), m_likeness(std::move(likeness)) {}

    Result<Slate> compose(ComposeTools& tools, const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("diversify"));
        CAROUSEL_ASSIGN(const auto candidates, tools.candidates());
        std::vector<Code> items;
        items.reserve(candidates.size());
        for (const auto& candidate : candidates)
            items.push_back(candidate.item);
        CAROUSEL_ASSIGN(auto scored, tools.score(items));
        plugin::sortBestFirst(scored);

        const auto likeness = plugin::Likeness::choose(m_likeness, tools.features(), tools.embeddings());
        plugin::SlateBuilder slate;
        std::size_t front = 0;
        if (likeness.source() != plugin::Likeness::Source::none) {
            const std::vector<ScoredItem> pool(scored.begin(),
                                               scored.begin() + static_cast<std::ptrdiff_t>(std::min(m_pool, scored.size())));
            const auto order = plugin::marginalRelevance(pool, plugin::relevanceOf(pool), likeness, m_lambda, m_count);
            front = std::min(m_count, pool.size());
            std::vector<ScoredItem> head, tail;
            for (std::size_t i = 0; i < order.size(); ++i)
                (i < front ? head : tail).push_back(pool[order[i]]);
            slate.append(head, true); // chosen one by one: a true order without ties
            tail.insert(tail.end(), scored.begin() + static_cast<std::ptrdiff_t>(pool.size()), scored.end());
            slate.append(tail);
        } else {
            slate.append(scored);
        }
        CAROUSEL_ASSIGN(const auto rest, tools.remainder(items));
        slate.append(rest);
        const char* source = likeness.source() == plugin::Likeness::Source::embeddings ? "embeddings" : front > 0 ? "tags" : "none";
        tools.trace().add("controller", "diversify",
                          fmt::format("{{\"likeness\":\"{}\",\"lambda\":{},\"chosenOneByOne\":{},\"candidates\":{}}}", source, m_lambda,
                                      front, items.size()));
        auto out = slate.finish();
        if (likeness.source() == plugin::Likeness::Source::none) {
            out.fallback = true;
            out.note = fmt::format("diversify: no usable {} to tell how alike items are; ordered by score alone.",
                                   m_likeness == "auto" ? "embeddings or tags" : m_likeness);
        }
        return out;
    }

private:
    double m_lambda;
    std::size_t m_count, m_pool;
    std::string m_likeness;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::controller;
    out.id = "diversify";
    out.name = "Diversify";
    out.summary = "Orders by score, then picks the first items one by one so that each is good and unlike those before it.";
    out.source = "Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998)";
    out.twin = "llm_planner";
    out.parameters = {
        plugin::number("lambda", "Weight of the score", 0.7, 0, 1, "", "1 keeps the order by score; lower values give more variety."),
        plugin::integer("count", "Items picked", 18, 1, 1000, "items",
                        "So many first items are picked one by one; three pages of six by default."),
        plugin::integer("pool", "Picked from", 100, 1, 10000, "items", "Only the so many best by score can be picked."),
        plugin::choice("likeness", "Likeness by", {"auto", "embeddings", "tags"}, "auto",
                       "What tells how alike two items are; auto takes embeddings from text, else tags."),
    };
    out.createController = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<Controller>> {
        return std::make_unique<Diversify>(p.number("lambda"), static_cast<std::size_t>(p.integer("count")),
                                           static_cast<std::size_t>(p.integer("pool")), p.text("likeness"));
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
