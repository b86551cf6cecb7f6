// SPDX-License-Identifier: GPL-3.0-or-later
// The plugins with a language model on the real models, when they have been fetched.
#include "checks.h"
#include "fake_tools.h"
#include "llm/model_host.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel::conformance {

namespace {
using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}
} // namespace

bool checkRealModel(const PluginRegistry& registry, Report& report) {
    ModelHost host;
    for (const char* id : {"smollm2-135m-instruct", "all-minilm-l6-v2"})
        if (const auto model = host.languageModel(id); !model) {
            fmt::print("SKIP real-model: {}\n", describe(model.error()));
            return false;
        }
    CostMeter cost;
    StageEnvironment environment;
    environment.languageModel = [&](const std::string& id) { return host.languageModel(id); };
    environment.cost = &cost;
    const auto all = smallData();
    const auto& shop = all[0];
    const auto& odd = all[6];
    const auto features = plainFeatures(registry, shop);
    std::vector<Code> items(shop.training.itemCount());
    std::iota(items.begin(), items.end(), 0);

    for (const std::string id : {"llm_yes_no", "llm_rating", "llm_likelihood", "cf_injection"})
        report.check("scorer/" + id, "real model: finite, mostly valid, the same for any order of candidates", [&]() -> std::string {
            const auto& entry = *must(registry.find(StageKind::scorer, id));
            const auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), environment));
            const EmbeddingTable none;
            must(scorer->fit({shop.training, features, none}, {}));
            std::vector<float> scores(items.size()), other(items.size());
            std::vector<ScoreStatus> status(items.size());
            const auto start = Clock::now();
            must(scorer->score({0, items, shop.training, {}}, scores, status, {}));
            const double seconds = since(start);
            std::vector<Code> reversed(items.rbegin(), items.rend());
            must(scorer->score({0, reversed, shop.training, {}}, other, status, {}));
            std::reverse(other.begin(), other.end());
            double largest = 0;
            for (std::size_t i = 0; i < items.size(); ++i)
                largest = std::max(largest, std::abs(double(scores[i]) - other[i]));
            const auto valid = std::count_if(status.begin(), status.end(), [](ScoreStatus s) { return s == ScoreStatus::ok; });
            const auto explained = nlohmann::json::parse(scorer->explain({0, items, shop.training, {}}, items[0]));
            fmt::print("     {} candidates in {:.2f} s, {} valid, scores {:.3f} .. {:.3f}, share of the answers {:.3f}\n--\n{}\n--\n",
                       items.size(), seconds, valid, *std::min_element(scores.begin(), scores.end()),
                       *std::max_element(scores.begin(), scores.end()), explained.value("answerMass", 1.0),
                       explained["prompt"].get<std::string>());
            if (*std::min_element(scores.begin(), scores.end()) == *std::max_element(scores.begin(), scores.end()))
                return "all scores are equal";
            if (valid * 2 < static_cast<std::ptrdiff_t>(items.size()))
                return "most answers are invalid";
            return largest < 1e-4 ? "" : fmt::format("the order changed a score by {}", largest);
        });
    for (const std::string id : {"llm_listwise", "llm_pairwise"})
        report.check("scorer/" + id, "real model: finite, the same for any order of candidates, and its slots told", [&]() -> std::string {
            const auto& entry = *must(registry.find(StageKind::scorer, id));
            const auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), environment));
            const EmbeddingTable none;
            must(scorer->fit({shop.training, features, none}, {}));
            const std::vector<Code> few(items.begin(), items.begin() + std::min<std::ptrdiff_t>(20, std::ssize(items)));
            std::vector<float> scores(few.size()), other(few.size());
            std::vector<ScoreStatus> status(few.size());
            const auto start = Clock::now();
            must(scorer->score({0, few, shop.training, {}}, scores, status, {}));
            const double seconds = since(start);
            const std::vector<Code> reversed(few.rbegin(), few.rend());
            must(scorer->score({0, reversed, shop.training, {}}, other, status, {}));
            std::reverse(other.begin(), other.end());
            const auto valid = std::count_if(status.begin(), status.end(), [](ScoreStatus s) { return s == ScoreStatus::ok; });
            auto explained = nlohmann::json::parse(scorer->explain({0, few, shop.training, {}}, few[0]));
            fmt::print("     {} candidates in {:.2f} s, {} valid\n--\n{}\n--\n", few.size(), seconds, valid,
                       explained["prompt"].get<std::string>());
            explained.erase("prompt");
            fmt::print("     {}\n", explained.dump());
            if (!std::all_of(scores.begin(), scores.end(), [](float x) { return std::isfinite(x); }))
                return "a score is not finite";
            return scores == other ? "" : "the order changed a score";
        });
    report.check("feature/llm_tags", "real model: tags from the set with confidences", [&]() -> std::string {
        const auto& entry = *must(registry.find(StageKind::feature, "llm_tags"));
        const auto& strange = odd;
        for (const auto* data : {&shop, &strange}) {
            const auto table = must(must(entry.manifest.createFeature(parametersOf(entry, {{"items", std::int64_t(10)}}), environment))
                                        ->build(data->training, {}));
            for (const auto& note : table.notes)
                fmt::print("     {}: {}\n", data->name, note);
            if (std::count(table.itemStatus.begin(), table.itemStatus.end(), ScoreStatus::ok) != 10)
                return "not ten items were asked";
        }
        return "";
    });
    report.check("controller/llm_planner", "real model: a valid plan or a counted fallback for every user", [&]() -> std::string {
        const auto& entry = *must(registry.find(StageKind::controller, "llm_planner"));
        const auto controller = must(entry.manifest.createController(defaultsOf(entry), environment));
        Kitchen kitchen;
        kitchen.data = &shop;
        kitchen.features = features;
        kitchen.embeddings = textVectors(shop, features);
        for (const char* id : {"popularity", "sequence_rules", "item_neighbours"}) {
            const auto& scorer = *must(registry.find(StageKind::scorer, id));
            kitchen.scorers[id] = must(scorer.manifest.createScorer(defaultsOf(scorer), environment));
            must(kitchen.scorers[id]->fit({shop.training, kitchen.features, kitchen.embeddings}, {}));
        }
        int fallbacks = 0;
        const auto start = Clock::now();
        for (Code user = 0; user < 6; ++user) {
            FakeTools tools(kitchen, user);
            const auto slate = must(controller->compose(tools, {}));
            fallbacks += slate.fallback;
            fmt::print("     user {}: {} {}\n", user, nlohmann::json::parse(tools.trace().entries().front().detail)["plan"].dump(),
                       slate.note);
            if (slate.items.size() != tools.unseen().size())
                return "the slate is not complete";
        }
        fmt::print("     {} of 6 by the rule, {:.2f} s each\n", fallbacks, since(start) / 6);
        return "";
    });
    for (const std::string id : {"sentence_encoder", "llm_hidden_state"})
        report.check("encoder/" + id, "real model: alike sentences lie closer", [&]() -> std::string {
            const auto& entry = *must(registry.find(StageKind::encoder, id));
            FeatureTable texts;
            texts.itemText = {"A comedy film about a talking dog",     "A funny movie with a dog that speaks",
                              "Steel screwdriver set with eight bits", "Toolbox with hammer and pliers",
                              "A novel about a family in Prague",      "Garden hose, twenty metres"};
            auto parameters = defaultsOf(entry);
            if (id == "llm_hidden_state") // directions common to a catalogue cannot be told from six sentences
                parameters.set("commonDirections", std::int64_t(0));
            const auto encoder = must(entry.manifest.createEncoder(parameters, environment));
            const auto table = must(encoder->encode(texts, shop.training, {}));
            auto dot = [&](std::size_t i, std::size_t j) {
                double sum = 0;
                for (std::size_t k = 0; k < table.items.columns; ++k)
                    sum += double(table.items.row(i)[k]) * table.items.row(j)[k];
                return sum;
            };
            fmt::print("     {}; alike {:.3f}, unlike {:.3f}\n", table.description, dot(0, 1), dot(0, 2));
            return dot(0, 1) > dot(0, 2) && dot(0, 1) > dot(0, 3) ? "" : "sentences that say the same are not nearest";
        });
    const auto total = cost.total();
    fmt::print("     cost: {} calls, {} prompt tokens, {} reused, {:.1f} s in the models\n", total.modelCalls, total.promptTokens,
               total.sharedTokens, total.modelSeconds);
    return true;
}

} // namespace carousel::conformance
