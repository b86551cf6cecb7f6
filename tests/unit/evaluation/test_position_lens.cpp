// SPDX-License-Identifier: GPL-3.0-or-later
// The lens against the carousel's golden values, against carouselFigures slot by slot, and its intervals, maps and what-if comparisons.
#define QT_NO_KEYWORDS // LensFigures has a member of that name
#include "base/random.h"
#include "evaluation/carousel/lens.h"
#include <QTest>
#include <cmath>
#include <numeric>

using namespace carousel;

namespace {
bool near(double a, double b, double tolerance) {
    return std::fabs(a - b) <= tolerance;
}
struct Columns {
    std::size_t slots = 0;
    std::vector<float> alpha, v;
    std::vector<double> alphaOf(std::size_t c) const {
        return {alpha.begin() + static_cast<std::ptrdiff_t>(c * slots), alpha.begin() + static_cast<std::ptrdiff_t>((c + 1) * slots)};
    }
    std::vector<double> vOf(std::size_t c) const {
        return {v.begin() + static_cast<std::ptrdiff_t>(c * slots), v.begin() + static_cast<std::ptrdiff_t>((c + 1) * slots)};
    }
};
Columns drawn(std::size_t carousels, std::size_t slots, std::uint64_t seed, double priceUpTo) {
    RandomStream random(seed, "lens");
    Columns columns{.slots = slots};
    for (std::size_t i = 0; i < carousels * slots; ++i) {
        columns.alpha.push_back(static_cast<float>(0.4 * random.uniform()));
        columns.v.push_back(static_cast<float>(priceUpTo * random.uniform()));
    }
    return columns;
}
Columns golden() {
    return {.slots = 4, .alpha = {.2f, .1f, .4f, .1f}, .v = {1, 1, 1, 1}};
}
} // namespace

class TestPositionLens : public QObject {
    Q_OBJECT
private Q_SLOTS:
    // alpha .2, .1 and .4 as floats differ from the decimals by up to 6e-9, hence 1e-7 and not 1e-12.
    void goldenCarousel() {
        const auto columns = golden();
        const auto lens = PositionLens::make(4, columns.alpha, columns.v);
        QVERIFY(lens);
        CarouselModel model{.window = 2, .swipe = 0.5, .examination = {1, 1}};
        const auto f = lens->figures(model);
        QVERIFY(f);
        QVERIFY(near(f->value, .4456, 1e-7));
        QVERIFY(near(f->valuePerCarousel.at(0), .4456, 1e-7));
        QVERIFY(near(f->slots[0].value + f->slots[1].value, .28, 1e-7));
        QVERIFY(near(f->slots[2].reach, .36, 1e-7));
        QVERIFY(near(f->slots[2].click, .144, 1e-7));
        QVERIFY(near(f->slots[2].hidden, .4 * .64, 1e-7));
        const auto missed = lens->missed(model, 1, 100, .95, 1, {});
        QVERIFY(missed);
        QVERIFY(near(missed->best, .5656, 1e-7));
        QVERIFY(near(missed->missed, .1200, 1e-7));
        QCOMPARE(missed->carousels, std::size_t(1));
        model.swipe = 1;
        QVERIFY(near(lens->figures(model)->value, .6112, 1e-7));
        model.swipe = 0;
        QVERIFY(near(lens->figures(model)->value, .28, 1e-7));
    }

