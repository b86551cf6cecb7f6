// SPDX-License-Identifier: GPL-3.0-or-later
// What a stage may ask of a language model, whatever runs it (embedded, server). Given by the host through StageEnvironment.
// Thread rule: calls may come from any thread; an implementation serialises them itself.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include "base/run_control.h"
#include "stages/score_status.h"
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct ChatMessage {
    std::string role;    // "system", "user", "assistant"
    std::string content; // plain text: control tokens inside it are ordinary characters
};

struct ModelInfo {
    std::string id;           // "smollm2-135m-instruct", "all-minilm-l6-v2"
    std::string title, architecture, licence, file, sha256, format, computeType, device;
    std::int64_t parameters = 0, contextLength = 0, fileBytes = 0, memoryBytes = 0; // memory: of the weights as they are held
    std::int64_t workingBytes = 0; // most that a call needs beyond, with the longest prompt; 0: not known
    int width = 0;            // hidden size
    bool canChat = false, canEmbed = false;
};

enum class Pooling { mean, last };

// One branch's answer, as it is handed on while the others are still computed.
struct BranchAnswer {
    std::vector<float> logits;          // one per answer; finite when status is ok or truncated
    float answerMass = 0;               // 0..1
    ScoreStatus status = ScoreStatus::ok; // missing: nothing usable came; the logits are NaN and `reason` says why
    bool censored = false;              // a logit is an upper bound: the answer was not among those that were reported
    std::string reason;
};
using BranchSink = std::function<Result<void>(std::size_t branch, const BranchAnswer& answer)>;

// Prefix-shared scoring. The prompt is `shared` (its last message open), then one branch, then `tail`, then the model's own end of turn
// and start of the assistant's; one prompt per branch, the shared part computed once.
struct BranchRequest {
    std::vector<ChatMessage> shared;    // the last one is continued by the branch
    std::vector<std::string> branches;
    std::string tail;
    std::vector<std::string> answers;   // each stands for its first token after the assistant's start, e.g. "Yes", "No"
    std::vector<std::string> answerForms; // not used by the model; part of the cache key for callers that need it
    // A model whose answers cost money calls it with each answer before it takes the next, so that what was paid is kept whatever happens
    // later; an error from it ends the call. Others may ignore it.
    BranchSink whenAnswered;
    // Prompt positions that hold a vector in place of a token's embedding: each character U+FFFC of the last shared message stands for the
    // next row of `injected`, each one of branch i and the tail behind it for the next row of injectedOfBranch[i]; rows are as wide as the
    // model. With both empty U+FFFC is an ordinary character. Embedded decoders alone take vectors, the others answer CL-2095; CL-2096
    // where rows and places differ in number or a row is of another width or not finite.
    Matrix injected;
    std::vector<Matrix> injectedOfBranch; // empty, or one per branch
    bool injects() const { return !injected.empty() || !injectedOfBranch.empty(); }
};
inline constexpr const char* injectedMark = "\xEF\xBF\xBC"; // U+FFFC, the object replacement character
struct BranchScores {
    Matrix logits;                      // branches x answers: logit of each answer's token
    std::vector<float> answerMass;      // per branch: probability of all answers together under the full vocabulary, 0..1
    std::int64_t prefixTokens = 0, branchTokens = 0, cachedTokens = 0; // computed; reused from the prefix
    std::vector<std::uint8_t> truncated; // per branch: 1 when the prompt did not fit the context and the oldest part was cut
    // For models that can fail on one branch alone (servers). Empty: every branch is ok, none is censored.
    std::vector<ScoreStatus> status;     // missing: logits and mass are NaN, never a number that could be taken for an answer
    std::vector<std::uint8_t> censored;  // 1: a logit is an upper bound, see BranchAnswer
    std::vector<std::string> reasons;    // why a branch is not ok; empty text where it is
    std::int64_t calls = 1;              // requests that this took (more than one where a server takes one prompt a request)

    bool missing(std::size_t branch) const { return branch < status.size() && (status[branch] == ScoreStatus::missing || status[branch] == ScoreStatus::invalid); }
};

struct ContinuationRequest {
    std::vector<ChatMessage> messages;  // ends with a user message (the assistant's turn is opened) or an open assistant message
    std::vector<std::string> continuations;
};
struct ContinuationScores {
    std::vector<double> logProbability; // natural log, sum over the tokens of each continuation
    std::vector<int> tokens;            // tokens of each continuation
    std::int64_t promptTokens = 0, cachedTokens = 0;
};

