// SPDX-License-Identifier: GPL-3.0-or-later
// check SCENARIO...: runs scenario files against this very program.
#include "cli/scenario.h"
#include "cli/session.h"

namespace carousel::cli {

using nlohmann::json;

namespace {
Result<Answer> check(Session& session, const std::vector<std::string>& files) {
    Answer answer;
    json list = json::array();
    int failures = 0;
    for (const auto& file : files) {
        CAROUSEL_ASSIGN(const auto result, runScenario(file));
        const char* verdict = !result.failure.empty() ? "FAILED" : !result.skipped.empty() ? "SKIPPED" : "passed";
        answer.text += fmt::format("{} {}: {} commands, {} expectations, {:.1f} s{}\n", verdict, file, result.commands, result.expectations, result.seconds,
                                   result.skipped.empty() ? "" : " (" + result.skipped + ")");
        if (!result.failure.empty()) {
            ++failures;
            session.say(result.failure);
        }
        list.push_back({{"file", file}, {"verdict", verdict}, {"commands", result.commands}, {"expectations", result.expectations}, {"skipped", result.skipped}, {"failure", result.failure}});
    }
    answer.data = {{"scenarios", list}, {"failures", failures}};
    answer.exitCode = failures > 0 ? 1 : 0;
    return answer;
}
} // namespace

void addCheckCommand(CLI::App& app, Session& session) {
    auto files = std::make_shared<std::vector<std::string>>();
    auto* command = app.add_subcommand("check", "Run scenario files against this program");
    command->add_option("scenarios", *files, "Scenario files")->required()->check(CLI::ExistingFile);
    session.chosen(command, "check", [&session, files] { return check(session, *files); });
}

} // namespace carousel::cli
