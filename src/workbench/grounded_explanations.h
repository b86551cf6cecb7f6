// SPDX-License-Identifier: GPL-3.0-or-later
// Explanations in words of what a run recommends, each checked against the facts, one at a time or over a sample.
#pragma once
#include "evaluation/metrics/ranking.h"
#include "experiment/statement_check.h"
#include "workbench/workbench.h"
#include <mutex>

namespace carousel {

struct GroundedExplanation {
    ExplanationFacts facts;
    std::string writer, model; // "plain" or "model"; model: empty for plain
    std::string prompt;        // what the model was asked; empty for plain
    std::string text;
    CheckedText checked;
    bool cut = false;          // the model's answer was ended by its limit
    bool fromCache = false;
    std::int64_t promptTokens = 0, generatedTokens = 0;
    double seconds = 0;        // of writing, without the check
};

// Of one writer over a sample of (user, item) pairs. An interval is a percentile bootstrap over the explanations (each of another user).
struct WriterFigures {
    std::string writer, model;
    int texts = 0;
    double share = 0;          // of texts with at least one unsupported statement
    Interval shareInterval;
    double unsupported = 0;    // statements per text
    Interval unsupportedInterval;
    double contradicted = 0;   // of these
    double statements = 0, supported = 0, noClaim = 0; // per text
    std::int64_t promptTokens = 0, generatedTokens = 0, cached = 0;
    double seconds = 0;
};
struct ExplanationSample {
    std::int64_t run = 0;
    std::uint64_t seed = 1;
    std::vector<WriterFigures> writers;          // plain, then the model
    std::vector<GroundedExplanation> worst;      // the model's texts with most unsupported statements, at most three
    std::string note;
};

// Explains runs of the workbench's open project. Keeps what the last run's explanations draw on; any thread may call, models serialise
// themselves. Answers of models come from and go to the project's cache, unless it is read-only. The workbench outlives this object.
class GroundedExplainer {
public:
    explicit GroundedExplainer(Workbench& bench) : m_bench(bench) {}

    // Options are those of explanationParameters(); the facts are those of the training part that the run learned from, and the run's own
    // reasons. CL-7014 no such user or item in the run; CL-3070; errors of the model, which computes on the CPU or is a server.
    Result<GroundedExplanation> explain(std::int64_t run, Code user, Code item, const Parameters& options, const RunControl& control);
    // `count` pairs of a user of the run and one of the first items in that user's carousel, each user once, told by both writers. CL-3071.
    Result<ExplanationSample> sample(std::int64_t run, int count, std::uint64_t seed, const Parameters& options, const RunControl& control);

private:
    struct Source;
    Result<Source> source(std::int64_t run, const RunControl& control);
    Workbench& m_bench;
    std::mutex m_mutex; // guards what follows
    std::string m_key;
    std::shared_ptr<const ExplanationGround> m_ground;
};

} // namespace carousel
