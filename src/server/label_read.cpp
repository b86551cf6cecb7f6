// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/label_read.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel::server {

using nlohmann::json;

namespace {

tl::unexpected<std::string> unusable(std::string why) {
    return tl::unexpected<std::string>(std::move(why));
}

// "this small or smaller": the least positive float, so that a probability printed as 0 has a bound whatever type the server computes in.
const double tinyLogProbability = std::log(static_cast<double>(std::numeric_limits<float>::min()));

// Some servers write -9999 for minus infinity.
constexpr double floorLogProbability = -1000;

std::optional<std::int64_t> idInText(const std::string& text) {
    constexpr std::string_view prefix = "token_id:";
    if (!startsWith(text, prefix))
        return std::nullopt;
    return parseInteger(std::string_view(text).substr(prefix.size()));
}

Read<TokenProbability> tokenIn(const json& entry) {
    if (!entry.is_object() || !entry.contains("token") || !entry["token"].is_string() || !entry.contains("logprob"))
        return unusable("a token of logprobs has no text or no logprob");
    TokenProbability out;
    out.text = entry["token"].get<std::string>();
    auto value = logProbabilityIn(entry["logprob"]);
    if (!value)
        return unusable(value.error());
    out.logProbability = *value;
    out.id = idInText(out.text);
    if (entry.contains("id") && entry["id"].is_number_integer())
        out.id = entry["id"].get<std::int64_t>();
    return out;
}

} // namespace

double logSumExp(const std::vector<double>& values) {
    if (values.empty())
        return -std::numeric_limits<double>::infinity();
    const double top = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (const double value : values)
        sum += std::exp(value - top);
    return top + std::log(sum);
}

Read<double> logProbabilityIn(const json& value) {
    if (!value.is_number())
        return unusable(fmt::format("a log-probability is {}", value.is_null() ? "null" : "not a number"));
    const double number = value.get<double>();
    if (!std::isfinite(number) || number > 1e-5)
        return unusable(fmt::format("a log-probability is {}, which is above 0 or not finite", number));
    return std::min(number, 0.0);
}

Read<std::vector<TokenProbability>> firstTokenOf(const json& choice) {
    const auto logprobs = choice.find("logprobs");
    if (logprobs == choice.end() || !logprobs->is_object())
        return unusable("the reply has no logprobs");
    std::vector<TokenProbability> out;
    if (const auto content = logprobs->find("content"); content != logprobs->end() && content->is_array()) {
        if (content->empty() || !(*content)[0].is_object())
            return unusable("logprobs tells of no token");
        const json& first = (*content)[0];
        auto own = tokenIn(first);
        if (!own)
            return unusable(own.error());
        if (const auto top = first.find("top_logprobs"); top != first.end() && top->is_array())
            for (const auto& entry : *top) {
                auto token = tokenIn(entry);
                if (!token)
                    return unusable(token.error());
                out.push_back(std::move(*token));
            }
        // The token itself can stand outside the list when fewer alternatives than asked for are told.
        if (std::none_of(out.begin(), out.end(), [&](const auto& token) { return token.text == own->text; }))
            out.push_back(std::move(*own));
    } else if (const auto top = logprobs->find("top_logprobs"); top != logprobs->end() && top->is_array()) {
        if (top->empty() || !(*top)[0].is_object())
            return unusable("logprobs tells of no token");
        for (const auto& [text, value] : (*top)[0].items()) {
            auto number = logProbabilityIn(value);
            if (!number)
                return unusable(number.error());
            out.push_back({text, idInText(text), *number});
        }
    } else {
        return unusable("logprobs has a shape that is not known");
    }
    if (out.empty())
        return unusable("logprobs tells of no token");
    double sum = 0;
    for (const auto& token : out)
        sum += std::exp(token.logProbability);
    if (sum > 1.01)
        return unusable(fmt::format("the probabilities of the first token sum to {:.3g}, more than 1", sum));
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.logProbability > b.logProbability; });
    return out;
}

LabelRead labelsIn(const std::vector<TokenProbability>& top, const std::vector<Label>& labels) {
    LabelRead out;
    out.best = top.front().text;
    const double least = std::max(top.back().logProbability, floorLogProbability);
    std::size_t seen = 0;
    for (const auto& label : labels) {
        std::vector<double> found;
        for (const auto& token : top) {
            const bool same = label.id && token.id ? *label.id == *token.id
                                                   : std::find(label.forms.begin(), label.forms.end(), token.text) != label.forms.end();
            if (same && token.logProbability > floorLogProbability)
                found.push_back(token.logProbability);
        }
        if (found.empty()) {
            out.logProbability.push_back(least);
            out.censored = true;
            continue;
        }
        ++seen;
        out.logProbability.push_back(logSumExp(found));
        out.mass += std::exp(out.logProbability.back());
    }
    if (out.mass > 1.01)
        out.problem = fmt::format("the probabilities of the answers sum to {:.3g}, more than 1", out.mass);
    out.mass = std::min(out.mass, 1.0);
    if (seen == 0)
        out.problem = fmt::format("none of the answers is among the {} most probable tokens; the model would say {}", top.size(),
                                  quotedForMessage(out.best, 40));
    return out;
}

LabelRead labelsFromProbabilities(const std::vector<double>& probabilities) {
    LabelRead out;
    double sum = 0;
    for (const double p : probabilities) {
        if (!std::isfinite(p) || p < 0 || p > 1 + 1e-5) {
            out.problem = fmt::format("a probability is {}, which does not lie between 0 and 1", p);
            return out;
        }
        sum += p;
        out.censored = out.censored || p == 0;
        out.logProbability.push_back(p > 0 ? std::min(std::log(p), 0.0) : tinyLogProbability);
    }
    if (sum > 1.01)
        out.problem = fmt::format("the probabilities of the answers sum to {:.3g}, more than 1", sum);
    else if (sum == 0)
        out.problem = "every answer has probability 0";
    out.mass = std::min(sum, 1.0);
    return out;
}

Read<std::vector<const json*>> choicesOf(const json& reply, std::size_t wanted) {
    const auto choices = reply.is_object() ? reply.find("choices") : reply.end();
    if (!reply.is_object() || choices == reply.end() || !choices->is_array())
        return unusable("the reply has no choices");
    if (choices->size() != wanted)
        return unusable(fmt::format("the reply has {} choices for {} prompts", choices->size(), wanted));
    std::vector<const json*> out(wanted, nullptr);
    for (const auto& choice : *choices) {
        if (!choice.is_object())
            return unusable("a choice is not an object");
        const auto index = choice.find("index");
        if (index == choice.end() || !index->is_number_integer())
            return unusable("a choice has no index");
        const auto at = index->get<std::int64_t>();
        if (at < 0 || at >= static_cast<std::int64_t>(wanted))
            return unusable(fmt::format("a choice has index {}, but there are {} prompts", at, wanted));
        if (out[static_cast<std::size_t>(at)])
            return unusable(fmt::format("two choices have index {}", at));
        out[static_cast<std::size_t>(at)] = &choice;
        const auto finish = choice.find("finish_reason");
        if (finish == choice.end() || !finish->is_string() || (*finish != "stop" && *finish != "length"))
            return unusable(fmt::format("choice {} ended with {}", at,
                                        finish == choice.end()
                                            ? "no finish_reason"
                                            : quotedForMessage(finish->dump(-1, ' ', false, json::error_handler_t::replace), 40)));
    }
    return out;
}

} // namespace carousel::server
