// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/probe.h"
#include "base/text.h"
#include "server/ladder.h"
#include "server/vectors.h"
#include <algorithm>
#include <cmath>

namespace carousel::server {

using nlohmann::json;

namespace {

std::string textIn(const json& object, const char* key) {
    const auto it = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && it != object.end() && it->is_string() ? it->get<std::string>().substr(0, 200) : "";
}

std::int64_t numberIn(const json& object, const char* key) {
    const auto it = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && it != object.end() && it->is_number_integer()
               ? std::clamp<std::int64_t>(it->get<std::int64_t>(), 0, 1 << 30)
               : 0;
}

// What cannot be different for another route: the key, the address, what stands in front of the server.
bool endsAll(const Ending& ending) {
    return !ending.reply && ending.meaning == StatusMeaning::everyItemFails && ending.status != 404 && ending.status != 405 &&
           ending.status != 501;
}

class Prober {
public:
    Prober(ServerClient& client, const Parameters& endpoint, const RunControl& control)
        : m_client(client), m_endpoint(endpoint), m_control(control) {}

    Result<ServerCard> run() {
        m_card.url = m_client.url().origin.text() + m_client.url().path;
        CAROUSEL_TRY(listModels());
        m_client.setProbing(true);
        CAROUSEL_TRY(recognise());
        CAROUSEL_TRY(findTokeniser());
        CAROUSEL_TRY(climb());
        if (m_card.rung != Rung::none)
            CAROUSEL_TRY(tryStructured());
        CAROUSEL_TRY(tryEmbeddings());
        if (const auto& wanted = m_endpoint.text("rung"); wanted != "auto" && m_card.rung == Rung::none)
            return fail(ErrorKind::input, "CL-2116",
                        fmt::format("The server {} cannot score by '{}': {}.", m_card.url, wanted,
                                    m_card.notes.empty() ? "no reason given" : m_card.notes.back()),
                        "Write rung = \"auto\", or another one.");
        if (m_card.rung == Rung::none && m_card.embeddingWidth == 0)
            return fail(ErrorKind::input, "CL-2116",
                        fmt::format("The server {} gives neither scores nor embeddings: {}.", m_card.url, fmt::join(m_card.notes, "; ")),
                        "See `endpoint test`; check url and model.");
        return m_card;
    }

private:
    Result<json> get(const char* route) { // null where there is nothing
        json reply;
        CAROUSEL_ASSIGN(const Ending ending, m_client.ask({"GET", route, ""}, reply, m_control));
        if (endsAll(ending))
            return fail(m_client.refusal(ending));
        return ending.reply ? reply : json();
    }

    Result<void> listModels() {
        json reply;
        CAROUSEL_ASSIGN(const Ending ending, m_client.ask({"GET", "/v1/models", ""}, reply, m_control));
        if (endsAll(ending))
            return fail(m_client.refusal(ending));
        if (!ending.reply && ending.status != 404 && ending.status != 405)
            return fail(ErrorKind::io, "CL-2107",
                        fmt::format("The server {} gave no usable reply: {}.", m_client.url().origin.text(), ending.reason),
                        "Check that it runs and that url names it.");
        m_card.model = m_endpoint.text("model");
        if (reply.is_object() && reply.contains("data") && reply["data"].is_array())
            for (const auto& entry : reply["data"]) {
                m_card.models.push_back(textIn(entry, "id"));
                if (m_card.model.empty() || m_card.model == m_card.models.back())
                    m_card.contextLength =
                        std::max(numberIn(entry, "max_model_len"),
                                 entry.is_object() && entry.contains("meta") ? numberIn(entry["meta"], "n_ctx_train") : 0);
            }
        if (m_card.model.empty()) {
            if (m_card.models.size() != 1)
                return fail(ErrorKind::input, "CL-2107",
                            fmt::format("The server {} lists {} models, and the endpoint names none.", m_client.url().origin.text(),
                                        m_card.models.size()),
                            fmt::format("Write model = \"...\"; it has: {}.",
                                        quotedForMessage(fmt::format("{}", fmt::join(m_card.models, ", ")), 400)));
            m_card.model = m_card.models.front();
        } else if (!m_card.models.empty() && std::find(m_card.models.begin(), m_card.models.end(), m_card.model) == m_card.models.end()) {
            return fail(ErrorKind::input, "CL-2107",
                        fmt::format("The server {} has no model '{}'.", m_client.url().origin.text(), quotedForMessage(m_card.model)),
                        fmt::format("It has: {}.", quotedForMessage(fmt::format("{}", fmt::join(m_card.models, ", ")), 400)));
        }
        return {};
    }

