// SPDX-License-Identifier: GPL-3.0-or-later
// How much of a written answer stands in the reference: BLEU and ROUGE over tokens, one reference each. Pure functions; shares in [0, 1].
//   BLEU-n   Papineni et al., ACL 2002: geometric mean of the clipped n-gram precisions 1..n, uniform weights, times the brevity penalty
//            exp(1 - r/c) when the answers (c tokens) are shorter than the references (r). Counts of all answers are added first (corpus
//            BLEU). A precision of 0, or no n-gram of that order at all, makes it 0 without smoothing.
//   ROUGE-n  Lin, 2004: F1 of clipped n-gram precision and recall. ROUGE-L: F1 over the longest common subsequence of the whole texts.
//            No stemming, no stop words left out.
// Equal to sacrebleu (tokenize none; smooth none, or add-k with k = 1) and rouge_score (no stemmer) for the same tokens.
#pragma once
#include "evaluation/metrics/text/text_tokens.h"
#include <array>
#include <cstdint>

namespace carousel {

constexpr int bleuOrders = 4;

struct BleuCounts {
    std::array<std::int64_t, bleuOrders> matches{}, possible{}; // n-grams of the answer: found in the reference (clipped), all
    std::int64_t answer = 0, reference = 0;                     // tokens
    BleuCounts& operator+=(const BleuCounts& other);
};
BleuCounts bleuCounts(const TextTokens& answer, const TextTokens& reference);

// addOne: matches and possible of the orders above 1 each one higher (Lin and Och, COLING 2004); for the BLEU of one answer, which would be
// 0 for most short texts otherwise. Without a common token it stays 0.
enum class BleuSmoothing { none, addOne };
double bleu(const BleuCounts& counts, int order, BleuSmoothing smoothing); // order 1 to 4
// The same from sums that are weighted, as a bootstrap draws them.
double bleu(const std::array<double, bleuOrders>& matches, const std::array<double, bleuOrders>& possible, double answer, double reference, int order,
            BleuSmoothing smoothing);

struct RougeScore {
    double precision = 0, recall = 0, f1 = 0; // 0 where nothing is common, or a side is empty
};
RougeScore rougeN(const TextTokens& answer, const TextTokens& reference, int n); // n 1 to 4
RougeScore rougeL(const TextTokens& answer, const TextTokens& reference);        // time |answer| x |reference|

} // namespace carousel
