// SPDX-License-Identifier: GPL-3.0-or-later
// Specifications of analyses: options that make good forms, TOML there and back, studies taken as they are, mistakes named by key path.
#include "evaluation/click_models/click_model.h"
#include "experiment/analysis_specification.h"
#include "small_plugins.h"
#include <QTest>
#include <set>

using namespace carousel;

namespace {
constexpr AnalysisKind kinds[] = {AnalysisKind::clicks, AnalysisKind::positionBias, AnalysisKind::offPolicy, AnalysisKind::lens, AnalysisKind::rows, AnalysisKind::likes, AnalysisKind::ratings, AnalysisKind::tasks, AnalysisKind::abTest, AnalysisKind::abCheck, AnalysisKind::placement};
std::string codeOf(const Result<AnalysisSpec>& result) { return result ? "ok" : result.error().code; }
bool same(const AnalysisSpec& a, const AnalysisSpec& b) {
    return a.kind == b.kind && a.dataset == b.dataset && a.runs == b.runs && a.options == b.options && a.seed == b.seed && a.device == b.device && a.strategies == b.strategies;
}
const char* const study = R"(
name = "s"
dataset = "small"
seed = 7
[split]
method = "leave-one-out"
[evaluation]
users = 10
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

class TestAnalysisSpecification : public QObject {
    Q_OBJECT
    PluginRegistry plugins = test::smallPlugins({1, 2, 3});
    Result<AnalysisSpec> parse(AnalysisKind kind, const std::string& toml, std::vector<std::string> sets = {}) { return parseAnalysis(kind, toml, plugins, sets); }

private slots:
    void everyOptionMakesAGoodForm() {
        for (const auto kind : kinds) {
            QCOMPARE(*analysisKind(name(kind)), kind);
            std::set<std::string> ids, labels;
            for (const auto& option : analysisParameters(kind)) {
                const auto where = fmt::format("{} {}", name(kind), option.id);
                QVERIFY2(ids.insert(option.id).second && labels.insert(option.label).second, where.c_str());
                QVERIFY2(!option.label.empty() && std::isupper(static_cast<unsigned char>(option.label.front())), where.c_str());
                QVERIFY2(option.help.size() > 15 && option.help.back() == '.', where.c_str());
                if (option.kind == ParameterKind::integer || option.kind == ParameterKind::number)
                    QVERIFY2(option.minimum > -1e299 && option.maximum < 1e299, where.c_str());
                if (option.kind == ParameterKind::choice)
                    QVERIFY2(option.choices.size() > 1, where.c_str());
            }
            const auto spec = defaultAnalysis(kind); // the defaults pass their own checks
            QCOMPARE(validate(analysisParameters(kind), spec.options, "x").value(), spec.options);
        }
        QCOMPARE(analysisKind("click").error().code, std::string("CL-3060"));
        for (const auto& model : clickModels()) {
            const auto& choices = analysisParameters(AnalysisKind::clicks)[1].choices;
            QVERIFY(std::find(choices.begin(), choices.end(), model.id) != choices.end());
        }
    }
    void writingAndReadingGiveTheSame() {
        for (const auto kind : kinds) {
            auto spec = defaultAnalysis(kind);
            spec.seed = 42;
            if (kind == AnalysisKind::lens || kind == AnalysisKind::rows)
                spec.runs = {3, 5};
            else
                spec.dataset = "a \"quoted\" name";
            if (kind == AnalysisKind::clicks)
                spec.options.set("models", std::vector<std::string>{"pbm", "ubm"});
            if (kind == AnalysisKind::offPolicy)
                spec.strategies = parseStudy(study, plugins)->strategies;
            const auto again = parse(kind, toToml(spec));
            QVERIFY2(again, again ? "" : describe(again.error()).c_str());
            QVERIFY2(same(*again, spec), toToml(*again).c_str());
        }
    }
    void aStudyIsTakenAsItIs() {
        const auto spec = parse(AnalysisKind::offPolicy, study, {"B:scorer.count=9", "off_policy.window=7", "draws=500"});
        QVERIFY2(spec, spec ? "" : describe(spec.error()).c_str());
        QCOMPARE(spec->dataset, std::string("small"));
        QCOMPARE(spec->seed, std::uint64_t(7));
        QCOMPARE(spec->strategies.size(), std::size_t(2));
        QCOMPARE(spec->strategies[1].stage(StageKind::scorer).parameters.integer("count"), std::int64_t(9));
        QCOMPARE(spec->options.integer("window"), std::int64_t(7));
        QCOMPARE(spec->options.integer("draws"), std::int64_t(500));
        QVERIFY(parse(AnalysisKind::clicks, study)->strategies.empty()); // clicks need none
        QCOMPARE(parse(AnalysisKind::clicks, study)->dataset, std::string("small"));
    }
    void oneFileHoldsSeveralKinds() {
        const std::string toml = "dataset = \"shop\"\n[clicks]\nwindow = 5\n[position_bias]\nminimumOverlap = 3\n";
        QCOMPARE(parse(AnalysisKind::clicks, toml)->options.integer("window"), std::int64_t(5));
        QCOMPARE(parse(AnalysisKind::positionBias, toml)->options.integer("minimumOverlap"), std::int64_t(3));
        QCOMPARE(parse(AnalysisKind::positionBias, toml)->options.integer("window"), std::int64_t(6));
        QCOMPARE(codeOf(parse(AnalysisKind::positionBias, "[clicks]\nwindow = 0\n")), std::string("CL-3063")); // checked all the same
    }
    void setsReachWhatTheyName() {
        const auto clicks = parse(AnalysisKind::clicks, "", {"window=7", "clicks.models=pbm, dcm", "dataset=shop", "seed=9", "heldOut=0.5", "device=auto"});
        QVERIFY2(clicks, clicks ? "" : describe(clicks.error()).c_str());
        QCOMPARE(clicks->options.integer("window"), std::int64_t(7));
        QCOMPARE(clicks->options.list("models"), (std::vector<std::string>{"pbm", "dcm"}));
        QCOMPARE(clicks->dataset, std::string("shop"));
        QCOMPARE(clicks->seed, std::uint64_t(9));
        QCOMPARE(clicks->device, std::string("auto"));
        QCOMPARE(parse(AnalysisKind::positionBias, "", {"position-bias.window=4"})->options.integer("window"), std::int64_t(4));
        QCOMPARE(parse(AnalysisKind::rows, "", {"runs=1,2, 5"})->runs, (std::vector<std::int64_t>{1, 2, 5}));
    }
    void mistakesAreNamed_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("set");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QStringList>("mentions");
        const int clicks = 0, offPolicy = 2, lens = 3, rows = 4;
        QTest::newRow("not toml") << clicks << "dataset = " << "" << "CL-3061" << QStringList{"line 1"};
        QTest::newRow("unknown key") << clicks << "datset = \"x\"" << "" << "CL-3062" << QStringList{"datset", "line 1", "dataset", "clicks.window"};
        QTest::newRow("unknown option") << clicks << "[clicks]\nwindw = 6" << "" << "CL-3062" << QStringList{"clicks.windw", "line 2", "clicks.window"};
        QTest::newRow("unknown model") << clicks << "[clicks]\nmodels = [\"pbm\", \"pmb\"]" << "" << "CL-3063" << QStringList{"clicks.models", "pmb", "line 2", "carousel"};
        QTest::newRow("unknown model by set") << clicks << "" << "models=pmb" << "CL-3063" << QStringList{"clicks.models", "pmb", "cascade"};
        QTest::newRow("out of range") << clicks << "[clicks]\nheldOut = 1.5" << "" << "CL-3063" << QStringList{"clicks.heldOut", "1.5", "0.02", "0.8"};
        QTest::newRow("text for a number") << clicks << "[clicks]\nwindow = \"six\"" << "" << "CL-3063" << QStringList{"clicks.window", "six", "whole number"};
        QTest::newRow("list of numbers") << clicks << "[clicks]\npolicies = [1]" << "" << "CL-3061" << QStringList{"clicks.policies", "list of texts"};
        QTest::newRow("no table") << clicks << "clicks = 3" << "" << "CL-3061" << QStringList{"[clicks]"};
        QTest::newRow("seed") << clicks << "seed = -1" << "" << "CL-3061" << QStringList{"seed"};
        QTest::newRow("device") << clicks << "" << "device=gpu" << "CL-3061" << QStringList{"cuda", "gpu"};
        QTest::newRow("no equals") << clicks << "" << "window" << "CL-3064" << QStringList{"window"};
        QTest::newRow("set of another kind") << clicks << "" << "minimumOverlap=2" << "CL-3062" << QStringList{"minimumOverlap"};
        QTest::newRow("runs of a log analysis") << clicks << "" << "runs=1" << "CL-3062" << QStringList{"runs"};
        QTest::newRow("no runs") << lens << "" << "" << "CL-3065" << QStringList{"0", "1 to 2"};
        QTest::newRow("too many runs") << lens << "runs = [1, 2, 3]" << "" << "CL-3065" << QStringList{"3"};
        QTest::newRow("twice the same run") << rows << "runs = [4, 4]" << "" << "CL-3065" << QStringList{"4"};
        QTest::newRow("runs as texts") << rows << "runs = [\"a\"]" << "" << "CL-3061" << QStringList{"[1, 2]"};
        QTest::newRow("discount") << rows << "runs = [1, 2]\n[rows]\nalpha = 0.5" << "" << "CL-3063" << QStringList{"rows.alpha", "0.5"};
        QTest::newRow("figure") << lens << "runs = [1]\n[lens]\nfigure = \"clicks\"" << "" << "CL-3063" << QStringList{"lens.figure", "clicks", "hidden"};
        QTest::newRow("no such strategy") << offPolicy << study << "C:scorer.count=3" << "CL-3009" << QStringList{"'C'"};
        QTest::newRow("no such key") << offPolicy << study << "evaluation.users=3" << "CL-3062" << QStringList{"evaluation.users"};
        QTest::newRow("unknown plugin") << offPolicy << "[[strategy]]\nname = \"A\"\nscorer = \"tabel\"" << "" << "CL-6001" << QStringList{"tabel"};
        QTest::newRow("strategy is no list") << offPolicy << "strategy = 1" << "" << "CL-3005" << QStringList{"[[strategy]]"};
        QTest::newRow("same name") << offPolicy << "[[strategy]]\nname = \"A\"\nscorer = \"table\"\n[[strategy]]\nname = \"A\"\nscorer = \"table\"" << "" << "CL-3006" << QStringList{"'A'"};
    }
    void mistakesAreNamed() {
        QFETCH(int, kind);
        QFETCH(QString, text);
        QFETCH(QString, set);
        QFETCH(QString, code);
        QFETCH(QStringList, mentions);
        const auto result = parse(kinds[kind], text.toStdString(), set.isEmpty() ? std::vector<std::string>{} : std::vector<std::string>{set.toStdString()});
        QCOMPARE(codeOf(result), code.toStdString());
        if (!result)
            for (const auto& mention : mentions)
                QVERIFY2(QString::fromStdString(describe(result.error())).contains(mention), qPrintable(mention + " in " + QString::fromStdString(describe(result.error()))));
    }
    void bytesThatAreNoTextAreRefused() { QCOMPARE(codeOf(parse(AnalysisKind::clicks, "dataset = \"\xff\"")), std::string("CL-3061")); }
};

QTEST_APPLESS_MAIN(TestAnalysisSpecification)
#include "test_analysis_specification.moc"
