// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/task_templates.h"
#include <QTest>
#include <set>

using namespace carousel;

class TestTaskTemplates : public QObject {
    Q_OBJECT
private slots:
    void everyFamilyHasEightWordingsAndOneKeptOut() {
        const auto all = parseTaskTemplates(builtInTaskTemplates());
        QVERIFY2(all.has_value(), all ? "" : all.error().message.c_str());
        std::set<std::string> ids, sources;
        for (const TaskFamily family : taskFamilies) {
            int own = 0, heldOut = 0;
            for (const TaskTemplate& each : *all)
                if (each.family() == family) {
                    ++own;
                    heldOut += each.heldOut();
                    QVERIFY(ids.insert(each.id()).second);
                    QVERIFY2(sources.insert(each.source()).second, each.id().c_str());
                }
            QVERIFY2(own >= 8, name(family));
            QCOMPARE(heldOut, 1);
        }
    }
    void whatIsAskedForIsNotToldInTheQuestion() {
        const auto all = *parseTaskTemplates(builtInTaskTemplates());
        for (const TaskTemplate& each : all) {
            const auto asks = each.answer();
            if (asks == TaskAnswer::item)
                QVERIFY2(!each.uses("item") && !each.uses("title") && !each.uses("details"), each.id().c_str());
            if (asks == TaskAnswer::stars || asks == TaskAnswer::likeDislike)
                QVERIFY2(!each.uses("stars"), each.id().c_str());
            if (each.family() != TaskFamily::summary)
                QVERIFY2(!each.uses("review"), each.id().c_str());
        }
    }
    void emptySlotsLeaveNothingAndValuesAreNotTemplates() {
        const auto made = TaskTemplate::make("t", TaskFamily::direct, TaskAnswer::item, false, "a{{#profile}} ({{profile}}){{/profile}} of {{user}}");
        QVERIFY(made.has_value());
        QCOMPARE(made->render({{"user", "u & <b>"}}), std::string("a of u & <b>"));
        QCOMPARE(made->render({{"user", "{{history}}"}, {"profile", "x"}}), std::string("a (x) of {{history}}"));
        QVERIFY(made->uses("profile") && made->uses("user") && !made->uses("history"));
    }
    void refusals_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("words");
        const QString good = QString::fromStdString(builtInTaskTemplates());
        QTest::newRow("no toml") << "[[template" << "CL-3110" << "cannot be read";
        QTest::newRow("nothing") << "" << "CL-3111" << "0 templates";
        QTest::newRow("family") << "[[template]]\nfamily='x'\nanswer='item'\nsource='a'" << "CL-3110" << "family 'x'";
        QTest::newRow("answer") << "[[template]]\nfamily='direct'\nanswer='x'\nsource='a'" << "CL-3110" << "answer 'x'";
        QTest::newRow("slot") << "[[template]]\nfamily='direct'\nanswer='item'\nsource='{{label}}'" << "CL-3110" << "'label'";
        QTest::newRow("open section") << "[[template]]\nfamily='direct'\nanswer='item'\nsource='{{#user}}'" << "CL-3110" << "direct-1";
        QTest::newRow("empty") << "[[template]]\nfamily='direct'\nanswer='item'\nsource=''" << "CL-3110" << "is empty";
        QTest::newRow("unlearned answer") << good + "\n[[template]]\nfamily='direct'\nanswer='stars'\nheld_out=true\nsource='{{user}}'" << "CL-3111" << "direct-10";
    }
    void refusals() {
        QFETCH(QString, text);
        QFETCH(QString, code);
        QFETCH(QString, words);
        const auto parsed = parseTaskTemplates(text.toStdString());
        QVERIFY(!parsed.has_value());
        QCOMPARE(QString::fromStdString(parsed.error().code), code);
        QVERIFY2(QString::fromStdString(parsed.error().message).contains(words), parsed.error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(TestTaskTemplates)
#include "test_task_templates.moc"
