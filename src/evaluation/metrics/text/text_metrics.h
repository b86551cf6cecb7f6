// SPDX-License-Identifier: GPL-3.0-or-later
// Metrics of written answers (explanations, summaries) against what people wrote. Pure functions; safe from any thread.
// Tokens: text_tokens.h. Overlap: text_overlap.h. Variety: distinct-1 and -2 as Li et al. (NAACL 2016) define them, distinct n-grams of all answers by
// all *tokens* of all answers. Features as Li, Zhang and Chen (CIKM 2020, "NETE"): matching (FMR), coverage (FCR), diversity (DIV).
// A feature may be several words; it is in an answer when its tokens stand there one behind the other.
#pragma once
#include "base/run_control.h"
#include "evaluation/metrics/text/text_overlap.h"
#include "evaluation/statistics/interval.h"
#include <span>

namespace carousel {

enum class TextMetric { bleu1, bleu2, bleu3, bleu4, rouge1, rouge2, rougeL, exactMatch, featureMatch, featureCoverage, featureOverlap, distinct1, distinct2, length };

struct TextMetricDefinition {
    TextMetric metric;
    std::string id;      // "rouge1", "fmr"
    std::string label;   // "ROUGE-1"
    std::string formula; // one line, as computed here
    std::string source;
    bool perAnswer = true;        // false: a property of all answers together, without an interval
    bool higherIsBetter = true;   // DIV: false; words: neither
};
const std::vector<TextMetricDefinition>& textMetricDefinitions();

struct WrittenAnswer {
    std::string answer, reference; // any text; an answer may be empty, one without a reference has no overlap
    std::string feature;           // the true feature word; "": the reference names none
    std::int32_t cluster = -1;     // who belongs together in the bootstrap (a user); negative: the answer is a cluster of its own
};

struct TextMetricValue {
    TextMetric metric = TextMetric::bleu1;
    double value = 0;                       // NaN: undefined
    Interval interval;                      // percentile bootstrap over clusters; NaN for FCR, DIV and distinct, whose value depends on the number of answers
    std::int64_t answers = 0, excluded = 0; // counted; without a reference (overlap) or without a feature (FMR)
    std::vector<float> perAnswer;           // in the order given, for paired comparisons; NaN where undefined; empty where perAnswer is false.
                                            // BLEU: smoothed with addOne, whereas `value` is the corpus's without smoothing
};

struct TextOptions {
    int bootstrap = 1000; // 0: no intervals
    double confidence = 0.95;
    std::uint64_t seed = 1;
};

// One value per entry of textMetricDefinitions(), in that order. `features`: all feature words that there are (repeats count once); empty:
// FCR and DIV are undefined. Error: cancelled.
Result<std::vector<TextMetricValue>> evaluateTexts(std::span<const WrittenAnswer> answers, std::span<const std::string> features,
                                                   const TextOptions& options, const RunControl& control);

// Distinct n-grams (n 1 to 4) of all `answers` together by the number of their tokens; NaN without a token.
double distinctShare(std::span<const TextTokens> answers, int n);

} // namespace carousel
