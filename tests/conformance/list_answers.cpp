// SPDX-License-Identifier: GPL-3.0-or-later
// Known answers of scorers that show several candidates at once: models that know the true order, that look at the place alone, or that
// write nonsense.
#include "base/random.h"
#include "base/text.h"
#include "checks.h"
#include "evaluation/statistics/rank_agreement.h"
#include "support/permutations.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

namespace carousel::conformance {

namespace {

using Answer = std::function<std::vector<float>(const std::string&, const std::vector<std::string>&)>;
using Set = std::initializer_list<std::pair<std::string, ParameterValue>>;

double worth(Code item) { // the true order: a different worth for each of the first 101 items, unlike the order of codes
    return static_cast<double>((37 * item + 11) % 101) / 10;
}

// Items of the lines "A: i7" by slot.
std::vector<Code> shownItems(const std::string& prompt) {
    std::vector<Code> out;
    for (const auto line : split(prompt, '\n'))
        if (line.size() > 4 && line[0] == static_cast<char>('A' + static_cast<int>(out.size())) && line.substr(1, 3) == ": i")
            out.push_back(static_cast<Code>(std::strtol(std::string(line.substr(4)).c_str(), nullptr, 10)));
    return out;
}

// Logits: `true_` times the worth of what stands there, less `pull` for every slot further down.
Answer model(double true_, double pull) {
    return [=](const std::string& prompt, const std::vector<std::string>& answers) {
        const auto items = shownItems(prompt);
        std::vector<float> out;
        for (std::size_t s = 0; s < answers.size(); ++s)
            out.push_back(static_cast<float>(3 + true_ * (s < items.size() ? worth(items[s]) : -99) - pull * static_cast<double>(s)));
        return out;
    };
}

std::string writesTrueOrder(const std::string& prompt) {
    const auto items = shownItems(prompt);
    std::vector<std::size_t> slots(items.size());
    std::iota(slots.begin(), slots.end(), std::size_t(0));
    std::sort(slots.begin(), slots.end(), [&](std::size_t a, std::size_t b) { return worth(items[a]) > worth(items[b]); });
    std::string out;
    for (const auto slot : slots)
        out += (out.empty() ? "" : " > ") + std::string(1, static_cast<char>('A' + slot));
    return out;
}

struct Asked {
    std::vector<float> scores; // by code
    std::vector<ScoreStatus> status;
    nlohmann::json explained; // of item 0
    std::int64_t calls = 0;   // of the model, for the scores
};

Asked ask(const PluginRegistry& registry, const std::string& id, std::size_t items, Set set, const Answer& answer,
          const std::function<std::string(const std::string&)>& write = {}, std::uint64_t shuffle = 0) {
    const auto data = sequencesData(items, {{0, 1}, {1}});
    Bench bench;
    bench.model.answer = answer;
    bench.model.write = write;
    const auto& entry = *must(registry.find(StageKind::scorer, id));
    const auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), bench.environment()));
    const FeatureTable features;
    const EmbeddingTable none;
    must(scorer->fit({data.training, features, none}, {}));
    std::vector<Code> order(items);
    std::iota(order.begin(), order.end(), 0);
    RandomStream random(shuffle, "handed");
    for (std::size_t i = items; shuffle > 0 && i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    std::vector<float> scores(items);
    std::vector<ScoreStatus> status(items);
    must(scorer->score({1, order, data.training, {}}, scores, status, {}));
    Asked out{std::vector<float>(items), std::vector<ScoreStatus>(items), {}, bench.model.calls()};
    for (std::size_t i = 0; i < items; ++i)
        out.scores[static_cast<std::size_t>(order[i])] = scores[i], out.status[static_cast<std::size_t>(order[i])] = status[i];
    out.explained = nlohmann::json::parse(scorer->explain({1, order, data.training, {}}, 0));
    return out;
}

// Kendall's tau between the scores and the true order.
double agreement(const std::vector<float>& scores) {
    std::vector<double> a(scores.begin(), scores.end()), b;
    for (std::size_t i = 0; i < scores.size(); ++i)
        b.push_back(worth(static_cast<Code>(i)));
    return rankAgreement(a, b).kendall;
}

