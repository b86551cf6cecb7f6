// SPDX-License-Identifier: GPL-3.0-or-later
// What training is made of beside the model: schedules, AdamW, order of examples, area under the curve, early stopping, checkpoints.
#include "base/area_under_roc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "scoring/training/adamw.h"
#include "scoring/training/checkpoint.h"
#include "scoring/training/learning_schedule.h"
#include "scoring/training/text_batches.h"
#include "scoring/training/training_order.h"
#include "unit/llm/model_file_builder.h"
#include <QTest>
#include <cmath>
#include <set>

using namespace carousel;

namespace {

std::vector<double> rates(RateShape shape, std::int64_t steps, double warmUp, double final) {
    std::vector<double> out;
    for (std::int64_t step = 1; step <= steps; ++step)
        out.push_back(learningRate({shape, 1, warmUp, final}, step, steps));
    return out;
}
bool near(std::span<const double> a, std::initializer_list<double> b, double bound = 1e-12) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](double x, double y) { return std::fabs(x - y) <= bound; });
}

Checkpoint someCheckpoint() {
    Checkpoint c;
    c.request = "request";
    c.base = "base";
    c.computeType = "fp32";
    c.device = "cpu";
    c.threads = 2;
    c.step = 7;
    c.values = {1, -2.5f, 1e-30f, 3};
    c.bestValues = {1, 2, 3, 4};
    c.optimiser = {7, {0.1f, 0.2f, 0.3f, 0.4f}, {5, 6, 7, 8}};
    c.training = {{1, 0.1 + 0.2, 1e-4, 3}, {2, 1.0 / 3, 2e-4, 0.5}};
    c.validation = {{0, 0.7, std::nan("")}, {2, 0.6, 0.75}};
    return c;
}

} // namespace

