// SPDX-License-Identifier: GPL-3.0-or-later
// Simulated experiments on the sample set, whose every number is known: users from its truth click as it was worked out, the feedback loop
// changes the answer as documented, a state that is taken up again ends alike.
#include "workbench/simulation/experiment_run.h"
#include "base/file.h"
#include "data/import.h"
#include "workbench/simulation/truth_file.h"
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace carousel;

namespace {

AnalysisSpec specOf(std::initializer_list<std::pair<const char*, ParameterValue>> options) {
    AnalysisSpec spec = defaultAnalysis(AnalysisKind::abTest);
    spec.options.set("population", std::string("truth"));
    spec.options.set("draws", std::int64_t(100));
    for (const auto& [id, value] : options)
        spec.options.set(id, value);
    const PluginRegistry plugins = PluginRegistry::load();
    for (const char* scorer : {"popularity", "item_neighbours"}) {
        StrategySpec strategy;
        strategy.name = scorer;
        strategy.stage(StageKind::feature).plugin = "text_template", strategy.stage(StageKind::encoder).plugin = "one_hot_embedding";
        strategy.stage(StageKind::scorer).plugin = scorer, strategy.stage(StageKind::controller).plugin = "fixed_cascade";
        spec.strategies.push_back(strategy);
    }
    return *resolved(spec, plugins);
}

} // namespace

