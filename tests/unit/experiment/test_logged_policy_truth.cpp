// SPDX-License-Identifier: GPL-3.0-or-later
// Off-policy estimates on the sample shop against what its simulator says. The exact values for drawn policies come from
// tests/reference/off_policy_truth/exact_values.py (standard error 0.0003), those of the logging policies from truth.json.
#include "data/import.h"
#include "evaluation/off_policy/evidence.h"
#include "experiment/logged_policy_logger.h"
#include <QFile>
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

using namespace carousel;
using Json = nlohmann::json;

class TestLoggedPolicyTruth : public QObject {
    Q_OBJECT

    std::shared_ptr<Dataset> m_shop;
    Json m_truth;

    struct Prepared {
        SelectedLog log;
        LoggedPropensities logged;
    };
    std::map<std::vector<std::string>, Prepared> m_prepared; // reading a log and drawing a logger's slates takes a while
    const Prepared& prepared(const std::vector<std::string>& policies) {
        const auto [it, isNew] = m_prepared.try_emplace(policies);
        Prepared& out = it->second;
        if (!isNew)
            return out;
        out.log = *selectLog(*m_shop, {.policies = policies});
        const auto readings = readPropensities(out.log, "auto");
        out.logged = *loggedPropensities(out.log, *m_shop, *readings, loggerModels(out.log, *m_shop, *readings), 1, {});
        return out;
    }
    std::vector<PolicyEstimate> slateEstimates(const Prepared& p, const TargetPropensities& target) {
        SlateLog slates;
        slates.offsets = p.log.log.offsets;
        slates.reward.assign(p.log.log.click.begin(), p.log.log.click.end());
        slates.conditional = p.logged.conditional;
        slates.marginal = p.logged.marginal;
        slates.targetConditional = target.conditional;
        slates.targetMarginal = target.marginal;
        slates.cluster = p.log.log.cluster;
        OffPolicyOptions options;
        options.draws = 100;
        return *estimateSlatePolicy({SlatePolicy::rips, SlatePolicy::iips, SlatePolicy::snrips}, slates, options, {});
    }
    static void covers(const PolicyEstimate& estimate, double truth, double largestError) {
        QVERIFY2(estimate.refused.empty(), estimate.refused.c_str());
        const auto said =
            QString("%1: %2 +- %3, truth %4").arg(estimate.id.c_str()).arg(estimate.value).arg(estimate.standardError).arg(truth);
        QVERIFY2(std::abs(estimate.value - truth) < 2.5 * estimate.standardError, qPrintable(said));
        QVERIFY2(estimate.standardError < largestError, qPrintable(said)); // tight enough to say something
    }
    StrategyOrders orders(const SelectedLog& log, bool byAttraction) {
        const std::size_t items = m_shop->items.size();
        std::vector<double> popularity(items, 0);
        std::vector<std::set<Code>> seen(m_shop->users.size());
        for (std::size_t i = 0; i < m_shop->interactions.size(); ++i) {
            popularity[static_cast<std::size_t>(m_shop->interactions.item[i])] += 1;
            seen[static_cast<std::size_t>(m_shop->interactions.user[i])].insert(m_shop->interactions.item[i]);
        }
        const auto categories = m_truth["categories"].get<std::vector<std::string>>(),
                   styles = m_truth["styles"].get<std::vector<std::string>>();
        auto indexIn = [](const std::vector<std::string>& names, const std::string& name) {
            return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
        };
        struct Item {
            std::size_t category, style;
            double level, quality;
        };
        std::vector<Item> known;
        for (const auto& id : m_shop->items.ids.ids()) {
            const auto& item = m_truth["items"][id];
            known.push_back({indexIn(categories, item["category"]), indexIn(styles, item["style"]), item["price_level"], item["quality"]});
        }
        StrategyOrders out;
        for (const std::size_t row : log.firstRow) {
            const Code user = m_shop->impressions.user[row];
            if (out.users.contains(user))
                continue;
            const auto& of = m_truth["users"][m_shop->users.ids.id(user)];
            const auto taste = of["taste"].get<std::vector<double>>(), style = of["style"].get<std::vector<double>>();
            const double sensitivity = of["price_sensitivity"], priceWeight = m_truth["price_weight"];
            std::vector<std::pair<double, Code>> scored;
            for (Code item = 0; item < static_cast<Code>(items); ++item) {
                const auto& i = known[static_cast<std::size_t>(item)];
                const double affinity = taste[i.category] + style[i.style] - priceWeight * (sensitivity - 0.5) * i.level + i.quality;
                if (!seen[static_cast<std::size_t>(user)].contains(item))
                    scored.emplace_back(byAttraction ? affinity : popularity[static_cast<std::size_t>(item)], item);
            }
            std::sort(scored.begin(), scored.end(), std::greater<>());
            auto& order = out.users[user];
            for (std::size_t start = 0; start < scored.size();) {
                std::size_t end = start + 1;
                while (end < scored.size() && scored[end].first == scored[start].first)
                    ++end;
                for (std::size_t i = start; i < end; ++i) {
                    order.items.push_back(scored[i].second);
                    order.rank.push_back(static_cast<float>(static_cast<double>(start + 1 + end) / 2));
                }
                start = end;
            }
        }
        return out;
    }

private slots:
    void initTestCase() {
        const std::string folder = std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds";
        const auto imported = importSixOfHundreds(folder, {});
        QVERIFY2(imported, imported ? "" : describe(imported.error()).c_str());
        m_shop = imported->dataset;
        QFile file(QString::fromStdString(folder + "/truth.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        m_truth = Json::parse(file.readAll().toStdString());
    }
    // Each logging policy from the slates of the other.
    void loggingPoliciesFromEachOthersSlates_data() {
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("logger");
        QTest::newRow("popularity from uniform") << "softmax_popularity"
                                                 << "uniform";
        QTest::newRow("uniform from popularity") << "uniform"
                                                 << "softmax_popularity";
    }
    void loggingPoliciesFromEachOthersSlates() {
        QFETCH(QString, target);
        QFETCH(QString, logger);
        const auto own = *selectLog(*m_shop, {.policies = {target.toStdString()}});
        const auto models = loggerModels(own, *m_shop, *readPropensities(own, "auto"));
        QVERIFY2(models[0].known, models[0].words.c_str());
        const auto& p = prepared({logger.toStdString()});
        const auto probabilities = targetPropensities(p.log, *m_shop, EvaluatedPolicy::common(models[0].logWeights), 1000, 1, {});
        QVERIFY(probabilities);
        const auto& truth = m_truth["policies"][target.toStdString()];
        for (const auto& estimate : slateEstimates(p, *probabilities))
            covers(estimate, truth["clicks_per_slate"], 0.05);
        BanditLog first;
        for (std::size_t s = 0; s < p.log.log.sessions(); ++s) {
            const std::size_t r = p.log.log.offsets[s];
            first.reward.push_back(p.log.log.click[r]);
            first.propensity.push_back(p.logged.conditional[r]);
            first.target.push_back(probabilities->conditional[r]);
        }
        first.cluster = p.log.log.cluster;
        OffPolicyOptions options;
        options.draws = 100;
        const auto estimates = estimatePolicy({OffPolicy::ips, OffPolicy::snips}, first, options, {});
        QVERIFY(estimates);
        for (const auto& estimate : *estimates)
            covers(estimate, truth["clicks_per_slot"][0], 0.01);
    }
    void drawnPoliciesOnTheWholeLog_data() {
        QTest::addColumn<bool>("byAttraction");
        QTest::addColumn<double>("slate");
        QTest::newRow("popularity, temperature 200") << false << 0.28685;
        QTest::newRow("attraction, temperature 200") << true << 0.39539;
    }
    void drawnPoliciesOnTheWholeLog() {
        QFETCH(bool, byAttraction);
        QFETCH(double, slate);
        const auto& p = prepared({});
        const auto ordered = orders(p.log, byAttraction);
        const auto probabilities = targetPropensities(p.log, *m_shop, ordered, 200, 5, 1, {});
        QVERIFY(probabilities);
        for (const auto& estimate : slateEstimates(p, *probabilities))
            if (estimate.id != "iips") // its assumption does not hold here: a first click ends the visit
                covers(estimate, slate, 0.05);
        // Without drawing: the order itself shares next to nothing with the log.
        const auto order = targetPropensities(p.log, *m_shop, ordered, 0, 5, 1, {});
        QVERIFY(order);
        std::vector<double> weights, rewards;
        for (std::size_t s = 0; s < p.log.log.sessions(); ++s) {
            double weight = 1, reward = 0;
            for (std::size_t r = p.log.log.offsets[s]; r < p.log.log.offsets[s + 1]; ++r) {
                weight *= order->conditional[r] / p.logged.conditional[r];
                reward += p.log.log.click[r];
            }
            weights.push_back(weight);
            rewards.push_back(reward);
        }
        QCOMPARE(evidenceGate(weights, rewards, order->unsupported, {}).level, Evidence::red);
    }
};

QTEST_APPLESS_MAIN(TestLoggedPolicyTruth)
#include "test_logged_policy_truth.moc"