// Empty when the best `top` items stand in front of all others, in their order.
std::string bestInOrder(const std::vector<float>& scores, std::size_t top) {
    std::vector<std::size_t> items(scores.size());
    std::iota(items.begin(), items.end(), std::size_t(0));
    std::sort(items.begin(), items.end(),
              [](std::size_t a, std::size_t b) { return worth(static_cast<Code>(a)) > worth(static_cast<Code>(b)); });
    for (std::size_t place = 0; place + 1 < items.size() && place < top; ++place)
        for (std::size_t behind = place + 1; behind < items.size(); ++behind)
            if (!(scores[items[place]] > scores[items[behind]]))
                return fmt::format("place {}: item {} has {}, item {} behind it {}", place, items[place], scores[items[place]],
                                   items[behind], scores[items[behind]]);
    return "";
}

bool allEqual(const std::vector<float>& scores, float tolerance = 0) {
    const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
    return *most - *least <= tolerance;
}

std::string checkRounds() {
    const auto codes = [](std::initializer_list<Code> list) { return std::vector<Code>(list); };
    for (const std::size_t n : {std::size_t(1), std::size_t(2), std::size_t(3), std::size_t(4), std::size_t(20)}) {
        std::vector<Code> items(n);
        std::iota(items.begin(), items.end(), 5);
        const auto rounds = must(plugin::distinctRounds(1, "test", 3, items, 24));
        const std::size_t wanted = n == 1 ? 1 : n == 2 ? 2 : n == 3 ? 6 : 24;
        const std::set<std::vector<std::size_t>> different(rounds.orders.begin(), rounds.orders.end());
        if (rounds.orders.size() != wanted || different.size() != wanted || rounds.fewer != (wanted < 24))
            return fmt::format("{} candidates: {} orders, {} different", n, rounds.orders.size(), different.size());
        for (auto order : rounds.orders) {
            std::sort(order.begin(), order.end());
            for (std::size_t i = 0; i < n; ++i)
                if (order[i] != i)
                    return fmt::format("{} candidates: an order is no permutation", n);
        }
        const auto less = must(plugin::distinctRounds(1, "test", 3, items, 2));
        if (!std::equal(less.orders.begin(), less.orders.end(), rounds.orders.begin()))
            return "fewer rounds are not the first of more rounds";
        if (n == 20 && (must(plugin::distinctRounds(2, "test", 3, items, 24)).orders == rounds.orders ||
                        must(plugin::distinctRounds(1, "test", 4, items, 24)).orders == rounds.orders))
            return "another seed or user gives the same orders";
    }
    const auto handed = codes({9, 2, 5});
    return plugin::byCode(handed) == std::vector<std::size_t>{1, 2, 0} ? "" : "byCode is wrong";
}

std::string checkSlots() {
    // Two showings, three slots. Means 4, 1, 1, overall 2; between (2 * 4 + 2 + 2) / 2 = 6, within (0 + 0 + 2) / 3: F = 9.
    const auto bias = plugin::slotBias({{4, 1, 0}, {4, 1, 2}});
    if (bias.mean != std::vector<double>{4, 1, 1} || bias.overall != 2 || std::abs(bias.share - 8.0 / 9) > 1e-12)
        return fmt::format("means {}, share {}", fmt::join(bias.mean, " "), bias.share);
    if (std::abs(bias.of(0) - 16.0 / 9) > 1e-12 || bias.of(7) != 0)
        return "the correction is wrong";
    if (plugin::slotBias({{3, 1}}).share != 0)
        return "one showing must not tell slots from candidates";
    const double gap = std::nan("");
    const auto holes = plugin::slotBias({{gap, 1}, {2, gap}, {2, 1}});
    if (holes.count != std::vector<std::size_t>{2, 2} || holes.mean != std::vector<double>{2, 1} || holes.share != 1)
        return "what could not be read is not left out";
    // The first two agree by 1/3, the first with the third by -1, and the last two, of which all four are known, by (4 - 2) / 6.
    const double tau = plugin::meanKendall({{1, 2, 3, gap}, {1, 3, 2, 5}, {3, 2, 1, 5}});
    return std::abs(tau + 1.0 / 9) < 1e-12 && std::isnan(plugin::meanKendall({{1, 2}})) ? "" : fmt::format("tau {}", tau);
}

