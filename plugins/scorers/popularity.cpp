// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: how often an item was liked, by all users alike; old events may count less.
#include "stages/plugin.h"
#include "support/specs.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

class Popularity final : public Scorer {
public:
    explicit Popularity(double halfLifeDays) : m_halfLifeDays(halfLifeDays) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        const auto& training = input.training;
        std::vector<double> sum(training.itemCount(), 0.0);
        std::int64_t newest = noTime;
        const auto users = static_cast<Code>(training.userCount());
        for (Code user = 0; user < users; ++user)
            for (const auto time : training.historyTime(user))
                newest = std::max(newest, time);
        for (Code user = 0; user < users; ++user) {
            if (user % 1024 == 0 && control.stopRequested())
                return fail(RunControl::cancelled("Counting"));
            const auto items = training.historyItems(user);
            const auto preference = training.historyPreference(user), confidence = training.historyConfidence(user), counts = training.historyWeight(user);
            const auto time = training.historyTime(user);
            for (std::size_t i = 0; i < items.size(); ++i) {
                if (preference[i] < training.positiveFrom())
                    continue;
                double weight = double(confidence[i]) * double(counts[i]);
                if (m_halfLifeDays > 0 && time[i] != noTime)
                    weight *= std::exp2(-(static_cast<double>(newest) - static_cast<double>(time[i])) / 86400.0 / m_halfLifeDays);
                sum[static_cast<std::size_t>(items[i])] += weight;
            }
        }
        m_score.assign(sum.begin(), sum.end());
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("popularity"));
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            scores[i] = m_score[static_cast<std::size_t>(request.candidates[i])];
            status[i] = ScoreStatus::ok;
        }
        return {};
    }

    std::string explain(const ScoreRequest&, Code item) const override {
        return nlohmann::json{{"likedEventsWeighted", m_score[static_cast<std::size_t>(item)]}, {"halfLifeDays", m_halfLifeDays}}.dump();
    }

private:
    double m_halfLifeDays;
    std::vector<float> m_score;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "popularity";
    out.name = "Popularity";
    out.summary = "Counts how often each item was liked, weighted by confidence, logged clicks also by their inverse propensity; the same order for everybody.";
    out.source = "ours";
    out.twin = "llm_yes_no";
    out.parameters = {
        plugin::number("halfLifeDays", "Half life", 0, 0, 36500, "days",
                       "An event so many days before the newest one counts half; 0 counts all alike. Events without a time count fully.")};
    out.createScorer = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
        return std::make_unique<Popularity>(p.number("halfLifeDays"));
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
