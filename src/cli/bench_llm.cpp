// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/bench_llm.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/child.h"
#include "cli/table.h"
#include "evaluation/statistics/rank_agreement.h"
#include "llm/model_host.h"
#include "llm/model_source.h"
#include "workbench/model_benchmark/measure.h"
#include <algorithm>
#include <cmath>

namespace carousel::cli {

using nlohmann::json;

namespace {

constexpr std::int64_t prefillTokens = 512;
constexpr int decodeTokens = 128, encoderTexts = 1000;
constexpr double childSeconds = 3600;

json described(const SpeedSample& sample) {
    return {{"units", sample.units}, {"seconds", sample.seconds}};
}

struct Spread {
    double median = 0, low = 0, high = 0;
};
Spread spread(const json& sample) { // units per second
    std::vector<double> values;
    for (const auto& seconds : sample.at("seconds"))
        values.push_back(sample.at("units").get<double>() / seconds.get<double>());
    std::sort(values.begin(), values.end());
    if (values.empty())
        return {};
    const std::size_t n = values.size();
    return {(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back()};
}
json described(const Spread& s) {
    return {{"median", s.median}, {"min", s.low}, {"max", s.high}};
}
std::string words(const Spread& s) {
    const int digits = s.median < 100 ? 1 : 0;
    return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", s.median, digits, s.low, digits, s.high, digits);
}

Result<Answer> writeTask(const BenchOptions& options) {
    CAROUSEL_ASSIGN(const ModelLocation location, ModelShelf().resolve(options.model));
    CAROUSEL_ASSIGN(const auto source, ModelSource::open(location.weights));
    CAROUSEL_ASSIGN(const auto tokenizer, source->tokenizer());
    CAROUSEL_ASSIGN(const ChatTemplate chat, source->chatTemplate(tokenizer));
    BenchmarkTaskOptions task;
    task.prompts = options.prompts;
    task.candidates = options.candidates;
    const auto prompts =
        benchmarkPrompts(task, [&](const std::string& text) { return static_cast<std::int64_t>(tokenizer->encode(text).size()); });
    const BenchmarkIds ids = benchmarkIds(prompts, chat);
    json list = json::array();
    for (std::size_t p = 0; p < prompts.size(); ++p)
        list.push_back({{"shared", prompts[p].shared.back().content},
                        {"branches", prompts[p].branches},
                        {"tail", prompts[p].tail},
                        {"sharedIds", ids.shared[p]},
                        {"branchIds", ids.branches[p]}});
    const json all{{"model", location.weights},
                   {"answers", prompts.front().answers},
                   {"answerIds", ids.answers},
                   {"prompts", list},
                   {"texts", benchmarkTexts(encoderTexts)}};
    CAROUSEL_TRY(atomicWrite(options.writeTask, all.dump()));
    Answer answer;
    answer.text = fmt::format("{} prompts with {} candidates each are in '{}'.", prompts.size(), options.candidates, options.writeTask);
    answer.data = {{"file", options.writeTask}, {"prompts", prompts.size()}, {"candidates", options.candidates}};
    return answer;
}

Result<json> measureDecoder(LanguageModel& model, const BenchOptions& options, const RunControl& control) {
    BenchmarkTaskOptions task;
    task.prompts = options.prompts;
    task.candidates = options.candidates;
    const auto prompts = benchmarkPrompts(task, [&](const std::string& text) { return model.countTokens(text); });
    CAROUSEL_TRY(measureFirst(model, task, control));
    json out{{"firstScoreSeconds", secondsSinceProcessStart()}};
    CAROUSEL_ASSIGN(const ScoringMeasure scoring, measureScoring(model, prompts, control));
    out["scoring"] = described(scoring.speed);
    out["scoring"]["prefixTokens"] = scoring.prefixTokens;
    out["scoring"]["branchTokens"] = scoring.branchTokens;
    out["scoring"]["cachedTokens"] = scoring.cachedTokens;
    out["scores"] = scoring.scores;
    out["scoringPeakBytes"] = peakMemoryBytes();
    CAROUSEL_ASSIGN(const SpeedSample prefill, measurePrefill(model, prefillTokens, options.repetitions, control));
    out["prefill"] = described(prefill);
    CAROUSEL_ASSIGN(const SpeedSample naive, measureNaive(model, prompts, options.repetitions, control));
    out["naive"] = described(naive);
    CAROUSEL_ASSIGN(const SpeedSample decode, measureDecode(model, prompts.front(), decodeTokens, options.repetitions, control));
    out["decode"] = described(decode);
    return out;
}

Result<json> measureEncoder(LanguageModel& model, const BenchOptions& options, const RunControl& control) {
    const auto texts = benchmarkTexts(encoderTexts);
    double tokens = 0;
    for (const auto& text : texts)
        tokens += static_cast<double>(model.countTokens(text)) / encoderTexts;
    CAROUSEL_TRY(measureFirst(model, {}, control));
    json out{{"firstScoreSeconds", secondsSinceProcessStart()}, {"tokensPerText", tokens}};
    CAROUSEL_ASSIGN(const EmbeddingMeasure measure, measureEmbedding(model, texts, options.repetitions, control));
    out["texts"] = described(measure.speed);
    json rows = json::array();
    for (std::size_t row = 0; row < measure.vectors.rows; ++row)
        rows.push_back(std::vector<float>(measure.vectors.row(row).begin(), measure.vectors.row(row).end()));
    out["vectors"] = rows;
    return out;
}

Result<json> measuredApart(const BenchOptions& options, const std::string& computeType) {
    const std::vector<std::string> words{ownProgram(),    "--json",
                                         "--quiet",       "bench",
                                         "llm",           "--here",
                                         "--model",       options.model,
                                         "--compute",     computeType,
                                         "--device",      options.device,
                                         "--prompts",     std::to_string(options.prompts),
                                         "--candidates",  std::to_string(options.candidates),
                                         "--repetitions", std::to_string(options.repetitions)};
    CAROUSEL_ASSIGN(const ChildResult child, runChild(words, childSeconds));
    const json answered = json::parse(child.out, nullptr, false);
    if (!answered.is_object())
        return fail(ErrorKind::internal, "CL-9005",
                    fmt::format("The process that measures {} ended without an answer ({}).", computeType,
                                child.signal != 0 ? fmt::format("signal {}", child.signal) : fmt::format("exit code {}", child.exit)),
                    child.signal == 9 ? "The machine may be out of memory: close other programs, or measure fewer candidates."
                                      : "Please report this.");
    if (!answered.value("ok", false)) {
        const json error = answered.value("error", json::object());
        return fail(child.exit == exitCode(ErrorKind::usage) ? ErrorKind::usage : ErrorKind::input, error.value("code", "CL-9005"),
                    error.value("message", "no reason given"), error.value("hint", ""));
    }
    return answered.at("data");
}

// Per prompt, since the order is asked for within one user's candidates.
json agreement(const json& reference, const json& scores) {
    double spearman = 0, kendall = 0, kendallMin = 2, largest = 0;
    std::size_t counted = 0;
    for (std::size_t p = 0; p < reference.size(); ++p) {
        const auto a = reference[p].get<std::vector<double>>(), b = scores[p].get<std::vector<double>>();
        const RankAgreement each = rankAgreement(a, b);
        largest = std::max(largest, each.largestDifference);
        if (!std::isfinite(each.kendall) || !std::isfinite(each.spearman))
            continue;
        ++counted;
        spearman += each.spearman;
        kendall += each.kendall;
        kendallMin = std::min(kendallMin, each.kendall);
    }
    json out{{"prompts", counted}, {"largestDifference", largest}};
    if (counted > 0) {
        out["spearman"] = spearman / static_cast<double>(counted);
        out["kendall"] = kendall / static_cast<double>(counted);
        out["kendallMin"] = kendallMin;
    }
    return out;
}

double smallestCosine(const json& reference, const json& vectors) {
    double smallest = 1;
    for (std::size_t row = 0; row < reference.size(); ++row) {
        double sum = 0;
        for (std::size_t i = 0; i < reference[row].size(); ++i)
            sum += reference[row][i].get<double>() * vectors[row][i].get<double>();
        smallest = std::min(smallest, sum);
    }
    return smallest;
}

struct Column {
    std::string computeType;
    json measured;
};

void compare(std::vector<Column>& columns) {
    const auto reference = std::find_if(columns.begin(), columns.end(), [](const Column& c) { return c.computeType == "fp32"; });
    for (Column& column : columns) {
        if (reference != columns.end() && &column != &*reference) {
            if (column.measured.contains("scores"))
                column.measured["agreement"] = agreement(reference->measured.at("scores"), column.measured.at("scores"));
            else
                column.measured["smallestCosine"] = smallestCosine(reference->measured.at("vectors"), column.measured.at("vectors"));
        }
        for (const char* part : {"scoring", "prefill", "naive", "decode", "texts"})
            if (column.measured.contains(part))
                column.measured[part]["perSecond"] = described(spread(column.measured[part]));
    }
    for (Column& column : columns) { // thousands of numbers that have served
        column.measured.erase("scores");
        column.measured.erase("vectors");
    }
}

std::string table(const std::vector<Column>& columns) {
    std::vector<std::string> headings{"Measured"};
    for (const Column& column : columns)
        headings.push_back(">" + column.computeType);
    TextTable table(headings);
    const auto row = [&](const std::string& label, const char* key, const std::function<std::string(const json&)>& cell) {
        std::vector<std::string> cells{label};
        bool any = false;
        for (const Column& column : columns) {
            any = any || column.measured.contains(key);
            cells.push_back(column.measured.contains(key) ? cell(column.measured.at(key)) : "");
        }
        if (any)
            table.add(cells);
    };
    const auto speed = [](const json& sample) { return words(spread(sample)); };
    const auto seconds = [](const json& value) { return fmt::format("{:.2f}", value.get<double>()); };
    const auto bytes = [](const json& value) { return megabytes(value.get<std::int64_t>()); };
    row("candidates/s, prefix shared", "scoring", speed);
    row("candidates/s, a whole prompt for each", "naive", speed);
    row("prefill, tokens/s", "prefill", speed);
    row("decode, tokens/s", "decode", speed);
    row("texts/s", "texts", speed);
    row("libraries loaded in, s", "librarySeconds", seconds);
    row("model opened in, s", "openSeconds", seconds);
    row("from start of the program to the first score, s", "firstScoreSeconds", seconds);
    row("most memory while scoring", "scoringPeakBytes", bytes);
    row("most memory", "peakBytes", bytes);
    row("agreement with fp32: Spearman, mean of prompts", "agreement",
        [](const json& a) { return fmt::format("{:.4f}", a.value("spearman", NAN)); });
    row("  Kendall's tau-b, mean (lowest)", "agreement",
        [](const json& a) { return fmt::format("{:.4f} ({:.4f})", a.value("kendall", NAN), a.value("kendallMin", NAN)); });
    row("  largest difference of logits", "agreement",
        [](const json& a) { return fmt::format("{:.4f}", a.value("largestDifference", NAN)); });
    row("agreement with fp32: smallest cosine", "smallestCosine",
        [](const json& value) { return fmt::format("{:.5f}", value.get<double>()); });
    return table.text();
}

} // namespace

Result<Answer> benchFirstScore(Session& session, const BenchOptions& options) {
    OpenOptions open;
    open.computeType = options.computeTypes.size() == 1 ? options.computeTypes.front() : "auto";
    open.device = options.device;
    ModelHost host(open);
    const double started = secondsSinceProcessStart();
    CAROUSEL_TRY(host.place()); // loads the libraries
    const double before = secondsSinceProcessStart();
    CAROUSEL_ASSIGN(LanguageModel * model, host.languageModel(options.model));
    const double opened = secondsSinceProcessStart() - before;
    BenchmarkTaskOptions task;
    task.prompts = 1;
    task.candidates = 1;
    CAROUSEL_TRY(measureFirst(*model, task, session.control()));
    const double scored = secondsSinceProcessStart();
    Answer answer;
    answer.text = fmt::format(
        "{} in {}: started in {:.2f} s, libraries loaded in {:.2f} s, model opened in {:.2f} s, first score after {:.2f} s; most memory {}",
        options.model, model->info().computeType, started, before - started, opened, scored, megabytes(peakMemoryBytes()));
    answer.data = {{"computeType", model->info().computeType},
                   {"startSeconds", started},
                   {"librarySeconds", before - started},
                   {"openSeconds", opened},
                   {"firstScoreSeconds", scored},
                   {"peakBytes", peakMemoryBytes()}};
    return answer;
}

Result<Answer> benchHere(Session& session, const BenchOptions& options) {
    OpenOptions open;
    open.computeType = options.computeTypes.front();
    open.device = options.device;
    ModelHost host(open);
    const double started = secondsSinceProcessStart();
    CAROUSEL_TRY(host.place()); // loads the libraries
    const double before = secondsSinceProcessStart();
    CAROUSEL_ASSIGN(LanguageModel * model, host.languageModel(options.model));
    const double opened = secondsSinceProcessStart() - before;
    const RunControl control = session.control();
    CAROUSEL_ASSIGN(json measured,
                    model->info().canChat ? measureDecoder(*model, options, control) : measureEncoder(*model, options, control));
    measured["librarySeconds"] = before - started;
    measured["openSeconds"] = opened;
    measured["peakBytes"] = peakMemoryBytes();
    measured["modelBytes"] = model->info().memoryBytes;
    measured["computeType"] = model->info().computeType;
    measured["libraries"] = host.moduleDescription();
    Answer answer;
    answer.data = std::move(measured);
    answer.text = answer.data.dump(2);
    return answer;
}

Result<Answer> benchLanguageModel(Session& session, const BenchOptions& options) {
    if (!options.writeTask.empty())
        return writeTask(options);
    CAROUSEL_TRY(ModelShelf().resolve(options.model));
    Answer answer;
    std::vector<Column> columns;
    const RunControl control = session.control();
    for (const std::string& type : options.computeTypes) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("measuring"));
        session.say(fmt::format("Measuring {} in {}; minutes on two cores.", options.model, type));
        CAROUSEL_ASSIGN(json measured, measuredApart(options, type));
        const std::string used = measured.value("computeType", type);
        if (std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.computeType == used; })) {
            answer.warnings.push_back(fmt::format("{} is computed as {} here, which was measured already.", type, used));
            continue;
        }
        columns.push_back({used, std::move(measured)});
    }
    compare(columns);
    const json& first = columns.front().measured;
    answer.text = fmt::format("{} on {}, {} threads: {}\n", options.model, options.device, threadCount(), first.value("libraries", ""));
    if (first.contains("scoring"))
        answer.text +=
            fmt::format("{} prompts of {:.0f} tokens, of which {:.0f} are kept from the prompt before; {} candidates of {:.1f} tokens; "
                        "medians (smallest to largest)\n",
                        options.prompts, first["scoring"].value("prefixTokens", 0.0) + first["scoring"].value("cachedTokens", 0.0),
                        first["scoring"].value("cachedTokens", 0.0), options.candidates,
                        first["scoring"].value("branchTokens", 0.0) / options.candidates);
    else
        answer.text += fmt::format("{} texts of {:.1f} tokens; medians (smallest to largest) of {}\n", encoderTexts,
                                   first.value("tokensPerText", 0.0), options.repetitions);
    answer.text += table(columns);
    json list = json::array();
    for (const Column& column : columns)
        list.push_back(column.measured);
    answer.data = {{"model", options.model},     {"device", options.device},         {"threads", threadCount()},
                   {"prompts", options.prompts}, {"candidates", options.candidates}, {"computeTypes", list}};
    return answer;
}

} // namespace carousel::cli
