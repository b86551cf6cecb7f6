// SPDX-License-Identifier: GPL-3.0-or-later
// The document of an A/B simulation: a real one, from simulated users to its files; partial ones; options to design.
#include "base/random.h"
#include "experiment/ab_test_parameters.h"
#include "report/cell_origin.h"
#include "workbench/analyses/ab_test_report.h"
#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace carousel;
using namespace carousel::analyses;

namespace {
// Users like some items more than others; one arm ranks by what they like, one by popularity, one puts the best item at position 8.
struct Shop {
    Population people;
    std::vector<std::vector<std::int32_t>> rankings; // per arm
    std::size_t length = 24;
};
Shop shop(std::size_t users) {
    Shop out;
    RandomStream random(3, "shop");
    out.people.users = users, out.people.items = 40, out.people.rank = 3, out.people.base = -2.5f;
    for (std::size_t i = 0; i < users * 3; ++i)
        out.people.userVectors.push_back(static_cast<float>(random.normal()));
    for (std::size_t i = 0; i < 40 * 3; ++i)
        out.people.itemVectors.push_back(static_cast<float>(0.7 * random.normal()));
    for (std::size_t i = 0; i < 40; ++i)
        out.people.itemBias.push_back(static_cast<float>(0.4 * random.normal())), out.people.value.push_back(static_cast<float>(5 + i));
    out.rankings.resize(3);
    for (std::size_t u = 0; u < users; ++u) {
        std::vector<std::int32_t> liked(40), popular(40);
        std::iota(liked.begin(), liked.end(), 0), std::iota(popular.begin(), popular.end(), 0);
        std::sort(liked.begin(), liked.end(), [&](std::int32_t a, std::int32_t b) { return out.people.logit(static_cast<std::int32_t>(u), a) > out.people.logit(static_cast<std::int32_t>(u), b); });
        std::sort(popular.begin(), popular.end(), [&](std::int32_t a, std::int32_t b) { return out.people.itemBias[static_cast<std::size_t>(a)] > out.people.itemBias[static_cast<std::size_t>(b)]; });
        std::vector<std::int32_t> eighth(liked.begin() + 1, liked.end());
        eighth.insert(eighth.begin() + 7, liked.front());
        for (std::size_t k = 0; k < out.length; ++k)
            out.rankings[0].push_back(popular[k]), out.rankings[1].push_back(liked[k]), out.rankings[2].push_back(eighth[k]);
    }
    return out;
}

AbTestFacts facts(std::size_t users, std::size_t arms, int rounds, int stopAfter, StoppingRule rule = StoppingRule::asymptotic) {
    const Shop world = shop(users);
    Behaviour behaviour;
    behaviour.examination = {0.9, 0.8, 0.7, 0.6, 0.5, 0.4}, behaviour.leave = 0.05, behaviour.satisfactionRate = 0.3;
    std::vector<RankedSource> sources;
    for (const auto& ranking : world.rankings)
        sources.emplace_back(ranking, world.length);
    const char* names[] = {"popular", "liked", "eighth"};
    std::vector<ArmPlan> plans;
    for (std::size_t a = 0; a < arms; ++a)
        plans.push_back({names[a], &sources[a]});
    AbTestFacts out;
    out.dataset = "Shop", out.population = "Users with tastes of three numbers, made up.", out.assignment = "Users came into arms by a hash of their names.";
    out.design.rounds = rounds, out.design.draws = 100, out.design.rule = rule, out.design.metrics.quantileDraws = 50, out.design.smallestEffect = 0.05;
    ExperimentUsers known;
    std::vector<std::string> units;
    for (std::size_t u = 0; u < users; ++u)
        units.push_back("u" + std::to_string(u));
    known.armOf = assign({"salt", std::vector<double>(arms, 1), 1, {}}, units)->arm;
    known.covariateNames = {"first taste"}, known.covariates.resize(1);
    known.segmentTitle = "taste", known.segmentNames = {"left", "right"}, known.strataTitle = "taste";
    for (std::size_t u = 0; u < users; ++u) {
        known.covariates[0].push_back(static_cast<double>(world.people.userVectors[3 * u]));
        known.segment.push_back(known.covariates[0].back() > 0);
    }
    known.stratum = known.segment;
    ExperimentJudge judge = *ExperimentJudge::create(out.design, known, arms);
    std::vector<SimulatedArm> done;
    for (int round = 0; round < stopAfter; ++round) { // the same beginning each time
        SimulationSettings settings;
        settings.rounds = round + 1;
        done = *simulate(world.people, behaviour, plans, known.armOf, settings, {});
        if (!judge.look(round, done))
            std::abort();
    }
    if (done.empty())
        for (const ArmPlan& plan : plans)
            done.push_back({plan.name, std::vector<UserTotals>(users), {}, {}, {}});
    out.design = judge.design();
    out.findings = *judge.findings(done, {});
    for (const SimulatedArm& arm : done)
        out.arms.push_back(abTestArm(arm, "a ranking"));
    out.covariateNames = known.covariateNames, out.segmentTitle = known.segmentTitle, out.segmentNames = known.segmentNames, out.strataTitle = known.strataTitle;
    out.partial = stopAfter < rounds;
    return out;
}
const ReportSection* section(const AnalysisDocument& document, const std::string& title) {
    for (const auto& each : document.report.sections)
        if (each.title == title)
            return &each;
    return nullptr;
}
void wellFormed(const AnalysisDocument& document) {
    std::vector<std::string> ids;
    for (const auto& each : document.report.sections) {
        QVERIFY(!each.title.empty());
        for (const PlotSpec& plot : each.plots) {
            QVERIFY2(!plot.title.empty() && !plot.xTitle.empty() && !plot.yTitle.empty() && plot.subtitle.starts_with("n = "), plot.id.c_str());
            QVERIFY2(!plot.series.empty() && std::find(ids.begin(), ids.end(), plot.id) == ids.end(), plot.id.c_str());
            ids.push_back(plot.id);
            for (const PlotSeries& series : plot.series)
                QVERIFY2(series.x.size() == series.y.size() && !series.x.empty() && series.low.size() == series.high.size() && (series.low.empty() || series.low.size() == series.x.size()), plot.id.c_str());
        }
        for (const ReportTable& table : each.tables)
            for (const auto& row : table.rows) {
                QVERIFY2(row.size() == table.columns.size(), table.caption.c_str());
                for (const ReportCell& cell : row) // whoever names a place in the figures names one that is there
                    QVERIFY2(cell.path.empty() || !figureAt(document.figuresJson, cell.path).empty(), cell.path.c_str());
            }
    }
    const std::string text = toText(document), html = *htmlReport(document.report);
    for (const char* never : {"\u2014", "nan", "inf,", "-inf", "{}"})
        QVERIFY2(text.find(never) == std::string::npos, (std::string(never) + " in\n" + text).c_str());
    QVERIFY(html.size() > 10000);
    const auto again = analysisFromJson(toJson(document));
    QVERIFY(again && toJson(*again) == toJson(document));
}
} // namespace

