// SPDX-License-Identifier: GPL-3.0-or-later
// Strategies and logging policies as policies on a log, before anything is put into words.
#include "base/random.h"
#include "base/text.h"
#include "workbench/analyses/off_policy_evaluate.h"
#include <algorithm>
#include <set>

namespace carousel::off_policy_analysis {

namespace {

// What a strategy was trained on must not evaluate it.
double evaluatedFrom(const AnalysisSpec& spec, std::vector<std::string>& warnings) {
    double from = spec.options.number("from");
    for (const auto& strategy : spec.strategies)
        if (strategy.training.clicks != "none" && strategy.training.logShare > from) {
            from = strategy.training.logShare;
            warnings.push_back(
                fmt::format("'{}' learns from the clicks of the log's first {:.0f} %: every policy is evaluated on the rest.",
                            strategy.name, 100 * from));
        }
    return from;
}

// A seeded sample of the log's users, so that a slow strategy is asked for fewer orders.
SelectedLog sampledUsers(SelectedLog log, const Dataset& dataset, std::int64_t users, std::uint64_t seed) {
    if (users <= 0)
        return log;
    std::set<Code> all;
    for (const std::size_t row : log.firstRow)
        if (const Code user = dataset.impressions.user[row]; user != noCode)
            all.insert(user);
    if (all.size() <= static_cast<std::size_t>(users))
        return log;
    std::vector<std::pair<std::uint64_t, Code>> drawn;
    for (const Code user : all)
        drawn.emplace_back(RandomStream(seed, "users of the log", static_cast<std::uint64_t>(user)).next64(), user);
    std::sort(drawn.begin(), drawn.end());
    std::set<Code> kept;
    for (std::int64_t i = 0; i < users; ++i)
        kept.insert(drawn[static_cast<std::size_t>(i)].second);
    std::vector<std::size_t> sessions;
    for (std::size_t s = 0; s < log.firstRow.size(); ++s)
        if (kept.contains(dataset.impressions.user[log.firstRow[s]]))
            sessions.push_back(s);
    auto out = selectSessions(log, sessions);
    out.notes.push_back(fmt::format("{} of {} users of the log, drawn with the seed.", withThousands(users),
                                    withThousands(static_cast<std::int64_t>(all.size()))));
    return out;
}

std::int64_t beginOf(const SelectedLog& log, const Dataset& dataset) {
    std::int64_t begin = std::numeric_limits<std::int64_t>::max();
    for (const std::size_t row : log.firstRow)
        if (row < dataset.impressions.time.size() && dataset.impressions.time[row] != noTime)
            begin = std::min(begin, dataset.impressions.time[row]);
    return begin;
}

} // namespace

Result<SelectedLog> selectedLog(const Dataset& dataset, const AnalysisSpec& spec, std::vector<std::string>& warnings) {
    LogSelection selection;
    selection.policies = spec.options.list("policies");
    selection.from = evaluatedFrom(spec, warnings);
    CAROUSEL_ASSIGN(auto selected, selectLog(dataset, selection));
    return sampledUsers(std::move(selected), dataset, spec.options.integer("users"), spec.seed);
}

Result<StrategyFigures> strategyFigures(const LogFacts& facts, const LogFacts* byValue, DatasetPtr dataset, const StrategySpec& strategy,
                                        const AnalysisSpec& spec, const ExperimentHost& host, const RunControl& control) {
    std::set<Code> users;
    for (const std::size_t row : facts.log.firstRow)
        users.insert(dataset->impressions.user[row]);
    StrategyFigures out;
    if (users.contains(noCode)) {
        out.figures.refused = "the log has anonymous sessions, and a strategy orders the catalogue for known users.";
        return out;
    }
    if (facts.propensities.conditional.empty() && facts.propensities.marginal.empty()) {
        out.figures.refused = fmt::format("the log has no propensities that can be used ({}); without the probability of what was shown, no other "
                                  "policy can be judged on it.",
                                  facts.propensities.whyNoMarginal);
        return out;
    }
    const std::vector<Code> codes(users.begin(), users.end());
    const auto orders =
        orderForUsers(dataset, strategy, codes, beginOf(facts.log, *dataset), spec.seed, spec.device, host, control.slice(0, 0.4));
    if (!orders) {
        if (orders.error().kind == ErrorKind::cancelled)
            return fail(orders.error());
        out.figures.refused = fmt::format("{} {}", orders.error().message, orders.error().hint);
        return out;
    }
    const double temperature = spec.options.number("temperature");
    const auto policy = EvaluatedPolicy::ofOrders(*orders, temperature, dataset->items.size());
    CAROUSEL_ASSIGN(out.figures, evaluatePolicy(facts, *dataset, policy, spec, control.slice(0.4, byValue ? 0.65 : 0.9)));
    if (byValue) {
        CAROUSEL_ASSIGN(out.byValue, evaluatePolicy(*byValue, *dataset, policy, spec, control.slice(0.65, 0.9)));
    }
    out.figures.seconds = orders->seconds;
    out.cost = orders->cost;
    out.figures.notes.insert(out.figures.notes.end(), orders->notes.begin(), orders->notes.end());
    static constexpr double temperatures[] = {0, 3, 10, 30, 100, 200, 400, 1000};
    CAROUSEL_ASSIGN(out.ladder, temperatureLadder(facts, *dataset, *orders, temperatures, control));
    return out;
}

Result<std::vector<PolicyFigures>> crossedLoggers(const LogFacts& facts, const std::vector<Mean>& perLogger, const Dataset& dataset,
                                                  const AnalysisSpec& spec, const RunControl& control) {
    std::vector<PolicyFigures> out;
    for (std::size_t p = 0; p < facts.loggers.size() && facts.loggers.size() > 1; ++p) {
        if (!facts.loggers[p].known)
            continue;
        std::vector<std::size_t> others;
        for (std::size_t s = 0; s < facts.log.log.sessions(); ++s)
            if (facts.log.log.policy[s] != p)
                others.push_back(s);
        CAROUSEL_ASSIGN(const auto restFacts, factsOf(selectSessions(facts.log, others), dataset, spec, control));
        if (restFacts.propensities.conditional.empty() && restFacts.propensities.marginal.empty())
            continue;
        CAROUSEL_ASSIGN(auto figures,
                        evaluatePolicy(restFacts, dataset, EvaluatedPolicy::common(facts.loggers[p].logWeights), spec, control));
        figures.name = facts.loggers[p].policy;
        figures.isLogger = true;
        figures.colour = static_cast<int>(p);
        figures.measured = perLogger[p].value;
        figures.measuredInterval = perLogger[p].interval;
        figures.measuredError = perLogger[p].error;
        out.push_back(std::move(figures));
    }
    return out;
}

} // namespace carousel::off_policy_analysis
