// SPDX-License-Identifier: GPL-3.0-or-later
// The ways to learn how probable each answer is, one rung of the ladder each: what is sent and how the reply is read. Requests are those
// of the servers' own documentation (vLLM, SGLang, llama-server, Ollama, TGI, OpenAI).
#pragma once
#include "server/label_read.h"
#include "server/server_card.h"
#include "server/server_client.h"
#include "stages/language_model.h"

namespace carousel::server {

// Laid out by the server (messages), or bare text. `ids` are filled by tokenise() for the rungs that need them.
struct Prompt {
    std::vector<ChatMessage> messages; // empty: `text` is the prompt
    std::string text;
    std::vector<std::int64_t> ids;
    std::string problem; // why it cannot be asked
};

// Gets each prompt's read once, in order of arrival.
using ReadSink = std::function<Result<void>(std::size_t prompt, const LabelRead& read)>;

class Ladder {
public:
    // `card.rung` is the rung used. All outlive the ladder.
    Ladder(ServerClient& client, const ServerCard& card, const Parameters& endpoint)
        : m_client(client), m_card(card), m_endpoint(endpoint) {}

    bool needsIds() const; // the prompts' tokens, so the server must tokenise
    // The answers as labels: ids where the server tokenises (an answer stands for its first token). CL-2116 when two answers are one token.
    Result<std::vector<Label>> labels(const std::vector<std::string>& answers, const RunControl& control);
    // Fills ids; a prompt longer than the context gets a problem (servers cut such prompts silently).
    Result<void> tokenise(std::vector<Prompt>& prompts, const RunControl& control);
    Result<void> read(const std::vector<Prompt>& prompts, const std::vector<Label>& labels, const ReadSink& sink,
                      const RunControl& control);
    // Log-probability of each continuation behind one prompt by echo, and its token count; NaN and a reason where there is none.
    struct Continuation {
        double logProbability = 0;
        int tokens = 0;
        std::string problem;
    };
    Result<std::vector<Continuation>> continuations(const Prompt& prompt, const std::vector<std::string>& texts, const RunControl& control);

    // The body of a chat request without what is asked of it.
    nlohmann::json chat(const std::vector<ChatMessage>& messages) const;
    // Makes the reply one of these texts, in the server's own words; empty object where it cannot.
    nlohmann::json oneOf(const std::vector<std::string>& texts) const;
    // The text that oneOf's reply stands for, where it is one of them.
    static std::optional<std::size_t> whichOf(const std::string& reply, const std::vector<std::string>& texts);

private:
    struct Batch { // of one request
        std::vector<std::size_t> prompts;
        std::size_t part = 0; // which of the requests that a read takes
        int top = 0;
    };
    HttpRequest request(const Batch& batch, const std::vector<Prompt>& prompts, const std::vector<Label>& labels) const;
    Read<std::vector<LabelRead>> reads(const Batch& batch, const nlohmann::json& reply, const std::vector<Prompt>& prompts,
                                       const std::vector<Label>& labels) const;
    std::size_t parts(std::size_t labels) const; // requests per prompt
    std::size_t batchSize() const;
    static LabelRead joined(Rung rung, const std::vector<LabelRead>& parts);

    ServerClient& m_client;
    const ServerCard& m_card;
    const Parameters& m_endpoint;
};

} // namespace carousel::server
