// SPDX-License-Identifier: GPL-3.0-or-later
// models ask: one question to a model, with everything that shapes the answer.
#include "base/file.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/table.h"
#include "llm/generation/grammar.h"
#include "llm/generation/json_schema.h"
#include "llm/generation/token_search.h"
#include "llm/model_host.h"
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>

namespace carousel::cli {

using nlohmann::json;

namespace {

struct Question {
    std::string model, text, system, answerStart, oneOfFile, grammarFile, schemaFile;
    GenerateOptions options;
    OpenOptions opening;
};

Result<std::vector<std::string>> linesOf(const std::string& file) {
    constexpr std::size_t largest = std::size_t(64) << 20;
    CAROUSEL_ASSIGN(const std::string content, readFile(file, largest));
    std::vector<std::string> lines;
    for (std::string_view line : split(content, '\n')) {
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        if (!line.empty())
            lines.emplace_back(line);
    }
    if (lines.empty())
        return fail(ErrorKind::input, "CL-2169", fmt::format("'{}' holds no text to choose from.", file), "Write one text per line.");
    return lines;
}

Result<std::string> textOf(const std::string& given) {
    std::string text = given;
    if (given == "-")
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (const std::size_t bad = firstInvalidUtf8(text); bad != std::string::npos)
        return fail(ErrorKind::input, "CL-2169", fmt::format("The question is not UTF-8 at byte {}.", bad), "Convert it to UTF-8.");
    return text;
}

json described(const Generated& answer, const ModelInfo& info, double seconds) {
    json sequences = json::array();
    for (const GeneratedSequence& one : answer.sequences)
        sequences.push_back({{"text", one.text}, {"logProbability", one.logProbability}, {"score", one.score}, {"tokens", one.tokens}, {"reachedLimit", one.reachedLimit}});
    return {{"model", info.id}, {"device", info.device}, {"computeType", info.computeType}, {"text", answer.text}, {"reachedLimit", answer.reachedLimit},
            {"promptTokens", answer.promptTokens}, {"generatedTokens", answer.generatedTokens}, {"seconds", seconds}, {"sequences", sequences}};
}

Result<Answer> ask(Session& session, Question question) {
    // What can be refused without a model is.
    GenerateOptions& options = question.options;
    CAROUSEL_ASSIGN(question.text, textOf(question.text));
    if (!question.oneOfFile.empty()) {
        CAROUSEL_ASSIGN(options.oneOf, linesOf(question.oneOfFile));
    }
    if (!question.grammarFile.empty()) {
        CAROUSEL_ASSIGN(options.grammar, readFile(question.grammarFile, std::size_t(1) << 20));
        CAROUSEL_TRY(Grammar::parse(options.grammar));
    }
    if (!question.schemaFile.empty()) {
        CAROUSEL_ASSIGN(const std::string schema, readFile(question.schemaFile, std::size_t(1) << 20));
        CAROUSEL_ASSIGN(options.grammar, grammarOfJsonSchema(schema));
        CAROUSEL_TRY(Grammar::parse(options.grammar));
    }
    CAROUSEL_TRY(checkOptions(options));

    std::vector<ChatMessage> messages;
    if (!question.system.empty())
        messages.push_back({"system", question.system});
    messages.push_back({"user", question.text});
    if (!question.answerStart.empty())
        messages.push_back({"assistant", question.answerStart});
    std::unique_ptr<ModelHost> host;
    LanguageModel* model = nullptr;
    if (startsWith(question.model, "server:")) {
        CAROUSEL_ASSIGN(model, session.bench().languageModel(question.model));
    } else {
        host = std::make_unique<ModelHost>(question.opening);
        CAROUSEL_ASSIGN(model, host->languageModel(question.model));
    }

    // One answer is shown while it is written; then a progress line would only be in its way.
    const bool streams = !session.json && options.sequences == 1;
    bool lineOpen = false;
    if (streams)
        options.onText = [&](std::string_view piece) {
            std::fwrite(piece.data(), 1, piece.size(), stdout);
            std::fflush(stdout);
            lineOpen = piece.back() != '\n';
        };
    const auto start = std::chrono::steady_clock::now();
    auto written = model->generate(messages, options, streams ? RunControl(stopOnSignals()) : session.control());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (lineOpen)
        std::fputc('\n', stdout);
    if (!written)
        return fail(std::move(written.error()));

    Answer answer;
    answer.data = described(*written, model->info(), seconds);
    if (written->reachedLimit)
        answer.warnings.push_back(fmt::format("The answer was cut at {} tokens (--max-tokens).", options.maximumTokens));
    if (!streams) {
        TextTable table({">Log-probability", ">Tokens", "Answer"});
        for (const GeneratedSequence& one : written->sequences)
            table.add({fmt::format("{:.3f}", one.logProbability), std::to_string(one.tokens), quotedForMessage(one.text, 1000)});
        answer.text = table.text();
    }
    return answer;
}

} // namespace

void addAskCommand(CLI::App& models, Session& session) {
    auto question = std::make_shared<Question>();
    GenerateOptions& options = question->options;
    auto* sub = models.add_subcommand("ask", "Ask a model one question; the answer is shown while it is written");
    sub->add_option("model", question->model, "Model of the shelf, or path of a model file or folder")->required();
    sub->add_option("text", question->text, "The question; - reads it from the standard input")->required();
    sub->add_option("--system", question->system, "What the model is told before the question");
    sub->add_option("--answer-start", question->answerStart, "Beginning of the answer, which the model continues");
    sub->add_option("--max-tokens", options.maximumTokens, "Longest answer")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    sub->add_option("--temperature", options.temperature, "0: the most probable token each time; above: tokens are drawn")->capture_default_str();
    sub->add_option("--top-k", options.topK, "Draw among so many most probable tokens; 0: all")->capture_default_str();
    sub->add_option("--top-p", options.topP, "Draw among the most probable tokens that together reach this")->capture_default_str();
    sub->add_option("--repetition-penalty", options.repetitionPenalty, "Above 1: tokens of the answer become less likely")->capture_default_str();
    sub->add_option("--seed", options.seed, "The same seed draws the same answer")->capture_default_str();
    sub->add_option("--beams", options.beams, "Beam search with so many beams")->capture_default_str();
    sub->add_option("--sequences", options.sequences, "So many answers, with their log-probabilities")->capture_default_str();
    sub->add_option("--length-penalty", options.lengthPenalty, "Beams are ordered by log-probability / tokens^this")->capture_default_str();
    sub->add_option("--one-of", question->oneOfFile, "The answer is one line of this file")->type_name("FILE");
    auto* grammar = sub->add_option("--grammar", question->grammarFile, "The answer matches the grammar (GBNF) in this file")->type_name("FILE");
    sub->add_option("--json-schema", question->schemaFile, "The answer is JSON that this schema describes")->type_name("FILE")->excludes(grammar);
    sub->add_option("--stop", options.stop, "The answer ends before this text; may be given several times")->type_name("TEXT")->take_all();
    sub->add_option("--device", question->opening.device, "cpu, cuda, cuda:0")->capture_default_str();
    sub->add_option("--compute", question->opening.computeType, "fp32, bf16 or auto")->capture_default_str();
    sub->add_option("--threads", question->opening.threads, "0: as many as there are cores")->capture_default_str();
    session.chosen(sub, "models-ask", [&session, question] { return ask(session, *question); });
}

} // namespace carousel::cli
