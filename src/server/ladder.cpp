// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/ladder.h"
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

json idsOf(const std::vector<Label>& labels) {
    json out = json::array();
    for (const auto& label : labels)
        out.push_back(*label.id);
    return out;
}

std::string dumped(const json& body) {
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

Read<std::vector<std::int64_t>> tokensIn(const json& reply) {
    const json* list = &reply;
    if (reply.is_object()) {
        const auto tokens = reply.find("tokens");
        if (tokens == reply.end())
            return unusable("the reply has no tokens");
        list = &*tokens;
    }
    if (!list->is_array())
        return unusable("the reply's tokens are no list");
    std::vector<std::int64_t> out;
    for (const auto& token : *list) {
        const json& id = token.is_object() && token.contains("id") ? token["id"] : token;
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0)
            return unusable("a token is not a number from 0 up");
        out.push_back(id.get<std::int64_t>());
    }
    return out;
}

LabelRead failedRead(std::string problem) {
    LabelRead out;
    out.problem = std::move(problem);
    return out;
}

} // namespace

bool Ladder::needsIds() const {
    return m_card.rung == Rung::label || m_card.rung == Rung::chosen || m_card.rung == Rung::echo;
}

std::size_t Ladder::parts(std::size_t labels) const {
    switch (m_card.rung) {
    case Rung::label:
        return m_card.kind == ServerKind::vllm ? labels : 1; // vLLM tells the first label alone
    case Rung::echo:
        return labels;
    case Rung::bias:
        return 2;
    default:
        return 1;
    }
}

std::size_t Ladder::batchSize() const {
    return needsIds() ? static_cast<std::size_t>(m_endpoint.integer("batch")) : 1;
}

json Ladder::chat(const std::vector<ChatMessage>& messages) const {
    json list = json::array();
    for (const auto& message : messages)
        list.push_back({{"role", message.role}, {"content", message.content}});
    json body{{"model", m_card.model}, {"messages", list}, {"stream", false}};
    if (m_endpoint.text("thinking") == "off") {
        if (m_card.kind == ServerKind::vllm || m_card.kind == ServerKind::sglang || m_card.kind == ServerKind::llamaServer)
            body["chat_template_kwargs"] = {{"enable_thinking", false}};
        else if (m_card.kind == ServerKind::ollama)
            body["reasoning_effort"] = "none";
    }
    return body;
}

json Ladder::oneOf(const std::vector<std::string>& texts) const {
    if (m_card.kind == ServerKind::vllm)
        return {{"structured_outputs", {{"choice", texts}}}};
    const json schema{{"type", "string"}, {"enum", texts}};
    return {{"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", schema}}}}}};
}

Result<std::vector<Label>> Ladder::labels(const std::vector<std::string>& answers, const RunControl& control) {
    const bool plain = m_endpoint.text("prompt") == "plain";
    std::vector<Label> out;
    for (const auto& answer : answers) {
        // Behind a chat template's line end an answer begins without a space, behind bare text with one.
        Label label{{answer}, std::nullopt};
        if (plain && !answer.empty() && answer[0] != ' ')
            label.forms.insert(label.forms.begin(), " " + answer);
        if (m_card.tokenise != Tokenise::none) {
            json body{{"model", m_card.model}};
            const std::string& form = label.forms.front();
            switch (m_card.tokenise) {
            case Tokenise::content:
                body["content"] = form, body["add_special"] = false;
                break;
            case Tokenise::input:
                body["input"] = form;
                break;
            default:
                body["prompt"] = form, body["add_special_tokens"] = false;
                break;
            }
            json reply;
            CAROUSEL_ASSIGN(const Ending ending, m_client.ask({"POST", m_card.tokeniseRoute, dumped(body)}, reply, control));
            if (!ending.reply)
                return fail(m_client.refusal(ending));
            const auto tokens = tokensIn(reply);
            if (!tokens || tokens->empty())
                return fail(ErrorKind::input, "CL-2116",
                            fmt::format("The server does not say which token '{}' begins with: {}.", quotedForMessage(answer),
                                        tokens ? "no token" : tokens.error()),
                            "Choose another answer, or rung = \"text\".");
            label.id = tokens->front();
        }
        out.push_back(std::move(label));
    }
    for (std::size_t i = 0; i < out.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (out[i].forms == out[j].forms || (out[i].id && out[i].id == out[j].id))
                return fail(ErrorKind::input, "CL-2116",
                            fmt::format("The answers '{}' and '{}' begin with the same token.", quotedForMessage(answers[j]),
                                        quotedForMessage(answers[i])),
                            "Choose answers whose first words differ.");
    return out;
}

Result<void> Ladder::tokenise(std::vector<Prompt>& prompts, const RunControl& control) {
    std::vector<Call> calls;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        json body{{"model", m_card.model}};
        if (prompts[i].messages.empty()) {
            body["prompt"] = prompts[i].text;
            body["add_special_tokens"] = true;
        } else {
            body = chat(prompts[i].messages);
            body.erase("stream");
            body["add_generation_prompt"] = true;
        }
        calls.push_back({{"POST", m_card.tokeniseRoute, dumped(body)}, i, 0, 0, {}});
    }
    return m_client.send(
        std::move(calls),
        [&](const Call& call, const Ending& ending, std::vector<Call>&) -> Result<std::string> {
            Prompt& prompt = prompts[call.tag];
            if (!ending.reply) {
                if (ending.meaning == StatusMeaning::everyItemFails)
                    return fail(m_client.refusal(ending));
                prompt.problem = ending.reason;
                return std::string();
            }
            auto tokens = tokensIn(*ending.reply);
            if (!tokens || tokens->empty())
                return tokens ? "the prompt has no token" : tokens.error();
            prompt.ids = std::move(*tokens);
            const auto limit = m_card.contextLength;
            if (limit > 0 && static_cast<std::int64_t>(prompt.ids.size()) + 1 > limit)
                prompt.problem = fmt::format("the prompt has {} tokens, the server's context {}", prompt.ids.size(), limit);
            return std::string();
        },
        control);
}

