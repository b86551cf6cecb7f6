// SPDX-License-Identifier: GPL-3.0-or-later
// Click models against enumeration of all their hidden states, and against worked posteriors.
#define QT_NO_KEYWORDS // a log has slots
#include "base/random.h"
#include "evaluation/click_models/chain.h"
#include <QTest>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

using namespace carousel;
using K = ClickModelKind;

namespace {
struct Slate {
    std::vector<std::int32_t> item;
    std::vector<std::int16_t> slot;
    std::vector<std::uint8_t> click, reached;
    SessionView view() const { return {item, slot, click, reached}; }
};
Slate slate(std::vector<std::int32_t> items, std::vector<std::uint8_t> clicks) {
    Slate s;
    s.item = std::move(items);
    s.click = std::move(clicks);
    s.slot.resize(s.item.size());
    std::iota(s.slot.begin(), s.slot.end(), std::int16_t{0});
    return s;
}
ClickModelParameters drawn(K kind, std::size_t items, std::size_t slots, int window, std::uint64_t seed) {
    RandomStream random(seed, "parameters");
    auto some = [&](std::size_t n) {
        std::vector<double> values(n);
        for (double& value : values)
            value = 0.05 + 0.9 * random.uniform();
        return values;
    };
    ClickModelParameters p;
    if (kind != K::rankCtr)
        p.attraction = some(items);
    if (kind == K::sdbn || kind == K::dbn)
        p.satisfaction = some(items);
    if (kind == K::rankCtr || kind == K::pbm)
        p.examination = some(slots);
    if (kind == K::ubm)
        p.examination = some(slots * (slots + 1));
    if (kind == K::dcm)
        p.continuation = some(slots);
    if (kind == K::dbn)
        p.continuation = some(1);
    if (kind == K::ccm)
        p.continuation = some(3);
    if (kind == K::carousel) {
        p.window = window;
        p.examination = some(static_cast<std::size_t>(window));
        p.swipe = some(1)[0];
        p.continueAfterClick = some(1)[0];
        p.reset = some(1)[0];
    }
    return p;
}
std::unique_ptr<ClickModel> model(K kind, const ClickModelParameters& p, std::int32_t items, std::int32_t slots) {
    auto made = makeClickModel(kind, p, items, slots);
    if (!made)
        qFatal("%s", made.error().message.c_str());
    return std::move(*made);
}

// Every history of a slate: sums of probability by clicks and by which pages were in view, and the same with one hidden variable true.
struct Histories {
    struct Sums {
        double all = 0;
        std::array<double, 6> examined{}, attracted{}, satisfied{};
    };
    std::map<std::pair<unsigned, unsigned>, Sums> sums;

    Histories(K kind, const ClickModelParameters& p, const Slate& s, std::size_t slots) {
        const std::size_t n = s.item.size();
        std::array<bool, 6> examined{}, attracted{}, satisfied{};
        std::function<void(std::size_t, bool, std::size_t, unsigned, unsigned, double)> visit;
        visit = [&](std::size_t r, bool alive, std::size_t last, unsigned clicks, unsigned pages, double weight) {
            if (weight == 0)
                return;
            if (r == n) {
                Sums& sum = sums[{clicks, pages}];
                sum.all += weight;
                for (std::size_t i = 0; i < n; ++i) {
                    sum.examined[i] += weight * examined[i];
                    sum.attracted[i] += weight * attracted[i];
                    sum.satisfied[i] += weight * satisfied[i];
                }
                return;
            }
            const auto item = static_cast<std::size_t>(s.item[r]);
            const auto window = static_cast<std::size_t>(std::max(p.window, 1));
            const bool paged = kind == K::carousel;
            if (paged && r % window == 0 && alive)
                pages |= 1u << (r / window);
            const double a = kind == K::rankCtr ? p.examination[r] : p.attraction[item];
            double look = 1;
            if (kind == K::pbm)
                look = p.examination[r];
            if (kind == K::ubm)
                look = p.examination[r * (slots + 1) + last];
            if (paged)
                look = p.examination[r % window] * (r >= window ? p.reset : 1);
            for (const bool attracts : {false, true})
                for (const bool looks : {false, true}) {
                    const double chance = weight * (attracts ? a : 1 - a) * (alive ? (looks ? look : 1 - look) : (looks ? 0 : 1));
                    attracted[r] = attracts;
                    examined[r] = looks;
                    const bool click = attracts && looks;
                    const std::size_t clicked = click ? r + 1 : last;
                    const unsigned mask = clicks | (click ? 1u << r : 0);
                    auto go = [&](bool satisfies, double w, double on) {
                        satisfied[r] = satisfies;
                        if (!alive) {
                            visit(r + 1, false, clicked, mask, pages, w);
                            return;
                        }
                        visit(r + 1, true, clicked, mask, pages, w * on);
                        visit(r + 1, false, clicked, mask, pages, w * (1 - on));
                    };
                    double on = 1;
                    if (paged)
                        on = (click ? p.continueAfterClick : 1) * ((r + 1) % window == 0 ? p.swipe : 1);
                    if (kind == K::dbn || (kind == K::ccm && !click))
                        on = p.continuation[0];
                    if (click && kind == K::cascade)
                        on = 0;
                    if (click && kind == K::dcm)
                        on = p.continuation[r];
                    if (click && (kind == K::sdbn || kind == K::dbn)) {
                        go(true, chance * p.satisfaction[item], 0);
                        go(false, chance * (1 - p.satisfaction[item]), on);
                    } else if (click && kind == K::ccm) {
                        go(true, chance * a, p.continuation[2]);
                        go(false, chance * (1 - a), p.continuation[1]);
                    } else {
                        go(false, chance, on);
                    }
                }
        };
        visit(0, true, 0, 0, 0, 1);
    }
    template <class Keep> Sums where(Keep keep) const {
        Sums total;
        for (const auto& [key, sum] : sums)
            if (keep(key.first, key.second)) {
                total.all += sum.all;
                for (std::size_t i = 0; i < 6; ++i) {
                    total.examined[i] += sum.examined[i];
                    total.attracted[i] += sum.attracted[i];
                    total.satisfied[i] += sum.satisfied[i];
                }
            }
        return total;
    }
};
bool near(double a, double b, double bound = 1e-10) {
    return std::fabs(a - b) <= bound;
}
} // namespace

