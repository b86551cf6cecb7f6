// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/server_client.h"
#include "base/text.h"
#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <set>

namespace carousel::server {

using nlohmann::json;

namespace {

constexpr int refusalsUntilPause = 20;

HttpLimits limitsOf(const Parameters& endpoint) {
    HttpLimits limits;
    limits.connectSeconds = endpoint.number("connect_seconds");
    limits.firstByteSeconds = endpoint.number("first_byte_seconds");
    limits.replySeconds = endpoint.number("reply_seconds");
    return limits;
}

std::int64_t countIn(const json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

} // namespace

tl::expected<json, std::string> strictJson(const std::string& text) {
    std::vector<std::set<std::string>> keys;
    std::string problem;
    auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth > 64 && problem.empty())
            problem = "it is nested deeper than 64 levels";
        if (event == json::parse_event_t::object_start)
            keys.emplace_back();
        else if (event == json::parse_event_t::object_end && !keys.empty())
            keys.pop_back();
        else if (event == json::parse_event_t::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second &&
                 problem.empty())
            problem = fmt::format("the key {} stands twice in one object", quotedForMessage(parsed.get<std::string>(), 40));
        return problem.empty();
    };
    try {
        json out = json::parse(text, watch);
        if (!problem.empty())
            return tl::unexpected<std::string>(problem);
        return out;
    } catch (const json::exception& error) {
        return tl::unexpected<std::string>(fmt::format("it is not JSON ({})", quotedForMessage(error.what(), 160)));
    }
}

std::string messageOf(const std::string& body) {
    const auto parsed = strictJson(body);
    if (!parsed || !parsed->is_object())
        return quotedForMessage(trimmed(body), 160);
    const json& object = *parsed;
    auto textAt = [](const json& at, const char* key) {
        const auto it = at.find(key);
        return it == at.end()    ? std::string()
               : it->is_string() ? it->get<std::string>()
                                 : it->dump(-1, ' ', false, json::error_handler_t::replace);
    };
    std::string message;
    if (const auto error = object.find("error"); error != object.end() && error->is_object())
        message = textAt(*error, "message");
    else
        message = textAt(object, "error");
    for (const char* key : {"message", "detail"})
        if (message.empty())
            message = textAt(object, key);
    return quotedForMessage(message.empty() ? body : message, 300);
}

// Work of one send().
struct ServerClient::Round {
    std::deque<Call> waiting;
    std::map<std::size_t, Call> underWay;
    const Handler& handler;
    std::size_t nextId = 0;
    std::optional<Error> drained; // what to end with when all that is under way has come
};

ServerClient::ServerClient(ServerUrl url, SecretKey key, const Parameters& endpoint)
    : m_key(std::move(key)), m_http(std::move(url), m_key, limitsOf(endpoint)),
      m_breaker(endpoint.number("breaker_seconds"), 2 * endpoint.number("reply_seconds")),
      m_bucket(static_cast<double>(endpoint.integer("requests_per_minute"))),
      m_concurrency(static_cast<int>(endpoint.integer("concurrency"))), m_budget{endpoint.integer("budget_calls"),
                                                                                 endpoint.integer("budget_tokens"),
                                                                                 endpoint.number("budget_money")},
      m_random(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()), "server-backoff"),
      m_tries(static_cast<int>(endpoint.integer("tries"))), m_backoff(endpoint.number("backoff_seconds")),
      m_backoffLimit(endpoint.number("backoff_limit_seconds")), m_retryAfterLimit(endpoint.number("retry_after_limit_seconds")),
      m_priceInput(endpoint.number("price_input")), m_priceCached(endpoint.number("price_cached")),
      m_priceOutput(endpoint.number("price_output")) {}

double ServerClient::now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Error ServerClient::paused(const char* code, const std::string& why) const {
    return {ErrorKind::partial, code, fmt::format("The server {} pauses the work: {}.", m_http.url().origin.text(), why),
            "What was answered is kept and is not paid for again; go on with `resume` when the server can."};
}

