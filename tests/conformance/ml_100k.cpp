// SPDX-License-Identifier: GPL-3.0-or-later
// How good the plain scorers are on ML-100K, when it has been fetched: whatever learns finds the held-out item far more often than chance
// does. The seconds of the fit on one thread are printed and not judged: they are the machine's, and its other work's.
#include "base/file.h"
#include "base/paths.h"
#include "checks.h"
#include "data/import.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace carousel::conformance {

namespace {

struct Quality {
    double hit = 0, gain = 0; // at 10, one target, ties take the mean rank of their group
};

Quality qualityOf(const Scorer& scorer, const TrainingView& training, const Split& split, std::size_t users) {
    Quality out;
    std::size_t asked = 0;
    for (std::size_t u = 0; u < training.userCount() && asked < users; ++u) {
        if (split.testTargets[u].size() != 1)
            continue;
        ++asked;
        const auto seen = training.seenItems(static_cast<Code>(u));
        std::vector<Code> items;
        for (Code item = 0; item < static_cast<Code>(training.itemCount()); ++item)
            if (!std::binary_search(seen.begin(), seen.end(), item))
                items.push_back(item);
        std::vector<float> scores(items.size());
        std::vector<ScoreStatus> status(items.size());
        must(scorer.score({static_cast<Code>(u), items, training, {}}, scores, status, {}));
        const auto at = static_cast<std::size_t>(std::find(items.begin(), items.end(), split.testTargets[u][0]) - items.begin());
        if (at == items.size())
            continue;
        std::size_t above = 0, equal = 0;
        for (const float score : scores) {
            above += score > scores[at];
            equal += score == scores[at];
        }
        for (std::size_t r = above; r < above + equal; ++r)
            if (r < 10) {
                out.hit += 1.0 / static_cast<double>(equal);
                out.gain += 1.0 / std::log2(static_cast<double>(r) + 2) / static_cast<double>(equal);
            }
    }
    out.hit /= static_cast<double>(std::max<std::size_t>(asked, 1));
    out.gain /= static_cast<double>(std::max<std::size_t>(asked, 1));
    return out;
}

} // namespace

bool checkMl100k(const PluginRegistry& registry, Report& report) {
    const auto folder = dataFolder() + "/ml-100k";
    if (!fileExists(folder + "/ml-100k.inter")) {
        fmt::print("SKIP ml-100k: {}/ml-100k.inter is not there; fetch the data first.\n", folder);
        return false;
    }
    setenv("CAROUSEL_LAB_THREADS", "1", 1);
    const auto imported = must(importRecBole(folder, {}, {}));
    SplitSpec spec;
    const auto split = must(makeSplit(*imported.dataset, spec, {}));
    const auto model = must(presetEventModel(spec.targetModel));
    const auto training = must(TrainingView::make(imported.dataset, split, model, true));
    const SmallData data{"ml-100k", imported.dataset, training, true};
    const auto features = plainFeatures(registry, data);
    Bench bench;
    const auto& encoder = *must(registry.find(StageKind::encoder, "one_hot_embedding"));
    const auto vectors =
        must(must(encoder.manifest.createEncoder(defaultsOf(encoder), bench.environment()))->encode(features, training, {}));

    for (const auto& entry : registry.all()) {
        if (entry.manifest.kind != StageKind::scorer || entry.manifest.usesLanguageModel)
            continue;
        // text_recency knows the user but hardly the item: a control that must not look like a recommender.
        const bool learns = entry.manifest.id != "random" && entry.manifest.id != "text_recency";
        report.check(label(entry), learns ? "finds the held-out item of ML-100K far above chance" : "stays at chance on ML-100K", [&]() -> std::string {
            std::vector<Parameters> variants{defaultsOf(entry)};
            for (const auto& p : entry.manifest.parameters)
                if (p.id == "events" || p.id == "loss")
                    for (const auto& choice : p.choices)
                        if (ParameterValue(choice) != p.defaultValue)
                            variants.push_back(parametersOf(entry, {{p.id, choice}}));
            double worst = 1;
            for (const auto& parameters : variants) {
                const auto scorer = must(entry.manifest.createScorer(parameters, bench.environment()));
                const auto start = std::chrono::steady_clock::now();
                must(scorer->fit({training, features, vectors}, {}));
                const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
                const auto quality = qualityOf(*scorer, training, split, 100000);
                std::string what;
                for (const char* id : {"events", "loss"})
                    if (parameters.has(id))
                        what += " " + parameters.text(id);
                fmt::print("     {}{}: fit {:.3f} s, HR@10 {:.4f}, nDCG@10 {:.4f}\n", entry.manifest.id, what, seconds, quality.hit,
                           quality.gain);
                worst = std::min(worst, quality.hit);
            }
            // Ten of at most so many items; a user has seen some, so that chance is a little higher.
            const double chance = 10.0 / static_cast<double>(training.itemCount());
            if (learns ? worst < 5 * chance : worst > 3 * chance)
                return fmt::format("HR@10 is {:.4f}, chance {:.4f}", worst, chance);
            return "";
        });
    }
    return true;
}

} // namespace carousel::conformance
