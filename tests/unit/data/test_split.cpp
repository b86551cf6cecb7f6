// SPDX-License-Identifier: GPL-3.0-or-later
// Splits: what is held out, what is promised about targets, how ties are broken.
#include "base/random.h"
#include "data_test_help.h"
#include <algorithm>
#include <set>

using namespace carousel;
using namespace carousel::test;

namespace {

// Many users with every kind of event, coarse times and repeats. Names are made from `prefix`, so that renaming is one argument.
std::shared_ptr<Dataset> noisy(const std::string& prefix, int users = 60) {
    auto data = std::make_shared<Dataset>();
    data->interactions.kinds = {"view", "click", "dislike", "rating"};
    RandomStream random(11, "noisy data");
    for (int i = 0; i < users * 25; ++i) {
        auto& events = data->interactions;
        events.user.push_back(data->users.ids.add(prefix + "u" + std::to_string(random.below(static_cast<std::uint64_t>(users)))));
        events.item.push_back(data->items.ids.add(prefix + "i" + std::to_string(random.below(40))));
        events.kind.push_back(static_cast<std::uint8_t>(random.below(4)));
        events.value.push_back(static_cast<float>(1 + random.below(5)));
        events.time.push_back(static_cast<std::int64_t>(random.below(50)));
    }
    data->name = prefix;
    data->digest = datasetDigest(*data);
    return data;
}

Result<Split> splitOf(const Dataset& data, SplitMethod method, std::uint64_t seed = 1, int minimumHistory = 1) {
    SplitSpec spec;
    spec.method = method;
    spec.testShare = 0.2;
    spec.validationShare = 0.1;
    spec.seed = seed;
    spec.minimumHistory = minimumHistory;
    return makeSplit(data, spec, {});
}

const SplitMethod everyMethod[] = {SplitMethod::leaveOneOut, SplitMethod::ratioByTimeGlobal, SplitMethod::ratioByTimePerUser};

} // namespace