// How an answer is written. The seed and the options decide it; onText only listens.
struct GenerateOptions {
    int maximumTokens = 64;
    double temperature = 0; // 0: the most probable token; otherwise > 0: tokens are drawn
    double topP = 1;        // drawn among the fewest most probable tokens that together reach this, 0 < topP <= 1
    std::uint64_t seed = 1;
    std::vector<std::string> stop; // the answer ends before the first of these, wherever token borders lie
    int topK = 0;                  // drawn among so many most probable tokens; 0: all
    // Logits of tokens that the answer has already are divided by this where positive and multiplied where negative (Keskar et al. 2019,
    // section 4.1, without the prompt); 1: as they are. Log-probabilities are those after it.
    double repetitionPenalty = 1;
    int beams = 1;            // > 1: beam search, at temperature 0 only
    int sequences = 1;        // answers wanted: the best of the beams, or so many drawn; at temperature 0 at most `beams`
    double lengthPenalty = 1; // beams are ordered by log-probability / tokens^lengthPenalty, the end counted as a token; 0: by the sum
    std::vector<std::string> oneOf; // not empty: every answer is exactly one of these texts; those of beams differ from each other
    std::string grammar;            // not empty: every whole answer matches this grammar (llm/generation/grammar.h); not with oneOf
    // Called while the (single) answer is written, with the next whole characters; all calls joined are its text. Not part of a cache key.
    std::function<void(std::string_view)> onText;
};
struct GeneratedSequence {
    std::string text;
    double logProbability = 0; // natural log, over the whole vocabulary at temperature 1, the end included where it was written
    double score = 0;          // what beams are ordered by
    int tokens = 0;            // without the end
    bool reachedLimit = false; // cut at maximumTokens: with a grammar the text is the beginning of a match
};
struct Generated {
    std::string text;                                   // of the first sequence
    std::int64_t promptTokens = 0, generatedTokens = 0; // generated: of all sequences
    bool reachedLimit = false;                          // of the first sequence
    std::vector<GeneratedSequence> sequences; // best first, or in the order drawn; at most `sequences`, fewer when there are no more
};

// Vectors for heads that are trained on top of the model. The prompts are those of a BranchRequest.
struct HiddenRequest {
    std::vector<ChatMessage> shared; // the last one is continued by the branch
    std::vector<std::string> branches;
    std::string tail;
    Pooling pooling =
        Pooling::last; // last: after the start of the assistant's turn, what the answer's logits are made of; mean: over branch and tail
};
struct HiddenVectors {
    Matrix rows;                         // branches x width, after the final norm, not normalised
    std::vector<std::uint8_t> truncated; // per branch, as in BranchScores
    std::int64_t prefixTokens = 0, branchTokens = 0, cachedTokens = 0;
};

class LanguageModel {
public:
    virtual ~LanguageModel() = default;
    virtual const ModelInfo& info() const = 0;
    virtual Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) = 0; // rows: texts; L2-normalised
    virtual Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) = 0;
    // Several users at once: one answer per request, the same values as one call each. A model that shares what the prompts have in common
    // (instruction, history) computes it once; the token counts of a request then tell what it added. This one asks one after the other.
    virtual Result<std::vector<BranchScores>> scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control);
    virtual Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) = 0;
    virtual Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl& control) = 0;
    // CL-2094 where a model has none to give.
    virtual Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) {
        (void)request, (void)control;
        return fail(ErrorKind::usage, "CL-2094", fmt::format("{} gives no hidden states", info().id),
                    "choose an embedded chat model such as smollm2-135m-instruct");
    }
    // Per text the mean of the input embeddings of its tokens, as a prompt holds them (texts x width, not normalised; 0 for an empty text).
    // CL-2097 where a model has none to give.
    virtual Result<Matrix> tokenEmbeddings(const std::vector<std::string>& texts, const RunControl& control) {
        (void)texts, (void)control;
        return fail(ErrorKind::usage, "CL-2097", fmt::format("{} gives no embeddings of single tokens", info().id),
                    "choose an embedded chat model such as smollm2-135m-instruct");
    }
    virtual std::int64_t countTokens(const std::string& text) const = 0; // an estimate where the model is elsewhere
    // What a run's provenance should say beyond info(): a JSON object, or empty. A server tells its card, its calls, tokens and cost.
    virtual std::string facts() const { return {}; }
};

inline Result<std::vector<BranchScores>> LanguageModel::scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) {
    std::vector<BranchScores> out;
    for (const BranchRequest& request : requests) {
        CAROUSEL_ASSIGN(BranchScores scores, scoreBranches(request, control));
        out.push_back(std::move(scores));
    }
    return out;
}

// For models that cannot take vectors: what they answer to a request that brings some.
inline Result<void> refuseInjected(const BranchRequest& request, const ModelInfo& model) {
    if (!request.injects())
        return {};
    return fail(ErrorKind::usage, "CL-2095", fmt::format("{} takes text alone, not vectors inside the prompt", model.id),
                "choose an embedded chat model such as smollm2-135m-instruct");
}

// Answers by content, kept across runs: key -> bytes. Both may be called from any thread.
class CompletionCache {
public:
    virtual ~CompletionCache() = default;
    virtual std::map<std::string, std::string> find(const std::vector<std::string>& keys) = 0; // those present
    virtual Result<void> store(const std::map<std::string, std::string>& answers) = 0;
};

} // namespace carousel
