// SPDX-License-Identifier: GPL-3.0-or-later
// Scorers that learn by asking themselves about a part of the histories: a head on hidden states, and a hybrid of other scorers.
#include "base/random.h"
#include "checks.h"
#include "support/blend_check.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel::conformance {

namespace {

struct Scored {
    std::unique_ptr<Scorer> scorer;
    std::vector<float> scores;
    std::vector<ScoreStatus> status;
};

Scored scoredBy(const PluginRegistry& registry, const std::string& id, const SmallData& data, Code user,
                const StageEnvironment& environment, std::initializer_list<std::pair<std::string, ParameterValue>> set,
                std::span<const float> retrieved = {}) {
    Scored out;
    const auto& entry = *must(registry.find(StageKind::scorer, id));
    out.scorer = must(entry.manifest.createScorer(parametersOf(entry, set), environment));
    const FeatureTable features;
    const EmbeddingTable embeddings;
    must(out.scorer->fit({data.training, features, embeddings}, {}));
    std::vector<Code> items(data.training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    out.scores.resize(items.size());
    out.status.resize(items.size());
    must(out.scorer->score({user, items, data.training, retrieved}, out.scores, out.status, {}));
    return out;
}

std::vector<std::size_t> orderOf(const std::vector<float>& scores) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    return order;
}

// The fake model, with hidden states that tell in one of their places whether the item's number is even.
class EvenModel final : public LanguageModel {
public:
    const ModelInfo& info() const override { return m_fake.info(); }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override {
        return m_fake.embed(texts, pooling, control);
    }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override {
        return m_fake.scoreBranches(request, control);
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override {
        return m_fake.scoreContinuations(request, control);
    }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                               const RunControl& control) override {
        return m_fake.generate(messages, options, control);
    }
    std::int64_t countTokens(const std::string& text) const override { return m_fake.countTokens(text); }
    Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) override {
        CAROUSEL_ASSIGN(auto out, m_fake.hiddenStates(request, control));
        for (std::size_t i = 0; i < request.branches.size(); ++i) {
            const auto number = std::stoi(request.branches[i].substr(request.branches[i].find('i') + 1)); // " i7"
            out.rows.row(i)[5] = number % 2 == 0 ? 1.0f : -1.0f;
            shownInOwnPrompt += request.shared.front().content.find("-" + request.branches[i] + "\n") != std::string::npos;
        }
        return out;
    }
    int shownInOwnPrompt = 0;

private:
    FakeModel m_fake;
};

// Everybody likes even items, each in an order of their own; odd ones were never met.
SmallData evenLovers() {
    std::vector<std::vector<Code>> sequences;
    RandomStream random(3, "even lovers");
    for (std::size_t u = 0; u < 40; ++u) {
        std::vector<Code> all(10);
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = static_cast<Code>(2 * i);
        for (std::size_t i = all.size(); i > 1; --i)
            std::swap(all[i - 1], all[random.below(i)]);
        all.resize(6);
        sequences.push_back(all);
    }
    return sequencesData(20, sequences);
}

std::string headSeparates(const PluginRegistry& registry, const std::string& head, bool withRetriever) {
    const auto data = evenLovers();
    EvenModel model;
    Bench bench;
    auto environment = bench.environment();
    environment.languageModel = [&](const std::string&) -> Result<LanguageModel*> { return &model; };
    std::vector<float> retrieved(20);
    for (std::size_t i = 0; i < retrieved.size(); ++i)
        retrieved[i] = static_cast<float>((i * 7) % 20);
    // The user without a history: what is shown to the model is the item alone.
    const auto got = scoredBy(registry, "llm_projection", data, noCode, environment,
                              {{"head", head}, {"l2", 1.0}, {"withRetriever", withRetriever}}, retrieved);
    if (model.shownInOwnPrompt != 0)
        return fmt::format("{} training questions show the item that they ask about", model.shownInOwnPrompt);
    float worstEven = 1e9f, bestOdd = -1e9f;
    for (std::size_t i = 0; i < 20; ++i)
        if (got.status[i] != ScoreStatus::invalid)
            (i % 2 ? bestOdd : worstEven) = i % 2 ? std::max(bestOdd, got.scores[i]) : std::min(worstEven, got.scores[i]);
    if (!(worstEven > bestOdd))
        return fmt::format("the worst liked item has {}, the best other {}", worstEven, bestOdd);
    if (got.scorer->notes().empty() || got.scorer->notes().front().find("stand in for dislikes") == std::string::npos)
        return "no note says what stood in for dislikes";
    std::vector<Code> items(20);
    std::iota(items.begin(), items.end(), 0);
    for (Code item = 0; item < 20; ++item) {
        if (got.status[static_cast<std::size_t>(item)] == ScoreStatus::invalid)
            continue;
        const auto told = nlohmann::json::parse(got.scorer->explain({noCode, items, data.training, retrieved}, item));
        if (std::abs(told["sum"].get<double>() - got.scores[static_cast<std::size_t>(item)]) > 1e-5 ||
            told.contains("contributionOfRetriever") != withRetriever)
            return "the explanation does not add up: " + told.dump();
    }
    return "";
}