class TestSplit : public QObject {
    Q_OBJECT
private slots:
    void leaveOneOutHoldsOutTheLastTwoLikes() {
        const auto data = datasetOf({{"a", "1", "rating", 5, 10},
                                     {"a", "2", "rating", 4, 20},
                                     {"a", "3", "rating", 1, 30},
                                     {"a", "4", "rating", 5, 40},
                                     {"a", "5", "rating", 2, 50}});
        const auto split = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(split);
        QCOMPARE(split->part, (std::vector<Part>{Part::train, Part::validation, Part::validation, Part::test, Part::unused}));
        QCOMPARE(split->testTargets[0], std::vector<Code>{3});
        QCOMPARE(split->validationTargets[0], std::vector<Code>{1});
        QCOMPARE(split->trainRows, std::size_t(1));
        QCOMPARE(split->usersWithTarget, std::size_t(1));
        QCOMPARE(split->tiedTimes, std::size_t(0));
    }
    void repeatsAreNoTargets() {
        const auto data =
            datasetOf({{"a", "1", "click", 1, 10}, {"a", "2", "click", 1, 20}, {"a", "3", "click", 1, 30}, {"a", "1", "click", 1, 40}});
        const auto split = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(split);
        QCOMPARE(split->testTargets[0], std::vector<Code>{2});
        QCOMPARE(split->repeatTargetsDropped, std::size_t(1));
        QCOMPARE(split->part[3], Part::unused);
    }
    void viewsOfTheTargetAreSetAside() {
        const auto data =
            datasetOf({{"a", "1", "click", 1, 10}, {"a", "2", "view", 1, 20}, {"a", "3", "view", 1, 30}, {"a", "2", "click", 1, 40}});
        const auto split = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(split);
        QCOMPARE(split->testTargets[0], std::vector<Code>{1});
        QCOMPARE(split->part, (std::vector<Part>{Part::train, Part::unused, Part::train, Part::test}));
        QVERIFY(!split->notes.empty());
    }
    void shortHistoriesTrainOnly() {
        const auto data = datasetOf({{"a", "1", "click", 1, 10}, {"b", "1", "click", 1, 10}, {"b", "2", "click", 1, 20}});
        const auto split = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(split);
        QCOMPARE(split->part, (std::vector<Part>{Part::train, Part::train, Part::test}));
        QVERIFY(split->testTargets[0].empty());
        QVERIFY(split->validationTargets[1].empty());
        REFUSED(splitOf(*data, SplitMethod::leaveOneOut, 1, 2), "CL-1031", "hand-made", "2");
    }
    void targetsAreNewToTheUser_data() {
        QTest::addColumn<int>("method");
        for (const auto method : everyMethod)
            QTest::newRow(name(method)) << static_cast<int>(method);
    }
    void targetsAreNewToTheUser() {
        QFETCH(int, method);
        const auto data = noisy("x");
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const auto split = splitOf(*data, static_cast<SplitMethod>(method), seed);
            ACCEPTED(split);
            QVERIFY(split->usersWithTarget > 10);
            for (const char* id : {"explicit", "implicit", "combined"}) {
                const auto train = TrainingView::make(data, *split, *presetEventModel(id), false);
                const auto refit = TrainingView::make(data, *split, *presetEventModel(id), true);
                ACCEPTED(train);
                ACCEPTED(refit);
                QVERIFY(refit->events() > train->events());
                for (std::size_t u = 0; u < data->users.size(); ++u) {
                    const auto user = static_cast<Code>(u);
                    const auto known = train->seenItems(user), refitKnown = refit->seenItems(user);
                    QVERIFY(std::is_sorted(known.begin(), known.end()));
                    QVERIFY(std::adjacent_find(known.begin(), known.end()) == known.end());
                    for (const auto target : split->validationTargets[u]) {
                        QVERIFY(!std::binary_search(known.begin(), known.end(), target));
                        QVERIFY(std::binary_search(refitKnown.begin(), refitKnown.end(), target));
                    }
                    for (const auto target : split->testTargets[u])
                        QVERIFY(!std::binary_search(refitKnown.begin(), refitKnown.end(), target));
                    const std::set<Code> distinct(split->testTargets[u].begin(), split->testTargets[u].end());
                    QCOMPARE(distinct.size(), split->testTargets[u].size());
                    for (const auto item : refit->historyItems(user))
                        QVERIFY(std::binary_search(refitKnown.begin(), refitKnown.end(), item));
                    const auto times = refit->historyTime(user);
                    QVERIFY(std::is_sorted(times.begin(), times.end()));
                }
            }
        }
    }
    void trainingNeverFollowsTheTargets_data() { targetsAreNewToTheUser_data(); }
    void trainingNeverFollowsTheTargets() {
        QFETCH(int, method);
        const auto data = noisy("x");
        const auto split = splitOf(*data, static_cast<SplitMethod>(method));
        ACCEPTED(split);
        const auto& events = data->interactions;
        std::size_t counts[4] = {};
        for (std::size_t row = 0; row < events.size(); ++row) {
            ++counts[static_cast<int>(split->part[row])];
            if (split->part[row] != Part::test)
                continue;
            for (std::size_t other = 0; other < events.size(); ++other)
                if (split->part[other] == Part::train &&
                    (events.user[other] == events.user[row] || static_cast<SplitMethod>(method) == SplitMethod::ratioByTimeGlobal))
                    QVERIFY(events.time[other] <= events.time[row]);
        }
        QCOMPARE(split->trainRows, counts[0]);
        QCOMPARE(split->validationRows, counts[1]);
        QCOMPARE(split->testRows, counts[2]);
        if (static_cast<SplitMethod>(method) == SplitMethod::ratioByTimeGlobal)
            QCOMPARE(split->globalLeakShare, 0.0);
        else
            QVERIFY(split->globalLeakShare > 0);
    }
    void renamingIdsChangesNoPart_data() { targetsAreNewToTheUser_data(); }
    void renamingIdsChangesNoPart() {
        QFETCH(int, method);
        const auto a = splitOf(*noisy("x"), static_cast<SplitMethod>(method)),
                   b = splitOf(*noisy("another"), static_cast<SplitMethod>(method));
        ACCEPTED(a);
        ACCEPTED(b);
        QVERIFY(a->part == b->part);
        QVERIFY(a->testTargets == b->testTargets);
        QCOMPARE(a->digest, b->digest);
    }
    void tiesFollowTheSeedNotTheFile() {
        std::vector<Row> rows;
        static const std::string names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
        for (const auto& item : names)
            rows.push_back({"a", item.c_str(), "click", 1, 100});
        const auto data = datasetOf(rows);
        std::set<Code> targets;
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            const auto split = splitOf(*data, SplitMethod::leaveOneOut, seed), again = splitOf(*data, SplitMethod::leaveOneOut, seed);
            ACCEPTED(split);
            QCOMPARE(split->tiedTimes, std::size_t(10));
            QCOMPARE(split->digest, again->digest);
            targets.insert(split->testTargets[0][0]);
        }
        QVERIFY2(targets.size() >= 7, std::to_string(targets.size()).c_str());
    }
    void historiesKeepTheSplitsOrderOfTies() {
        const auto data = noisy("x");
        const auto split = splitOf(*data, SplitMethod::leaveOneOut, 3);
        const auto a = TrainingView::make(data, *split, *presetEventModel("combined"), false),
                   b = TrainingView::make(data, *split, *presetEventModel("combined"), true);
        ACCEPTED(a);
        ACCEPTED(b);
        for (Code user = 0; user < static_cast<Code>(data->users.size()); ++user) {
            const auto shorter = a->historyItems(user), longer = b->historyItems(user);
            QVERIFY(shorter.size() <= longer.size());
            QVERIFY(std::equal(shorter.begin(), shorter.end(), longer.begin()));
        }
    }
    void popularityCountsLikesOfTheTrainingPart() {
        const auto data = datasetOf({{"a", "1", "click", 1, 1},
                                     {"a", "2", "purchase", 1, 2},
                                     {"a", "3", "click", 1, 3},
                                     {"b", "1", "click", 1, 1},
                                     {"b", "2", "view", 1, 2},
                                     {"b", "3", "click", 1, 5}});
        const auto split = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(split);
        const auto view = TrainingView::make(data, *split, *presetEventModel("combined"), true);
        ACCEPTED(view);
        QCOMPARE(view->popularity(), (std::vector<float>{2, 4, 0}));
    }
    void aViewWithoutSomeEventsKnowsNothingOfThem() {
        const auto data = datasetOf({{"a", "1", "click", 1, 1},
                                     {"a", "2", "purchase", 1, 2},
                                     {"a", "1", "click", 1, 3},
                                     {"a", "3", "click", 1, 9},
                                     {"a", "4", "click", 1, 10},
                                     {"b", "1", "click", 1, 1},
                                     {"b", "3", "click", 1, 5},
                                     {"b", "4", "click", 1, 6}});
        const auto split = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(split);
        const auto view = TrainingView::make(data, *split, *presetEventModel("combined"), true);
        ACCEPTED(view);
        std::vector<std::uint8_t> hidden(static_cast<std::size_t>(view->events()), 0);
        const auto same = view->without(hidden);
        ACCEPTED(same);
        for (const Code user : {0, 1}) {
            const auto a = view->historyItems(user), b = same->historyItems(user), c = view->seenItems(user), d = same->seenItems(user);
            QVERIFY(std::equal(a.begin(), a.end(), b.begin(), b.end()) && std::equal(c.begin(), c.end(), d.begin(), d.end()));
        }
        QCOMPARE(same->popularity(), view->popularity());
        hidden[0] = hidden[1] = 1; // user a's first meeting with item 1, and the only one with item 2
        QCOMPARE(view->firstEventOf(1), view->historyItems(0).size());
        hidden[view->firstEventOf(1)] = 1; // user b's item 1
        const auto less = view->without(hidden);
        ACCEPTED(less);
        QCOMPARE(less->events(), view->events() - 3);
        QCOMPARE(less->historyItems(0).size(), view->historyItems(0).size() - 2);
        QCOMPARE(less->historyTime(0).front(), std::int64_t(3));
        const auto seenA = less->seenItems(0), seenB = less->seenItems(1);
        QVERIFY(std::binary_search(seenA.begin(), seenA.end(), 0) && !std::binary_search(seenA.begin(), seenA.end(), 1));
        QVERIFY(!std::binary_search(seenB.begin(), seenB.end(), 0));
        QCOMPARE(less->popularity()[1], 0.0f);
        REFUSED(view->without(std::vector<std::uint8_t>(2, 0)), "CL-9010", "2");
    }
    void everySpecificationMistakeIsNamed() {
        auto data = noisy("x");
        SplitSpec spec;
        spec.method = SplitMethod::ratioByTimeGlobal;
        spec.testShare = 0.7;
        spec.validationShare = 0.3;
        REFUSED(makeSplit(*data, spec, {}), "CL-1032", "0.7", "0.3");
        spec = {};
        spec.targetModel = "none";
        REFUSED(makeSplit(*data, spec, {}), "CL-3010", "none");
        REFUSED(splitMethod("random"), "CL-3011", "random");
        for (const auto method : everyMethod)
            QVERIFY(*splitMethod(name(method)) == method);
        data->interactions.time[5] = noTime;
        REFUSED(splitOf(*data, SplitMethod::leaveOneOut), "CL-1030", "1 of the 1,500");
        std::fill(data->interactions.time.begin(), data->interactions.time.end(), noTime);
        REFUSED(splitOf(*data, SplitMethod::ratioByTimePerUser), "CL-1030", "ratio-user");
        const auto untimed = splitOf(*data, SplitMethod::leaveOneOut);
        ACCEPTED(untimed);
        QVERIFY(untimed->notes.front().find("No times") != std::string::npos);
        const auto disliked = datasetOf({{"a", "1", "dislike", 1, 10}, {"a", "2", "dislike", 1, 20}});
        REFUSED(splitOf(*disliked, SplitMethod::leaveOneOut), "CL-1031", "hand-made");
        const auto split = splitOf(*noisy("x"), SplitMethod::leaveOneOut);
        const auto other = datasetOf({{"a", "1", "click", 1, 10}});
        REFUSED(TrainingView::make(other, *split, *presetEventModel("combined"), false), "CL-9010", "1500", "1");
    }
    void cancelStops() {
        std::stop_source source;
        source.request_stop();
        const auto stopped = makeSplit(*noisy("x"), {}, RunControl(source.get_token()));
        QVERIFY(!stopped);
        QCOMPARE(stopped.error().code, std::string("CL-7001"));
    }
};
QTEST_GUILESS_MAIN(TestSplit)
#include "test_split.moc"
