// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/simulation/coverage_check.h"
#include "evaluation/statistics/proportion.h"
#include <cmath>

namespace carousel {

namespace {

// Totals over everybody; a ratio's are summed before they are divided, as compareColumns() does.
double valueOf(UserMetric metric, const SimulatedArm& arm) {
    std::vector<std::uint32_t> everyone(arm.users.size());
    for (std::uint32_t u = 0; u < everyone.size(); ++u)
        everyone[u] = u;
    const MetricColumn column = metricColumn(metric, arm, everyone);
    double top = 0, bottom = 0;
    for (const double x : column.numerator)
        top += x;
    for (const double x : column.denominator)
        bottom += x;
    return top / (column.denominator.empty() ? static_cast<double>(column.numerator.size()) : bottom);
}

Result<void> allRounds(Simulation& simulation, const RunControl& control) {
    while (simulation.roundsDone() < simulation.plan().settings.rounds)
        CAROUSEL_TRY(simulation.nextRound(control.quiet()));
    return {};
}

struct Outcome {
    MetricEffect effect;
    bool fixed = false, rule = false;
};

Result<Outcome> oneExperiment(const SimulationWorld& world, const CoveragePlan& plan, SlateSource* treatment, const char* what, int repetition,
                              const RunControl& control) {
    RandomStream draw(plan.seed, what, static_cast<std::uint64_t>(repetition));
    SimulationPlan simulated;
    simulated.visitors = world.visitors.get();
    simulated.arms = {{"control", plan.control}, {"treatment", treatment}};
    simulated.settings = plan.simulation;
    simulated.settings.seed = draw.next64();
    ExperimentUsers known;
    known.covariateNames = {world.beforeWords};
    known.covariates.emplace_back();
    for (std::size_t u = 0; u < plan.users; ++u) {
        simulated.who.push_back(world.people[draw.below(world.people.size())]);
        simulated.armOf.push_back(static_cast<std::int32_t>(draw.below(2)));
        known.covariates[0].push_back(world.before[static_cast<std::size_t>(simulated.who.back())]);
    }
    known.armOf = simulated.armOf;
    CAROUSEL_ASSIGN(Simulation simulation, Simulation::make(std::move(simulated)));
    ExperimentDesign design = plan.design;
    design.draws = 20; // the bootstrap is not looked at
    CAROUSEL_ASSIGN(ExperimentJudge judge, ExperimentJudge::create(design, std::move(known), 2));
    while (simulation.roundsDone() < plan.simulation.rounds) {
        CAROUSEL_TRY(simulation.nextRound(control.quiet()));
        CAROUSEL_TRY(judge.look(simulation.roundsDone() - 1, simulation.arms()));
    }
    CAROUSEL_ASSIGN(const ExperimentFindings findings, judge.findings(simulation.arms(), control.quiet()));
    Outcome out;
    out.effect = *findings.find(plan.design.primary, 1);
    out.fixed = out.effect.effect.pValue < 1 - plan.design.confidence;
    out.rule = findings.paths.front().crossedAt >= 0;
    return out;
}

} // namespace

Result<CoverageCheck> checkCoverage(const SimulationWorld& world, const CoveragePlan& plan, const RunControl& control) {
    CoverageCheck out;
    out.repetitions = plan.repetitions;
    // The truth: everybody in both arms, with the same luck in each.
    double sum = 0, squares = 0;
    for (int r = 0; r < plan.truthRounds; ++r) {
        SimulationPlan everyone;
        everyone.visitors = world.visitors.get();
        everyone.arms = {{"control", plan.control}, {"treatment", plan.treatment}};
        everyone.who = {world.people.begin(), world.people.end()};
        everyone.armOf.assign(world.people.size(), -1);
        everyone.settings = plan.simulation;
        everyone.settings.seed = RandomStream(plan.seed, "truth", static_cast<std::uint64_t>(r)).next64();
        CAROUSEL_ASSIGN(Simulation simulation, Simulation::make(std::move(everyone)));
        CAROUSEL_TRY(allRounds(simulation, control));
        const double a = valueOf(plan.design.primary, simulation.arms()[0]), b = valueOf(plan.design.primary, simulation.arms()[1]);
        out.control += a / plan.truthRounds, out.treatment += b / plan.truthRounds;
        sum += b - a, squares += (b - a) * (b - a);
        control.report("Working out the true effect", r + 1, plan.truthRounds + 2.0 * plan.repetitions, "simulations");
    }
    const double n = plan.truthRounds;
    out.effect = sum / n;
    out.effectError = std::sqrt(std::max(0.0, squares / n - out.effect * out.effect) / std::max(1.0, n - 1));

    double held[3] = {0, 0, 0}, estimates[3] = {0, 0, 0}, widths[3] = {0, 0, 0}, found = 0, falseFixed = 0, falseRule = 0;
    for (int r = 0; r < plan.repetitions; ++r) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("the known-truth check"));
        CAROUSEL_ASSIGN(const Outcome real, oneExperiment(world, plan, plan.treatment, "experiment with an effect", r, control));
        const Effect* const effects[] = {&real.effect.effect, real.effect.cuped ? &real.effect.cuped->effect : nullptr, real.effect.regression ? &real.effect.regression->effect : nullptr};
        for (int m = 0; m < 3; ++m)
            if (effects[m]) {
                held[m] += effects[m]->interval.low <= out.effect && out.effect <= effects[m]->interval.high;
                estimates[m] += effects[m]->difference / plan.repetitions;
                widths[m] += (effects[m]->interval.high - effects[m]->interval.low) / plan.repetitions;
            }
        found += real.rule;
        CAROUSEL_ASSIGN(const Outcome none, oneExperiment(world, plan, plan.control, "experiment without an effect", r, control));
        falseFixed += none.fixed, falseRule += none.rule;
        control.report("Simulating experiments", plan.truthRounds + 2.0 * (r + 1), plan.truthRounds + 2.0 * plan.repetitions, "simulations");
    }
    const double repetitions = plan.repetitions;
    const char* const names[] = {"plain", "CUPED", "regression"};
    for (int m = 0; m < 3; ++m)
        if (widths[m] > 0)
            out.rows.push_back({names[m], held[m] / repetitions, clopperPearson(held[m], repetitions, 0.95), estimates[m], widths[m]});
    out.found = found / repetitions, out.foundInterval = clopperPearson(found, repetitions, 0.95);
    out.falseFixed = falseFixed / repetitions, out.falseFixedInterval = clopperPearson(falseFixed, repetitions, 0.95);
    out.falseRule = falseRule / repetitions, out.falseRuleInterval = clopperPearson(falseRule, repetitions, 0.95);
    return out;
}

} // namespace carousel
