// SPDX-License-Identifier: GPL-3.0-or-later
// The four places of a pipeline and the environment they work in. Plain floats and UTF-8: no Qt, no tensors, no widgets.
// Life of a stage: create(parameters, environment) -> fit/build/encode once -> const members from many threads.
#pragma once
#include "base/parameters.h"
#include "data/split.h"
#include "stages/language_model.h"
#include "stages/score_status.h"
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace carousel {

enum class StageKind { feature, encoder, scorer, controller };
const char* name(StageKind kind); // "feature", "encoder", "scorer", "controller"

// ---- environment --------------------------------------------------------------------------------------------------------------------
struct Cost {
    std::int64_t modelCalls = 0, promptTokens = 0, sharedTokens = 0, generatedTokens = 0, cacheHits = 0, cacheMisses = 0, scoredCandidates = 0;
    double modelSeconds = 0, seconds = 0;
    Cost& operator+=(const Cost& other);
    Cost operator-(const Cost& other) const;
    bool operator==(const Cost&) const = default;
};
class CostMeter { // safe from any thread
public:
    void add(const Cost& cost);
    Cost total() const;

private:
    mutable std::mutex m_mutex;
    Cost m_total;
};

struct TraceEntry {
    std::string stage, step; // "controller", "plan"
    std::string detail;      // JSON text: what went in, what came out
};
// Collects what happened for one request; not shared between threads.
class Trace {
public:
    void add(std::string stage, std::string step, std::string detailJson) {
        m_entries.push_back({std::move(stage), std::move(step), std::move(detailJson)});
    }
    const std::vector<TraceEntry>& entries() const { return m_entries; }

private:
    std::vector<TraceEntry> m_entries;
};

class Scorer;

struct StageEnvironment {
    // Loads on first use; error CL-2xxx with the reason when the model is not there. Never null on success; owned by the host.
    std::function<Result<LanguageModel*>(const std::string& modelId)> languageModel;
    CompletionCache* cache = nullptr; // may be null
    CostMeter* cost = nullptr;        // never null during a run
    std::uint64_t seed = 1;
    std::string device = "cpu";
    // Makes another scorer with its default parameters, for scorers that are built on scorers; the asker fits it. See plainScorers() in
    // stages/plugin.h. Empty where none are offered, and in the environment of scorers so made: they do not nest.
    std::function<Result<std::unique_ptr<Scorer>>(const std::string& plugin)> plainScorer;
    // Makes any scorer, one with a language model or a retriever too, with its defaults but for `set`: for scorers that learn from another
    // one's answers. The asker fits it, and gives it candidates and retriever scores. See otherScorers(). Empty where none are offered.
    std::function<Result<std::unique_ptr<Scorer>>(const std::string& plugin, const Parameters& set)> otherScorer;
};

// ---- what flows between the places ---------------------------------------------------------------------------------------------------
struct Tag {
    std::string name;
    float confidence = 1; // 0..1
};
struct FeatureTable {
    std::vector<std::string> itemText;           // per item; what encoders embed and prompts show
    std::vector<std::vector<Tag>> itemTags;      // per item, may be empty as a whole
    std::vector<ScoreStatus> itemStatus;         // per item; empty: all ok
    std::vector<std::string> notes;              // shown in the run
};

struct EmbeddingTable {
    Matrix items;                // items x width; empty when the encoder gives none
    bool trainable = false;      // true: the values are a start and the scorer learns them (one_hot_embedding)
    std::string description;     // "384 wide, mean pooling, L2-normalised"
    std::vector<std::string> notes;
};

struct FitInput {
    const TrainingView& training;
    const FeatureTable& features;
    const EmbeddingTable& embeddings;
};

struct ScoreRequest {
    Code user = noCode;
    std::span<const Code> candidates;
    const TrainingView& training;
    // The retriever's score of each candidate when the scorer has a retriever(); else empty. For scorers that blend with it.
    std::span<const float> retrieverScores = {};
};

struct ScoredItem {
    Code item = noCode;
    float score = 0;
    ScoreStatus status = ScoreStatus::ok;
    bool operator==(const ScoredItem&) const = default;
};
// An ordered carousel. `rank score` falls along the list; equal neighbours are ties (metrics take the mean over their orders).
struct Slate {
    std::vector<ScoredItem> items;    // the whole ordering of the candidates, best first
    std::vector<float> rankScore;     // same length
    bool fallback = false;            // the controller could not do what was asked and used its rule
    std::string note;
};

// ---- the four interfaces -------------------------------------------------------------------------------------------------------------
class FeatureBuilder {
public:
    virtual ~FeatureBuilder() = default;
    virtual Result<FeatureTable> build(const TrainingView& training, const RunControl& control) = 0;
};

class Encoder {
public:
    virtual ~Encoder() = default;
    virtual Result<EmbeddingTable> encode(const FeatureTable& features, const TrainingView& training, const RunControl& control) = 0;
};

struct RetrieverChoice {
    std::string plugin;   // id of a scorer that is cheap over the whole catalogue
    int count = 50;
};

class Scorer {
public:
    virtual ~Scorer() = default;
    virtual Result<void> fit(const FitInput& input, const RunControl& control) = 0;
    // scores.size() == status.size() == request.candidates.size(); higher is better; every score with status ok is finite. Order of the
    // candidates must not matter. Called from several threads unless oneAtATime().
    virtual Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status, const RunControl& control) const = 0;
    // Set when scoring the whole catalogue would be too dear: the host fits this other scorer and passes on only its best `count`.
    virtual std::optional<RetrieverChoice> retriever() const { return std::nullopt; }
    virtual bool oneAtATime() const { return false; } // true for scorers that batch inside (language models)
    // After fit(): what people must know about it (what was learned from what, what the data could not support); shown in the run.
    virtual std::vector<std::string> notes() const { return {}; }
    // JSON for "why is this item here"; empty when there is nothing to say.
    virtual std::string explain(const ScoreRequest&, Code /*item*/) const { return {}; }
};

// What a controller may do for one request. Given by the host; every step is traced and timed.
class ComposeTools {
public:
    virtual ~ComposeTools() = default;
    virtual Code user() const = 0;
    virtual const TrainingView& training() const = 0;
    virtual const FeatureTable& features() const = 0;
    virtual const EmbeddingTable& embeddings() const = 0; // may be empty
    // The strategy's own candidates: the whole catalogue without seen items, or the scorer's retriever's best, best first.
    virtual Result<std::vector<ScoredItem>> candidates() = 0;
    // Best `count` unseen items of another scorer, one of those the controller named in retrievers().
    virtual Result<std::vector<ScoredItem>> retrieve(const std::string& scorerPlugin, int count) = 0;
    virtual Result<std::vector<ScoredItem>> score(std::span<const Code> items) = 0; // by the strategy's scorer, same order as given
    // The remaining unseen catalogue in the retriever's order, for a complete ranking behind what the controller chose.
    virtual Result<std::vector<ScoredItem>> remainder(std::span<const Code> chosen) = 0;
    virtual Trace& trace() = 0;
};

class Controller {
public:
    virtual ~Controller() = default;
    virtual std::vector<std::string> retrievers() const { return {}; } // scorer plugins it wants fitted
    virtual Result<Slate> compose(ComposeTools& tools, const RunControl& control) const = 0;
};

} // namespace carousel
