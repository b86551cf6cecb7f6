// SPDX-License-Identifier: GPL-3.0-or-later
// Known answers of what uses positions: the controller that orders for the highest value, and weights of clicks in scorers that learn.
#include "base/random.h"
#include "checks.h"
#include "evaluation/carousel/value.h"
#include "fake_tools.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel::conformance {

namespace {

// Every user's sequence as liked events of one kind; clicks of a log come in with their weights.
TrainingView viewOf(std::size_t items, const std::vector<std::vector<Code>>& sequences, const LogTraining& log = {},
                    const std::vector<double>& prices = {}) {
    auto data = std::make_shared<Dataset>();
    data->name = "weighted";
    data->interactions.kinds = {"like"};
    for (std::size_t i = 0; i < items; ++i)
        data->items.ids.add(fmt::format("i{}", i));
    if (!prices.empty()) {
        AttributeColumn column("price", FieldType::number);
        for (const auto price : prices)
            column.appendNumbers({&price, 1});
        data->items.attributes.push_back(std::move(column));
    }
    for (std::size_t u = 0; u < sequences.size(); ++u) {
        data->users.ids.add(fmt::format("u{}", u));
        for (std::size_t t = 0; t < sequences[u].size(); ++t) {
            data->interactions.user.push_back(static_cast<Code>(u));
            data->interactions.item.push_back(sequences[u][t]);
            data->interactions.kind.push_back(0);
            data->interactions.value.push_back(1);
            data->interactions.time.push_back(static_cast<std::int64_t>(10 * t));
        }
    }
    Split split;
    split.part.assign(data->interactions.size(), Part::train);
    EventModel model{.id = "weighted", .title = "weighted", .rules = {{.kind = "*", .preference = 1, .confidence = 1}}};
    return must(TrainingView::make(data, split, model, false, &log));
}

std::vector<float> scoresOf(const PluginRegistry& registry, const std::string& id, const TrainingView& training, Code user,
                            std::initializer_list<std::pair<std::string, ParameterValue>> set, const EmbeddingTable& embeddings = {}) {
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::scorer, id));
    const auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), bench.environment()));
    const FeatureTable features;
    must(scorer->fit({training, features, embeddings}, {}));
    std::vector<Code> items(training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    std::vector<float> out(items.size());
    std::vector<ScoreStatus> status(items.size());
    must(scorer->score({user, items, training, {}}, out, status, {}));
    return out;
}

EmbeddingTable freeStart(const PluginRegistry& registry, const TrainingView& training) {
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::encoder, "one_hot_embedding"));
    const auto encoder = must(entry.manifest.createEncoder(parametersOf(entry, {{"dimension", std::int64_t(6)}}), bench.environment()));
    return must(encoder->encode({}, training, {}));
}

std::vector<std::vector<Code>> randomSequences(std::size_t users, std::size_t items) {
    RandomStream random(11, "weighted sequences");
    std::vector<std::vector<Code>> out(users);
    for (auto& sequence : out)
        for (std::size_t i = 0; i < 8; ++i)
            sequence.push_back(static_cast<Code>(random.below(items)));
    return out;
}

// A logged click of weight 1 is an event like any other: moving the newest three events of everybody into the log changes no bit.
std::string plainClicksAreEvents(const PluginRegistry& registry, const std::string& id) {
    auto sequences = randomSequences(40, 15);
    const auto whole = viewOf(15, sequences);
    const auto vectors = freeStart(registry, whole);
    LogTraining log;
    for (std::size_t user = 0; user < sequences.size(); ++user) {
        auto& sequence = sequences[user];
        for (std::size_t t = sequence.size() - 3; t < sequence.size(); ++t)
            log.clicks.push_back({static_cast<Code>(user), sequence[t], static_cast<std::int64_t>(10 * t), 1.0f});
        sequence.resize(sequence.size() - 3);
    }
    return scoresOf(registry, id, viewOf(15, sequences, log), 3, {}, vectors) == scoresOf(registry, id, whole, 3, {}, vectors)
               ? ""
               : "clicks of weight 1 are not scored like interactions, bit by bit";
}

