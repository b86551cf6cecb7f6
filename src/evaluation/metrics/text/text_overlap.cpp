// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/text/text_overlap.h"
#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace carousel {

namespace {

using Numbers = std::vector<std::uint32_t>;
using Gram = std::array<std::uint32_t, bleuOrders>;

// Tokens of two texts as numbers from 1; equal tokens have equal numbers.
std::pair<Numbers, Numbers> numbered(const TextTokens& a, const TextTokens& b) {
    std::unordered_map<std::string_view, std::uint32_t> known;
    const auto number = [&](const TextTokens& tokens) {
        Numbers out;
        out.reserve(tokens.size());
        for (const auto& token : tokens)
            out.push_back(known.emplace(token, static_cast<std::uint32_t>(known.size() + 1)).first->second);
        return out;
    };
    auto first = number(a);
    return {std::move(first), number(b)};
}

std::vector<Gram> sortedGrams(const Numbers& tokens, std::size_t n) {
    std::vector<Gram> grams;
    for (std::size_t at = 0; at + n <= tokens.size(); ++at) {
        Gram gram{};
        std::copy_n(tokens.begin() + static_cast<std::ptrdiff_t>(at), n, gram.begin());
        grams.push_back(gram);
    }
    std::sort(grams.begin(), grams.end());
    return grams;
}

// Size of the intersection of two sorted multisets: n-gram matches, each counted at most as often as the reference has it.
std::int64_t common(const std::vector<Gram>& a, const std::vector<Gram>& b) {
    std::int64_t matches = 0;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i] == b[j]) {
            ++matches;
            ++i;
            ++j;
        } else if (a[i] < b[j]) {
            ++i;
        } else {
            ++j;
        }
    }
    return matches;
}

RougeScore scoreOf(std::int64_t matches, std::size_t answer, std::size_t reference) {
    RougeScore score;
    if (matches == 0)
        return score;
    score.precision = static_cast<double>(matches) / static_cast<double>(answer);
    score.recall = static_cast<double>(matches) / static_cast<double>(reference);
    score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
    return score;
}

} // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
    for (std::size_t n = 0; n < matches.size(); ++n) {
        matches[n] += other.matches[n];
        possible[n] += other.possible[n];
    }
    answer += other.answer;
    reference += other.reference;
    return *this;
}

BleuCounts bleuCounts(const TextTokens& answer, const TextTokens& reference) {
    const auto [a, r] = numbered(answer, reference);
    BleuCounts counts;
    counts.answer = static_cast<std::int64_t>(a.size());
    counts.reference = static_cast<std::int64_t>(r.size());
    for (std::size_t n = 1; n <= bleuOrders; ++n) {
        const auto grams = sortedGrams(a, n);
        counts.possible[n - 1] = static_cast<std::int64_t>(grams.size());
        counts.matches[n - 1] = common(grams, sortedGrams(r, n));
    }
    return counts;
}

double bleu(const std::array<double, bleuOrders>& matches, const std::array<double, bleuOrders>& possible, double answer, double reference, int order,
            BleuSmoothing smoothing) {
    if (answer <= 0 || matches[0] <= 0)
        return 0;
    double logs = 0;
    for (std::size_t n = 0; n < static_cast<std::size_t>(std::clamp(order, 1, bleuOrders)); ++n) {
        const double more = smoothing == BleuSmoothing::addOne && n > 0 ? 1 : 0;
        if (matches[n] + more <= 0)
            return 0;
        logs += std::log((matches[n] + more) / (possible[n] + more));
    }
    const double brevity = answer < reference ? std::exp(1 - reference / answer) : 1;
    return brevity * std::exp(logs / std::clamp(order, 1, bleuOrders));
}

double bleu(const BleuCounts& counts, int order, BleuSmoothing smoothing) {
    std::array<double, bleuOrders> matches{}, possible{};
    for (std::size_t n = 0; n < matches.size(); ++n) {
        matches[n] = static_cast<double>(counts.matches[n]);
        possible[n] = static_cast<double>(counts.possible[n]);
    }
    return bleu(matches, possible, static_cast<double>(counts.answer), static_cast<double>(counts.reference), order, smoothing);
}

RougeScore rougeN(const TextTokens& answer, const TextTokens& reference, int n) {
    const auto size = static_cast<std::size_t>(std::clamp(n, 1, bleuOrders));
    const auto [a, r] = numbered(answer, reference);
    const auto own = sortedGrams(a, size), wanted = sortedGrams(r, size);
    return scoreOf(common(own, wanted), own.size(), wanted.size());
}

RougeScore rougeL(const TextTokens& answer, const TextTokens& reference) {
    const auto [a, r] = numbered(answer, reference);
    std::vector<std::int64_t> before(r.size() + 1), now(r.size() + 1); // longest common subsequence of the prefixes
    for (const auto token : a) {
        for (std::size_t j = 0; j < r.size(); ++j)
            now[j + 1] = token == r[j] ? before[j] + 1 : std::max(before[j + 1], now[j]);
        std::swap(before, now);
    }
    return scoreOf(before.back(), a.size(), r.size());
}

} // namespace carousel