HttpRequest Ladder::request(const Batch& batch, const std::vector<Prompt>& prompts, const std::vector<Label>& labels) const {
    auto ids = [&](std::size_t i) { return json(prompts[batch.prompts[i]].ids); };
    switch (m_card.rung) {
    case Rung::label: {
        // What all prompts of the batch begin with is the query and is read once; at least one token of each stays its item.
        const auto& first = prompts[batch.prompts[0]].ids;
        std::size_t shared = first.size() - 1;
        for (const auto index : batch.prompts) {
            const auto& other = prompts[index].ids;
            std::size_t same = 0;
            while (same < std::min(shared, other.size() - 1) && other[same] == first[same])
                ++same;
            shared = same;
        }
        json items = json::array();
        for (const auto index : batch.prompts)
            items.push_back(
                std::vector<std::int64_t>(prompts[index].ids.begin() + static_cast<std::ptrdiff_t>(shared), prompts[index].ids.end()));
        json wanted = idsOf(labels);
        if (m_card.kind == ServerKind::vllm) // the first label's probability comes back: each label takes its turn
            std::rotate(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(batch.part), wanted.end());
        json body{{"model", m_card.model},
                  {"query", std::vector<std::int64_t>(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(shared))},
                  {"items", items},
                  {"label_token_ids", wanted},
                  {"apply_softmax", false},
                  {"item_first", false}};
        return {"POST", m_card.kind == ServerKind::vllm ? "/generative_scoring" : "/v1/score", dumped(body)};
    }
    case Rung::chosen: {
        json list = json::array();
        for (std::size_t i = 0; i < batch.prompts.size(); ++i)
            list.push_back(ids(i));
        if (m_card.kind == ServerKind::sglang) {
            json names = json::array();
            for (const auto index : batch.prompts)
                names.push_back(fmt::format("p{}", index)); // its reply has no index; the name comes back
            return {"POST", "/generate",
                    dumped({{"input_ids", list},
                            {"rid", names},
                            {"sampling_params", {{"max_new_tokens", 1}, {"temperature", 0}}},
                            {"return_logprob", true},
                            {"token_ids_logprob", idsOf(labels)}})};
        }
        return {"POST", "/v1/completions",
                dumped({{"model", m_card.model},
                        {"prompt", list},
                        {"max_tokens", 1},
                        {"temperature", 0},
                        {"seed", 7},
                        {"logprobs", 1},
                        {"logprob_token_ids", idsOf(labels)},
                        {"return_tokens_as_token_ids", true}})};
    }
    case Rung::echo: {
        json list = json::array();
        for (std::size_t i = 0; i < batch.prompts.size(); ++i) {
            json prompt = ids(i);
            prompt.push_back(*labels[batch.part].id);
            list.push_back(std::move(prompt));
        }
        return {"POST", "/v1/completions",
                dumped({{"model", m_card.model},
                        {"prompt", list},
                        {"echo", true},
                        {"logprobs", 1},
                        {"max_tokens", m_card.kind == ServerKind::sglang ? 1 : 0},
                        {"temperature", 0}})};
    }
    case Rung::text: {
        std::vector<std::string> answers;
        for (const auto& label : labels)
            answers.push_back(label.forms.back());
        json body = chat(prompts[batch.prompts[0]].messages);
        body["max_tokens"] = 16;
        body["temperature"] = 0;
        body["seed"] = 7;
        body.update(oneOf(answers));
        return {"POST", "/v1/chat/completions", dumped(body)};
    }
    default:
        break;
    }
    // The most probable tokens, by chat or as bare text, with or without a bias.
    const Prompt& prompt = prompts[batch.prompts[0]];
    const bool bare = prompt.messages.empty();
    json body = bare ? json{{"model", m_card.model}, {"prompt", prompt.text}} : chat(prompt.messages);
    body["max_tokens"] = 1;
    body["temperature"] = 0;
    body["seed"] = 7;
    if (bare) {
        body["logprobs"] = batch.top;
    } else {
        body["logprobs"] = true;
        body["top_logprobs"] = batch.top;
        body["n"] = 1;
    }
    if (m_card.rung == Rung::bias && batch.part == 1)
        for (const auto& label : labels)
            body["logit_bias"][std::to_string(*label.id)] = 100;
    return {"POST", bare ? "/v1/completions" : "/v1/chat/completions", dumped(body)};
}

