// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/operating_characteristics.h"
#include "base/parallel.h"
#include "base/random.h"
#include "evaluation/ab_test/effect.h"
#include "evaluation/ab_test/sequential.h"
#include "evaluation/statistics/proportion.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel {

namespace {
constexpr std::array all{StoppingRule::fixed,  StoppingRule::peeking, StoppingRule::bonferroniLooks, StoppingRule::obrienFleming,
                         StoppingRule::pocock, StoppingRule::mixture, StoppingRule::asymptotic,      StoppingRule::normalMixture};

struct Sums {
    double n = 0, sum = 0, squares = 0;
    void add(double value) { n += 1, sum += value, squares += value * value; }
    double mean() const { return sum / n; }
    double variance() const { return n > 1 ? std::max(0.0, (squares - sum * sum / n) / (n - 1)) : 0; }
};
} // namespace

std::span<const StoppingRule> stoppingRules() { return all; }

const char* name(StoppingRule rule) {
    constexpr std::array names{"fixed", "peeking", "bonferroni-looks", "obrien-fleming", "pocock", "mixture", "asymptotic", "normal-mixture"};
    return names[static_cast<std::size_t>(rule)];
}
const char* title(StoppingRule rule) {
    constexpr std::array titles{"one look at the end",
                                "the fixed test at every look",
                                "level divided by the looks",
                                "group sequential, O'Brien-Fleming spending",
                                "group sequential, Pocock spending",
                                "mixture likelihood ratio (mSPRT)",
                                "asymptotic confidence sequence",
                                "normal-mixture confidence sequence"};
    return titles[static_cast<std::size_t>(rule)];
}
bool promisesLevel(StoppingRule rule) { return rule != StoppingRule::peeking; }

Result<std::vector<Characteristics>> operatingCharacteristics(std::span<const double> metric, std::span<const StoppingRule> rules,
                                                              const CharacteristicsPlan& plan, const RunControl& control) {
    const Moments own = metric.empty() ? Moments{2, 0, 1} : momentsOf(metric);
    const std::int64_t perArm = plan.users / 2;
    if (!(own.variance > 0) || plan.experiments < 1 || plan.looks < 1 || perArm < 2 * plan.looks)
        return fail(ErrorKind::input, "CL-3121",
                    fmt::format("{} experiments with {} looks at {} users cannot be drawn from a metric with variance {}.", plan.experiments, plan.looks, plan.users, own.variance),
                    "Use a metric that varies, and at least four users for each look.");
    const double effect = plan.effect * std::sqrt(own.variance);
    const std::size_t looks = static_cast<std::size_t>(plan.looks);
    std::vector<double> shares;
    for (std::size_t l = 1; l <= looks; ++l)
        shares.push_back(static_cast<double>(l) / static_cast<double>(looks));
    const boost::math::normal standard;
    const double fixedLimit = boost::math::quantile(standard, 1 - plan.alpha / 2);
    const double bonferroniLimit = boost::math::quantile(standard, 1 - plan.alpha / 2 / static_cast<double>(looks));
    const double tau2 = 4 * own.variance / plan.tuneN; // of the difference when tuneN users are in
    // |z| that each rule asks for at each look.
    std::vector<std::vector<double>> limits(rules.size());
    for (std::size_t r = 0; r < rules.size(); ++r) {
        if (rules[r] == StoppingRule::obrienFleming || rules[r] == StoppingRule::pocock) {
            CAROUSEL_ASSIGN(limits[r], groupSequentialBounds(shares, plan.alpha, {rules[r] == StoppingRule::pocock ? Spending::pocock : Spending::obrienFleming}));
            continue;
        }
        for (const double share : shares) {
            const double n = share * static_cast<double>(2 * perArm);
            double limit = fixedLimit;
            switch (rules[r]) {
            case StoppingRule::fixed: limit = share >= 1 ? fixedLimit : 1e300; break;
            case StoppingRule::bonferroniLooks: limit = bonferroniLimit; break;
            case StoppingRule::asymptotic: limit = asymptoticMultiplier(n, plan.alpha, plan.tuneN); break;
            case StoppingRule::normalMixture: limit = normalMixtureMultiplier(n, plan.alpha, plan.tuneN); break;
            case StoppingRule::mixture: { // half-width in standard errors
                const double variance = 4 * own.variance / n;
                limit = mixtureHalfWidth(variance, tau2, plan.alpha) / std::sqrt(variance);
                break;
            }
            default: break;
            }
            limits[r].push_back(limit);
        }
    }
    // Per experiment and rule: the look at which it stopped, 0: never.
    std::vector<std::int32_t> stopped(static_cast<std::size_t>(plan.experiments) * rules.size(), 0);
    std::atomic<int> done{0};
    parallelFor(static_cast<std::size_t>(plan.experiments), 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t e = begin; e < end && !control.stopRequested(); ++e) {
            RandomStream random(plan.seed, "operating characteristics", e);
            const auto draw = [&] { return metric.empty() ? random.normal() : metric[random.below(metric.size())]; };
            Sums arm[2];
            std::size_t open = rules.size();
            for (std::size_t l = 0; l < looks && open > 0; ++l) {
                const std::int64_t target = static_cast<std::int64_t>(l + 1) * perArm / plan.looks;
                while (static_cast<std::int64_t>(arm[0].n) < target)
                    arm[0].add(draw()), arm[1].add(draw() + effect);
                const double error = std::sqrt(arm[0].variance() / arm[0].n + arm[1].variance() / arm[1].n);
                const double z = error > 0 ? std::fabs(arm[1].mean() - arm[0].mean()) / error : 0;
                for (std::size_t r = 0; r < rules.size(); ++r)
                    if (auto& at = stopped[e * rules.size() + r]; at == 0 && z >= limits[r][l])
                        at = static_cast<std::int32_t>(l + 1), --open;
            }
            control.report("Drawing experiments", ++done, plan.experiments, "experiments");
        }
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("drawing experiments"));
    std::vector<Characteristics> out;
    for (std::size_t r = 0; r < rules.size(); ++r) {
        Characteristics each;
        each.rule = rules[r];
        double found = 0;
        std::vector<double> users;
        for (int e = 0; e < plan.experiments; ++e) {
            const auto at = stopped[static_cast<std::size_t>(e) * rules.size() + r];
            found += at > 0;
            users.push_back(at > 0 ? static_cast<double>(at) * static_cast<double>(2 * perArm) / static_cast<double>(looks) : static_cast<double>(2 * perArm));
        }
        const double n = plan.experiments;
        each.found = found / n;
        each.interval = clopperPearson(found, n, 0.95);
        std::nth_element(users.begin(), users.begin() + plan.experiments / 2, users.end());
        each.medianUsers = users[static_cast<std::size_t>(plan.experiments / 2)];
        out.push_back(each);
    }
    return out;
}

} // namespace carousel
