// SPDX-License-Identifier: GPL-3.0-or-later
// What every command of the program shares: the global options, the workbench (made when first asked for, since listing models needs
// no plugins), progress on stderr, and the shape of an answer.
#pragma once
#include "workbench/workbench.h"
#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>

namespace carousel::cli {

// A command's answer. `text` is what a person reads on stdout, `data` the same for a program (--json); warnings go to stderr or into the object.
struct Answer {
    std::string text;
    nlohmann::json data = nlohmann::json::object();
    std::vector<std::string> warnings;
    int exitCode = 0; // other than 0: done, but not wholly (7) or with a finding
};

class Session {
public:
    std::string project;
    bool json = false, quiet = false;

    Workbench& bench();
    // The project of --project or CAROUSEL_LAB_PROJECT. Reading works beside a writing instance and in a read-only folder.
    Result<Workbench*> openToRead();
    Result<Workbench*> openToWrite();
    // Stops on the first SIGINT or SIGTERM; shows progress on stderr.
    RunControl control();
    void say(const std::string& line) const; // to stderr, unless --quiet
    std::string projectFile() const;
    // From now on a line "ACK <done> run <id>" on stderr after each durable commit, for test harnesses.
    void printAcks();

    // Set by the subcommand that was chosen; main() calls it after parsing.
    std::string command;
    std::function<Result<Answer>()> action;
    void chosen(CLI::App* sub, std::string name, std::function<Result<Answer>()> body);

private:
    Result<Workbench*> open(bool readOnly);
    std::unique_ptr<Workbench> m_bench;
};

void addProjectCommands(CLI::App& app, Session& session);    // init, doctor
void addDataCommands(CLI::App& app, Session& session);       // data ...
void addPluginCommands(CLI::App& app, Session& session);     // plugins ...
void addModelCommands(CLI::App& app, Session& session);      // models ...
void addAskCommand(CLI::App& models, Session& session);      // models ask
void addTuneCommand(CLI::App& app, Session& session);        // models tune; after the model commands
void addEndpointCommands(CLI::App& app, Session& session);   // endpoint ...
void addRunCommands(CLI::App& app, Session& session);        // run, resume
void addResultCommands(CLI::App& app, Session& session);     // runs ..., carousel
void addOutputCommands(CLI::App& app, Session& session);     // export, report
void addEvaluateCommands(CLI::App& app, Session& session);   // evaluate ...
void addBenchCommands(CLI::App& app, Session& session);     // bench llm
void addCheckCommand(CLI::App& app, Session& session);       // check
void addCompletionCommand(CLI::App& app, Session& session);  // completion

int answerExit(const Session& session, const Result<Answer>& result); // prints, and gives the exit code

} // namespace carousel::cli