Error ServerClient::refusal(const Ending& ending) const {
    std::string hint = "See `endpoint test`, which shows what the server offers.";
    if (ending.status == 401 || ending.status == 403)
        hint = "Set the environment variable that api_key_env names, or the desktop's key store (`endpoint key set`), to a key that the server accepts.";
    else if (ending.status == 404)
        hint = "Check url and model; `endpoint test` lists the models.";
    else if (ending.status >= 300 && ending.status < 400)
        hint = "Redirects are not followed, since the key would go along; write the address it leads to as url.";
    return {ErrorKind::input, "CL-2106", fmt::format("The server {} refuses: {}.", m_http.url().origin.text(), ending.reason), hint};
}

// Fills `ending` from what came; the text tells why trying again may help.
std::optional<std::string> ServerClient::read(const HttpReply& reply, json& out, Ending& ending) const {
    // Some servers repeat what they were sent. Before anything of it is cut or quoted: half a key would not be found any more.
    const std::string body = m_key.removedFrom(reply.body);
    ending.status = reply.outcome == HttpOutcome::reply ? reply.status : 0;
    auto failed = [&](StatusMeaning meaning, const std::string& reason) -> std::optional<std::string> {
        ending.meaning = meaning;
        ending.reason = m_key.removedFrom(reason);
        if (meaning == StatusMeaning::tryAgain)
            return ending.reason;
        return std::nullopt;
    };
    if (reply.outcome == HttpOutcome::refusedAddress)
        return failed(StatusMeaning::everyItemFails, reply.trouble);
    if (reply.outcome == HttpOutcome::tooLarge) // it would be as large again
        return failed(StatusMeaning::thisItemFails, reply.trouble);
    if (reply.outcome != HttpOutcome::reply)
        return failed(StatusMeaning::tryAgain, reply.trouble);
    if (const auto meaning = meaningOf(reply.status); meaning != StatusMeaning::good) {
        if (reply.status >= 300 && reply.status < 400)
            return failed(meaning, fmt::format("HTTP {}, a redirect, which is never followed", reply.status));
        return failed(m_probing && reply.status == 500 ? StatusMeaning::thisItemFails : meaning,
                      fmt::format("HTTP {}: {}", reply.status, messageOf(body)));
    }
    const std::string type = lowered(reply.contentType);
    if (type.find("html") != std::string::npos)
        return failed(StatusMeaning::everyItemFails, "a web page came where JSON should; this is not the address of an API");
    if (type.find("json") == std::string::npos)
        return failed(StatusMeaning::tryAgain,
                      fmt::format("the reply's content type is '{}', not JSON", quotedForMessage(reply.contentType, 60)));
    if (trimmed(body).empty())
        return failed(StatusMeaning::tryAgain, "the reply is empty");
    auto parsed = strictJson(body);
    if (!parsed)
        return failed(StatusMeaning::tryAgain, "the reply cannot be used: " + parsed.error());
    if (!parsed->is_object() && !parsed->is_array())
        return failed(StatusMeaning::tryAgain, "the reply is neither a JSON object nor a list");
    if (parsed->is_object() && parsed->contains("error") && !(*parsed)["error"].is_null())
        return failed(StatusMeaning::tryAgain, "the reply is an error under HTTP 200: " + messageOf(body));
    if (parsed->is_object() && parsed->contains("usage") && (*parsed)["usage"].is_object())
        for (const char* key : {"prompt_tokens", "completion_tokens", "total_tokens"})
            if (countIn((*parsed)["usage"], key) < 0)
                return failed(StatusMeaning::tryAgain, fmt::format("the reply counts {} {}", countIn((*parsed)["usage"], key), key));
    out = std::move(*parsed);
    ending.meaning = StatusMeaning::good;
    ending.reply = &out;
    return std::nullopt;
}

