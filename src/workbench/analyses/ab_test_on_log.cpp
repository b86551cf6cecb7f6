// SPDX-License-Identifier: GPL-3.0-or-later
// From top to bottom: the log and its propensities, every arm as a policy on it, findings in the form of an experiment's, words.
#include "workbench/analyses/ab_test_on_log.h"
#include "base/text.h"
#include "evaluation/ab_test/corrections.h"
#include "evaluation/ab_test/experiment_parts.h"
#include "evaluation/off_policy/paired_terms.h"
#include "experiment/ab_test_parameters.h"
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/off_policy_words.h"
#include "workbench/user_segments.h"
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <chrono>
#include <cmath>
#include <set>

namespace carousel::analyses {

namespace {
using namespace off_policy_analysis;
constexpr double none = std::numeric_limits<double>::quiet_NaN();
double quantile(double level) { return boost::math::quantile(boost::math::normal(), level); }

Effect effectOf(const PairedDifference& d, double confidence) {
    Effect out;
    out.control = d.second, out.treatment = d.first, out.difference = d.controlled, out.standardError = d.standardError;
    out.degrees = std::numeric_limits<double>::infinity();
    if (!(d.standardError > 0))
        return out;
    const double z = quantile(0.5 + confidence / 2);
    out.statistic = d.controlled / d.standardError;
    out.pValue = 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), std::fabs(out.statistic)));
    out.interval = {d.controlled - z * d.standardError, d.controlled + z * d.standardError};
    if (std::fabs(d.second) > 5 * d.secondStandardError && std::isfinite(d.relativeStandardError)) { // as everywhere: see Effect
        out.hasLift = true, out.lift = d.relative;
        out.liftInterval = {d.relative - z * d.relativeStandardError, d.relative + z * d.relativeStandardError};
    }
    return out;
}

PolicyTerms termsOf(const LogArm& arm, UserMetric metric) { return {metric == UserMetric::valuePerVisit ? arm.valueTerm : arm.clickTerm, arm.weight}; }

template <class T> std::vector<T> pick(const std::vector<T>& values, const std::vector<std::size_t>& rows) {
    std::vector<T> out;
    for (const std::size_t row : rows)
        out.push_back(values[row]);
    return out;
}

HealthLight lightOf(Evidence level) { return level == Evidence::green ? HealthLight::green : level == Evidence::amber ? HealthLight::amber : HealthLight::red; }