// A tournament without order: who beats whom is drawn, so that every swap matters. The passes one after the other, as the method is written
// down, must lead to the same first places.
std::string slidesAsWritten(const PluginRegistry& registry) {
    const auto beats = [](Code a, Code b) { // whoever stands first
        const auto low = static_cast<std::uint64_t>(std::min(a, b)), high = static_cast<std::uint64_t>(std::max(a, b));
        return (RandomStream(5, "tournament", 100 * low + high).below(2) == 0) == (a < b);
    };
    for (const std::size_t n : {std::size_t(2), std::size_t(3), std::size_t(6), std::size_t(20)})
        for (const std::size_t places : {std::size_t(1), std::size_t(5), n}) {
            const auto got = ask(registry, "llm_pairwise", n, {{"places", static_cast<std::int64_t>(places)}},
                                 [&](const std::string& prompt, const auto&) {
                                     const auto items = shownItems(prompt);
                                     const bool first = beats(items[0], items[1]);
                                     return std::vector<float>{first ? 1.0f : 0.0f, first ? 0.0f : 1.0f};
                                 });
            std::vector<Code> items(n);
            std::iota(items.begin(), items.end(), 0);
            auto order = must(plugin::distinctRounds(1, "llm_pairwise", 1, items, 1)).orders.front();
            std::set<std::pair<std::size_t, std::size_t>> asked;
            const auto wins = [&](std::size_t a, std::size_t b) {
                asked.insert({std::min(a, b), std::max(a, b)});
                return beats(static_cast<Code>(a), static_cast<Code>(b));
            };
            for (std::size_t place = 0; place < places && place + 1 < n; ++place)
                for (std::size_t at = n - 1; at > place; --at)
                    if (wins(order[at], order[at - 1]))
                        std::swap(order[at], order[at - 1]);
            for (std::size_t at = 1; at < n && at <= places; ++at)
                wins(order[at - 1], order[at]);
            for (std::size_t place = 0; place + 1 < n && place < places; ++place)
                if (wins(order[place], order[place + 1]) && !(got.scores[order[place]] > got.scores[order[place + 1]]))
                    return fmt::format("{} candidates, {} places: place {} differs", n, places, place);
            if (got.explained["pairs"].get<std::size_t>() != asked.size())
                return fmt::format("{} pairs were asked instead of {}", got.explained["pairs"].dump(), asked.size());
            const auto most = static_cast<std::int64_t>(n + 2 * std::min(places, n - 1) + 1);
            if (got.calls > most)
                return fmt::format("{} candidates, {} places: {} calls, {} are enough", n, places, got.calls, most);
        }
    return "";
}

} // namespace

