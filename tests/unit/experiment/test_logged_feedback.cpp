// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions selected from an impression log, and what its propensities mean: by hand, and on the sample shop.
#include "base/paths.h"
#include "data/import.h"
#include "experiment/logged_policy_logger.h"
#include <QTest>
#include <cmath>
#include <filesystem>

using namespace carousel;

namespace {

// Two policies, three slates of two slots, the rows of the second slate in the wrong order; one anonymous visitor.
Dataset smallLog() {
    Dataset data;
    data.name = "small";
    for (const char* id : {"a", "b", "c"})
        data.items.ids.add(id);
    for (const char* id : {"x", "y"})
        data.users.ids.add(id);
    AttributeColumn region("region", FieldType::token), age("age", FieldType::number);
    const std::string_view north = "north", south = "south";
    region.appendTokens({&north, 1});
    region.appendTokens({&south, 1});
    for (const double years : {20.0, 30.0})
        age.appendNumbers({&years, 1});
    data.users.attributes = {region, age};
    auto& t = data.impressions;
    t.policy = {"one", "two"};
    auto row = [&](std::int64_t slate, Code user, Code item, int slot, int click, float p, std::int64_t time, int policy) {
        t.slate.push_back(slate);
        t.user.push_back(user);
        t.item.push_back(item);
        t.slot.push_back(static_cast<std::int16_t>(slot));
        t.click.push_back(static_cast<std::uint8_t>(click));
        t.propensity.push_back(p);
        t.reached.push_back(255);
        t.time.push_back(time);
        t.policyCode.push_back(static_cast<std::uint8_t>(policy));
    };
    row(0, 1, 0, 0, 0, 0.5f, 30, 0);
    row(0, 1, 1, 1, 1, 0.5f, 30, 0);
    row(1, 0, 2, 1, 0, 0.5f, 10, 1);
    row(1, 0, 1, 0, 0, 0.25f, 10, 1);
    row(2, noCode, 0, 0, 1, 0.5f, 20, 0);
    row(2, noCode, 2, 1, 0, 0.5f, 20, 0);
    return data;
}

const Dataset* shop() {
    static const auto imported = importSixOfHundreds(std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds", {});
    return imported ? imported->dataset.get() : nullptr;
}

} // namespace

class TestLoggedFeedback : public QObject {
    Q_OBJECT
private slots:
    void ordersRowsAndKeepsUsersTogether() {
        const auto data = smallLog();
        const auto log = selectLog(data, {});
        QVERIFY2(log, log ? "" : describe(log.error()).c_str());
        QCOMPARE(log->log.sessions(), std::size_t(3));
        QCOMPARE(log->log.item, (std::vector<std::int32_t>{0, 1, 1, 2, 0, 2}));
        QCOMPARE(log->log.slot, (std::vector<std::int16_t>{0, 1, 0, 1, 0, 1}));
        QCOMPARE(log->log.propensity[2], 0.25f);
        QCOMPARE(log->firstRow, (std::vector<std::size_t>{0, 2, 4}));
        QCOMPARE(log->log.cluster, (std::vector<std::int32_t>{0, 1, 2}));
        QVERIFY(log->log.reached.empty());
        QVERIFY(log->log.wholeSlates());
        QCOMPARE(log->notes.size(), std::size_t(1)); // one anonymous session
    }
    void selectsByPolicyTimeAndSegment() {
        const auto data = smallLog();
        const auto two = selectLog(data, {.policies = {"two"}});
        QVERIFY(two);
        QCOMPARE(two->log.sessions(), std::size_t(1));
        QCOMPARE(two->log.policies, std::vector<std::string>{"two"});
        const auto later = selectLog(data, {.from = 0.5}); // of the times 10, 20, 30
        QVERIFY(later);
        QCOMPARE(later->firstRow, (std::vector<std::size_t>{0}));
        const auto earlier = selectLog(data, {.to = 0.5});
        QVERIFY(earlier);
        QCOMPARE(earlier->firstRow, (std::vector<std::size_t>{2, 4}));
        const auto regions = selectLog(data, {.segment = "region"});
        QVERIFY(regions);
        QCOMPARE(regions->log.itemNames[0], std::string("south: a"));
        QCOMPARE(regions->log.items, 6); // south a, b; north b, c; unknown a, c
    }
    void refusesWhatIsNotThere() {
        auto data = smallLog();
        QCOMPARE(selectLog(data, {.policies = {"three"}}).error().code, std::string("CL-8025"));
        QVERIFY(selectLog(data, {.policies = {"three"}}).error().message.find("one, two") != std::string::npos);
        QCOMPARE(selectLog(data, {.segment = "age"}).error().code, std::string("CL-8026"));
        QCOMPARE(selectLog(data, {.segment = "shoe"}).error().code, std::string("CL-8026"));
        data.impressions = {};
        QCOMPARE(selectLog(data, {}).error().code, std::string("CL-8027"));
    }
    void readsBothPoliciesOfTheShopRight() {
        QVERIFY(shop());
        const auto log = selectLog(*shop(), {});
        QVERIFY(log);
        const auto readings = readPropensities(*log, "auto");
        QVERIFY(readings);
        QCOMPARE(readings->size(), std::size_t(2));
        for (const auto& reading : *readings) {
            const bool uniform = reading.policy == "uniform";
            QCOMPARE(reading.meaning, uniform ? PropensityMeaning::uniform : PropensityMeaning::conditional);
            QCOMPARE(reading.candidates, std::int64_t(400));
            QVERIFY2(uniform || reading.words.find("conditional: clear") == 0, reading.words.c_str());
        }
        QCOMPARE((*readPropensities(*log, "marginal"))[1].meaning == PropensityMeaning::conditional, false);
        QVERIFY(!readPropensities(*log, "guess"));
    }
    // softmax_popularity: weight = (1 + interactions) ** 0.7 (see SOURCE.md); found from its propensities alone.
    void findsTheWeightsBehindTheShopsLogger() {
        QVERIFY(shop());
        const auto log = selectLog(*shop(), {});
        QVERIFY(log);
        const auto readings = readPropensities(*log, "auto");
        QVERIFY(readings);
        const auto models = loggerModels(*log, *shop(), *readings);
        std::vector<double> weight(400, 1);
        for (const Code item : shop()->interactions.item)
            weight[static_cast<std::size_t>(item)] += 1;
        double sum = 0;
        for (double& w : weight)
            sum += w = std::pow(w, 0.7);
        for (const auto& model : models) {
            QVERIFY2(model.known, model.words.c_str());
            for (std::size_t i = 0; i < 400; ++i) {
                const double truth = model.policy == "uniform" ? 1.0 / 400 : weight[i] / sum;
                QVERIFY2(std::abs(model.first[i] / truth - 1) < 2e-4,
                         qPrintable(QString("item %1: %2 instead of %3").arg(i).arg(model.first[i]).arg(truth)));
            }
        }
        // With them, marginal propensities of later slots: mean of 1/p over the log counts the candidates again.
        const auto propensities = loggedPropensities(*log, *shop(), *readings, models, 1, {});
        QVERIFY(propensities);
        QVERIFY(!propensities->marginal.empty() && !propensities->conditional.empty());
        for (const int slot : {0, 5, 11}) {
            double inverse = 0, squares = 0, n = 0;
            for (std::size_t r = 0; r < log->log.rows(); ++r)
                if (log->log.slot[r] == slot && log->log.policies[log->log.policy[r / 12]] == "softmax_popularity") {
                    inverse += 1 / propensities->marginal[r];
                    squares += std::pow(1 / propensities->marginal[r], 2);
                    n += 1;
                }
            const double mean = inverse / n, error = std::sqrt((squares / n - mean * mean) / n);
            QVERIFY2(std::abs(mean - 400) < 4 * error, qPrintable(QString("slot %1: %2 +- %3").arg(slot).arg(mean).arg(error)));
        }
    }
    void withoutWholeSlatesOrWithoutPropensities() {
        auto data = smallLog();
        auto& t = data.impressions;
        std::fill(t.propensity.begin(), t.propensity.end(), std::numeric_limits<float>::quiet_NaN());
        auto log = selectLog(data, {});
        QVERIFY(log);
        auto readings = readPropensities(*log, "auto");
        QVERIFY(readings);
        QCOMPARE((*readings)[0].meaning, PropensityMeaning::unknown);
        QCOMPARE((*readings)[0].words, std::string("no propensities are logged"));
        const auto none = loggedPropensities(*log, data, *readings, loggerModels(*log, data, *readings), 1, {});
        QVERIFY(none);
        QVERIFY(none->marginal.empty() && none->conditional.empty());
        QVERIFY(none->whyNoMarginal.find("no propensities") != std::string::npos);
    }
    void openBanditImpressionsAreMarginal() {
        const std::string folder = dataFolder() + "/open-bandit";
        if (!std::filesystem::exists(folder))
            QSKIP("the Open Bandit sample is not in the data folder (packaging/fetch.sh)");
        const auto imported = importOpenBandit(folder, "men", {}, {});
        QVERIFY2(imported, imported ? "" : describe(imported.error()).c_str());
        const auto log = selectLog(*imported->dataset, {});
        QVERIFY(log);
        const auto readings = readPropensities(*log, "auto");
        QVERIFY(readings);
        for (const auto& reading : *readings) {
            QCOMPARE(reading.candidates, std::int64_t(34));
            QCOMPARE(reading.meaning, reading.policy == "random" ? PropensityMeaning::uniform : PropensityMeaning::marginal);
        }
    }
};

QTEST_APPLESS_MAIN(TestLoggedFeedback)
#include "test_logged_feedback.moc"
