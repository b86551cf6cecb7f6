// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: items met by the same users. likeness(i,j) = both / (sqrt(users_i * users_j) + shrinkage), an event counting as many times as its
// weight says (see Sequences::root);
// score(j) = sum over the history, newest first (k = 0, 1, ...), of decay^k * sign * likeness(i,j); disliked items take away.
#include "stages/plugin.h"
#include "support/history.h"
#include "support/item_links.h"
#include "support/item_text.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

struct Settings {
    plugin::EventChoice events = plugin::EventChoice::notDisliked;
    std::size_t sequenceLength = 200, neighbours = 200, history = 50;
    double shrinkage = 10, decay = 0.9, dislikeWeight = 0.3;
};

class ItemNeighbours final : public Scorer {
public:
    explicit ItemNeighbours(Settings settings) : m_settings(settings) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        const auto& training = input.training;
        CAROUSEL_ASSIGN(const auto all, plugin::Sequences::read(training, m_settings.events, m_settings.sequenceLength, true, control));
        auto links = plugin::ItemLinks::build(
            training.itemCount(),
            [&](Code item, const plugin::ItemLinks::Add& add) {
                const auto i = static_cast<std::size_t>(item);
                for (auto o = all.occurrenceStart[i]; o < all.occurrenceStart[i + 1]; ++o) {
                    const auto user = all.owner[all.occurrence[o]];
                    for (auto place = all.start[user]; place < all.start[user + 1]; ++place)
                        if (all.items[place] != item)
                            add(all.items[place], all.together(all.occurrence[o], place));
                }
            },
            [&](Code item, Code other, double both) {
                return both / (std::sqrt(all.counted(item) * all.counted(other)) + m_settings.shrinkage);
            },
            m_settings.neighbours, "Counting neighbours", control);
        if (!links)
            return fail(links.error());
        m_links = std::move(*links);
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("item_neighbours"));
        std::vector<double> sum(request.training.itemCount(), 0.0);
        for (const auto& [item, weight] : weightedHistory(request))
            for (const auto& link : m_links.row(item))
                sum[static_cast<std::size_t>(link.item)] += weight * link.weight;
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            scores[i] = static_cast<float>(sum[static_cast<std::size_t>(request.candidates[i])]);
            status[i] = ScoreStatus::ok;
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        std::vector<std::pair<double, Code>> parts;
        for (const auto& [from, weight] : weightedHistory(request))
            for (const auto& link : m_links.row(from))
                if (link.item == item)
                    parts.emplace_back(weight * link.weight, from);
        std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return std::abs(a.first) > std::abs(b.first); });
        auto because = nlohmann::json::array();
        for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 5); ++i)
            because.push_back({{"item", plugin::titleOf(request.training.items(), parts[i].second)}, {"adds", parts[i].first}});
        return nlohmann::json{{"metBySameUsersAs", because}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    std::vector<std::pair<Code, double>> weightedHistory(const ScoreRequest& request) const {
        std::vector<std::pair<Code, double>> out;
        if (!plugin::isKnownUser(request.training, request.user))
            return out;
        const auto items = request.training.historyItems(request.user);
        const auto preference = request.training.historyPreference(request.user);
        double weight = 1;
        for (std::size_t i = items.size(); i-- > 0 && out.size() < m_settings.history; weight *= m_settings.decay) {
            if (preference[i] <= request.training.negativeUpTo())
                out.emplace_back(items[i], -m_settings.dislikeWeight * weight);
            else
                out.emplace_back(items[i], weight);
        }
        return out;
    }

    Settings m_settings;
    plugin::ItemLinks m_links;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "item_neighbours";
    out.name = "Item neighbours";
    out.summary = "Items that the same users met, by shrunken cosine; the newest history items speak loudest, disliked ones speak against. "
                  "Logged clicks count by their inverse-propensity weight.";
    out.source = "Item-based collaborative filtering (Sarwar et al., WWW 2001; Deshpande and Karypis, TOIS 2004)";
    out.twin = "llm_yes_no";
    out.parameters = {
        plugin::choice("events", "Events", plugin::eventChoices(), "all", "Which events make two items neighbours."),
        plugin::number("shrinkage", "Shrinkage", 10, 0, 10000, "users", "Pulls the likeness of items with few users towards 0."),
        plugin::integer("neighbours", "Neighbours kept", 200, 0, 1e6, "items",
                        "So many nearest neighbours of each item are kept; 0 keeps all."),
        plugin::integer("history", "History", 50, 1, 10000, "events", "So many of the user's newest events are used."),
        plugin::number("decay", "Decay", 0.9, 0, 1, "per step", "Weight of each older history event against the one after it."),
        plugin::number("dislikeWeight", "Weight of dislikes", 0.3, 0, 10, "",
                       "How much a disliked item counts against its neighbours; 0 ignores it."),
        plugin::integer("sequenceLength", "Longest history counted", 200, 2, 100000, "events",
                        "Only so many newest events of each user are counted; bounds the time."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
        Settings s;
        CAROUSEL_ASSIGN(s.events, plugin::eventChoice(p.text("events")));
        s.shrinkage = p.number("shrinkage"), s.decay = p.number("decay"), s.dislikeWeight = p.number("dislikeWeight");
        s.neighbours = static_cast<std::size_t>(p.integer("neighbours")), s.history = static_cast<std::size_t>(p.integer("history"));
        s.sequenceLength = static_cast<std::size_t>(p.integer("sequenceLength"));
        return std::make_unique<ItemNeighbours>(s);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