LabelRead Ladder::joined(Rung rung, const std::vector<LabelRead>& parts) {
    if (parts.size() == 1)
        return parts[0];
    LabelRead out;
    if (rung == Rung::bias) {
        // The bias is the same on every answer, so that differences hold; where they lie is known from the request without it.
        const LabelRead& plain = parts[0];
        const LabelRead& biased = parts[1];
        out = biased;
        if (biased.problem.empty() && biased.censored)
            out.problem = "an answer is not told in spite of the bias";
        if (!out.problem.empty())
            return out;
        out.mass = plain.mass;
        for (std::size_t i = 0; i < plain.logProbability.size(); ++i)
            if (!plain.censored || plain.logProbability[i] > *std::min_element(plain.logProbability.begin(), plain.logProbability.end())) {
                const double shift = plain.logProbability[i] - biased.logProbability[i];
                out.mass = 0;
                for (double& value : out.logProbability) {
                    value += shift;
                    out.mass += std::exp(value);
                }
                out.mass = std::min(out.mass, 1.0);
                break;
            }
        return out;
    }
    double sum = 0;
    for (const auto& part : parts) {
        if (!part.problem.empty())
            return failedRead(part.problem);
        out.logProbability.push_back(part.logProbability[0]);
        out.censored = out.censored || part.censored;
        sum += part.mass;
    }
    if (sum > 1.01)
        out.problem = fmt::format("the probabilities of the answers sum to {:.3g}, more than 1", sum);
    else if (sum == 0)
        out.problem = "every answer has probability 0";
    out.mass = std::min(sum, 1.0);
    return out;
}