std::vector<HealthCheck> evidenceChecks(std::span<const LogArm> arms) {
    std::vector<HealthCheck> out;
    for (const LogArm& arm : arms) {
        for (const EvidenceReason& reason : arm.gate.reasons) {
            std::string id = "evidence-" + reason.what;
            std::replace(id.begin(), id.end(), ' ', '-');
            std::transform(id.begin(), id.end(), id.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
            out.push_back({id, fmt::format("{}: '{}'", reason.what == "Mean weight" ? "Mean weight is 1 (control variate)" : reason.what, arm.name), reason.text, lightOf(reason.level), reason.value});
        }
        if (std::isfinite(arm.gate.overlap))
            out.push_back({"evidence-overlap", fmt::format("Overlap: '{}'", arm.name),
                           fmt::format("The log does {:.3g} % of what the arm would do as often as it would. Effective sample and support judge it.", 100 * arm.gate.overlap), HealthLight::unknown, arm.gate.overlap});
    }
    return out;
}

PowerFinding powerOf(const ExperimentDesign& design, const LogRounds& rounds, const MetricEffect& each, double alpha) {
    PowerFinding out;
    out.arm = each.arm, out.usersNow = rounds.users, out.base = std::fabs(each.effect.control);
    // Half of the users in each of two arms with this variance would have the standard error that was found.
    out.plan.controlVariance = out.plan.treatmentVariance = each.effect.standardError * each.effect.standardError * rounds.users / 4;
    out.plan.alpha = alpha;
    const bool well = out.plan.controlVariance > 0, relative = well && out.base > 0;
    out.detectable = well ? minimumDetectableEffect(out.plan, rounds.users, design.wantedPower) : none;
    out.detectableRelative = relative ? out.detectable / out.base : none;
    out.powerForSmallest = relative ? power(out.plan, rounds.users, design.smallestEffect * out.base) : none;
    out.usersForSmallest = relative ? sampleSize(out.plan, design.smallestEffect * out.base, design.wantedPower) : none;
    out.usersForEstimate = well ? sampleSize(out.plan, std::fabs(each.effect.difference), design.wantedPower) : none;
    for (const double effect : {0.01, 0.02, 0.03, 0.05, 0.1, 0.2})
        out.curve.push_back({effect, relative ? sampleSize(out.plan, effect * out.base, design.wantedPower) : none, relative ? power(out.plan, rounds.users, effect * out.base) : none});
    return out;
}

Result<SegmentComparison> segmentsOf(const ExperimentDesign& design, const LogRounds& rounds, std::span<const LogArm> arms, std::size_t a, const RunControl& control) {
    SegmentComparison out;
    out.arm = a;
    for (std::size_t s = 0; s < rounds.segmentNames.size(); ++s) {
        std::vector<std::size_t> rows;
        std::set<std::int32_t> users;
        for (std::size_t i = 0; i < rounds.segment.size(); ++i)
            if (rounds.segment[i] == static_cast<std::int32_t>(s))
                rows.push_back(i), users.insert(rounds.cluster[i]);
        const auto part = [&](const LogArm& arm) {
            LogArm cut{arm.name, pick(arm.clickTerm, rows), arm.valueTerm.empty() ? std::vector<double>() : pick(arm.valueTerm, rows), pick(arm.weight, rows), {}, {}};
            cut.gate = evidenceGate(cut.weight, pick(rounds.reward, rows), none, {});
            return cut;
        };
        SegmentEffect each;
        each.segment = static_cast<std::int32_t>(s);
        each.controlUsers = each.treatmentUsers = static_cast<double>(users.size());
        bool told = !rows.empty();
        if (told) {
            const LogArm first = part(arms[a]), second = part(arms[0]);
            told = first.gate.level != Evidence::red && second.gate.level != Evidence::red;
            if (told) {
                CAROUSEL_ASSIGN(const PairedDifference d, pairedDifference(termsOf(first, design.primary), termsOf(second, design.primary), pick(rounds.cluster, rows), 0, design.confidence, design.seed, control));
                each.effect = effectOf(d, design.confidence);
                told = each.effect.standardError > 0;
            }
        }
        if (!told) {
            out.leftOut += static_cast<double>(users.size());
            continue;
        }
        out.segments.push_back(each);
    }
    judging::completeSegments(out);
    return out;
}

std::string metricWords(UserMetric metric, const std::string& unit) { return (metric == UserMetric::valuePerVisit ? "value per " : "clicks per ") + unit; }

ArmVerdict verdictOf(const ExperimentDesign& design, const ExperimentFindings& f, const LogRounds& rounds, std::span<const LogArm> arms, const SequencePath& path) {
    ArmVerdict out;
    out.arm = path.arm;
    const LookPoint& point = path.points.front();
    out.effect = point.effect, out.band = point.band;
    const Effect& e = point.effect;
    const std::string& arm = arms[path.arm].name;
    const auto power = std::find_if(f.power.begin(), f.power.end(), [&](const PowerFinding& p) { return p.arm == path.arm; });
    if (power != f.power.end()) {
        out.moreUsers = std::max(0.0, power->usersForEstimate - power->usersNow);
        out.moreUsersForSmallest = std::max(0.0, power->usersForSmallest - power->usersNow);
    }
    for (const LogArm* each : {&arms[0], &arms[path.arm]})
        if (const std::string why = whyUnsupported(*each); !why.empty()) {
            out.sentence = fmt::format("Undecided on '{}': the log does not support a conclusion about {}'{}'. {}", arm, each == &arms[0] ? "the control " : "", each->name, why);
            out.changes = each->way.empty() ? "A log that shows what the arm would show, with propensities." : each->way;
            return out;
        }
    std::string numbers = fmt::format("{} {} in '{}' and {} in '{}', a difference of {}", metricWords(design.primary, rounds.unit), threeFigures(e.control), arms[0].name, threeFigures(e.treatment), arm, signedFigures(e.difference));
    if (const Interval& shown = isFinite(out.band) ? out.band : e.interval; isFinite(shown))
        numbers += fmt::format(" [{}, {}]", threeFigures(shown.low), threeFigures(shown.high));
    if (e.hasLift)
        numbers += fmt::format(" or {}{:.1f} %", e.lift > 0 ? "+" : "", 100 * e.lift);
    std::vector<std::string> red;
    for (const HealthCheck& check : f.health)
        if (check.light == HealthLight::red && !startsWith(check.id, "evidence-"))
            red.push_back("'" + check.title + "'");
    out.round = point.crossed ? 0 : -1;
    if (point.crossed && e.difference < 0) {
        out.decision = Decision::doNotShip;
        out.sentence = fmt::format("Do not ship '{}': it is worse on this log, with {}.", arm, numbers);
        out.changes = "Another primary metric, or users unlike the log's.";
    } else if (point.crossed && red.empty()) {
        out.decision = Decision::ship;
        out.sentence = fmt::format("Ship '{}': {}, as far as a log can tell.", arm, numbers);
        out.changes = "A light of evidence that turns red, users unlike the log's, or an experiment in which users see the arms.";
    } else if (point.crossed) {
        out.sentence = fmt::format("Undecided on '{}': {}, but {} {} red, so the difference is not believed.", arm, numbers, fmt::join(red, " and "), red.size() == 1 ? "is" : "are");
        out.changes = "A log without the red light.";
    } else {
        out.sentence = fmt::format("Undecided on '{}': {}, which may still be chance.", arm, numbers);
        const Interval& i = isFinite(out.band) ? out.band : e.interval;
        if (const double matters = design.smallestEffect * std::fabs(e.control); isFinite(i) && matters > 0 && std::max(std::fabs(i.low), std::fabs(i.high)) < matters)
            out.sentence += fmt::format(" An effect of {} or more is ruled out, so nothing that matters is lost either way.", percent(design.smallestEffect));
        const auto more = [](double n) { return n < 1e12 ? withThousands(std::llround(n)) + " more users" : std::string("no number of users"); };
        out.changes = fmt::format("{} logged by the same policies would decide it with a chance of {} if the effect is what it looks like.", more(out.moreUsers), percent(design.wantedPower));
        out.changes.front() = static_cast<char>(out.changes.front() == 'n' ? 'N' : out.changes.front());
    }
    return out;
}

std::vector<HealthCheck> otherChecks(const ExperimentDesign& design, const ExperimentFindings& f, const LogRounds& rounds) {
    HealthCheck users{"users", "Enough users for the arithmetic", fmt::format("{} users are the units; 100 are wanted, below 30 their sums are far from normal.{}", withThousands(std::llround(rounds.users)), rounds.users < 100 ? " Prefer the redrawn (bootstrap) interval." : ""),
                      rounds.users < 30 ? HealthLight::red : rounds.users < 100 ? HealthLight::amber : HealthLight::green, rounds.users};
    double least = 1;
    for (const PowerFinding& each : f.power)
        least = std::min(least, std::isfinite(each.powerForSmallest) ? each.powerForSmallest : 0);
    HealthCheck power{"power", "Able to find what matters", fmt::format("An effect of {} would be found with a chance of {}; {} was wanted.", percent(design.smallestEffect), percent(least), percent(design.wantedPower)),
                      least >= design.wantedPower ? HealthLight::green : HealthLight::amber, least};
    return {users, power, {"rule", "One look", "A log is looked at once, with the interval of a fixed test.", HealthLight::green, none}};
}

std::string dateOf(std::int64_t seconds) {
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds{seconds}})};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