void ServerClient::count(const json& reply) {
    std::int64_t prompt = 0, answer = 0, cached = 0;
    if (reply.is_object()) {
        if (const auto usage = reply.find("usage"); usage != reply.end() && usage->is_object()) {
            prompt = countIn(*usage, "prompt_tokens");
            answer = countIn(*usage, "completion_tokens");
            if (const auto details = usage->find("prompt_tokens_details"); details != usage->end() && details->is_object())
                cached = countIn(*details, "cached_tokens");
        }
    } else {
        for (const auto& entry : reply)
            if (entry.is_object() && entry.contains("meta_info") && entry["meta_info"].is_object()) {
                prompt += countIn(entry["meta_info"], "prompt_tokens");
                answer += countIn(entry["meta_info"], "completion_tokens");
                cached += countIn(entry["meta_info"], "cached_tokens");
            }
    }
    cached = std::clamp<std::int64_t>(cached, 0, prompt);
    m_usage.promptTokens += prompt;
    m_usage.answerTokens += answer;
    m_usage.cachedTokens += cached;
    m_usage.money += (static_cast<double>(prompt - cached) * m_priceInput + static_cast<double>(cached) * m_priceCached +
                      static_cast<double>(answer) * m_priceOutput) /
                     1e6;
}

Result<void> ServerClient::startWhatMay(Round& round) {
    while (!round.waiting.empty() && !round.drained && round.underWay.size() < m_concurrency.now()) {
        const double time = now();
        const auto state = m_breaker.state(time);
        if (state == CircuitBreaker::State::paused) {
            const auto& trouble = round.waiting.front().lastTrouble;
            return fail(paused("CL-2110", trouble.empty() ? "it has failed too often" : "it fails again and again, at last: " + trouble));
        }
        if (state == CircuitBreaker::State::resting || time < m_holdUntil || m_bucket.waitSeconds(time) > 0)
            return {};
        if (state == CircuitBreaker::State::trial && !round.underWay.empty())
            return {};
        const auto next =
            std::find_if(round.waiting.begin(), round.waiting.end(), [&](const Call& call) { return call.notBefore <= time; });
        if (next == round.waiting.end())
            return {};
        if (const auto used = m_budget.exhausted(m_usage, static_cast<std::int64_t>(round.underWay.size()))) {
            round.drained = paused("CL-2112", "the budget is used up (" + *used + ")");
            return {};
        }
        CAROUSEL_TRY(m_http.start(round.nextId, next->request));
        m_breaker.sent(time);
        m_bucket.take(time);
        round.underWay.emplace(round.nextId++, std::move(*next));
        round.waiting.erase(next);
    }
    return {};
}

