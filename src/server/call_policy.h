// SPDX-License-Identifier: GPL-3.0-or-later
// When to try again, when to rest and when to stop: plain arithmetic on seconds that the caller reads from its clock, so that tests need
// not wait.
#pragma once
#include "base/random.h"
#include "base/result.h"
#include <deque>
#include <optional>

namespace carousel::server {

// What a status means for the request that got it.
enum class StatusMeaning { good, tryAgain, thisItemFails, everyItemFails };
StatusMeaning meaningOf(long status); // 2xx; 408 409 425 429 5xx; 400 413 422; the rest (401, 403, 404, 3xx, 501 ...)

// Full jitter (Brooker, "Exponential backoff and jitter", 2015): uniform in [0, min(limit, first * 2^tries)].
double backoffSeconds(int triesMade, double first, double limit, RandomStream& random);

// Retry-After as seconds or as an HTTP date; nothing when it is neither.
std::optional<double> retryAfterSeconds(const std::string& header, double nowUnixSeconds);

// Rests a server that fails: 5 failures in a row, or half of the last 20, then `rest` seconds without a request, then one trial. At the
// third rest without a success between them, or after `patience` seconds of failures alone, the run is to be paused.
class CircuitBreaker {
public:
    CircuitBreaker(double restSeconds, double patienceSeconds) : m_rest(restSeconds), m_patience(patienceSeconds) {}
    enum class State { closed, resting, trial, paused };
    State state(double now); // trial: one request may go, see sent()
    void sent(double now);   // a request was sent
    void succeeded(double now);
    void failed(double now);
    double restEnds() const { return m_openUntil; }

private:
    double m_rest, m_patience;
    std::deque<bool> m_last; // true: failed; newest last, at most 20
    int m_inARow = 0, m_rests = 0;
    bool m_open = false, m_trialSent = false, m_paused = false;
    double m_openUntil = 0, m_lastFailure = 0;
    std::optional<double> m_failingSince; // first failure after the last success
};

// At most `perMinute` requests in any minute on the long run, in bursts of at most one tenth of that. 0: no limit.
class TokenBucket {
public:
    explicit TokenBucket(double perMinute)
        : m_perSecond(perMinute / 60), m_room(perMinute / 10 < 1 ? 1 : perMinute / 10), m_tokens(m_room) {}
    double waitSeconds(double now); // until the next request may go
    void take(double now);

private:
    void fill(double now);
    double m_perSecond, m_room, m_tokens, m_time = 0;
};

// What was used, and what may be.
struct Usage {
    std::int64_t calls = 0, failedTries = 0, promptTokens = 0, cachedTokens = 0, answerTokens = 0, scored = 0, missing = 0, censored = 0;
    double money = 0;
};
struct Budget {
    std::int64_t calls = 0, tokens = 0; // 0: no limit
    double money = 0;
    // In words what is used up, or nothing.
    std::optional<std::string> exhausted(const Usage& used, std::int64_t callsUnderWay) const;
};

// Requests under way: grows by one for each round of successes, halves when the server says that it has too many; never above the limit.
class Concurrency {
public:
    explicit Concurrency(int limit) : m_limit(limit), m_now(limit) {}
    std::size_t now() const { return static_cast<std::size_t>(m_now < 1 ? 1 : m_now); }
    void succeeded() { m_now = m_now + 1 / m_now > m_limit ? m_limit : m_now + 1 / m_now; }
    void overloaded() { m_now = m_now / 2 < 1 ? 1 : m_now / 2; }

private:
    double m_limit, m_now;
};

} // namespace carousel::server