// Clicks on 8 and 9 follow item 0 and item 3 equally often; those on 8 count nine times as much behind 0, those on 9 behind 3. To a user
// who comes from 0, 8 must be nearer. `alike`: what everybody does alike counts, so the clicks on 8 are the heavy ones throughout.
std::string heavyClicksWin(const PluginRegistry& registry, const std::string& id, bool alike) {
    std::vector<std::vector<Code>> sequences;
    LogTraining log;
    for (Code user = 0; user < 40; ++user) {
        const bool fromZero = user % 4 < 2, eight = user % 2 == 0;
        sequences.push_back({1, 2, fromZero ? 0 : 3});
        log.clicks.push_back({user, eight ? 8 : 9, 25, (alike ? eight : fromZero == eight) ? 1.8f : 0.2f});
    }
    sequences.push_back({1, 2, 0});
    auto difference = [&](const TrainingView& view) {
        const auto scores = scoresOf(registry, id, view, 40, {}, freeStart(registry, view));
        return scores[8] - scores[9];
    };
    const auto weighted = difference(viewOf(10, sequences, log));
    for (auto& click : log.clicks)
        click.weight = 1;
    const auto even = difference(viewOf(10, sequences, log));
    return weighted > 0 && weighted > even ? "" : fmt::format("8 leads 9 by {} with weights and by {} without", weighted, even);
}

struct Fixed final : Scorer { // score of item i: its place in a list
    std::vector<float> values;
    Result<void> fit(const FitInput&, const RunControl&) override { return {}; }
    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus>, const RunControl&) const override {
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = values[static_cast<std::size_t>(request.candidates[i])];
        return {};
    }
};

struct Ordered {
    std::vector<Code> items;
    std::vector<float> rankScore;
    nlohmann::json trace;
};
Ordered ordered(const PluginRegistry& registry, TrainingView training, std::vector<float> scores,
                std::initializer_list<std::pair<std::string, ParameterValue>> set) {
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::controller, "order_for_value"));
    const auto controller = must(entry.manifest.createController(parametersOf(entry, set), bench.environment()));
    const SmallData data{"value", nullptr, std::move(training), false};
    Kitchen kitchen;
    kitchen.data = &data;
    kitchen.own = "fixed";
    auto scorer = std::make_unique<Fixed>();
    scorer->values = std::move(scores);
    kitchen.scorers["fixed"] = std::move(scorer);
    FakeTools tools(kitchen, 0);
    const auto slate = must(controller->compose(tools, {}));
    Ordered out;
    for (const auto& item : slate.items)
        out.items.push_back(item.item);
    out.rankScore = slate.rankScore;
    out.trace = nlohmann::json::parse(tools.trace().entries().front().detail);
    return out;
}

// Seven items, prices drawn, rates from a log: against every order. Item 3 is flagged by the tools and must stay behind the pool.
std::string bestOfAllOrders(const PluginRegistry& registry) {
    RandomStream random(3, "prices");
    for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<double> prices;
        std::vector<float> scores;
        LogTraining log;
        for (int i = 0; i < 8; ++i) {
            prices.push_back(1 + 50 * random.uniform());
            scores.push_back(static_cast<float>(random.uniform()));
            log.evidence.impressions.push_back(static_cast<float>(100 * random.uniform()));
            log.evidence.clicks.push_back(static_cast<float>(0.2 * random.uniform()) * log.evidence.impressions.back());
        }
        LogTraining padded = log; // item 8 is seen; it has rates of its own all the same
        padded.evidence.impressions.push_back(0);
        padded.evidence.clicks.push_back(0);
        prices.push_back(1);
        scores.push_back(0);
        const auto view = viewOf(9, {{8}}, padded, prices);
        const auto got = ordered(registry, view, scores, {{"window", std::int64_t(3)}, {"swipe", 0.4}, {"prior", 10.0}, {"lift", 5.0}});

        // The definition once more: ranks of the seven unflagged, lift 5^(1/2 - rank/6) with mean 1, shrunken rates.
        std::vector<Code> pool{0, 1, 2, 4, 5, 6, 7};
        std::sort(pool.begin(), pool.end(),
                  [&](Code a, Code b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
        double clicks = 0, looks = 0, lifts = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            clicks += double(log.evidence.clicks[i]);
            looks += double(log.evidence.impressions[i]);
        }
        for (int rank = 0; rank < 7; ++rank)
            lifts += std::pow(5, 0.5 - rank / 6.0);
        const auto model = CarouselModel::geometric(3, 0.4, 0.85);
        auto value = [&](const std::vector<Code>& order) {
            double reach = 1, sum = 0;
            for (std::size_t slot = 0; slot < order.size(); ++slot) {
                const auto item = static_cast<std::size_t>(order[slot]);
                const auto rank = static_cast<double>(std::find(pool.begin(), pool.end(), order[slot]) - pool.begin());
                const double rate =
                    (double(log.evidence.clicks[item]) + 10 * clicks / looks) / (double(log.evidence.impressions[item]) + 10);
                const double click = reach * model.examination[slot % 3] * rate * std::pow(5, 0.5 - rank / 6) * 7 / lifts;
                sum += click * prices[item];
                reach = (reach - click) * (slot % 3 == 2 ? 0.4 : 1);
            }
            return sum;
        };
        const double before = value(pool);
        auto order = pool;
        std::sort(order.begin(), order.end());
        double best = 0;
        do
            best = std::max(best, value(order));
        while (std::next_permutation(order.begin(), order.end()));
        const double chosen = value({got.items.begin(), got.items.begin() + 7});
        if (std::abs(chosen - best) > 1e-9 * best)
            return fmt::format("its order is worth {}, the best of all {}", chosen, best);
        if (std::abs(got.trace["valueByScore"].get<double>() - before) > 1e-6 * before ||
            std::abs(got.trace["valueOrdered"].get<double>() - best) > 1e-6 * best)
            return "the trace tells other values: " + got.trace.dump();
        if (got.items[7] != 3)
            return "a flagged item stands in the pool";
    }
    return "";
}

