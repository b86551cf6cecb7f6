// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/session.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include <cstdio>
#include <cstdlib>

namespace carousel::cli {

using nlohmann::json;

Workbench& Session::bench() {
    if (!m_bench)
        m_bench = std::make_unique<Workbench>();
    return *m_bench;
}

std::string Session::projectFile() const {
    if (!project.empty())
        return project;
    const char* set = std::getenv("CAROUSEL_LAB_PROJECT");
    return set ? set : "";
}

Result<Workbench*> Session::open(bool readOnly) {
    const std::string file = projectFile();
    if (file.empty())
        return fail(ErrorKind::usage, "CL-4010", "No project is given.", "Add --project FILE, or set CAROUSEL_LAB_PROJECT; `init` makes a new project.");
    CAROUSEL_TRY(bench().openProject(file, readOnly));
    return &bench();
}

Result<Workbench*> Session::openToWrite() { return open(false); }

Result<Workbench*> Session::openToRead() {
    auto opened = open(true);
    // A project of an older version must be upgraded before it can be read, which only a writer may do.
    if (!opened && opened.error().code == "CL-4005")
        if (auto upgraded = open(false))
            return upgraded;
    return opened;
}

RunControl Session::control() { return RunControl(stopOnSignals(), progressListener(quiet)); }

void Session::printAcks() {
    bench().setCommitListener([](std::int64_t run, std::int64_t done) {
        std::fprintf(stderr, "ACK %lld run %lld\n", static_cast<long long>(done), static_cast<long long>(run));
        std::fflush(stderr);
    });
}

void Session::say(const std::string& line) const {
    if (!quiet)
        std::fprintf(stderr, "%s\n", line.c_str());
}

void Session::chosen(CLI::App* sub, std::string name, std::function<Result<Answer>()> body) {
    sub->callback([this, name = std::move(name), body = std::move(body)] {
        command = name;
        action = body;
    });
}

namespace {
void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (!text.empty() && text.back() != '\n')
        std::fputc('\n', stdout);
}
std::string oneLine(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }
} // namespace

int answerExit(const Session& session, const Result<Answer>& result) {
    clearProgress();
    int code = 0;
    if (result) {
        code = result->exitCode;
        if (session.json) {
            print(oneLine({{"schema", "carousel-lab/" + session.command + "/1"}, {"ok", true}, {"data", result->data}, {"warnings", result->warnings}}));
        } else {
            print(result->text);
            for (const auto& warning : result->warnings)
                std::fprintf(stderr, "warning: %s\n", warning.c_str());
        }
    } else {
        const Error& error = result.error();
        code = exitCode(error.kind);
        if (error.kind == ErrorKind::cancelled && stopSignal() != 0)
            code = 128 + stopSignal();
        if (session.json)
            print(oneLine({{"schema", "carousel-lab/" + (session.command.empty() ? std::string("error") : session.command) + "/1"},
                           {"ok", false},
                           {"error", {{"code", error.code}, {"kind", name(error.kind)}, {"message", error.message}, {"hint", error.hint}}}}));
        else
            std::fprintf(stderr, "error: %s\n", describe(error).c_str());
    }
    // A reader that closed the pipe has what it wanted; any other failure to write means the result is not there.
    if (std::fflush(stdout) != 0 && errno != EPIPE && code == 0) {
        std::fprintf(stderr, "error: CL-5002 The result cannot be written to the standard output.\n");
        code = 5;
    }
    return code;
}

} // namespace carousel::cli
