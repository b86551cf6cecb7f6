// SPDX-License-Identifier: GPL-3.0-or-later
// bench llm: how fast a language model works on this machine.
#include "cli/bench_llm.h"

namespace carousel::cli {

void addBenchCommands(CLI::App& app, Session& session) {
    auto* bench = app.add_subcommand("bench", "Measure speed on this machine; run it where nothing else runs")->require_subcommand(1);
    auto options = std::make_shared<BenchOptions>();
    auto* llm = bench->add_subcommand(
        "llm", "Candidates, prefill, decode and texts per second of a model, start, memory, agreement of compute types with fp32");
    llm->add_option("--model", options->model, "Model by id, or a path")->capture_default_str();
    llm->add_option("--compute", options->computeTypes,
                    "Compute types, separated by commas; the first fp32 one is what the others are compared with")
        ->delimiter(',')
        ->capture_default_str();
    llm->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
    llm->add_option("--prompts", options->prompts, "Users, each with a history of 300 tokens")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    llm->add_option("--candidates", options->candidates, "Candidates of each user")->check(CLI::Range(1, 1000))->capture_default_str();
    llm->add_option("--repetitions", options->repetitions, "Of prefill, decode, texts and prompts without a shared prefix")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    llm->add_option("--write-task", options->writeTask,
                    "Write the task's texts and token ids as JSON, for other engines, and measure nothing")
        ->type_name("FILE");
    llm->add_flag("--first-score", options->firstScore,
                  "Open the model, score one candidate of one prompt and end: how long a command that scores takes at least");
    llm->add_flag("--here", options->here)->group(""); // what each process of its own is started with
    session.chosen(llm, "bench/llm", [&session, options] {
        return options->here         ? benchHere(session, *options)
               : options->firstScore ? benchFirstScore(session, *options)
                                     : benchLanguageModel(session, *options);
    });
}

} // namespace carousel::cli