// Alike in every figure: nothing to gain, and what the scorer leaves tied stays tied.
std::string keepsTies(const PluginRegistry& registry) {
    const auto view = viewOf(9, {{8}});
    const auto got = ordered(registry, view, {5, 5, 5, 0, 5, 1, 1, 1, 0}, {});
    if (got.items != std::vector<Code>{0, 1, 2, 4, 5, 6, 7, 3})
        return "the order changed without a gain";
    for (std::size_t i : {1u, 2u, 3u, 5u, 6u})
        if (got.rankScore[i] != got.rankScore[i - 1])
            return fmt::format("the tie at {} is broken", i + 1);
    return got.rankScore[4] < got.rankScore[3] && got.trace["movedCount"] == 0 ? "" : "the groups are not told apart";
}

std::string refusesUnknownValues(const PluginRegistry& registry) {
    try {
        (void)ordered(registry, viewOf(4, {{3}}), {3, 2, 1, 0}, {{"value", std::string("margin")}});
    } catch (const std::exception& error) {
        return std::string(error.what()).find("CL-6029") != std::string::npos ? "" : error.what();
    }
    return "an attribute that the items do not have is not refused";
}

} // namespace

void checkPositionAnswers(const PluginRegistry& registry, Report& report) {
    for (const std::string id : {"sequence_rules", "item_neighbours", "embedding_similarity"}) {
        report.check("scorer/" + id, "clicks of weight 1 are events like any other", [&] { return plainClicksAreEvents(registry, id); });
        report.check("scorer/" + id, "clicks count by their weight", [&] { return heavyClicksWin(registry, id, false); });
    }
    report.check("scorer/popularity", "clicks count by their weight", [&] { return heavyClicksWin(registry, "popularity", true); });
    report.check("scorer/item_neighbours", "weighted likeness by hand", [&]() -> std::string {
        // User 0: item 0 (weight 1), clicks 1 (weight 3). User 1: item 0, clicks 1 (weight 1). Mean of all four 1.5.
        LogTraining log;
        log.clicks = {{0, 1, 50, 3.0f}, {1, 1, 50, 1.0f}};
        const auto view = viewOf(2, {{0}, {0}}, log);
        const auto got = scoresOf(registry, "item_neighbours", view, 0, {{"shrinkage", 2.0}, {"decay", 1.0}});
        const double together = (std::sqrt(3) + 1) / 1.5, wanted = together / (std::sqrt(2 / 1.5 * (4 / 1.5)) + 2);
        return std::abs(got[0] - wanted) < 1e-6 && std::abs(got[1] - wanted) < 1e-6
                   ? ""
                   : fmt::format("{} and {} instead of {}", got[0], got[1], wanted);
    });
    report.check("controller/order_for_value", "the best of all orders of seven", [&] { return bestOfAllOrders(registry); });
    report.check("controller/order_for_value", "keeps the order and its ties where nothing is gained", [&] { return keepsTies(registry); });
    report.check("controller/order_for_value", "refuses a value that items do not have", [&] { return refusesUnknownValues(registry); });
}

} // namespace carousel::conformance
