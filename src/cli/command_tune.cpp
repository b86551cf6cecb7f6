// SPDX-License-Identifier: GPL-3.0-or-later
// models tune, adapters, merge: trains an adapter for a decoder on prompts with wanted answers, lists the named ones, and writes one into
// the weights.
#include "base/text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "llm/adapter_shelf.h"
#include "llm/merge_adapter.h"
#include "llm/model_host.h"
#include <cmath>
#include <filesystem>

namespace carousel::cli {

using nlohmann::json;

namespace {

struct TuneOptions {
    std::string model, examples, validation, modules = "q,v", schedule = "cosine", metric = "loss";
    FineTuneRequest request;
    OpenOptions open;
};

json number(double value) {
    return std::isfinite(value) ? json(value) : json(nullptr);
}

json described(const FineTuneReport& report) {
    json training = json::array(), validation = json::array();
    for (const auto& point : report.training)
        training.push_back(
            {{"step", point.step}, {"loss", number(point.loss)}, {"rate", point.rate}, {"gradientNorm", number(point.gradientNorm)}});
    for (const auto& point : report.validation)
        validation.push_back({{"step", point.step}, {"loss", number(point.loss)}, {"auc", number(point.auc)}});
    return {{"end", name(report.end)},
            {"steps", report.steps},
            {"stepsPlanned", report.stepsPlanned},
            {"bestStep", report.bestStep},
            {"resumedAt", report.resumedAt},
            {"trainedParameters", report.trainedParameters},
            {"tokensPerEpoch", report.tokens},
            {"truncatedExamples", report.truncatedExamples},
            {"blocksComputedTwice", report.blocksComputedTwice},
            {"seconds", report.seconds},
            {"secondsPerStep", report.secondsPerStep},
            {"peakBytes", report.peakBytes},
            {"computeType", report.computeType},
            {"device", report.device},
            {"adapter", report.adapterFolder},
            {"checkpoint", report.checkpoint},
            {"training", training},
            {"validation", validation}};
}

// Validations, and of the steps about a dozen.
std::string curve(const FineTuneReport& report) {
    TextTable table({">Step", ">Training loss", ">Validation loss", ">AUC"});
    const std::size_t every = std::max<std::size_t>(1, report.training.size() / 12);
    auto validation = report.validation.begin();
    const auto cell = [](double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : std::string(); };
    for (std::int64_t step = 0; step <= report.steps; ++step) {
        const bool validated = validation != report.validation.end() && validation->step == step;
        if (!validated && (step == 0 || step % static_cast<std::int64_t>(every) != 0))
            continue;
        table.add({std::to_string(step), step > 0 ? cell(report.training[static_cast<std::size_t>(step - 1)].loss) : "",
                   validated ? cell(validation->loss) : "", validated ? cell(validation->auc) : ""});
        if (validated)
            ++validation;
    }
    return table.text();
}

Result<Answer> tune(Session& session, TuneOptions options) {
    FineTuneRequest& request = options.request;
    CAROUSEL_ASSIGN(request.settings.lora.modules, parseLoraModules(options.modules));
    request.settings.schedule.shape = options.schedule == "constant" ? RateShape::constant
                                      : options.schedule == "linear" ? RateShape::linear
                                                                     : RateShape::cosine;
    request.settings.metric = options.metric == "auc" ? ValidationMetric::auc : ValidationMetric::loss;
    const bool named = request.folder.empty();
    if (named) {
        if (request.name.empty())
            return fail(ErrorKind::usage, "CL-2141", "Neither a folder nor a name is given for the adapter.",
                        "Give --name NAME to keep it among the models, or --output FOLDER.");
        CAROUSEL_ASSIGN(request.folder, namedAdapterFolder(ModelShelf(), request.name));
    }
    if (request.name.empty())
        request.name = std::filesystem::path(request.folder).lexically_normal().filename().string();
    CAROUSEL_ASSIGN(request.examples, readExamples(options.examples));
    if (!options.validation.empty()) {
        CAROUSEL_ASSIGN(request.validation, readExamples(options.validation));
    }
    ModelHost host(options.open);
    CAROUSEL_ASSIGN(const FineTuneReport report, host.fineTune(options.model, request, session.control()));

    Answer answer;
    answer.data = described(report);
    answer.text = curve(report);
    answer.text +=
        fmt::format("{} after {} of {} steps: {} values trained in {} s, {} s a step, {} {}, at most {} of memory.\n", name(report.end),
                    report.steps, report.stepsPlanned, withThousands(report.trainedParameters), threeFigures(report.seconds),
                    threeFigures(report.secondsPerStep), report.computeType, report.device, megabytes(report.peakBytes));
    if (report.end == FineTuneEnd::cancelled) {
        answer.text += fmt::format("The same command with --resume goes on from '{}'.\n", report.checkpoint);
        answer.exitCode = exitCode(ErrorKind::cancelled);
    } else {
        answer.text += fmt::format("The adapter of step {} is in '{}'; its model is called '{}@{}'.\n", report.bestStep,
                                   report.adapterFolder, options.model, named ? request.name : report.adapterFolder);
    }
    if (report.truncatedExamples > 0)
        answer.warnings.push_back(fmt::format("{} prompts are longer than {} tokens and lost their oldest text (--context).",
                                              report.truncatedExamples, request.settings.contextLimit));
    return answer;
}

Result<Answer> listAdapters() {
    Answer answer;
    TextTable table({"Adapter", "Base model", ">Rank", ">Alpha", "Matrices", "SHA-256"});
    json list = json::array();
    for (const auto& one : namedAdapters(ModelShelf())) {
        if (one.problem.empty())
            table.add({one.name, one.baseModel, std::to_string(one.rank), threeFigures(one.alpha), fmt::format("{}", fmt::join(one.modules, ", ")),
                       one.sha256.substr(0, 12)});
        else
            answer.warnings.push_back(fmt::format("'{}' cannot be used: {}", one.name, one.problem));
        list.push_back({{"name", one.name}, {"folder", one.folder}, {"problem", one.problem}, {"baseModel", one.baseModel},
                        {"baseSha256", one.baseSha256}, {"sha256", one.sha256}, {"rank", one.rank}, {"alpha", one.alpha}, {"modules", one.modules}});
    }
    answer.text = list.empty() ? "No adapter has a name yet: `models tune MODEL EXAMPLES --name NAME` makes one.\n"
                               : table.text() + "A model with an adapter is called MODEL@ADAPTER, wherever a model is named.\n";
    answer.data = {{"adapters", list}};
    return answer;
}

struct MergeOptions {
    std::string model, output;
};
Result<Answer> merge(Session& session, const MergeOptions& options) {
    CAROUSEL_ASSIGN(const ModelLocation location, ModelShelf().resolve(options.model));
    CAROUSEL_ASSIGN(const MergedModel made, writeMerged(location, options.output, session.control()));
    Answer answer;
    answer.text = fmt::format("Wrote '{}', {}: {} matrices of '{}' hold their adapter. `models add {}` puts it on the shelf.\n", made.path,
                              megabytes(made.bytes), made.changedMatrices, options.model, made.path);
    answer.data = {{"path", made.path}, {"bytes", made.bytes}, {"changedMatrices", made.changedMatrices}, {"adapter", location.adapter}};
    return answer;
}

} // namespace

void addTuneCommand(CLI::App& app, Session& session) {
    auto options = std::make_shared<TuneOptions>();
    FineTuneRequest& request = options->request;
    FineTuneSettings& settings = request.settings;
    auto* sub =
        app.get_subcommand("models")->add_subcommand("tune", "Train an adapter (LoRA) for a decoder on prompts with wanted answers");
    sub->add_option("model", options->model, "Known model, or path of its file")->required();
    sub->add_option("examples", options->examples,
                    R"(JSON lines: {"messages": [{"role": "user", "content": "..."}], "answer": "Yes", "weight": 1})")
        ->required()
        ->type_name("FILE");
    sub->add_option("-o,--output", request.folder, "Folder for adapter and checkpoint; without it --name names one among the models")->type_name("FOLDER");
    sub->add_option("--validation", options->validation, "Examples to judge by, as JSON lines; the best step is kept")->type_name("FILE");
    sub->add_option("--name", request.name, "Name of the adapter (the folder's)");
    sub->add_flag("--resume", request.resume, "Go on from the folder's checkpoint, if there is one");
    sub->add_option("--rank", settings.lora.rank, "Rank of each matrix")->capture_default_str();
    sub->add_option("--alpha", settings.lora.alpha, "The change is alpha / rank times B A")->capture_default_str();
    sub->add_option("--dropout", settings.lora.dropout, "Share of inputs left out of each step")->capture_default_str();
    sub->add_option("--modules", options->modules, "Of q,k,v,o,gate,up,down, or all")->capture_default_str();
    sub->add_option("--epochs", settings.epochs, "Passes over the examples")->capture_default_str();
    sub->add_option("--batch", settings.batch, "Examples per step")->capture_default_str();
    sub->add_option("--piece-tokens", settings.pieceTokens, "Tokens computed together; a step adds up its pieces")->capture_default_str();
    sub->add_option("--rate", settings.schedule.rate, "Highest learning rate")->capture_default_str();
    sub->add_option("--schedule", options->schedule, "Learning rate over the steps")
        ->check(CLI::IsMember({"constant", "linear", "cosine"}))
        ->capture_default_str();
    sub->add_option("--warm-up", settings.schedule.warmUpShare, "Share of steps in which the rate rises")->capture_default_str();
    sub->add_option("--final-rate", settings.schedule.finalShare, "Share of the rate at the end")->capture_default_str();
    sub->add_option("--weight-decay", settings.weightDecay, "Decoupled weight decay")->capture_default_str();
    sub->add_option("--clip", settings.clipNorm, "Largest gradient norm; 0: any")->capture_default_str();
    sub->add_option("--metric", options->metric, "What the validation examples are judged by")
        ->check(CLI::IsMember({"loss", "auc"}))
        ->capture_default_str();
    sub->add_option("--positive", settings.positiveAnswer, "The answer that counts as positive for auc")->capture_default_str();
    sub->add_option("--patience", settings.patience, "Validations without gain before training ends; 0: never")->capture_default_str();
    sub->add_option("--evaluate-every", settings.evaluateEvery, "Steps between validations; 0: an epoch")->capture_default_str();
    sub->add_option("--checkpoint-every", settings.checkpointEvery, "Steps between checkpoints")->capture_default_str();
    sub->add_flag("--learn-end", settings.learnEnd, "The end of the turn belongs to the answer: for models that shall write");
    sub->add_option("--context", settings.contextLimit, "Longest prompt in tokens")->capture_default_str();
    sub->add_option("--memory", settings.memoryBytes, "Bytes that the backward pass may keep; beyond them blocks are computed twice")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str();
    sub->add_option("--seed", settings.seed, "Seed of first values, order and dropout")->capture_default_str();
    sub->add_option("--device", options->open.device, "cpu, cuda, auto")->capture_default_str();
    sub->add_option("--compute", options->open.computeType, "auto, fp32, bf16")->capture_default_str();
    session.chosen(sub, "models-tune", [&session, options] { return tune(session, *options); });

    auto* adapters = app.get_subcommand("models")->add_subcommand("adapters", "Adapters with a name: base model, rank, matrices");
    session.chosen(adapters, "models-adapters", [] { return listAdapters(); });
    auto merging = std::make_shared<MergeOptions>();
    auto* into = app.get_subcommand("models")->add_subcommand("merge", "Write a model with an adapter into its weights as a model file of its own");
    into->add_option("model", merging->model, "MODEL@ADAPTER: an adapter's name or folder")->required();
    into->add_option("-o,--output", merging->output, "A file that ends in .gguf, or for a safetensors model a folder")->required()->type_name("PATH");
    session.chosen(into, "models-merge", [&session, merging] { return merge(session, *merging); });
}

} // namespace carousel::cli
