// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/run_file.h"
#include <QTest>

using namespace carousel;

class TestRunFile : public QObject {
    Q_OBJECT
private slots:
    void exportedScoresFallStrictly() {
        const std::vector<NamedList> lists{{"u1", {"b", "a", "c"}, {1, 1, 1}}};
        QCOMPARE(writeTrecRun(lists, "my run"),
                 std::string("u1 Q0 b 1 3.000000 my%20run\nu1 Q0 a 2 2.000000 my%20run\nu1 Q0 c 3 1.000000 my%20run\n"));
    }
    void nastyIdsComeBack() {
        const std::vector<NamedList> lists{{"user one", {"a b", "100%", "%41", "tab\there", "Übung", "", "x%"}, {7, 6, 5, 4, 3, 2, 1}}};
        QCOMPARE(readTrecRun(writeTrecRun(lists, "t"), "x.run").value(), lists);
        QCOMPARE(readTrecQrels(writeTrecQrels(lists), "x.qrels").value(), lists);
    }
    void badLinesAreNamed() {
        for (const auto& [text, part] :
             {std::pair{"u Q0 a 1 2 t\nu Q0 b 2\n", "x.run:2: 4 fields instead of 6"}, std::pair{"u Q0 a 1 nan t\n", "x.run:1: \"nan\""},
              std::pair{"u Q0 a 1 2 t\n\nu Q0 a 2 1 t\n", "x.run:3: item \"a\" stands twice"}}) {
            const auto read = readTrecRun(text, "x.run");
            QVERIFY(!read);
            QCOMPARE(read.error().code, std::string("CL-8004"));
            QVERIFY2(read.error().message.find(part) != std::string::npos, read.error().message.c_str());
        }
        QVERIFY(readTrecRun("", "x.run")->empty());
        QCOMPARE(readTrecRun("u\tQ0 a  1 2 t\r\n", "x.run")->front().values.front(), 2.0);
    }
    void joinFollowsIdsNotOrder() {
        const auto run = *readTrecRun("u2 Q0 x 1 0.5 t\nu1 Q0 b 1 0.1 t\nu1 Q0 a 2 0.9 t\nu3 Q0 a 1 1 t\n", "r");
        const auto qrels = *readTrecQrels("u1 0 a 1\nu4 0 a 1\nu1 0 z 0\nu2 0 y 2\n", "q");
        const auto joined = *joinRun(run, qrels);
        QCOMPARE(joined.userIds, (std::vector<std::string>{"u1", "u4", "u2"}));
        QCOMPARE(joined.users[0].targetRank, (std::vector<std::int32_t>{1, 0})); // by score, whatever the line order says
        QCOMPARE(joined.itemIds[static_cast<std::size_t>(joined.users[0].items.front())], std::string("a"));
        QCOMPARE(joined.usersOnlyInRun, std::int64_t(1));
        QCOMPARE(joined.usersOnlyInQrels, std::int64_t(1));
        const auto values = evaluateRanking(joined.users, {}, {});
        QCOMPARE(values[0].users, std::int64_t(3)); // the user without a list counts, and finds nothing
        QVERIFY(std::abs(values[0].value - 1.0 / 3) < 1e-12);
    }
};
QTEST_APPLESS_MAIN(TestRunFile)
#include "test_run_file.moc"