    // Every figure of every slot, on numbers of carousels that do not fill the last block and on windows that do not fill the last page.
    void equalsOneByOne() {
        for (const std::size_t carousels : {1u, 3u, 517u, 4099u})
            for (const std::size_t slots : {1u, 7u, 30u})
                for (const int window : {1, 4, 6, 40}) {
                    const auto columns = drawn(carousels, slots, carousels + slots, 5);
                    const auto lens = PositionLens::make(slots, columns.alpha, columns.v);
                    QVERIFY(lens);
                    const auto model = CarouselModel::geometric(window, .35, .85);
                    const auto f = lens->figures(model);
                    QVERIFY(f);
                    QCOMPARE(f->slots.size(), slots);
                    std::vector<SlotFigures> mean(slots);
                    double value = 0;
                    for (std::size_t c = 0; c < carousels; ++c) {
                        // The plain walk of value.cpp without its search for the best order.
                        const auto alpha = columns.alphaOf(c), v = columns.vOf(c);
                        double reach = 1, mine = 0;
                        for (std::size_t slot = 0; slot < slots; ++slot) {
                            const double theta = model.examination[slot % static_cast<std::size_t>(window)];
                            mean[slot].reach += reach;
                            mean[slot].examination += reach * theta;
                            mean[slot].click += reach * theta * alpha[slot];
                            mean[slot].value += reach * theta * alpha[slot] * v[slot];
                            mean[slot].hidden += alpha[slot] * v[slot] * (1 - reach);
                            mine += reach * theta * alpha[slot] * v[slot];
                            reach *= 1 - theta * alpha[slot];
                            if ((slot + 1) % static_cast<std::size_t>(window) == 0)
                                reach *= model.swipe;
                        }
                        value += mine;
                        QVERIFY(near(f->valuePerCarousel[c], mine, 1e-12));
                    }
                    const auto n = static_cast<double>(carousels);
                    QVERIFY(near(f->value, value / n, 1e-12));
                    for (std::size_t slot = 0; slot < slots; ++slot) {
                        QVERIFY(near(f->slots[slot].reach, mean[slot].reach / n, 1e-12));
                        QVERIFY(near(f->slots[slot].examination, mean[slot].examination / n, 1e-12));
                        QVERIFY(near(f->slots[slot].click, mean[slot].click / n, 1e-12));
                        QVERIFY(near(f->slots[slot].value, mean[slot].value / n, 1e-12));
                        QVERIFY(near(f->slots[slot].hidden, mean[slot].hidden / n, 1e-12));
                    }
                }
    }

    void equalsCarouselFigures() {
        RandomStream random(5, "columns");
        for (int repeat = 0; repeat < 40; ++repeat) {
            const std::size_t slots = 1 + random.below(10);
            std::vector<double> alpha, v;
            std::vector<float> alphaColumn, vColumn;
            for (std::size_t i = 0; i < slots; ++i) {
                alpha.push_back(random.uniform());
                v.push_back(random.uniform());
                alphaColumn.push_back(static_cast<float>(alpha.back()));
                vColumn.push_back(static_cast<float>(v.back()));
            }
            const auto model = CarouselModel::geometric(1 + static_cast<int>(random.below(6)), random.uniform(), random.uniform());
            const auto expected = carouselFigures(model, alpha, v);
            const auto lens = PositionLens::make(slots, alphaColumn, vColumn);
            const auto f = lens->figures(model);
            QVERIFY(expected && f);
            for (std::size_t slot = 0; slot < slots; ++slot) {
                QVERIFY(near(f->slots[slot].reach, expected->slots[slot].reach, 1e-6));
                QVERIFY(near(f->slots[slot].examination, expected->slots[slot].examination, 1e-6));
                QVERIFY(near(f->slots[slot].click, expected->slots[slot].click, 1e-6));
                QVERIFY(near(f->slots[slot].value, expected->slots[slot].value, 1e-6));
                QVERIFY(near(f->slots[slot].hidden, expected->slots[slot].hidden, 1e-6));
            }
            QVERIFY(near(f->value, expected->value, 1e-6));
            const auto missed = lens->missed(model, 1, 1, .95, 1, {});
            QVERIFY(missed);
            QVERIFY(near(missed->missed, expected->missed, 1e-6));
        }
    }

    void sampleOfTheMissedValue() {
        const auto columns = drawn(103, 8, 3, 2);
        const auto lens = PositionLens::make(8, columns.alpha, columns.v);
        const auto model = CarouselModel::geometric(3, .5, .9);
        const auto sample = lens->missed(model, 10, 50, .95, 1, {});
        QVERIFY(sample);
        QCOMPARE(sample->carousels, std::size_t(11));
        double missed = 0;
        for (std::size_t c = 0; c < 103; c += 10)
            missed += carouselFigures(model, columns.alphaOf(c), columns.vOf(c))->missed;
        QVERIFY(near(sample->missed, missed / 11, 1e-12));
        QVERIFY(sample->missedInterval.low <= sample->missed && sample->missed <= sample->missedInterval.high);
        QVERIFY(sample->missedInterval.low < sample->missedInterval.high);
    }

