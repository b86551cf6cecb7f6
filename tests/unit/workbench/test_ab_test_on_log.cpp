// SPDX-License-Identifier: GPL-3.0-or-later
// An A/B comparison on a log: findings on logs whose truth is known, a red gate that decides nothing, the document, and experiments side by side.
#include "base/random.h"
#include "evaluation/off_policy/paired_terms.h"
#include "report/cell_origin.h"
#include "workbench/analyses/ab_test_on_log.h"
#include "workbench/analyses/compare_analyses.h"
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;
using namespace carousel::analyses;

namespace {
constexpr int items = 8;
double clickRate(int item) { return 0.04 + 0.03 * item; }
double price(int item) { return 10.0 - item; }
using Policy = std::vector<double>; // probability of each item
double valueOf(const Policy& policy) {
    double out = 0;
    for (int i = 0; i < items; ++i)
        out += policy[static_cast<std::size_t>(i)] * clickRate(i);
    return out;
}
Policy leaning(double slope) { // towards items with a high rate
    Policy out;
    double sum = 0;
    for (int i = 0; i < items; ++i)
        out.push_back(std::exp(slope * i)), sum += out.back();
    for (double& p : out)
        p /= sum;
    return out;
}

struct Log {
    LogRounds rounds;
    std::vector<LogArm> arms;
};
// `users` users with six impressions each, items drawn evenly; users differ in how often they click.
Log logOf(std::size_t users, const std::vector<Policy>& policies, std::uint64_t seed) {
    Log out;
    for (std::size_t a = 0; a < policies.size(); ++a)
        out.arms.push_back({"arm " + std::to_string(a), {}, {}, {}, {}, {}});
    for (std::size_t u = 0; u < users; ++u) {
        RandomStream random(seed, "log", u);
        const double eager = 0.5 + random.uniform();
        for (int s = 0; s < 6; ++s) {
            const int item = static_cast<int>(random.below(items));
            const double click = random.uniform() < eager * clickRate(item) ? 1 : 0;
            out.rounds.cluster.push_back(static_cast<std::int32_t>(u));
            out.rounds.segment.push_back(u % 3 == 0 ? 0 : 1);
            out.rounds.reward.push_back(click);
            for (std::size_t a = 0; a < policies.size(); ++a) {
                const double w = policies[a][static_cast<std::size_t>(item)] * items;
                out.arms[a].weight.push_back(w), out.arms[a].clickTerm.push_back(w * click), out.arms[a].valueTerm.push_back(w * click * price(item));
            }
        }
    }
    out.rounds.users = static_cast<double>(users), out.rounds.unit = "impression", out.rounds.segmentNames = {"third", "rest"};
    for (LogArm& arm : out.arms)
        arm.gate = evidenceGate(arm.weight, out.rounds.reward, 0, {});
    return out;
}
ExperimentDesign design(int draws = 0) {
    ExperimentDesign out;
    out.rule = StoppingRule::fixed, out.rounds = out.looks = 1, out.draws = draws;
    return out;
}
AbTestFacts factsOf(const Log& log, const ExperimentFindings& findings) {
    AbTestFacts facts;
    facts.dataset = "Made up", facts.population = "A log that was drawn.", facts.design = design(100), facts.findings = findings;
    facts.segmentTitle = "part", facts.segmentNames = log.rounds.segmentNames;
    AbTestLog& on = facts.log.emplace();
    on.unit = log.rounds.unit, on.users = log.rounds.users, on.rounds = static_cast<double>(log.rounds.reward.size());
    for (const LogArm& arm : log.arms) {
        on.gates.push_back(arm.gate);
        on.supported.push_back(log.arms[0].gate.level != Evidence::red && arm.gate.level != Evidence::red);
        facts.arms.push_back({arm.name, "drawn", {}, {}, {}});
    }
    return facts;
}
bool has(const ReportModel& report, const std::string& title) {
    return std::any_of(report.sections.begin(), report.sections.end(), [&](const ReportSection& s) { return s.title == title; });
}
ComparedAnalysis compared(std::int64_t id, AnalysisDocument document, const std::string& toml) {
    document.specToml = toml;
    return {id, "shop", "2026-11-23T10:00:00Z", std::move(document)};
}
} // namespace

