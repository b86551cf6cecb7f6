// SPDX-License-Identifier: GPL-3.0-or-later
// evaluate ...: what position does, from logs and runs. Thin on purpose: what the commands do is in evaluate.cpp and evaluate_recovery.cpp.
#include "cli/evaluate.h"
#include "stages/compute_choice.h"

namespace carousel::cli {

namespace {
using Options = std::shared_ptr<EvaluateOptions>;

void addOutput(CLI::App* sub, const Options& options) {
    sub->add_option("-o,--output", options->output, "Also write FILE.html, FILE.pdf, FILE.json or a folder with tables and pictures")->type_name("FILE|FOLDER");
    sub->add_option("--fail-on", options->failOn, "Exit with 8 when the evidence is this bad (amber: or worse)")->check(CLI::IsMember({"red", "amber"}));
}

CLI::App* addAnalysis(CLI::App* evaluate, Session& session, AnalysisKind kind, const char* about, const char* as = nullptr) {
    auto options = std::make_shared<EvaluateOptions>();
    options->kind = kind;
    auto* sub = evaluate->add_subcommand(as ? as : name(kind), about);
    if (kind == AnalysisKind::lens || kind == AnalysisKind::rows) {
        sub->add_option("runs", options->runs, kind == AnalysisKind::lens ? "One run, or two to compare" : "Runs that may fill the rows")->required()->type_name("RUN");
    } else {
        sub->add_option("specification", options->specification, takesStrategies(kind) ? "Options and strategies; a study does as well" : "Options")->type_name("SPEC.toml");
        sub->add_option("--data", options->data, kind == AnalysisKind::likes || kind == AnalysisKind::ratings ? "Data set with ratings; not needed when it is the only one"
                                         : kind == AnalysisKind::tasks ? "Data set with histories and reviews; not needed when it is the only one" : "Data set of the project; not needed when one has a log")->type_name("NAME");
    }
    sub->add_option("--set", options->sets, "Change one option: window=7 (may be given again)")->type_name("KEY=VALUE")->expected(1)->take_all();
    sub->add_option("--seed", options->seed, "Seed of everything that is drawn")->check(CLI::NonNegativeNumber);
    if (takesStrategies(kind) || kind == AnalysisKind::likes || kind == AnalysisKind::ratings || kind == AnalysisKind::tasks) { // the others ask no language model
        sub->add_option("--device", options->device, "Where language models compute")->check(CLI::IsMember(idsOf(deviceChoices)));
        sub->add_option("--compute", options->compute, "Numbers they compute in")->check(CLI::IsMember(idsOf(computeTypeChoices)));
    }
    sub->add_flag("--no-save", options->unsaved, "Do not keep the result in the project; works beside a window that has it open");
    if (kind == AnalysisKind::abTest)
        sub->add_flag("--acks", options->acks, "Print ACK <rounds> on stderr whenever the state of the experiment was written");
    if (kind == AnalysisKind::placement)
        sub->add_flag("--acks", options->acks, "Print ACK <users> on stderr after each commit");
    addOutput(sub, options);
    std::string help = "Options for --set (default):\n";
    for (const auto& spec : analysisParameters(kind))
        help += fmt::format("  {}={}  {}\n", spec.id, toText(spec.defaultValue), spec.label);
    sub->footer(help);
    session.chosen(sub, std::string("evaluate-") + name(kind), [&session, options] { return cli::evaluate(session, *options); });
    return sub;
}
} // namespace

void addEvaluateCommands(CLI::App& app, Session& session) {
    addAnalysis(&app, session, AnalysisKind::abTest, "Show simulated users the carousels of two or more strategies: effects with intervals, health, verdict", "simulate");
    auto* study = app.add_subcommand("study", "Studies of many strategies at once");
    study->require_subcommand(1);
    addAnalysis(study, session, AnalysisKind::placement, "Switch a language model on and off at each of the four places, and say where it pays");
    auto* evaluate = app.add_subcommand("evaluate", "What position does: click models, position bias, off-policy estimates, position lens, rows");
    evaluate->require_subcommand(1);
    addAnalysis(evaluate, session, AnalysisKind::clicks, "Fit click models to a log and say which predicts clicks best");
    addAnalysis(evaluate, session, AnalysisKind::positionBias, "Estimate how much less each position is looked at, and what the log supports");
    addAnalysis(evaluate, session, AnalysisKind::offPolicy, "Estimate what other strategies would have earned on a log, with an evidence gate");
    addAnalysis(evaluate, session, AnalysisKind::lens, "What every position of a run's carousels is worth, and what the fold hides");
    addAnalysis(evaluate, session, AnalysisKind::likes, "Ask a language model what users will like, as it is and trained on a few examples, beside plain counting");
    addAnalysis(evaluate, session, AnalysisKind::ratings, "Ask a language model how many points users will give: errors over all questions, before and after calibration, beside plain means");
    addAnalysis(evaluate, session, AnalysisKind::tasks, "Train one text-to-text model for five families of tasks, beside naive controls and one model for each");
    addAnalysis(evaluate, session, AnalysisKind::abCheck, "Count what stopping rules really do on a metric of the data: false alarms, power, and how often intervals hold the truth");
    addAnalysis(evaluate, session, AnalysisKind::rows, "Choose and order runs as rows of a two-dimensional carousel");

    auto* list = evaluate->add_subcommand("list", "Analyses kept in the project");
    session.chosen(list, "evaluate-list", [&session] { return listAnalyses(session); });
    auto shown = std::make_shared<EvaluateOptions>();
    auto* show = evaluate->add_subcommand("show", "Print or write an analysis again");
    show->add_option("analysis", shown->id, "Analysis")->required()->type_name("ID");
    addOutput(show, shown);
    session.chosen(show, "evaluate-show", [&session, shown] { return showAnalysis(session, *shown); });
    auto* add = evaluate->add_subcommand("add", "Keep an analysis of a file in the project");
    auto added = std::make_shared<std::string>();
    add->add_option("file", *added, "Written by `evaluate ... -o FILE.json`")->required()->type_name("FILE.json");
    session.chosen(add, "evaluate-add", [&session, added] { return addAnalysis(session, *added); });
    auto compared = std::make_shared<EvaluateOptions>();
    auto* compare = evaluate->add_subcommand("compare", "Set kept experiments of one kind side by side: designs, effects, verdicts, health");
    compare->add_option("analyses", compared->runs, "Analyses: ab-test, placement or ab-check")->required()->type_name("ID");
    addOutput(compare, compared);
    session.chosen(compare, "evaluate-compare", [&session, compared] { return compareAnalyses(session, *compared); });
    auto* remove = evaluate->add_subcommand("remove", "Take an analysis out of the project");
    remove->add_option("analysis", shown->id, "Analysis")->required()->type_name("ID");
    session.chosen(remove, "evaluate-remove", [&session, shown] { return removeAnalysis(session, shown->id); });

    auto plan = std::make_shared<RecoveryOptions>();
    auto* recovery = evaluate->add_subcommand("recovery", "Draw logs from a known click model and count how often intervals hold the truth (no project needed)");
    recovery->add_option("--model", plan->model, "Model that is drawn from and fitted")->check(CLI::IsMember({"carousel", "pbm"}))->capture_default_str();
    recovery->add_option("--sessions", plan->sessions, "Sessions of a log")->check(CLI::Range(100, 100000000))->capture_default_str();
    recovery->add_option("--repetitions", plan->repetitions, "Logs")->check(CLI::Range(1, 100000))->capture_default_str();
    recovery->add_option("--intervals", plan->intervals, "Kind of interval")->check(CLI::IsMember({"robust", "bootstrap"}))->capture_default_str();
    recovery->add_option("--draws", plan->draws, "Bootstrap draws")->check(CLI::Range(20, 100000))->capture_default_str();
    recovery->add_option("--items", plan->items, "Items of the catalogue")->check(CLI::Range(2, 1000000))->capture_default_str();
    recovery->add_option("--slots", plan->slots, "Slots of a slate")->check(CLI::Range(1, 1000))->capture_default_str();
    recovery->add_option("--window", plan->window, "Visible slots")->check(CLI::Range(1, 1000))->capture_default_str();
    recovery->add_option("--seed", plan->seed, "Seed")->check(CLI::NonNegativeNumber)->capture_default_str();
    recovery->add_flag("--no-reach", plan->reachNotLogged, "The logs do not say which slots were in view");
    session.chosen(recovery, "evaluate-recovery", [&session, plan] { return evaluateRecovery(session, *plan); });
}

} // namespace carousel::cli
