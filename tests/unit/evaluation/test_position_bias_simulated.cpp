// SPDX-License-Identifier: GPL-3.0-or-later
// Logs drawn from a position-based model with known examination: which estimators apply to each kind of log, and that their intervals
// cover. Slates put better items first on average, so the naive estimate must be wrong wherever nobody shuffles.
#include "evaluation/position_bias/position_bias.h"
#include "test_position_bias_logs.h"
#include <QTest>
#include <boost/math/distributions/binomial.hpp>
#include <functional>

using namespace carousel;
using namespace carousel::bias_logs;

namespace {
enum : std::size_t { naive, randomised, swapped, pivot, chain, allPairs, regression };
const std::vector<double> attraction = fallingAttraction(20);

PositionBias run(const ClickLog& log, std::uint64_t seed, int draws = 100, double confidence = 0.95) {
    PositionBiasOptions options;
    options.draws = draws;
    options.seed = seed;
    options.confidence = confidence;
    auto result = positionBias(log, options, {});
    if (!result)
        qFatal("%s", describe(result.error()).c_str());
    return *result;
}

using Order = std::function<int(std::vector<std::int32_t>&, RandomStream&)>;
int uniform(std::vector<std::int32_t>& items, RandomStream& random) {
    shuffle(items, random);
    return 0;
}
// Two rankers that sort by attraction (as codes do), the second with a few mistakes that tie all positions together.
int twoRankers(std::vector<std::int32_t>& items, RandomStream& random) {
    const int policy = static_cast<int>(random.below(2));
    if (policy == 1)
        items = {1, 3, 0, 5, 2, 6};
    return policy;
}
// Sorted by attraction; one neighbouring pair of the slate is drawn, and exchanged by a coin. Each pair is logged as an arm of its own.
int exchangesByArm(std::vector<std::int32_t>& items, RandomStream& random) {
    const auto k = random.below(knownExamination.size() - 1);
    if (random.below(2) == 1)
        std::swap(items[k], items[k + 1]);
    return static_cast<int>(k);
}
int exchanges(std::vector<std::int32_t>& items, RandomStream& random) {
    return exchangesByArm(items, random), 0;
}

struct Coverage {
    int covered = 0, asked = 0;
    double mean = 0; // of the estimate at the last position
};
std::vector<Coverage> repeat(const Order& order, std::size_t sessions, int repetitions, std::initializer_list<std::size_t> methods,
                             QByteArray& refused) {
    std::vector<Coverage> coverage(7);
    for (int repetition = 0; repetition < repetitions; ++repetition) {
        Simulation plan;
        plan.attraction = attraction;
        plan.examination = knownExamination;
        plan.sessions = sessions;
        plan.seed = 1000 + static_cast<std::uint64_t>(repetition);
        plan.order = order;
        const auto result = run(simulate(plan), plan.seed);
        for (const auto m : methods) {
            const auto& one = result.estimates[m];
            if (!one.supported)
                refused += (one.id + ": " + one.reason + "\n").c_str();
            for (std::size_t k = 1; k < knownExamination.size(); ++k) {
                ++coverage[m].asked;
                coverage[m].covered += one.interval[k].low <= knownExamination[k] && knownExamination[k] <= one.interval[k].high;
            }
            coverage[m].mean += one.relative.back() / repetitions;
        }
    }
    return coverage;
}
// Intervals of 95 % from 100 draws; positions of a log share their noise, so the check is that of the number of logs, not of positions.
void verifyCoverage(const Coverage& one, int repetitions, const char* what) {
    const double share = static_cast<double>(one.covered) / one.asked;
    const double low = boost::math::quantile(boost::math::binomial(repetitions, 0.93), 0.001) / repetitions;
    QVERIFY2(share >= low, QByteArray(what) + " covers " + QByteArray::number(share));
}
} // namespace