std::string checkedByHand() {
    // Ten questions of one wanted item and three others. Column 0 puts the wanted one first; column 1 says the same of all.
    Matrix rows(0, 2);
    std::vector<std::uint8_t> wanted;
    std::vector<std::size_t> first{0};
    for (int q = 0; q < 10; ++q) {
        for (int i = 0; i < 4; ++i) {
            rows.values.insert(rows.values.end(), {i == 0 ? 1.0f : -0.1f * static_cast<float>(i), 0.5f});
            ++rows.rows;
            wanted.push_back(i == 0);
        }
        first.push_back(rows.rows);
    }
    const auto near = [](double a, double b) { return std::abs(a - b) < 1e-6; };
    const double chance = (1 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4) / 4;
    auto made = must(plugin::checkBlend(rows, first, wanted, 1, 1));
    if (made.questions != 10 || made.folds != 5 || !near(made.chance, chance) || !near(made.blend, 1))
        return "the blend";
    if (!near(made.parts[0].alone, 1) || !near(made.parts[0].adds, 1 - chance) || !near(made.parts[0].addsInterval.low, 1 - chance))
        return fmt::format("the one that decides: {} {}", made.parts[0].alone, made.parts[0].adds);
    if (!near(made.parts[1].alone, chance) || !near(made.parts[1].adds, 0) || !near(made.parts[1].addsInterval.high, 0))
        return fmt::format("the one that says nothing: {} {}", made.parts[1].alone, made.parts[1].adds);
    for (std::size_t row = 0; row < rows.rows; ++row)
        rows.row(row)[1] = rows.row(row)[0];
    made = must(plugin::checkBlend(rows, first, wanted, 1, 1));
    if (!near(made.parts[0].adds, 0) || !near(made.parts[1].adds, 0) || !near(made.parts[1].alone, 1))
        return "a copy";
    return must(plugin::checkBlend(rows, std::span(first).first(2), wanted, 1, 1)).folds == 0 ? "" : "one question was judged";
}

} // namespace