// The off-policy analysis that this comparison asks for.
AnalysisSpec offPolicySpec(const AnalysisSpec& asked) {
    AnalysisSpec out = defaultAnalysis(AnalysisKind::offPolicy);
    out.dataset = asked.dataset, out.seed = asked.seed, out.device = asked.device, out.compute = asked.compute, out.strategies = asked.strategies;
    for (const char* same : {"policies", "temperature", "draws", "confidence", "window"})
        out.options.set(same, asked.options.values().at(same));
    out.options.set("users", asked.options.values().at("people"));
    out.options.set("slateEstimators", std::vector<std::string>{"rips", "snrips", "cascade-dr"}); // those that rest on the same weights
    out.options.set("estimators", std::vector<std::string>{"ips", "snips", "dm", "dr"});
    return out;
}

Result<void> checkLog(const Dataset& dataset, const LogFacts& facts) {
    const auto refuse = [&](const std::string& why, const std::string& hint) { return fail(ErrorKind::input, "CL-8043", fmt::format("The arms cannot be judged on the log of '{}': {}", dataset.name, why), hint); };
    for (const std::size_t row : facts.log.firstRow)
        if (dataset.impressions.user[row] == noCode)
            return refuse("the log has anonymous sessions, and a strategy orders the catalogue for known users.", "Use a log whose sessions have users, or simulate them: --set population=fitted.");
    const LoggedPropensities& p = facts.propensities;
    if (facts.slates ? p.conditional.empty() : p.conditional.empty() && p.marginal.empty())
        return refuse(fmt::format("it has no propensities that can be used ({}); without the probability of what was shown, no other policy can be judged on it.", facts.slates ? p.whyNoConditional : p.whyNoMarginal),
                      "Log the probability of every shown item, or simulate users: --set population=fitted.");
    return {};
}

