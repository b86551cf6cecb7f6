// SPDX-License-Identifier: GPL-3.0-or-later
// The E-step of every click model: cells in closed form, tails by the exact posterior of the chain. Chunks are fixed and merged in order.
#include "base/parallel.h"
#include "evaluation/click_models/fit_counts.h"
#include <algorithm>
#include <array>
#include <cmath>

namespace carousel {

namespace {
using K = ClickModelKind;
double logOf(double p) {
    return std::log(std::max(p, 1e-12));
}
double ratio(double top, double bottom) {
    return bottom > 0 ? top / bottom : 0;
}
} // namespace

double hiddenStay(const ParameterLayout& layout, const std::vector<double>& p) {
    if (layout.kind == K::dbn || layout.kind == K::ccm)
        return p[layout.continuation];
    return layout.kind == K::carousel ? p[layout.swipe()] : 1;
}

double tailFirstStay(const ClickCounts& counts, const std::vector<double>& p, const ClickTail& tail) {
    const ParameterLayout& layout = counts.layout;
    if (tail.item < 0)
        return hiddenStay(layout, p);
    const auto item = static_cast<std::size_t>(tail.item);
    switch (layout.kind) {
    case K::dcm:
        return p[layout.continuation + static_cast<std::size_t>(tail.slot)];
    case K::sdbn:
        return 1 - p[layout.satisfaction + item];
    case K::dbn:
        return p[layout.continuation] * (1 - p[layout.satisfaction + item]);
    case K::ccm:
        return p[layout.continuation + 1] * (1 - p[item]) + p[layout.continuation + 2] * p[item];
    case K::carousel:
        return p[layout.onAfterClick()] * (tail.crossing ? p[layout.swipe()] : 1);
    default:
        return 0; // cascade
    }
}

double tailPosterior(const ClickCounts& counts, const double* emission, double stay, double staying, const ClickTail& tail, double* ahead,
                     double* alive) {
    const ClickTailRow* rows = counts.tailRows.data() + tail.begin;
    ahead[tail.rows] = tail.endsDead ? 0 : 1;
    for (std::size_t j = tail.rows; j-- > 0;) {
        const double quiet = rows[j].cell < 0 ? 1 : 1 - emission[rows[j].cell];
        ahead[j] = quiet * (rows[j].mayEnd ? staying * ahead[j + 1] + 1 - staying : ahead[j + 1]);
    }
    double now = ratio(stay * ahead[0], stay * ahead[0] + 1 - stay);
    for (std::size_t j = 0; j < tail.rows; ++j) {
        alive[j] = now;
        if (rows[j].mayEnd)
            now *= ratio(staying * ahead[j + 1], staying * ahead[j + 1] + 1 - staying);
    }
    alive[tail.rows] = tail.endsDead ? 0 : now;
    return ahead[0];
}

namespace {
struct TailSums {
    std::vector<double> mass; // per cell: expected living rows without a click
    double trials = 0, stayed = 0, logLikelihood = 0;
};

// Transitions from the last certain row.
void addFirstStep(const ParameterLayout& layout, const std::vector<double>& p, const ClickTail& tail, double stay, double on,
                  Expectation& out) {
    const double w = tail.weight;
    auto add = [&](std::size_t at, double successes, double trials) {
        out.successes[at] += successes;
        out.trials[at] += trials;
    };
    if (tail.item < 0) {
        add(layout.kind == K::carousel ? layout.swipe() : layout.continuation, w * on, w);
        return;
    }
    const auto item = static_cast<std::size_t>(tail.item);
    switch (layout.kind) {
    case K::dcm:
        add(layout.continuation + static_cast<std::size_t>(tail.slot), w * on, w);
        break;
    case K::sdbn:
        add(layout.satisfaction + item, w * (1 - on), w);
        break;
    case K::dbn: {
        const double satisfied = (1 - on) * ratio(p[layout.satisfaction + item], 1 - stay);
        add(layout.satisfaction + item, w * satisfied, w);
        add(layout.continuation, w * on, w * (1 - satisfied));
        break;
    }
    case K::ccm: {
        const double t3 = p[layout.continuation + 2];
        const double relevantOn = on * ratio(p[item] * t3, stay), relevant = relevantOn + (1 - on) * ratio(p[item] * (1 - t3), 1 - stay);
        add(item, w * relevant, w);
        add(layout.continuation + 2, w * relevantOn, w * relevant);
        add(layout.continuation + 1, w * (on - relevantOn), w * (1 - relevant));
        break;
    }
    case K::carousel:
        if (tail.crossing) {
            const double willing = 1 - (1 - on) * ratio(1 - p[layout.onAfterClick()], 1 - stay);
            add(layout.onAfterClick(), w * willing, w);
            add(layout.swipe(), w * on, w * willing);
        } else {
            add(layout.onAfterClick(), w * on, w);
        }
        break;
    default:
        break;
    }
}

// Transitions that are certain: their successes, trials and likelihood.
void addCertain(const ClickCounts& counts, const std::vector<double>& p, Expectation& out) {
    const ParameterLayout& layout = counts.layout;
    auto add = [&](std::size_t at, double successes, double trials) {
        out.successes[at] += successes;
        out.trials[at] += trials;
    };
    auto likely = [&](double count, double probability) {
        if (count > 0)
            out.logLikelihood += count * logOf(probability);
    };
    double all = 0;
    for (const double count : counts.wentOnSlot)
        all += count;
    switch (layout.kind) {
    case K::dcm:
        for (std::size_t s = 0; s < layout.slots; ++s) {
            add(layout.continuation + s, counts.wentOnSlot[s], counts.wentOnSlot[s]);
            likely(counts.wentOnSlot[s], p[layout.continuation + s]);
        }
        break;
    case K::sdbn:
    case K::dbn:
        for (std::size_t i = 0; i < layout.items; ++i) {
            add(layout.satisfaction + i, 0, counts.wentOnItem[i]);
            likely(counts.wentOnItem[i], 1 - p[layout.satisfaction + i]);
        }
        if (layout.kind == K::dbn) {
            add(layout.continuation, all + counts.wentOn, all + counts.wentOn);
            likely(all + counts.wentOn, p[layout.continuation]);
        }
        break;
    case K::ccm: {
        const double t2 = p[layout.continuation + 1], t3 = p[layout.continuation + 2];
        for (std::size_t i = 0; i < layout.items; ++i) {
            const double k = counts.wentOnItem[i], stay = t2 * (1 - p[i]) + t3 * p[i], relevant = k * ratio(t3 * p[i], stay);
            if (k == 0)
                continue;
            add(i, relevant, k);
            add(layout.continuation + 2, relevant, relevant);
            add(layout.continuation + 1, k - relevant, k - relevant);
            likely(k, stay);
        }
        add(layout.continuation, counts.wentOn, counts.wentOn);
        likely(counts.wentOn, p[layout.continuation]);
        break;
    }
    case K::carousel: {
        const double swiped = counts.wentOn + counts.wentOnCrossing;
        add(layout.onAfterClick(), all, all);
        likely(all, p[layout.onAfterClick()]);
        add(layout.swipe(), swiped, swiped + counts.ended);
        likely(swiped, p[layout.swipe()]);
        likely(counts.ended, 1 - p[layout.swipe()]);
        break;
    }
    default:
        break;
    }
}
} // namespace

void expectClicks(const ClickCounts& counts, const std::vector<double>& p, Expectation& out) {
    const ParameterLayout& layout = counts.layout;
    const std::size_t cells = counts.context.size();
    out.successes.assign(layout.total, 0.0);
    out.trials.assign(layout.total, 0.0);
    out.logLikelihood = 0;
    std::vector<double> look(layout.contexts);
    for (std::size_t c = 0; c < layout.contexts; ++c)
        look[c] = layout.look(p, c);
    const std::size_t itemGrain = std::max<std::size_t>(1, 16384 / layout.contexts);

    std::vector<double> mass;
    if (!counts.tails.empty()) {
        std::vector<double> emission(cells);
        for (std::size_t i = 0; i < layout.items; ++i)
            for (std::size_t c = counts.start[i]; c < counts.start[i + 1]; ++c)
                emission[c] = p[i] * look[static_cast<std::size_t>(counts.context[c])];
        const std::size_t tails = counts.tails.size();
        const std::size_t wanted = std::min({std::size_t{16}, tails / 4096 + 1, (std::size_t{1} << 22) / (cells + 1) + 1});
        const std::size_t grain = (tails + wanted - 1) / wanted;
        std::vector<TailSums> sums((tails + grain - 1) / grain);
        std::vector<double> first(tails), firstStay(tails);
        const double staying = hiddenStay(layout, p);
        parallelFor(tails, grain, [&](std::size_t begin, std::size_t end) {
            TailSums& sum = sums[begin / grain];
            sum.mass.assign(cells, 0.0);
            std::vector<double> ahead(layout.slots + 2), alive(layout.slots + 2);
            double product = 1; // of the tails' probabilities, logged before it gets too small
            for (std::size_t t = begin; t < end; ++t) {
                const ClickTail& tail = counts.tails[t];
                const double w = tail.weight, stay = tailFirstStay(counts, p, tail);
                const double behind = tailPosterior(counts, emission.data(), stay, staying, tail, ahead.data(), alive.data());
                const double likelihood = std::max(stay * behind + 1 - stay, 1e-12);
                if (tail.weight == 1) {
                    product *= likelihood;
                    if (product < 1e-200) {
                        sum.logLikelihood += std::log(product);
                        product = 1;
                    }
                } else {
                    sum.logLikelihood += w * std::log(likelihood);
                }
                first[t] = alive[0];
                firstStay[t] = stay;
                const ClickTailRow* rows = counts.tailRows.data() + tail.begin;
                for (std::size_t j = 0; j < tail.rows; ++j) {
                    if (rows[j].cell >= 0)
                        sum.mass[static_cast<std::size_t>(rows[j].cell)] += w * alive[j];
                    if (rows[j].mayEnd) {
                        sum.trials += w * alive[j];
                        sum.stayed += w * alive[j + 1];
                    }
                }
            }
            sum.logLikelihood += std::log(product);
        });
        mass.assign(cells, 0.0);
        const std::size_t hidden = layout.kind == K::carousel ? layout.swipe() : layout.continuation;
        for (const TailSums& sum : sums) {
            for (std::size_t c = 0; c < cells; ++c)
                mass[c] += sum.mass[c];
            out.logLikelihood += sum.logLikelihood;
            if (sum.trials > 0) {
                out.trials[hidden] += sum.trials;
                out.successes[hidden] += sum.stayed;
            }
        }
        for (std::size_t t = 0; t < tails; ++t)
            addFirstStep(layout, p, counts.tails[t], firstStay[t], first[t], out);
    }
    addCertain(counts, p, out);

    const bool looks = layout.contexts > 1, pages = layout.kind == K::carousel;
    struct CellSums {
        std::vector<double> successes, trials; // per place, then reset
        double logLikelihood = 0;
    };
    const std::size_t places = layout.continuation - layout.examination;
    std::vector<CellSums> sums((layout.items + itemGrain - 1) / itemGrain);
    parallelFor(layout.items, itemGrain, [&](std::size_t begin, std::size_t end) {
        CellSums& sum = sums[begin / itemGrain];
        sum.successes.assign(places + 1, 0.0);
        sum.trials.assign(places + 1, 0.0);
        for (std::size_t i = begin; i < end; ++i) {
            double attracted = 0, shown = 0;
            for (std::size_t c = counts.start[i]; c < counts.start[i + 1]; ++c) {
                const auto context = static_cast<std::size_t>(counts.context[c]);
                const double clicks = counts.clicks[c], n = counts.shown[c] + (mass.empty() ? 0 : mass[c]), none = n - clicks;
                const double a = p[i], l = look[context], b = a * l, quiet = std::max(1 - b, 1e-12), share = none / quiet;
                if (clicks > 0)
                    sum.logLikelihood += clicks * logOf(b);
                if (counts.shown[c] > clicks)
                    sum.logLikelihood += (counts.shown[c] - clicks) * logOf(quiet);
                shown += n;
                attracted += clicks;
                if (!looks)
                    continue;
                attracted += share * a * (1 - l);
                const bool later = pages && context >= layout.window;
                const std::size_t at = pages ? context % layout.window : context;
                const double theta = p[layout.examination + at], reset = later ? p[layout.reset()] : 1;
                sum.successes[at] += clicks + share * theta * (1 - reset * a);
                sum.trials[at] += n;
                if (later) {
                    sum.successes[places] += clicks + share * reset * (1 - theta * a);
                    sum.trials[places] += n;
                }
            }
            out.successes[i] += attracted; // this item is this chunk's alone
            out.trials[i] += shown;
        }
    });
    for (const CellSums& sum : sums) {
        out.logLikelihood += sum.logLikelihood;
        for (std::size_t k = 0; k < places; ++k) {
            out.successes[layout.examination + k] += sum.successes[k];
            out.trials[layout.examination + k] += sum.trials[k];
        }
        if (pages) {
            out.successes[layout.reset()] += sum.successes[places];
            out.trials[layout.reset()] += sum.trials[places];
        }
    }
}

} // namespace carousel
