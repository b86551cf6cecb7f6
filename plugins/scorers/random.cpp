// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a fresh random number per user and item. The line that every other strategy must clear.
#include "base/random.h"
#include "stages/plugin.h"

namespace carousel {
namespace {

class RandomScorer final : public Scorer {
public:
    explicit RandomScorer(std::uint64_t seed) : m_seed(seed) {}

    Result<void> fit(const FitInput&, const RunControl& control) override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("random"));
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("random"));
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            RandomStream random(m_seed, "random scorer", static_cast<std::uint64_t>(static_cast<std::int64_t>(request.user)),
                                static_cast<std::uint64_t>(request.candidates[i]));
            scores[i] = static_cast<float>(random.uniform());
            status[i] = ScoreStatus::ok;
        }
        return {};
    }

private:
    std::uint64_t m_seed;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "random";
    out.name = "Random";
    out.summary = "A random score per user and item, fixed by the seed: what chance alone gives.";
    out.source = "ours";
    out.twin = "llm_yes_no";
    out.createScorer = [](const Parameters&, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        return std::make_unique<RandomScorer>(environment.seed);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