class TestTrainingParts : public QObject {
    Q_OBJECT
    builder::Folder m_folder;

private slots:
    void ratesFollowTheirFormulas() {
        QVERIFY(near(rates(RateShape::constant, 4, 0, 0), {1, 1, 1, 1}));
        QVERIFY(near(rates(RateShape::constant, 4, 0.5, 0), {0.5, 1, 1, 1}));
        QVERIFY(near(rates(RateShape::linear, 4, 0, 0), {1, 0.75, 0.5, 0.25}));
        QVERIFY(near(rates(RateShape::linear, 5, 0.2, 0.5), {1, 1, 0.875, 0.75, 0.625}));
        const double h = std::sqrt(0.5);
        QVERIFY(near(rates(RateShape::cosine, 4, 0, 0), {1, (1 + h) / 2, 0.5, (1 - h) / 2}));
        QVERIFY(near(rates(RateShape::cosine, 6, 1.0 / 3, 0.2), {0.5, 1, 1, 0.2 + 0.4 * (1 + h), 0.6, 0.2 + 0.4 * (1 - h)}));
        QVERIFY(near(rates(RateShape::linear, 1, 0.9, 0), {1})); // a single step has no warm-up
    }
    void adamFollowsItsFormula() {
        // By hand: p 1, g 0.5, rate 0.1, decay 0.01. m = 0.05, v = 0.00025; corrected 0.5 and 0.25; step 0.1 * 0.5 / 0.5.
        AdamW adam({0.9, 0.999, 1e-8, 0.01}, 2);
        std::vector<float> p{1, 1};
        adam.step(p, std::vector<float>{0.5f, 0}, 0.1);
        QVERIFY(std::fabs(p[0] - (0.999 - 0.1)) < 1e-6);
        QVERIFY(std::fabs(p[1] - 0.999) < 1e-7); // decay alone
        // Then g -1: m = 0.045 - 0.1, v = 0.00024975 + 0.001.
        adam.step(p, std::vector<float>{-1, 0}, 0.1);
        const double m = (0.045 - 0.1) / (1 - 0.81), v = (0.00024975 + 0.001) / (1 - 0.998001);
        QVERIFY(std::fabs(p[0] - (0.899 * 0.999 - 0.1 * m / std::sqrt(v))) < 1e-6);
        QCOMPARE(adam.state().steps, std::int64_t(2));
        AdamW partly({0.9, 0.999, 1e-8, 0.01, 1}, 2);
        p = {1, 1};
        partly.step(p, std::vector<float>{0, 0}, 0.1);
        QVERIFY(std::fabs(p[0] - 0.999) < 1e-7 && p[1] == 1); // the first value alone decays
    }
    void adamScalesTheRateOfEachPart() {
        // A part whose factor is 3 goes where all values go at three times the rate, decay and all; the others are not touched by it.
        const std::vector<float> first{1, -2, 0.5f, 3}, gradient{0.1f, -0.2f, 0.3f, 0.4f};
        const AdamSettings s{0.9, 0.98, 1e-8, 0.1, 3};
        AdamW parts(s, 4), slow(s, 4), fast(s, 4);
        auto p = first, q = first, r = first;
        for (int t = 0; t < 3; ++t) {
            const RatePart of[] = {{1, 1}, {3, 3}, {4, 1}};
            parts.step(p, gradient, 0.01, of);
            slow.step(q, gradient, 0.01);
            fast.step(r, gradient, 0.03);
        }
        QCOMPARE(p, (std::vector<float>{q[0], r[1], r[2], q[3]}));
        QVERIFY(q[1] != r[1] && q[2] != r[2]);
    }
    void textBatchesKeepTheirBudgetAndHaveEveryPairOnce() {
        TokenPairs pairs;
        RandomStream random(4, "lengths");
        for (int i = 0; i < 3000; ++i) {
            pairs.sources.emplace_back(1 + random.below(i % 700 ? 60 : 400));
            pairs.targets.emplace_back(1 + random.below(12));
        }
        constexpr std::int64_t budget = 300;
        std::int64_t computed = 0, tokens = 0;
        for (const auto& batches : {shuffledBatches(pairs, budget, 7, 0), batchesByLength(pairs, budget)}) {
            std::multiset<std::size_t> seen;
            for (const auto& batch : batches) {
                std::size_t source = 0, target = 0;
                for (const std::size_t pair : batch) {
                    seen.insert(pair);
                    source = std::max(source, pairs.sources[pair].size());
                    target = std::max(target, pairs.targets[pair].size());
                    tokens += pairs.tokensOf(pair);
                }
                const auto size = static_cast<std::int64_t>(batch.size() * (source + target));
                QVERIFY(size <= budget || batch.size() == 1);
                computed += size;
            }
            QCOMPARE(seen.size(), std::size_t(3000));
            QCOMPARE(std::set<std::size_t>(seen.begin(), seen.end()).size(), std::size_t(3000));
        }
        qInfo("%.1f %% of what is computed are tokens", 100.0 * double(tokens) / double(computed));
        QVERIFY(tokens > 0.7 * double(computed));
        QVERIFY(shuffledBatches(pairs, budget, 7, 0) == shuffledBatches(pairs, budget, 7, 0));
        QVERIFY(shuffledBatches(pairs, budget, 7, 0) != shuffledBatches(pairs, budget, 7, 1));
        QVERIFY(shuffledBatches(pairs, budget, 7, 0) != shuffledBatches(pairs, budget, 8, 0));
    }
    void adamIsTheSameInDoublesAndAfterARestore() {
        constexpr std::size_t count = 200000; // several chunks of work
        RandomStream random(1, "adam");
        std::vector<float> p(count), g(count), q;
        std::vector<double> exact(count), m(count, 0), v(count, 0);
        for (std::size_t i = 0; i < count; ++i)
            exact[i] = p[i] = static_cast<float>(random.normal());
        const AdamSettings s{0.8, 0.95, 1e-6, 0.1};
        AdamW adam(s, count), second(s, count);
        for (int t = 1; t <= 5; ++t) {
            for (std::size_t i = 0; i < count; ++i)
                g[i] = static_cast<float>(random.normal() * 1e-3);
            if (t == 4) {
                second.restore(adam.state());
                q = p;
            }
            if (t >= 4)
                second.step(q, g, 0.01);
            adam.step(p, g, 0.01);
            for (std::size_t i = 0; i < count; ++i) {
                m[i] = s.beta1 * m[i] + (1 - s.beta1) * g[i];
                v[i] = s.beta2 * v[i] + (1 - s.beta2) * double(g[i]) * g[i];
                exact[i] -= 0.01 * s.weightDecay * exact[i];
                exact[i] -= 0.01 * (m[i] / (1 - std::pow(s.beta1, t))) / (std::sqrt(v[i] / (1 - std::pow(s.beta2, t))) + s.epsilon);
            }
        }
        double largest = 0;
        for (std::size_t i = 0; i < count; ++i)
            largest = std::max(largest, std::fabs(exact[i] - p[i]));
        QVERIFY2(largest < 2e-6, qPrintable(QString::number(largest)));
        QVERIFY(p == q);
    }
    void gradientsAreClippedToTheNorm() {
        std::vector<float> g{3, -4};
        QCOMPARE(clipGradient(g, 10), 5.0);
        QCOMPARE(g[0], 3.0f);
        QCOMPARE(clipGradient(g, 0), 5.0);
        QCOMPARE(clipGradient(g, 1), 5.0);
        QVERIFY(std::fabs(g[0] - 0.6f) < 1e-6f && std::fabs(g[1] + 0.8f) < 1e-6f);
    }
    void eachEpochHasEveryExampleOnce() {
        TrainingOrder order(10, 4, 3), other(10, 4, 3);
        QCOMPARE(order.stepsPerEpoch(), std::int64_t(3));
        std::vector<std::vector<std::size_t>> epochs;
        for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
            std::vector<std::size_t> all;
            for (std::int64_t step = 0; step < 3; ++step)
                for (const auto index : order.examplesOf(epoch * 3 + step))
                    all.push_back(index);
            QCOMPARE(all.size(), std::size_t(10));
            QCOMPARE(std::set<std::size_t>(all.begin(), all.end()).size(), std::size_t(10));
            epochs.push_back(std::move(all));
        }
        QVERIFY(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
        QVERIFY(other.examplesOf(7) == std::vector<std::size_t>(epochs[2].begin() + 4, epochs[2].begin() + 8)); // from anywhere
        TrainingOrder different(10, 4, 4);
        QVERIFY(different.examplesOf(0) != order.examplesOf(0));
    }
    void piecesHoldSoManyTokens() {
        const std::vector<std::int64_t> lengths{5, 30, 7, 100, 12};
        const std::vector<std::size_t> indices{0, 1, 2, 3, 4};
        using Pieces = std::vector<std::vector<std::size_t>>;
        QVERIFY((piecesByLength(indices, lengths, 40) == Pieces{{3}, {1}, {4, 2, 0}}));
        QVERIFY((piecesByLength(indices, lengths, 1000) == Pieces{{3, 1, 4, 2, 0}}));
        QVERIFY((piecesByLength(indices, lengths, 1) == Pieces{{3}, {1}, {4}, {2}, {0}}));
    }
    void areaUnderTheCurveCountsPairs() {
        const auto area = [](std::vector<double> scores, std::vector<std::uint8_t> positive) { return areaUnderRoc(scores, positive); };
        QCOMPARE(area({1, 2, 3, 4}, {0, 0, 1, 1}), 1.0);
        QCOMPARE(area({1, 2, 3, 4}, {1, 0, 1, 0}), 0.25);
        QCOMPARE(area({1, 1, 1}, {1, 0, 0}), 0.5);
        QCOMPARE(area({2, 1, 2, 3}, {1, 0, 0, 1}), 0.875); // pairs: 1, 0.5, 1, 1
        QVERIFY(std::isnan(area({1, 2}, {1, 1})));
    }
    void trainingEndsWithoutGain() {
        EarlyStopping loss(ValidationMetric::loss, 2);
        QVERIFY(loss.add(0.7, 0) && loss.add(0.6, 1) && !loss.add(0.6, 2) && !loss.shouldStop() && !loss.add(0.9, 3));
        QVERIFY(loss.shouldStop());
        QCOMPARE(loss.bestStep(), std::int64_t(1));
        EarlyStopping area(ValidationMetric::auc, 0);
        QVERIFY(!area.add(std::nan(""), 0) && area.add(0.5, 1) && area.add(0.6, 2) && !area.add(0.5, 3) && !area.shouldStop());
        QCOMPARE(area.bestStep(), std::int64_t(2));
    }
    void checkpointsComeBackToTheLastBit() {
        const auto path = m_folder.path("checkpoint.safetensors");
        const auto written = someCheckpoint();
        QVERIFY(writeCheckpoint(path, written));
        const auto read = readCheckpoint(path);
        QVERIFY2(read, read ? "" : describe(read.error()).c_str());
        QVERIFY(read->values == written.values && read->bestValues == written.bestValues);
        QVERIFY(read->optimiser.mean == written.optimiser.mean && read->optimiser.square == written.optimiser.square);
        QCOMPARE(read->optimiser.steps, written.optimiser.steps);
        QCOMPARE(read->step, written.step);
        QVERIFY(read->training == written.training);
        QCOMPARE(read->validation[1].auc, 0.75);
        QVERIFY(std::isnan(read->validation[0].auc));
        QVERIFY(checkBelongs(path, *read, written));
    }
    void aFlippedByteIsRefusedWhereverItIs() {
        const auto path = m_folder.path("whole.safetensors");
        QVERIFY(writeCheckpoint(path, someCheckpoint()));
        const std::string whole = *readFile(path);
        for (std::size_t at = 0; at < whole.size(); ++at) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
            QVERIFY2(!readCheckpoint(m_folder.write("flipped.safetensors", bytes)), qPrintable(QString::number(at)));
        }
        for (const std::size_t length : {std::size_t(0), std::size_t(7), whole.size() / 2, whole.size() - 1})
            QVERIFY(!readCheckpoint(m_folder.write("cut.safetensors", whole.substr(0, length))));
        std::string bytes = whole;
        bytes[whole.size() - 1] ^= 1;
        const auto refused = readCheckpoint(m_folder.write("flipped.safetensors", bytes));
        QCOMPARE(refused.error().code, std::string("CL-2145"));
        QVERIFY(refused.error().message.find("SHA-256") != std::string::npos);
    }
    void aCheckpointOfOtherWorkIsRefused() {
        const auto found = someCheckpoint();
        const std::function<void(Checkpoint&)> changes[] = {[](auto& c) { c.request = "x"; },        [](auto& c) { c.base = "x"; },
                                                            [](auto& c) { c.computeType = "bf16"; }, [](auto& c) { c.device = "cuda:0"; },
                                                            [](auto& c) { c.threads = 1; },          [](auto& c) { c.values.pop_back(); }};
        for (const auto& change : changes) {
            auto wanted = found;
            change(wanted);
            const auto refused = checkBelongs("file", found, wanted);
            QVERIFY(!refused);
            QCOMPARE(refused.error().code, std::string("CL-2146"));
        }
    }
};

QTEST_APPLESS_MAIN(TestTrainingParts)
#include "test_training_parts.moc"
