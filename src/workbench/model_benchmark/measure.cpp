// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/model_benchmark/measure.h"
#include <chrono>
#include <ctime>
#include <fstream>
#include <numeric>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace carousel {

namespace {

class Clock {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count(); }

private:
    std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
};

std::vector<double> firstLessSecond(const Matrix& logits) {
    std::vector<double> out;
    for (std::size_t row = 0; row < logits.rows; ++row)
        out.push_back(static_cast<double>(logits.row(row)[0]) - static_cast<double>(logits.row(row)[1]));
    return out;
}

} // namespace

std::vector<double> SpeedSample::perSecond() const {
    std::vector<double> out;
    for (const double each : seconds)
        out.push_back(units / each);
    return out;
}

Result<void> measureFirst(LanguageModel& model, BenchmarkTaskOptions options, const RunControl& control) {
    if (!model.info().canChat) {
        CAROUSEL_TRY(model.embed(benchmarkTexts(1), Pooling::mean, control));
        return {};
    }
    options.prompts = 1;
    options.candidates = 1;
    const auto prompts = benchmarkPrompts(options, [&](const std::string& text) { return model.countTokens(text); });
    CAROUSEL_TRY(model.scoreBranches(prompts.front(), control));
    return {};
}

Result<ScoringMeasure> measureScoring(LanguageModel& model, const std::vector<BranchRequest>& prompts, const RunControl& control) {
    ScoringMeasure out;
    if (prompts.empty())
        return out;
    CAROUSEL_TRY(model.scoreBranches(prompts.front(), control));
    CAROUSEL_TRY(model.scoreBranches(prompts.back(), control)); // so that the first prompt's own prefix is not what was computed last
    const double count = static_cast<double>(prompts.size());
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const Clock clock;
        CAROUSEL_ASSIGN(const BranchScores scores, model.scoreBranches(prompts[i], control));
        out.speed.seconds.push_back(clock.seconds());
        out.speed.units += static_cast<double>(prompts[i].branches.size()) / count;
        out.scores.push_back(firstLessSecond(scores.logits));
        out.prefixTokens += static_cast<double>(scores.prefixTokens) / count;
        out.branchTokens += static_cast<double>(scores.branchTokens) / count;
        out.cachedTokens += static_cast<double>(scores.cachedTokens) / count;
        control.report("Scoring", static_cast<double>(i + 1), count, "prompts");
    }
    return out;
}

Result<SpeedSample> measureNaive(LanguageModel& model, const std::vector<BranchRequest>& prompts, int repetitions,
                                 const RunControl& control) {
    SpeedSample out;
    out.units = 1;
    for (int i = 0; i < repetitions && !prompts.empty(); ++i) {
        BranchRequest whole = prompts[static_cast<std::size_t>(i) % prompts.size()];
        std::string& text = whole.shared.back().content;
        // Another beginning each time, so that nothing of the prompt before is reused.
        text = fmt::format("{}. {}{}", i + 1, text, whole.branches.at(static_cast<std::size_t>(i) % whole.branches.size()));
        whole.branches = {""};
        const Clock clock;
        CAROUSEL_TRY(model.scoreBranches(whole, control));
        out.seconds.push_back(clock.seconds());
    }
    return out;
}

Result<SpeedSample> measurePrefill(LanguageModel& model, std::int64_t tokens, int repetitions, const RunControl& control) {
    SpeedSample out;
    for (int i = -1; i < repetitions; ++i) { // the first one warms up
        BenchmarkTaskOptions options;
        options.prompts = 1;
        options.candidates = 1;
        options.historyTokens = tokens;
        options.seed = static_cast<std::uint64_t>(1000 + i);
        const std::vector<BranchRequest> prompts =
            benchmarkPrompts(options, [&](const std::string& text) { return model.countTokens(text); });
        const Clock clock;
        CAROUSEL_ASSIGN(const BranchScores scores, model.scoreBranches(prompts.front(), control));
        if (i < 0)
            continue;
        out.seconds.push_back(clock.seconds());
        out.units += static_cast<double>(scores.prefixTokens + scores.branchTokens) / repetitions;
    }
    return out;
}

Result<SpeedSample> measureDecode(LanguageModel& model, const BranchRequest& prompt, int tokens, int repetitions,
                                  const RunControl& control) {
    std::vector<ChatMessage> messages = prompt.shared;
    messages.back().content +=
        " name as many films as you can that this viewer may like, one on each line, each with its year, kind and story.";
    GenerateOptions options;
    options.maximumTokens = 1;
    CAROUSEL_TRY(model.generate(messages, options, control)); // the prompt stays computed
    SpeedSample out;
    for (int i = 0; i < repetitions; ++i) {
        options.maximumTokens = 1;
        const Clock before;
        CAROUSEL_ASSIGN(const Generated one, model.generate(messages, options, control));
        const double first = before.seconds();
        options.maximumTokens = tokens + 1;
        const Clock clock;
        CAROUSEL_ASSIGN(const Generated all, model.generate(messages, options, control));
        const auto more = all.generatedTokens - one.generatedTokens;
        if (more < 8)
            return fail(
                ErrorKind::input, "CL-2110",
                fmt::format("{} ended its answer after {} tokens; decoding is timed on at least 8", model.info().id, all.generatedTokens),
                "use another model");
        out.seconds.push_back((clock.seconds() - first) * tokens / static_cast<double>(more)); // the answer may have ended early
        out.units = tokens;
        control.report("Writing", i + 1, repetitions, "answers");
    }
    return out;
}

Result<EmbeddingMeasure> measureEmbedding(LanguageModel& model, const std::vector<std::string>& texts, int repetitions,
                                          const RunControl& control) {
    EmbeddingMeasure out;
    out.speed.units = static_cast<double>(texts.size());
    for (int i = -1; i < repetitions; ++i) { // the first one warms up
        const Clock clock;
        CAROUSEL_ASSIGN(out.vectors, model.embed(texts, Pooling::mean, control));
        if (i >= 0)
            out.speed.seconds.push_back(clock.seconds());
    }
    return out;
}

std::int64_t peakMemoryBytes() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<std::int64_t>(used.ru_maxrss) * 1024;
}

double secondsSinceProcessStart() {
    std::ifstream file("/proc/self/stat"); // see proc(5): the fields after the name's closing parenthesis, starttime is the 22nd of all
    std::string text;
    std::getline(file, text);
    std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    std::string field;
    for (int i = 3; i <= 22; ++i)
        fields >> field;
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const double started = std::strtod(field.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 - started;
}

} // namespace carousel
