// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/fit_population.h"
#include "base/random.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace carousel {

namespace {

constexpr double adagradFloor = 1e-8;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Row {
    std::int32_t user, item;
    double theta;
    bool click;
};

// Rows that were looked at or could have been: in view and not behind the slate's click.
std::vector<Row> rowsOf(const SlateLog& log, const Behaviour& behaviour, std::int32_t firstSlate, std::int32_t endSlate) {
    std::vector<Row> out;
    std::int32_t clickedIn = -1;
    for (std::size_t i = 0; i < log.rows(); ++i) {
        if (log.slate[i] < firstSlate || log.slate[i] >= endSlate || !log.inView[i] || clickedIn == log.slate[i])
            continue;
        out.push_back({log.user[i], log.item[i], behaviour.examinationAt(log.slot[i]), log.click[i] != 0});
        if (log.click[i])
            clickedIn = log.slate[i];
    }
    return out;
}

// The first slate of the held-out part.
std::int32_t splitAt(const SlateLog& log, double heldOut) {
    const std::int32_t slates = log.rows() ? log.slate.back() + 1 : 0;
    return static_cast<std::int32_t>(std::ceil(static_cast<double>(slates) * (1 - heldOut)));
}

double logLikelihood(const std::vector<Row>& rows, const Population& population) {
    double sum = 0;
    for (const Row& row : rows) {
        const double p = std::clamp(row.theta * sigmoid(population.logit(row.user, row.item)), 1e-12, 1 - 1e-12);
        sum += std::log(row.click ? p : 1 - p);
    }
    return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

} // namespace

Result<FittedPopulation> fitPopulation(const SlateLog& log, std::size_t users, std::size_t items, const Behaviour& behaviour,
                                       const FitPopulationSettings& settings, const RunControl& control) {
    CAROUSEL_TRY(checkBehaviour(behaviour));
    const std::int32_t split = splitAt(log, settings.heldOut);
    const auto training = rowsOf(log, behaviour, 0, split);
    const auto test = rowsOf(log, behaviour, split, log.rows() ? log.slate.back() + 1 : 0);
    double clicks = 0, theta = 0;
    for (const Row& row : training) {
        if (row.user < 0 || static_cast<std::size_t>(row.user) >= users || row.item < 0 || static_cast<std::size_t>(row.item) >= items)
            return fail(ErrorKind::input, "CL-3131", fmt::format("The log names user {} and item {}, of {} users and {} items.", row.user, row.item, users, items), "Use the log of this data set, without anonymous users.");
        clicks += row.click, theta += row.theta;
    }
    if (clicks < 1 || test.empty())
        return fail(ErrorKind::input, "CL-3131", fmt::format("The log has {} clicks to fit users to and {} shown items to check them on.", clicks, test.size()), "Use a log with clicks, and more slates.");
    FittedPopulation out;
    out.trainSlates = static_cast<std::size_t>(split), out.heldOutSlates = static_cast<std::size_t>(log.slate.back() + 1 - split);
    Population& p = out.population;
    p.users = users, p.items = items, p.rank = static_cast<std::size_t>(settings.rank);
    const double mean = std::clamp(clicks / theta, 1e-4, 0.9999);
    p.base = static_cast<float>(std::log(mean / (1 - mean)));
    p.itemBias.assign(items, 0);
    p.userVectors.assign(users * p.rank, 0), p.itemVectors.assign(items * p.rank, 0);
    out.nullLogLikelihood = logLikelihood(test, p);
    RandomStream start(settings.seed, "fit population: start");
    for (auto* vectors : {&p.userVectors, &p.itemVectors})
        for (float& value : *vectors)
            value = static_cast<float>(0.1 * start.normal());
    // Adagrad (Duchi, Hazan and Singer, JMLR 2011): rare users and items take larger steps.
    std::vector<float> userSquares(p.userVectors.size(), 0), itemSquares(p.itemVectors.size(), 0), biasSquares(items, 0);
    float baseSquares = 0;
    std::vector<std::size_t> order(training.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    const auto step = [&](float& value, float& squares, double gradient) {
        squares += static_cast<float>(gradient * gradient);
        value -= static_cast<float>(settings.rate * gradient / std::sqrt(static_cast<double>(squares) + adagradFloor));
    };
    for (int epoch = 0; epoch < settings.epochs; ++epoch) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("fitting users to the log"));
        RandomStream random(settings.seed, "fit population: order", static_cast<std::uint64_t>(epoch));
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        for (const std::size_t i : order) {
            const Row& row = training[i];
            const double alpha = sigmoid(p.logit(row.user, row.item));
            const double gradient = row.click ? alpha - 1 : row.theta * alpha * (1 - alpha) / std::max(1e-9, 1 - row.theta * alpha);
            float* const u = p.userVectors.data() + static_cast<std::size_t>(row.user) * p.rank;
            float* const v = p.itemVectors.data() + static_cast<std::size_t>(row.item) * p.rank;
            float* const us = userSquares.data() + static_cast<std::size_t>(row.user) * p.rank;
            float* const vs = itemSquares.data() + static_cast<std::size_t>(row.item) * p.rank;
            for (std::size_t k = 0; k < p.rank; ++k) {
                const double before = u[k];
                step(u[k], us[k], gradient * static_cast<double>(v[k]) + settings.l2 * before);
                step(v[k], vs[k], gradient * before + settings.l2 * static_cast<double>(v[k]));
            }
            auto& bias = p.itemBias[static_cast<std::size_t>(row.item)];
            step(bias, biasSquares[static_cast<std::size_t>(row.item)], gradient + 0.1 * settings.l2 * static_cast<double>(bias));
            step(p.base, baseSquares, gradient);
        }
        control.report("Fitting users to the log", epoch + 1, settings.epochs, "passes");
    }
    out.logLikelihood = logLikelihood(test, p);
    return out;
}

