// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/text/text_metrics.h"
#include "evaluation/metrics/text/text_features.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

namespace carousel {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t bleuColumns = 2 * bleuOrders + 2;

// What is known of the answers, one entry each.
struct Measured {
    std::vector<TextTokens> tokens;
    std::array<std::vector<double>, bleuColumns> bleu; // matches, possible, answer, reference
    std::vector<std::int32_t> cluster;                 // dense
    std::vector<std::vector<double>> perAnswer;        // by metric; empty: not per answer
};

std::vector<std::int32_t> denseClusters(std::span<const WrittenAnswer> answers) {
    std::vector<std::int32_t> out;
    std::unordered_map<std::int32_t, std::int32_t> known;
    std::int32_t next = 0;
    for (const auto& answer : answers) {
        if (answer.cluster < 0) {
            out.push_back(next++);
            continue;
        }
        const auto [at, isNew] = known.emplace(answer.cluster, next);
        next += isNew;
        out.push_back(at->second);
    }
    return out;
}

Result<Measured> measure(std::span<const WrittenAnswer> answers, const RunControl& control) {
    Measured m;
    m.cluster = denseClusters(answers);
    m.perAnswer.resize(textMetricDefinitions().size());
    for (const auto& definition : textMetricDefinitions())
        if (definition.perAnswer)
            m.perAnswer[static_cast<std::size_t>(definition.metric)].reserve(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (i % 64 == 0) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("Measuring the answers"));
            control.report("Comparing texts", static_cast<double>(i), static_cast<double>(answers.size()), "answers");
        }
        m.tokens.push_back(textTokens(answers[i].answer));
        const auto& own = m.tokens.back();
        const auto reference = textTokens(answers[i].reference), feature = textTokens(answers[i].feature);
        const bool comparable = !reference.empty();
        const BleuCounts counts = comparable ? bleuCounts(own, reference) : BleuCounts{};
        for (std::size_t n = 0; n < bleuOrders; ++n) {
            m.bleu[n].push_back(static_cast<double>(counts.matches[n]));
            m.bleu[bleuOrders + n].push_back(static_cast<double>(counts.possible[n]));
        }
        m.bleu[bleuColumns - 2].push_back(static_cast<double>(counts.answer));
        m.bleu[bleuColumns - 1].push_back(static_cast<double>(counts.reference));
        const auto put = [&](TextMetric metric, double value) { m.perAnswer[static_cast<std::size_t>(metric)].push_back(value); };
        for (int n = 1; n <= bleuOrders; ++n)
            put(static_cast<TextMetric>(static_cast<int>(TextMetric::bleu1) + n - 1), comparable ? bleu(counts, n, BleuSmoothing::addOne) : undefined);
        put(TextMetric::rouge1, comparable ? rougeN(own, reference, 1).f1 : undefined);
        put(TextMetric::rouge2, comparable ? rougeN(own, reference, 2).f1 : undefined);
        put(TextMetric::rougeL, comparable ? rougeL(own, reference).f1 : undefined);
        put(TextMetric::exactMatch, comparable ? (own == reference ? 1.0 : 0.0) : undefined);
        put(TextMetric::featureMatch, feature.empty() ? undefined : (containsTokens(own, feature) ? 1.0 : 0.0));
        put(TextMetric::length, static_cast<double>(own.size()));
    }
    return m;
}

double corpusBleu(const std::array<double, bleuColumns>& sums, int order) {
    std::array<double, bleuOrders> matches{}, possible{};
    std::copy_n(sums.begin(), bleuOrders, matches.begin());
    std::copy_n(sums.begin() + bleuOrders, bleuOrders, possible.begin());
    return bleu(matches, possible, sums[bleuColumns - 2], sums[bleuColumns - 1], order, BleuSmoothing::none);
}

int orderOf(TextMetric metric) { // of a BLEU; 0 for the others
    return metric <= TextMetric::bleu4 ? static_cast<int>(metric) - static_cast<int>(TextMetric::bleu1) + 1 : 0;
}

// Columns of one metric whose sums give its value: numerator and count of a mean. Undefined answers weigh nothing.
std::array<std::vector<double>, 2> meanColumns(const std::vector<double>& perAnswer) {
    std::array<std::vector<double>, 2> out;
    for (const double value : perAnswer) {
        out[0].push_back(std::isfinite(value) ? value : 0);
        out[1].push_back(std::isfinite(value) ? 1 : 0);
    }
    return out;
}

