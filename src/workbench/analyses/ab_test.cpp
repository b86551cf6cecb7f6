// SPDX-License-Identifier: GPL-3.0-or-later
// An A/B simulation, from top to bottom: users and arms, rounds with a look after each, what the judge found, words.
#include "workbench/analyses/ab_test.h"
#include "base/hash.h"
#include "base/text.h"
#include "workbench/analyses/ab_test_on_log.h"
#include "workbench/analyses/ab_test_report.h"
#include "workbench/simulation/experiment_run.h"
#include <algorithm>
#include <chrono>

namespace carousel::analyses {

namespace {

constexpr double secondsBetweenPartials = 1;

std::string stagesOf(const StrategySpec& strategy) {
    std::vector<std::string> names;
    for (const StageSpec& stage : strategy.stages)
        names.push_back(stage.plugin);
    return fmt::format("{}", fmt::join(names, " · "));
}

std::string populationWords(const SimulationWorld& world, const SimulatedUsers& users) {
    std::string units = withThousands(static_cast<std::int64_t>(users.who.size()));
    if (!users.userOf.empty())
        units += fmt::format(" visits of {}", withThousands(static_cast<std::int64_t>(users.users)));
    std::string out = fmt::format("{} simulated users, copies of {} of '{}': {}. They see {} cards at once, ",
                                  units, withThousands(static_cast<std::int64_t>(world.people.size())),
                                  world.dataset->title.empty() ? world.dataset->name : world.dataset->title, world.about, world.behaviour.window);
    if (world.llm)
        out += "and the model itself picks a product, turns the page or leaves";
    else
        out += fmt::format("swipe on with probability {:.2f} after a page without a click", world.behaviour.swipe);
    out += fmt::format(", and buy after {:.0f} % of clicks.", 100 * world.behaviour.buy);
    if (world.behaviour.fatigue > 0)
        out += fmt::format(" A look that leads to nothing makes the next one at the same product less likely to end in a click (by {} on the logit scale).", world.behaviour.fatigue);
    if (world.behaviour.leave > 0)
        out += " Unhappy users stay away.";
    if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
        out.front() = static_cast<char>(out.front() - 'a' + 'A');
    return out;
}

std::string assignmentWords(const ExperimentRun& run, const Parameters& options) {
    const bool sessions = options.text("unit") == "session";
    std::string out = sessions ? "Every visit comes into an arm by a hash of the user's name, the visit's number and the salt" : "Users come into arms by a hash of their name and the salt";
    if (options.boolean("stratify"))
        out = fmt::format("{} are dealt to the arms in equal parts inside each group of '{}', in the order of a hash", sessions ? "Visits" : "Users", options.text("strata"));
    out += options.number("traffic") < 1 ? fmt::format("; {:.0f} % of them take part.", 100 * options.number("traffic")) : ".";
    if (!options.list("ramp").empty())
        out += " They come in by a ramp.";
    if (run.resumedAt() > 0)
        out += fmt::format(" The experiment was interrupted and taken up again after round {}.", run.resumedAt());
    return out;
}

void addLlmCounts(const LlmVisitorCounts& counts, AbTestFacts& facts) {
    const auto share = [&](std::int64_t n, std::int64_t of) { return of > 0 ? 100.0 * static_cast<double>(n) / static_cast<double>(of) : 0; };
    facts.limits.push_back(fmt::format("The language model was shown {} pages: it opened a product on {:.1f} %, turned to the next on {:.1f} % and left on {:.1f} %; "
                                       "its answers held {:.0f} % of its probability before the blank page's were taken off.",
                                       withThousands(counts.pages), share(counts.clicks, counts.pages), share(counts.swipes, counts.pages), share(counts.leaves, counts.pages),
                                       counts.pages > 0 ? 100 * counts.answerMass / static_cast<double>(counts.pages) : 0));
    facts.limits.push_back(fmt::format("Title leakage: {} pages ({:.1f} %) held a title that the customer's own history names as well, and {} of {} clicks went to one.",
                                       withThousands(counts.leakedPages), share(counts.leakedPages, counts.pages), withThousands(counts.leakedClicks), withThousands(counts.clicks)));
    if (counts.cutPrompts > 0)
        facts.warnings.push_back(fmt::format("{} prompts did not fit the model's context and lost their beginning.", withThousands(counts.cutPrompts)));
}

Result<AbTestFacts> factsOf(const ExperimentRun& run, const AnalysisSpec& spec, const RunControl& control) {
    const SimulationWorld& world = run.world();
    AbTestFacts facts;
    facts.dataset = world.dataset->title.empty() ? world.dataset->name : world.dataset->title;
    facts.population = populationWords(world, run.users());
    facts.assignment = assignmentWords(run, spec.options);
    if (!run.users().userOf.empty()) {
        facts.usersOfSessions = run.users().users;
        facts.limits.push_back("The unit is the visit: where it says users, read visits, and 'per user' means per visit. Intervals hold because every visit was assigned by itself; how often users come back is not compared.");
    }
    facts.design = run.judge().design();
    const ExperimentUsers& known = run.users().known;
    facts.covariateNames = known.covariateNames, facts.segmentTitle = known.segmentTitle, facts.strataTitle = known.strataTitle;
    facts.segmentNames = known.segmentNames;
    CAROUSEL_ASSIGN(facts.findings, run.judge().findings(run.arms(), control));
    for (std::size_t a = 0; a < run.arms().size(); ++a) {
        facts.arms.push_back(abTestArm(run.arms()[a], stagesOf(spec.strategies[a])));
        const StrategySource& source = run.source(a);
        facts.costs.push_back({spec.strategies[a].name, source.seconds(), source.cost().modelCalls, source.cost().promptTokens + source.cost().generatedTokens});
        for (const std::string& note : source.notes())
            facts.limits.push_back(fmt::format("{}: {}", spec.strategies[a].name, note));
    }
    facts.window = world.behaviour.window;
    facts.fidelity = world.fidelity;
    facts.noFidelity = world.fidelity ? "" : "This data set has no log of whole carousels that simulated users could be held against: how like real ones they are is not known.";
    facts.limits.insert(facts.limits.end(), world.notes.begin(), world.notes.end());
    if (world.llm)
        addLlmCounts(world.llm->counts(), facts);
    if (!spec.options.boolean("feedback"))
        facts.limits.emplace_back("The feedback loop is off: a clicked product may be shown and clicked again, so clicks are overstated, most for the strategy that "
                                  "puts one product first.");
    facts.partial = run.roundsDone() < run.rounds();
    return facts;
}

} // namespace

Result<AnalysisDocument> abTestDocument(DatasetPtr dataset, const AnalysisSpec& spec, const AbTestHost& host, const RunControl& control) {
    if (spec.options.text("population") == "log")
        return abTestOnLogDocument(std::move(dataset), spec, host.experiment, control);
    const std::string stateFile = host.checkpoints.empty() ? "" : fmt::format("{}/{}.state", host.checkpoints, sha256(dataset->digest + toToml(spec)).substr(0, 16));
    CAROUSEL_ASSIGN(const auto run, ExperimentRun::make(std::move(dataset), spec, host.experiment, stateFile, control.slice(0, 0.5)));
    run->setSaveListener(host.onSaved);
    auto shown = std::chrono::steady_clock::now();
    CAROUSEL_TRY(run->run(
        [&]() -> Result<void> {
            const auto now = std::chrono::steady_clock::now();
            if (!host.onPartial || run->roundsDone() == run->rounds() || std::chrono::duration<double>(now - shown).count() < secondsBetweenPartials)
                return {};
            CAROUSEL_ASSIGN(const AbTestFacts partial, factsOf(*run, spec, control.quiet()));
            host.onPartial(abTestReport(partial));
            shown = std::chrono::steady_clock::now();
            return {};
        },
        control.slice(0.5, 0.9)));
    // After a stop there is a result all the same, of the rounds that are done: what follows must not be stopped by it.
    const bool partial = run->roundsDone() < run->rounds();
    CAROUSEL_ASSIGN(AbTestFacts facts, factsOf(*run, spec, partial ? RunControl() : control.slice(0.9, 0.95)));
    if (!partial) {
        CAROUSEL_ASSIGN(const auto mixed, run->interleaved(control.slice(0.95, 1)));
        for (const InterleavedArm& each : mixed)
            facts.interleavings.push_back({each.arm, spec.options.text("interleave") == "team-draft" ? "team draft" : "probabilistic", each.result});
    }
    if (host.partial)
        *host.partial = partial;
    return abTestReport(facts);
}

} // namespace carousel::analyses
