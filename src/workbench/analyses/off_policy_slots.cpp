// SPDX-License-Identifier: GPL-3.0-or-later
// Every position of a log by itself: what an item shown there would have earned under the evaluated policy, beside what the log earned
// there.
#include "base/text.h"
#include "workbench/analyses/off_policy_words.h"
#include <algorithm>
#include <cmath>

namespace carousel::off_policy_analysis {

namespace {

std::string notKnown(const LogFacts& facts) {
    const std::string& why = facts.propensities.whyNoMarginal;
    return why.empty() ? "the log has no propensities that can be used" : why;
}

} // namespace

const PolicyEstimate* SlotFigures::estimate(const std::string& id) const {
    for (const auto& e : estimates)
        if (e.id == id && e.refused.empty())
            return &e;
    return nullptr;
}

Result<std::vector<SlotFigures>> evaluateSlots(const LogFacts& facts, const TargetPropensities& target, const CrossFittedRewards& predicted,
                                               double unsupported, const AnalysisSpec& spec, const RunControl& control) {
    const auto& log = facts.log.log;
    const auto slots = static_cast<std::size_t>(log.slots);
    std::vector<std::vector<std::size_t>> rows(slots);
    std::vector<std::int32_t> cluster(log.rows());
    for (std::size_t s = 0; s < log.sessions(); ++s)
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            rows[static_cast<std::size_t>(log.slot[r])].push_back(r);
            cluster[r] = log.cluster[s];
        }
    const OffPolicyOptions options = optionsOf(spec);
    std::vector<SlotFigures> out;
    for (std::size_t slot = 0; slot < slots; ++slot) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Off-policy evaluation"));
        auto& figures = out.emplace_back();
        figures.slot = static_cast<int>(slot);
        figures.logged = std::numeric_limits<double>::quiet_NaN();
        if (rows[slot].empty()) {
            figures.refused = "the log shows nothing there";
            continue;
        }
        const RunControl part = control.slice(static_cast<double>(slot) / static_cast<double>(slots),
                                              static_cast<double>(slot + 1) / static_cast<double>(slots));
        BanditLog round;
        round.rewardHigh = facts.rowRewardHigh;
        for (const std::size_t r : rows[slot]) {
            round.reward.push_back(facts.rowReward[r]);
            round.cluster.push_back(cluster[r]);
        }
        round.propensity.assign(rows[slot].size(), 1); // the log itself: every weight is 1
        round.target = round.propensity;
        CAROUSEL_ASSIGN(const auto logged, estimatePolicy({OffPolicy::ips}, round, options, part));
        figures.logged = logged.front().value;
        figures.loggedInterval = logged.front().bootstrap;

        const auto& marginal = facts.propensities.marginal;
        const auto& propensity = marginal.empty() && slot == 0 ? facts.propensities.conditional : marginal;
        if (propensity.empty()) {
            figures.refused = notKnown(facts);
            continue;
        }
        std::vector<double> weights;
        for (std::size_t i = 0; i < rows[slot].size(); ++i) {
            const std::size_t r = rows[slot][i];
            round.propensity[i] = propensity[r];
            round.target[i] = std::min(1.0, target.marginal[r]);
            round.predicted.push_back(predicted.predicted[r]);
            round.predictedUnderTarget.push_back(predicted.slotUnderTarget[r]);
            weights.push_back(round.target[i] / propensity[r]);
        }
        CAROUSEL_ASSIGN(figures.estimates,
                        estimatePolicy({OffPolicy::ips, OffPolicy::snips, OffPolicy::dm, OffPolicy::dr}, round, options, part));
        figures.gate =
            evidenceGate(weights, round.reward, slot == 0 ? unsupported : std::numeric_limits<double>::quiet_NaN(), figures.estimates);
    }
    return out;
}

