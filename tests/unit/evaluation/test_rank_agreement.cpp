// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/rank_agreement.h"
#include <QTest>
#include <cmath>
#include <vector>

using namespace carousel;

class TestRankAgreement : public QObject {
    Q_OBJECT
private slots:
    void workedByHand() {
        // One of the ten pairs is the other way round: tau (9 - 1) / 10; rank differences 0, 0, 1, 1, 0: Spearman 1 - 6 * 2 / (5 * 24).
        const std::vector<double> a{1, 2, 3, 4, 5}, b{0.1, 0.2, 0.4, 0.3, 0.9};
        const RankAgreement found = rankAgreement(a, b);
        QVERIFY(std::fabs(found.kendall - 0.8) < 1e-12);
        QVERIFY(std::fabs(found.spearman - 0.9) < 1e-12);
        QVERIFY(std::fabs(found.largestDifference - 4.1) < 1e-12);
    }
    void ties() {
        // Figures of scipy.stats.kendalltau and spearmanr.
        const std::vector<double> a{1, 2, 2, 3, 5, 5, 5}, b{2, 1, 3, 3, 4, 6, 5};
        const RankAgreement found = rankAgreement(a, b);
        QVERIFY2(std::fabs(found.kendall - 0.7592566023652966) < 1e-12, QByteArray::number(found.kendall, 'g', 17));
        QVERIFY2(std::fabs(found.spearman - 0.8779838352573822) < 1e-12, QByteArray::number(found.spearman, 'g', 17));
    }
    void oppositeAndConstant() {
        const std::vector<double> up{1, 2, 3}, down{3, 2, 1}, flat{2, 2, 2};
        QCOMPARE(rankAgreement(up, down).kendall, -1.0);
        QCOMPARE(rankAgreement(up, up).spearman, 1.0);
        QVERIFY(std::isnan(rankAgreement(up, flat).kendall));
        QVERIFY(std::isnan(rankAgreement({}, {}).spearman));
    }
};

QTEST_APPLESS_MAIN(TestRankAgreement)
#include "test_rank_agreement.moc"
