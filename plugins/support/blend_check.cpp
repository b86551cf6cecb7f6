// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/blend_check.h"
#include "evaluation/metrics/ranking.h"
#include "evaluation/statistics/bootstrap.h"
#include "evaluation/statistics/logistic_regression.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>

namespace carousel::plugin {

namespace {

constexpr std::size_t mostFolds = 5;
constexpr int resamples = 1000;
constexpr double confidence = 0.95;

struct Questions {
    const Matrix& rows;
    std::span<const std::size_t> first;
    std::span<const std::uint8_t> wanted;
    std::size_t count() const { return first.size() - 1; }
};

// Reciprocal rank per question; `score(row)` ranks a question's rows.
template <class Score> void reciprocalRanks(const Questions& questions, std::size_t question, std::vector<float>& out, Score score) {
    const auto begin = questions.first[question], end = questions.first[question + 1];
    double target = 0;
    for (auto row = begin; row < end; ++row)
        if (questions.wanted[row])
            target = score(row);
    std::size_t above = 0, level = 0; // level: the wanted one included
    for (auto row = begin; row < end; ++row) {
        const double value = score(row);
        above += value > target, level += value == target;
    }
    double sum = 0;
    for (std::size_t i = 1; i <= level; ++i)
        sum += 1 / static_cast<double>(above + i);
    out[question] = static_cast<float>(sum / static_cast<double>(level));
}

// Per question, by weights that were learned from the other folds; `without`: a column that takes no part, or rows.columns.
Result<std::vector<float>> outOfFold(const Questions& questions, std::size_t folds, std::size_t without, double l2) {
    std::vector<std::size_t> columns;
    for (std::size_t c = 0; c < questions.rows.columns; ++c)
        if (c != without)
            columns.push_back(c);
    std::vector<float> out(questions.count(), 0.0f);
    for (std::size_t fold = 0; fold < folds; ++fold) {
        LinearModel model;
        if (!columns.empty()) {
            Matrix rows(0, columns.size());
            std::vector<std::uint8_t> wanted;
            for (std::size_t q = 0; q < questions.count(); ++q)
                if (q % folds != fold)
                    for (auto row = questions.first[q]; row < questions.first[q + 1]; ++row) {
                        for (const auto c : columns)
                            rows.values.push_back(questions.rows.row(row)[c]);
                        ++rows.rows;
                        wanted.push_back(questions.wanted[row]);
                    }
            CAROUSEL_ASSIGN(model, fitLogistic(rows, wanted, l2));
        }
        std::vector<float> values(columns.size());
        for (std::size_t q = fold; q < questions.count(); q += folds)
            reciprocalRanks(questions, q, out, [&](std::size_t row) {
                for (std::size_t k = 0; k < columns.size(); ++k)
                    values[k] = questions.rows.row(row)[columns[k]];
                return columns.empty() ? 0.0 : model.linear(values);
            });
    }
    return out;
}

} // namespace

Result<BlendCheck> checkBlend(const Matrix& rows, std::span<const std::size_t> first, std::span<const std::uint8_t> wanted, double l2,
                              std::uint64_t seed) {
    BlendCheck out;
    const Questions questions{rows, first, wanted};
    out.questions = questions.count();
    out.parts.resize(rows.columns);
    if (out.questions < 2)
        return out;
    out.folds = std::min(mostFolds, out.questions);
    MetricOptions options;
    options.bootstrap = resamples, options.confidence = confidence, options.seed = seed;
    const auto estimate = [&](const std::vector<float>& values, Interval& interval) {
        interval = bootstrapMean(values, resamples, confidence, seed);
        return meanOfFinite(values).mean;
    };
    std::vector<float> one(out.questions);
    for (std::size_t q = 0; q < out.questions; ++q)
        reciprocalRanks(questions, q, one, [](std::size_t) { return 0.0; });
    out.chance = meanOfFinite(one).mean;
    CAROUSEL_ASSIGN(const auto blend, outOfFold(questions, out.folds, rows.columns, l2));
    out.blend = estimate(blend, out.blendInterval);
    for (std::size_t k = 0; k < rows.columns; ++k) {
        for (std::size_t q = 0; q < out.questions; ++q)
            reciprocalRanks(questions, q, one, [&](std::size_t row) { return static_cast<double>(rows.row(row)[k]); });
        out.parts[k].alone = estimate(one, out.parts[k].aloneInterval);
        CAROUSEL_ASSIGN(const auto others, outOfFold(questions, out.folds, k, l2));
        const auto difference = pairedDifference(others, blend, options);
        out.parts[k].adds = difference.difference;
        out.parts[k].addsInterval = difference.interval;
    }
    return out;
}

} // namespace carousel::plugin