struct Told {
    std::vector<LogArm> arms;
    std::vector<StrategyFigures> figures;
};
Result<Told> armsOf(const LogFacts& facts, const LogFacts* byValue, const DatasetPtr& dataset, const AnalysisSpec& spec, const ExperimentHost& host, const RunControl& control) {
    Told out;
    const double n = static_cast<double>(spec.strategies.size());
    for (std::size_t a = 0; a < spec.strategies.size(); ++a) {
        CAROUSEL_ASSIGN(auto judged, strategyFigures(facts, byValue, dataset, spec.strategies[a], spec, host, control.slice(static_cast<double>(a) / n, static_cast<double>(a + 1) / n)));
        PolicyFigures& figures = judged.figures;
        figures.name = spec.strategies[a].name, figures.colour = static_cast<int>(a);
        if (!figures.refused.empty())
            return fail(ErrorKind::input, "CL-8044", fmt::format("'{}' cannot be judged on this log: {}", figures.name, figures.refused), "Change the strategy, or leave it out.");
        LogArm arm;
        arm.name = figures.name;
        const auto terms = [&](const LogFacts& log, const PolicyFigures& policy) {
            if (log.slates)
                return policy.ripsTerm;
            std::vector<double> term;
            for (std::size_t i = 0; i < log.rounds(); ++i)
                term.push_back(policy.firstWeight[i] * log.rowReward[log.roundRow[i]]);
            return term;
        };
        arm.clickTerm = terms(facts, figures);
        if (byValue)
            arm.valueTerm = terms(*byValue, *judged.byValue);
        arm.weight = facts.slates ? figures.ripsWeight : figures.firstWeight;
        arm.gate = facts.slates ? figures.gate("rips")->gate : figures.firstGate;
        if (arm.gate.level == Evidence::red)
            arm.way = wayOut(figures, judged.ladder.empty() ? nullptr : &judged.ladder);
        out.arms.push_back(std::move(arm));
        out.figures.push_back(std::move(judged));
    }
    return out;
}

std::string stagesOf(const StrategySpec& strategy) {
    std::vector<std::string> names;
    for (const StageSpec& stage : strategy.stages)
        names.push_back(stage.plugin);
    return fmt::format("{}", fmt::join(names, " · "));
}