Result<void> Ladder::read(const std::vector<Prompt>& prompts, const std::vector<Label>& labels, const ReadSink& sink,
                          const RunControl& control) {
    const std::size_t requests = parts(labels.size());
    std::vector<std::vector<LabelRead>> partial(prompts.size());
    std::vector<std::size_t> come(prompts.size(), 0);
    std::vector<Batch> batches;
    std::vector<Call> calls;
    auto add = [&](Batch batch, std::vector<Call>& to) {
        to.push_back({request(batch, prompts, labels), batches.size(), 0, 0, {}});
        batches.push_back(std::move(batch));
    };
    Batch next;
    next.top = m_card.topLimit > 0 ? m_card.topLimit : static_cast<int>(m_endpoint.integer("top_logprobs"));
    auto flush = [&] {
        if (next.prompts.empty())
            return;
        for (std::size_t part = 0; part < requests; ++part) {
            next.part = part;
            add(next, calls);
        }
        next.prompts.clear();
    };
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        if (!prompts[i].problem.empty()) {
            CAROUSEL_TRY(sink(i, failedRead(prompts[i].problem)));
            continue;
        }
        partial[i].resize(requests);
        next.prompts.push_back(i);
        if (next.prompts.size() >= batchSize())
            flush();
    }
    flush();
    auto came = [&](std::size_t prompt, std::size_t part, LabelRead read) -> Result<void> {
        partial[prompt][part] = std::move(read);
        return ++come[prompt] == requests ? sink(prompt, joined(m_card.rung, partial[prompt])) : Result<void>();
    };
    return m_client.send(
        std::move(calls),
        [&](const Call& call, const Ending& ending, std::vector<Call>& more) -> Result<std::string> {
            const Batch batch = batches[call.tag];
            if (!ending.reply) {
                if (ending.meaning == StatusMeaning::everyItemFails)
                    return fail(m_client.refusal(ending));
                if (ending.meaning == StatusMeaning::thisItemFails && batch.prompts.size() > 1) { // one of them may be to blame
                    const auto middle = batch.prompts.begin() + static_cast<std::ptrdiff_t>(batch.prompts.size() / 2);
                    add({{batch.prompts.begin(), middle}, batch.part, batch.top}, more);
                    add({{middle, batch.prompts.end()}, batch.part, batch.top}, more);
                    return std::string();
                }
                for (const auto prompt : batch.prompts)
                    CAROUSEL_TRY(came(prompt, batch.part, failedRead(ending.reason)));
                return std::string();
            }
            auto read = reads(batch, *ending.reply, prompts, labels);
            if (!read)
                return read.error();
            // llama-server tells as many tokens as are asked for: further down the list until both answers are there.
            if (m_card.rung == Rung::top && m_card.kind == ServerKind::llamaServer && batch.top < 1000 && (*read)[0].censored) {
                add({batch.prompts, batch.part, std::min(1000, batch.top * 10)}, more);
                return std::string();
            }
            for (std::size_t i = 0; i < batch.prompts.size(); ++i)
                CAROUSEL_TRY(came(batch.prompts[i], batch.part, std::move((*read)[i])));
            return std::string();
        },
        control);
}

Result<std::vector<Ladder::Continuation>> Ladder::continuations(const Prompt& prompt, const std::vector<std::string>& texts,
                                                                const RunControl& control) {
    std::vector<Prompt> pieces;
    for (const auto& text : texts)
        pieces.push_back({{}, text, {}, {}});
    std::vector<Continuation> out(texts.size());
    std::vector<Call> calls;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        json body{{"model", m_card.model}, {"prompt", texts[i]}, {"add_special_tokens", false}};
        json reply;
        CAROUSEL_ASSIGN(const Ending ending, m_client.ask({"POST", m_card.tokeniseRoute, dumped(body)}, reply, control));
        const auto tokens = ending.reply ? tokensIn(reply) : Read<std::vector<std::int64_t>>(unusable(ending.reason));
        if (!tokens || tokens->empty()) {
            out[i] = {std::numeric_limits<double>::quiet_NaN(), 0, tokens ? "it has no token" : tokens.error()};
            continue;
        }
        out[i].tokens = static_cast<int>(tokens->size());
        std::vector<std::int64_t> whole = prompt.ids;
        whole.insert(whole.end(), tokens->begin(), tokens->end());
        calls.push_back({{"POST", "/v1/completions",
                          dumped({{"model", m_card.model},
                                  {"prompt", json::array({whole})},
                                  {"echo", true},
                                  {"logprobs", 1},
                                  {"max_tokens", m_card.kind == ServerKind::sglang ? 1 : 0},
                                  {"temperature", 0}})},
                         i,
                         0,
                         0,
                         {}});
    }
    CAROUSEL_TRY(m_client.send(
        std::move(calls),
        [&](const Call& call, const Ending& ending, std::vector<Call>&) -> Result<std::string> {
            Continuation& answer = out[call.tag];
            if (!ending.reply) {
                if (ending.meaning == StatusMeaning::everyItemFails)
                    return fail(m_client.refusal(ending));
                answer.logProbability = std::numeric_limits<double>::quiet_NaN();
                answer.problem = ending.reason;
                return std::string();
            }
            const auto choices = choicesOf(*ending.reply, 1);
            if (!choices)
                return choices.error();
            const json logprobs = (*choices)[0]->value("logprobs", json());
            const json list = logprobs.is_object() ? logprobs.value("token_logprobs", json()) : json();
            const std::size_t first = prompt.ids.size();
            if (!list.is_array() || list.size() < first + static_cast<std::size_t>(answer.tokens))
                return std::string("the prompt is not echoed with a log-probability for each token");
            double sum = 0;
            for (int i = 0; i < answer.tokens; ++i) {
                const auto value = logProbabilityIn(list[first + static_cast<std::size_t>(i)]);
                if (!value)
                    return value.error();
                sum += *value;
            }
            answer.logProbability = sum;
            return std::string();
        },
        control));
    return out;
}

} // namespace carousel::server
