// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_plugins.h"
#include <QTest>

using namespace carousel;

namespace {
const std::string study = R"(
name = "s"
dataset = "small"
seed = 7
[evaluation]
users = 10
swipe = 0.5
[[strategy]]
name = "A"
scorer = "table"
[[strategy]]
name = "B"
like = "A"
[strategy.scorer]
count = 3
)";
} // namespace

class TestSpecification : public QObject {
    Q_OBJECT
    PluginRegistry plugins = test::smallPlugins({1, 2, 3});
private slots:
    void defaultsAreFilledAndCopiesKeepTheRest() {
        const auto spec = parseStudy(study, plugins);
        QVERIFY2(spec, spec ? "" : describe(spec.error()).c_str());
        QCOMPARE(spec->strategies.size(), std::size_t(2));
        QCOMPARE(spec->strategies[0].stage(StageKind::scorer).parameters.integer("count"), std::int64_t(5));
        QCOMPARE(spec->strategies[1].stage(StageKind::scorer).plugin, std::string("table"));
        QCOMPARE(spec->strategies[1].stage(StageKind::scorer).parameters.integer("count"), std::int64_t(3));
        QCOMPARE(spec->strategies[1].stage(StageKind::controller).plugin, std::string("fixed_cascade"));
        QCOMPARE(spec->evaluation.swipe, 0.5);
    }
    void writingAndReadingGiveTheSame() {
        const auto spec = parseStudy(study, plugins);
        const auto again = parseStudy(toToml(*spec), plugins);
        QVERIFY2(again, again ? "" : describe(again.error()).c_str());
        QCOMPARE(canonicalJson(*again), canonicalJson(*spec));
    }
    void numbersOfLanguageModelsArePartOfTheSpecification() {
        const auto plain = parseStudy(study, plugins);
        const std::vector<std::string> sets{"compute=fp32"};
        const auto exact = parseStudy(study, plugins, sets);
        QVERIFY2(exact, exact ? "" : describe(exact.error()).c_str());
        QCOMPARE(plain->compute, std::string("auto"));
        QCOMPARE(parseStudy(toToml(*exact), plugins)->compute, std::string("fp32"));
        QVERIFY(canonicalJson(*plain) != canonicalJson(*exact)); // another fingerprint
        QVERIFY(canonicalJson(*plain).find("compute") == std::string::npos); // studies from before it could be chosen keep theirs
    }
    void answersAskedAfreshAreAnotherStudy() {
        const auto plain = parseStudy(study, plugins);
        const std::vector<std::string> sets{"answers=fresh"}, wrong{"answers=new"};
        const auto fresh = parseStudy(study, plugins, sets);
        QVERIFY2(fresh, fresh ? "" : describe(fresh.error()).c_str());
        QVERIFY(fresh->freshAnswers && !plain->freshAnswers);
        QVERIFY(parseStudy(toToml(*fresh), plugins)->freshAnswers);
        QVERIFY(canonicalJson(*plain) != canonicalJson(*fresh));
        QVERIFY(canonicalJson(*plain).find("answers") == std::string::npos);
        QCOMPARE(parseStudy(study, plugins, wrong).error().code, std::string("CL-3003"));
    }
    void setsReachWhatTheyName() {
        const std::vector<std::string> sets{"evaluation.users=3", "B:scorer.count=9", "A:scorer.llm=on", "seed=11"};
        const auto spec = parseStudy(study, plugins, sets);
        QVERIFY2(spec, spec ? "" : describe(spec.error()).c_str());
        QCOMPARE(spec->evaluation.users, 3);
        QCOMPARE(spec->seed, std::uint64_t(11));
        QCOMPARE(spec->strategies[0].stage(StageKind::scorer).plugin, std::string("table_llm"));
        QCOMPARE(spec->strategies[1].stage(StageKind::scorer).parameters.integer("count"), std::int64_t(9));
    }
    void twinsSwitchOnePlaceAndKeepWhatBothKnow() {
        const auto spec = parseStudy(study, plugins);
        const auto twin = withTwin(spec->strategies[1], StageKind::scorer, plugins);
        QCOMPARE(twin->stage(StageKind::scorer).plugin, std::string("table_llm"));
        QCOMPARE(twin->stage(StageKind::scorer).parameters.integer("count"), std::int64_t(3));
        QCOMPARE(withTwin(spec->strategies[1], StageKind::encoder, plugins).error().code, std::string("CL-3008"));
    }
    void mistakesAreNamed_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("set");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("mentions");
        const auto good = QString::fromStdString(study);
        QTest::newRow("not toml") << "name = " << "" << "CL-3005" << "line 1";
        QTest::newRow("unknown section key") << good + "\n[split]\nmethd = \"x\"\n" << "" << "CL-3005" << "split.methd";
        QTest::newRow("unknown plugin") << good << "scorer=tabel" << "CL-6001" << "tabel";
        QTest::newRow("unknown parameter") << good << "scorer.coun=3" << "CL-3001" << "coun";
        QTest::newRow("out of range") << good << "scorer.count=30" << "CL-3003" << "30";
        QTest::newRow("no such strategy") << good << "C:scorer.count=3" << "CL-3009" << "'C'";
        QTest::newRow("no equals") << good << "scorer" << "CL-3007" << "scorer";
        QTest::newRow("no strategies") << "name = \"x\"\ndataset = \"small\"\n" << "" << "CL-3006" << "no strategy";
        QTest::newRow("like nothing") << good + "\n[[strategy]]\nname = \"C\"\nlike = \"Z\"\n" << "" << "CL-3005" << "Z";
        QTest::newRow("same name") << good + "\n[[strategy]]\nname = \"A\"\nscorer = \"table\"\n" << "" << "CL-3006" << "'A'";
        QTest::newRow("no such device") << good << "device=tpu" << "CL-3003" << "cpu, cuda, auto";
        QTest::newRow("no such numbers") << good << "compute=fp8" << "CL-3003" << "auto, fp32, bf16, int16";
        QTest::newRow("swipe above one") << good << "evaluation.swipe=1.5" << "CL-3003" << "1.5";
    }
    void mistakesAreNamed() {
        QFETCH(QString, text);
        QFETCH(QString, set);
        QFETCH(QString, code);
        QFETCH(QString, mentions);
        std::vector<std::string> sets;
        if (!set.isEmpty())
            sets.push_back(set.toStdString());
        const auto spec = parseStudy(text.toStdString(), plugins, sets);
        QVERIFY(!spec);
        QCOMPARE(QString::fromStdString(spec.error().code), code);
        QVERIFY2(QString::fromStdString(describe(spec.error())).contains(mentions), describe(spec.error()).c_str());
    }
};
QTEST_APPLESS_MAIN(TestSpecification)
#include "test_specification.moc"
