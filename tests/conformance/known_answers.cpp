// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers worked out by hand or by a slow second way, for the scorers and re-ranking that have an exact definition.
#include "base/random.h"
#include "checks.h"
#include "support/prompt_template.h"
#include "support/slates.h"
#include <cmath>
#include <numeric>

namespace carousel::conformance {

namespace {

std::vector<float> scored(const PluginRegistry& registry, const std::string& id, const SmallData& data, Code user,
                          std::initializer_list<std::pair<std::string, ParameterValue>> set, const EmbeddingTable& embeddings = {}) {
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::scorer, id));
    const auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), bench.environment()));
    const FeatureTable features;
    must(scorer->fit({data.training, features, embeddings}, {}));
    std::vector<Code> items(data.training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    std::vector<float> out(items.size());
    std::vector<ScoreStatus> status(items.size());
    must(scorer->score({user, items, data.training, {}}, out, status, {}));
    return out;
}

std::string near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance = 1e-6) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (!(std::abs(got[i] - wanted[i]) <= tolerance))
            return fmt::format("item {}: {} instead of {}", i, got[i], wanted[i]);
    return got.size() == wanted.size() ? "" : "another number of scores";
}

// The definition of the sequence rules, written as plainly as it can be.
std::vector<double> rulesSlowly(const std::vector<std::vector<Code>>& sequences, std::size_t items, std::size_t user) {
    std::vector<std::vector<double>> t(items, std::vector<double>(items, 0.0));
    std::vector<double> count(items, 0.0);
    for (const auto& whole : sequences) {
        const std::vector<Code> s(whole.size() > 50 ? whole.end() - 50 : whole.begin(), whole.end());
        for (std::size_t a = 0; a < s.size(); ++a) {
            count[static_cast<std::size_t>(s[a])] += 1;
            for (std::size_t b = a + 1; b < s.size() && b <= a + 10; ++b)
                t[static_cast<std::size_t>(s[a])][static_cast<std::size_t>(s[b])] += 1.0 / static_cast<double>(b - a);
        }
    }
    std::vector<double> out(items, 0.0);
    const auto& history = sequences[user];
    for (std::size_t k = 0; k < 20 && k < history.size(); ++k) {
        const auto i = static_cast<std::size_t>(history[history.size() - 1 - k]);
        for (std::size_t j = 0; j < items; ++j)
            if (t[i][j] > 0)
                out[j] += std::pow(0.8, static_cast<double>(k)) * t[i][j] / std::sqrt(count[i] * count[j]);
    }
    return out;
}

// Two groups of users with two groups of items; each user has met most of their group's items.
SmallData twoGroups() {
    std::vector<std::vector<Code>> sequences;
    RandomStream random(5, "two groups");
    for (std::size_t u = 0; u < 60; ++u) {
        std::vector<Code> all(10);
        std::iota(all.begin(), all.end(), static_cast<Code>(u % 2 ? 10 : 0));
        for (std::size_t i = all.size(); i > 1; --i)
            std::swap(all[i - 1], all[random.below(i)]);
        all.resize(7);
        sequences.push_back(all);
    }
    return sequencesData(20, sequences);
}

std::string learns(const PluginRegistry& registry, const std::string& loss) {
    const auto data = twoGroups();
    Bench bench;
    const auto& encoder = *must(registry.find(StageKind::encoder, "one_hot_embedding"));
    const auto vectors =
        must(must(encoder.manifest.createEncoder(parametersOf(encoder, {{"dimension", std::int64_t(8)}}), bench.environment()))
                 ->encode({}, data.training, {}));
    double before = 0, after = 0, pairs = 0;
    for (Code user = 0; user < 60; ++user) {
        auto won = [&](std::int64_t epochs) {
            const auto score = scored(registry, "embedding_similarity", data, user, {{"loss", loss}, {"epochs", epochs}}, vectors);
            const auto seen = data.training.seenItems(user);
            double sum = 0;
            for (Code own = 0; own < 20; ++own)
                for (Code other = 0; other < 20; ++other)
                    if (own / 10 == user % 2 && other / 10 != user % 2 && !std::binary_search(seen.begin(), seen.end(), own))
                        sum += score[static_cast<std::size_t>(own)] > score[static_cast<std::size_t>(other)];
            return sum;
        };
        if (user % 10 > 1)
            continue;
        before += won(0);
        after += won(10);
        pairs += 3 * 10;
    }
    if (before / pairs > 0.8)
        return fmt::format("before learning {:.2f} of the pairs are right already", before / pairs);
    return after / pairs > 0.95 ? "" : fmt::format("after learning only {:.2f} of the pairs are right", after / pairs);
}

} // namespace

