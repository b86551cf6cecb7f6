// SPDX-License-Identifier: GPL-3.0-or-later
// The judge of an experiment: watches it round by round, and says in the end, or at any moment before, what the arms did to the users, whether
// the experiment can be believed, and what to do. The first arm is the control; every other arm is compared with it. Users are the units.
//
// Rounds and looks. In a simulated experiment users come back, so what grows from look to look is the number of visits: n of the always-valid
// rules counts visits of both arms, and so does `tuneN`. Totals of the same users in successive rounds are more alike than sums of independent
// visits are; a rule that holds for the latter then errs on the safe side, since more alike standardised differences leave a limit less often
// (Slepian's inequality, one side at a time).
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include "evaluation/ab_test/adjustment.h"
#include "evaluation/ab_test/bayesian.h"
#include "evaluation/ab_test/health.h"
#include "evaluation/ab_test/operating_characteristics.h"
#include "evaluation/ab_test/power.h"
#include "evaluation/ab_test/user_metrics.h"
#include <limits>

namespace carousel {

enum class PValueCorrection { none, holm, benjaminiHochberg };
const char* name(PValueCorrection correction);  // "none", "holm", "bh"
const char* title(PValueCorrection correction); // for people

// What is laid down before the first user comes.
struct ExperimentDesign {
    std::vector<double> shares; // planned, any positive scale, one per arm; empty: equal
    UserMetric primary = UserMetric::clicksPerVisit;
    double confidence = 0.95;   // of intervals; the level of tests is 1 less this
    StoppingRule rule = StoppingRule::asymptotic;
    int rounds = 10;            // planned
    int looks = 10;             // planned, evenly over the rounds; for rules that count them (group sequential, level divided by the looks)
    double tuneN = 0;           // visits of both arms at which the always-valid rules are narrowest; 0: those planned
    double smallestEffect = 0.01; // relative to the control: smaller ones do not matter
    double wantedPower = 0.8;
    PValueCorrection correction = PValueCorrection::holm; // over all metrics and arms; the decision shares its level between the arms
    double priorSd = 0.3;       // of the relative effect, around none; 0: flat
    int draws = 2000;           // of the bootstrap of the primary metric
    MetricSettings metrics;
    std::uint64_t seed = 1;
};

// What is known of users from before the experiment; per user of the population, each may be empty.
struct ExperimentUsers {
    // The user's arm; below 0: in every arm in which they visited. Empty: so for all. Who has an arm counts there even without a visit.
    std::vector<std::int32_t> armOf;
    // Sessions as the units ("users" are sessions then): whose each is. Every session is assigned by itself, so that differences of means hold
    // although sessions of one person are alike. Empty: users are the units.
    std::vector<std::int32_t> personOf;
    std::vector<std::string> covariateNames;
    std::vector<std::vector<double>> covariates; // one column each, finite; the first one is CUPED's, all are the regression's
    std::string segmentTitle;                    // "age"
    std::vector<std::string> segmentNames;       // by code
    std::vector<std::int32_t> segment;           // -1: in none
    std::string strataTitle;
    std::vector<std::int32_t> stratum;           // for the post-stratified estimate; -1: in none, which is one stratum too
};

struct LookPoint {
    int round = 0;                     // 0-based
    double users = 0, visits = 0;      // of both arms so far
    Effect effect;                     // of the primary metric so far, with the fixed interval
    double limit = std::numeric_limits<double>::quiet_NaN(); // standard errors that the rule asks for; NaN: no look by the rule
    Interval band = noInterval();      // the rule's
    bool enough = false;               // users and events for the rule's arithmetic: 50 users in each arm who visited, 20 of them who did anything
    bool crossed = false;              // enough, and 0 lies outside the band
};
struct SequencePath {
    std::size_t arm = 0;
    std::vector<LookPoint> points;
    int crossedAt = -1; // the first point that crossed; -1: none
};

struct MetricEffect {
    UserMetric metric = UserMetric::clicks;
    std::size_t arm = 0;
    double controlUsers = 0, treatmentUsers = 0;
    Effect effect;
    double adjustedP = 1;
    double limit = std::numeric_limits<double>::infinity();                 // winsorised: the value that higher ones became
    double detectable = std::numeric_limits<double>::quiet_NaN();           // smallest difference found with the wanted power
    std::optional<AdjustedEffect> cuped, regression; // where there are covariates
    std::optional<Effect> stratified;                // where there are strata
};

enum class HealthLight { unknown, green, amber, red };
const char* name(HealthLight light);
struct HealthCheck {
    std::string id, title, text; // "sample-ratio", "Users per arm are as planned", a sentence with the numbers
    HealthLight light = HealthLight::unknown;
    double value = std::numeric_limits<double>::quiet_NaN(); // p value, share, users or power, as the check has it
};

struct BayesianComparison {
    std::size_t arm = 0;
    bool relative = true;   // to the control; false: in the metric's unit, with a flat prior, since the control is too near 0
    BayesianEffect effect;  // turned so that above 0 is better
};

struct SegmentEffect {
    std::int32_t segment = 0;
    double controlUsers = 0, treatmentUsers = 0;
    Effect effect;
    double adjustedP = 1; // Benjamini and Hochberg over the segments of an arm
};
struct SegmentComparison {
    std::size_t arm = 0;
    std::vector<SegmentEffect> segments;
    double leftOut = 0;      // users of segments that are too small or have no spread in an arm
    HealthTest differ;       // Cochran's Q: sum of w (effect - weighted mean)^2, w = 1 / variance; chi-squared under one effect for all
};

struct PowerPoint {
    double effect = 0, users = 0, powerNow = 0; // relative effect; users of both arms for the wanted power; power with the users there are
};
struct PowerFinding {
    std::size_t arm = 0;
    double usersNow = 0, detectable = 0, detectableRelative = 0; // relative: NaN when the control is 0
    double powerForSmallest = 0, usersForSmallest = 0; // of the smallest effect that matters
    double usersForEstimate = 0;                       // for an effect as large as the one seen; infinite when none is
    PowerPlan plan;                // variances per user, share of users in the treatment, level at the rule's last limit
    double base = 0;               // the control's value: relative effects are shares of it
    std::vector<PowerPoint> curve; // effects of 1, 2, 3, 5, 10 and 20 %
    double skewness = 0;           // of the metric in the control arm
};

enum class Decision { ship, doNotShip, undecided };
const char* name(Decision decision); // "ship", "do-not-ship", "undecided"
// The rule: ship when the primary metric left the rule's band for the better and health is not red; do not ship when it left it for the
// worse; else undecided. An experiment that is under way is judged by the same rule; a fixed test has its only look at the end.
struct ArmVerdict {
    std::size_t arm = 0;
    Decision decision = Decision::undecided;
    int round = -1;              // of the look that decided
    Effect effect;               // at that look, or at the last one
    Interval band = noInterval();
    double moreUsers = 0;        // undecided: users of both arms, beyond those there are, that would decide it with the wanted power if the
                                 // effect is what it looks like; infinite when it looks like none
    double moreUsersForSmallest = 0; // the same for the smallest effect that matters
    std::string sentence, changes;
};

struct ExperimentFindings {
    std::vector<std::string> arms;
    std::vector<double> users, visits; // per arm
    int rounds = 0;                    // done
    double decisionConfidence = 0.95;  // of the rule's band of one arm
    std::vector<MetricEffect> effects; // metric by metric, in each arm by arm
    std::vector<SequencePath> paths;   // per treatment
    std::vector<Interval> bootstrap;   // of the primary metric's difference, per treatment
    std::vector<HealthCheck> health;
    HealthLight healthLight = HealthLight::unknown; // the worst
    std::vector<BayesianComparison> bayesian;
    std::vector<SegmentComparison> segments; // empty without segments
    std::vector<PowerFinding> power;
    std::vector<ArmVerdict> verdicts;
    Decision decision = Decision::undecided; // of the whole
    std::size_t best = 0;                    // the arm it is about
    const MetricEffect* find(UserMetric metric, std::size_t arm) const;
};

class ExperimentJudge {
public:
    // CL-3137: fewer than two arms, sizes or numbers that do not fit; CL-3120 of the group sequential rules.
    static Result<ExperimentJudge> create(ExperimentDesign design, ExperimentUsers users, std::size_t arms);

    // After every round, in order; one pass over the users. CL-3137 when arms or users are not those of the beginning.
    Result<void> look(int round, std::span<const SimulatedArm> arms);
    // All of it, from the users' totals now and the looks so far. Cancelled; CL-3137.
    Result<ExperimentFindings> findings(std::span<const SimulatedArm> arms, const RunControl& control) const;

    const std::vector<SequencePath>& paths() const { return m_paths; }
    // Of an experiment that goes on after an interruption.
    void resume(std::vector<SequencePath> paths) { m_paths = std::move(paths); }
    const ExperimentDesign& design() const { return m_design; }

private:
    ExperimentDesign m_design;
    ExperimentUsers m_users;
    std::size_t m_arms = 0;
    double m_alpha = 0.05;        // of one arm's decision
    std::vector<double> m_bounds; // group sequential, per planned look
    std::vector<SequencePath> m_paths;

    double limitAt(int round, double users, double visits) const; // NaN: no look
    Result<void> check(std::span<const SimulatedArm> arms) const;
};

} // namespace carousel