    // A blank in the middle of a page would put an item at the better seen front of the next page; padding must not serve as one.
    void paddingIsNoItem() {
        const auto lens = PositionLens::make(5, std::vector<float>{.5f, .5f, 0, 0, 0}, std::vector<float>{1, 1, 0, 0, 0});
        const CarouselModel model{.window = 2, .swipe = 1, .examination = {1, .1}};
        const auto missed = lens->missed(model, 1, 1, .95, 1, {});
        QVERIFY(missed);
        QCOMPARE(missed->missed, 0.0);
    }

    void intervalsCoverAndShareDraws() {
        const auto columns = drawn(2000, 8, 9, 3);
        const auto lens = PositionLens::make(8, columns.alpha, columns.v);
        const auto model = CarouselModel::geometric(4, .4, .8);
        const auto f = lens->figures(model);
        const auto i = lens->intervals(model, 400, .95, 7, {});
        QVERIFY(f && i);
        auto around = [](const Interval& interval, double x) { return interval.low <= x && x <= interval.high; };
        double spread = 0;
        for (const auto value : f->valuePerCarousel)
            spread += (value - f->value) * (value - f->value);
        const double se = std::sqrt(spread) / 2000;
        QVERIFY(around(i->total, f->value));
        QVERIFY(near(i->total.high - i->total.low, 2 * 1.96 * se, .6 * se)); // 400 draws: the width itself varies by a tenth
        for (std::size_t slot = 0; slot < 8; ++slot) {
            QVERIFY(around(i->reach[slot], f->slots[slot].reach));
            QVERIFY(around(i->click[slot], f->slots[slot].click));
            QVERIFY(around(i->value[slot], f->slots[slot].value));
            QVERIFY(around(i->hidden[slot], f->slots[slot].hidden));
            const double theta = model.examination[slot % 4];
            QVERIFY(near(i->examination[slot].low, theta * i->reach[slot].low, 1e-15));
        }
        QVERIFY(near(i->reach[0].low, 1, 1e-12) && near(i->reach[0].high, 1, 1e-12));
        const auto again = lens->intervals(model, 400, .95, 7, {});
        QCOMPARE(again->value[5].low, i->value[5].low);
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = lens->intervals(model, 400, .95, 7, RunControl(stop.get_token()));
        QVERIFY(!stopped);
        QCOMPARE(stopped.error().kind, ErrorKind::cancelled);
    }

    // Paired: the interval of "7 visible instead of 6" is far narrower than that of either mean.
    void whatIf() {
        const auto columns = drawn(1500, 10, 11, 4);
        const auto lens = PositionLens::make(10, columns.alpha, columns.v);
        const auto before = CarouselModel::geometric(6, .35, .85), after = CarouselModel::geometric(7, .35, .85);
        const auto change = lens->change(before, after, 400, .95, 3, {});
        QVERIFY(change);
        QVERIFY(near(change->before, lens->figures(before)->value, 1e-15));
        QVERIFY(near(change->after, lens->figures(after)->value, 1e-15));
        QVERIFY(near(change->difference, change->after - change->before, 1e-15));
        QVERIFY(change->interval.low <= change->difference && change->difference <= change->interval.high);
        const auto total = lens->intervals(before, 400, .95, 3, {})->total;
        QVERIFY(change->interval.high - change->interval.low < (total.high - total.low) / 2);
        const auto same = lens->change(before, before, 50, .95, 3, {});
        QCOMPARE(same->difference, 0.0);
        QCOMPARE(same->interval.low, 0.0);
        QCOMPARE(same->interval.high, 0.0);
    }

