// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/server_model.h"
#include "base/text.h"
#include "server/probe.h"
#include "server/vectors.h"
#include <cmath>
#include <limits>

namespace carousel::server {

using nlohmann::json;

namespace {
constexpr float none = std::numeric_limits<float>::quiet_NaN();

std::string dumped(const json& body) {
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}
} // namespace

ServerModel::ServerModel(std::string name, const Parameters& endpoint, ServerUrl url, SecretKey key)
    : m_name(std::move(name)), m_endpoint(endpoint), m_client(std::move(url), std::move(key), endpoint) {}

Result<std::unique_ptr<ServerModel>> ServerModel::open(const std::string& name, const Parameters& endpoint, SecretKey key,
                                                       const RunControl& control) {
    CAROUSEL_ASSIGN(auto url, parseServerUrl(endpoint.text("url")));
    std::unique_ptr<ServerModel> out(new ServerModel(name, endpoint, std::move(url), std::move(key)));
    CAROUSEL_ASSIGN(out->m_card, probe(out->m_client, out->m_endpoint, control));
    const ServerCard& card = out->m_card;
    ModelInfo& info = out->m_info;
    info.id = "server:" + name;
    info.title = fmt::format("{} on {}", card.model, out->m_client.url().origin.text());
    info.architecture = server::name(card.kind);
    info.format = "server";
    info.device = "server";
    // Answers are kept under these: another model, address, rung or prompt form is never mixed with them.
    info.file = card.url + "#" + card.model;
    info.computeType = fmt::format("rung={} top={} prompt={} thinking={}", server::name(card.rung), card.topLimit, endpoint.text("prompt"),
                                   endpoint.text("thinking"));
    info.contextLength = card.contextLength;
    info.width = card.embeddingWidth;
    info.canChat = card.rung != Rung::none;
    info.canEmbed = card.embeddingWidth > 0;
    return out;
}

Result<void> ServerModel::mustScore() const {
    if (m_card.rung != Rung::none)
        return {};
    return fail(ErrorKind::input, "CL-2116", fmt::format("The server of '{}' gives embeddings and scores no answers.", m_info.id),
                "Use another endpoint for scoring.");
}

Prompt ServerModel::promptOf(std::vector<ChatMessage> messages) const {
    if (m_endpoint.text("prompt") != "plain")
        return {std::move(messages), "", {}, {}};
    Prompt out;
    for (const auto& message : messages)
        out.text += (out.text.empty() ? "" : "\n") + message.content;
    return out;
}

Result<BranchScores> ServerModel::scoreBranches(const BranchRequest& request, const RunControl& control) {
    CAROUSEL_TRY(refuseInjected(request, m_info));
    const std::lock_guard lock(m_mutex);
    CAROUSEL_TRY(mustScore());
    if (request.shared.empty())
        return fail(ErrorKind::internal, "CL-2083", fmt::format("The model '{}' was asked without a message.", m_info.id),
                    "Please report this.");
    const std::size_t n = request.branches.size(), answers = request.answers.size();
    Ladder ladder(m_client, m_card, m_endpoint);
    const Usage before = m_client.usage();
    std::vector<Prompt> prompts;
    for (const auto& branch : request.branches) {
        auto messages = request.shared;
        messages.back().content += branch + request.tail;
        prompts.push_back(promptOf(std::move(messages)));
    }
    BranchScores out;
    out.logits = Matrix(n, answers);
    std::fill(out.logits.values.begin(), out.logits.values.end(), none);
    out.answerMass.assign(n, none);
    out.truncated.assign(n, 0);
    out.status.assign(n, ScoreStatus::missing);
    out.censored.assign(n, 0);
    out.reasons.assign(n, "no answer came");
    CAROUSEL_ASSIGN(const auto labels, ladder.labels(request.answers, control));
    if (ladder.needsIds())
        CAROUSEL_TRY(ladder.tokenise(prompts, control));
    CAROUSEL_TRY(ladder.read(
        prompts, labels,
        [&](std::size_t i, const LabelRead& read) -> Result<void> {
            Usage& usage = m_client.usage();
            ++usage.scored;
            BranchAnswer answer;
            answer.logits.assign(answers, none);
            answer.answerMass = none;
            answer.status = ScoreStatus::missing;
            answer.reason = read.problem;
            bool usable = read.problem.empty() && read.logProbability.size() == answers && std::isfinite(read.mass);
            for (const double value : read.logProbability)
                usable = usable && std::isfinite(value);
            if (usable) {
                for (std::size_t j = 0; j < answers; ++j)
                    answer.logits[j] = static_cast<float>(read.logProbability[j]);
                answer.answerMass = static_cast<float>(read.mass);
                answer.status = ScoreStatus::ok;
                answer.censored = read.censored;
                usage.censored += read.censored;
            } else {
                if (answer.reason.empty())
                    answer.reason = "a number that is not finite";
                ++usage.missing;
            }
            std::copy(answer.logits.begin(), answer.logits.end(), out.logits.row(i).begin());
            out.answerMass[i] = answer.answerMass;
            out.status[i] = answer.status;
            out.censored[i] = answer.censored;
            out.reasons[i] = answer.reason;
            return request.whenAnswered ? request.whenAnswered(i, answer) : Result<void>();
        },
        control));
    const Usage& after = m_client.usage();
    out.calls = after.calls - before.calls;
    out.cachedTokens = after.cachedTokens - before.cachedTokens;
    out.branchTokens = after.promptTokens - before.promptTokens - out.cachedTokens;
    return out;
}

Result<ContinuationScores> ServerModel::scoreContinuations(const ContinuationRequest& request, const RunControl& control) {
    const std::lock_guard lock(m_mutex);
    const bool plain = m_endpoint.text("prompt") == "plain";
    if ((m_card.kind != ServerKind::vllm && m_card.kind != ServerKind::sglang) || m_card.tokenise == Tokenise::none ||
        (!plain && !m_card.tokenisesMessages))
        return fail(ErrorKind::input, "CL-2118",
                    fmt::format("The server of '{}' ({}) does not echo prompts, so that whole texts cannot be scored.", m_info.id,
                                server::name(m_card.kind)),
                    "Use vLLM or SGLang, or a model of this machine, for stages that compare whole texts.");
    Ladder ladder(m_client, m_card, m_endpoint);
    const Usage before = m_client.usage();
    std::vector<Prompt> prompts{promptOf(request.messages)};
    CAROUSEL_TRY(ladder.tokenise(prompts, control));
    if (!prompts[0].problem.empty())
        return fail(ErrorKind::input, "CL-2119",
                    fmt::format("The server of '{}' cannot take the prompt: {}.", m_info.id, prompts[0].problem),
                    "Make the prompt shorter.");
    CAROUSEL_ASSIGN(const auto scored, ladder.continuations(prompts[0], request.continuations, control));
    ContinuationScores out;
    for (const auto& one : scored) {
        out.logProbability.push_back(one.logProbability);
        out.tokens.push_back(one.tokens);
        ++m_client.usage().scored;
        m_client.usage().missing += !one.problem.empty();
    }
    out.cachedTokens = m_client.usage().cachedTokens - before.cachedTokens;
    out.promptTokens = m_client.usage().promptTokens - before.promptTokens - out.cachedTokens;
    return out;
}

Result<Generated> ServerModel::generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                                        const RunControl& control) {
    const std::lock_guard lock(m_mutex);
    CAROUSEL_TRY(mustScore());
    auto notOffered = [&](const char* what) {
        return fail(ErrorKind::input, "CL-2118", fmt::format("The server of '{}' offers no {}.", m_info.id, what),
                    "Use a model of this machine for that, or leave the option out.");
    };
    const bool extended = m_card.kind == ServerKind::vllm || m_card.kind == ServerKind::sglang || m_card.kind == ServerKind::llamaServer;
    if (!options.grammar.empty())
        return notOffered("grammar of this program's form");
    if (options.beams > 1)
        return notOffered("beam search");
    if ((options.topK > 0 || options.repetitionPenalty != 1) && !extended)
        return notOffered("top-k or repetition penalty");
    if (!options.oneOf.empty() && (!m_card.structuredOutput || options.sequences > 1))
        return notOffered("answers from a fixed list");
    if (m_endpoint.text("prompt") == "plain")
        return notOffered("chat, since its prompts are plain");
    const std::size_t wanted = static_cast<std::size_t>(std::max(1, options.sequences));
    Ladder ladder(m_client, m_card, m_endpoint);
    json body = ladder.chat(messages);
    body["max_tokens"] = options.maximumTokens;
    body["temperature"] = options.temperature;
    body["top_p"] = options.topP;
    body["seed"] = static_cast<std::int64_t>(options.seed & 0x7fffffff); // some servers take 32 bits
    body["n"] = wanted;
    if (!options.stop.empty())
        body["stop"] = options.stop;
    if (options.topK > 0)
        body["top_k"] = options.topK;
    if (options.repetitionPenalty != 1)
        body[m_card.kind == ServerKind::llamaServer ? "repeat_penalty" : "repetition_penalty"] = options.repetitionPenalty;
    if (!options.oneOf.empty())
        body.update(ladder.oneOf(options.oneOf));
    const Usage before = m_client.usage();
    Generated out;
    std::string problem;
    CAROUSEL_TRY(m_client.send(
        {Call{{"POST", "/v1/chat/completions", dumped(body)}, 0, 0, 0, {}}},
        [&](const Call&, const Ending& ending, std::vector<Call>&) -> Result<std::string> {
            if (!ending.reply) {
                if (ending.meaning == StatusMeaning::everyItemFails)
                    return fail(m_client.refusal(ending));
                problem = ending.reason;
                return std::string();
            }
            const auto choices = choicesOf(*ending.reply, wanted);
            if (!choices)
                return choices.error();
            out.sequences.clear();
            for (const json* choice : *choices) {
                const json message = choice->value("message", json());
                const json content = message.is_object() ? message.value("content", json()) : json();
                if (!content.is_string())
                    return std::string("a reply has no text");
                GeneratedSequence sequence;
                sequence.text = content.get<std::string>();
                sequence.reachedLimit = (*choice)["finish_reason"] == "length";
                if (!options.oneOf.empty()) {
                    const auto which = sequence.reachedLimit ? std::nullopt : Ladder::whichOf(sequence.text, options.oneOf);
                    if (!which)
                        return fmt::format("the reply {} is none of the {} texts allowed", quotedForMessage(sequence.text, 60),
                                           options.oneOf.size());
                    sequence.text = options.oneOf[*which];
                }
                out.sequences.push_back(std::move(sequence));
            }
            return std::string();
        },
        control));
    if (!problem.empty())
        return fail(ErrorKind::input, "CL-2119", fmt::format("The server of '{}' gave no usable text: {}.", m_info.id, problem),
                    "Try again later, or use another model.");
    out.text = out.sequences.front().text;
    out.reachedLimit = out.sequences.front().reachedLimit;
    out.promptTokens = m_client.usage().promptTokens - before.promptTokens;
    out.generatedTokens = m_client.usage().answerTokens - before.answerTokens;
    if (options.onText)
        options.onText(out.text);
    return out;
}