class TestAbTestOnLog : public QObject {
    Q_OBJECT
private slots:
    void pairedDifferenceByHand() { // t1 - t2: 1, 0, 2, 1; w1 - w2: .5, -.5, 1, -1; users {0, 1}, {2}, {3}
        const std::vector<double> t1{2, 1, 3, 1}, t2{1, 1, 1, 0}, w1{1.5, .5, 2, 0}, w2{1, 1, 1, 1};
        const std::vector<std::int32_t> cluster{0, 0, 1, 2};
        const PairedDifference d = *pairedDifference({t1, w1}, {t2, w2}, cluster, 0, 0.95, 1, {});
        QCOMPARE(d.plain, 1.0);
        QCOMPARE(d.second, 0.75);
        QVERIFY(std::fabs(d.beta - 0.6) < 1e-12); // covariance: .5 * 0 + -.5 * -1 + 1 * 1 + -1 * 0 = 1.5, of 2.5
        QCOMPARE(d.controlled, 1.0);              // mean of the weights' difference is 0
        // Linear parts d - beta b - 1: -.3, -.7, .4, .6; sums by user -1, .4, .6: 1.52 * 3 / 2, root, by 4.
        QVERIFY(std::fabs(d.standardError - std::sqrt(1.52 * 1.5) / 4) < 1e-12);
        QCOMPARE(pairedDifference({t1, w1}, {t2, {}}, cluster, 0, 0.95, 1, {}).error().code, std::string("CL-8037"));
        const std::vector<std::int32_t> one(4, 0);
        QVERIFY(std::isnan(pairedDifference({t1, w1}, {t2, w2}, one, 50, 0.95, 1, {})->standardError));
    }
    void intervalsHoldTheTruth() {
        const Policy control = leaning(0), better = leaning(0.15);
        const double truth = valueOf(better) - valueOf(control);
        int held = 0, relative = 0, decided = 0;
        constexpr int logs = 300;
        for (int k = 0; k < logs; ++k) {
            const Log log = logOf(150, {control, better}, 40 + static_cast<std::uint64_t>(k));
            const ExperimentFindings f = *findingsOnLog(design(), log.rounds, log.arms, {});
            const Effect& e = f.find(UserMetric::clicksPerVisit, 1)->effect;
            held += e.interval.low <= truth && truth <= e.interval.high;
            relative += e.hasLift && e.liftInterval.low <= truth / valueOf(control) && truth / valueOf(control) <= e.liftInterval.high;
            decided += f.decision == Decision::ship;
            QVERIFY(f.decision != Decision::doNotShip || e.interval.high < 0);
        }
        QVERIFY2(held >= 274 && held <= 298, QByteArray::number(held)); // 285 expected, sd 3.8
        QVERIFY2(relative >= 272 && relative <= 299, QByteArray::number(relative));
        QVERIFY2(decided > 30, QByteArray::number(decided));
    }
    void sameArmsDifferInNothing() {
        const Log log = logOf(200, {leaning(0.1), leaning(0.1)}, 3);
        const ExperimentFindings f = *findingsOnLog(design(50), log.rounds, log.arms, {});
        QCOMPARE(f.find(UserMetric::clicksPerVisit, 1)->effect.difference, 0.0);
        QVERIFY(f.decision == Decision::undecided);
    }
    void aBetterArmIsShippedAndAWorseOneNot() {
        const Log log = logOf(6000, {leaning(0), leaning(0.3), leaning(-0.3)}, 8);
        const ExperimentFindings f = *findingsOnLog(design(1000), log.rounds, log.arms, {});
        QVERIFY(f.verdicts[0].decision == Decision::ship && f.verdicts[1].decision == Decision::doNotShip);
        QCOMPARE(f.best, std::size_t(1));
        QCOMPARE(f.effects.size(), std::size_t(4)); // clicks and value, two arms
        const Effect& e = f.find(UserMetric::clicksPerVisit, 1)->effect;
        // The level is shared by two comparisons: the band is wider than the interval.
        QVERIFY(f.paths[0].points[0].band.low < e.interval.low && f.paths[0].points[0].limit > 2.2);
        QVERIFY(std::fabs(f.bootstrap[0].low - e.interval.low) < 0.4 * e.standardError);
        // What is told to be detectable is, at this standard error: 1.96 + 0.84 of them, at the level of one of two decisions 2.24 + 0.84.
        QVERIFY(std::fabs(f.effects[0].detectable / e.standardError - 2.8016) < 1e-3);
        QVERIFY(std::fabs(f.power[0].detectable / e.standardError - 3.0830) < 1e-3);
        QCOMPARE(f.segments.empty(), false);
        QCOMPARE(f.segments[0].segments.size(), std::size_t(2));
        QCOMPARE(f.segments[0].segments[0].controlUsers + f.segments[0].segments[1].controlUsers, 6000.0);
        const AnalysisDocument document = abTestReport(factsOf(log, f));
        for (const char* title : {"What was tested, on whom", "Verdict", "Effects", "Health: can it be believed?", "Power: what could be found", "Segments", "Limits", "Definitions"})
            QVERIFY2(has(document.report, title), title);
        for (const char* title : {"As rounds went by", "Feedback over rounds", "How far the simulated users can be trusted", "Both in one carousel", "Positions"})
            QVERIFY2(!has(document.report, title), title);
        for (const ReportSection& section : document.report.sections)
            for (const std::string& paragraph : section.paragraphs)
                QVERIFY2(paragraph.find("imulated") == std::string::npos, paragraph.c_str());
        QVERIFY(document.report.lead[0].starts_with("Ship 'arm 1': clicks per impression"));
        const auto figures = nlohmann::json::parse(document.figuresJson);
        QCOMPARE(figures["log"]["evidence"][2]["level"].get<std::string>(), std::string("green"));
        // Every cell that names a place in the figures names one that is there.
        int traced = 0;
        for (const ReportSection& section : document.report.sections)
            for (const ReportTable& table : section.tables)
                for (const auto& row : table.rows)
                    for (const ReportCell& cell : row)
                        if (!cell.path.empty()) {
                            QVERIFY2(!figureAt(document.figuresJson, cell.path).empty(), cell.path.c_str());
                            ++traced;
                        }
        QVERIFY(traced > 40);
    }
    void aRedGateDecidesNothing() {
        Policy odd(items, 0.0); // shows one item only, which the log shows in one of eight rounds
        odd[7] = 1;
        for (const bool asControl : {false, true}) {
            Log log = logOf(6000, asControl ? std::vector<Policy>{odd, leaning(0)} : std::vector<Policy>{leaning(0), odd}, 8);
            const std::size_t red = asControl ? 0 : 1;
            QVERIFY(findingsOnLog(design(), log.rounds, log.arms, {})->decision != Decision::undecided); // by itself the difference is clear
            log.arms[red].gate = evidenceGate(log.arms[red].weight, log.rounds.reward, 0.6, {});            // but the log never shows 60 % of it
            log.arms[red].way = "What would work: nothing.";
            const ExperimentFindings f = *findingsOnLog(design(), log.rounds, log.arms, {});
            QVERIFY(f.decision == Decision::undecided);
            QVERIFY(f.healthLight == HealthLight::red);
            QVERIFY2(f.verdicts[0].sentence.find("never shows 60 %") != std::string::npos, f.verdicts[0].sentence.c_str());
            QCOMPARE(f.verdicts[0].changes, std::string("What would work: nothing."));
            QVERIFY(f.bayesian.empty());
            const AnalysisDocument document = abTestReport(factsOf(log, f));
            QVERIFY(document.report.light == Light::red && !has(document.report, "Read with a prior"));
        }
    }
    void aLogThatContradictsItselfShipsNothing() {
        Log log = logOf(6000, {leaning(0), leaning(0.3)}, 8);
        log.rounds.checks = {{"log-itself", "The log against itself: old", "Eleven standard errors apart.", HealthLight::red, 0}};
        QVERIFY(findingsOnLog(design(), log.rounds, log.arms, {})->decision == Decision::undecided);
    }
    void experimentsSideBySide() {
        const Log small = logOf(2000, {leaning(0), leaning(-0.3)}, 5), large = logOf(6000, {leaning(0), leaning(0.3)}, 8);
        const AnalysisDocument one = abTestReport(factsOf(small, *findingsOnLog(design(), small.rounds, small.arms, {})));
        const AnalysisDocument two = abTestReport(factsOf(large, *findingsOnLog(design(), large.rounds, large.arms, {})));
        const std::string toml = "seed = 1\n[ab_test]\nusers = 300\nrule = \"fixed\"\n[[strategy]]\nname = \"A\"\n", other = "seed = 1\n[ab_test]\nusers = 6000\nrule = \"fixed\"\n[[strategy]]\nname = \"A\"\n";
        const std::vector<ComparedAnalysis> both{compared(3, one, toml), compared(7, two, other)};
        const AnalysisDocument document = *comparisonDocument(both);
        QCOMPARE(document.kind, std::string("comparison"));
        QCOMPARE(document.report.command, std::string("carousel-lab-cli --project PROJECT evaluate compare 3 7"));
        const auto table = [&](const char* title) -> const ReportTable& {
            for (const ReportSection& s : document.report.sections)
                if (s.title == title)
                    return s.tables.front();
            qFatal("no section %s", title);
        };
        QCOMPARE(table("Designs").rows.size(), std::size_t(1)); // the same points are left out
        QCOMPARE(table("Designs").rows[0][0].text, std::string("Users"));
        QCOMPARE(table("Designs").rows[0][2].text, std::string("6000"));
        QCOMPARE(table("Effects").rows.size(), std::size_t(2));
        QCOMPARE(table("Effects").rows[0][3].path, std::string("analyses[1].figures.effects[0].effect.difference"));
        const auto figures = nlohmann::json::parse(document.figuresJson);
        QVERIFY(figures["analyses"][1]["figures"] == nlohmann::json::parse(two.figuresJson));
        QVERIFY(document.report.lead[0].starts_with("They do not come to one verdict"));
        QVERIFY(analysisFromJson(toJson(document)).has_value());
        // What cannot be compared.
        const auto code = [](const std::vector<ComparedAnalysis>& list) { const auto made = comparisonDocument(list); return made ? std::string() : made.error().code; };
        QCOMPARE(code({both[0]}), std::string("CL-7021"));
        QCOMPARE(code({both[0], both[0]}), std::string("CL-7021"));
        ComparedAnalysis clicks = both[1];
        clicks.document.kind = "clicks";
        QCOMPARE(code({both[0], clicks}), std::string("CL-7021"));
        QCOMPARE(code({clicks, compared(9, clicks.document, toml)}), std::string("CL-7021"));
    }
};

QTEST_GUILESS_MAIN(TestAbTestOnLog)
#include "test_ab_test_on_log.moc"
