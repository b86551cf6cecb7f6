// SPDX-License-Identifier: GPL-3.0-or-later
// How probable each answer is as the first token of a reply, read out of the shapes in which servers tell it. Everything is checked: a
// number that is not finite, positive or cut is a problem in words, never a score.
#pragma once
#include "base/result.h"
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace carousel::server {

struct TokenProbability {
    std::string text;
    std::optional<std::int64_t> id; // where the server tells it
    double logProbability = 0;      // <= 0
};

// The tokens to look for. Several forms of one answer (with and without a space) count together.
struct Label {
    std::vector<std::string> forms;
    std::optional<std::int64_t> id; // where the server tokenises; then it decides where the reply has ids too
};

struct LabelRead {
    std::vector<double> logProbability; // one per label; an upper bound where censored
    double mass = 0;                    // of the labels seen: a lower bound of their probability together
    bool censored = false;              // at least one label was not among those reported
    std::string problem;                // not empty: nothing of this can be used
    std::string best;                   // the most probable token, for messages
};

template <class T> using Read = tl::expected<T, std::string>;

// A finite number that is a log-probability; up to 1e-5 above 0 is rounding and becomes 0.
Read<double> logProbabilityIn(const nlohmann::json& value);
// The alternatives at the first token of a choice: chat shape (logprobs.content[0].top_logprobs[]) or legacy shape
// (logprobs.top_logprobs[0], an object by token text, "token_id:N" where ids were asked for).
Read<std::vector<TokenProbability>> firstTokenOf(const nlohmann::json& choice);
LabelRead labelsIn(const std::vector<TokenProbability>& top, const std::vector<Label>& labels);
// From probabilities under the full vocabulary (label endpoints); 0 is too small to be told and becomes a bound.
LabelRead labelsFromProbabilities(const std::vector<double>& probabilities);

// The choices of a reply in the order of their prompts: the set of indices is exactly 0 .. wanted-1, each finished with "stop" or "length".
Read<std::vector<const nlohmann::json*>> choicesOf(const nlohmann::json& reply, std::size_t wanted);

double logSumExp(const std::vector<double>& values); // of finite values; -inf of none

} // namespace carousel::server
