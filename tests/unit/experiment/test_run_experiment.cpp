// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_plugins.h"
#include <QTest>

using namespace carousel;

namespace {

struct MemorySink : RunSink {
    std::vector<UserResult> kept;
    std::size_t stopAfter = 1000000;
    std::stop_source* stop = nullptr;
    std::vector<Code> finishedUsers() override {
        std::vector<Code> users;
        for (const auto& user : kept)
            users.push_back(user.user);
        return users;
    }
    Result<void> append(const std::vector<UserResult>& users) override {
        kept.insert(kept.end(), users.begin(), users.end());
        if (stop && kept.size() >= stopAfter)
            stop->request_stop();
        return {};
    }
};

// What must not differ between an undisturbed and a resumed run: everything but the time it took.
void forgetTime(std::vector<UserResult>& users) {
    for (auto& user : users)
        user.cost = {};
    std::sort(users.begin(), users.end(), [](const auto& a, const auto& b) { return a.user < b.user; });
}

} // namespace

class TestRunExperiment : public QObject {
    Q_OBJECT

    // Items 0..5 with scores 3,2,2,2,1,0. User 0 has history 5, 4 and goes on to 2.
    Result<RunOutcome> run(const Dataset& data, const std::string& scorer, const std::string& controller, MemorySink& sink, const RunControl& control = {}, int users = 0) {
        const auto plugins = test::smallPlugins({3, 2, 2, 2, 1, 0});
        auto shared = std::make_shared<Dataset>(data);
        SplitSpec splitSpec;
        const auto split = makeSplit(*shared, splitSpec, {});
        if (!split)
            return fail(split.error());
        StudySpec study;
        study.dataset = "small";
        study.evaluation.users = users;
        StrategySpec strategy;
        strategy.name = "A";
        strategy.stage(StageKind::feature).plugin = "text_template";
        strategy.stage(StageKind::encoder).plugin = "one_hot_embedding";
        strategy.stage(StageKind::scorer).plugin = scorer;
        strategy.stage(StageKind::controller).plugin = controller;
        CostMeter cost;
        const ExperimentHost host{&plugins, {}, nullptr, &cost};
        return runExperiment(shared, *split, study, strategy, host, sink, control);
    }

private slots:
    void ranksTiesAndAucByHand() {
        const auto data = test::smallData(6, {{5, 4, 2}});
        MemorySink sink;
        const auto outcome = run(*data, "table", "fixed_cascade", sink);
        QVERIFY2(outcome, outcome ? "" : describe(outcome.error()).c_str());
        QCOMPARE(sink.kept.size(), std::size_t(1));
        const auto& user = sink.kept[0];
        QCOMPARE(user.targets, std::vector<Code>{2});
        QCOMPARE(user.ranked, 4);          // 0, 1, 2, 3: items 4 and 5 are known
        QCOMPARE(user.targetRank[0], 2);   // behind item 0
        QCOMPARE(user.targetTies[0], 3);   // 1, 2, 3 share score 2
        QCOMPARE(user.auc, 1.0 / 3);       // below one of three others, tied with two: (0 + 1/2 + 1/2) / 3
    }
    void retrieverLimitsWhatIsScoredAndTheRestFollows() {
        const auto data = test::smallData(6, {{5, 4, 3}});
        MemorySink sink;
        QVERIFY(run(*data, "reversed_top3", "fixed_cascade", sink));
        // table's best three unseen are 0, 1, 2; the scorer reverses them; then 3 in the retriever's order
        std::vector<Code> order;
        for (const auto& item : sink.kept[0].slate)
            order.push_back(item.item);
        QCOMPARE(order, (std::vector<Code>{2, 1, 0, 3}));
        QCOMPARE(sink.kept[0].cost.scoredCandidates, std::int64_t(3));
    }
    void brokenControllersAreNamed() {
        const auto data = test::smallData(6, {{5, 4, 2}});
        MemorySink sink;
        const auto outcome = run(*data, "table", "broken", sink);
        QVERIFY(!outcome);
        QCOMPARE(outcome.error().code, std::string("CL-6010"));
        QVERIFY(outcome.error().message.find("twice") != std::string::npos);
        QVERIFY(sink.kept.empty());
    }
    void aStoppedRunResumesToTheSameResult() {
        std::vector<std::vector<int>> histories;
        for (int u = 0; u < 300; ++u)
            histories.push_back({u % 6, (u + 1) % 6, (u + 3) % 6});
        const auto data = test::smallData(6, histories);
        MemorySink whole;
        QVERIFY(run(*data, "table", "fixed_cascade", whole));
        MemorySink parts;
        std::stop_source stop;
        parts.stop = &stop;
        parts.stopAfter = 100;
        const auto stopped = run(*data, "table", "fixed_cascade", parts, RunControl(stop.get_token()));
        QVERIFY(!stopped);
        QVERIFY(stopped.error().kind == ErrorKind::cancelled);
        QVERIFY(parts.kept.size() >= 100 && parts.kept.size() < whole.kept.size());
        parts.stop = nullptr;
        QVERIFY(run(*data, "table", "fixed_cascade", parts));
        forgetTime(parts.kept);
        forgetTime(whole.kept);
        QVERIFY(parts.kept == whole.kept);
    }
    void aSampleOfUsersDependsOnTheSeedAlone() {
        std::vector<std::vector<int>> histories(50, {0, 1, 2});
        const auto data = test::smallData(6, histories);
        const auto split = makeSplit(*data, {}, {});
        QVERIFY(split);
        EvaluationSpec evaluation;
        evaluation.users = 10;
        const auto a = evaluatedUsers(*split, evaluation, 1), b = evaluatedUsers(*split, evaluation, 1), c = evaluatedUsers(*split, evaluation, 2);
        QCOMPARE(a.size(), std::size_t(10));
        QVERIFY(a == b);
        QVERIFY(a != c);
        evaluation.users = 5;
        for (const Code user : evaluatedUsers(*split, evaluation, 1))
            QVERIFY(std::find(a.begin(), a.end(), user) != a.end()); // a smaller sample is part of a larger one
    }
};
QTEST_APPLESS_MAIN(TestRunExperiment)
#include "test_run_experiment.moc"
