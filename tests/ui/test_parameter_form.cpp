// SPDX-License-Identifier: GPL-3.0-or-later
// One form for every kind of parameter: what goes in comes out, edits are read back, nonsense is refused beside its field.
#include "theme/theme.h"
#include "widgets/check_list.h"
#include "widgets/parameter_form.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTest>

using namespace carousel;
using namespace carousel::ui;

class TestParameterForm : public QObject {
    Q_OBJECT
private:
    static ParameterSpec spec(const char* id, ParameterKind kind, ParameterValue value) {
        ParameterSpec s;
        s.id = id;
        s.label = std::string("Label of ") + id;
        s.kind = kind;
        s.defaultValue = std::move(value);
        s.help = "Help.";
        return s;
    }
    static std::vector<ParameterSpec> everyKind() {
        auto integer = spec("integer", ParameterKind::integer, std::int64_t(5));
        integer.minimum = 1;
        integer.maximum = 10;
        integer.unit = "items";
        auto choice = spec("choice", ParameterKind::choice, std::string("b"));
        choice.choices = {"a", "b", "c"};
        auto ticks = spec("ticks", ParameterKind::list, std::vector<std::string>{"x"});
        ticks.choices = {"x", "y", "z"};
        auto field = spec("field", ParameterKind::text, std::string());
        field.fromDataFields = true;
        auto plugin = spec("plugin", ParameterKind::plugin, std::string("popularity"));
        plugin.pluginKind = "scorer";
        return {spec("flag", ParameterKind::boolean, true),
                integer,
                spec("number", ParameterKind::number, 0.25),
                spec("text", ParameterKind::text, std::string("words & more")),
                choice,
                ticks,
                spec("free", ParameterKind::list, std::vector<std::string>{"one", "two"}),
                spec("prompt", ParameterKind::prompt, std::string("Line 1\nLine {2}")),
                field,
                plugin};
    }
    static PluginRegistry registry() {
        PluginRegistry plugins;
        for (const char* id : {"popularity", "random"}) {
            PluginManifest manifest;
            manifest.kind = StageKind::scorer;
            manifest.id = id;
            manifest.name = id;
            manifest.summary = "For this test.";
            manifest.createScorer = [](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
                return fail(ErrorKind::plugin, "CL-6000", "not made in this test", "");
            };
            const auto added = plugins.add(std::move(manifest), "(test)");
            if (!added)
                qWarning("%s", added.error().message.c_str());
        }
        return plugins;
    }

private Q_SLOTS:
    void defaultsRoundTrip() {
        const auto plugins = registry();
        const auto specs = everyKind();
        ParameterForm form;
        form.setParameters(specs, {}, {&plugins, {"title", "genre"}}, "test");
        const auto read = form.parameters();
        QVERIFY2(read, read ? "" : read.error().message.c_str());
        const auto expected = validate(specs, {}, "test");
        QVERIFY(expected);
        QVERIFY(*read == *expected);
        for (const auto& s : specs) {
            auto* control = form.control(s.id);
            QVERIFY2(control, s.id.c_str());
            QVERIFY2(!control->accessibleName().isEmpty(), s.id.c_str());
            QVERIFY2(!control->toolTip().isEmpty(), s.id.c_str());
        }
    }

    void givenValuesRoundTrip() {
        const auto plugins = registry();
        const auto specs = everyKind();
        Parameters given;
        given.set("flag", false);
        given.set("integer", std::int64_t(10));
        given.set("number", -1e-7);
        given.set("text", std::string("\"quoted\", <b>bold</b>"));
        given.set("choice", std::string("c"));
        given.set("ticks", std::vector<std::string>{"z", "x"});
        given.set("free", std::vector<std::string>{"Ünï", "code"});
        given.set("prompt", std::string("a\n\nb"));
        given.set("field", std::string("genre"));
        given.set("plugin", std::string("random"));
        ParameterForm form;
        form.setParameters(specs, given, {&plugins, {"title", "genre"}}, "test");
        const auto read = form.parameters();
        QVERIFY2(read, read ? "" : read.error().message.c_str());
        QVERIFY(*read == given);
    }

    void editsAreRead() {
        const auto plugins = registry();
        ParameterForm form;
        form.setParameters(everyKind(), {}, {&plugins, {"title"}}, "test");
        QSignalSpy edited(&form, &ParameterForm::edited);
        qobject_cast<QCheckBox*>(form.control("flag"))->click();
        qobject_cast<QLineEdit*>(form.control("integer"))->setText(QStringLiteral("7"));
        qobject_cast<QLineEdit*>(form.control("number"))->setText(QStringLiteral("1e3"));
        qobject_cast<QComboBox*>(form.control("choice"))->setCurrentIndex(0);
        qobject_cast<QPlainTextEdit*>(form.control("prompt"))->setPlainText(QStringLiteral("new"));
        qobject_cast<QLineEdit*>(form.control("free"))->setText(QStringLiteral(" p , q "));
        const auto ticks = form.control("ticks")->findChildren<QCheckBox*>();
        QCOMPARE(ticks.size(), 3);
        ticks[1]->click();
        QCOMPARE(edited.size(), 7);
        const auto read = form.parameters();
        QVERIFY2(read, read ? "" : read.error().message.c_str());
        QCOMPARE(read->boolean("flag"), false);
        QCOMPARE(read->integer("integer"), std::int64_t(7));
        QCOMPARE(read->number("number"), 1000.0);
        QCOMPARE(read->text("choice"), std::string("a"));
        QCOMPARE(read->text("prompt"), std::string("new"));
        QCOMPARE(read->list("free"), (std::vector<std::string>{"p", "q"}));
        QCOMPARE(read->list("ticks"), (std::vector<std::string>{"x", "y"}));
    }

    void nonsenseIsRefused_data() {
        QTest::addColumn<QString>("control");
        QTest::addColumn<QString>("text");
        QTest::newRow("not a number") << "number" << "abc";
        QTest::newRow("nan") << "number" << "nan";
        QTest::newRow("infinite") << "number" << "1e999";
        QTest::newRow("comma") << "number" << "1,5";
        QTest::newRow("below") << "integer" << "0";
        QTest::newRow("above") << "integer" << "11";
        QTest::newRow("fraction") << "integer" << "2.5";
        QTest::newRow("empty") << "integer" << "";
    }
    void nonsenseIsRefused() {
        QFETCH(QString, control);
        QFETCH(QString, text);
        const auto plugins = registry();
        ParameterForm form;
        form.setParameters(everyKind(), {}, {&plugins, {}}, "test");
        auto* edit = qobject_cast<QLineEdit*>(form.control(ss(control)));
        QVERIFY(edit);
        edit->setText(text);
        QVERIFY(!form.isValid());
        QCOMPARE(form.parameters().error().kind, ErrorKind::input);
        QCOMPARE(edit->property("state").toString(), QStringLiteral("bad"));
        edit->setText(QStringLiteral("3"));
        QVERIFY(form.isValid());
        QCOMPARE(edit->property("state").toString(), QString());
    }

    void valueOutsideTheChoicesStaysVisible() {
        // A study made for other data names a field that this data set lacks: the form must show it, not change it silently.
        const auto plugins = registry();
        Parameters given;
        given.set("field", std::string("elsewhere"));
        ParameterForm form;
        form.setParameters(everyKind(), given, {&plugins, {"title"}}, "test");
        QCOMPARE(qobject_cast<QComboBox*>(form.control("field"))->currentText(), QStringLiteral("elsewhere"));
    }
};

QTEST_MAIN(TestParameterForm)
#include "test_parameter_form.moc"
