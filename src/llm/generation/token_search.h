// SPDX-License-Identifier: GPL-3.0-or-later
// How answers are found, whatever computes the logits: the most probable token each time, drawn tokens, or beams.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include "base/run_control.h"
#include "llm/generation/token_constraint.h"
#include "stages/language_model.h"
#include <functional>
#include <optional>

namespace carousel {

// Logits of the token that follows each of the answers begun (all after the same prompt): a row per answer, a column per token.
using NextLogits = std::function<Result<Matrix>(std::span<const std::vector<TokenId>> answers, const RunControl& control)>;

struct SearchTask {
    GenerateOptions options;
    std::vector<TokenId> ends;             // each of them ends an answer
    std::int64_t limit = 0;                // most tokens of an answer
    TokenConstraint* constraint = nullptr; // may be null
    std::function<std::string(TokenId)> bytesOf;
};
struct FoundAnswer {
    std::vector<TokenId> tokens; // without the end
    std::string text;            // up to the first stop text
    double logProbability = 0, score = 0;
    bool ended = false;                          // by an end token or a stop text; otherwise cut at the limit
    std::optional<TokenConstraint::State> state; // of the constraint, after the last token
};

// CL-2166: options that contradict each other or are out of range.
Result<void> checkOptions(const GenerateOptions& options);

// Best first (beams), or in the order drawn. Looks at `control` before every step. Errors: those of `next` and checkOptions; CL-2167: no
// token may follow; CL-2168: a logit that is no number.
//
// Beam search: of all continuations of the running beams, the best (1 + ends) x beams are looked at; ends among the first `beams` of them
// are kept, the others run on. It is over when no running beam can get a better score than the worst of `beams` kept ones even if all its
// further tokens were certain. Where a constraint lets only one token follow, what comes after it is asked for in the same call of `next`, as
// answers that begin with each other, up to 64 rows a call. Answers of the same text count once, with the better score. With a form that is
// not whole at the limit, a beam cut there is given only where no whole answer was found.
Result<std::vector<FoundAnswer>> searchAnswers(const NextLogits& next, const SearchTask& task, const RunControl& control);

} // namespace carousel
