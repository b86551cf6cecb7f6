// SPDX-License-Identifier: GPL-3.0-or-later
// Scorers: every score finite or flagged, the same for the same seed, for any order of the candidates, any ids and any number of threads.
#include "base/random.h"
#include "base/text.h"
#include "checks.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

namespace carousel::conformance {

namespace {

struct Scores {
    std::vector<float> value;
    std::vector<ScoreStatus> status;
    bool operator==(const Scores&) const = default;
};

std::vector<Code> catalogue(const SmallData& data) {
    std::vector<Code> out(data.training.itemCount());
    std::iota(out.begin(), out.end(), 0);
    return out;
}

Scores scoresOf(const Scorer& scorer, const SmallData& data, Code user, const std::vector<Code>& items) {
    // Started with what must be overwritten, so that a place left out is seen.
    Scores out{std::vector<float>(items.size(), NAN), std::vector<ScoreStatus>(items.size(), ScoreStatus::ok)};
    std::vector<float> retrieved;
    for (const auto item : items)
        retrieved.push_back(static_cast<float>(item % 5));
    must(scorer.score({user, items, data.training, retrieved}, out.value, out.status, {}));
    return out;
}

// A fitted scorer with all that it looks at; kept together because stages may refer to their environment.
struct Fitted {
    Bench bench;
    FeatureTable features;
    EmbeddingTable embeddings;
    std::unique_ptr<Scorer> scorer;
};

std::unique_ptr<Fitted> fitted(const PluginRegistry& registry, const PluginEntry& entry, const SmallData& data,
                               const Parameters& parameters, bool free) {
    auto out = std::make_unique<Fitted>();
    out->features = plainFeatures(registry, data);
    out->embeddings = free ? freeVectors(registry, data) : textVectors(data, out->features);
    out->scorer = must(entry.manifest.createScorer(parameters, out->bench.environment()));
    must(out->scorer->fit({data.training, out->features, out->embeddings}, {}));
    return out;
}

// Calls `body` for every data set, given or free vectors, and user; the first text it returns ends it.
std::string everywhere(const PluginRegistry& registry, const PluginEntry& entry, const std::vector<SmallData>& all,
                       const Parameters& parameters, const std::function<std::string(std::size_t d, bool free, Fitted&, Code user)>& body) {
    for (std::size_t d = 0; d < all.size(); ++d)
        for (const bool free : {false, true}) {
            const auto made = fitted(registry, entry, all[d], parameters, free);
            for (Code user = 0; user < static_cast<Code>(all[d].training.userCount()); ++user)
                if (auto wrong = body(d, free, *made, user); !wrong.empty())
                    return fmt::format("{}, user {}, {} vectors: {}", all[d].name, user, free ? "free" : "given", wrong);
        }
    return "";
}

std::vector<Parameters> variants(const PluginEntry& entry) {
    std::vector<Parameters> out{defaultsOf(entry)};
    // Every other choice and flag once, and a blend where there is one: code that only runs with such a value is looked at too.
    for (const auto& p : entry.manifest.parameters) {
        if (p.kind == ParameterKind::choice)
            for (const auto& choice : p.choices)
                if (ParameterValue(choice) != p.defaultValue)
                    out.push_back(parametersOf(entry, {{p.id, choice}}));
        if (p.id == "blend" || p.id == "neutralWeight")
            out.push_back(parametersOf(entry, {{p.id, 0.5}}));
        if (p.id == "halfLifeDays")
            out.push_back(parametersOf(entry, {{p.id, 0.05}}));
        if (p.id == "calibrationEvents")
            out.push_back(parametersOf(entry, {{p.id, std::int64_t(25)}}));
        if (p.id == "shots")
            out.push_back(parametersOf(entry, {{p.id, std::int64_t(3)}}));
    }
    return out;
}

std::string checkAll(const PluginRegistry& registry, const PluginEntry& entry, const std::vector<SmallData>& all,
                     const std::vector<SmallData>& renamed) {
    for (const auto& parameters : variants(entry)) {
        std::vector<std::unique_ptr<Fitted>> again, others;
        for (std::size_t d = 0; d < all.size(); ++d)
            for (const bool free : {false, true}) {
                again.push_back(fitted(registry, entry, all[d], parameters, free));
                others.push_back(fitted(registry, entry, renamed[d], parameters, free));
            }
        const auto wrong =
            everywhere(registry, entry, all, parameters, [&](std::size_t d, bool free, Fitted& made, Code user) -> std::string {
                const auto items = catalogue(all[d]);
                const auto scores = scoresOf(*made.scorer, all[d], user, items);
                for (std::size_t i = 0; i < items.size(); ++i)
                    if (!std::isfinite(scores.value[i]) && scores.status[i] == ScoreStatus::ok)
                        return fmt::format("the score of item {} is not finite and not flagged", i);
                if (scores != scoresOf(*made.scorer, all[d], user, items))
                    return "scored twice, it differs";
                if (scores != scoresOf(*again[2 * d + free]->scorer, all[d], user, items))
                    return "made twice with one seed, it differs";
                // Items without a title show their id, so renaming changes what a language model reads.
                const bool showsIds = !all[d].hasTitles || all[d].name == "unicode";
                if (!(showsIds && entry.manifest.usesLanguageModel) && (free || !showsIds) &&
                    scores != scoresOf(*others[2 * d + free]->scorer, renamed[d], user, items))
                    return "renaming ids changed a score";
                auto shuffled = items;
                RandomStream random(3, "shuffle", static_cast<std::uint64_t>(user));
                for (std::size_t i = shuffled.size(); i > 1; --i)
                    std::swap(shuffled[i - 1], shuffled[random.below(i)]);
                const auto other = scoresOf(*made.scorer, all[d], user, shuffled);
                for (std::size_t i = 0; i < shuffled.size(); ++i) {
                    const auto at = static_cast<std::size_t>(shuffled[i]);
                    if (other.value[i] != scores.value[at] || other.status[i] != scores.status[at])
                        return "the order of the candidates changed a score";
                }
                return "";
            });
        if (!wrong.empty())
            return wrong;
    }
    return "";
}

} // namespace

void checkScorers(const PluginRegistry& registry, Report& report) {
    const auto all = smallData(), renamed = smallData("other-");
    const auto larger = largerData();
    for (const auto& entry : registry.all()) {
        if (entry.manifest.kind != StageKind::scorer)
            continue;
        report.check(label(entry), "finite or flagged, repeatable, whatever the order and the ids, with every choice",
                     [&] { return checkAll(registry, entry, all, renamed); });
        report.check(label(entry), "many threads score as one", [&]() -> std::string {
            const auto& data = all[0];
            const auto made = fitted(registry, entry, data, defaultsOf(entry), true);
            const auto items = catalogue(data);
            const auto users = data.training.userCount();
            std::vector<Scores> one(users), many(users * 4);
            for (std::size_t u = 0; u < users; ++u)
                one[u] = scoresOf(*made->scorer, data, static_cast<Code>(u), items);
            std::vector<std::jthread> threads;
            for (std::size_t t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    for (std::size_t u = 0; u < users; ++u)
                        many[t * users + u] = scoresOf(*made->scorer, data, static_cast<Code>(u), items);
                });
            threads.clear();
            for (std::size_t i = 0; i < many.size(); ++i)
                if (many[i] != one[i % users])
                    return "a thread got another score";
            return "";
        });
        report.check(label(entry), "an unknown user and no candidates are no error", [&]() -> std::string {
            const auto made = fitted(registry, entry, all[0], defaultsOf(entry), false);
            scoresOf(*made->scorer, all[0], noCode, catalogue(all[0]));
            scoresOf(*made->scorer, all[0], 0, {});
            return "";
        });
        report.check(label(entry), "stops when asked", [&]() -> std::string {
            Bench bench;
            const auto features = plainFeatures(registry, larger);
            const auto embeddings = freeVectors(registry, larger);
            auto wrong = checkStops([&](const RunControl& control) {
                auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), bench.environment()));
                return scorer->fit({larger.training, features, embeddings}, control);
            });
            if (!wrong.empty())
                return "fit: " + wrong;
            const auto made = fitted(registry, entry, all[0], defaultsOf(entry), false);
            const auto items = catalogue(all[0]);
            std::vector<float> scores(items.size());
            std::vector<ScoreStatus> status(items.size());
            wrong = checkStops([&](const RunControl& control) {
                return made->scorer->score({0, items, all[0].training, {}}, scores, status, control);
            });
            return wrong.empty() ? "" : "score: " + wrong;
        });
        report.check(label(entry), "explains itself in JSON, or not at all", [&]() -> std::string {
            for (const auto& data : all) {
                const auto made = fitted(registry, entry, data, defaultsOf(entry), true);
                const auto items = catalogue(data);
                const auto text = made->scorer->explain({0, items, data.training, {}}, 0);
                if (!text.empty() && (!nlohmann::json::accept(text) || firstInvalidUtf8(text) != std::string::npos))
                    return data.name + ": " + text;
            }
            return "";
        });
        report.check(label(entry), "its retriever is a plain scorer without one of its own", [&]() -> std::string {
            Bench bench;
            const auto choice = must(entry.manifest.createScorer(defaultsOf(entry), bench.environment()))->retriever();
            if (!choice)
                return entry.manifest.usesLanguageModel && !entry.manifest.modelInFitAlone ? "a language model over the whole catalogue is too dear" : "";
            const auto& other = *must(registry.find(StageKind::scorer, choice->plugin));
            const auto scorer = must(other.manifest.createScorer(defaultsOf(other), bench.environment()));
            return choice->count > 0 && !other.manifest.usesLanguageModel && !scorer->retriever()
                       ? ""
                       : fmt::format("'{}' does not do", choice->plugin);
        });
        if (!entry.manifest.usesLanguageModel)
            continue;
        report.check(label(entry), "its cost is counted, doubtful answers are flagged, a missing model is an error", [&]() -> std::string {
            const auto made = fitted(registry, entry, all[0], defaultsOf(entry), false);
            std::size_t invalid = 0;
            for (Code user = 0; user < 8; ++user)
                for (const auto status : scoresOf(*made->scorer, all[0], user, catalogue(all[0])).status)
                    invalid += status == ScoreStatus::invalid;
            const auto cost = made->bench.cost.total();
            if (cost.modelCalls <= 0 || cost.promptTokens <= 0)
                return "no calls or tokens were counted";
            // Whoever says below which share an answer is doubtful must find the fake model's doubtful ones.
            const auto& own = entry.manifest.parameters;
            if (invalid == 0 && std::any_of(own.begin(), own.end(), [](const ParameterSpec& p) { return p.id == "leastMass"; }))
                return "answers other than those asked for were not flagged";
            Bench empty;
            empty.modelMissing = true;
            const auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), empty.environment()));
            const auto result = scorer->fit({all[0].training, made->features, made->embeddings}, {});
            return !result && result.error().code == "CL-2070" ? "" : "a missing model was not passed on";
        });
        report.check(label(entry), "is asked one request at a time", [&]() -> std::string {
            Bench bench;
            return must(entry.manifest.createScorer(defaultsOf(entry), bench.environment()))->oneAtATime() != entry.manifest.modelInFitAlone
                       ? ""
                       : "oneAtATime() is false, or true where only fit() asks the model";
        });
    }
}

} // namespace carousel::conformance
