// SPDX-License-Identifier: GPL-3.0-or-later
// Clicks of a carousel log as training events: weights by hand, what may not come in, and the specification's table.
#include "experiment/training_clicks.h"
#include "base/random.h"
#include "experiment/pipeline.h"
#include "small_plugins.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {

bool near(double a, double b, double tolerance = 1e-6) { return std::fabs(a - b) <= tolerance; }

void show(Dataset& data, std::int64_t slate, int user, int item, int slot, bool click, int reached, std::int64_t time) {
    auto& log = data.impressions;
    log.slate.push_back(slate);
    log.user.push_back(user);
    log.item.push_back(item);
    log.slot.push_back(static_cast<std::int16_t>(slot));
    log.click.push_back(click);
    log.propensity.push_back(std::nanf(""));
    log.reached.push_back(static_cast<std::uint8_t>(reached));
    log.time.push_back(time);
    log.policyCode.push_back(0);
}

// Two pages of two slots. User 0 has met 0, 1 and is held out on 2; user 1 has met 1, 2 and is held out on 3 (leave-one-out by time).
struct Fixture {
    std::shared_ptr<Dataset> data = test::smallData(6, {{0, 1, 2}, {1, 2, 3}});
    EvaluationSpec evaluation;
    TrainingSpec training{.clicks = "ips", .logShare = 1};
    Split split;
    Fixture() {
        evaluation.window = 2;
        evaluation.swipe = 0.5;
        evaluation.examination = 0.8;
        split = *makeSplit(*data, {}, {});
    }
    Result<TrainingClicks> made() const { return trainingClicks(*data, split, training, evaluation, {}); }
    Result<TrainingView> view(const TrainingClicks& clicks) const {
        return TrainingView::make(data, split, *presetEventModel("combined"), true, &clicks.log);
    }
};

// A log of many sessions with reach and clicks, with and without users.
Fixture randomLog(std::uint64_t seed) {
    Fixture f;
    RandomStream random(seed, "log");
    for (int session = 0; session < 300; ++session) {
        const int user = random.uniform() < .1 ? noCode : static_cast<int>(random.below(2));
        const bool swiped = random.uniform() < .5;
        bool clicked = false;
        for (int slot = 0; slot < 4; ++slot) {
            const bool reached = slot < 2 || (swiped && !clicked);
            const bool click = reached && !clicked && random.uniform() < .3;
            show(*f.data, session, user, static_cast<int>(random.below(6)), slot, click, reached, 100 + session);
            clicked = clicked || click;
        }
    }
    return f;
}

} // namespace