class TestAbTestReport : public QObject {
    Q_OBJECT
private slots:
    void aWholeExperiment() {
        AbTestFacts f = facts(3000, 3, 6, 6);
        Fidelity like;
        like.loggedRate = {0.1, 0.08}, like.simulatedRate = {0.11, 0.05}, like.loggedInterval = {{0.09, 0.12}, {0.07, 0.09}};
        like.mustNotBeTrustedFor = {"clicks at position 2", "how users differ"}, like.slates = 400, like.users = 90, like.slope = NAN, like.intercept = NAN;
        f.fidelity = like;
        f.interleavings.push_back({1, "team draft", judge(std::vector<int>{0, 0, 1, 0, 0, 0, 0, 0, 0}, std::vector<int>{1, 1, 0, 1, 1, 1, 1, 1, 0}, 0.95)});
        f.costs = {{"popular", 0.5, 0, 0}, {"liked", 2.5, 10, 4000}};
        const AnalysisDocument document = abTestReport(f);
        wellFormed(document);
        QVERIFY2(document.report.lead[0].starts_with("Ship 'liked'"), document.report.lead[0].c_str());
        QVERIFY(document.report.lead[1].starts_with("What would change this: "));
        QVERIFY2(document.report.lead[2].starts_with("Better than the control too, 'eighth'"), document.report.lead[2].c_str());
        QVERIFY(document.report.warnings.empty());
        const char* order[] = {"What was tested, on whom", "Verdict", "Effects", "As rounds went by", "Health: can it be believed?", "Power: what could be found", "Segments", "Feedback over rounds", "Positions", "Both in one carousel",
                               "Read with a prior", "How far the simulated users can be trusted", "What it costs", "Limits", "Definitions"};
        QCOMPARE(document.report.sections.size(), std::size(order));
        for (std::size_t i = 0; i < std::size(order); ++i)
            QCOMPARE(document.report.sections[i].title, std::string(order[i]));
        QCOMPARE(section(document, "Effects")->tables.size(), std::size_t(2));
        QCOMPARE(section(document, "Effects")->tables[0].rows.size(), std::size_t(22)); // eleven metrics of two treatments
        const auto figures = nlohmann::json::parse(document.figuresJson);
        QCOMPARE(figures["decision"].get<std::string>(), std::string("ship"));
        QCOMPARE(figures["best"].get<std::string>(), std::string("liked"));
        QCOMPARE(figures["effects"].size(), std::size_t(22));
        QCOMPARE(figures["looks"].size(), std::size_t(12));
        QCOMPARE(figures["arms"][1]["rounds"].size(), std::size_t(6));
        QVERIFY(figures["fidelity"]["slope"].is_null());
        // The story of the eighth position: more is missed than where the best item stands first.
        double missed[3] = {};
        for (std::size_t a = 0; a < 3; ++a)
            for (const auto& round : f.arms[a].rounds)
                missed[a] += round.missed / f.findings.visits[a];
        QVERIFY(missed[2] > missed[1]);
        QVERIFY(section(document, "Positions")->paragraphs[2].find("Position 8, behind the fold, came into view in") != std::string::npos);
        QCOMPARE(section(document, "Both in one carousel")->tables[0].rows[0][2].text, std::string("1"));
        QCOMPARE(section(document, "Both in one carousel")->tables[0].rows[0][3].text, std::string("7"));
        // What a folder of it holds; written where a person asked to look at it, else into nothing.
        const QByteArray wanted = qgetenv("CAROUSEL_TEST_KEEP");
        QTemporaryDir folder;
        const std::string place = wanted.isEmpty() ? folder.path().toStdString() + "/out" : wanted.toStdString();
        QVERIFY(writeAnalysis(document, place).has_value());
        const QStringList files = QDir(QString::fromStdString(place)).entryList();
        QVERIFY(files.contains("index.html") && files.contains("figures.json"));
        for (const char* plot : {"effects", "over_time_1", "power_1", "segments_2", "rounds_clicks", "positions", "fidelity"})
            QVERIFY2(!files.filter(plot).isEmpty(), plot);
    }
    void stoppedBeforeTheEnd() {
        const AnalysisDocument document = abTestReport(facts(600, 2, 30, 7, StoppingRule::fixed));
        wellFormed(document);
        QCOMPARE(document.report.warnings[0], std::string("Stopped after round 7 of 30: figures are those so far."));
        QVERIFY(document.report.lead[0].starts_with("Undecided on 'liked': a fixed test is looked at once"));
        QVERIFY(nlohmann::json::parse(document.figuresJson)["partial"].get<bool>());
        QVERIFY(!section(document, "Both in one carousel") && !section(document, "What it costs"));
    }
    void beforeTheFirstRound() {
        const AnalysisDocument document = abTestReport(facts(50, 2, 5, 0));
        wellFormed(document);
        QVERIFY(document.report.lead[0].starts_with("Undecided on 'liked': nobody has visited yet"));
    }
    void everyRuleHasItsDocument() {
        for (const StoppingRule rule : stoppingRules())
            wellFormed(abTestReport(facts(400, 2, 4, 4, rule)));
    }
    void optionsLayDownTheDesign() {
        const auto specs = experimentParameters();
        Parameters given;
        given.set("primary", std::string("missed-per-visit"));
        given.set("rule", std::string("pocock"));
        given.set("correction", std::string("bh"));
        given.set("shares", std::vector<std::string>{"0.9", "0.1"});
        given.set("ramp", std::vector<std::string>{"0.1", "1"});
        Parameters options = *validate(specs, given, "ab-test");
        options.set("rounds", std::int64_t(7));
        const ExperimentDesign design = *experimentDesign(options, 5, 2);
        QVERIFY(design.primary == UserMetric::missedPerVisit && design.rule == StoppingRule::pocock && design.correction == PValueCorrection::benjaminiHochberg);
        QCOMPARE(design.rounds, 7);
        QCOMPARE(design.shares, (std::vector<double>{0.9, 0.1}));
        QCOMPARE(design.seed, std::uint64_t(5));
        const AssignmentPlan plan = *assignmentPlan(options, 5, 2);
        QCOMPARE(plan.salt, std::string("5"));
        QCOMPARE(plan.ramp, (std::vector<double>{0.1, 1}));
        QCOMPARE(experimentDesign(options, 5, 3).error().code, std::string("CL-3138"));
        options.set("shares", std::vector<std::string>{"half", "half"});
        QCOMPARE(assignmentPlan(options, 5, 2).error().code, std::string("CL-3138"));
        options.set("shares", std::vector<std::string>{"1", "-1"});
        QCOMPARE(assignmentPlan(options, 5, 2).error().code, std::string("CL-3136"));
    }
};

QTEST_GUILESS_MAIN(TestAbTestReport)
#include "test_ab_test_report.moc"