void checkKnownAnswers(const PluginRegistry& registry, Report& report) {
    report.check("scorer/sequence_rules", "three items by hand", [&] {
        // T[0][1] = 1, T[0][2] = 1/2 + 1, T[1][2] = 1; counts 2, 1, 2. User 0 met 0, 1, 2: weights .64, .8, 1.
        const auto data = sequencesData(3, {{0, 1, 2}, {0, 2}});
        return near(scored(registry, "sequence_rules", data, 0, {}), {0, 0.64 / std::sqrt(2), 0.8 / std::sqrt(2) + 0.64 * 1.5 / 2});
    });
    report.check("scorer/sequence_rules", "equals the definition on long sequences with repeats", [&]() -> std::string {
        std::vector<std::vector<Code>> sequences;
        RandomStream random(11, "rules");
        for (std::size_t u = 0; u < 20; ++u) {
            sequences.emplace_back();
            for (std::size_t k = 0; k < 5 + 6 * u; ++k)
                sequences.back().push_back(static_cast<Code>(random.below(25)));
        }
        const auto data = sequencesData(25, sequences);
        for (std::size_t u = 0; u < sequences.size(); ++u)
            if (auto wrong = near(scored(registry, "sequence_rules", data, static_cast<Code>(u), {{"events", std::string("all")}}),
                                  rulesSlowly(sequences, 25, u), 1e-5);
                !wrong.empty())
                return fmt::format("user {}: {}", u, wrong);
        return "";
    });
    report.check("scorer/item_neighbours", "three items by hand", [&] {
        // Both met 0 and 1: two users of sqrt(3 * 2). User 2 met 0, then 2.
        const auto data = sequencesData(3, {{0, 1}, {0, 1}, {0, 2}});
        return near(scored(registry, "item_neighbours", data, 2, {{"shrinkage", 0.0}, {"decay", 0.9}}),
                    {1 / std::sqrt(3), 0.9 * 2 / std::sqrt(6), 0.9 / std::sqrt(3)});
    });
    report.check("scorer/popularity", "an event one half life old counts half", [&]() -> std::string {
        const auto data = sequencesData(3, {{0, 1}});
        const auto plain = scored(registry, "popularity", data, 0, {}),
                   aged = scored(registry, "popularity", data, 0, {{"halfLifeDays", 1.0 / 86400}});
        if (!(plain[0] > 0) || plain[0] != plain[1] || plain[2] != 0)
            return "without a half life both must count alike, the third not at all";
        return near(aged, {plain[0] / 2.0, plain[1] * 1.0, 0.0});
    });
    report.check("scorer/random", "another seed gives another order, the mean is one half", [&]() -> std::string {
        const auto data = sequencesData(2000, {{0}});
        const auto& entry = *must(registry.find(StageKind::scorer, "random"));
        std::vector<Code> items(2000);
        std::iota(items.begin(), items.end(), 0);
        std::vector<float> a(items.size()), b(items.size());
        std::vector<ScoreStatus> status(items.size());
        Bench bench;
        must(must(entry.manifest.createScorer(defaultsOf(entry), bench.environment(1)))
                 ->score({0, items, data.training, {}}, a, status, {}));
        must(must(entry.manifest.createScorer(defaultsOf(entry), bench.environment(2)))
                 ->score({0, items, data.training, {}}, b, status, {}));
        const double mean = std::accumulate(a.begin(), a.end(), 0.0) / static_cast<double>(a.size());
        // Standard error 0.29 / sqrt(2000) = 0.0065: four of them.
        return a != b && std::abs(mean - 0.5) < 0.026 ? "" : fmt::format("mean {}", mean);
    });
    report.check("scorer/embedding_similarity", "profile of given vectors by hand", [&] {
        EmbeddingTable vectors;
        vectors.items = Matrix(3, 2);
        vectors.items.values = {2, 0, 0, 3, 1, 1}; // cosine: (1,0), (0,1), (.707,.707)
        const auto data = sequencesData(3, {{0, 1}});
        // Newest 1 with weight 1, then 0 with weight 1/2; together (1/3, 2/3).
        return near(scored(registry, "embedding_similarity", data, 0, {{"decay", 0.5}}, vectors), {1.0 / 3, 2.0 / 3, std::sqrt(0.5)});
    });
    report.check("scorer/embedding_similarity", "learns two groups, sampled softmax", [&] { return learns(registry, "sampled softmax"); });
    report.check("scorer/embedding_similarity", "learns two groups, bpr", [&] { return learns(registry, "bpr"); });
    report.check("controller/diversify", "marginal relevance by hand", [&]() -> std::string {
        FeatureTable features;
        EmbeddingTable vectors;
        vectors.items = Matrix(3, 2);
        vectors.items.values = {1, 0, 1, 0, 0, 1};
        const auto likeness = plugin::Likeness::choose("auto", features, vectors);
        const std::vector<ScoredItem> pool{{0, 1.0f}, {1, 0.9f}, {2, 0.5f}};
        // Relevance 1, .8, 0. After item 0: item 1 has .5*.8 - .5*1 = -.1, item 2 has 0.
        const auto order = plugin::marginalRelevance(pool, plugin::relevanceOf(pool), likeness, 0.5, 3);
        const auto plain = plugin::marginalRelevance(pool, plugin::relevanceOf(pool), likeness, 1.0, 3);
        return order == std::vector<std::size_t>{0, 2, 1} && plain == std::vector<std::size_t>{0, 1, 2}
                   ? ""
                   : fmt::format("{}", fmt::join(order, " "));
    });
    report.check("templates", "values are not read as template text, empty parts are left out", [&]() -> std::string {
        const auto pattern =
            must(plugin::PromptTemplate::parse("test", "t", "{{title}}{{#tags}} ({{tags}}){{/tags}}{{#list}} [{{x}}]{{/list}}"));
        const auto one = pattern.render({{{"title", "A & {{tags}} <b>"}, {"tags", ""}}, {}});
        const auto two = pattern.render({{{"title", "A"}, {"tags", "b"}}, {{"list", {{{"x", "1"}}, {{"x", "2"}}}}}});
        return one == "A & {{tags}} <b>" && two == "A (b) [1] [2]" ? "" : one + " | " + two;
    });
}

} // namespace carousel::conformance