void checkListAnswers(const PluginRegistry& registry, Report& report) {
    const std::string listwise = "llm_listwise", pairwise = "llm_pairwise";
    report.check("permutations", "rounds differ pairwise, depend on the set, and are fewer where no more exist", checkRounds);
    report.check("permutations", "slot means, their share and agreement by hand", checkSlots);

    report.check("scorer/llm_listwise", "a model that knows the order is believed", [&]() -> std::string {
        for (const bool debias : {false, true})
            for (const std::int64_t rounds : {1, 2, 6}) {
                const auto got = ask(registry, listwise, 20, {{"rounds", rounds}, {"debias", debias}}, model(1, 0));
                const double tau = agreement(got.scores);
                if (tau < (debias && rounds > 1 ? 0.85 : 0.9999))
                    return fmt::format("{} rounds, debias {}: tau {}", rounds, debias, tau);
            }
        const auto plain = ask(registry, listwise, 20, {{"debias", false}}, model(1, 0));
        if (plain.calls != 1 || plain.explained["windows"] != 2 ||
            std::abs(plain.explained["kendallBetweenRounds"].get<double>() - 1) > 1e-9)
            return "two rounds of one window are not one call: " + plain.explained.dump();
        return "";
    });
    report.check("scorer/llm_listwise", "windows bring the best of many to the front, in both modes", [&]() -> std::string {
        for (const std::string mode : {"letters", "written"}) {
            const auto got = ask(registry, listwise, 50, {{"mode", mode}, {"debias", false}}, model(1, 0), writesTrueOrder);
            if (auto wrong = bestInOrder(got.scores, 10); !wrong.empty())
                return mode + ": " + wrong;
            if (got.explained["windows"] != 8) // 30, 20, 10, 0 in two rounds
                return mode + ": " + got.explained.dump();
        }
        const auto odd = ask(registry, listwise, 23, {{"window", std::int64_t(5)}, {"debias", false}}, model(1, 0));
        return bestInOrder(odd.scores, 3);
    });
    report.check("scorer/llm_listwise", "a model that looks at the slot alone tells nothing, and its curve is shown", [&]() -> std::string {
        const auto got = ask(registry, listwise, 20, {{"rounds", std::int64_t(20)}}, model(0, 0.5));
        if (!allEqual(got.scores, 1e-5f))
            return "the scores differ";
        const auto curve = got.explained["slotMean"];
        for (std::size_t s = 0; s < 20; ++s)
            if (std::abs(curve[s].get<double>() - 0.5 * (9.5 - static_cast<double>(s))) > 1e-5)
                return curve.dump();
        return std::abs(got.explained["slotShare"].get<double>() - 1) < 1e-6 ? "" : "the share of the slot is not 1";
    });
    report.check("scorer/llm_listwise", "taking off the slot's pull brings the order nearer", [&]() -> std::string {
        const auto with = ask(registry, listwise, 20, {{"rounds", std::int64_t(6)}}, model(1, 2)),
                   without = ask(registry, listwise, 20, {{"rounds", std::int64_t(6)}, {"debias", false}}, model(1, 2));
        const double a = agreement(with.scores), b = agreement(without.scores);
        return a > 0.75 && a > b + 0.2 ? "" : fmt::format("tau {} with, {} without", a, b);
    });
    report.check("scorer/llm_listwise", "a written order is read strictly, what cannot be read is invalid", [&]() -> std::string {
        const Set set = {{"mode", std::string("written")}, {"rounds", std::int64_t(1)}};
        std::vector<Code> shown;
        const auto got = ask(registry, listwise, 5, set, {}, [&](const std::string& prompt) -> std::string {
            shown = shownItems(prompt);
            return " C > A > A > F > b > D.";
        });
        std::vector<float> wanted(5, 0.875f); // the mean of the two that were read: 1 and 3/4
        std::vector<ScoreStatus> status(5, ScoreStatus::invalid);
        for (const std::size_t slot : {0, 2}) {
            wanted[static_cast<std::size_t>(shown[slot])] = slot == 2 ? 1.0f : 0.75f;
            status[static_cast<std::size_t>(shown[slot])] = ScoreStatus::ok;
        }
        const auto& e = got.explained;
        return got.scores == wanted && got.status == status && e["lettersRepeated"] == 1 && e["lettersUnknown"] == 3 &&
                       e["lettersMissing"] == 3 && e["candidatesInvalid"] == 3
                   ? ""
                   : fmt::format("{}: {}", fmt::join(got.scores, " "), e.dump());
    });
    report.check("scorer/llm_listwise", "an answer that is no order leaves every candidate invalid", [&]() -> std::string {
        const auto got = ask(registry, listwise, 30, {{"mode", std::string("written")}}, {}, [](const std::string&) { return "Sure!"; });
        return allEqual(got.scores) && std::all_of(got.status.begin(), got.status.end(), [](auto s) { return s == ScoreStatus::invalid; })
                   ? ""
                   : "the order shown has come through";
    });
    report.check("scorer/llm_pairwise", "a model that knows the order is believed by every method", [&]() -> std::string {
        for (const std::string method : {"sliding", "heap", "all"}) {
            const auto whole = ask(registry, pairwise, 17, {{"method", method}, {"places", std::int64_t(17)}}, model(1, 0));
            if (auto wrong = bestInOrder(whole.scores, 17); !wrong.empty())
                return method + ", whole order: " + wrong;
            const auto first = ask(registry, pairwise, 30, {{"method", method}}, model(1, 0));
            if (auto wrong = bestInOrder(first.scores, 5); !wrong.empty())
                return method + ", first five: " + wrong;
            const auto pairs = first.explained["pairs"].get<int>();
            if (pairs > (method == "all" ? 435 : method == "heap" ? 110 : 140) || (method == "all" && first.calls != 7))
                return fmt::format("{}: {} pairs in {} calls", method, pairs, first.calls);
            if (first.explained["kendallBetweenOrders"] != 1.0)
                return method + ": the two orders do not agree: " + first.explained.dump();
        }
        return "";
    });
    report.check("scorer/llm_pairwise", "a model that always says A gives ties, and that is shown", [&]() -> std::string {
        for (const std::string method : {"sliding", "heap", "all"})
            for (const double truth : {0.0, 0.1}) { // a weak opinion that the place outweighs
                const auto got = ask(registry, pairwise, 12, {{"method", method}}, model(truth, 50));
                const auto& e = got.explained;
                if (!allEqual(got.scores) || e["won"] != 0 || e["lost"] != 0 || e["firstChosen"] != 1.0 ||
                    e["kendallBetweenOrders"] != -1.0)
                    return fmt::format("{}: {} {}", method, fmt::join(got.scores, " "), e.dump());
            }
        return "";
    });
    report.check("scorer/llm_pairwise", "points of three by hand", [&]() -> std::string {
        // 0 beats 1, 1 beats 2, and 2 against 0 goes to whoever stands first.
        const auto got = ask(registry, pairwise, 3, {{"method", std::string("all")}}, [](const std::string& prompt, const auto&) {
            const auto items = shownItems(prompt);
            const bool first = items[0] + items[1] == 2 || items[0] < items[1];
            return std::vector<float>{first ? 1.0f : 0.0f, first ? 0.0f : 1.0f};
        });
        const auto& e = got.explained;
        return got.scores == std::vector<float>{1.5f, 1.0f, 0.5f} && e["won"] == 1 && e["tied"] == 1 && e["pairsAgreed"] == 2
                   ? ""
                   : fmt::format("{}: {}", fmt::join(got.scores, " "), e.dump());
    });
    report.check("scorer/llm_pairwise", "passes that follow each other give what one after the other gives, in fewer calls",
                 [&] { return slidesAsWritten(registry); });
    report.check("scorer/llm_pairwise", "all pairs of too many candidates are refused", [&]() -> std::string {
        const auto& entry = *must(registry.find(StageKind::scorer, pairwise));
        Bench bench;
        const auto made = entry.manifest.createScorer(parametersOf(entry, {{"method", std::string("all")}, {"count", std::int64_t(201)}}),
                                                      bench.environment());
        return !made && made.error().code == "CL-6051" && made.error().message.find("40200") != std::string::npos ? "" : "not refused";
    });
    report.check("scorers with lists", "the order in which candidates are handed over changes nothing", [&]() -> std::string {
        for (const std::size_t n : {std::size_t(20), std::size_t(45)})
            for (const std::string mode : {"letters", "written", "sliding", "heap", "all"}) {
                const bool list = mode == "letters" || mode == "written";
                const Set set = {{list ? "mode" : "method", mode}};
                const auto& id = list ? listwise : pairwise;
                const auto a = ask(registry, id, n, set, model(1, 3), writesTrueOrder),
                           b = ask(registry, id, n, set, model(1, 3), writesTrueOrder, 7);
                if (a.scores != b.scores || a.status != b.status)
                    return fmt::format("{} with {} candidates", mode, n);
            }
        return "";
    });
}

} // namespace carousel::conformance