void checkLearnedAnswers(const PluginRegistry& registry, Report& report) {
    for (const std::string head : {"like", "rating"})
        for (const bool withRetriever : {false, true})
            report.check("scorer/llm_projection",
                         fmt::format("head {} separates two classes{}", head, withRetriever ? ", with the retriever" : ""),
                         [&] { return headSeparates(registry, head, withRetriever); });
    report.check("scorer/llm_projection", "with nothing to learn from it keeps the retriever's order and says so", [&]() -> std::string {
        const auto data = sequencesData(3, {{0}, {1}});
        Bench bench;
        const std::vector<float> retrieved{1, 3, 2};
        const auto got = scoredBy(registry, "llm_projection", data, 0, bench.environment(), {}, retrieved);
        if (got.scorer->notes().empty() || got.scorer->notes().back().find("learned nothing") == std::string::npos)
            return "no note";
        return orderOf(got.scores) == std::vector<std::size_t>{1, 2, 0} && got.status == std::vector(3, ScoreStatus::fallback)
                   ? ""
                   : "other scores";
    });

    // Each item is followed by the next, most users begin where they like; some items are met more often.
    std::vector<std::vector<Code>> chains;
    RandomStream random(9, "chains");
    for (std::size_t u = 0; u < 80; ++u) {
        chains.emplace_back();
        const auto start = std::min(random.below(30), random.below(30));
        for (std::size_t k = 0; k < 4 + u % 4; ++k)
            chains.back().push_back(static_cast<Code>((start + k) % 30));
    }
    const auto data = sequencesData(30, chains);
    for (const std::string scale : {"z-score", "rank"})
        report.check("scorer/hybrid", "with weights 1, 0, 0 it has its first part's order, " + scale, [&]() -> std::string {
            Bench bench;
            for (Code user = 0; user < 20; ++user) {
                const auto alone = scoredBy(registry, "sequence_rules", data, user, bench.environment(), {});
                const auto both =
                    scoredBy(registry, "hybrid", data, user, bench.environment(),
                             {{"weights", "given"}, {"firstWeight", 1.0}, {"secondWeight", 0.0}, {"thirdWeight", 0.0}, {"scale", scale}});
                if (orderOf(alone.scores) != orderOf(both.scores))
                    return fmt::format("user {} gets another order", user);
            }
            return "";
        });
    report.check("scorer/hybrid", "given weights by hand, and an explanation that adds up", [&]() -> std::string {
        // Popularity 2, 1, 0 has mean 1 and deviation sqrt(2/3); the weight is 2.
        const auto three = sequencesData(3, {{0, 1}, {0}});
        Bench bench;
        const auto got = scoredBy(registry, "hybrid", three, 0, bench.environment(),
                                  {{"weights", "given"}, {"parts", std::int64_t(1)}, {"first", "popularity"}, {"firstWeight", 2.0}});
        for (std::size_t i = 0; i < 3; ++i)
            if (std::abs(got.scores[i] - 2 * (1 - double(i)) / std::sqrt(2.0 / 3)) > 1e-5)
                return fmt::format("item {} has {}", i, got.scores[i]);
        const std::vector<Code> items{0, 1, 2};
        const auto told = nlohmann::json::parse(got.scorer->explain({0, items, three.training, {}}, 2));
        return std::abs(told["sum"].get<double>() - got.scores[2]) < 1e-5 && told["parts"][0]["score"] == 0 &&
                       told["parts"][0]["weight"] == 2
                   ? ""
                   : told.dump();
    });
    report.check("scorer/hybrid", "learns to follow the part that foretells hidden events and not the one that draws",
                 [&]() -> std::string {
                     Bench bench;
                     const auto got = scoredBy(registry, "hybrid", data, 0, bench.environment(),
                                               {{"parts", std::int64_t(2)}, {"first", "random"}, {"second", "sequence_rules"}});
                     const std::vector<Code> items{0, 1, 2};
                     const auto told = nlohmann::json::parse(got.scorer->explain({0, items, data.training, {}}, 2));
                     const double drawn = told["parts"][0]["weight"], rules = told["parts"][1]["weight"];
                     if (!(rules > 0.5) || !(std::abs(drawn) < rules / 3) || told["weights"] != "learned")
                         return told.dump();
                     const auto notes = got.scorer->notes();
                     if (notes.size() != 4 || notes[0].find("80 hidden events") == std::string::npos ||
                         notes[1].find("80 hidden events in 5 folds") == std::string::npos ||
                         notes[2].find("part random") == std::string::npos || notes[3].find("part sequence_rules") == std::string::npos)
                         return "no such notes";
                     // Rules place the next item of a chain far above 20 others; what is drawn reaches chance, (1 + 1/2 + ... + 1/n) / n,
                     // alone.
                     const auto &noise = told["parts"][0], &signal = told["parts"][1];
                     if (!(signal["addsMrr"] > 0.3) || !(signal["addsInterval"][0] > 0) || !(signal["aloneMrr"] > 0.5))
                         return "the informative part: " + signal.dump();
                     if (!(std::abs(noise["addsMrr"].get<double>()) < 0.05) || !(std::abs(noise["aloneMrr"].get<double>() - 0.174) < 0.08))
                         return "the noise: " + noise.dump();
                     return "";
                 });
    report.check("blend check", "two columns by hand: what decides adds all, a copy adds nothing, ties are expected", checkedByHand);
    report.check("scorer/hybrid", "where nothing can be hidden it uses the given weights and says so; parts it cannot have are refused",
                 [&]() -> std::string {
                     Bench bench;
                     const auto got = scoredBy(registry, "hybrid", sequencesData(3, {{0}, {1}}), 0, bench.environment(), {});
                     if (got.scorer->notes().empty() || got.scorer->notes()[0].find("could not learn") == std::string::npos)
                         return "no note";
                     const auto& entry = *must(registry.find(StageKind::scorer, "hybrid"));
                     const auto refusal = [&](const char* part) -> std::string {
                         auto made = entry.manifest.createScorer(parametersOf(entry, {{"third", part}}), bench.environment());
                         if (!made)
                             return made.error().code;
                         const auto fitted = (*made)->fit({data.training, {}, {}}, {});
                         return fitted ? "none" : fitted.error().code;
                     };
                     const auto same = refusal("sequence_rules"), itself = refusal("hybrid"), model = refusal("llm_yes_no");
                     return same == "CL-6071" && itself == "CL-6071" && model == "CL-6060" ? ""
                                                                                           : fmt::format("{} {} {}", same, itself, model);
                 });
}

} // namespace carousel::conformance
