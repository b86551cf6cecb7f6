// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/simulation/experiment_run.h"
#include "base/file.h"
#include "base/hash.h"
#include "evaluation/simulation/interleaved.h"
#include "workbench/build_facts.h"
#include "workbench/user_segments.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <limits>

namespace carousel {

namespace {

constexpr std::int64_t mostState = std::int64_t(4) << 30;
constexpr double secondsBetweenSaves = 1;

// The judge's looks as plain bytes: they are read by the program that wrote them alone, see m_key.
static_assert(std::is_trivially_copyable_v<LookPoint>);
std::string bytesOf(const std::vector<SequencePath>& paths) {
    std::string out;
    const auto add = [&](const auto& value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
    add(static_cast<std::uint64_t>(paths.size()));
    for (const SequencePath& path : paths) {
        add(static_cast<std::uint64_t>(path.arm)), add(path.crossedAt), add(static_cast<std::uint64_t>(path.points.size()));
        for (const LookPoint& point : path.points)
            add(point);
    }
    return out;
}
std::optional<std::vector<SequencePath>> pathsOf(std::string_view& bytes) {
    const auto take = [&](auto& value) {
        if (bytes.size() < sizeof value)
            return false;
        std::memcpy(&value, bytes.data(), sizeof value);
        bytes.remove_prefix(sizeof value);
        return true;
    };
    std::uint64_t count = 0;
    std::vector<SequencePath> out;
    if (!take(count) || count > 1000)
        return std::nullopt;
    for (std::uint64_t p = 0; p < count; ++p) {
        SequencePath path;
        std::uint64_t arm = 0, points = 0;
        if (!take(arm) || !take(path.crossedAt) || !take(points) || points > bytes.size() / sizeof(LookPoint))
            return std::nullopt;
        path.arm = arm, path.points.resize(points);
        for (LookPoint& point : path.points)
            take(point);
        out.push_back(std::move(path));
    }
    return out;
}

// Everything that decides a number: a state of anything else is not taken up.
std::string keyOf(const Dataset& dataset, const AnalysisSpec& spec) {
    return sha256(dataset.digest + "\n" + toToml(spec) + "\n" + buildFacts().version + "\n" + buildFacts().commit);
}

} // namespace

Result<SimulatedUsers> simulatedUsers(const SimulationWorld& world, const Parameters& options, std::uint64_t seed, std::size_t arms) {
    const Dataset& dataset = *world.dataset;
    SimulatedUsers out;
    const bool sessions = options.text("unit") == "session";
    out.users = static_cast<std::size_t>(options.integer("users"));
    const auto rounds = sessions ? static_cast<std::size_t>(options.integer("rounds")) : 1;
    std::vector<Code> people = world.people;
    if (people.empty())
        return fail(ErrorKind::input, "CL-3130", fmt::format("'{}' has no users to simulate.", dataset.name), "Import a data set with users.");
    RandomStream order(seed, "people in turn"); // so that fewer users than people are a sample of them
    for (std::size_t i = people.size(); i > 1; --i)
        std::swap(people[i - 1], people[order.below(i)]);
    std::vector<std::string> names;
    for (std::size_t u = 0; u < out.users; ++u)
        for (std::size_t round = 0; round < rounds; ++round) {
            out.who.push_back(people[u % people.size()]);
            names.push_back(fmt::format("{}#{}", dataset.users.ids.id(out.who.back()), u / people.size()));
            if (sessions)
                names.back() += fmt::format("/{}", round);
        }
    const auto spread = [&](const std::string& option, std::vector<std::int32_t>& codes, std::vector<std::string>* segmentNames) -> Result<void> {
        if (options.text(option).empty())
            return {};
        CAROUSEL_ASSIGN(UserSegments segments, userSegments(dataset, options.text(option), world.people));
        for (const std::int32_t person : out.who)
            codes.push_back(segments.code[static_cast<std::size_t>(person)]);
        if (segmentNames)
            *segmentNames = std::move(segments.names);
        return {};
    };
    out.known.segmentTitle = options.text("segment"), out.known.strataTitle = options.text("strata");
    CAROUSEL_TRY(spread("segment", out.known.segment, &out.known.segmentNames));
    CAROUSEL_TRY(spread("strata", out.known.stratum, nullptr));
    CAROUSEL_ASSIGN(const AssignmentPlan plan, assignmentPlan(options, seed, arms));
    if (options.boolean("stratify") && out.known.stratum.empty())
        return fail(ErrorKind::input, "CL-3138", "Assignment within strata was asked for, and no strata were named.", "Name a user attribute: --set strata=NAME.");
    CAROUSEL_ASSIGN(Assignment assigned, options.boolean("stratify") ? assignWithinStrata(plan, names, out.known.stratum) : assign(plan, names));
    // Whoever takes no part is left out altogether; the rest keep their order. A session takes part when its round has come up the ramp.
    std::size_t kept = 0;
    for (std::size_t u = 0; u < out.who.size(); ++u) {
        const auto round = static_cast<std::int32_t>(u % rounds);
        if (assigned.arm[u] < 0 || assigned.round[u] < 0 || (sessions && assigned.round[u] > round))
            continue;
        if (sessions) {
            out.userOf.push_back(static_cast<std::int32_t>(u / rounds));
            assigned.round[u] = round;
        }
        out.who[kept] = out.who[u], assigned.arm[kept] = assigned.arm[u], assigned.round[kept] = assigned.round[u];
        if (!out.known.segment.empty())
            out.known.segment[kept] = out.known.segment[u];
        if (!out.known.stratum.empty())
            out.known.stratum[kept] = out.known.stratum[u];
        ++kept;
    }
    out.who.resize(kept), assigned.arm.resize(kept), assigned.round.resize(kept);
    for (auto* codes : {&out.known.segment, &out.known.stratum})
        if (!codes->empty())
            codes->resize(kept);
    out.armOf = std::move(assigned.arm), out.firstRound = std::move(assigned.round);
    out.known.armOf = out.armOf, out.known.personOf = out.userOf;
    std::vector<double> before;
    for (const std::int32_t person : out.who)
        before.push_back(world.before[static_cast<std::size_t>(person)]);
    if (!before.empty() && *std::min_element(before.begin(), before.end()) < *std::max_element(before.begin(), before.end())) {
        out.known.covariateNames = {world.beforeWords};
        out.known.covariates = {std::move(before)};
    }
    return out;
}

Result<std::unique_ptr<ExperimentRun>> ExperimentRun::make(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host, std::string stateFile,
                                                           const RunControl& control) {
    if (spec.strategies.size() < 2)
        return fail(ErrorKind::usage, "CL-3139", fmt::format("An A/B simulation compares two or more strategies, and {} given.", spec.strategies.empty() ? "none is" : "one is"),
                    "Name a file with [[strategy]] tables: any study does. The first one is the control.");
    auto out = std::unique_ptr<ExperimentRun>(new ExperimentRun);
    out->m_spec = spec;
    const Parameters& options = spec.options;
    CAROUSEL_ASSIGN(out->m_world, makeSimulationWorld(dataset, options, spec.seed, host, control.slice(0, 0.2)));
    const SimulationWorld& world = *out->m_world;
    CAROUSEL_ASSIGN(out->m_users, simulatedUsers(world, options, spec.seed, spec.strategies.size()));

    SimulationPlan plan;
    plan.visitors = world.visitors.get();
    plan.who = out->m_users.who, plan.armOf = out->m_users.armOf, plan.firstRound = out->m_users.firstRound, plan.personOf = out->m_users.userOf;
    plan.settings.rounds = static_cast<int>(options.integer("rounds")), plan.settings.slots = static_cast<int>(options.integer("slots"));
    plan.settings.learnEvery = static_cast<int>(options.integer("learnEvery")), plan.settings.feedback = options.boolean("feedback");
    plan.settings.commonRandomNumbers = options.boolean("commonRandomNumbers"), plan.settings.seed = spec.seed;
    std::vector<Code> asked = out->m_users.who;
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    for (std::size_t a = 0; a < spec.strategies.size(); ++a) {
        StrategySource::Request request;
        request.dataset = dataset, request.strategy = spec.strategies[a], request.people = asked, request.before = world.trainBefore;
        request.length = std::min(dataset->items.size(), static_cast<std::size_t>(plan.settings.slots + plan.settings.rounds));
        request.seed = spec.seed, request.device = spec.device, request.host = host;
        const auto n = static_cast<double>(spec.strategies.size());
        CAROUSEL_ASSIGN(auto source, StrategySource::make(std::move(request), control.slice(0.2 + 0.8 * static_cast<double>(a) / n, 0.2 + 0.8 * static_cast<double>(a + 1) / n)));
        plan.arms.push_back({spec.strategies[a].name, source.get()});
        out->m_sources.push_back(std::move(source));
    }
    CAROUSEL_ASSIGN(Simulation simulation, Simulation::make(std::move(plan)));
    out->m_simulation.emplace(std::move(simulation));
    CAROUSEL_ASSIGN(ExperimentDesign design, experimentDesign(options, spec.seed, spec.strategies.size()));
    CAROUSEL_ASSIGN(ExperimentJudge judge, ExperimentJudge::create(std::move(design), out->m_users.known, spec.strategies.size()));
    out->m_judge.emplace(std::move(judge));
    out->m_stateFile = std::move(stateFile), out->m_key = keyOf(*dataset, spec);
    CAROUSEL_TRY(out->takeUp(control));
    return out;
}

// A state that is damaged or of something else is not an error: the experiment begins anew.
Result<void> ExperimentRun::takeUp(const RunControl& control) {
    if (m_stateFile.empty() || !fileExists(m_stateFile))
        return {};
    const auto bytes = readFile(m_stateFile, mostState);
    if (!bytes || bytes->size() < m_key.size() || bytes->substr(0, m_key.size()) != m_key)
        return {};
    std::string_view rest(*bytes);
    rest.remove_prefix(m_key.size());
    auto paths = pathsOf(rest);
    if (!paths)
        return {};
    if (const auto done = m_simulation->restore(rest, control); !done) {
        if (done.error().code != "CL-3132")
            return fail(done.error());
        return {};
    }
    m_judge->resume(std::move(*paths));
    m_resumedAt = m_simulation->roundsDone();
    return {};
}

std::string ExperimentRun::state() const { return m_key + bytesOf(m_judge->paths()) + m_simulation->save(); }

Result<void> ExperimentRun::write(const std::string& state) const {
    if (m_stateFile.empty() || state.empty())
        return {};
    CAROUSEL_TRY(makeFolders(std::filesystem::path(m_stateFile).parent_path().string()));
    CAROUSEL_TRY(atomicWrite(m_stateFile, state));
    if (m_saved)
        m_saved(roundsDone());
    return {};
}

Result<void> ExperimentRun::run(const std::function<Result<void>()>& afterRound, const RunControl& control) {
    // Rounds that ask a language model or fit strategies take long and are broken off by a stop; the others are short.
    const bool canBreak = m_world->visitors->oneAtATime() || m_simulation->plan().settings.learnEvery > 0;
    auto saved = std::chrono::steady_clock::now();
    while (roundsDone() < rounds()) {
        const std::string before = canBreak || control.stopRequested() ? state() : std::string();
        std::vector<SimulatedArm> shown = canBreak ? arms() : std::vector<SimulatedArm>();
        if (const auto done = m_simulation->nextRound(control); !done) {
            // What was done of this round is lost, what was before is kept.
            const auto written = roundsDone() > 0 ? write(before) : Result<void>();
            if (canBreak)
                m_stopped = std::move(shown);
            if (done.error().kind != ErrorKind::cancelled || roundsDone() == 0)
                return fail(done.error());
            return written;
        }
        CAROUSEL_TRY(m_judge->look(roundsDone() - 1, arms()));
        if (const auto now = std::chrono::steady_clock::now(); (m_saved || std::chrono::duration<double>(now - saved).count() >= secondsBetweenSaves) && roundsDone() < rounds()) {
            CAROUSEL_TRY(write(state()));
            saved = now;
        }
        CAROUSEL_TRY(afterRound());
    }
    if (roundsDone() == rounds() && !m_stateFile.empty()) {
        std::error_code ignored;
        std::filesystem::remove(m_stateFile, ignored);
    }
    return {};
}

Result<std::vector<InterleavedArm>> ExperimentRun::interleaved(const RunControl& control) const {
    std::vector<InterleavedArm> out;
    const std::string& how = m_spec.options.text("interleave");
    if (how == "none")
        return out;
    for (std::size_t arm = 1; arm < m_sources.size(); ++arm) {
        SimulationPlan plan = m_simulation->plan();
        if (!plan.personOf.empty()) { // every user with all their visits, once
            std::vector<std::int32_t> who;
            for (std::size_t u = 0; u < plan.personOf.size(); ++u)
                if (u == 0 || plan.personOf[u] != plan.personOf[u - 1])
                    who.push_back(plan.who[u]);
            plan.armOf.assign(who.size(), -1);
            plan.who = std::move(who);
            plan.firstRound.clear(), plan.personOf.clear();
        }
        plan.arms = {plan.arms.front(), plan.arms[arm]};
        CAROUSEL_ASSIGN(const InterleavedVisits visits, interleave(plan, how == "team-draft" ? InterleavingMethod::teamDraft : InterleavingMethod::probabilistic, control));
        out.push_back({arm, carousel::judge(visits.clicksA, visits.clicksB, m_spec.options.number("confidence")), visits.visits});
    }
    return out;
}

} // namespace carousel
