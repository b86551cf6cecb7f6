// SPDX-License-Identifier: GPL-3.0-or-later
// A registry of tiny plugins, so that the experiment is tested without the real ones: each does one thing that can be worked out by hand.
#pragma once
#include "experiment/run_experiment.h"

namespace carousel::test {

struct NoText : FeatureBuilder {
    Result<FeatureTable> build(const TrainingView&, const RunControl&) override { return FeatureTable{}; }
};
struct NoVectors : Encoder {
    Result<EmbeddingTable> encode(const FeatureTable&, const TrainingView&, const RunControl&) override { return EmbeddingTable{}; }
};
// score(item) = table[item]; items beyond the table get 0
struct TableScorer : Scorer {
    std::vector<float> table;
    std::optional<RetrieverChoice> choice;
    Result<void> fit(const FitInput&, const RunControl&) override { return {}; }
    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus>, const RunControl&) const override {
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const auto item = static_cast<std::size_t>(request.candidates[i]);
            scores[i] = item < table.size() ? table[item] : 0;
        }
        return {};
    }
    std::optional<RetrieverChoice> retriever() const override { return choice; }
};
struct Cascade : Controller {
    bool broken = false;
    Result<Slate> compose(ComposeTools& tools, const RunControl&) const override {
        CAROUSEL_ASSIGN(auto candidates, tools.candidates());
        std::vector<Code> codes;
        for (const auto& c : candidates)
            codes.push_back(c.item);
        CAROUSEL_ASSIGN(auto scored, tools.score(codes));
        std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
        Slate slate;
        for (const auto& s : scored) {
            slate.items.push_back(s);
            slate.rankScore.push_back(s.score);
        }
        CAROUSEL_ASSIGN(const auto rest, tools.remainder(codes));
        const float floor = slate.rankScore.empty() ? 0 : slate.rankScore.back();
        for (std::size_t i = 0; i < rest.size(); ++i) {
            slate.items.push_back(rest[i]);
            slate.rankScore.push_back(floor - 1 - static_cast<float>(i));
        }
        if (broken && slate.items.size() > 1)
            slate.items[1] = slate.items[0];
        return slate;
    }
};

inline PluginRegistry smallPlugins(std::vector<float> table) {
    PluginRegistry registry;
    auto add = [&](PluginManifest manifest) {
        manifest.name = manifest.id;
        manifest.summary = "For tests.";
        manifest.source = "ours";
        const auto added = registry.add(std::move(manifest), "(test)");
        if (!added)
            throw std::runtime_error(describe(added.error()));
    };
    add({.kind = StageKind::feature, .id = "text_template", .createFeature = [](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<FeatureBuilder>> { return std::make_unique<NoText>(); }});
    add({.kind = StageKind::encoder, .id = "one_hot_embedding", .createEncoder = [](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Encoder>> { return std::make_unique<NoVectors>(); }});
    auto scorer = [&](const std::string& id, bool llm, const std::string& twin, std::vector<ParameterSpec> parameters, std::vector<float> values, std::optional<RetrieverChoice> choice) {
        add({.kind = StageKind::scorer, .id = id, .usesLanguageModel = llm, .twin = twin, .parameters = std::move(parameters),
             .createScorer = [values, choice](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
                 auto made = std::make_unique<TableScorer>();
                 made->table = values;
                 made->choice = choice;
                 return made;
             }});
    };
    const std::vector<ParameterSpec> parameters{{.id = "count", .label = "Count", .kind = ParameterKind::integer, .defaultValue = std::int64_t(5), .help = "For tests.", .minimum = 1, .maximum = 9}};
    scorer("table", false, "table_llm", parameters, table, std::nullopt);
    scorer("table_llm", true, "table", parameters, table, std::nullopt);
    std::vector<float> reversed(table.rbegin(), table.rend());
    scorer("reversed_top3", false, "", {}, reversed, RetrieverChoice{"table", 3});
    for (const bool broken : {false, true})
        add({.kind = StageKind::controller, .id = broken ? "broken" : "fixed_cascade", .createController = [broken](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Controller>> {
                 auto made = std::make_unique<Cascade>();
                 made->broken = broken;
                 return made;
             }});
    return registry;
}

// Users u0..; items i0..i(items-1); each user's history as given, times 1, 2, 3 ..., rating 5.
inline std::shared_ptr<Dataset> smallData(int items, const std::vector<std::vector<int>>& histories) {
    auto data = std::make_shared<Dataset>();
    data->name = "small";
    for (int i = 0; i < items; ++i)
        data->items.ids.add("i" + std::to_string(i));
    data->interactions.kinds = {"rating"};
    for (std::size_t u = 0; u < histories.size(); ++u) {
        const Code user = data->users.ids.add("u" + std::to_string(u));
        for (std::size_t t = 0; t < histories[u].size(); ++t) {
            data->interactions.user.push_back(user);
            data->interactions.item.push_back(histories[u][t]);
            data->interactions.kind.push_back(0);
            data->interactions.value.push_back(t % 2 ? 4.0f : 5.0f);
            data->interactions.time.push_back(static_cast<std::int64_t>(t + 1));
        }
    }
    // One dislike by a user of its own, so that the rating scale runs from 1 to 5.
    data->interactions.user.push_back(data->users.ids.add("scale"));
    data->interactions.item.push_back(0);
    data->interactions.kind.push_back(0);
    data->interactions.value.push_back(1.0f);
    data->interactions.time.push_back(1);
    data->digest = datasetDigest(*data);
    return data;
}

} // namespace carousel::test
