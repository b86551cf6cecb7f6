// SPDX-License-Identifier: GPL-3.0-or-later
// Does a language model pay at one place? The rule, in full:
//   hurts                the interval of its gain lies below 0;
//   pays                 the interval lies above 0, the gain is at least the smallest that matters, and no limit on cost is passed;
//   helps but too dear   as pays, but a limit on time or money is passed;
//   not shown to help    anything else, with what the interval still allows; and whatever fewer than 20 users seem to show, since percentiles
//                        of so few redrawn users lie too close together.
// Pure functions, safe from any thread.
#pragma once
#include "evaluation/statistics/interval.h"

namespace carousel {

constexpr double fewestUsersForVerdict = 20;

struct PlacementEvidence {
    double gain = 0;       // in the metric
    Interval interval;
    double standardError = 0;
    double users = 0;      // rows behind it: users times seeds
    double smallestGain = 0;
    double seconds = 0, money = 0;         // more per request, per 1,000 requests; NaN: not known
    double mostSeconds = 0, mostMoney = 0; // limits; 0: none
};
enum class PlacementVerdict { pays, tooDear, notShown, hurts };
const char* name(PlacementVerdict verdict); // "pays", "helps but costs too much", "not shown to help", "hurts"
PlacementVerdict placementVerdict(const PlacementEvidence& evidence);

// Of a place that is not shown to help: may the gain still reach the smallest that matters? If not, more users would not change the verdict.
bool mayStillMatter(const PlacementEvidence& evidence);
// Users (rows) with which an interval at `confidence` leaves out 0 with probability `wanted`, should the gain be `effect`:
// n (z of (1 + confidence) / 2 + z of wanted)^2 (standard error / effect)^2; infinite for no effect.
double usersToTell(const PlacementEvidence& evidence, double effect, double confidence, double wanted);

} // namespace carousel