Result<void> ServerClient::take(Round& round, std::size_t id, HttpReply reply) {
    const auto entry = round.underWay.find(id);
    if (entry == round.underWay.end())
        return {};
    Call call = std::move(entry->second);
    round.underWay.erase(entry);
    ++call.triesMade;
    ++m_usage.calls;
    const double time = now();
    json parsed;
    Ending ending;
    auto trouble = read(reply, parsed, ending);
    std::vector<Call> more;
    if (ending.reply) {
        count(parsed);
        CAROUSEL_ASSIGN(const std::string unusable, round.handler(call, ending, more));
        if (!unusable.empty()) {
            trouble = m_key.removedFrom(unusable);
            ending = {nullptr, StatusMeaning::tryAgain, ending.status, *trouble};
        }
    }
    if (ending.reply) {
        m_breaker.succeeded(time);
        m_concurrency.succeeded();
        m_refusedInARow = 0;
    } else {
        ++m_usage.failedTries;
        if (ending.meaning == StatusMeaning::tryAgain)
            m_breaker.failed(time);
        if (ending.status == 429 || ending.status == 503)
            m_concurrency.overloaded();
        if (ending.meaning == StatusMeaning::thisItemFails && ++m_refusedInARow >= refusalsUntilPause)
            return fail(paused("CL-2113", fmt::format("it refused {} requests in a row, at last: {}", m_refusedInARow, ending.reason)));
    }
    if (trouble) {
        call.lastTrouble = *trouble;
        double wait = backoffSeconds(call.triesMade - 1, m_backoff, m_backoffLimit, m_random);
        if (const auto asked = retryAfterSeconds(reply.retryAfter, static_cast<double>(std::time(nullptr)));
            asked && ending.status != 200) {
            if (*asked > m_retryAfterLimit) {
                if (!round.drained)
                    round.drained = paused("CL-2111", fmt::format("it asks to wait {:.0f} s, more than retry_after_limit_seconds = {:g}",
                                                                  *asked, m_retryAfterLimit));
            } else {
                wait = std::max(wait, *asked);
                m_holdUntil = std::max(m_holdUntil, time + *asked);
            }
        }
        if (call.triesMade < m_tries) {
            call.notBefore = time + wait;
            round.waiting.push_front(std::move(call));
        } else {
            ending.reason = fmt::format("{} ({} tries)", ending.reason, call.triesMade);
            CAROUSEL_TRY(round.handler(call, ending, more));
        }
    } else if (!ending.reply) {
        CAROUSEL_TRY(round.handler(call, ending, more));
    }
    for (auto& extra : more)
        round.waiting.push_front(std::move(extra));
    return {};
}

// Until a waiting call may go, in pieces that leave room to see a stop.
double ServerClient::secondsToRest(const Round& round) {
    constexpr double shortest = 0.0002, longest = 0.02;
    const double time = now();
    double until = round.waiting.front().notBefore;
    for (const Call& call : round.waiting)
        until = std::min(until, call.notBefore);
    until = std::max({until, m_holdUntil, time + m_bucket.waitSeconds(time)});
    if (m_breaker.state(time) == CircuitBreaker::State::resting)
        until = std::max(until, m_breaker.restEnds());
    return std::clamp(until - time, shortest, longest);
}

Result<void> ServerClient::send(std::vector<Call> calls, const Handler& handler, const RunControl& control) {
    Round round{{std::make_move_iterator(calls.begin()), std::make_move_iterator(calls.end())}, {}, handler, 0, {}};
    auto all = [&]() -> Result<void> {
        while (true) {
            if (control.stopRequested()) {
                // What is nearly there is paid for: a moment of patience, then it is dropped.
                for (const auto until = now() + 0.5; now() < until && !round.underWay.empty();) {
                    round.waiting.clear();
                    for (auto& [id, reply] : m_http.finished(50))
                        CAROUSEL_TRY(take(round, id, std::move(reply)));
                }
                return fail(RunControl::cancelled("The server's answers"));
            }
            CAROUSEL_TRY(startWhatMay(round));
            if (round.underWay.empty()) {
                if (round.drained)
                    return fail(*round.drained);
                if (round.waiting.empty())
                    return {};
            }
            // finished() returns at once when nothing is under way: wait by hand then.
            if (round.underWay.empty()) {
                struct timespec nap {
                    0, static_cast<long>(1e9 * secondsToRest(round))
                };
                ::nanosleep(&nap, nullptr);
                continue;
            }
            for (auto& [id, reply] : m_http.finished(40))
                CAROUSEL_TRY(take(round, id, std::move(reply)));
        }
    };
    auto done = all();
    m_http.drop();
    return done;
}

Result<Ending> ServerClient::ask(const HttpRequest& request, json& reply, const RunControl& control) {
    Ending out;
    CAROUSEL_TRY(send(
        {Call{request, 0, 0, 0, {}}},
        [&](const Call&, const Ending& ending, std::vector<Call>&) -> Result<std::string> {
            out = ending;
            if (ending.reply) {
                reply = *ending.reply;
                out.reply = &reply;
            }
            return std::string();
        },
        control));
    return out;
}

} // namespace carousel::server
