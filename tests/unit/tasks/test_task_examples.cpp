// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"
#include "reviewed_shop.h"
#include "tasks/task_examples.h"
#include <QTest>
#include <algorithm>
#include <map>
#include <set>

using namespace carousel;

namespace {

TaskExamples examplesOf(const DatasetPtr& data, TaskSettings settings = {}, std::uint64_t seed = 1) {
    TaskSplitSettings split;
    split.seed = seed, split.reviewTestShare = 0.2;
    settings.seed = seed;
    return TaskExamples(data, *makeTaskSplit(data, split, {}), randomIdentifiers(data->items.size(), seed), *parseTaskTemplates(builtInTaskTemplates()), settings);
}

// Every (user, item) whose names both stand in a text.
std::set<std::pair<Code, Code>> pairsNamed(const TaskExamples& examples, const std::string& text) {
    std::set<std::pair<Code, Code>> out;
    const std::size_t users = examples.dataset().users.size(), items = examples.dataset().items.size();
    for (std::size_t u = 0; u < users; ++u)
        if (text.find(examples.userName(static_cast<Code>(u))) != std::string::npos)
            for (std::size_t i = 0; i < items; ++i)
                if (text.find(examples.identifiers().names[i]) != std::string::npos)
                    out.insert({static_cast<Code>(u), static_cast<Code>(i)});
    return out;
}

} // namespace

class TestTaskExamples : public QObject {
    Q_OBJECT
private slots:
    void noHeldOutPairIsReadableInAnyTrainingText() {
        const auto data = test::reviewedShop();
        const auto examples = examplesOf(data);
        QVERIFY(examples.split().heldOutPairs > 120); // two of every customer, and reviews
        QVERIFY(examples.split().removedEvents > 0);
        std::array<int, 5> count{};
        for (int epoch = 0; epoch < 6; ++epoch) {
            const auto texts = examples.epoch(epoch);
            QVERIFY2(texts.has_value(), texts ? "" : texts.error().message.c_str());
            for (const TaskText& each : *texts) {
                ++count[indexOf(each.family)];
                QVERIFY(!examples.templates()[each.templateIndex].heldOut());
                QVERIFY(!each.source.empty() && !each.target.empty());
                for (const auto& [user, item] : pairsNamed(examples, each.source + " " + each.target))
                    QVERIFY2(!examples.split().heldOut(user, item), each.source.c_str());
            }
        }
        for (const int each : count)
            QVERIFY(each > 100);
    }
    void aPairThatIsHeldOutLaterIsNoticed() {
        const auto data = test::reviewedShop();
        auto split = *makeTaskSplit(data, {}, {});
        split.m_heldOut.insert(TaskSplit::key(3, split.history[3][1])); // held out, but still in the history
        const TaskExamples examples(data, split, randomIdentifiers(data->items.size(), 1), *parseTaskTemplates(builtInTaskTemplates()), {});
        bool refused = false;
        for (int epoch = 0; epoch < 8 && !refused; ++epoch)
            if (const auto texts = examples.epoch(epoch); !texts) {
                QCOMPARE(texts.error().code, std::string("CL-3114"));
                refused = true;
            }
        QVERIFY(refused);
    }
    void theSameEpochIsTheSameAndAnotherIsNot() {
        const auto data = test::reviewedShop();
        const auto examples = examplesOf(data);
        const auto sources = [&](int epoch) {
            std::vector<std::string> out;
            const auto texts = *examples.epoch(epoch);
            for (const auto& each : texts)
                out.push_back(each.source + "|" + each.target);
            return out;
        };
        QCOMPARE(sources(2), sources(2));
        QVERIFY(sources(2) != sources(3));
    }
    void answersFollowFromTheData() {
        const auto data = test::reviewedShop();
        const auto examples = examplesOf(data);
        std::map<std::string, std::array<int, 2>> yes;
        for (int epoch = 0; epoch < 5; ++epoch) {
            const auto texts = *examples.epoch(epoch);
            for (const TaskText& each : texts) {
                const TaskTemplate& form = examples.templates()[each.templateIndex];
                const auto [user, item] = each.pairs.back();
                switch (form.answer()) {
                case TaskAnswer::item: QCOMPARE(examples.identifiers().find(each.target), item); break;
                case TaskAnswer::sentence: QCOMPARE(each.target, std::string("The seams hold well!")); break;
                case TaskAnswer::headline: QCOMPARE(each.target, std::string("Fine seams")); break;
                case TaskAnswer::yesNo: {
                    ++yes[form.id()][each.target == "yes"];
                    if (each.family != TaskFamily::rating) {
                        const auto& history = examples.split().history[static_cast<std::size_t>(user)];
                        QCOMPARE(each.target == "yes", std::find(history.begin(), history.end(), item) != history.end());
                    }
                    break;
                }
                default: break;
                }
            }
        }
        QVERIFY(yes.size() >= 5);
        for (const auto& [id, counts] : yes) // about as many yes as no
            QVERIFY2(counts[0] > 10 && counts[1] > 10 && counts[0] < 4 * counts[1] && counts[1] < 4 * counts[0], id.c_str());
    }
    void testQuestionsAreTheSplitsAndChoicesHoldOneUnknownAnswer() {
        const auto data = test::reviewedShop();
        const auto examples = examplesOf(data);
        const auto next = examples.questions(TaskFamily::sequential, Part::test, 1000);
        QVERIFY(next.size() > 40);
        for (const auto& question : next) {
            QCOMPARE(question.item, examples.split().testItem[static_cast<std::size_t>(question.user)]);
            QVERIFY(std::find(question.history.begin(), question.history.end(), question.item) == question.history.end());
        }
        const auto direct = examples.questions(TaskFamily::direct, Part::test, 20);
        QCOMPARE(direct.size(), std::size_t(20));
        for (const auto& question : direct) {
            QCOMPARE(question.candidates.size(), std::size_t(100));
            QCOMPARE(std::set<Code>(question.candidates.begin(), question.candidates.end()).size(), std::size_t(100));
            int known = 0;
            for (const Code item : question.candidates)
                known += std::binary_search(examples.split().seen[static_cast<std::size_t>(question.user)].begin(), examples.split().seen[static_cast<std::size_t>(question.user)].end(), item);
            QCOMPARE(known, 0);
            QCOMPARE(std::count(question.candidates.begin(), question.candidates.end(), question.item), std::ptrdiff_t(1));
        }
        for (const TaskFamily family : {TaskFamily::rating, TaskFamily::explanation, TaskFamily::summary})
            for (const auto& question : examples.questions(family, Part::test, 1000))
                QVERIFY(examples.split().heldOut(question.user, question.item));
    }
    void renamingCustomersAndItemsChangesNothingButTheirIds() {
        const auto data = test::reviewedShop();
        auto renamed = std::make_shared<Dataset>(*data);
        renamed->users.ids = IdTable(), renamed->items.ids = IdTable();
        for (std::size_t u = 0; u < data->users.size(); ++u)
            renamed->users.ids.add("customer " + std::to_string(1000 - u));
        for (std::size_t i = 0; i < data->items.size(); ++i)
            renamed->items.ids.add("product " + std::to_string(1000 - i));
        const auto a = examplesOf(data), b = examplesOf(renamed);
        const auto first = *a.epoch(1), second = *b.epoch(1);
        QCOMPARE(first.size(), second.size());
        for (std::size_t i = 0; i < first.size(); ++i) {
            QCOMPARE(first[i].source, second[i].source);
            QCOMPARE(first[i].target, second[i].target);
        }
    }
};

QTEST_GUILESS_MAIN(TestTaskExamples)
#include "test_task_examples.moc"
