// SPDX-License-Identifier: GPL-3.0-or-later
// run and resume.
#include "base/file.h"
#include "cli/comparison_text.h"
#include "cli/session.h"
#include "server/endpoints.h"
#include "stages/compute_choice.h"
#include <cstdio>

namespace carousel::cli {

using nlohmann::json;

namespace {
struct RunOptions {
    std::string specification, device, compute;
    std::vector<std::string> sets, allowedServers;
    std::int64_t seed = -1, resume = 0;
    bool acks = false;
};

// The result of a study: the table of its complete runs, and in words what became of the others.
Result<Answer> resultOf(Session& session, Workbench& bench, const StudyRun& done) {
    Answer answer;
    answer.data = {{"study", done.study}, {"runs", done.runs}, {"failures", done.failures}};
    std::vector<std::int64_t> complete;
    for (const auto id : done.runs) {
        CAROUSEL_ASSIGN(const auto row, bench.store().run(id));
        if (row.state == RunState::complete)
            complete.push_back(id);
    }
    CAROUSEL_ASSIGN(const auto comparison, bench.compare(complete, session.control()));
    answer.text = fmt::format("Study {}\n{}", done.study, comparisonText(comparison, false));
    answer.data["comparison"] = comparisonJson(comparison);
    answer.warnings = comparison.warnings;
    for (const auto& failure : done.failures)
        answer.warnings.push_back(failure);
    if (!done.failures.empty())
        answer.exitCode = exitCode(ErrorKind::partial);
    return answer;
}

void allowServers(Workbench& bench, const RunOptions& options) {
    for (const auto& name : options.allowedServers)
        bench.endpoints().allow(name);
}

Result<Answer> resumeStudy(Session& session, std::int64_t study, const RunOptions& options) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    const bool acks = options.acks;
    allowServers(*bench, options);
    if (acks)
        session.printAcks();
    CAROUSEL_ASSIGN(const auto done, bench->resumeStudy(study, session.control()));
    return resultOf(session, *bench, done);
}

Result<Answer> runStudy(Session& session, const RunOptions& options) {
    if (options.resume > 0) {
        if (!options.sets.empty() || options.seed >= 0 || !options.device.empty() || !options.compute.empty())
            return fail(ErrorKind::usage, "CL-3000", "--resume goes on with the specification that the study was started with; --set, --seed, --device and --compute cannot change it.",
                        "Leave them out, or start a new study.");
        return resumeStudy(session, options.resume, options);
    }
    if (options.specification.empty())
        return fail(ErrorKind::usage, "CL-3000", "No specification is given.", "Write `run SPEC.toml`, or `run --resume STUDY`.");
    CAROUSEL_ASSIGN(const auto toml, readFile(options.specification, std::size_t(16) << 20));
    auto sets = options.sets;
    if (options.seed >= 0)
        sets.push_back(fmt::format("seed={}", options.seed));
    if (!options.device.empty())
        sets.push_back("device=" + options.device);
    if (!options.compute.empty())
        sets.push_back("compute=" + options.compute);
    auto study = parseStudy(toml, session.bench().plugins(), sets);
    if (!study) {
        Error error = study.error();
        error.message = fmt::format("{}: {}", options.specification, error.message);
        return fail(std::move(error));
    }
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    allowServers(*bench, options);
    if (options.acks)
        session.printAcks();
    CAROUSEL_ASSIGN(const auto done, bench->runStudy(*study, session.control()));
    return resultOf(session, *bench, done);
}
} // namespace

void addRunCommands(CLI::App& app, Session& session) {
    auto options = std::make_shared<RunOptions>();
    auto* run = app.add_subcommand("run", "Run every strategy of a study and compare them");
    run->add_option("specification", options->specification, "Study")->type_name("SPEC.toml");
    run->add_option("--set", options->sets, "Change one value: scorer.count=20, NAME:scorer=popularity, evaluation.users=200 (may be given again)")->type_name("KEY=VALUE")->expected(1)->take_all();
    run->add_option("--seed", options->seed, "Seed of the study")->check(CLI::NonNegativeNumber);
    run->add_option("--device", options->device, "Where language models compute")->check(CLI::IsMember(idsOf(deviceChoices)));
    run->add_option("--compute", options->compute, "Numbers they compute in: fp32 is exact, bf16 fast")->check(CLI::IsMember(idsOf(computeTypeChoices)));
    run->add_option("--resume", options->resume, "Go on with a study that was stopped")->type_name("STUDY");
    run->add_flag("--acks", options->acks, "Print ACK <users> on stderr after each commit");
    const char* const allowHelp = "Prompts with item texts and people's histories may be sent to this endpoint (may be given again)";
    run->add_option("--allow-server", options->allowedServers, allowHelp)->type_name("NAME")->expected(1)->take_all();
    session.chosen(run, "run", [&session, options] { return runStudy(session, *options); });
    auto* resume = app.add_subcommand("resume", "Go on with a study that was stopped");
    resume->add_option("study", options->resume, "Study")->required();
    resume->add_flag("--acks", options->acks, "Print ACK <users> on stderr after each commit");
    resume->add_option("--allow-server", options->allowedServers, allowHelp)->type_name("NAME")->expected(1)->take_all();
    session.chosen(resume, "resume", [&session, options] { return resumeStudy(session, options->resume, *options); });
}

} // namespace carousel::cli