std::string populationWords(const Dataset& dataset, const LogFacts& facts, const LogRounds& rounds, const Mean& all) {
    std::int64_t begin = std::numeric_limits<std::int64_t>::max(), end = noTime;
    for (const std::size_t row : facts.log.firstRow)
        if (row < dataset.impressions.time.size() && dataset.impressions.time[row] != noTime)
            begin = std::min(begin, dataset.impressions.time[row]), end = std::max(end, dataset.impressions.time[row]);
    std::vector<std::string> policies;
    for (const PropensityReading& reading : facts.readings)
        policies.push_back("'" + reading.policy + "'");
    return fmt::format("Nobody was simulated and nobody saw the arms: they are judged on the log of '{}', {} {}s of {} users{}, shown by {}. The log itself earned {} clicks per {}.", dataset.title.empty() ? dataset.name : dataset.title,
                       withThousands(static_cast<std::int64_t>(facts.rounds())), rounds.unit, withThousands(std::llround(rounds.users)), end == noTime ? "" : fmt::format(" from {} to {}", dateOf(begin), dateOf(end)), joined(policies), estimate(all.value, all.interval), rounds.unit);
}

ReportSection positionsOf(const Told& told, const AnalysisSpec& spec) {
    ReportSection out;
    out.title = "Positions";
    for (std::size_t a = 0; a < told.figures.size(); ++a) {
        const PolicyFigures& figures = told.figures[a].figures;
        if (figures.slots.empty())
            continue;
        if (PlotSpec plot = slotPlot(figures, a, spec); !plot.series.empty())
            out.plots.push_back(std::move(plot));
        ReportTable table = slotTable(figures, spec);
        table.caption = fmt::format("'{}'. {}", figures.name, table.caption);
        out.tables.push_back(std::move(table));
    }
    return out;
}
} // namespace

std::string whyUnsupported(const LogArm& arm) {
    if (arm.gate.level != Evidence::red)
        return {};
    std::string out;
    for (const EvidenceReason& reason : arm.gate.reasons)
        if (reason.level == Evidence::red)
            out += (out.empty() ? "" : " ") + reason.text;
    return out;
}

Result<ExperimentFindings> findingsOnLog(const ExperimentDesign& design, const LogRounds& rounds, std::span<const LogArm> arms, const RunControl& control) {
    ExperimentFindings f;
    const double alpha = (1 - design.confidence) / (design.correction == PValueCorrection::none ? 1 : std::max<double>(1, static_cast<double>(arms.size()) - 1));
    f.rounds = 1, f.decisionConfidence = 1 - alpha;
    for (const LogArm& arm : arms)
        f.arms.push_back(arm.name), f.users.push_back(rounds.users), f.visits.push_back(static_cast<double>(rounds.reward.size()));
    std::vector<UserMetric> metrics{UserMetric::clicksPerVisit};
    if (!arms.front().valueTerm.empty())
        metrics.push_back(UserMetric::valuePerVisit);
    std::vector<double> p;
    for (const UserMetric metric : metrics)
        for (std::size_t a = 1; a < arms.size(); ++a) {
            const bool primary = metric == design.primary;
            CAROUSEL_ASSIGN(const PairedDifference d,
                            pairedDifference(termsOf(arms[a], metric), termsOf(arms[0], metric), rounds.cluster, primary ? design.draws : 0, design.confidence, design.seed, control));
            MetricEffect each;
            each.metric = metric, each.arm = a, each.controlUsers = each.treatmentUsers = rounds.users, each.effect = effectOf(d, design.confidence);
            const PowerFinding found = powerOf(design, rounds, each, 1 - design.confidence);
            each.detectable = found.detectable;
            p.push_back(each.effect.pValue);
            if (primary) {
                f.bootstrap.push_back(d.controlledInterval);
                f.power.push_back(powerOf(design, rounds, each, alpha));
                SequencePath path;
                path.arm = a;
                LookPoint point;
                point.users = rounds.users, point.visits = static_cast<double>(rounds.reward.size()), point.effect = each.effect;
                point.enough = rounds.users >= 50 && std::min(arms[0].gate.clicksBehind, arms[a].gate.clicksBehind) >= 20;
                if (each.effect.standardError > 0) {
                    point.limit = quantile(1 - alpha / 2);
                    const double reach = point.limit * each.effect.standardError;
                    point.band = {each.effect.difference - reach, each.effect.difference + reach};
                    point.crossed = point.enough && (point.band.low > 0 || point.band.high < 0);
                }
                path.crossedAt = point.crossed ? 0 : -1;
                path.points.push_back(point);
                f.paths.push_back(std::move(path));
            }
            f.effects.push_back(std::move(each));
        }
    const auto adjusted = design.correction == PValueCorrection::holm ? holm(p) : design.correction == PValueCorrection::benjaminiHochberg ? benjaminiHochberg(p) : p;
    for (std::size_t i = 0; i < p.size(); ++i)
        f.effects[i].adjustedP = adjusted[i];
    f.health = evidenceChecks(arms);
    f.health.insert(f.health.end(), rounds.checks.begin(), rounds.checks.end());
    for (HealthCheck& check : otherChecks(design, f, rounds))
        f.health.push_back(std::move(check));
    for (const HealthCheck& check : f.health)
        f.healthLight = std::max(f.healthLight, check.light);
    std::vector<MetricEffect> believed;
    for (const MetricEffect& each : f.effects)
        if (arms[0].gate.level != Evidence::red && arms[each.arm].gate.level != Evidence::red)
            believed.push_back(each);
    f.bayesian = judging::bayesianComparisons(design, believed);
    for (std::size_t a = 1; a < arms.size() && !rounds.segment.empty(); ++a) {
        CAROUSEL_ASSIGN(auto comparison, segmentsOf(design, rounds, arms, a, control));
        f.segments.push_back(std::move(comparison));
    }
    for (const SequencePath& path : f.paths)
        f.verdicts.push_back(verdictOf(design, f, rounds, arms, path));
    judging::settle(design, f);
    return f;
}