class TestClickModels : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void agreesWithEnumeration_data() {
        QTest::addColumn<int>("kind");
        for (const ClickModelInfo& info : clickModels())
            QTest::newRow(info.id.c_str()) << static_cast<int>(info.kind);
    }
    void agreesWithEnumeration() {
        QFETCH(int, kind);
        const auto of = static_cast<K>(kind);
        int compared = 0;
        for (std::uint64_t trial = 0; trial < 8; ++trial) {
            const std::size_t n = trial < 2 ? 6 : 1 + trial % 5;
            const ClickModelParameters p = drawn(of, 9, n, trial % 2 ? 2 : 3, 100 * trial + 7);
            Slate s = slate({4, 1, 8, 2, 0, 5}, {0, 0, 0, 0, 0, 0});
            s.item.resize(n);
            s.slot.resize(n);
            s.click.resize(n);
            const Histories all(of, p, s, n);
            const auto m = model(of, p, 9, static_cast<std::int32_t>(n));
            std::vector<double> conditional(n), marginal(n), examined(n);
            for (unsigned mask = 0; mask < (1u << n); ++mask) {
                for (std::size_t r = 0; r < n; ++r)
                    s.click[r] = mask >> r & 1;
                const auto whole = all.where([&](unsigned clicks, unsigned) { return clicks == mask; });
                m->conditional(s.view(), conditional);
                m->marginal(s.view(), marginal);
                m->examined(s.view(), examined);
                const SessionPosterior posterior = sessionPosterior(*m, s.view(), static_cast<std::int32_t>(n));
                for (std::size_t r = 0; r < n; ++r) {
                    const unsigned past = (1u << r) - 1;
                    const double before = all.where([&](unsigned c, unsigned) { return (c & past) == (mask & past); }).all;
                    const double with = all.where([&](unsigned c, unsigned) { return (c & past) == (mask & past) && (c >> r & 1); }).all;
                    if (before > 1e-14)
                        QVERIFY(near(conditional[r], with / before));
                    QVERIFY(near(marginal[r], all.where([&](unsigned c, unsigned) { return c >> r & 1; }).all));
                    if (whole.all < 1e-14)
                        continue;
                    if (of != K::rankCtr && of != K::itemCtr) {
                        QVERIFY(near(examined[r], whole.examined[r] / whole.all));
                        QVERIFY(near(posterior.attraction[r], whole.attracted[r] / whole.all));
                        if (s.click[r])
                            QVERIFY(near(posterior.satisfaction[r], whole.satisfied[r] / whole.all));
                    }
                    ++compared;
                }
            }
        }
        QVERIFY(compared > 100);
    }
    void usesLoggedReach() {
        int compared = 0;
        for (std::uint64_t trial = 0; trial < 4; ++trial) {
            const int window = trial % 2 ? 2 : 3;
            const ClickModelParameters p = drawn(K::carousel, 6, 6, window, trial + 50);
            Slate s = slate({4, 1, 3, 2, 0, 5}, {0, 0, 0, 0, 0, 0});
            const Histories all(K::carousel, p, s, 6);
            const auto m = model(K::carousel, p, 6, 6);
            for (const auto& [key, sum] : all.sums) {
                s.reached.assign(6, 0);
                for (std::size_t r = 0; r < 6; ++r) {
                    s.click[r] = key.first >> r & 1;
                    s.reached[r] = key.second >> (r / static_cast<std::size_t>(window)) & 1;
                }
                std::vector<double> examined(6), conditional(6), without(6);
                m->examined(s.view(), examined);
                m->conditional(s.view(), conditional);
                for (std::size_t r = 0; r < 6; ++r)
                    QVERIFY(near(examined[r], sum.examined[r] / sum.all));
                s.reached.clear();
                m->conditional(s.view(), without);
                QCOMPARE(conditional, without); // clicks alone
                ++compared;
            }
            // Reach of the second page unknown, of the third known
            if (window == 2) {
                s.click.assign(6, 0);
                s.click[0] = 1;
                s.reached = {1, 1, reachUnknown, reachUnknown, 0, 0};
                const auto some = all.where([](unsigned clicks, unsigned pages) { return clicks == 1 && !(pages & 4); });
                std::vector<double> examined(6);
                m->examined(s.view(), examined);
                for (std::size_t r = 0; r < 6; ++r)
                    QVERIFY(near(examined[r], some.examined[r] / some.all));
            }
        }
        QVERIFY(compared > 100);
    }
    void dbnByHand() {
        ClickModelParameters p;
        p.attraction = {.6, .5, .3, .4};
        p.satisfaction = {.5, .4, .3, .5};
        p.continuation = {.8};
        const auto m = model(K::dbn, p, 4, 4);
        // Sessions without a click teach about attraction like any other.
        auto posterior = sessionPosterior(*m, slate({0, 1, 2, 3}, {0, 0, 0, 0}).view(), 4);
        const double none[] = {0, .2313, .1943, .3005};
        for (std::size_t r = 0; r < 4; ++r)
            QVERIFY(near(posterior.attraction[r], none[r], 5e-5));
        // Conditioned on the clicks before, not on the average visit.
        posterior = sessionPosterior(*m, slate({0, 1, 2, 3}, {1, 0, 0, 0}).view(), 4);
        const double one[] = {1, .4189, .2681, .3700};
        for (std::size_t r = 0; r < 4; ++r)
            QVERIFY(near(posterior.attraction[r], one[r], 5e-5));
    }
    void ccmByHand() {
        ClickModelParameters p;
        p.attraction = {.6, .5, .3, .4};
        p.continuation = {.9, .7, .4};
        const auto m = model(K::ccm, p, 4, 4);
        QVERIFY(near(sessionPosterior(*m, slate({0, 1, 2, 3}, {1, 0, 0, 0}).view(), 4).satisfaction[0], .6882, 5e-5));
        const auto posterior = sessionPosterior(*m, slate({0, 1, 2, 3}, {1, 0, 1, 0}).view(), 4);
        QVERIFY(near(posterior.satisfaction[0], .4615, 5e-5));
        QVERIFY(near(posterior.satisfaction[2], .3333, 5e-5));
    }
    void drawsWhatItSays() {
        for (const ClickModelInfo& info : clickModels()) {
            const ClickModelParameters p = drawn(info.kind, 6, 6, 3, 11);
            const auto m = model(info.kind, p, 6, 6);
            const Slate s = slate({4, 1, 3, 2, 0, 5}, {0, 0, 0, 0, 0, 0});
            std::vector<double> marginal(6), share(6, 0.0);
            m->marginal(s.view(), marginal);
            std::vector<std::uint8_t> click(6), reached(6), again(6);
            constexpr int draws = 20000;
            double second = 0;
            for (std::uint64_t i = 0; i < draws; ++i) {
                m->draw(s.view(), 3, i, click, reached);
                for (std::size_t r = 0; r < 6; ++r)
                    share[r] += click[r] / static_cast<double>(draws);
                second += reached[3] / static_cast<double>(draws);
            }
            for (std::size_t r = 0; r < 6; ++r) // four standard errors
                QVERIFY2(near(share[r], marginal[r], 4 * 0.5 / std::sqrt(draws)), info.id.c_str());
            m->draw(s.view(), 3, 17, click, reached);
            m->draw(s.view(), 3, 17, again, reached);
            QCOMPARE(click, again);
            if (info.kind == K::carousel)
                QVERIFY(second > 0.02 && second < 0.98);
        }
    }
    void scoresAddUp() {
        ClickLog log;
        log.items = 3;
        log.slots = 2;
        log.item = {0, 1, 2, 0, 1, 2};
        log.slot = {0, 1, 0, 1, 0, 1};
        log.click = {1, 0, 0, 1, 0, 0};
        log.offsets = {0, 2, 4, 6};
        ClickModelParameters p;
        p.examination = {.5, .25};
        const auto score = scoreClickModel(*model(K::rankCtr, p, 3, 2), log);
        const double first = std::log(.5) * 3, second = std::log(.75) * 2 + std::log(.25);
        QVERIFY(near(score.logLikelihood, (first + second) / 3));
        QVERIFY(near(score.perplexity[0], 2.0));
        QVERIFY(near(score.conditionalPerplexity[1], std::exp(-second / 3)));
        QVERIFY(near(score.meanPerplexity, (2 + std::exp(-second / 3)) / 2));
        QVERIFY(near(score.perSession[1], std::log(.5) + std::log(.25)));
    }
    void refusesWhatIsNoModel() {
        ClickModelParameters p = drawn(K::dbn, 4, 4, 2, 1);
        p.satisfaction.pop_back();
        QCOMPARE(makeClickModel(K::dbn, p, 4, 4).error().code, std::string("CL-8022"));
        p = drawn(K::pbm, 4, 4, 2, 1);
        p.examination[2] = 1.5;
        QCOMPARE(makeClickModel(K::pbm, p, 4, 4).error().code, std::string("CL-8022"));
        p.examination[2] = std::nan("");
        QCOMPARE(makeClickModel(K::pbm, p, 4, 4).error().code, std::string("CL-8022"));
        p = drawn(K::carousel, 4, 4, 2, 1);
        p.swipe = -0.1;
        QCOMPARE(makeClickModel(K::carousel, p, 4, 4).error().code, std::string("CL-8022"));
        QCOMPARE(clickModelInfo("tcm").error().code, std::string("CL-8021"));
        QCOMPARE((*clickModelInfo("ubm"))->kind, K::ubm);
        for (std::size_t i = 0; i < clickModels().size(); ++i)
            QCOMPARE(static_cast<std::size_t>(clickModels()[i].kind), i);
    }
    void checksLogs() {
        ClickLog good;
        good.items = 2;
        good.slots = 2;
        good.item = {0, 1};
        good.slot = {0, 1};
        good.click = {0, 1};
        good.offsets = {0, 2};
        QVERIFY(checkClickLog(good).has_value());
        auto broken = [&](auto change) {
            ClickLog log = good;
            change(log);
            const auto result = checkClickLog(log);
            return !result && result.error().code == "CL-8020";
        };
        QVERIFY(broken([](ClickLog& log) { log.click.pop_back(); }));
        QVERIFY(broken([](ClickLog& log) { log.item[1] = 2; }));
        QVERIFY(broken([](ClickLog& log) { log.item[1] = -1; }));
        QVERIFY(broken([](ClickLog& log) { log.slot[1] = 2; }));
        QVERIFY(broken([](ClickLog& log) { log.slot[1] = 0; }));
        QVERIFY(broken([](ClickLog& log) { log.click[0] = 2; }));
        QVERIFY(broken([](ClickLog& log) { log.reached = {1, 0}; }));
        QVERIFY(broken([](ClickLog& log) { log.reached = {1, 9}; }));
        QVERIFY(broken([](ClickLog& log) { log.offsets = {0, 1}; }));
        QVERIFY(broken([](ClickLog& log) { log.cluster = {0, 1}; }));
        QVERIFY(broken([](ClickLog& log) { log.propensity = {1}; }));
        ClickLog reached = good;
        reached.reached = {1, 0};
        const auto result = checkClickLog(reached);
        QVERIFY(result.error().message.find("session 0, row 0") == std::string::npos &&
                result.error().message.find("row 1") != std::string::npos);
        QVERIFY(good.wholeSlates() && !good.severalClicks() && !good.knowsReach());
        QCOMPARE(good.clusters(), std::size_t{1});
    }
    void splitsByCluster() {
        ClickLog log;
        log.items = 50;
        log.slots = 1;
        for (std::int32_t s = 0; s < 50; ++s) {
            log.item.push_back(s);
            log.slot.push_back(0);
            log.click.push_back(static_cast<std::uint8_t>(s % 2));
            log.offsets.push_back(log.item.size());
            log.cluster.push_back(s / 5);
        }
        const ClickLogParts parts = splitByCluster(log, 0.3, 4);
        QCOMPARE(parts.second.sessions(), std::size_t{15});
        QCOMPARE(parts.first.sessions(), std::size_t{35});
        for (const std::int32_t c : parts.second.cluster)
            QVERIFY(std::find(parts.first.cluster.begin(), parts.first.cluster.end(), c) == parts.first.cluster.end());
        for (std::size_t s = 0; s < 15; ++s)
            QCOMPARE(parts.second.item[s] / 5, parts.second.cluster[s]);
        QCOMPARE(splitByCluster(log, 0.3, 4).second.item, parts.second.item);
        QVERIFY(splitByCluster(log, 0.3, 5).second.item != parts.second.item);
    }
};

QTEST_APPLESS_MAIN(TestClickModels)
#include "test_click_models.moc"
