// SPDX-License-Identifier: GPL-3.0-or-later
// Golden values, properties, and the claims about the best order against every permutation.
#define QT_NO_KEYWORDS // CarouselFigures has a member of that name
#include "base/random.h"
#include "evaluation/carousel/carousel_value.h"
#include "evaluation/carousel/value.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace carousel;

namespace {
bool near(double a, double b, double tolerance = 1e-12) {
    return std::fabs(a - b) <= tolerance;
}
struct Case {
    CarouselModel model;
    std::vector<double> alpha, v;
};
Case drawn(RandomStream& random, std::size_t n, int window, bool equalValues, bool constantTheta) {
    Case c;
    c.model = CarouselModel::geometric(window, random.uniform(), constantTheta ? 1 : 0.6 + 0.4 * random.uniform());
    for (std::size_t i = 0; i < n; ++i) {
        c.alpha.push_back(random.uniform());
        c.v.push_back(equalValues ? 2 : 5 * random.uniform());
    }
    return c;
}
double bruteForce(const Case& c) {
    std::vector<std::size_t> order(c.alpha.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    double best = 0;
    do
        best = std::max(best, valueOfOrder(c.model, c.alpha, c.v, order));
    while (std::next_permutation(order.begin(), order.end()));
    return best;
}
} // namespace

class TestCarouselValue : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void goldenCarousel() {
        CarouselModel model{.window = 2, .swipe = 0.5, .examination = {1, 1}};
        const std::vector<double> alpha{.2, .1, .4, .1}, v{1, 1, 1, 1};
        const auto f = carouselFigures(model, alpha, v);
        QVERIFY(f);
        QVERIFY(near(f->value, .4456));
        QVERIFY(near(f->best, .5656));
        QVERIFY(near(f->missed, .1200));
        QVERIFY(near(f->slots[0].value + f->slots[1].value, .28));
        QVERIFY(near(f->slots[2].reach, .36));
        QVERIFY(near(f->slots[2].click, .144));
        QVERIFY(near(f->slots[2].hidden, .4 * .64));
        model.swipe = 1;
        QVERIFY(near(carouselFigures(model, alpha, v)->value, .6112));
        QVERIFY(near(carouselFigures(model, alpha, v)->missed, 0));
        model.swipe = 0;
        QVERIFY(near(carouselFigures(model, alpha, v)->value, .28));
    }
    void badInputIsRefusedByName() {
        const std::vector<double> two{.5, .5}, tooLarge{.5, 1.5}, one{1}, negative{1, -1}, nan{.5, std::nan("")};
        const auto model = CarouselModel::geometric(3, .35, .85);
        QVERIFY(near(model.examination[2], .7225));
        for (const auto& [alpha, v] :
             {std::pair{tooLarge, two}, std::pair{two, one}, std::pair{two, negative}, std::pair{nan, two}, std::pair{two, nan}}) {
            const auto refused = carouselFigures(model, alpha, v);
            QVERIFY(!refused);
            QCOMPARE(refused.error().code, std::string("CL-8001"));
        }
        QVERIFY(carouselFigures(model, tooLarge, two).error().message.find("position 2 is 1.5") != std::string::npos);
        QVERIFY(!carouselFigures({.window = 2, .swipe = .5, .examination = {1}}, two, two));
        QVERIFY(!carouselFigures({.window = 1, .swipe = 1.1, .examination = {1}}, two, two));
        QVERIFY(!carouselFigures({.window = 0}, two, two));
        QVERIFY(std::isnan(bestOrder(model, tooLarge, two).value));
        QVERIFY(swipeSensitivity(model, tooLarge, two).swipe.empty());
        QCOMPARE(carouselFigures(model, {}, {})->value, 0.0);
    }
    void probabilitiesAddUpAndFallAlongThePage() {
        RandomStream random(3, "properties");
        for (int trial = 0; trial < 300; ++trial) {
            const auto c = drawn(random, 1 + random.below(30), 1 + static_cast<int>(random.below(7)), false, false);
            const auto f = carouselFigures(c.model, c.alpha, c.v);
            double clicks = 0, sum = 0;
            for (std::size_t r = 0; r < f->slots.size(); ++r) {
                const auto& slot = f->slots[r];
                clicks += slot.click;
                sum += slot.value;
                QVERIFY(slot.reach >= 0 && slot.reach <= 1 && slot.examination <= slot.reach && slot.hidden >= 0);
                QVERIFY(r == 0 || slot.reach <= f->slots[r - 1].reach + 1e-15);
            }
            QVERIFY(clicks <= 1 + 1e-12);
            QVERIFY(near(sum, f->value, 1e-12));
            QVERIFY(f->missed >= 0 && f->best >= f->value);
            std::vector<std::size_t> shown(c.alpha.size());
            std::iota(shown.begin(), shown.end(), std::size_t(0));
            QVERIFY(near(valueOfOrder(c.model, c.alpha, c.v, shown), f->value, 1e-12)); // backwards and forwards
            auto more = c.model; // swiping more never loses value, nor does a more attractive item of the highest value
            more.swipe = std::min(1.0, more.swipe + 0.1);
            QVERIFY(carouselFigures(more, c.alpha, c.v)->value >= f->value - 1e-12);
        }
    }
    void bestOrderEqualsEveryPermutation() {
        RandomStream random(4, "orders");
        int exact = 0;
        for (int trial = 0; trial < 240; ++trial) {
            const auto c = drawn(random, 1 + random.below(7), 1 + static_cast<int>(random.below(5)), trial % 2, trial % 3 == 0);
            const auto best = bestOrder(c.model, c.alpha, c.v);
            QVERIFY2(near(best.value, bruteForce(c), 1e-12), best.method.c_str());
            exact += best.exact;
            auto sorted = best.order;
            std::sort(sorted.begin(), sorted.end());
            for (std::size_t i = 0; i < sorted.size(); ++i)
                QCOMPARE(sorted[i], i);
        }
        QCOMPARE(exact, 240);
    }
    void sortingIsNotBestAcrossPagesWithFallingExamination() {
        // The reason for the programme over subsets: with s = 1 the second item is worth more at the head of page 2.
        const CarouselModel model{.window = 2, .swipe = 1, .examination = {1, 0.2}};
        const std::vector<double> alpha{.5, .5, .1, .1}, v{1, 1, 1, 1};
        const std::vector<std::size_t> sorted{0, 1, 2, 3};
        const auto best = bestOrder(model, alpha, v);
        QVERIFY(best.value > valueOfOrder(model, alpha, v, sorted) + 0.05);
        QVERIFY(near(best.value, valueOfOrder(model, alpha, v, std::vector<std::size_t>{0, 2, 1, 3})));
    }
    void searchComesCloseToTheExactOrder() {
        RandomStream random(5, "search");
        double worst = 0;
        int found = 0;
        for (int trial = 0; trial < 60; ++trial) {
            const auto c = drawn(random, 10 + random.below(3), 3 + static_cast<int>(random.below(3)), trial % 2, false);
            std::vector<std::size_t> start(c.alpha.size());
            std::iota(start.begin(), start.end(), std::size_t(0));
            const auto exact = bestOrder(c.model, c.alpha, c.v);
            const auto searched = improvedOrder(c.model, c.alpha, c.v, start); // one start, and a poor one
            worst = std::max(worst, (exact.value - searched.value) / exact.value);
            found += near(exact.value, searched.value, 1e-9);
            QVERIFY(searched.value <= exact.value + 1e-12);
        }
        qInfo("exact order found in %d of 60, largest loss %.2e", found, worst);
        QVERIFY(worst < 0.005);
        QVERIFY(found >= 45);
    }
    void noExchangeImprovesALongCarousel() {
        RandomStream random(6, "long");
        for (int trial = 0; trial < 10; ++trial) {
            const auto c = drawn(random, 40, 6, trial % 2, false);
            auto best = bestOrder(c.model, c.alpha, c.v);
            QVERIFY(!best.exact);
            for (std::size_t i = 0; i < 40; ++i)
                for (std::size_t j = i + 1; j < 40; ++j) {
                    auto order = best.order;
                    std::swap(order[i], order[j]);
                    QVERIFY(valueOfOrder(c.model, c.alpha, c.v, order) <= best.value * (1 + 1e-9));
                }
        }
    }
    void sensitivityRunsFromOnePageToAll() {
        CarouselModel model{.window = 2, .swipe = 0.5, .examination = {1, 1}};
        const std::vector<double> alpha{.2, .1, .4, .1}, v{1, 1, 1, 1};
        const auto band = swipeSensitivity(model, alpha, v);
        QCOMPARE(band.swipe.size(), std::size_t(21));
        QVERIFY(near(band.value.front(), .28));
        QVERIFY(near(band.value.back(), .6112));
        QVERIFY(near(band.missed[10], .12));
        QVERIFY(near(band.missed.back(), 0));
        for (std::size_t i = 1; i < band.value.size(); ++i)
            QVERIFY(band.value[i] >= band.value[i - 1] && band.best[i] >= band.value[i]);
        RandomStream random(8, "band");
        const auto c = drawn(random, 30, 6, true, false);
        const auto longBand = swipeSensitivity(c.model, c.alpha, c.v, 11);
        for (std::size_t i = 1; i < longBand.best.size(); ++i)
            QVERIFY(longBand.best[i] >= longBand.best[i - 1] - 1e-12); // the best value rises with s as well
    }
};
QTEST_APPLESS_MAIN(TestCarouselValue)
#include "test_carousel_value.moc"