Result<AnalysisDocument> abTestOnLogDocument(DatasetPtr dataset, const AnalysisSpec& asked, const ExperimentHost& host, const RunControl& control) {
    const Parameters& options = asked.options;
    if (asked.strategies.size() < 2)
        return fail(ErrorKind::usage, "CL-3139", fmt::format("An A/B comparison on a log takes two or more strategies, and {} given.", asked.strategies.empty() ? "none is" : "one is"),
                    "Name a file with [[strategy]] tables: any study does. The first one is the control.");
    CAROUSEL_ASSIGN(ExperimentDesign design, experimentDesign(options, asked.seed, asked.strategies.size()));
    if (design.primary != UserMetric::clicksPerVisit && design.primary != UserMetric::valuePerVisit)
        return fail(ErrorKind::input, "CL-3138", fmt::format("'{}' cannot be judged on a log, which tells clicks and what they are worth.", name(design.primary)), "Use primary=clicks-per-visit or primary=value-per-visit.");
    AbTestFacts facts;
    if (design.rule != StoppingRule::fixed && options.values().at("rule") != defaultAnalysis(AnalysisKind::abTest).options.values().at("rule"))
        facts.warnings.push_back(fmt::format("A log is looked at once: the stopping rule '{}' is not used.", name(design.rule)));
    design.rule = StoppingRule::fixed, design.rounds = design.looks = 1;

    const AnalysisSpec spec = offPolicySpec(asked);
    CAROUSEL_ASSIGN(auto selected, selectedLog(*dataset, spec, facts.warnings));
    CAROUSEL_ASSIGN(const LogFacts log, factsOf(selected, *dataset, spec, control.slice(0, 0.05)));
    CAROUSEL_TRY(checkLog(*dataset, log));
    const auto* price = dataset->items.attribute("price");
    const bool hasPrice = price && price->isNumeric();
    std::optional<LogFacts> byValue;
    if (hasPrice) {
        AnalysisSpec valued = spec;
        valued.options.set("reward", std::string("value"));
        CAROUSEL_ASSIGN(byValue, factsOf(std::move(selected), *dataset, valued, control));
    } else if (design.primary == UserMetric::valuePerVisit) {
        return fail(ErrorKind::input, "CL-8043", fmt::format("The value of a slate cannot be judged on the log of '{}': its items have no prices.", dataset->name), "Use primary=clicks-per-visit.");
    }
    CAROUSEL_ASSIGN(const Told told, armsOf(log, byValue ? &*byValue : nullptr, dataset, spec, host, control.slice(0.05, 0.8)));

    LogRounds rounds;
    rounds.unit = log.slates ? "slate" : "impression";
    rounds.cluster = log.roundCluster;
    rounds.users = static_cast<double>(std::set<std::int32_t>(rounds.cluster.begin(), rounds.cluster.end()).size());
    for (std::size_t i = 0; i < log.rounds(); ++i)
        rounds.reward.push_back(log.slates ? log.sessionReward[i] : log.rowReward[log.roundRow[i]]);
    if (!options.text("segment").empty()) {
        std::set<Code> users;
        for (const std::size_t row : log.log.firstRow)
            users.insert(dataset->impressions.user[row]);
        CAROUSEL_ASSIGN(const UserSegments segments, userSegments(*dataset, options.text("segment"), {users.begin(), users.end()}));
        for (std::size_t s = 0; s < log.log.log.sessions(); ++s)
            rounds.segment.insert(rounds.segment.end(), log.slates ? 1 : log.log.log.offsets[s + 1] - log.log.log.offsets[s], segments.code[static_cast<std::size_t>(dataset->impressions.user[log.log.firstRow[s]])]);
        rounds.segmentNames = segments.names;
    }
    // The log against itself: do its own policies come out as they were measured?
    std::vector<Mean> perLogger;
    for (std::size_t p = 0; p < log.readings.size(); ++p) {
        CAROUSEL_ASSIGN(auto mean, measuredMean(log, static_cast<int>(p), spec, control));
        perLogger.push_back(mean);
    }
    CAROUSEL_ASSIGN(const auto loggers, crossedLoggers(log, perLogger, *dataset, spec, control.slice(0.8, 0.95)));
    for (const PolicyFigures& logger : loggers) {
        const ReportFinding check = selfCheck(log.slates, logger);
        rounds.checks.push_back({"log-itself", check.title, check.text, check.light == Light::green ? HealthLight::green : check.light == Light::amber ? HealthLight::amber : check.light == Light::red ? HealthLight::red : HealthLight::unknown, none});
    }
    CAROUSEL_ASSIGN(facts.findings, findingsOnLog(design, rounds, told.arms, control.slice(0.95, 1)));

    CAROUSEL_ASSIGN(const Mean all, measuredMean(log, -1, spec, control));
    facts.dataset = dataset->title.empty() ? dataset->name : dataset->title;
    facts.population = populationWords(*dataset, log, rounds, all);
    const double temperature = spec.options.number("temperature");
    facts.assignment = temperature > 0 ? fmt::format("Arms draw their {}s around their order at a temperature of {:g} positions: what is judged is the arm so drawn, not its strict order.", rounds.unit, temperature) : "Arms show their order as it is (temperature 0).";
    facts.design = design;
    facts.window = static_cast<int>(options.integer("window"));
    facts.segmentTitle = options.text("segment"), facts.segmentNames = rounds.segmentNames;
    AbTestLog& onLog = facts.log.emplace();
    onLog.unit = rounds.unit, onLog.users = rounds.users, onLog.rounds = static_cast<double>(log.rounds());
    for (std::size_t a = 0; a < told.arms.size(); ++a) {
        onLog.gates.push_back(told.arms[a].gate);
        onLog.supported.push_back(told.arms[0].gate.level != Evidence::red && told.arms[a].gate.level != Evidence::red);
        facts.arms.push_back({told.arms[a].name, stagesOf(asked.strategies[a]), {}, {}, {}});
        const StrategyFigures& judged = told.figures[a];
        facts.costs.push_back({told.arms[a].name, judged.figures.seconds, judged.cost.modelCalls, judged.cost.promptTokens + judged.cost.generatedTokens});
        for (const std::string& note : judged.figures.notes)
            facts.limits.push_back(fmt::format("{}: {}", told.arms[a].name, note));
    }
    for (const auto* notes : {&log.log.notes, &log.propensities.notes})
        facts.limits.insert(facts.limits.end(), notes->begin(), notes->end());
    ReportSection positions = positionsOf(told, spec);
    if (!positions.tables.empty())
        onLog.positions = std::move(positions);
    return abTestReport(facts);
}

} // namespace carousel::analyses
