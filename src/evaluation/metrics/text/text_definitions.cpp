// SPDX-License-Identifier: GPL-3.0-or-later
// What each number about written answers means, in the words that stand beside it.
#include "evaluation/metrics/text/text_metrics.h"

namespace carousel {

const std::vector<TextMetricDefinition>& textMetricDefinitions() {
    static const std::vector<TextMetricDefinition> list = [] {
        std::vector<TextMetricDefinition> out;
        const char* bleuMean[] = {"", "geometric mean of the clipped 1- and 2-gram precisions", "geometric mean of the clipped 1- to 3-gram precisions",
                                  "geometric mean of the clipped 1- to 4-gram precisions"};
        for (int n = 1; n <= bleuOrders; ++n)
            out.push_back({static_cast<TextMetric>(static_cast<int>(TextMetric::bleu1) + n - 1), "bleu" + std::to_string(n), "BLEU-" + std::to_string(n),
                           std::string(n == 1 ? "clipped word precision" : bleuMean[n - 1]) + " over all answers together, times exp(1 - r/c) when the answers are shorter",
                           "Papineni et al., ACL 2002; per answer: add-one smoothing, Lin and Och, COLING 2004"});
        for (int n = 1; n <= 2; ++n)
            out.push_back({n == 1 ? TextMetric::rouge1 : TextMetric::rouge2, "rouge" + std::to_string(n), "ROUGE-" + std::to_string(n),
                           std::string("F1 of clipped ") + (n == 1 ? "word" : "2-gram") + " precision and recall, no stemming; mean over answers", "Lin, 2004"});
        out.push_back({TextMetric::rougeL, "rougel", "ROUGE-L", "F1 of the longest common subsequence by the words of answer and reference, no stemming; mean over answers", "Lin, 2004"});
        out.push_back({TextMetric::exactMatch, "exact", "Exact match", "share of answers with the reference's very words", "ours"});
        out.push_back({TextMetric::featureMatch, "fmr", "Feature match", "share of answers that contain the reference's feature word", "NETE (Li et al., CIKM 2020), FMR"});
        out.push_back({.metric = TextMetric::featureCoverage, .id = "fcr", .label = "Feature coverage", .formula = "share of all feature words that appear in at least one answer",
                       .source = "NETE (Li et al., CIKM 2020), FCR", .perAnswer = false});
        out.push_back({.metric = TextMetric::featureOverlap, .id = "div", .label = "Feature overlap", .formula = "mean number of feature words that two answers have in common; lower is more varied",
                       .source = "NETE (Li et al., CIKM 2020), DIV", .perAnswer = false, .higherIsBetter = false});
        out.push_back({.metric = TextMetric::distinct1, .id = "distinct1", .label = "distinct-1", .formula = "distinct words of all answers / words of all answers",
                       .source = "Li et al., NAACL 2016", .perAnswer = false});
        out.push_back({.metric = TextMetric::distinct2, .id = "distinct2", .label = "distinct-2", .formula = "distinct 2-grams of all answers / words of all answers",
                       .source = "Li et al., NAACL 2016", .perAnswer = false});
        out.push_back({TextMetric::length, "words", "Length", "words and signs per answer, mean; no value is better by itself", "ours"});
        return out;
    }();
    return list;
}

} // namespace carousel