Result<Matrix> ServerModel::embed(const std::vector<std::string>& texts, Pooling, const RunControl& control) {
    const std::lock_guard lock(m_mutex);
    if (m_card.embeddingWidth == 0)
        return fail(ErrorKind::input, "CL-2117", fmt::format("The server of '{}' gives no embeddings.", m_info.id),
                    "Start it in its embedding mode, or use another endpoint or a model of this machine for embeddings.");
    const std::size_t width = static_cast<std::size_t>(m_card.embeddingWidth);
    Matrix out(texts.size(), width);
    struct Part {
        std::size_t first, count;
    };
    std::vector<Part> parts;
    auto call = [&](Part part) {
        const std::vector<std::string> input(texts.begin() + static_cast<std::ptrdiff_t>(part.first),
                                             texts.begin() + static_cast<std::ptrdiff_t>(part.first + part.count));
        parts.push_back(part);
        return Call{{"POST", "/v1/embeddings", dumped({{"model", m_card.model}, {"input", input}, {"encoding_format", "float"}})},
                    parts.size() - 1,
                    0,
                    0,
                    {}};
    };
    std::vector<Call> calls;
    constexpr std::size_t largest = 64;
    for (std::size_t first = 0; first < texts.size(); first += largest)
        calls.push_back(call({first, std::min(largest, texts.size() - first)}));
    CAROUSEL_TRY(m_client.send(
        std::move(calls),
        [&](const Call& sent, const Ending& ending, std::vector<Call>& more) -> Result<std::string> {
            const Part part = parts[sent.tag];
            if (!ending.reply) {
                if (ending.meaning == StatusMeaning::everyItemFails)
                    return fail(m_client.refusal(ending));
                if (ending.meaning == StatusMeaning::thisItemFails && part.count > 1) { // too many or too long together
                    const std::size_t half = part.count / 2;
                    more.push_back(call({part.first, half}));
                    more.push_back(call({part.first + half, part.count - half}));
                    return std::string();
                }
                return fail(ErrorKind::input, "CL-2119",
                            fmt::format("The server of '{}' gave no usable embeddings: {}.", m_info.id, ending.reason),
                            "Shorten the texts, or use another model.");
            }
            const auto vectors = vectorsIn(*ending.reply, part.count);
            if (!vectors)
                return vectors.error();
            if (vectors->columns != width)
                return fmt::format("embeddings are {} wide, the first was {}", vectors->columns, width);
            for (std::size_t i = 0; i < part.count; ++i) {
                double norm = 0;
                for (const float x : vectors->row(i))
                    norm += static_cast<double>(x) * x;
                for (std::size_t j = 0; j < width; ++j)
                    out.row(part.first + i)[j] = static_cast<float>(vectors->row(i)[j] / std::sqrt(norm));
            }
            return std::string();
        },
        control));
    return out;
}

std::int64_t ServerModel::countTokens(const std::string& text) const {
    return static_cast<std::int64_t>((text.size() + 3) / 4);
}

std::string ServerModel::facts() const {
    const std::lock_guard lock(m_mutex);
    const Usage& use = m_client.usage();
    return dumped({{"card", m_card.json()},
                   {"use",
                    {{"calls", use.calls},
                     {"failedTries", use.failedTries},
                     {"promptTokens", use.promptTokens},
                     {"cachedTokens", use.cachedTokens},
                     {"cachedShare", share(use.cachedTokens, use.promptTokens)},
                     {"answerTokens", use.answerTokens},
                     {"money", use.money},
                     {"scored", use.scored},
                     {"missing", use.missing},
                     {"missingShare", share(use.missing, use.scored)},
                     {"bounds", use.censored},
                     {"boundShare", share(use.censored, use.scored)}}}});
}

} // namespace carousel::server
