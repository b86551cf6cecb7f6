// SPDX-License-Identifier: GPL-3.0-or-later
// What a stopping rule really does on a metric: A/A and A/B experiments are drawn by the thousand, looked at as often as the analyst plans to,
// and the share that ends with "there is an effect" is counted. Shown beside the promise of the rule, with the error of the counting.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include <span>
#include <string>
#include <vector>

namespace carousel {

enum class StoppingRule {
    fixed,            // one look at the end
    peeking,          // the fixed test at every look: what must not be done
    bonferroniLooks,  // the level divided by the number of looks
    obrienFleming,    // group sequential, Lan-DeMets spending
    pocock,
    mixture,          // mSPRT
    asymptotic,       // asymptotic confidence sequence
    normalMixture     // the same family, tuned another way
};
const char* name(StoppingRule rule);  // "fixed", "peeking", ...
const char* title(StoppingRule rule); // for people
bool promisesLevel(StoppingRule rule); // all but peeking
std::span<const StoppingRule> stoppingRules();

struct CharacteristicsPlan {
    int experiments = 2000;
    int looks = 200;             // evenly spaced over the users
    std::int64_t users = 100000; // of both arms together, at the end; half of them in each
    double effect = 0;           // added to the treatment, in standard deviations of the metric; 0: A/A
    double alpha = 0.05;
    double tuneN = 5000;         // users at which the asymptotic sequences are narrowest; mixture: tau2 is the variance of the difference then
    std::uint64_t seed = 1;
};
struct Characteristics {
    StoppingRule rule = StoppingRule::fixed;
    double found = 0;                  // share of experiments that end with an effect
    Interval interval = noInterval();  // Clopper-Pearson, 95 %
    double medianUsers = 0;            // at the end of an experiment: when it stopped, or all
};
// `metric`: values of the analyst's own users, drawn with replacement, so that skew and zeros are theirs; empty: standard normal. The same
// experiments for every rule. CL-3121: a metric without spread, no experiments, more looks than users of an arm.
Result<std::vector<Characteristics>> operatingCharacteristics(std::span<const double> metric, std::span<const StoppingRule> rules,
                                                              const CharacteristicsPlan& plan, const RunControl& control);

} // namespace carousel