    Result<void> recognise() {
        const std::string& wanted = m_endpoint.text("kind");
        struct Sign {
            ServerKind kind;
            const char *route, *key;
        };
        // vLLM tells a version at /version, which others do not; each of the others has a route of its own.
        const Sign signs[] = {{ServerKind::llamaServer, "/props", "total_slots"},
                              {ServerKind::sglang, "/get_model_info", "model_path"},
                              {ServerKind::vllm, "/version", "version"},
                              {ServerKind::ollama, "/api/version", "version"},
                              {ServerKind::tgi, "/info", "model_id"}};
        if (wanted == "openai")
            return {};
        for (const auto& sign : signs) {
            if (wanted != "auto" && serverKindNamed(wanted) != sign.kind)
                continue;
            CAROUSEL_ASSIGN(const json reply, get(sign.route));
            if (wanted == "auto" && !(reply.is_object() && reply.contains(sign.key)))
                continue;
            m_card.kind = sign.kind;
            m_card.version = textIn(reply, sign.kind == ServerKind::llamaServer ? "build_info" : "version");
            if (sign.kind == ServerKind::llamaServer) {
                m_card.workSlots = numberIn(reply, "total_slots");
                const json settings = reply.is_object() ? reply.value("default_generation_settings", json()) : json();
                if (const auto context = numberIn(settings, "n_ctx"); context > 0)
                    m_card.contextLength = context;
            }
            return {};
        }
        return {};
    }

    Result<void> findTokeniser() {
        struct Way {
            Tokenise how;
            const char* route;
        };
        std::vector<Way> ways;
        switch (m_card.kind) {
        case ServerKind::vllm:
        case ServerKind::sglang:
            ways = {{Tokenise::prompt, "/tokenize"}};
            break;
        case ServerKind::llamaServer:
            ways = {{Tokenise::content, "/tokenize"}};
            break;
        case ServerKind::openai:
            ways = {{Tokenise::input, "/extras/tokenize"}};
            break; // llama-cpp-python
        default:
            break;
        }
        for (const auto& way : ways) {
            json body{{"model", m_card.model},
                      {way.how == Tokenise::content ? "content"
                       : way.how == Tokenise::input ? "input"
                                                    : "prompt",
                       "Yes"}};
            json reply;
            CAROUSEL_ASSIGN(const Ending ending, m_client.ask({"POST", way.route, body.dump()}, reply, m_control));
            if (ending.reply && reply.is_object() && reply.contains("tokens") && reply["tokens"].is_array() && !reply["tokens"].empty()) {
                m_card.tokenise = way.how;
                m_card.tokeniseRoute = way.route;
                m_card.tokenisesMessages = way.how == Tokenise::prompt;
                if (const auto length = numberIn(reply, "max_model_len"); length > 0)
                    m_card.contextLength = length;
            }
        }
        return {};
    }

    std::vector<Rung> rungs() const {
        if (const auto& wanted = m_endpoint.text("rung"); wanted != "auto")
            return {rungNamed(wanted)};
        switch (m_card.kind) {
        case ServerKind::vllm:
            return {Rung::label, Rung::chosen, Rung::top, Rung::echo, Rung::text};
        case ServerKind::sglang:
            return {Rung::label, Rung::chosen, Rung::top, Rung::bias, Rung::echo, Rung::text};
        case ServerKind::openai:
            return {Rung::top, Rung::bias, Rung::text};
        default:
            return {Rung::top, Rung::text};
        }
    }

    Result<void> climb() {
        for (const Rung rung : rungs()) {
            if (rung == Rung::top || rung == Rung::bias) {
                const auto most = static_cast<int>(m_endpoint.integer("top_logprobs"));
                for (const int top : {most, 20, 5}) { // hosted services cap it at 20 or 5
                    if (top > most || m_card.rung != Rung::none || top == m_card.topLimit)
                        continue;
                    m_card.topLimit = top;
                    CAROUSEL_TRY(tryRung(rung));
                }
            } else {
                CAROUSEL_TRY(tryRung(rung));
            }
            if (m_card.rung != Rung::none)
                return {};
            m_card.topLimit = 0;
        }
        return {};
    }

    Prompt question(const char* text) const {
        const std::string asked = std::string(text) + " Answer Yes or No.";
        if (m_endpoint.text("prompt") == "plain")
            return {{}, "Question: " + asked + "\nAnswer:", {}, {}};
        return {{{"user", asked}}, "", {}, {}};
    }