Result<void> addIntervals(const Measured& m, std::vector<TextMetricValue>& values, const TextOptions& options, const RunControl& control) {
    std::vector<std::array<std::vector<double>, 2>> means;
    std::vector<std::span<const double>> columns;
    for (const auto& column : m.bleu)
        columns.emplace_back(column);
    means.reserve(values.size()); // spans into it must stay
    for (const auto& value : values)
        if (orderOf(value.metric) == 0 && !value.perAnswer.empty()) {
            means.push_back(meanColumns(m.perAnswer[static_cast<std::size_t>(value.metric)]));
            columns.emplace_back(means.back()[0]);
            columns.emplace_back(means.back()[1]);
        }
    CAROUSEL_ASSIGN(const auto sums, bootstrapSums(columns, m.cluster, options.bootstrap, options.seed, control));
    std::size_t next = bleuColumns;
    for (auto& value : values) {
        if (value.perAnswer.empty())
            continue;
        std::vector<double> draws;
        const int order = orderOf(value.metric);
        for (int draw = 0; draw < sums.draws; ++draw) {
            if (order == 0) {
                draws.push_back(sums.at(draw, next) / sums.at(draw, next + 1));
                continue;
            }
            std::array<double, bleuColumns> drawn{};
            for (std::size_t c = 0; c < bleuColumns; ++c)
                drawn[c] = sums.at(draw, c);
            draws.push_back(drawn[bleuColumns - 1] > 0 ? corpusBleu(drawn, order) : undefined);
        }
        next += order == 0 ? 2 : 0;
        value.interval = percentileInterval(std::move(draws), options.confidence);
    }
    return {};
}

} // namespace

double distinctShare(std::span<const TextTokens> answers, int n) {
    const auto size = static_cast<std::size_t>(std::clamp(n, 1, bleuOrders));
    std::set<std::vector<std::string_view>> grams;
    std::size_t tokens = 0;
    for (const auto& answer : answers) {
        tokens += answer.size();
        for (std::size_t at = 0; at + size <= answer.size(); ++at)
            grams.emplace(answer.begin() + static_cast<std::ptrdiff_t>(at), answer.begin() + static_cast<std::ptrdiff_t>(at + size));
    }
    return tokens == 0 ? undefined : static_cast<double>(grams.size()) / static_cast<double>(tokens);
}

Result<std::vector<TextMetricValue>> evaluateTexts(std::span<const WrittenAnswer> answers, std::span<const std::string> features,
                                                   const TextOptions& options, const RunControl& control) {
    CAROUSEL_ASSIGN(const Measured m, measure(answers, control.slice(0, 0.7)));
    const auto use = featureUse(m.tokens, FeatureList(features));
    std::vector<TextMetricValue> values;
    for (const auto& definition : textMetricDefinitions()) {
        TextMetricValue value;
        value.metric = definition.metric;
        value.interval = noInterval();
        value.answers = static_cast<std::int64_t>(answers.size());
        if (definition.perAnswer) {
            double sum = 0;
            std::int64_t counted = 0;
            for (const double each : m.perAnswer[static_cast<std::size_t>(definition.metric)]) {
                value.perAnswer.push_back(static_cast<float>(each));
                if (std::isfinite(each)) {
                    sum += each;
                    ++counted;
                }
            }
            value.excluded = value.answers - counted;
            value.answers = counted;
            value.value = counted > 0 ? sum / static_cast<double>(counted) : undefined;
        }
        if (const int order = orderOf(definition.metric); order > 0 && value.answers > 0) {
            std::array<double, bleuColumns> sums{};
            for (std::size_t c = 0; c < bleuColumns; ++c)
                for (const double each : m.bleu[c])
                    sums[c] += each;
            value.value = corpusBleu(sums, order);
        }
        if (definition.metric == TextMetric::featureCoverage)
            value.value = use.coverage;
        if (definition.metric == TextMetric::featureOverlap)
            value.value = use.overlap;
        if (definition.metric == TextMetric::distinct1 || definition.metric == TextMetric::distinct2)
            value.value = distinctShare(m.tokens, definition.metric == TextMetric::distinct1 ? 1 : 2);
        values.push_back(std::move(value));
    }
    if (options.bootstrap > 0 && !answers.empty())
        CAROUSEL_TRY(addIntervals(m, values, options, control.slice(0.7, 1)));
    return values;
}

} // namespace carousel
