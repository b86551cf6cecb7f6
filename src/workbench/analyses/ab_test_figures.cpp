// SPDX-License-Identifier: GPL-3.0-or-later
// Every number of an A/B simulation as JSON, for programs.
#include "workbench/analyses/ab_test_sections.h"
#include "workbench/analyses/document_parts.h"

namespace carousel::analyses {

namespace {
using json = nlohmann::json;

json effectJson(const Effect& e) {
    return {{"control", number(e.control)},     {"treatment", number(e.treatment)}, {"difference", number(e.difference)}, {"standardError", number(e.standardError)}, {"degrees", number(e.degrees)},
            {"statistic", number(e.statistic)}, {"p", number(e.pValue)},            {"interval", interval(e.interval)},   {"lift", e.hasLift ? number(e.lift) : json(nullptr)},
            {"liftInterval", interval(e.hasLift ? e.liftInterval : noInterval())}};
}
json adjustedJson(const std::optional<AdjustedEffect>& adjusted) {
    if (!adjusted)
        return nullptr;
    json out = effectJson(adjusted->effect);
    out["varianceRatio"] = number(adjusted->varianceRatio), out["coefficient"] = number(adjusted->coefficient);
    return out;
}
json roundJson(const RoundTotals& r) {
    return {{"visits", number(r.visits)}, {"clicks", number(r.clicks)}, {"purchases", number(r.purchases)}, {"value", number(r.value)}, {"missed", number(r.missed)}, {"satisfaction", number(r.satisfaction)}, {"distinctItems", number(r.distinctItems)},
            {"popularityShare", number(r.popularityShare)}};
}
} // namespace

json abFigures(const AbTestFacts& facts) {
    const ExperimentFindings& f = facts.findings;
    const auto armName = [&](std::size_t arm) { return f.arms[arm]; };
    json out{{"partial", facts.partial}, {"roundsDone", f.rounds}, {"roundsPlanned", facts.design.rounds}, {"decision", name(f.decision)}, {"best", armName(f.best)}, {"primary", name(facts.design.primary)}, {"window", facts.window}};
    out["design"] = {{"confidence", number(facts.design.confidence)}, {"decisionConfidence", number(f.decisionConfidence)}, {"rule", name(facts.design.rule)}, {"looks", facts.design.looks}, {"tuneN", number(facts.design.tuneN)},
                     {"smallestEffect", number(facts.design.smallestEffect)}, {"wantedPower", number(facts.design.wantedPower)}, {"correction", name(facts.design.correction)}, {"priorSd", number(facts.design.priorSd)},
                     {"draws", facts.design.draws}, {"winsorShare", number(facts.design.metrics.winsorShare)}, {"quantile", number(facts.design.metrics.quantile)}, {"shares", numbers(facts.design.shares)}, {"seed", facts.design.seed}};
    out["arms"] = json::array();
    for (std::size_t a = 0; a < f.arms.size(); ++a) {
        json arm{{"name", f.arms[a]}, {"users", number(f.users[a])}, {"visits", number(f.visits[a])}, {"rounds", json::array()}};
        if (a < facts.arms.size()) {
            arm["words"] = facts.arms[a].words, arm["shown"] = numbers(facts.arms[a].shown), arm["clicked"] = numbers(facts.arms[a].clicked);
            for (const RoundTotals& round : facts.arms[a].rounds)
                arm["rounds"].push_back(roundJson(round));
        }
        out["arms"].push_back(std::move(arm));
    }
    out["verdicts"] = json::array();
    for (const ArmVerdict& v : f.verdicts)
        out["verdicts"].push_back({{"arm", armName(v.arm)}, {"decision", name(v.decision)}, {"round", v.round < 0 ? json(nullptr) : json(v.round + 1)}, {"effect", effectJson(v.effect)}, {"band", interval(v.band)}, {"moreUsers", number(v.moreUsers)},
                                   {"moreUsersForSmallest", number(v.moreUsersForSmallest)}, {"sentence", v.sentence}, {"changes", v.changes}});
    out["effects"] = json::array();
    for (const MetricEffect& e : f.effects)
        out["effects"].push_back({{"metric", name(e.metric)}, {"arm", armName(e.arm)}, {"controlUsers", number(e.controlUsers)}, {"treatmentUsers", number(e.treatmentUsers)}, {"effect", effectJson(e.effect)}, {"adjustedP", number(e.adjustedP)},
                                  {"limit", number(e.limit)}, {"detectable", number(e.detectable)}, {"cuped", adjustedJson(e.cuped)}, {"regression", adjustedJson(e.regression)}, {"stratified", e.stratified ? effectJson(*e.stratified) : json(nullptr)}});
    out["bootstrap"] = intervals(f.bootstrap);
    out["looks"] = json::array();
    for (const SequencePath& path : f.paths)
        for (const LookPoint& p : path.points)
            out["looks"].push_back({{"arm", armName(path.arm)}, {"round", p.round + 1}, {"users", number(p.users)}, {"visits", number(p.visits)}, {"effect", effectJson(p.effect)}, {"limit", number(p.limit)}, {"band", interval(p.band)}, {"enough", p.enough}, {"crossed", p.crossed}});
    out["health"] = json::array();
    for (const HealthCheck& check : f.health)
        out["health"].push_back({{"id", check.id}, {"light", name(check.light)}, {"value", number(check.value)}, {"text", check.text}});
    out["bayesian"] = json::array();
    for (const BayesianComparison& b : f.bayesian)
        out["bayesian"].push_back({{"arm", armName(b.arm)}, {"relative", b.relative}, {"mean", number(b.effect.mean)}, {"sd", number(b.effect.sd)}, {"chanceBetter", number(b.effect.chanceBetter)}, {"lossIfShipped", number(b.effect.lossIfShipped)},
                                   {"lossIfNotShipped", number(b.effect.lossIfNotShipped)}, {"interval", interval(b.effect.interval)}});
    out["segments"] = json::array();
    for (const SegmentComparison& s : f.segments) {
        json each{{"arm", armName(s.arm)}, {"q", number(s.differ.statistic)}, {"degrees", s.differ.degrees}, {"p", number(s.differ.pValue)}, {"leftOut", number(s.leftOut)}, {"segments", json::array()}};
        for (const SegmentEffect& e : s.segments)
            each["segments"].push_back({{"name", facts.segmentNames[static_cast<std::size_t>(e.segment)]}, {"controlUsers", number(e.controlUsers)}, {"treatmentUsers", number(e.treatmentUsers)}, {"effect", effectJson(e.effect)}, {"adjustedP", number(e.adjustedP)}});
        out["segments"].push_back(std::move(each));
    }
    out["power"] = json::array();
    for (const PowerFinding& p : f.power) {
        json each{{"arm", armName(p.arm)}, {"usersNow", number(p.usersNow)}, {"detectable", number(p.detectable)}, {"detectableRelative", number(p.detectableRelative)}, {"powerForSmallest", number(p.powerForSmallest)},
                  {"usersForSmallest", number(p.usersForSmallest)}, {"usersForEstimate", number(p.usersForEstimate)}, {"skewness", number(p.skewness)}, {"level", number(p.plan.alpha)}, {"curve", json::array()}};
        for (const PowerPoint& point : p.curve)
            each["curve"].push_back({{"effect", point.effect}, {"users", number(point.users)}, {"powerNow", number(point.powerNow)}});
        out["power"].push_back(std::move(each));
    }
    out["interleaving"] = json::array();
    for (const AbTestInterleaving& i : facts.interleavings)
        out["interleaving"].push_back({{"arm", armName(i.arm)}, {"method", i.method}, {"controlWins", i.result.winsA}, {"armWins", i.result.winsB}, {"ties", i.result.ties}, {"preference", number(-i.result.preference)}, {"p", number(i.result.pValue)},
                                       {"winShare", interval({1 - i.result.winShare.high, 1 - i.result.winShare.low})}});
    if (facts.log) {
        out["log"] = {{"unit", facts.log->unit}, {"users", number(facts.log->users)}, {"rounds", number(facts.log->rounds)}, {"evidence", json::array()}};
        for (std::size_t a = 0; a < facts.log->gates.size(); ++a) {
            const EvidenceGate& g = facts.log->gates[a];
            out["log"]["evidence"].push_back({{"arm", armName(a)}, {"level", name(g.level)}, {"supported", static_cast<bool>(facts.log->supported[a])}, {"effectiveSampleSize", number(g.effectiveSampleSize)}, {"largestShare", number(g.largestShare)},
                                              {"meanWeight", number(g.meanWeight)}, {"meanWeightError", number(g.meanWeightError)}, {"overlap", number(g.overlap)}, {"unsupported", number(g.unsupported)}, {"rewardsBehind", number(g.clicksBehind)}, {"spread", number(g.spread)}});
        }
    }
    if (facts.fidelity) {
        const Fidelity& d = *facts.fidelity;
        out["fidelity"] = {{"loggedRate", numbers(d.loggedRate)}, {"simulatedRate", numbers(d.simulatedRate)}, {"loggedInterval", intervals(d.loggedInterval)}, {"loggedClicks", number(d.loggedClicks)}, {"simulatedClicks", number(d.simulatedClicks)},
                           {"loggedNoClick", number(d.loggedNoClick)}, {"simulatedNoClick", number(d.simulatedNoClick)}, {"loggedPages", number(d.loggedPages)}, {"simulatedPages", number(d.simulatedPages)}, {"slope", number(d.slope)}, {"intercept", number(d.intercept)},
                           {"userDistance", number(d.userDistance)}, {"userDistanceChance", number(d.userDistanceChance)}, {"mustNotBeTrustedFor", d.mustNotBeTrustedFor}, {"slates", d.slates}, {"users", d.users}};
    } else {
        out["fidelity"] = nullptr;
    }
    out["costs"] = json::array();
    for (const AbTestCost& c : facts.costs)
        out["costs"].push_back({{"strategy", c.strategy}, {"seconds", number(c.seconds)}, {"calls", c.calls}, {"tokens", c.tokens}});
    return out;
}

} // namespace carousel::analyses