class TestExperimentRun : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        const auto made = importSixOfHundreds(std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds", {});
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        m_data = made->dataset;
        m_plugins = PluginRegistry::load();
        m_host.plugins = &m_plugins;
        m_host.cost = &m_cost;
    }
    void usersFromTheTruthClickAsItWasWorkedOut() {
        const auto truth = readTruth(std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds/truth.json", *m_data);
        QVERIFY2(truth, truth ? "" : describe(truth.error()).c_str());
        const auto json = nlohmann::json::parse(*readFile(std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds/truth.json", 64 << 20));
        const auto& known = json["policies"]["popularity_top"];
        std::vector<std::int32_t> slate;
        for (const std::string id : known["items"])
            slate.push_back(m_data->items.ids.find(id));
        // In closed form for every user, as the file has it.
        double clicks = 0;
        std::vector<double> perSlot(slate.size(), 0);
        for (std::size_t u = 0; u < truth->population.users; ++u) {
            double reached = 1;
            for (std::size_t slot = 0; slot < slate.size(); ++slot) {
                if (slot == 6)
                    reached *= truth->behaviour.swipe;
                const double p = truth->behaviour.examinationAt(static_cast<int>(slot)) / (1 + std::exp(-truth->population.logit(static_cast<std::int32_t>(u), slate[slot])));
                perSlot[slot] += reached * p / static_cast<double>(truth->population.users), clicks += reached * p / static_cast<double>(truth->population.users);
                reached *= 1 - p;
            }
        }
        QVERIFY2(std::fabs(clicks - known["clicks_per_slate"].get<double>()) < 1e-5, qPrintable(QString::number(clicks, 'g', 9)));
        for (std::size_t slot = 0; slot < perSlot.size(); ++slot)
            QVERIFY(std::fabs(perSlot[slot] - known["clicks_per_slot"][slot].get<double>()) < 1e-5);
        // And as the simulation draws it.
        std::vector<std::int32_t> all;
        for (std::size_t u = 0; u < truth->population.users; ++u)
            all.insert(all.end(), slate.begin(), slate.end());
        RankedSource source(std::move(all), slate.size());
        const ArmPlan arm{"top", &source};
        SimulationSettings settings;
        settings.rounds = 50, settings.feedback = false;
        const std::vector<std::int32_t> everyone(truth->population.users, -1);
        const auto drawn = simulate(truth->population, truth->behaviour, {&arm, 1}, everyone, settings, {});
        double sum = 0;
        for (const auto& round : (*drawn)[0].rounds)
            sum += round.clicks;
        const double visits = 50.0 * static_cast<double>(truth->population.users);
        QVERIFY(std::fabs(sum / visits - clicks) < 4 * std::sqrt(clicks * (1 - clicks) / visits));
    }
    void sessionsAreAssignedOneByOne() {
        const auto made = [&](std::initializer_list<std::pair<const char*, ParameterValue>> more) {
            AnalysisSpec spec = specOf({{"users", std::int64_t(900)}, {"rounds", std::int64_t(5)}, {"unit", std::string("session")}});
            for (const auto& [id, value] : more)
                spec.options.set(id, value);
            return std::move(*ExperimentRun::make(m_data, spec, m_host, "", {}));
        };
        const auto run = made({});
        const SimulatedUsers& units = run->users();
        QCOMPARE(units.who.size(), std::size_t(4500));
        QCOMPARE(units.users, std::size_t(900));
        int several = 0;
        double second = 0;
        for (std::size_t u = 0; u < 900; ++u) {
            bool both = false;
            for (std::size_t r = 0; r < 5; ++r) {
                const std::size_t unit = 5 * u + r;
                QVERIFY(units.userOf[unit] == static_cast<std::int32_t>(u) && units.firstRound[unit] == static_cast<std::int32_t>(r) && units.who[unit] == units.who[5 * u]);
                both = both || units.armOf[unit] != units.armOf[5 * u];
                second += units.armOf[unit];
            }
            several += both;
        }
        QVERIFY(std::fabs(several - 900 * (1 - 1.0 / 16)) < 4 * std::sqrt(900.0 / 16 * 15 / 16)); // five coins that do not all fall alike
        QVERIFY(std::fabs(second - 2250) < 4 * std::sqrt(4500.0) / 2);
        QVERIFY(run->run([] { return Result<void>(); }, {}));
        const auto findings = run->judge().findings(run->arms(), {});
        QVERIFY2(findings, findings ? "" : describe(findings.error()).c_str());
        bool said = false;
        for (const HealthCheck& check : findings->health)
            said = said || (check.id == "exposure" && check.title == "Sessions are assigned, not users" && check.light == HealthLight::amber);
        QVERIFY(said);
        QVERIFY(made({{"traffic", 0.5}})->users().who.size() < 2500);
        // Up a ramp: a tenth of the visits of the first round, half of those of the second, all from the third on.
        const auto ramp = made({{"ramp", std::vector<std::string>{"0.1", "0.5", "1"}}});
        std::vector<double> visits(5, 0);
        for (const std::int32_t round : ramp->users().firstRound)
            visits[static_cast<std::size_t>(round)] += 1;
        QVERIFY(std::fabs(visits[0] - 90) < 4 * 9 && std::fabs(visits[1] - 450) < 4 * 15 && visits[2] == 900 && visits[4] == 900);
        QVERIFY(!made({{"interleave", std::string("team-draft")}})->interleaved({})->empty());
    }
    void aStoppedExperimentEndsLikeAnUndisturbedOne() {
        const AnalysisSpec spec = specOf({{"users", std::int64_t(1200)}, {"rounds", std::int64_t(7)}, {"learnEvery", std::int64_t(3)}, {"fatigue", 0.5}});
        QTemporaryDir folder;
        const std::string file = folder.filePath("state").toStdString();
        const auto straight = std::move(*ExperimentRun::make(m_data, spec, m_host, "", {}));
        QVERIFY(straight->run([] { return Result<void>(); }, {}));
        QCOMPARE(straight->roundsDone(), 7);
        for (const int stopAfter : {1, 4}) {
            std::stop_source stop;
            const auto first = std::move(*ExperimentRun::make(m_data, spec, m_host, file, {}));
            QVERIFY(first->run([&] {
                if (first->roundsDone() == stopAfter)
                    stop.request_stop();
                return Result<void>();
            }, RunControl(stop.get_token())));
            QCOMPARE(first->roundsDone(), stopAfter);
            QVERIFY(fileExists(file));
            const auto second = std::move(*ExperimentRun::make(m_data, spec, m_host, file, {}));
            QCOMPARE(second->resumedAt(), stopAfter);
            QVERIFY(second->run([] { return Result<void>(); }, {}));
            QVERIFY(!fileExists(file));
            const auto a = *straight->judge().findings(straight->arms(), {}), b = *second->judge().findings(second->arms(), {});
            QCOMPARE(a.effects.size(), b.effects.size());
            for (std::size_t i = 0; i < a.effects.size(); ++i) {
                QCOMPARE(a.effects[i].effect.difference, b.effects[i].effect.difference);
                QCOMPARE(a.effects[i].effect.standardError, b.effects[i].effect.standardError);
            }
            QCOMPARE(a.paths[0].points.size(), b.paths[0].points.size());
            for (std::size_t i = 0; i < a.paths[0].points.size(); ++i)
                QCOMPARE(a.paths[0].points[i].effect.difference, b.paths[0].points[i].effect.difference);
            // Of another seed it is not taken up, nor when it is damaged.
            AnalysisSpec other = spec;
            other.seed = 2;
            QVERIFY(atomicWrite(file, "rubbish"));
            QCOMPARE((*ExperimentRun::make(m_data, other, m_host, file, {}))->resumedAt(), 0);
        }
    }
    void feedbackTakesClicksAndLearningGivesSomeBack() {
        // Documented: with feedback on, what was clicked is gone from the next carousels, so later rounds bring fewer clicks, more so in the arm
        // that clicks more; without it every round is as the first.
        const auto clicksPerVisit = [&](bool feedback, std::size_t arm, std::size_t round) {
            const AnalysisSpec spec = specOf({{"users", std::int64_t(6000)}, {"rounds", std::int64_t(8)}, {"feedback", feedback}});
            const auto run = std::move(*ExperimentRun::make(m_data, spec, m_host, "", {}));
            if (!run->run([] { return Result<void>(); }, {}))
                return -1.0;
            const auto& totals = run->arms()[arm].rounds[round];
            return totals.clicks / totals.visits;
        };
        const double firstOn = clicksPerVisit(true, 1, 0), firstOff = clicksPerVisit(false, 1, 0), lastOn = clicksPerVisit(true, 1, 7), lastOff = clicksPerVisit(false, 1, 7);
        QCOMPARE(firstOn, firstOff);
        QVERIFY2(lastOn < lastOff - 0.03, qPrintable(QStringLiteral("%1 %2 %3").arg(firstOn).arg(lastOn).arg(lastOff)));
    }
    void simulatedClicksAreLearnedAndNothingLaterIs() {
        StrategySource::Request request;
        request.dataset = m_data, request.people = {0, 5, 9}, request.length = 30, request.host = m_host;
        request.strategy = specOf({}).strategies[0];
        std::vector<std::int64_t> times(m_data->interactions.time);
        std::sort(times.begin(), times.end());
        request.before = times[times.size() / 2];
        const auto source = std::move(*StrategySource::make(request, {}));
        std::vector<std::int32_t> first(12), second(12);
        source->slate(5, {}, first);
        // A storm of clicks on an item that nobody was shown makes it popular; the same clicks in two calls leave the same behind.
        std::vector<SimulatedClick> clicks;
        std::int32_t star = 0;
        while (std::find(first.begin(), first.end(), star) != first.end())
            ++star;
        for (std::int32_t user = 10; user < 900; ++user)
            clicks.push_back({user, star, 0, user % 7 == 0});
        QVERIFY(source->learn(clicks, {}));
        source->slate(5, {}, second);
        QCOMPARE(second[0], star);
        QCOMPARE(source->fits(), 2);
        const auto parts = std::move(*StrategySource::make(request, {}));
        QVERIFY(parts->learn(std::span(clicks).first(100), {}));
        QVERIFY(parts->learn(std::span(clicks).subspan(100), {}));
        std::vector<std::int32_t> third(12);
        parts->slate(5, {}, third);
        QVERIFY(third == second);
        // Whoever was not named has no carousel, and what one clicked leaves one's own.
        parts->slate(7, {}, third);
        QVERIFY(std::all_of(third.begin(), third.end(), [](std::int32_t item) { return item == -1; }));
        const std::vector<std::int32_t> clicked{star};
        parts->slate(5, clicked, third);
        QVERIFY(std::find(third.begin(), third.end(), star) == third.end());
    }

private:
    DatasetPtr m_data;
    PluginRegistry m_plugins;
    CostMeter m_cost;
    ExperimentHost m_host;
};

QTEST_GUILESS_MAIN(TestExperimentRun)
#include "test_experiment_run.moc"
