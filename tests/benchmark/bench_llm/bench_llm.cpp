// SPDX-License-Identifier: GPL-3.0-or-later
// This program as an engine for bench_llm.py: opens a model, then does what lines on stdin say and answers each with one JSON object.
//
//   bench_llm MODEL COMPUTE [DEVICE]
//     task PROMPTS CANDIDATES | score P | naive P | prefill TOKENS | decode P TOKENS | embed [vectors]
// `score` is the plugins' own call: texts in, tokenised within the time. The peers get token ids.
#include "base/paths.h"
#include "llm/model_host.h"
#include "workbench/model_benchmark/measure.h"
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace carousel;
using nlohmann::json;

namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Engine {
public:
    explicit Engine(LanguageModel& model) : m_model(model) {}

    Result<json> answer(const std::string& line) {
        std::istringstream in(line);
        std::string command, word;
        std::size_t number = 0;
        in >> command;
        if (command == "embed")
            return embed(static_cast<bool>(in >> word));
        in >> number;
        if (command == "task")
            return task(static_cast<int>(number), in);
        if (command == "prefill")
            return timed(measurePrefill(m_model, static_cast<std::int64_t>(number), 1, {}));
        if (number >= m_prompts.size())
            return fail(ErrorKind::usage, "CL-3000", "No such prompt: " + line);
        if (command == "score")
            return score(m_prompts[number]);
        if (command == "naive")
            return timed(measureNaive(m_model, {m_prompts[number]}, 1, {}));
        int tokens = 0;
        if (command == "decode" && in >> tokens)
            return timed(measureDecode(m_model, m_prompts[number], tokens, 1, {}));
        return fail(ErrorKind::usage, "CL-3000", "Unknown command: " + line);
    }

private:
    static Result<json> timed(const Result<SpeedSample>& sample) {
        if (!sample)
            return fail(sample.error());
        return json{{"seconds", sample->seconds.front()}, {"units", sample->units}};
    }
    Result<json> task(int prompts, std::istream& in) {
        BenchmarkTaskOptions options;
        options.prompts = prompts;
        in >> options.candidates;
        m_prompts = benchmarkPrompts(options, [&](const std::string& text) { return m_model.countTokens(text); });
        return json::object();
    }
    Result<json> score(const BranchRequest& prompt) {
        const double begin = now();
        CAROUSEL_ASSIGN(const BranchScores scores, m_model.scoreBranches(prompt, {}));
        json out{{"seconds", now() - begin},
                 {"prefixTokens", scores.prefixTokens},
                 {"branchTokens", scores.branchTokens},
                 {"cachedTokens", scores.cachedTokens}};
        for (std::size_t i = 0; i < scores.logits.rows; ++i)
            out["scores"].push_back(static_cast<double>(scores.logits.row(i)[0]) - static_cast<double>(scores.logits.row(i)[1]));
        return out;
    }
    Result<json> embed(bool withVectors) {
        const std::vector<std::string> texts = benchmarkTexts(1000);
        const double begin = now();
        CAROUSEL_ASSIGN(const Matrix vectors, m_model.embed(texts, Pooling::mean, {}));
        json out{{"seconds", now() - begin}};
        for (std::size_t i = 0; withVectors && i < vectors.rows; ++i)
            out["vectors"].push_back(std::vector<float>(vectors.row(i).begin(), vectors.row(i).end()));
        return out;
    }

    LanguageModel& m_model;
    std::vector<BranchRequest> m_prompts;
};

int failed(const Error& error) {
    std::fprintf(stderr, "bench_llm: %s\n", describe(error).c_str());
    return exitCode(error.kind);
}

} // namespace

int main(int count, char** arguments) {
    if (count < 3)
        return failed({ErrorKind::usage, "CL-3000", "A model and a compute type are needed.", "bench_llm MODEL COMPUTE [DEVICE]"});
    OpenOptions options;
    options.computeType = arguments[2];
    options.device = count > 3 ? arguments[3] : "cpu";
    ModelHost host(options, ModelShelf(), programFolder() + "/../lib");
    const double begin = now();
    const auto model = host.languageModel(arguments[1]);
    if (!model)
        return failed(model.error());
    std::cout << json{{"seconds", now() - begin}, {"versions", host.moduleDescription()}, {"computeType", (*model)->info().computeType}}
              << std::endl;
    Engine engine(**model);
    for (std::string line; std::getline(std::cin, line);) {
        auto answer = engine.answer(line);
        if (!answer)
            return failed(answer.error());
        (*answer)["peakBytes"] = peakMemoryBytes();
        std::cout << *answer << std::endl;
    }
    return 0;
}