namespace {

Interval wilson(double hits, double n) {
    if (n <= 0)
        return noInterval();
    constexpr double z = 1.959963984540054;
    const double share = hits / n, centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double reach = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    return {centre - reach, centre + reach};
}

double ksDistance(std::vector<double> a, std::vector<double> b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    double out = 0;
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        const double at = std::min(a[i], b[j]);
        while (i < a.size() && a[i] <= at)
            ++i;
        while (j < b.size() && b[j] <= at)
            ++j;
        out = std::max(out, std::fabs(static_cast<double>(i) / static_cast<double>(a.size()) - static_cast<double>(j) / static_cast<double>(b.size())));
    }
    return out;
}

// Two-parameter logistic regression of clicks on x, by Newton's method, theta-weighted probability theta sigmoid(a + b x).
std::pair<double, double> calibration(const std::vector<std::array<double, 3>>& rows) { // x, theta, click
    double a = 0, b = 1;
    for (int i = 0; i < 50; ++i) {
        double ga = 0, gb = 0, haa = 1e-9, hab = 0, hbb = 1e-9;
        for (const auto& [x, theta, click] : rows) {
            const double alpha = sigmoid(a + b * x), p = std::clamp(theta * alpha, 1e-12, 1 - 1e-12), slope = theta * alpha * (1 - alpha);
            const double g = (click - p) / (p * (1 - p)) * slope, h = slope * slope / (p * (1 - p)); // Fisher scoring
            ga += g, gb += g * x, haa += h, hab += h * x, hbb += h * x * x;
        }
        const double det = haa * hbb - hab * hab;
        if (!(std::fabs(det) > 1e-18))
            break;
        const double da = (hbb * ga - hab * gb) / det, db = (haa * gb - hab * ga) / det;
        a += std::clamp(da, -2.0, 2.0), b += std::clamp(db, -2.0, 2.0);
        if (std::fabs(da) + std::fabs(db) < 1e-9)
            break;
    }
    return {a, b};
}

} // namespace

