// SPDX-License-Identifier: GPL-3.0-or-later
// Studies with a yes/no scorer get the control that counts likes, on the same candidates, once.
#include "experiment/control_strategies.h"
#include "small_plugins.h"
#include <QTest>

using namespace carousel;

namespace {
PluginRegistry plugins() {
    auto registry = test::smallPlugins({3, 1, 2});
    const std::vector<ParameterSpec> shortlist{{.id = "retriever",
                                                .label = "R",
                                                .kind = ParameterKind::text,
                                                .defaultValue = std::string("table"),
                                                .help = "For tests.",
                                                .choices = {},
                                                .unit = {},
                                                .pluginKind = {}},
                                               {.id = "count",
                                                .label = "C",
                                                .kind = ParameterKind::integer,
                                                .defaultValue = std::int64_t(5),
                                                .help = "For tests.",
                                                .minimum = 0,
                                                .maximum = 99,
                                                .choices = {},
                                                .unit = {},
                                                .pluginKind = {}}};
    const auto add = [&](const std::string& id, bool llm, const std::string& twin) {
        PluginManifest manifest;
        manifest.kind = StageKind::scorer;
        manifest.id = manifest.name = id;
        manifest.summary = manifest.source = "For tests.";
        manifest.usesLanguageModel = llm;
        manifest.twin = twin;
        manifest.parameters = shortlist;
        manifest.createScorer = [](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
            return std::make_unique<test::TableScorer>();
        };
        if (const auto added = registry.add(std::move(manifest), "(test)"); !added)
            qFatal("%s", describe(added.error()).c_str());
    };
    add("text_recency", false, "llm_yes_no");
    add("llm_yes_no", true, "table");
    add("llm_rating", true, "text_recency");
    add("llm_listwise", true, "table");
    return registry;
}
StudySpec study(const PluginRegistry& registry, const std::string& strategies) {
    auto parsed = parseStudy("name = \"s\"\ndataset = \"d\"\n" + strategies, registry);
    if (!parsed)
        qFatal("%s", describe(parsed.error()).c_str());
    return *parsed;
}
std::string strategy(const std::string& name, const std::string& plugin, int count) {
    return fmt::format("[[strategy]]\nname = \"{}\"\n[strategy.scorer]\nplugin = \"{}\"\ncount = {}\n", name, plugin, count);
}
} // namespace

class TestControlStrategies : public QObject {
    Q_OBJECT
    PluginRegistry registry = plugins();

private slots:
    void everyYesNoScorerGetsItsControl() {
        const auto got = withControls(study(registry, strategy("LLM", "llm_yes_no", 7)), registry);
        QVERIFY2(got, got ? "" : describe(got.error()).c_str());
        QCOMPARE(got->strategies.size(), std::size_t(2));
        const auto& control = got->strategies[1];
        QCOMPARE(control.name, std::string("text_recency beside LLM"));
        QCOMPARE(control.stage(StageKind::scorer).plugin, std::string("text_recency"));
        QCOMPARE(control.stage(StageKind::scorer).parameters.integer("count"), std::int64_t(7)); // the same candidates
        QCOMPARE(control.stage(StageKind::scorer).parameters.text("retriever"), std::string("table"));
        QCOMPARE(withControls(*got, registry)->strategies.size(), std::size_t(2)); // once
    }
    void oneControlServesTheSameCandidates() {
        const auto got = withControls(
            study(registry, strategy("A", "llm_yes_no", 7) + strategy("B", "llm_rating", 7) + strategy("C", "llm_yes_no", 9)), registry);
        QCOMPARE(got->strategies.size(), std::size_t(5));
        QCOMPARE(got->strategies[3].name, std::string("text_recency beside A"));
        QCOMPARE(got->strategies[4].name, std::string("text_recency beside C"));
        // One that the analyst has put there counts, on these candidates and not on others.
        QCOMPARE(withControls(study(registry, strategy("A", "llm_yes_no", 7) + strategy("Mine", "text_recency", 7)), registry)
                     ->strategies.size(),
                 std::size_t(2));
        QCOMPARE(withControls(study(registry, strategy("A", "llm_yes_no", 7) + strategy("Mine", "text_recency", 0)), registry)
                     ->strategies.size(),
                 std::size_t(3));
    }
    void aDesignedStudyIsAllOfIt() {
        const auto designed = parseStudy("name = \"s\"\ndataset = \"d\"\ncontrols = \"none\"\n" + strategy("LLM", "llm_yes_no", 7), registry);
        QVERIFY(designed && !designed->controls);
        QCOMPARE(withControls(*designed, registry)->strategies.size(), std::size_t(1));
        QVERIFY(!parseStudy(toToml(*designed), registry)->controls);
        QVERIFY(!parseStudy("name = \"s\"\ndataset = \"d\"\ncontrols = \"some\"\n" + strategy("LLM", "llm_yes_no", 7), registry));
    }
    void othersAreLeftAsTheyAre() {
        const auto asked = study(registry, strategy("List", "llm_listwise", 7) + strategy("Plain", "table", 5));
        QVERIFY(withControls(asked, registry)->strategies == asked.strategies);
        const auto without = test::smallPlugins({1, 2});
        const auto plain = study(without, strategy("Plain", "table", 5));
        QVERIFY(withControls(plain, without)->strategies == plain.strategies);
    }
};

QTEST_APPLESS_MAIN(TestControlStrategies)
#include "test_control_strategies.moc"