class TestPositionBiasSimulated : public QObject {
    Q_OBJECT
private slots:
    void uniformShuffle() {
        QByteArray refused;
        constexpr int repetitions = 25;
        const auto coverage = repeat(uniform, 2500, repetitions, {naive, randomised, pivot, chain, allPairs, regression}, refused);
        QVERIFY2(refused.isEmpty(), refused);
        const char* names[] = {"naive", "randomised", "", "pivot", "chain", "all_pairs", "regression_em"};
        for (const auto m : {naive, randomised, pivot, chain, allPairs, regression}) { // naive is right when the order is random
            verifyCoverage(coverage[m], repetitions, names[m]);
            QVERIFY2(std::fabs(coverage[m].mean - 0.3) < 0.025, names[m]);
        }
        Simulation plan;
        plan.attraction = attraction;
        plan.examination = knownExamination;
        plan.sessions = 4000;
        plan.order = uniform;
        const auto result = run(simulate(plan), 1, 10);
        QCOMPARE(result.recommended, std::string("randomised"));
        QVERIFY(!result.estimates[swapped].supported); // sets repeat too seldom
    }
    void twoSortedRankers() {
        QByteArray refused;
        constexpr int repetitions = 25;
        const auto coverage = repeat(twoRankers, 8000, repetitions, {naive, allPairs, regression}, refused);
        QVERIFY2(refused.isEmpty(), refused);
        verifyCoverage(coverage[allPairs], repetitions, "all_pairs");
        verifyCoverage(coverage[regression], repetitions, "regression_em");
        QVERIFY2(coverage[naive].mean < 0.25, QByteArray::number(coverage[naive].mean)); // 0.3 is true
        Simulation plan;
        plan.attraction = attraction;
        plan.examination = knownExamination;
        plan.order = twoRankers;
        const auto result = run(simulate(plan), 1, 50);
        QVERIFY(!result.estimates[randomised].supported && !result.estimates[swapped].supported);
        QCOMPARE(result.recommended, std::string("all_pairs"));
        QVERIFY2(result.verdict.find("Harvest over all pairs") != std::string::npos, result.verdict.c_str());
        const auto& first = result.estimates[naive];
        QVERIFY(first.interval[5].high < 0.3); // sure of itself, and wrong
    }
    void exchangedNeighbours() {
        QByteArray refused;
        constexpr int repetitions = 25;
        const auto coverage = repeat(exchangesByArm, 8000, repetitions, {naive, swapped, chain, allPairs, regression}, refused);
        QVERIFY2(refused.isEmpty(), refused);
        verifyCoverage(coverage[swapped], repetitions, "swap");
        verifyCoverage(coverage[chain], repetitions, "chain");
        verifyCoverage(coverage[allPairs], repetitions, "all_pairs");
        verifyCoverage(coverage[regression], repetitions, "regression_em");
        QVERIFY2(coverage[naive].mean < 0.25, QByteArray::number(coverage[naive].mean));
        Simulation plan;
        plan.attraction = attraction;
        plan.examination = knownExamination;
        plan.order = exchangesByArm;
        const auto result = run(simulate(plan), 1, 10);
        QVERIFY(!result.estimates[randomised].supported);
        QVERIFY(!result.estimates[pivot].supported || std::isnan(result.estimates[pivot].relative[5])); // only neighbours share items
        QVERIFY(std::isfinite(result.estimates[pivot].relative[1]));
    }
    void exchangesWithoutTheirArms() {
        // Which pair was drawn is not logged: neighbours are exchanged in a tenth of the visits, which taste could have done as well.
        Simulation plan;
        plan.attraction = attraction;
        plan.examination = knownExamination;
        plan.order = exchanges;
        plan.sessions = 8000;
        auto log = simulate(plan);
        const auto unknown = run(log, 1, 10);
        for (const auto m : {randomised, swapped, pivot, chain, allPairs})
            QVERIFY2(!unknown.estimates[m].supported, unknown.estimates[m].id.c_str());
        QVERIFY2(unknown.estimates[swapped].reason.find("nothing shows that a coin decides") != std::string::npos,
                 unknown.estimates[swapped].reason.c_str());
        // With the propensities of the exchange the order is known to be random.
        for (std::size_t r = 0; r < log.rows(); ++r) {
            const auto item = static_cast<std::size_t>(log.item[r]), slot = static_cast<std::size_t>(log.slot[r]);
            log.propensity.push_back(item != slot ? 0.1f : slot == 0 || slot == 5 ? 0.9f : 0.8f);
        }
        const auto known = run(log, 1, 400, 0.999); // five positions of one log: together still all but certain to cover
        QCOMPARE(known.recommended, std::string("all_pairs"));
        for (std::size_t k = 1; k < 6; ++k) {
            const auto interval = known.estimates[allPairs].interval[k];
            QVERIFY2(interval.low < knownExamination[k] && knownExamination[k] < interval.high,
                     QByteArray::number(known.estimates[allPairs].relative[k]));
        }
    }
    void clustersAreDrawnTogether() { // ten copies of every session by one user: the interval must be as wide as without the copies
        Simulation plan;
        plan.attraction = attraction;
        plan.examination = knownExamination;
        plan.sessions = 1500;
        plan.order = uniform;
        const auto once = simulate(plan);
        ClickLog copies;
        for (std::size_t s = 0; s < once.sessions(); ++s)
            for (int copy = 0; copy < 10; ++copy) {
                const auto begin = static_cast<std::ptrdiff_t>(once.offsets[s]), end = static_cast<std::ptrdiff_t>(once.offsets[s + 1]);
                addSession(copies, {once.item.begin() + begin, once.item.begin() + end},
                           {once.click.begin() + begin, once.click.begin() + end});
                copies.cluster.push_back(static_cast<std::int32_t>(s));
            }
        copies.items = once.items;
        const auto a = run(once, 1), b = run(copies, 1);
        QVERIFY(std::fabs(a.estimates[naive].interval[3].low - b.estimates[naive].interval[3].low) < 1e-9);
        QVERIFY(std::fabs(a.estimates[regression].interval[3].high - b.estimates[regression].interval[3].high) < 1e-4);
    }
    void behindTheFoldIsSaid() {
        Simulation plan;
        plan.attraction = fallingAttraction(20);
        plan.examination = {1, .9, .8, .7, .6, .5, .2, .18};
        plan.sessions = 3000;
        plan.order = uniform;
        const auto result = run(simulate(plan), 1, 20);
        QVERIFY2(result.verdict.find("From position 7 on, behind the fold") != std::string::npos, result.verdict.c_str());
    }
};

QTEST_GUILESS_MAIN(TestPositionBiasSimulated)
#include "test_position_bias_simulated.moc"