Result<Fidelity> fidelity(const SlateLog& log, const FittedPopulation& fitted, const Behaviour& behaviour, const FitPopulationSettings& settings,
                          int repetitions, const RunControl& control) {
    const std::int32_t split = splitAt(log, settings.heldOut);
    Fidelity out;
    std::map<std::int32_t, std::array<double, 2>> realUsers; // clicks, slates
    std::vector<std::map<std::int32_t, double>> drawnUsers(static_cast<std::size_t>(repetitions));
    std::vector<double> loggedShown, loggedClicked, drawnShown, drawnClicked;
    std::vector<std::array<double, 3>> firstSlot;
    const auto count = [](std::vector<double>& by, std::size_t slot, double n) {
        if (by.size() <= slot)
            by.resize(slot + 1, 0);
        by[slot] += n;
    };
    for (std::size_t begin = 0; begin < log.rows();) {
        std::size_t end = begin;
        while (end < log.rows() && log.slate[end] == log.slate[begin])
            ++end;
        if (log.slate[begin] >= split) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("comparing simulated users with the log"));
            const std::int32_t user = log.user[begin];
            bool clicked = false;
            int pages = 0;
            for (std::size_t i = begin; i < end; ++i) {
                const auto slot = static_cast<std::size_t>(log.slot[i]);
                if (!log.inView[i])
                    continue;
                pages = std::max(pages, log.slot[i] / behaviour.window + 1);
                count(loggedShown, slot, 1);
                count(loggedClicked, slot, log.click[i] ? 1 : 0);
                clicked = clicked || log.click[i];
            }
            firstSlot.push_back({fitted.population.logit(user, log.item[begin]), behaviour.examinationAt(0), log.click[begin] ? 1.0 : 0.0});
            out.loggedClicks += clicked, out.loggedNoClick += !clicked, out.loggedPages += pages;
            auto& real = realUsers[user];
            real[0] += clicked, real[1] += 1;
            ++out.slates;
            for (int r = 0; r < repetitions; ++r) {
                RandomStream random(settings.seed, "fidelity", static_cast<std::uint64_t>(log.slate[begin]), static_cast<std::uint64_t>(r));
                bool hit = false;
                int seen = 0;
                for (std::size_t first = begin; first < end && !hit; first += static_cast<std::size_t>(behaviour.window)) {
                    if (first > begin && !(random.uniform() < behaviour.swipe))
                        break;
                    ++seen;
                    for (std::size_t i = first; i < std::min(end, first + static_cast<std::size_t>(behaviour.window)); ++i)
                        count(drawnShown, i - begin, 1);
                    for (std::size_t i = first; i < std::min(end, first + static_cast<std::size_t>(behaviour.window)) && !hit; ++i)
                        if (random.uniform() < behaviour.examinationAt(static_cast<int>(i - begin)) * sigmoid(fitted.population.logit(user, log.item[i]))) {
                            hit = true;
                            count(drawnClicked, i - begin, 1);
                        }
                }
                out.simulatedClicks += hit, out.simulatedNoClick += !hit, out.simulatedPages += seen;
                drawnUsers[static_cast<std::size_t>(r)][user] += hit;
            }
        }
        begin = end;
    }
    if (out.slates == 0 || repetitions < 1)
        return fail(ErrorKind::input, "CL-3131", "There are no held-out slates to compare simulated users with.", "Hold out a larger share, or use a longer log.");
    const double slates = static_cast<double>(out.slates), drawn = slates * repetitions;
    out.loggedClicks /= slates, out.loggedNoClick /= slates, out.loggedPages /= slates;
    out.simulatedClicks /= drawn, out.simulatedNoClick /= drawn, out.simulatedPages /= drawn;
    drawnClicked.resize(std::max(drawnShown.size(), drawnClicked.size()), 0);
    for (std::size_t slot = 0; slot < loggedShown.size(); ++slot) {
        out.loggedRate.push_back(loggedShown[slot] > 0 ? loggedClicked[slot] / loggedShown[slot] : 0);
        out.loggedInterval.push_back(wilson(loggedClicked[slot], loggedShown[slot]));
        out.simulatedRate.push_back(slot < drawnShown.size() && drawnShown[slot] > 0 ? drawnClicked[slot] / drawnShown[slot] : 0);
    }
    std::tie(out.intercept, out.slope) = calibration(firstSlot);
    std::vector<double> real;
    std::vector<std::vector<double>> simulated(drawnUsers.size());
    for (const auto& [user, sums] : realUsers) {
        real.push_back(sums[0] / sums[1]);
        for (std::size_t r = 0; r < drawnUsers.size(); ++r)
            simulated[r].push_back(drawnUsers[r][user] / sums[1]);
    }
    out.users = real.size();
    std::vector<double> distances, among;
    for (std::size_t r = 0; r < simulated.size(); ++r) {
        distances.push_back(ksDistance(real, simulated[r]));
        if (r + 1 < simulated.size())
            among.push_back(ksDistance(simulated[r], simulated[r + 1])); // both are right: how far two draws lie apart
    }
    out.userDistance = std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(distances.size());
    std::sort(among.begin(), among.end());
    out.userDistanceChance = among.empty() ? 1 : among[static_cast<std::size_t>(0.95 * static_cast<double>(among.size() - 1))];

    std::size_t outside = 0;
    for (std::size_t slot = 0; slot < out.loggedRate.size(); ++slot)
        outside += out.simulatedRate[slot] < out.loggedInterval[slot].low || out.simulatedRate[slot] > out.loggedInterval[slot].high;
    if (static_cast<double>(outside) > 0.2 * static_cast<double>(out.loggedRate.size()) + 1)
        out.mustNotBeTrustedFor.push_back(fmt::format("what a position is worth: the click rate of {} of {} slots lies outside the log's interval", outside, out.loggedRate.size()));
    if (const double error = 3 * std::sqrt(out.loggedClicks * (1 - out.loggedClicks) / slates); std::fabs(out.loggedClicks - out.simulatedClicks) > error)
        out.mustNotBeTrustedFor.push_back(fmt::format("how many clicks there are: {:.3f} a slate against {:.3f} in the log", out.simulatedClicks, out.loggedClicks));
    if (out.slope < 0.5 || out.slope > 1.5)
        out.mustNotBeTrustedFor.push_back(fmt::format("how much a better strategy gains: its likes are {} (calibration slope {:.2f}, 1 is right)", out.slope < 0.5 ? "too bold" : "too timid", out.slope));
    if (out.userDistance > out.userDistanceChance + 0.05)
        out.mustNotBeTrustedFor.push_back(fmt::format("how users differ: their clicks per slate lie {:.2f} apart in distribution, {:.2f} is chance", out.userDistance, out.userDistanceChance));
    if (std::fabs(out.loggedPages - out.simulatedPages) > 0.05 * out.loggedPages)
        out.mustNotBeTrustedFor.push_back(fmt::format("what lies behind the fold: {:.2f} pages a slate against {:.2f} in the log", out.simulatedPages, out.loggedPages));
    return out;
}

} // namespace carousel
