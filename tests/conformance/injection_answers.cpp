// SPDX-License-Identifier: GPL-3.0-or-later
// Collaborative vectors: the factors themselves, their alignment with texts, and what reaches the model inside the prompt.
#include "base/random.h"
#include "checks.h"
#include "support/alignment.h"
#include "support/item_factors.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel::conformance {

namespace {

// Two kinds of people who like only their own half of the items.
SmallData halves(std::size_t items, int users) {
    std::vector<std::vector<Code>> sequences;
    RandomStream random(8, "halves");
    for (int u = 0; u < users; ++u) {
        std::vector<Code> one;
        while (one.size() < 6) {
            const auto item = static_cast<Code>(static_cast<std::size_t>(u % 2) * (items / 2) + random.below(items / 2));
            if (std::find(one.begin(), one.end(), item) == one.end())
                one.push_back(item);
        }
        sequences.push_back(one);
    }
    return sequencesData(items, sequences);
}

// The matrix that is factored, written down.
std::vector<std::vector<double>> normalised(const SmallData& data) {
    std::vector<std::vector<double>> out(data.training.userCount(), std::vector<double>(data.training.itemCount(), 0));
    std::vector<double> users(data.training.itemCount(), 0);
    for (std::size_t u = 0; u < out.size(); ++u)
        for (const auto item : plugin::metItems(data.training, static_cast<Code>(u))) // each once
            out[u][static_cast<std::size_t>(item)] = 1, users[static_cast<std::size_t>(item)] += 1;
    for (auto& row : out) {
        const double own = std::accumulate(row.begin(), row.end(), 0.0);
        for (std::size_t i = 0; i < row.size(); ++i)
            row[i] = row[i] > 0 ? 1 / std::sqrt(own * users[i]) : 0;
    }
    return out;
}

std::vector<double> squareTimes(const std::vector<std::vector<double>>& r, const std::vector<double>& x) {
    std::vector<double> out(x.size(), 0);
    for (const auto& row : r) {
        const double sum = std::inner_product(row.begin(), row.end(), x.begin(), 0.0);
        for (std::size_t i = 0; i < x.size(); ++i)
            out[i] += row[i] * sum;
    }
    return out;
}

std::string factorsRebuild() {
    const auto data = halves(12, 30);
    const auto factors = must(plugin::ItemFactors::build(data.training, plugin::EventChoice::liked, 12, 1, {}));
    const auto r = normalised(data);
    for (std::size_t u = 0; u < r.size(); ++u) {
        const auto taste = factors.userVector(data.training, static_cast<Code>(u));
        for (std::size_t i = 0; i < 12; ++i) {
            const auto own = factors.items.row(i);
            const double product = std::inner_product(taste.begin(), taste.end(), own.begin(), 0.0);
            if (std::abs(product - r[u][i]) > 1e-5)
                return fmt::format("user {}, item {}: {} for {}", u, i, product, r[u][i]);
        }
    }
    const auto& singular = factors.singular; // a third one only where the halves are not of rank one each
    if (singular.size() < 2 || std::abs(singular[0] - 1) > 1e-6 || std::abs(singular[1] - 1) > 1e-6 ||
        (singular.size() > 2 && !(singular[2] < 0.999)))
        return "two separate halves must have exactly two singular values of 1";
    const auto nobody = factors.userVector(data.training, noCode);
    return std::all_of(nobody.begin(), nobody.end(), [](float v) { return v == 0; }) ? "" : "an unknown user has a vector";
}

// More items than are solved at once: the vectors are singular ones, at right angles, and none larger is left.
std::string largeFactorsAreTheLeading() {
    std::vector<std::vector<Code>> sequences;
    RandomStream random(4, "large factors");
    for (int u = 0; u < 400; ++u) {
        sequences.emplace_back();
        for (int k = 0; k < 12; ++k)
            sequences.back().push_back(static_cast<Code>((static_cast<std::uint64_t>(u % 7) * 30 + random.below(60)) % 200));
    }
    const auto data = sequencesData(200, sequences);
    constexpr std::size_t width = 9;
    const auto factors = must(plugin::ItemFactors::build(data.training, plugin::EventChoice::liked, width, 1, {}));
    const auto r = normalised(data);
    std::vector<std::vector<double>> q(width, std::vector<double>(200));
    for (std::size_t k = 0; k < width; ++k)
        for (std::size_t i = 0; i < 200; ++i)
            q[k][i] = factors.items.row(i)[k] / std::sqrt(factors.singular[k]);
    for (std::size_t k = 0; k < width; ++k) {
        const auto turned = squareTimes(r, q[k]);
        for (std::size_t i = 0; i < 200; ++i)
            if (std::abs(turned[i] - factors.singular[k] * factors.singular[k] * q[k][i]) > 1e-5)
                return fmt::format("vector {} is no singular vector", k);
        for (std::size_t l = 0; l <= k; ++l)
            if (std::abs(std::inner_product(q[k].begin(), q[k].end(), q[l].begin(), 0.0) - (k == l ? 1 : 0)) > 1e-5)
                return fmt::format("vectors {} and {} are not at right angles", k, l);
    }
    std::vector<double> x(200);
    for (double& v : x)
        v = random.uniform() - 0.5;
    double value = 0;
    for (int step = 0; step < 300; ++step) { // the power method at right angles to all that were found
        for (const auto& known : q) {
            const double along = std::inner_product(x.begin(), x.end(), known.begin(), 0.0);
            for (std::size_t i = 0; i < 200; ++i)
                x[i] -= along * known[i];
        }
        const double length = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
        for (double& v : x)
            v /= length;
        const auto next = squareTimes(r, x);
        value = std::inner_product(x.begin(), x.end(), next.begin(), 0.0);
        x = next;
    }
    const double last = factors.singular.back() * factors.singular.back();
    return value <= last + 1e-6 ? "" : fmt::format("{} is left, the last found is {}", value, last);
}

std::string alignmentFindsALine() {
    RandomStream random(2, "alignment");
    Matrix from(60, 3), to(60, 5), noise(60, 5);
    for (float& v : from.values)
        v = static_cast<float>(random.normal());
    const auto wanted = [](std::span<const float> x, std::size_t c) {
        return std::sin(1.0 + static_cast<double>(c)) * x[0] - 0.3 * static_cast<double>(c) * x[1] + x[2] + 0.5 * static_cast<double>(c);
    };
    for (std::size_t i = 0; i < 60; ++i)
        for (std::size_t c = 0; c < 5; ++c) {
            to.row(i)[c] = static_cast<float>(wanted(from.row(i), c));
            noise.row(i)[c] = static_cast<float>(random.normal());
        }
    const auto line = must(plugin::Alignment::fit(from, to, 1e-6, 1));
    if (!(line.explained > 0.999) || line.heldOut != 12 || line.items != 60)
        return fmt::format("it explains {} on {} held out", line.explained, line.heldOut);
    const std::vector<float> x{0.4f, -1, 0.7f};
    const auto mapped = line.map(x);
    double product = 0, own = 0, length = 0;
    for (std::size_t c = 0; c < 5; ++c)
        product += mapped[c] * wanted(x, c), own += wanted(x, c) * wanted(x, c), length += double(mapped[c]) * mapped[c];
    if (!(product / std::sqrt(own * length) > 0.99999) || std::abs(std::sqrt(length) - line.length) > 1e-4)
        return "the direction or the length of a mapped vector is wrong";
    // Nothing to find: what is held out is not explained.
    if (!(must(plugin::Alignment::fit(from, noise, 1, 1)).explained < 0.2))
        return "noise is explained";
    const auto refused = plugin::Alignment::fit(from, Matrix(59, 5), 1, 1);
    return !refused && refused.error().code == "CL-6078" ? "" : "unequal rows are not refused";
}

struct Asked {
    std::vector<float> scores;
    std::string notes;
    std::size_t inPrompt = 0, inBranches = 0;
};

// A model that answers by the product of the user's and the item's vector.
Asked injected(const PluginRegistry& registry, const SmallData& data, Code user,
               std::initializer_list<std::pair<std::string, ParameterValue>> set) {
    Asked out;
    Bench bench;
    bench.model.answerTo = [&](const BranchRequest& request, std::size_t branch) {
        const auto marks = [](std::string_view text) {
            std::size_t count = 0;
            for (auto at = text.find(injectedMark); at != std::string_view::npos; at = text.find(injectedMark, at + 1))
                ++count;
            return count;
        };
        const auto own = branch < request.injectedOfBranch.size() ? request.injectedOfBranch[branch] : Matrix();
        if (marks(request.shared.back().content) != request.injected.rows || marks(request.branches[branch] + request.tail) != own.rows)
            throw std::runtime_error("places and vectors differ in number");
        out.inPrompt = request.injected.rows, out.inBranches = own.rows;
        double product = 0;
        if (!request.injected.empty() && !own.empty())
            product = std::inner_product(own.values.begin(), own.values.end(), request.injected.values.begin(), 0.0);
        return std::vector<float>{static_cast<float>(product), 0};
    };
    const auto& entry = *must(registry.find(StageKind::scorer, "cf_injection"));
    const auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), bench.environment()));
    must(scorer->fit({data.training, {}, {}}, {}));
    for (const auto& note : scorer->notes())
        out.notes += note;
    std::vector<Code> items(data.training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    out.scores.resize(items.size());
    std::vector<ScoreStatus> status(items.size());
    must(scorer->score({user, items, data.training, {}}, out.scores, status, {}));
    return out;
}