class TestTrainingClicks : public QObject {
    Q_OBJECT
    PluginRegistry plugins = test::smallPlugins({1, 2, 3});
private slots:
    // Reach is not logged: P = theta^place * swipe^page = 1, .8, .5, .4; weights 1, 1.25, 2, 2.5.
    void weightsByHand() {
        Fixture f;
        for (int slot = 0; slot < 4; ++slot)
            show(*f.data, slot, 0, slot == 2 ? 5 : 4, slot, true, 255, 10 + slot);
        const auto made = f.made();
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        QCOMPARE(made->examination.size(), std::size_t(4));
        const double expected[] = {1, .8, .5, .4}, mean = (1 + 1.25 + 2 + 2.5) / 4;
        QVERIFY(near(made->meanWeight, mean));
        QVERIFY(near(made->largestWeight, 2.5));
        QVERIFY(near(made->effective, 6.75 * 6.75 / (1 + 1.5625 + 4 + 6.25)));
        QCOMPARE(made->log.clicks.size(), std::size_t(4));
        double sum = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            QVERIFY(near(made->examination[i], expected[i], 1e-12));
            QVERIFY(near(made->log.clicks[i].weight, 1 / expected[i] / mean));
            sum += made->log.clicks[i].weight;
        }
        QVERIFY(near(sum / 4, 1));
        QCOMPARE(made->clipped, std::int64_t(0));
        QCOMPARE(made->notes.size(), std::size_t(2)); // all of them are later than what is held out: said
        QCOMPARE(made->afterHeldOut, std::int64_t(4));
        f.training.clip = 1.5;
        const auto clipped = f.made();
        QCOMPARE(clipped->clipped, std::int64_t(2));
        QVERIFY(near(clipped->largestWeight, 1.5));
        QVERIFY(near(clipped->log.clicks[3].weight, 1.5 / ((1 + 1.25 + 1.5 + 1.5) / 4)));
        f.training.clicks = "naive";
        const auto naive = f.made();
        for (const auto& click : naive->log.clicks)
            QCOMPARE(click.weight, 1.0f);
        f.training = {.clicks = "ips", .examination = 1, .logShare = 1};
        QVERIFY(near(f.made()->examination[3], .5));
    }

    // Where reach is logged it is measured: slot 2 was in view in one of four sessions.
    void reachIsMeasured() {
        Fixture f;
        for (int session = 0; session < 4; ++session)
            for (int slot = 0; slot < 3; ++slot)
                show(*f.data, session, 0, 4, slot, session == 0 && slot == 2, slot < 2 || session == 0, session);
        const auto made = f.made();
        QVERIFY(near(made->examination[2], .25, 1e-12));
        QVERIFY(near(made->meanWeight, 4));
        QCOMPARE(made->log.clicks[0].weight, 1.0f); // one click: scaled to mean 1
    }

    // Rates count looks: theta^place of rows in view, up to and with the first click.
    void ratesByHand() {
        Fixture f;
        f.training.clicks = "evidence";
        show(*f.data, 0, noCode, 4, 0, false, 1, 1);
        show(*f.data, 0, noCode, 5, 1, true, 1, 1);
        show(*f.data, 0, noCode, 0, 2, false, 0, 1);
        show(*f.data, 1, 1, 5, 0, true, 1, 2);
        show(*f.data, 1, 1, 4, 1, false, 1, 2); // behind the click: not a look
        const auto made = f.made();
        QVERIFY(made->log.clicks.empty());
        const auto& rates = made->log.evidence;
        QVERIFY(near(rates.impressions[4], 1) && near(rates.clicks[4], 0));
        QVERIFY(near(rates.impressions[5], .8 + 1) && near(rates.clicks[5], 2));
        QVERIFY(near(rates.impressions[0], 0));
        QCOMPARE(made->anonymous, std::int64_t(1));
    }

    void theFirstShareInTime() {
        Fixture f;
        for (int session = 0; session < 10; ++session) // the last in the file is the earliest
            show(*f.data, session, 0, 4, 0, true, 1, 100 - session);
        f.training.logShare = .35; // ranks 0 to 3
        const auto made = f.made();
        QCOMPARE(made->sessionsUsed, std::int64_t(4));
        for (const auto& click : made->log.clicks)
            QVERIFY(click.time <= 94);
        for (auto& time : f.data->impressions.time)
            time = noTime;
        QCOMPARE(f.made()->log.clicks.size(), std::size_t(4));
        QCOMPARE(f.made()->afterHeldOut, std::int64_t(0));
    }

    void heldOutItemsStayOut() {
        Fixture f;
        show(*f.data, 0, 0, 2, 0, true, 1, 1);  // user 0's own test item
        show(*f.data, 1, 0, 3, 0, true, 1, 2);  // held out of user 1, not of user 0
        show(*f.data, 2, 1, 3, 1, true, 1, 3);
        const auto made = f.made();
        QCOMPARE(made->onHeldOut, std::int64_t(2));
        QCOMPARE(made->clicks, std::int64_t(3));
        QCOMPARE(made->log.clicks.size(), std::size_t(1));
        QCOMPARE(made->log.clicks[0].item, Code(3));
        QCOMPARE(made->log.clicks[0].user, Code(0));
        QVERIFY(near(made->log.evidence.clicks[2], 0) && near(made->log.evidence.impressions[2], 0));
        QVERIFY(QString::fromStdString(made->notes[0]).contains("2 clicks on the user's own held-out items"));
        // A validation target is held out unless the strategy is refitted on it.
        QCOMPARE(f.split.validationTargets[0], std::vector<Code>{1});
        show(*f.data, 3, 0, 1, 0, true, 1, 4);
        QCOMPARE(f.made()->log.clicks.size(), std::size_t(2));
        f.evaluation.refitOnValidation = false;
        QCOMPARE(f.made()->log.clicks.size(), std::size_t(1));
        QCOMPARE(f.made()->onHeldOut, std::int64_t(3));
    }

    // Whatever users did with their held-out items in the carousel, nothing that is learned from may change.
    void flippingHeldOutClicksChangesNothing() {
        for (const char* clicks : {"evidence", "naive", "ips"})
            for (std::uint64_t seed = 1; seed <= 5; ++seed) {
                auto f = randomLog(seed);
                f.training.clicks = clicks;
                const auto before = f.made();
                QVERIFY(before);
                auto& log = f.data->impressions;
                int flipped = 0;
                for (std::size_t row = 0; row < log.size(); ++row) {
                    if (log.user[row] == noCode)
                        continue;
                    const auto& targets = f.split.testTargets[static_cast<std::size_t>(log.user[row])];
                    if (std::find(targets.begin(), targets.end(), log.item[row]) != targets.end()) {
                        log.click[row] = !log.click[row];
                        ++flipped;
                    }
                }
                QVERIFY(flipped > 20);
                const auto after = f.made();
                QVERIFY(after->onHeldOut != before->onHeldOut);
                QCOMPARE(after->log.evidence.clicks, before->log.evidence.clicks);
                QCOMPARE(after->log.evidence.impressions, before->log.evidence.impressions);
                QCOMPARE(after->log.clicks.size(), before->log.clicks.size());
                for (std::size_t i = 0; i < after->log.clicks.size(); ++i) {
                    const auto &a = after->log.clicks[i], &b = before->log.clicks[i];
                    QVERIFY(a.user == b.user && a.item == b.item && a.time == b.time && a.weight == b.weight);
                    const auto& targets = f.split.testTargets[static_cast<std::size_t>(a.user)];
                    QVERIFY(std::find(targets.begin(), targets.end(), a.item) == targets.end());
                }
            }
    }

    // Histories are in time order, popularity counts clicks by their weight, and the candidates stay the same.
    void clicksJoinTheHistories() {
        Fixture f;
        TrainingClicks clicks;
        clicks.log.clicks = {{0, 5, 9, 2.0f}, {0, 4, 1, .5f}, {1, 4, noTime, 1.0f}, {0, 3, 0, 1.0f}};
        const auto plain = TrainingView::make(f.data, f.split, *presetEventModel("combined"), true);
        const auto view = f.view(clicks);
        QVERIFY(plain && view);
        const auto items = view->historyItems(0);
        QCOMPARE(std::vector<Code>(items.begin(), items.end()), (std::vector<Code>{3, 0, 4, 1, 5})); // time 1: interaction first
        QCOMPARE(view->historyWeight(0)[4], 2.0f);
        QCOMPARE(view->historyWeight(0)[0], 1.0f);
        QCOMPARE(view->historyPreference(0)[4], 1.0f);
        QCOMPARE(view->historyItems(1)[0], Code(4)); // without a time: oldest
        QCOMPARE(view->popularity()[5], plain->popularity()[5] + 2.0f);
        QCOMPARE(view->popularity()[4], plain->popularity()[4] + 1.5f);
        QCOMPARE(view->events(), plain->events() + 4);
        for (Code user = 0; user < static_cast<Code>(view->userCount()); ++user) {
            const auto a = view->seenItems(user), b = plain->seenItems(user);
            QVERIFY(std::equal(a.begin(), a.end(), b.begin(), b.end()));
        }
        QVERIFY(plain->clickEvidence().empty());
        clicks.log.clicks = {{0, 99, 1, 1.0f}};
        QCOMPARE(f.view(clicks).error().code, std::string("CL-9010"));
    }

    void withoutALog() {
        Fixture f;
        const auto refused = f.made();
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-3013"));
        f.training.clicks = "none";
        QVERIFY(f.made());
        QVERIFY(f.made()->notes.empty() && f.made()->log.evidence.empty());
    }

    // The note reaches the run, and the run of a strategy that does not use the log is what it was.
    void throughThePipeline() {
        auto f = randomLog(3);
        StudySpec study;
        study.evaluation = f.evaluation;
        StrategySpec strategy{.name = "A"};
        const char* ids[] = {"text_template", "one_hot_embedding", "table", "fixed_cascade"};
        for (std::size_t i = 0; i < 4; ++i)
            strategy.stages[i].plugin = ids[i];
        CostMeter cost;
        const ExperimentHost host{&plugins, {}, nullptr, &cost};
        const auto plain = Pipeline::prepare(f.data, f.split, study, strategy, host, {});
        QVERIFY(plain);
        QVERIFY((*plain)->notes.empty());
        QVERIFY((*plain)->training->clickEvidence().empty());
        strategy.training = {.clicks = "ips"};
        const auto trained = Pipeline::prepare(f.data, f.split, study, strategy, host, {});
        QVERIFY(trained);
        QVERIFY(QString::fromStdString((*trained)->notes.at(0)).startsWith("Trained on the carousel log (training.clicks = ips): the first 150 of 300"));
        QVERIFY((*trained)->training->events() > (*plain)->training->events());
        QCOMPARE((*trained)->training->clickEvidence().impressions.size(), std::size_t(6));
    }

    void theTableInTheFile() {
        const std::string text = "dataset = \"small\"\n[[strategy]]\nname = \"A\"\nscorer = \"table\"\ntraining = {clicks = \"ips\", clip = 5}\n"
                                 "[[strategy]]\nname = \"B\"\nlike = \"A\"\n[strategy.training]\nlogShare = 0.25\n"
                                 "[[strategy]]\nname = \"C\"\nscorer = \"table\"\n";
        const auto spec = parseStudy(text, plugins);
        QVERIFY2(spec, spec ? "" : describe(spec.error()).c_str());
        QVERIFY(spec->strategies[0].training == (TrainingSpec{.clicks = "ips", .clip = 5}));
        QVERIFY(spec->strategies[1].training == (TrainingSpec{.clicks = "ips", .clip = 5, .logShare = .25}));
        QVERIFY(spec->strategies[2].training == TrainingSpec{});
        const auto again = parseStudy(toToml(*spec), plugins);
        QVERIFY2(again, again ? "" : describe(again.error()).c_str());
        QVERIFY(again->strategies == spec->strategies);
        QCOMPARE(canonicalJson(*again), canonicalJson(*spec));
        // Strategies without the table read and hash as they always did.
        QCOMPARE(canonicalJson(spec->strategies[2]),
                 std::string("{\"controller\":{\"parameters\":{},\"plugin\":\"fixed_cascade\"},\"encoder\":{\"parameters\":{},\"plugin\":\"one_hot_embedding\"},"
                             "\"eventModel\":\"combined\",\"feature\":{\"parameters\":{},\"plugin\":\"text_template\"},\"name\":\"C\","
                             "\"scorer\":{\"parameters\":{\"count\":5},\"plugin\":\"table\"}}"));
        QVERIFY(canonicalJson(spec->strategies[0]) != canonicalJson(spec->strategies[1]));
        const auto twin = withTwin(spec->strategies[1], StageKind::scorer, plugins);
        QVERIFY(twin && twin->training == spec->strategies[1].training);
    }

    void setsReachTheTable() {
        const std::string text = "dataset = \"small\"\n[[strategy]]\nname = \"A\"\nscorer = \"table\"\n[[strategy]]\nname = \"B\"\nscorer = \"table\"\n";
        const auto both = parseStudy(text, plugins, std::vector<std::string>{"training.clicks=ips"});
        QVERIFY(both);
        QCOMPARE(both->strategies[0].training.clicks, std::string("ips"));
        QCOMPARE(both->strategies[1].training.clicks, std::string("ips"));
        const auto one = parseStudy(text, plugins, std::vector<std::string>{"B:training.clicks=naive", "B:training.examination=0.5"});
        QVERIFY(one->strategies[0].training == TrainingSpec{});
        QVERIFY(one->strategies[1].training == (TrainingSpec{.clicks = "naive", .examination = .5}));
        // What is not used makes no other strategy.
        const auto idle = parseStudy(text, plugins, std::vector<std::string>{"training.clip=3"});
        QVERIFY(idle->strategies[0].training == TrainingSpec{});
        for (const auto& [set, code] : {std::pair{"training.clicks=often", "CL-3003"}, {"training.clip=0.5", "CL-3003"}, {"training.logShare=0", "CL-3003"},
                                        {"training.examination=0.001", "CL-3003"}, {"training.click=ips", "CL-3005"}, {"Z:training.clicks=ips", "CL-3009"}}) {
            const auto refused = parseStudy(text, plugins, std::vector<std::string>{set});
            QVERIFY2(!refused, set);
            QCOMPARE(refused.error().code, std::string(code));
        }
        const auto named = parseStudy(text + "training = 5\n", plugins);
        QVERIFY(!named && named.error().message.find("training") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestTrainingClicks)
#include "test_training_clicks.moc"
