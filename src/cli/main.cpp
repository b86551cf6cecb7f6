// SPDX-License-Identifier: GPL-3.0-or-later
// carousel-lab-cli: everything the window can do, without a display. One file per family of commands; each fills session.action, which
// is called here. Only this file turns errors into exit codes (see exitCode in base/result.h).
#include "cli/explain.h"
#include "cli/replay.h"
#include "cli/session.h"
#include "cli/version.h"
#include <csignal>
#include <cstdio>
#include <cstring>

using namespace carousel;
using namespace carousel::cli;

namespace {
int usageError(const CLI::App& app, const CLI::ParseError& error, Session& session, bool json) {
    session.json = json;
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty())
        at = at->get_subcommands().front();
    std::string path = at->get_name();
    for (const CLI::App* up = at->get_parent(); up != nullptr; up = up->get_parent())
        path = up->get_name() + " " + path;
    return answerExit(session, fail(ErrorKind::usage, "CL-3000", error.what(), fmt::format("See '{} --help'.", path)));
}

Result<Answer> called(const std::function<Result<Answer>()>& action) {
    try {
        return action();
    } catch (const std::bad_alloc&) {
        return fail(ErrorKind::internal, "CL-9041", "Not enough memory.", "Close other programs or use a smaller data set.");
    } catch (const std::exception& exception) { // a bug, but one that must not end in abort() with a project open
        return fail(ErrorKind::internal, "CL-9001", fmt::format("Unexpected failure: {}.", exception.what()), "Please report this with the command line.");
    }
}
} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    Session session;
    CLI::App app("Carousel Lab: compare recommender strategies for a carousel, with and without language models.", "carousel-lab-cli");
    app.set_version_flag("--version", std::string("carousel-lab-cli ") + programVersion);
    app.add_option("--project,-p", session.project, "Project file (else CAROUSEL_LAB_PROJECT)")->type_name("FILE");
    app.add_flag("--json", session.json, "Print exactly one JSON object on stdout");
    app.add_flag("--quiet,-q", session.quiet, "No progress and no messages on stderr");
    app.require_subcommand(1);
    app.fallthrough();
    addProjectCommands(app, session);
    addDataCommands(app, session);
    addPluginCommands(app, session);
    addModelCommands(app, session);
    addTuneCommand(app, session);
    addEndpointCommands(app, session);
    addRunCommands(app, session);
    addResultCommands(app, session);
    addExplainCommand(app, session);
    addOutputCommands(app, session);
    addReplayCommand(app, session);
    addEvaluateCommands(app, session);
    addBenchCommands(app, session);
    addCheckCommand(app, session);
    addCompletionCommand(app, session);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) { // --help, --version
        app.exit(asked);
        return 0;
    } catch (const CLI::ParseError& error) {
        bool json = false;
        for (int i = 1; i < argc; ++i)
            json = json || std::strcmp(argv[i], "--json") == 0;
        return usageError(app, error, session, json);
    }
    return answerExit(session, called(session.action));
}