double shareAbove(const std::vector<float>& scores) { // of the pairs, those in which the one of the first half stands above
    const std::size_t half = scores.size() / 2;
    double above = 0;
    for (std::size_t a = 0; a < half; ++a)
        for (std::size_t b = half; b < scores.size(); ++b)
            above += scores[a] > scores[b];
    return above / static_cast<double>(half * half);
}

} // namespace

void checkInjectionAnswers(const PluginRegistry& registry, Report& report) {
    report.check("support/item_factors", "all factors rebuild the matrix", factorsRebuild);
    report.check("support/item_factors", "few of many are the leading singular vectors", largeFactorsAreTheLeading);
    report.check("support/alignment", "finds a linear map, and none in noise", alignmentFindsALine);
    const auto data = halves(40, 80);
    report.check("scorer/cf_injection", "vectors in the prompt tell whose taste an item is; shuffled ones do not", [&]() -> std::string {
        double own = 0, shuffled = 0;
        // Two factors hold exactly the two halves, so all users and items of one half are mapped to one row of the common length: (A - B) A
        // is above (A - B) B whatever the map is.
        // Two users of different halves, one's scores less the other's: what an item has with everybody falls out.
        const auto difference = [&](const std::vector<float>& a, const std::vector<float>& b) {
            std::vector<float> out;
            for (std::size_t i = 0; i < a.size(); ++i)
                out.push_back(a[i] - b[i]);
            return out;
        };
        for (Code user = 0; user < 10; user += 2) {
            const auto got = injected(registry, data, user, {{"factors", std::int64_t(2)}});
            const auto other = injected(registry, data, user + 1, {{"factors", std::int64_t(2)}});
            if (got.inPrompt != 1 || got.inBranches != 1)
                return fmt::format("{} vectors in the prompt, {} in a branch", got.inPrompt, got.inBranches);
            if (got.notes.find("alignment with the titles of 40 items") == std::string::npos)
                return "no note says how the map was found: " + got.notes;
            own += shareAbove(difference(got.scores, other.scores)) / 5;
            const auto mixed = [&](Code of) {
                return injected(registry, data, of, {{"factors", std::int64_t(2)}, {"vectors", "shuffled"}}).scores;
            };
            shuffled += shareAbove(difference(mixed(user), mixed(user + 1))) / 5;
        }
        return own > 0.999 && shuffled < 0.75 ? "" : fmt::format("own {}, shuffled {}", own, shuffled);
    });
    report.check("scorer/cf_injection", "puts in what is asked for", [&]() -> std::string {
        const auto count = [&](const char* inject) {
            const auto got = injected(registry, data, 0, {{"inject", inject}});
            return std::pair(got.inPrompt, got.inBranches);
        };
        if (count("user") != std::pair<std::size_t, std::size_t>(1, 0) || count("item") != std::pair<std::size_t, std::size_t>(0, 1) ||
            count("none") != std::pair<std::size_t, std::size_t>(0, 0))
            return "vectors stand where they should not";
        const auto twice = injected(registry, data, 0, {{"prompt", "{{user}} and again {{user}}:"}});
        if (twice.inPrompt != 2)
            return "two places for the user get not two vectors";
        const auto& entry = *must(registry.find(StageKind::scorer, "cf_injection"));
        Bench bench;
        const auto refused = entry.manifest.createScorer(parametersOf(entry, {{"tail", std::string(injectedMark)}}), bench.environment());
        return !refused && refused.error().code == "CL-6077" ? "" : "the mark in a text is not refused";
    });
    report.check("scorer/cf_injection", "without a like it asks without vectors and says so", [&]() -> std::string {
        auto none = sequencesData(3, {{0, 1}, {2}});
        none.training = must(none.training.without(std::vector<std::uint8_t>(3, 1)));
        const auto got = injected(registry, none, 0, {});
        return got.inPrompt == 0 && got.notes.find("puts no vectors") != std::string::npos ? "" : got.notes;
    });
}

} // namespace carousel::conformance