    void heatMapBySegment() {
        const auto columns = drawn(900, 6, 13, 2);
        std::vector<std::int32_t> segment(900);
        for (std::size_t c = 0; c < 900; ++c)
            segment[c] = c % 10 == 9 ? -1 : static_cast<std::int32_t>(c % 2);
        const auto lens = PositionLens::make(6, columns.alpha, columns.v, segment, {"even", "odd", "nobody"});
        QVERIFY(lens);
        const auto model = CarouselModel::geometric(4, .5, .9);
        // A lens over the carousels of one segment gives that segment's row.
        Columns even{.slots = 6};
        for (std::size_t c = 0; c < 900; c += 2)
            for (std::size_t slot = 0; slot < 6; ++slot) {
                even.alpha.push_back(columns.alpha[c * 6 + slot]);
                even.v.push_back(columns.v[c * 6 + slot]);
            }
        const auto alone = PositionLens::make(6, even.alpha, even.v)->figures(model);
        using Figure = PositionLens::Figure;
        for (const auto& [figure, member] : {std::pair{Figure::reach, &SlotFigures::reach},
                                             {Figure::examination, &SlotFigures::examination},
                                             {Figure::click, &SlotFigures::click},
                                             {Figure::value, &SlotFigures::value},
                                             {Figure::hidden, &SlotFigures::hidden}}) {
            const auto map = lens->heatMap(model, figure);
            QVERIFY(map);
            QCOMPARE(map->segments.size(), std::size_t(3));
            QCOMPARE(map->carousels[0], std::int64_t(450));
            QCOMPARE(map->carousels[1], std::int64_t(360));
            QCOMPARE(map->carousels[2], std::int64_t(0));
            for (std::size_t slot = 0; slot < 6; ++slot) {
                QVERIFY(near(map->mean[slot], alone->slots[slot].*member, 1e-12));
                QVERIFY(std::isnan(map->mean[2 * 6 + slot]));
            }
        }
        const auto whole = PositionLens::make(6, columns.alpha, columns.v)->heatMap(model, Figure::value);
        QCOMPARE(whole->segments.size(), std::size_t(1));
        QCOMPARE(whole->carousels[0], std::int64_t(900));
    }

    void landingOfTheIdealItem() {
        std::vector<float> alpha(8 * 12, .1f), v(8 * 12, 1);
        // Positions 1, 6, 7, 10 and 11 of 12, one beyond, two carousels without an ideal item.
        const auto lens = PositionLens::make(12, alpha, v, {}, {}, {0, 5, 6, 9, 10, 40, -1, -1});
        QVERIFY(lens);
        const auto landing = lens->landing(6);
        QCOMPARE(landing.withTarget, std::int64_t(6));
        QCOMPARE(landing.share.size(), std::size_t(13));
        QVERIFY(near(landing.share[0], 1.0 / 6, 1e-15));
        QVERIFY(near(landing.share[12], 1.0 / 6, 1e-15));
        QVERIFY(near(std::accumulate(landing.share.begin(), landing.share.end(), 0.0), 1, 1e-12));
        QVERIFY(near(landing.justOutside, 2.0 / 6, 1e-15)); // 7 and 10, not 11
        QVERIFY(near(lens->landing(10).justOutside, 1.0 / 6, 1e-15));
    }

    void refusals() {
        const std::vector<float> one{.5f}, two{.5f, .5f};
        QCOMPARE(PositionLens::make(2, one, one).error().code, std::string("CL-8042"));
        QCOMPARE(PositionLens::make(0, {}, {}).error().code, std::string("CL-8042"));
        QCOMPARE(PositionLens::make(1, two, two, {0}, {"a"}).error().code, std::string("CL-8042"));
        QCOMPARE(PositionLens::make(1, one, one, {1}, {"a"}).error().code, std::string("CL-8042"));
        QCOMPARE(PositionLens::make(1, std::vector<float>{1.5f}, one).error().code, std::string("CL-8001"));
        QCOMPARE(PositionLens::make(1, std::vector<float>{std::nanf("")}, one).error().code, std::string("CL-8001"));
        QCOMPARE(PositionLens::make(1, one, std::vector<float>{-1}).error().code, std::string("CL-8001"));
        const auto lens = PositionLens::make(1, one, one);
        QCOMPARE(lens->figures({.window = 2, .swipe = .5, .examination = {1}}).error().code, std::string("CL-8001"));
        const auto empty = PositionLens::make(3, {}, {});
        QVERIFY(empty);
        QCOMPARE(empty->figures(CarouselModel::geometric(2, .5, 1))->value, 0.0);
        QVERIFY(std::isnan(empty->intervals(CarouselModel::geometric(2, .5, 1), 10, .95, 1, {})->total.low));
    }
};

QTEST_GUILESS_MAIN(TestPositionLens)
#include "test_position_lens.moc"
