// SPDX-License-Identifier: GPL-3.0-or-later
// The plan of a placement study and what its document says, without running anything.
#include "workbench/analyses/compare_analyses.h"
#include "workbench/analyses/placement_words.h"
#include <QTest>
#include <nlohmann/json.hpp>
#include <set>

using namespace carousel;
using namespace carousel::analyses;

namespace {
ParameterSpec parameter(const char* id, ParameterKind kind, ParameterValue value) {
    ParameterSpec out;
    out.id = id, out.label = id, out.kind = kind, out.defaultValue = std::move(value), out.help = "For tests.";
    if (kind == ParameterKind::integer)
        out.minimum = 0, out.maximum = 1000;
    return out;
}

// Manifests alone: a plan makes no stage.
PluginRegistry plugins() {
    PluginRegistry out;
    const auto add = [&](StageKind kind, const char* id, bool llm, const char* twin, std::vector<ParameterSpec> parameters = {}) {
        PluginManifest manifest;
        manifest.kind = kind;
        manifest.id = manifest.name = id;
        manifest.summary = manifest.source = "For tests.";
        manifest.usesLanguageModel = llm;
        manifest.twin = twin;
        manifest.parameters = std::move(parameters);
        const auto refuse = fail(ErrorKind::internal, "CL-0000", "not made", "");
        if (kind == StageKind::feature)
            manifest.createFeature = [=](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<FeatureBuilder>> { return refuse; };
        else if (kind == StageKind::encoder)
            manifest.createEncoder = [=](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Encoder>> { return refuse; };
        else if (kind == StageKind::scorer)
            manifest.createScorer = [=](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> { return refuse; };
        else
            manifest.createController = [=](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Controller>> { return refuse; };
        if (const auto added = out.add(std::move(manifest), "(test)"); !added)
            qFatal("%s", describe(added.error()).c_str());
    };
    using Kind = ParameterKind;
    add(StageKind::feature, "text_template", false, "llm_tags");
    add(StageKind::feature, "llm_tags", true, "text_template", {parameter("model", Kind::text, std::string("small"))});
    add(StageKind::encoder, "one_hot_embedding", false, "sentence_encoder");
    add(StageKind::encoder, "sentence_encoder", true, "one_hot_embedding");
    add(StageKind::scorer, "embedding_similarity", false, "llm_yes_no");
    add(StageKind::scorer, "popularity", false, "");
    const std::vector<ParameterSpec> asked{parameter("retriever", Kind::text, std::string("popularity")), parameter("count", Kind::integer, std::int64_t(50)),
                                           parameter("itemText", Kind::text, std::string("title"))};
    auto withShots = asked;
    withShots.push_back(parameter("shots", Kind::integer, std::int64_t(0)));
    add(StageKind::scorer, "llm_yes_no", true, "embedding_similarity", withShots);
    add(StageKind::scorer, "llm_rating", true, "embedding_similarity", asked);
    add(StageKind::controller, "fixed_cascade", false, "llm_planner");
    add(StageKind::controller, "llm_planner", true, "fixed_cascade");
    return out;
}

// Nobody's run: 40 users, the scorer gains and is slow, the controller hurts, the others are unsure.
PlacementFigures figures() {
    PlacementFigures f;
    f.plan.design = fullDesign(4);
    f.plan.titleOff = {"a", "b", "c", "d"}, f.plan.titleOn = {"A", "B", "C", "D"};
    f.datasetTitle = "Shop", f.metricTitle = "nDCG@10", f.valueTitle = "Value shown";
    f.datasetUsers = 2000, f.users = 40, f.seeds = 1, f.allRuns = 32;
    const std::array<double, 4> gain{0.001, 0.01, 0.05, -0.02}, half{0.002, 0.02, 0.02, 0.01};
    for (PlacementGains* gains : {&f.gains, &f.other}) {
        gains->rows = 40;
        gains->effects.resize(16);
        for (std::uint32_t mask : f.plan.design.runs) {
            double level = 0.1;
            for (std::size_t p = 0; p < 4; ++p)
                level += mask >> p & 1 ? gain[p] : 0;
            gains->levels.push_back({level, 0.01, {level - 0.02, level + 0.02}});
        }
        for (std::size_t p = 0; p < 4; ++p)
            gains->gain[p] = gains->effects[std::size_t(1) << p] = {gain[p], half[p] / 2, {gain[p] - half[p], gain[p] + half[p]}};
        gains->total = {0.041, 0.01, {0.02, 0.06}};
        gains->totalIsClear = true;
    }
    for (std::uint32_t mask : f.plan.design.runs) {
        f.requests.push_back({{0.01 + (mask & 4 ? 1.5 : 0), 0, mask & 4 ? 900.0 : 0}});
        f.preparation.emplace_back();
    }
    for (std::size_t p = 0; p < 4; ++p) {
        f.cost[p].seconds = p == 2 ? 1.5 : 0;
        f.cost[p].money = std::nan("");
        f.evidence[p] = {.gain = gain[p], .interval = f.gains.gain[p].interval, .standardError = half[p] / 2, .users = 40, .smallestGain = 0.005, .seconds = f.cost[p].seconds, .money = std::nan(""), .mostSeconds = 2, .mostMoney = 0};
        f.verdict[p] = placementVerdict(f.evidence[p]);
    }
    return f;
}
AnalysisSpec spec() {
    auto out = defaultAnalysis(AnalysisKind::placement);
    out.dataset = "shop";
    return out;
}
} // namespace

class TestPlacement : public QObject {
    Q_OBJECT
    PluginRegistry registry = plugins();

private slots:
    void sixteenOfOnePlainStrategy() {
        auto asked = spec();
        asked.options.set("seeds", std::int64_t(3));
        const auto plan = placementPlan(asked, registry);
        QVERIFY2(plan, plan ? "" : describe(plan.error()).c_str());
        QCOMPARE(plan->studies.size(), std::size_t(3));
        QCOMPARE(plan->studies[2].seed, std::uint64_t(3));
        QCOMPARE(plan->studies[2].split.seed, std::uint64_t(3));
        const StudySpec& study = plan->studies.front();
        QCOMPARE(study.strategies.size(), std::size_t(16));
        QVERIFY(!study.controls && !study.freshAnswers);
        std::set<std::string> names, contents;
        for (std::size_t r = 0; r < 16; ++r) {
            const StrategySpec& each = study.strategies[r];
            names.insert(each.name);
            std::string content;
            for (std::size_t p = 0; p < 4; ++p) {
                const bool on = r >> p & 1;
                QCOMPARE(each.stage(placementPlaces[p]), (on ? plan->on : plan->off).stage(placementPlaces[p]));
                content += each.stage(placementPlaces[p]).plugin + " ";
            }
            contents.insert(content);
        }
        QCOMPARE(names.size(), std::size_t(16));
        QCOMPARE(contents.size(), std::size_t(16));
        // The model orders the plain scorer's own shortlist and sees what the feature place wrote.
        const auto& scorer = plan->on.stage(StageKind::scorer);
        QCOMPARE(scorer.plugin, std::string("llm_yes_no"));
        QCOMPARE(scorer.parameters.text("retriever"), std::string("embedding_similarity"));
        QCOMPARE(scorer.parameters.text("itemText"), std::string("features"));
        QCOMPARE(scorer.parameters.integer("count"), std::int64_t(20));
        QCOMPARE(plan->model[0], std::string("small"));
        QVERIFY(plan->costs.freshAnswers);
        QCOMPARE(plan->costs.evaluation.users, 8);
        QVERIFY(plan->notes.empty());
        // Written and read again it is the same, or a second call would not find it.
        QCOMPARE(toToml(*parseStudy(toToml(study), registry)), toToml(study));
        QCOMPARE(toToml(*parseStudy(toToml(plan->costs), registry)), toToml(plan->costs));
    }
    void halfAndOtherPlugins() {
        auto asked = spec();
        asked.options.set("design", std::string("half"));
        asked.options.set("llmScorer", std::string("llm_rating"));
        const auto plan = placementPlan(asked, registry);
        QVERIFY2(plan, plan ? "" : describe(plan.error()).c_str());
        QCOMPARE(plan->studies.front().strategies.size(), std::size_t(8));
        QCOMPARE(plan->studies.front().strategies[1].name, std::string("LLM at features + encoder"));
        QCOMPARE(plan->on.stage(StageKind::scorer).plugin, std::string("llm_rating"));
    }
    void fewShotRunsOnce() {
        auto asked = spec();
        asked.options.set("shots", std::int64_t(4));
        const auto plan = placementPlan(asked, registry);
        QVERIFY2(plan, plan ? "" : describe(plan.error()).c_str());
        QCOMPARE(plan->shotPlaces, 4u); // the scorer alone has a place for examples
        const auto& strategies = plan->studies.front().strategies;
        QCOMPARE(strategies.size(), std::size_t(24)); // eight combinations hold it
        QCOMPARE(plan->strategies(), std::size_t(24));
        QCOMPARE(plan->costs.strategies.size(), std::size_t(24));
        std::set<std::size_t> added;
        for (std::size_t run = 0; run < 16; ++run) {
            const std::size_t few = plan->fewShotRuns[run];
            QCOMPARE(plan->runOf(few), run);
            QCOMPARE(strategies[few].name, plan->title(few));
            if (!(plan->design.runs[run] & 4)) {
                QCOMPARE(few, run);
                continue;
            }
            added.insert(few);
            QCOMPARE(strategies[run].stage(StageKind::scorer).parameters.integer("shots"), std::int64_t(0));
            QCOMPARE(strategies[few].stage(StageKind::scorer).parameters.integer("shots"), std::int64_t(4));
            auto same = strategies[few];
            same.name = strategies[run].name;
            same.stage(StageKind::scorer) = strategies[run].stage(StageKind::scorer);
            QVERIFY(same == strategies[run]); // nothing else differs
        }
        QCOMPARE(added.size(), std::size_t(8));
        QCOMPARE(plan->title(plan->fewShotRuns[15]), std::string("LLM at all four, 4 examples"));
        asked.options.set("design", std::string("half"));
        QCOMPARE(placementPlan(asked, registry)->studies.front().strategies.size(), std::size_t(12));
        asked.options.set("llmScorer", std::string("llm_rating")); // has none here
        const auto none = placementPlan(asked, registry);
        QCOMPARE(none->shots, std::int64_t(0));
        QCOMPARE(none->strategies(), std::size_t(8));
        QVERIFY(none->notes.front().find("no") != std::string::npos);
        QVERIFY(none->notes.front().find("worked examples") != std::string::npos);
    }
    void fewShotBesideZeroShot() {
        auto f = figures();
        f.plan.shots = 1, f.plan.shotPlaces = 5;
        for (std::size_t run = 0; run < 16; ++run)
            f.plan.fewShotRuns.push_back(f.plan.design.runs[run] & 5 ? 0 : run);
        std::size_t next = 16;
        for (auto& each : f.plan.fewShotRuns)
            if (&each != &f.plan.fewShotRuns.front() && each == 0)
                each = next++;
        QCOMPARE(f.plan.strategies(), std::size_t(28));
        FewShotFigures few;
        few.gains = few.other = few.change = f.gains;
        few.change.total = {0.02, 0.005, {0.01, 0.03}};
        few.verdict = f.verdict;
        few.verdict[3] = PlacementVerdict::pays;
        for (std::size_t run = 0; run < 16; ++run)
            few.gains.levels[run].value += 0.5;
        f.fewShot = few;
        f.requests.resize(28, {{0.02, 0, 1000.0}});
        f.preparation.resize(28);
        QCOMPARE(f.level(f.plan.fewShotRuns[15]).value, f.gains.levels[15].value + 0.5);
        QCOMPARE(f.level(15).value, f.gains.levels[15].value);
        const auto document = placementReport(spec(), f);
        QVERIFY2(document, document ? "" : describe(document.error()).c_str());
        bool said = false;
        for (const auto& line : document->report.lead)
            said = said || line == "1 worked example in the prompts of the features and the scorer changes what all four gain by +0.0200 [0.0100, 0.0300] (95 %); the verdict changes at the controller: pays instead of hurts.";
        QVERIFY2(said, document->report.lead.back().c_str());
        const auto numbers = nlohmann::json::parse(document->figuresJson);
        QCOMPARE(numbers["combinations"].size(), std::size_t(28));
        QCOMPARE(numbers["combinations"][27]["name"].get<std::string>(), std::string("LLM at all four, 1 example"));
        QCOMPARE(numbers["fewShot"]["places"][0]["hasExamples"].get<bool>(), true);
        QCOMPARE(numbers["fewShot"]["places"][1]["hasExamples"].get<bool>(), false);
        bool section = false;
        for (const auto& each : document->report.sections)
            section = section || each.title == "Do worked examples help?";
        QVERIFY(section);
        QVERIFY(placementReport(spec(), figures())->figuresJson.find("fewShot") == std::string::npos);
    }
    void sideBySide() {
        auto one = figures(), two = figures();
        two.gains.gain[2].value = 0.1234;
        two.fewShot = FewShotFigures{.gains = two.gains, .other = two.gains, .change = two.gains, .cost = {}, .verdict = {}};
        two.fewShot->gains.gain[2].value = 0.4321;
        two.plan.shots = 3, two.plan.shotPlaces = 4;
        for (std::size_t run = 0; run < 16; ++run)
            two.plan.fewShotRuns.push_back(run);
        const auto document = [&](std::int64_t id, const PlacementFigures& f) {
            auto made = placementReport(spec(), f);
            made->kind = "placement";
            made->specToml = fmt::format("dataset = \"shop\"\n[placement]\nshots = {}\n", f.plan.shots);
            return ComparedAnalysis{id, "shop", "2026-01-01T00:00:00Z", *made};
        };
        std::vector<ComparedAnalysis> both{document(4, one), document(9, two)};
        const auto compared = comparisonDocument(both);
        QVERIFY2(compared, compared ? "" : describe(compared.error()).c_str());
        const ReportSection* places = nullptr;
        for (const ReportSection& section : compared->report.sections)
            if (section.title == "Places")
                places = &section;
        QVERIFY(places && places->tables.size() == 2 && places->plots.size() == 1);
        const auto& rows = places->tables[0].rows; // each place zero-shot and few-shot, then all four twice
        QCOMPARE(rows.size(), std::size_t(10));
        QCOMPARE(rows[4][0].text, std::string("scorer, zero-shot"));
        QCOMPARE(rows[4][1].text, std::string("+0.0500"));
        QCOMPARE(rows[4][2].text, std::string("+0.123"));
        QCOMPARE(rows[4][2].path, std::string("analyses[1].figures.gains.places[2].gain.value"));
        QCOMPARE(rows[5][1].text, std::string("–")); // the first had no examples
        QCOMPARE(rows[5][2].text, std::string("+0.432"));
        QCOMPARE(places->plots[0].series.size(), std::size_t(4)); // two studies, the second twice, and the line of no gain
        const auto kept = nlohmann::json::parse(compared->figuresJson);
        QCOMPARE(kept["analyses"][1]["figures"]["gains"]["places"][2]["gain"]["value"].get<double>(), 0.1234);
        QVERIFY(compared->report.warnings.empty());
        two.byValue = true;
        both[1] = document(9, two);
        QCOMPARE(comparisonDocument(both)->report.warnings.size(), std::size_t(1)); // not on one scale
    }
    void refusals() {
        const auto code = [&](const std::string& strategies) {
            const auto parsed = parseAnalysis(AnalysisKind::placement, "dataset = \"d\"\n" + strategies, registry);
            if (!parsed)
                return "parse " + describe(parsed.error());
            const auto plan = placementPlan(*parsed, registry);
            return plan ? std::string() : plan.error().code;
        };
        const std::string plain = "[[strategy]]\nname = \"P\"\nscorer = \"embedding_similarity\"\n";
        QCOMPARE(code(plain), std::string());
        QCOMPARE(code("[[strategy]]\nname = \"P\"\nscorer = \"llm_yes_no\"\n"), std::string("CL-7101"));
        QCOMPARE(code("[[strategy]]\nname = \"P\"\nscorer = \"popularity\"\n"), std::string("CL-7102"));
        QCOMPARE(code(plain + "[[strategy]]\nname = \"Q\"\nscorer = \"llm_yes_no\"\n"), std::string("CL-7103"));
        QCOMPARE(code(plain + "[[strategy]]\nname = \"Q\"\nlike = \"P\"\n[[strategy]]\nname = \"R\"\nlike = \"P\"\n"), std::string("CL-7100"));
    }
    void whatItSays() {
        const auto document = placementReport(spec(), figures());
        QVERIFY2(document, document ? "" : describe(document.error()).c_str());
        const std::string lead = document->report.lead.front();
        QVERIFY2(lead.find("At the scorer (+0.05") != std::string::npos, lead.c_str());
        QVERIFY2(lead.find("the controller (-0.02") != std::string::npos && lead.find("it hurts") != std::string::npos, lead.c_str());
        QVERIFY2(lead.find("the features and the encoder it is not shown to help") != std::string::npos, lead.c_str());
        const auto numbers = nlohmann::json::parse(document->figuresJson);
        QCOMPARE(numbers["places"][2]["verdict"].get<std::string>(), std::string("pays"));
        QCOMPARE(numbers["combinations"].size(), std::size_t(16));
        QCOMPARE(verdictNote(figures(), 0), std::string("less than 0.00500 at most")); // 0.003 at most
        QCOMPARE(verdictNote(figures(), 1), std::string("too few users to tell"));
        QVERIFY(whatWouldChange(figures(), 1, 0.95).find("About 314 users") != std::string::npos); // 40 (2.8016 * 0.01 / 0.01)^2 = 313.96
    }
    void tooDear() {
        auto f = figures();
        f.evidence[2].mostSeconds = 0.5;
        f.verdict[2] = placementVerdict(f.evidence[2]);
        QVERIFY(leadOf(f, 0.95).front().find("helps but costs more than is accepted") != std::string::npos);
        QVERIFY(whatWouldChange(f, 2, 0.95).find("3") != std::string::npos); // times as fast
    }
    void theFront() {
        const auto f = figures();
        // Quickest first: among the ones without the scorer the best is features + encoder; with it, features + encoder + scorer.
        QCOMPARE(f.front(), (std::vector<std::size_t>{3, 7}));
    }
    void itMayPayForSome() {
        auto f = figures();
        PlacementSlice fresh{.id = "cold-items", .title = "New things", .users = 24, .gains = f.gains, .fewShot = {}}, few{.id = "x", .title = "Too few", .users = 3, .gains = {}, .fewShot = {}};
        f.slices = {fresh, few};
        const auto found = [&] {
            for (const auto& finding : findingsOf(f))
                if (finding.title == "It may pay for some")
                    return finding.text;
            return std::string();
        };
        QCOMPARE(found(), std::string()); // the scorer's gain is above 0 there, but it pays for all
        f.slices[0].gains.gain[1].interval = {0.01, 0.03};
        f.slices[0].gains.gain[1].value = 0.02;
        QCOMPARE(found(), std::string("Gain above 0 at the encoder in the slice 'New things': +0.0200 [0.0100, 0.0300] from 24 answers. 1 of 4 intervals by slice and place, none corrected for their number."));
        f.slices[0].gains.rows = 19; // fewer than a verdict takes
        QCOMPARE(found(), std::string());
    }
    void aPlaceThatReachesNothing() {
        auto f = figures();
        f.gains.reachesNothing[1] = true;
        bool said = false;
        for (const auto& finding : findingsOf(f))
            said = said || (finding.light == Light::red && finding.title == "No list depends on the encoder");
        QVERIFY(said);
    }
};

QTEST_APPLESS_MAIN(TestPlacement)
#include "test_placement.moc"