ReportTable slotTable(const PolicyFigures& policy, const AnalysisSpec& spec) {
    ReportTable table;
    table.caption = fmt::format("Every position by itself: what its item earns, {:.0f} % bootstrap over users",
                                100 * spec.options.number("confidence"));
    table.columns = {{"Position", true}, {"Evidence"},     {"Effective sample size", true}, {"IPS", true}, {"SNIPS", true}, {"DM", true},
                     {"DR", true},       {"The log", true}};
    for (const auto& slot : policy.slots) {
        std::vector<ReportCell> row{textCell(std::to_string(slot.slot + 1))};
        if (!slot.refused.empty()) {
            auto cell = textCell("refused");
            cell.tone = ReportCell::Tone::muted;
            cell.note = slot.refused;
            row.push_back(std::move(cell));
            row.resize(7, textCell(""));
        } else {
            auto cell = textCell(words(slot.gate.level));
            cell.tone = slot.gate.level == Evidence::green ? ReportCell::Tone::good
                        : slot.gate.level == Evidence::red ? ReportCell::Tone::bad
                                                           : ReportCell::Tone::plain;
            for (const auto& reason : slot.gate.reasons)
                if (reason.level == slot.gate.level && reason.level != Evidence::green && cell.note.empty())
                    cell.note = reason.text;
            row.push_back(std::move(cell));
            row.push_back(textCell(withThousands(std::llround(slot.gate.effectiveSampleSize))));
            for (const char* id : {"ips", "snips", "dm", "dr"})
                if (const auto* e = slot.estimate(id))
                    row.push_back(estimateCell(e->value, e->bootstrap.low, e->bootstrap.high));
                else
                    row.push_back(textCell("refused"));
        }
        row.push_back(std::isfinite(slot.logged) ? estimateCell(slot.logged, slot.loggedInterval.low, slot.loggedInterval.high)
                                                 : textCell(""));
        table.rows.push_back(std::move(row));
    }
    table.note =
        "The item of a position is weighed by the probability of showing it there, whatever stands before; what a position earns is taken "
        "not to depend on its neighbours. DM rests on the predicted rewards alone.";
    return table;
}

PlotSpec slotPlot(const PolicyFigures& policy, std::size_t index, const AnalysisSpec& spec) {
    PlotSpec plot;
    plot.id = fmt::format("positions_{}", index + 1);
    plot.xTitle = "Position";
    plot.yTitle = spec.options.text("reward") == "value" ? "Value per impression" : "Click rate";
    plot.yMinimum = 0;
    PlotSeries estimates, log;
    estimates.name = policy.name + ", SNIPS";
    estimates.colour = policy.colour;
    estimates.kind = PlotSeries::Kind::points;
    log.name = "the log, measured";
    log.colour = -1;
    for (const auto& slot : policy.slots) {
        const double x = slot.slot + 1;
        if (std::isfinite(slot.logged)) {
            log.x.push_back(x);
            log.y.push_back(slot.logged);
            log.low.push_back(slot.loggedInterval.low);
            log.high.push_back(slot.loggedInterval.high);
        }
        const auto* e = slot.refused.empty() && slot.gate.level != Evidence::red ? slot.estimate("snips") : nullptr;
        if (!e)
            continue;
        estimates.x.push_back(x);
        estimates.y.push_back(e->value);
        estimates.low.push_back(e->bootstrap.low);
        estimates.high.push_back(e->bootstrap.high);
    }
    if (estimates.x.empty())
        return plot;
    plot.title = fmt::format("{} of {} positions can be estimated", estimates.x.size(), policy.slots.size());
    plot.subtitle = fmt::format("{}: SNIPS by position beside the log, {:.0f} % bootstrap intervals over users", policy.name,
                                100 * spec.options.number("confidence"));
    if (estimates.x.size() < policy.slots.size())
        plot.subtitle += "; positions that the log does not support are left out";
    plot.series.push_back(std::move(log));
    plot.series.push_back(std::move(estimates));
    return plot;
}

} // namespace carousel::off_policy_analysis
