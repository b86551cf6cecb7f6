// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: what was met soon after what. For places a < b <= a + window of each user's sequence: T[x_a][x_b] += 1/(b-a), times what
// the two events count by their weights (see Sequences::root; 1 when all are equal).
// score(j) = sum over the newest history items i, newest first (k = 0, 1, ...), of decay^k * T[i][j] / sqrt(count_i * count_j).
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
    plugin::EventChoice events = plugin::EventChoice::all;
    std::size_t sequenceLength = 50, window = 10, history = 20;
    double decay = 0.8;
};

class SequenceRules final : public Scorer {
public:
    explicit SequenceRules(Settings settings) : m_settings(settings) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        const auto& training = input.training;
        CAROUSEL_ASSIGN(const auto all, plugin::Sequences::read(training, m_settings.events, m_settings.sequenceLength, false, control));
        auto links = plugin::ItemLinks::build(
            training.itemCount(),
            [&](Code item, const plugin::ItemLinks::Add& add) {
                const auto i = static_cast<std::size_t>(item);
                for (auto o = all.occurrenceStart[i]; o < all.occurrenceStart[i + 1]; ++o) {
                    const auto a = all.occurrence[o];
                    const auto last = std::min(a + m_settings.window, all.start[all.owner[a] + 1] - 1);
                    for (auto b = a + 1; b <= last; ++b)
                        add(all.items[b], all.together(a, b) / static_cast<double>(b - a));
                }
            },
            [&](Code item, Code other, double sum) { return sum / std::sqrt(all.counted(item) * all.counted(other)); }, 0, "Counting rules",
            control);
        if (!links)
            return fail(links.error());
        m_links = std::move(*links);
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("sequence_rules"));
        std::vector<double> sum(request.training.itemCount(), 0.0);
        const auto history = plugin::sequenceOf(request.training, request.user, m_settings.events, m_settings.history, false);
        double weight = 1;
        for (auto it = history.rbegin(); it != history.rend(); ++it, weight *= m_settings.decay)
            for (const auto& link : m_links.row(*it))
                sum[static_cast<std::size_t>(link.item)] += weight * link.weight;
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            scores[i] = static_cast<float>(sum[static_cast<std::size_t>(request.candidates[i])]);
            status[i] = ScoreStatus::ok;
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto history = plugin::sequenceOf(request.training, request.user, m_settings.events, m_settings.history, false);
        std::vector<std::pair<double, Code>> parts;
        double weight = 1;
        for (auto it = history.rbegin(); it != history.rend(); ++it, weight *= m_settings.decay)
            for (const auto& link : m_links.row(*it))
                if (link.item == item)
                    parts.emplace_back(weight * link.weight, *it);
        std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
        auto because = nlohmann::json::array();
        for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 5); ++i)
            because.push_back({{"item", plugin::titleOf(request.training.items(), parts[i].second)}, {"adds", parts[i].first}});
        return nlohmann::json{{"oftenFollows", because}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    Settings m_settings;
    plugin::ItemLinks m_links;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "sequence_rules";
    out.name = "Sequence rules";
    out.summary = "Counts which item follows which within a few steps and scores by the newest history items. Logged clicks "
                  "count by their inverse-propensity weight. No learning; hard to beat.";
    out.source = "Forward sequential rules (Ludewig and Jannach, UMUAI 2018) with 1/distance weights and count normalisation";
    out.twin = "llm_yes_no";
    out.parameters = {
        plugin::choice("events", "Events", plugin::eventChoices(), "all", "Which events make up a sequence."),
        plugin::integer("sequenceLength", "Sequence length", 50, 2, 100000, "events",
                        "Rules are counted in so many of each user's newest events."),
        plugin::integer("window", "Window", 10, 1, 1000, "steps",
                        "An item counts as following another when it comes at most so many steps later."),
        plugin::integer("history", "History", 20, 1, 1000, "events", "So many of the newest events of the user speak for the next item."),
        plugin::number("decay", "Decay", 0.8, 0, 1, "per step", "Weight of each older history event against the one after it."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
        Settings s;
        CAROUSEL_ASSIGN(s.events, plugin::eventChoice(p.text("events")));
        s.sequenceLength = static_cast<std::size_t>(p.integer("sequenceLength")), s.window = static_cast<std::size_t>(p.integer("window"));
        s.history = static_cast<std::size_t>(p.integer("history")), s.decay = p.number("decay");
        return std::make_unique<SequenceRules>(s);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
