// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"
#include "evaluation/ab_test/effect.h"
#include "evaluation/carousel/value.h"
#include "evaluation/simulation/fidelity.h"
#include "evaluation/simulation/interleaved.h"
#include "evaluation/simulation/simulate.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace carousel;

namespace {

Population crowd(std::size_t users, std::size_t items, std::uint64_t seed = 1) {
    Population out;
    out.users = users, out.items = items, out.rank = 3, out.base = -1.5f;
    RandomStream random(seed, "crowd");
    for (std::size_t i = 0; i < users * out.rank; ++i)
        out.userVectors.push_back(static_cast<float>(random.normal()));
    for (std::size_t i = 0; i < items * out.rank; ++i)
        out.itemVectors.push_back(static_cast<float>(0.6 * random.normal()));
    for (std::size_t i = 0; i < items; ++i)
        out.itemBias.push_back(static_cast<float>(0.3 * random.normal()));
    return out;
}

// Every user's items by attraction, or the same order for all.
RankedSource ranked(const Population& people, bool personal) {
    std::vector<std::int32_t> all;
    for (std::size_t u = 0; u < people.users; ++u) {
        std::vector<std::int32_t> order(people.items);
        std::iota(order.begin(), order.end(), 0);
        if (personal)
            std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return people.logit(static_cast<std::int32_t>(u), a) > people.logit(static_cast<std::int32_t>(u), b); });
        all.insert(all.end(), order.begin(), order.end());
    }
    return RankedSource(std::move(all), people.items);
}

Behaviour carouselUsers() {
    Behaviour out;
    out.window = 6;
    out.examination = {0.95, 0.86, 0.77, 0.69, 0.62, 0.55};
    return out;
}

// Slates of random items shown to random users who behave as the formula says.
CarouselLog logOf(const Population& people, const Behaviour& behaviour, int slates, std::uint64_t seed) {
    CarouselLog out;
    for (int s = 0; s < slates; ++s) {
        RandomStream random(seed, "log", static_cast<std::uint64_t>(s));
        const auto user = static_cast<std::int32_t>(random.below(people.users));
        bool clicked = false, swiped = true;
        std::vector<std::int32_t> items(people.items);
        std::iota(items.begin(), items.end(), 0);
        for (int slot = 0; slot < 12; ++slot) {
            std::swap(items[static_cast<std::size_t>(slot)], items[static_cast<std::size_t>(slot) + random.below(items.size() - static_cast<std::size_t>(slot))]);
            if (slot == 6)
                swiped = !clicked && random.uniform() < behaviour.swipe;
            const std::int32_t item = items[static_cast<std::size_t>(slot)];
            const bool hit = swiped && !clicked && random.uniform() < behaviour.examinationAt(slot) / (1 + std::exp(-people.logit(user, item)));
            clicked = clicked || hit;
            out.slate.push_back(s), out.user.push_back(user), out.item.push_back(item), out.slot.push_back(static_cast<std::int16_t>(slot));
            out.click.push_back(hit), out.inView.push_back(swiped);
        }
    }
    return out;
}

double sum(const std::vector<UserTotals>& users, float UserTotals::*field) {
    double out = 0;
    for (const auto& user : users)
        out += user.*field;
    return out;
}

} // namespace

