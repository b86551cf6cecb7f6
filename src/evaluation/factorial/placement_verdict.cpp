// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/factorial/placement_verdict.h"
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel {

const char* name(PlacementVerdict verdict) {
    switch (verdict) {
    case PlacementVerdict::pays: return "pays";
    case PlacementVerdict::tooDear: return "helps but costs too much";
    case PlacementVerdict::notShown: return "not shown to help";
    case PlacementVerdict::hurts: return "hurts";
    }
    return "";
}

PlacementVerdict placementVerdict(const PlacementEvidence& e) {
    if (e.users < fewestUsersForVerdict)
        return PlacementVerdict::notShown;
    if (e.interval.high < 0)
        return PlacementVerdict::hurts;
    if (!(e.interval.low > 0) || e.gain < e.smallestGain)
        return PlacementVerdict::notShown;
    const bool tooSlow = e.mostSeconds > 0 && e.seconds > e.mostSeconds, tooDear = e.mostMoney > 0 && e.money > e.mostMoney;
    return tooSlow || tooDear ? PlacementVerdict::tooDear : PlacementVerdict::pays;
}

bool mayStillMatter(const PlacementEvidence& e) { return !(e.interval.high < e.smallestGain); }

double usersToTell(const PlacementEvidence& e, double effect, double confidence, double wanted) {
    if (effect == 0)
        return std::numeric_limits<double>::infinity();
    const boost::math::normal normal;
    const double z = boost::math::quantile(normal, (1 + confidence) / 2) + boost::math::quantile(normal, wanted);
    return e.users * z * z * e.standardError * e.standardError / (effect * effect);
}

} // namespace carousel
