// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/auc.h"
#include "evaluation/statistics/logistic_regression.h"
#include "evaluation/statistics/pairwise_logistic.h"
#include "evaluation/statistics/ridge_regression.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {
struct Examples {
    Matrix rows{14, 3};
    std::vector<std::uint8_t> positive;
};
Examples examples() {
    Examples out;
    for (int i = 0; i < 14; ++i) {
        for (int j = 0; j < 3; ++j)
            out.rows.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)] =
                static_cast<float>(std::sin(1.7 * i + 2.3 * j + 0.5) * (j + 1));
        out.positive.push_back(i * 5 % 7 < 3);
    }
    return out;
}
} // namespace

class TestAucAndLogistic : public QObject {
    Q_OBJECT
private slots:
    void areasOfScikitLearn() {
        const std::vector<double> scores{.1, .4, .4, .8, .8, .8, .3, .9, .2, .4};
        const std::vector<std::uint8_t> positive{0, 0, 1, 1, 0, 1, 0, 1, 1, 0}, weights{1, 2, 0, 1, 3, 1, 1, 2, 1, 1};
        QVERIFY(std::fabs(areaUnderRoc(scores, positive) - 0.72) < 1e-12);
        QVERIFY(std::fabs(areaUnderRoc(scores, positive, weights) - 0.75) < 1e-12);
        QVERIFY(std::isnan(areaUnderRoc(scores, std::vector<std::uint8_t>(10, 1))));
        // Any growing function leaves it as it is; the other way round it is one less.
        std::vector<double> grown, turned;
        for (const double s : scores) {
            grown.push_back(std::exp(3 * s));
            turned.push_back(-s);
        }
        QCOMPARE(areaUnderRoc(grown, positive), areaUnderRoc(scores, positive));
        QVERIFY(std::fabs(areaUnderRoc(turned, positive) - 0.28) < 1e-12);
    }
    void drawsArePairedAndCoverByClusters() {
        // Two columns that are equal differ by nothing in any draw; a column's interval holds its own area.
        std::vector<std::vector<double>> columns(3);
        std::vector<std::uint8_t> positive;
        std::vector<std::int32_t> cluster;
        for (int i = 0; i < 300; ++i) {
            positive.push_back(i % 3 == 0);
            cluster.push_back(i / 5);
            const double noise = std::fmod(i * 0.61803398875, 1.0);
            columns[0].push_back(noise + 0.4 * positive.back());
            columns[1].push_back(columns[0].back());
            columns[2].push_back(noise);
        }
        const auto draws = areaDraws(columns, positive, cluster, 400, 7, {});
        QVERIFY(draws.has_value());
        const std::size_t first[]{0}, second[]{1}, third[]{2}, both[]{0, 2};
        const auto same = draws->mean(first, second, 0.95), apart = draws->mean(first, third, 0.95), one = draws->mean(first, {}, 0.95);
        QCOMPARE(same.value, 0.0);
        QCOMPARE(same.interval.low, 0.0);
        QCOMPARE(same.interval.high, 0.0);
        QVERIFY(apart.interval.low > 0 && apart.interval.low < apart.value && apart.value < apart.interval.high);
        QVERIFY(one.interval.low < draws->area[0] && draws->area[0] < one.interval.high);
        QVERIFY(std::fabs(draws->mean(both, {}, 0.95).value - (draws->area[0] + draws->area[2]) / 2) < 1e-15);
        QCOMPARE(areaDraws(columns, positive, cluster, 400, 7, {})->draws, draws->draws);
    }
    void coefficientsOfScikitLearn() {
        const Examples e = examples();
        const struct {
            double l2;
            std::vector<double> weight;
            double intercept;
        } golden[]{{0.5, {-1.1285871553919735, 1.1336954743734806, -0.3453481195317173}, -0.578948095224759},
                   {10, {-0.2945813795035175, 0.3225371064446287, -0.12372680257837712}, -0.31309474840389023}};
        for (const auto& g : golden) {
            const auto model = fitLogistic(e.rows, e.positive, g.l2);
            QVERIFY(model.has_value());
            for (std::size_t i = 0; i < 3; ++i)
                QVERIFY2(std::fabs(model->weight[i] - g.weight[i]) < 1e-6, qPrintable(QString::number(model->weight[i], 'g', 12)));
            QVERIFY(std::fabs(model->intercept - g.intercept) < 1e-6);
        }
    }
    void separableAndUselessColumns() {
        Matrix rows(8, 2);
        std::vector<std::uint8_t> positive;
        for (std::size_t i = 0; i < 8; ++i) {
            rows.row(i)[0] = i < 4 ? -1.0f : 1.0f; // separates, so only the penalty holds it
            rows.row(i)[1] = 3;                    // says nothing
            positive.push_back(i >= 4);
        }
        const auto model = fitLogistic(rows, positive, 0.1);
        QVERIFY(model.has_value() && std::isfinite(model->weight[0]) && model->weight[0] > 1);
        QCOMPARE(model->scale[1], 0.0);
        QVERIFY(model->linear(rows.row(7)) > 0 && model->linear(rows.row(0)) < 0);
    }
    void ridgeByHandAndByItsGradient() {
        // Standardised, 1, 2, 3 are -a, 0, a with 2 a^2 = 3: the weight is 2 a / (3 + l2), half of least squares' with l2 = 3.
        Matrix line(3, 1);
        line.values = {1, 2, 3};
        const auto half = fitRidge(line, std::vector<double>{1, 2, 3}, 3);
        QVERIFY(half.has_value());
        QVERIFY(std::fabs(half->linear(line.row(2)) - 2.5) < 1e-9 && std::fabs(half->linear(line.row(0)) - 1.5) < 1e-9);
        for (const std::size_t n : {std::size_t(4), std::size_t(14)}) { // fewer rows than columns, and more
            Matrix rows(n, 6);
            std::vector<double> wanted;
            for (std::size_t r = 0; r < n; ++r) {
                for (std::size_t c = 0; c < 6; ++c)
                    rows.row(r)[c] = static_cast<float>(std::sin(1.3 * double(r) + 2.1 * double(c)) * double(c));
                wanted.push_back(std::cos(0.9 * double(r)));
            }
            const auto model = fitRidge(rows, wanted, 0.7);
            QVERIFY(model.has_value());
            QCOMPARE(model->scale[0], 0.0); // a column of zeros
            for (std::size_t c = 1; c < 6; ++c) {
                double slope = 0;
                for (std::size_t r = 0; r < n; ++r)
                    slope += (wanted[r] - model->linear(rows.row(r))) * (rows.row(r)[c] - model->mean[c]) / model->scale[c];
                QVERIFY(std::fabs(slope - 0.7 * model->weight[c]) < 1e-9);
            }
        }
        QCOMPARE(fitRidge(line, std::vector<double>{1, 2}, 1).error().code, std::string("CL-3094"));
        QCOMPARE(fitRidge(line, std::vector<double>{1, 2, std::nan("")}, 1).error().code, std::string("CL-3094"));
    }
    void pairsByHandAndByTheirGradient() {
        // Two rows stand at +1 and -1: the weight w solves 2 p / (1 + exp(2 w)) = l2 w for a pair of weight p.
        Matrix two(2, 1);
        two.values = {5, 3};
        const std::vector<RankedPair> one{{0, 1, 1.5}};
        const auto hand = fitPairwise(two, one, 0.5);
        QVERIFY(hand.has_value());
        const double w = hand->weight[0];
        QVERIFY(w > 0.1 && std::fabs(2 * 1.5 / (1 + std::exp(2 * w)) - 0.5 * w) < 1e-8);
        const std::vector<RankedPair> turned{{1, 0, 1.5}};
        QVERIFY(std::fabs(fitPairwise(two, turned, 0.5)->weight[0] + w) < 1e-8);

        const auto e = examples();
        std::vector<RankedPair> pairs;
        for (std::uint32_t i = 0; i < 14; ++i)
            for (std::uint32_t j = 0; j < 14; ++j)
                if (i * 5 % 7 < j * 5 % 7)
                    pairs.push_back({i, j, 0.1 + 0.2 * ((i + j) % 3)});
        const auto model = fitPairwise(e.rows, pairs, 0.3);
        QVERIFY(model.has_value());
        QCOMPARE(model->intercept, 0.0);
        for (std::size_t c = 0; c < 3; ++c) {
            double slope = 0;
            for (const auto& pair : pairs) {
                const double margin = model->linear(e.rows.row(pair.better)) - model->linear(e.rows.row(pair.worse));
                slope += pair.weight / (1 + std::exp(margin)) * (e.rows.row(pair.better)[c] - e.rows.row(pair.worse)[c]) / model->scale[c];
            }
            QVERIFY2(std::fabs(slope - 0.3 * model->weight[c]) < 1e-7, qPrintable(QString::number(slope)));
        }
        QCOMPARE(fitPairwise(two, {}, 1).error().code, std::string("CL-3095"));
        const std::vector<RankedPair> outside{{0, 2, 1}}, negative{{0, 1, -1}, {0, 1, 1}};
        QCOMPARE(fitPairwise(two, outside, 1).error().code, std::string("CL-3095"));
        QCOMPARE(fitPairwise(two, negative, 1).error().code, std::string("CL-3095"));
        two.values[0] = std::nanf("");
        QCOMPARE(fitPairwise(two, one, 1).error().code, std::string("CL-3095"));
    }
    void refusesWhatCannotBeLearned() {
        Matrix rows(3, 1);
        QCOMPARE(fitLogistic(rows, std::vector<std::uint8_t>{1, 1, 1}, 1).error().code, std::string("CL-3090"));
        QCOMPARE(fitLogistic(rows, std::vector<std::uint8_t>{1, 0}, 1).error().code, std::string("CL-3090"));
        rows.values[1] = std::nanf("");
        QCOMPARE(fitLogistic(rows, std::vector<std::uint8_t>{1, 0, 1}, 1).error().code, std::string("CL-3090"));
    }
};

QTEST_APPLESS_MAIN(TestAucAndLogistic)
#include "test_auc_and_logistic.moc"