class TestSimulation : public QObject {
    Q_OBJECT
private slots:
    void clicksAreWhatTheFormulaSays() { // without feedback every visit is a draw of the carousel model, whose value has a closed form
        const Population people = crowd(400, 40);
        const Behaviour behaviour = carouselUsers();
        RankedSource source = ranked(people, true);
        const ArmPlan arm{"best first", &source};
        SimulationSettings settings;
        settings.rounds = 60, settings.feedback = false;
        const std::vector<std::int32_t> both(people.users, -1);
        const auto out = simulate(people, behaviour, {&arm, 1}, both, settings, {});
        QVERIFY2(out.has_value(), out ? "" : out.error().message.c_str());
        double wanted = 0, variance = 0;
        std::vector<std::int32_t> slate(12);
        for (std::size_t u = 0; u < people.users; ++u) {
            source.slate(static_cast<std::int32_t>(u), {}, slate);
            double reached = 1, click = 0; // chance to be still looking, and to click, walking along the slots
            for (int slot = 0; slot < 12; ++slot) {
                if (slot == 6)
                    reached *= behaviour.swipe;
                const double p = behaviour.examinationAt(slot) / (1 + std::exp(-people.logit(static_cast<std::int32_t>(u), slate[static_cast<std::size_t>(slot)])));
                click += reached * p;
                reached *= 1 - p;
            }
            wanted += 60 * click, variance += 60 * click * (1 - click);
        }
        const double clicks = sum((*out)[0].users, &UserTotals::clicks);
        QVERIFY2(std::fabs(clicks - wanted) < 3.5 * std::sqrt(variance), qPrintable(QStringLiteral("%1 clicks, %2 expected").arg(clicks).arg(wanted)));
        QCOMPARE(sum((*out)[0].users, &UserTotals::visits), 400.0 * 60);
        QCOMPARE(std::accumulate((*out)[0].clicked.begin(), (*out)[0].clicked.end(), 0.0), clicks);
        QCOMPARE((*out)[0].shown[0], 400.0 * 60);
    }
    void theSameForAnyNumberOfThreadsAndTheSameLuckInEveryArm() {
        const Population people = crowd(700, 50);
        Behaviour behaviour = carouselUsers();
        behaviour.fatigue = 0.5, behaviour.satisfactionRate = 0.3, behaviour.leave = 0.05;
        RankedSource source = ranked(people, false);
        const ArmPlan arms[] = {{"a", &source}, {"b", &source}};
        const std::vector<std::int32_t> both(people.users, -1);
        SimulationSettings settings;
        const auto run = [&] { return *simulate(people, behaviour, arms, both, settings, {}); };
        qputenv("CAROUSEL_LAB_THREADS", "1");
        const auto one = run();
        qputenv("CAROUSEL_LAB_THREADS", "5");
        const auto five = run();
        qunsetenv("CAROUSEL_LAB_THREADS");
        for (std::size_t u = 0; u < people.users; ++u) {
            QCOMPARE(one[0].users[u].clicks, five[0].users[u].clicks);
            QCOMPARE(one[0].users[u].looks, five[0].users[u].looks);
            QCOMPARE(one[0].users[u].clicks, one[1].users[u].clicks); // the same strategy, the same luck
        }
        QCOMPARE(one[0].rounds.back().clicks, five[0].rounds.back().clicks);
        settings.commonRandomNumbers = false;
        const auto own = run();
        QVERIFY(sum(own[0].users, &UserTotals::clicks) != sum(own[1].users, &UserTotals::clicks));
    }
    void feedbackShowsNoItemTwiceAfterItsClickAndLowersWhatIsLeft() {
        const Population people = crowd(500, 30);
        RankedSource source = ranked(people, true);
        const ArmPlan arm{"best first", &source};
        const std::vector<std::int32_t> both(people.users, -1);
        SimulationSettings settings;
        settings.rounds = 40;
        const auto with = *simulate(people, carouselUsers(), {&arm, 1}, both, settings, {});
        settings.feedback = false;
        const auto without = *simulate(people, carouselUsers(), {&arm, 1}, both, settings, {});
        for (const auto& user : with[0].users)
            QVERIFY(user.clicks <= 30);
        // The best items are used up: later rounds have fewer clicks, and fewer than without feedback.
        QVERIFY(with[0].rounds.back().clicks < 0.8 * with[0].rounds.front().clicks);
        QVERIFY(sum(with[0].users, &UserTotals::clicks) < 0.9 * sum(without[0].users, &UserTotals::clicks));
        QVERIFY(with[0].rounds.back().distinctItems >= with[0].rounds.front().distinctItems);
    }
    void tiredAndUnhappyUsersClickLessAndLeave() {
        const Population people = crowd(500, 30);
        RankedSource source = ranked(people, false);
        const ArmPlan arm{"one order", &source};
        const std::vector<std::int32_t> both(people.users, -1);
        Behaviour behaviour = carouselUsers();
        const auto fresh = *simulate(people, behaviour, {&arm, 1}, both, {}, {});
        behaviour.fatigue = 1;
        const auto tired = *simulate(people, behaviour, {&arm, 1}, both, {}, {});
        QVERIFY(sum(tired[0].users, &UserTotals::clicks) < 0.8 * sum(fresh[0].users, &UserTotals::clicks));
        behaviour.fatigue = 0, behaviour.leave = 0.1, behaviour.satisfactionRate = 0.3;
        const auto leaving = *simulate(people, behaviour, {&arm, 1}, both, {}, {});
        QVERIFY(leaving[0].rounds.back().visits < 0.6 * leaving[0].rounds.front().visits);
    }
    void aBestItemBehindTheFoldIsMissedByThoseWhoDoNotSwipe() {
        Population people = crowd(2000, 12);
        people.userVectors.assign(people.userVectors.size(), 0);
        people.base = -20;                        // nobody clicks
        people.itemBias.assign(12, 0.0f);
        people.itemBias[7] = 1;                   // the best one at position 8
        RankedSource source = ranked(people, false);
        const ArmPlan arm{"position 8", &source};
        const std::vector<std::int32_t> both(people.users, -1);
        SimulationSettings settings;
        settings.rounds = 5;
        const auto out = *simulate(people, carouselUsers(), {&arm, 1}, both, settings, {});
        const double missed = sum(out[0].users, &UserTotals::missed) / 10000;
        QVERIFY2(std::fabs(missed - 0.65) < 0.02, qPrintable(QString::number(missed))); // all but those who swipe, 35 %
    }
    void learningStrategiesHearOfEveryClickOnce() {
        struct Listener final : SlateSource {
            std::vector<SimulatedClick> heard;
            int calls = 0;
            void slate(std::int32_t, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const override {
                std::size_t n = 0;
                for (std::int32_t item = 0; n < out.size() && item < 30; ++item)
                    if (!std::binary_search(clicked.begin(), clicked.end(), item))
                        out[n++] = item;
                std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), -1);
            }
            Result<void> learn(std::span<const SimulatedClick> clicks, const RunControl&) override {
                ++calls;
                heard.insert(heard.end(), clicks.begin(), clicks.end());
                return {};
            }
        } listener;
        const Population people = crowd(300, 30);
        const ArmPlan arm{"learns", &listener};
        SimulationSettings settings;
        settings.rounds = 7, settings.learnEvery = 2;
        const auto out = *simulate(people, carouselUsers(), {&arm, 1}, std::vector<std::int32_t>(300, -1), settings, {});
        QCOMPARE(listener.calls, 3); // after rounds 2, 4 and 6
        double clicks = 0;
        for (int round = 0; round < 6; ++round)
            clicks += out[0].rounds[static_cast<std::size_t>(round)].clicks;
        QCOMPARE(static_cast<double>(listener.heard.size()), clicks);
    }
    void assignedUsersLiveInTheirArmAlone() {
        const Population people = crowd(300, 30);
        RankedSource source = ranked(people, true);
        const ArmPlan arms[] = {{"a", &source}, {"b", &source}};
        std::vector<std::int32_t> armOf(300);
        for (std::size_t u = 0; u < 300; ++u)
            armOf[u] = static_cast<std::int32_t>(u % 2);
        const auto out = *simulate(people, carouselUsers(), arms, armOf, {}, {});
        for (std::size_t u = 0; u < 300; ++u) {
            QCOMPARE(out[u % 2].users[u].visits, 10.0f);
            QCOMPARE(out[1 - u % 2].users[u].visits, 0.0f);
        }
    }
    void usersFittedToALogAreLikeItAndAWrongBehaviourIsNoticed() {
        const Population people = crowd(150, 60);
        const Behaviour behaviour = carouselUsers();
        const CarouselLog log = logOf(people, behaviour, 12000, 3);
        FitPopulationSettings settings;
        settings.rank = 3;
        const auto fitted = fitPopulation(log, people.users, people.items, behaviour, settings, {});
        QVERIFY2(fitted.has_value(), fitted ? "" : fitted.error().message.c_str());
        QCOMPARE(fitted->heldOutSlates, std::size_t(2400));
        QVERIFY2(fitted->logLikelihood > fitted->nullLogLikelihood + 0.005, qPrintable(QStringLiteral("%1 %2").arg(fitted->logLikelihood).arg(fitted->nullLogLikelihood)));
        double agreement = 0, n = 0, a2 = 0, b2 = 0; // correlation of fitted and true logits
        for (std::int32_t u = 0; u < 150; ++u)
            for (std::int32_t i = 0; i < 60; ++i) {
                const double x = people.logit(u, i) + 1.5, y = fitted->population.logit(u, i) - static_cast<double>(fitted->population.base);
                agreement += x * y, a2 += x * x, b2 += y * y, n += 1;
            }
        QVERIFY2(agreement / std::sqrt(a2 * b2) > 0.7, qPrintable(QString::number(agreement / std::sqrt(a2 * b2))));
        const auto fine = *fidelity(log, *fitted, behaviour, settings, 20, {});
        QVERIFY2(fine.mustNotBeTrustedFor.empty(), fine.mustNotBeTrustedFor.empty() ? "" : fine.mustNotBeTrustedFor.front().c_str());
        QVERIFY(std::fabs(fine.loggedClicks - fine.simulatedClicks) < 0.05);
        Behaviour wrong = behaviour;
        wrong.swipe = 0.9;
        QVERIFY(!fidelity(log, *fitted, wrong, settings, 20, {})->mustNotBeTrustedFor.empty());
        QCOMPARE(fitPopulation(log, people.users, 10, behaviour, settings, {}).error().code, std::string("CL-3131"));
        QCOMPARE(fitPopulation({}, 5, 10, behaviour, settings, {}).error().code, std::string("CL-3131"));
    }
    void whatIsKnownOfUsersComesInWithItsWeight() {
        // Few slates for each user: their clicks alone say nothing of their tastes, and what was known before does.
        const Population people = crowd(900, 60);
        const Behaviour behaviour = carouselUsers();
        const CarouselLog log = logOf(people, behaviour, 5000, 5);
        RandomStream random(6, "noise");
        TasteGroup taste{"taste", 3, people.userVectors, people.itemVectors}, noise{"noise", 3, {}, {}};
        for (std::size_t i = 0; i < 900 * 3; ++i)
            noise.user.push_back(static_cast<float>(random.normal()));
        for (std::size_t i = 0; i < 60 * 3; ++i)
            noise.item.push_back(static_cast<float>(random.normal()));
        for (float& x : taste.user)
            x *= 2; // so that the weight must be a half
        const std::vector<TasteGroup> groups{noise, taste};
        const auto with = fitPopulation(log, 900, 60, behaviour, {}, {}, groups), without = fitPopulation(log, 900, 60, behaviour, {}, {});
        QVERIFY(with && without);
        QCOMPARE(with->groups.front().first, std::string("taste"));
        QVERIFY2(std::fabs(with->groups.front().second - 0.5) < 0.06, qPrintable(QString::number(with->groups.front().second)));
        for (const auto& [name, weight] : with->groups)
            QVERIFY(name == "taste" || std::fabs(weight) < 0.05);
        QVERIFY(with->logLikelihood > without->logLikelihood + 0.01);
        QVERIFY(without->logLikelihood > without->nullLogLikelihood - 0.002); // tastes that are not there are not made up
        const auto again = fitPopulation(log, 900, 60, behaviour, {}, {}, groups);
        QVERIFY(again->population.userVectors == with->population.userVectors && again->population.base == with->population.base);
    }
    void aStateThatIsTakenUpAgainEndsWhereItWouldHave() {
        const Population people = crowd(600, 50);
        Behaviour behaviour = carouselUsers();
        behaviour.fatigue = 0.4, behaviour.satisfactionRate = 0.3, behaviour.leave = 0.03;
        // Learns that what was clicked comes first; the same whether it is told in one go or in several.
        struct Learner : SlateSource {
            std::vector<int> count = std::vector<int>(50, 0);
            int calls = 0;
            void slate(std::int32_t, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const override {
                std::vector<std::int32_t> order(50);
                std::iota(order.begin(), order.end(), 0);
                std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return count[std::size_t(a)] > count[std::size_t(b)]; });
                std::erase_if(order, [&](std::int32_t item) { return std::binary_search(clicked.begin(), clicked.end(), item); });
                std::copy_n(order.begin(), out.size(), out.begin());
            }
            Result<void> learn(std::span<const SimulatedClick> clicks, const RunControl&) override {
                ++calls;
                for (const auto& click : clicks)
                    ++count[std::size_t(click.item)];
                return {};
            }
        };
        RankedSource best = ranked(people, true);
        const NumericVisitors visitors(people, behaviour);
        SimulationPlan plan;
        plan.visitors = &visitors;
        for (std::int32_t u = 0; u < 1500; ++u) {
            plan.who.push_back(u % 600);
            plan.armOf.push_back(u % 2);
            plan.firstRound.push_back(u % 4);
        }
        plan.settings.rounds = 9, plan.settings.learnEvery = 2;
        const auto made = [&](Learner& learner) {
            plan.arms = {{"best", &best}, {"learns", &learner}};
            return std::move(*Simulation::make(plan));
        };
        Learner whole, first, second;
        Simulation straight = made(whole), broken = made(first), again = made(second);
        while (straight.roundsDone() < 9)
            QVERIFY(straight.nextRound({}));
        QVERIFY(whole.calls == 4);
        while (broken.roundsDone() < 5)
            QVERIFY(broken.nextRound({}));
        const std::string state = broken.save();
        QVERIFY(again.restore(state, {}));
        QCOMPARE(again.roundsDone(), 5);
        QVERIFY(again.save() == state);
        while (again.roundsDone() < 9)
            QVERIFY(again.nextRound({}));
        QVERIFY(again.save() == straight.save());
        QVERIFY(whole.count == second.count);
        QCOMPARE(straight.arms()[0].rounds.front().visits, 1500.0 / 4 * (2.0 / 4) * 2); // those whose first round is 0 or 2, even, are in arm 0
        for (const std::size_t cut : {std::size_t(0), std::size_t(5), state.size() / 2, state.size() - 1})
            QCOMPARE(again.restore(std::string_view(state).substr(0, cut), {}).error().code, std::string("CL-3132"));
        QCOMPARE(again.restore(state + "x", {}).error().code, std::string("CL-3132"));
        QVERIFY(again.save() == straight.save()); // a refused state changes nothing
    }
    void sessionsOfAPersonShareOneLife() {
        // Everybody clicks the first card at every visit, so that the history decides what is next, whichever arms it came from.
        Population people = crowd(300, 40);
        people.base = 40;
        Behaviour behaviour = carouselUsers();
        behaviour.examination = {1};
        behaviour.satisfactionRate = 0.2;
        struct Noting final : SlateSource {
            RankedSource ranking;
            std::vector<SimulatedClick> clicks;
            explicit Noting(RankedSource source) : ranking(std::move(source)) {}
            void slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const override { ranking.slate(user, clicked, out); }
            Result<void> learn(std::span<const SimulatedClick> more, const RunControl&) override {
                clicks.insert(clicks.end(), more.begin(), more.end());
                return {};
            }
        };
        Noting a(ranked(people, false)), b(ranked(people, false));
        const NumericVisitors visitors(people, behaviour);
        SimulationPlan plan;
        plan.visitors = &visitors, plan.arms = {{"a", &a}, {"b", &b}};
        plan.settings.rounds = 6, plan.settings.learnEvery = 1;
        RandomStream random(3, "sessions");
        for (std::int32_t person = 0; person < 300; ++person)
            for (std::int32_t round = 0; round < 6; ++round)
                plan.who.push_back(person), plan.personOf.push_back(person), plan.firstRound.push_back(round), plan.armOf.push_back(static_cast<std::int32_t>(random.below(2)));
        const auto run = [&](SimulationPlan which, int until) {
            Simulation out = std::move(*Simulation::make(std::move(which)));
            while (out.roundsDone() < until)
                if (!out.nextRound({}))
                    qFatal("a round failed");
            return out;
        };
        const Simulation whole = run(plan, 6);
        for (std::size_t u = 0; u < plan.who.size(); ++u)
            for (std::size_t arm = 0; arm < 2; ++arm)
                QCOMPARE(whole.arms()[arm].users[u].visits, plan.armOf[u] == static_cast<std::int32_t>(arm) ? 1.0f : 0.0f);
        QCOMPARE(a.clicks.size() + b.clicks.size(), std::size_t(300 * 5)); // the last round is not learned from
        for (const Noting* source : {&a, &b})
            for (const SimulatedClick& click : source->clicks)
                QCOMPARE(click.item, click.round); // the same ranking in both arms: the first that was not clicked in either
        for (std::size_t u = 0; u < plan.who.size(); ++u) // 1 - 0.5 x 0.8 to the number of visits so far
            QVERIFY(std::fabs(static_cast<double>(whole.arms()[static_cast<std::size_t>(plan.armOf[u])].users[u].satisfaction) - (1 - 0.5 * std::pow(0.8, plan.firstRound[u] + 1))) < 1e-5);
        // Kept in the middle and taken up again.
        const std::string state = run(plan, 3).save();
        Simulation again = std::move(*Simulation::make(plan));
        QVERIFY(again.restore(state, {}));
        while (again.roundsDone() < 6)
            QVERIFY(again.nextRound({}));
        QVERIFY(again.save() == whole.save());
        // Who stays away does so from every arm.
        behaviour.leave = 0.5;
        const Simulation leaving = run(plan, 6);
        int stayed = 0, visits = 0;
        for (std::size_t u = 0; u < plan.who.size(); ++u) {
            const auto visited = [&](std::size_t unit) { return leaving.arms()[static_cast<std::size_t>(plan.armOf[unit])].users[unit].visits > 0; };
            visits += visited(u);
            if (plan.firstRound[u] > 0 && visited(u)) {
                QVERIFY(visited(u - 1) && !leaving.arms()[static_cast<std::size_t>(plan.armOf[u - 1])].users[u - 1].left);
                ++stayed;
            }
        }
        QVERIFY(stayed > 50 && visits < 1500);
        // What is no plan of sessions.
        const auto code = [&](auto change) {
            SimulationPlan wrong = plan;
            change(wrong);
            const auto made = Simulation::make(wrong);
            return made ? std::string() : made.error().code;
        };
        QCOMPARE(code([](SimulationPlan&) {}), std::string());
        QCOMPARE(code([](SimulationPlan& p) { p.firstRound[1] = 0; }), std::string("CL-3130")); // two of one person in one round
        QCOMPARE(code([](SimulationPlan& p) { p.armOf[7] = -1; }), std::string("CL-3130"));
        QCOMPARE(code([](SimulationPlan& p) { p.personOf.pop_back(); }), std::string("CL-3130"));
    }
    void assignedSessionsKeepTheLevelAlthoughTheirUsersDiffer() {
        // A/A, 1,000 experiments of 150 people with 6 visits each: persons differ much, visits of one are alike, and Welch's interval over
        // visits still leaves out 0 as often as it says, since every visit was assigned by itself.
        Population people = crowd(150, 30);
        for (float& x : people.userVectors)
            x *= 2;
        const Behaviour behaviour = carouselUsers();
        RankedSource source = ranked(people, true);
        const NumericVisitors visitors(people, behaviour);
        int found = 0;
        for (std::uint64_t repetition = 0; repetition < 1000; ++repetition) {
            SimulationPlan plan;
            plan.visitors = &visitors, plan.arms = {{"a", &source}, {"b", &source}};
            plan.settings.rounds = 6, plan.settings.seed = repetition;
            RandomStream random(repetition, "sessions");
            for (std::int32_t person = 0; person < 150; ++person)
                for (std::int32_t round = 0; round < 6; ++round)
                    plan.who.push_back(person), plan.personOf.push_back(person), plan.firstRound.push_back(round), plan.armOf.push_back(static_cast<std::int32_t>(random.below(2)));
            Simulation simulation = std::move(*Simulation::make(std::move(plan)));
            while (simulation.roundsDone() < 6)
                QVERIFY(simulation.nextRound({}));
            double n[2] = {0, 0}, clicks[2] = {0, 0};
            for (std::size_t arm = 0; arm < 2; ++arm)
                for (const UserTotals& unit : simulation.arms()[arm].users)
                    n[arm] += static_cast<double>(unit.visits), clicks[arm] += static_cast<double>(unit.clicks);
            const double p0 = clicks[0] / n[0], p1 = clicks[1] / n[1];
            found += std::fabs(p1 - p0) > 1.96 * std::sqrt(p0 * (1 - p0) / n[0] + p1 * (1 - p1) / n[1]);
        }
        QVERIFY2(found > 25 && found < 76, qPrintable(QString::number(found))); // 50 expected; 3.7 standard deviations
    }
    void replayedUsersClickWhatTheyWentOnToChoose() {
        Behaviour behaviour = carouselUsers();
        behaviour.examination = {1}, behaviour.swipe = 0.5, behaviour.buy = 1;
        // Everybody wants item 7 and nothing else. Sources: in the first place; in place 8, behind the fold; not at all.
        const ReplayVisitors visitors(std::vector<std::vector<std::int32_t>>(4000, {7}), 30, {}, behaviour);
        const auto always = [&](std::int32_t place) {
            std::vector<std::int32_t> all;
            for (int u = 0; u < 4000; ++u)
                for (std::int32_t slot = 0; slot < 12; ++slot)
                    all.push_back(slot == place ? 7 : 10 + slot);
            return RankedSource(std::move(all), 12);
        };
        RankedSource front = always(0), behind = always(7), never = always(-1);
        SimulationPlan plan;
        plan.visitors = &visitors;
        plan.arms = {{"front", &front}, {"behind", &behind}, {"never", &never}};
        plan.armOf.assign(4000, -1);
        plan.settings.rounds = 1;
        auto simulation = std::move(*Simulation::make(plan));
        QVERIFY(simulation.nextRound({}));
        const auto& arms = simulation.arms();
        QCOMPARE(sum(arms[0].users, &UserTotals::purchases), 4000.0);
        const double bought = sum(arms[1].users, &UserTotals::purchases);
        QVERIFY(std::fabs(bought - 2000) < 4 * std::sqrt(1000.0));
        QCOMPARE(sum(arms[1].users, &UserTotals::missed), 4000 - bought); // position 8: a sale is lost
        QCOMPARE(sum(arms[2].users, &UserTotals::clicks) + sum(arms[2].users, &UserTotals::missed), 0.0);

        // In one carousel with the others, what stands first wins, and a list against itself does not.
        plan.arms = {{"front", &front}, {"never", &never}};
        for (const auto method : {InterleavingMethod::teamDraft, InterleavingMethod::probabilistic}) {
            const auto mixed = interleave(plan, method, {});
            QVERIFY(mixed);
            const auto verdict = judge(mixed->clicksA, mixed->clicksB, 0.95);
            QVERIFY(verdict.preference > 0.2 && verdict.pValue < 1e-6);
        }
        plan.arms = {{"front", &front}, {"front again", &front}};
        const auto same = interleave(plan, InterleavingMethod::teamDraft, {});
        QVERIFY(judge(same->clicksA, same->clicksB, 0.95).pValue > 1e-3);
    }
    void refusals() {
        Population people = crowd(10, 5);
        RankedSource source = ranked(people, true);
        const ArmPlan arm{"a", &source};
        const std::vector<std::int32_t> both(10, -1), few(3, -1);
        const auto code = [&](const Population& p, const Behaviour& b, std::span<const std::int32_t> armOf) {
            const auto out = simulate(p, b, {&arm, 1}, armOf, {}, {});
            return out ? std::string() : out.error().code;
        };
        QCOMPARE(code(people, {}, few), std::string("CL-3130"));
        Behaviour odd;
        odd.swipe = 1.5;
        QCOMPARE(code(people, odd, both), std::string("CL-3130"));
        odd = {};
        odd.examination = {};
        QCOMPARE(code(people, odd, both), std::string("CL-3130"));
        people.itemBias[2] = std::numeric_limits<float>::quiet_NaN();
        QCOMPARE(code(people, {}, both), std::string("CL-3130"));
    }
};

QTEST_GUILESS_MAIN(TestSimulation)
#include "test_simulation.moc"
