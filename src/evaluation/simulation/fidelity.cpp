// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/fidelity.h"
#include "evaluation/statistics/proportion.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace carousel {

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

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

Result<Fidelity> fidelity(const CarouselLog& log, const Visitors& visitors, const Population* likes, const FitPopulationSettings& settings, int repetitions,
                          std::size_t mostSlates, const RunControl& control) {
    const Behaviour& behaviour = visitors.behaviour();
    const std::int32_t split = std::max(firstHeldOut(log, settings.heldOut), mostSlates > 0 && log.rows() ? log.slate.back() + 1 - static_cast<std::int32_t>(mostSlates) : 0);
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
            if (likes)
                firstSlot.push_back({likes->logit(user, log.item[begin]), behaviour.examinationAt(0), log.click[begin] ? 1.0 : 0.0});
            out.loggedClicks += clicked, out.loggedNoClick += !clicked, out.loggedPages += pages;
            auto& real = realUsers[user];
            real[0] += clicked, real[1] += 1;
            ++out.slates;
            for (int r = 0; r < repetitions; ++r) {
                RandomStream random(settings.seed, "fidelity", static_cast<std::uint64_t>(log.slate[begin]), static_cast<std::uint64_t>(r));
                VisitMemory fresh;
                CAROUSEL_ASSIGN(const Visit happened, visitors.visit(user, std::span(log.item).subspan(begin, end - begin), fresh, random, control));
                const bool hit = happened.clickSlot >= 0;
                for (std::size_t slot = 0; slot < std::min(end - begin, static_cast<std::size_t>(happened.pages * behaviour.window)); ++slot)
                    count(drawnShown, slot, 1);
                if (hit)
                    count(drawnClicked, static_cast<std::size_t>(happened.clickSlot), 1);
                out.simulatedClicks += hit, out.simulatedNoClick += !hit, out.simulatedPages += happened.pages;
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
        out.loggedInterval.push_back(wilson(loggedClicked[slot], loggedShown[slot], 0.95));
        out.simulatedRate.push_back(slot < drawnShown.size() && drawnShown[slot] > 0 ? drawnClicked[slot] / drawnShown[slot] : 0);
    }
    out.intercept = out.slope = std::numeric_limits<double>::quiet_NaN();
    if (likes)
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

Result<Fidelity> fidelity(const CarouselLog& log, const FittedPopulation& fitted, const Behaviour& behaviour, const FitPopulationSettings& settings,
                          int repetitions, const RunControl& control) {
    return fidelity(log, NumericVisitors(fitted.population, behaviour), &fitted.population, settings, repetitions, 0, control);
}

} // namespace carousel
