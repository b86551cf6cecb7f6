// SPDX-License-Identifier: GPL-3.0-or-later
// Calls of one server with everything that makes them safe to leave alone: tries, pauses, rests, budgets, counted use. Replies are JSON
// that has been read strictly. Not safe from several threads; the owner serialises.
#pragma once
#include "base/parameters.h"
#include "base/run_control.h"
#include "server/call_policy.h"
#include "server/http_client.h"
#include <nlohmann/json.hpp>

namespace carousel::server {

// Depth at most 64, no key twice in an object, no numbers beyond a double, valid UTF-8; the problem in words.
tl::expected<nlohmann::json, std::string> strictJson(const std::string& text);
// What an error body says, whatever its shape (OpenAI, vLLM, Ollama, TGI), for a message; at most 300 characters.
std::string messageOf(const std::string& body);

struct Call {
    HttpRequest request;
    std::size_t tag = 0; // the caller's
    int triesMade = 0;
    double notBefore = 0; // on the client's clock
    std::string lastTrouble;
};

// What a call came to. A failed one is final: all its tries are used, or trying again cannot help.
struct Ending {
    const nlohmann::json* reply = nullptr; // null: failed
    StatusMeaning meaning = StatusMeaning::good;
    long status = 0;    // 0: no reply came
    std::string reason; // of a failure: quoted, without the key
};

class ServerClient {
public:
    // `endpoint` has been through checkedEndpoint(); the key is for this server alone.
    ServerClient(ServerUrl url, SecretKey key, const Parameters& endpoint);

    // Takes an ending in order of arrival. A text says why a reply is unusable as a whole: it is asked for again while tries are left.
    // Calls put into `more` are sent too (halves of a refused batch). An error ends everything.
    using Handler = std::function<Result<std::string>(const Call& call, const Ending& ending, std::vector<Call>& more)>;
    // Errors of kind partial, after which the same work can be taken up again: CL-2110 the server fails, CL-2111 it asks for a longer pause
    // than allowed, CL-2112 a budget is used up, CL-2113 it refuses every request. CL-7001 cancelled. What was under way when it ends is
    // waited for where a budget ended it, and dropped otherwise.
    Result<void> send(std::vector<Call> calls, const Handler& handler, const RunControl& control);
    // One call. The ending's reply points into `reply`.
    Result<Ending> ask(const HttpRequest& request, nlohmann::json& reply, const RunControl& control);

    // While a server is asked what it can do, HTTP 500 is an answer (some give it where something is not offered): it is not tried again
    // and does not count as trouble.
    void setProbing(bool on) { m_probing = on; }
    // An ending that makes going on pointless (401, 403, 404, a redirect, a web page): CL-2106.
    Error refusal(const Ending& ending) const;
    const Usage& usage() const { return m_usage; }
    Usage& usage() { return m_usage; }
    const ServerUrl& url() const { return m_http.url(); }

private:
    struct Round;
    double now() const;
    Error paused(const char* code, const std::string& why) const;
    std::optional<std::string> read(const HttpReply& reply, nlohmann::json& out, Ending& ending) const;
    void count(const nlohmann::json& reply);
    Result<void> startWhatMay(Round& round);
    double secondsToRest(const Round& round);
    Result<void> take(Round& round, std::size_t id, HttpReply reply);

    SecretKey m_key;
    HttpClient m_http;
    CircuitBreaker m_breaker;
    TokenBucket m_bucket;
    Concurrency m_concurrency;
    Budget m_budget;
    Usage m_usage;
    RandomStream m_random;
    int m_tries;
    double m_backoff, m_backoffLimit, m_retryAfterLimit, m_priceInput, m_priceCached, m_priceOutput;
    double m_holdUntil = 0; // Retry-After holds all requests
    int m_refusedInARow = 0;
    bool m_probing = false;
};

} // namespace carousel::server