    Result<void> tryRung(Rung rung) {
        const bool plain = m_endpoint.text("prompt") == "plain";
        ServerCard tried = m_card;
        tried.rung = rung;
        Ladder ladder(m_client, tried, m_endpoint);
        auto note = [&](const std::string& why) {
            m_card.notes.push_back(fmt::format("{}: {}", name(rung), why));
            return Result<void>();
        };
        if ((ladder.needsIds() || rung == Rung::bias) && m_card.tokenise == Tokenise::none)
            return note("the server does not tokenise");
        if (ladder.needsIds() && !plain && !m_card.tokenisesMessages)
            return note("the server does not tokenise messages");
        if (rung == Rung::text && plain)
            return note("text needs chat");
        std::vector<Prompt> prompts{question("Is 2+2=4?"), question("Is 2+2=5?")};
        std::vector<LabelRead> reads(2);
        auto all = [&]() -> Result<void> {
            CAROUSEL_ASSIGN(const auto labels, ladder.labels({"Yes", "No"}, m_control));
            if (ladder.needsIds())
                CAROUSEL_TRY(ladder.tokenise(prompts, m_control));
            const auto cachedBefore = m_client.usage().cachedTokens;
            CAROUSEL_TRY(ladder.read(
                prompts, labels,
                [&](std::size_t i, const LabelRead& read) {
                    reads[i] = read;
                    return Result<void>();
                },
                m_control));
            if (m_client.usage().cachedTokens > cachedBefore)
                m_card.prefixCache = "seen";
            return {};
        };
        if (const auto done = all(); !done) {
            if (done.error().kind == ErrorKind::partial || done.error().kind == ErrorKind::cancelled)
                return done;
            if (done.error().code == "CL-2106" &&
                (done.error().message.find("HTTP 401") != std::string::npos || done.error().message.find("HTTP 403") != std::string::npos))
                return done;
            return note(done.error().message);
        }
        for (const auto& read : reads) {
            const bool thinks = read.best.find("think") != std::string::npos;
            if (thinks)
                return note("the model thinks before it answers; write thinking = \"off\"");
            if (!read.problem.empty())
                return note(read.problem);
        }
        m_card.rung = rung;
        m_card.chat = !plain;
        auto share = [](const LabelRead& read) { return 1 / (1 + std::exp(read.logProbability[1] - read.logProbability[0])); };
        m_card.easyYes = share(reads[0]);
        m_card.easyNo = share(reads[1]);
        m_card.labelMass = std::min(reads[0].mass, reads[1].mass);
        if (m_card.labelMass < 0.05)
            m_card.notes.push_back(fmt::format("Yes and No together have probability {} only; the model would rather say {}",
                                               threeFigures(m_card.labelMass), quotedForMessage(reads[0].best, 40)));
        if (!m_card.easyPassed())
            m_card.notes.push_back("the easy question and its negation are not both answered rightly: scores of this model mean little");
        if (rung == Rung::text)
            m_card.notes.push_back("no probabilities: every score is one of two numbers");
        return {};
    }

    Result<void> tryStructured() {
        if (m_endpoint.text("prompt") == "plain")
            return {};
        Ladder ladder(m_client, m_card, m_endpoint);
        json body = ladder.chat({{"user", "Say Yes."}});
        body["max_tokens"] = 16;
        body["temperature"] = 0;
        body.update(ladder.oneOf({"carousel", "wheel"})); // words that the model would not say by itself
        json reply;
        CAROUSEL_ASSIGN(const Ending ending, m_client.ask({"POST", "/v1/chat/completions", body.dump()}, reply, m_control));
        if (!ending.reply)
            return {};
        const auto choices = choicesOf(reply, 1);
        m_card.structuredOutput = choices && (*choices)[0]->contains("message") &&
                                  Ladder::whichOf(textIn((*(*choices)[0])["message"], "content"), {"carousel", "wheel"});
        return {};
    }

    Result<void> tryEmbeddings() {
        json reply;
        CAROUSEL_ASSIGN(const Ending ending,
                        m_client.ask({"POST", "/v1/embeddings",
                                      json{{"model", m_card.model}, {"input", {"carousel"}}, {"encoding_format", "float"}}.dump()},
                                     reply, m_control));
        if (!ending.reply)
            return {};
        const auto vectors = vectorsIn(reply, 1);
        if (!vectors) {
            m_card.notes.push_back("embeddings: " + vectors.error());
            return {};
        }
        m_card.embeddingWidth = static_cast<int>(vectors->columns);
        double norm = 0;
        for (const float x : vectors->values)
            norm += static_cast<double>(x) * x;
        m_card.embeddingsNormalised = std::abs(norm - 1) < 1e-3;
        return {};
    }

    ServerClient& m_client;
    const Parameters& m_endpoint;
    const RunControl& m_control;
    ServerCard m_card;
};

} // namespace

Result<ServerCard> probe(ServerClient& client, const Parameters& endpoint, const RunControl& control) {
    auto card = Prober(client, endpoint, control).run();
    client.setProbing(false);
    return card;
}

} // namespace carousel::server
