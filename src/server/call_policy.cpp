// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/call_policy.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <curl/curl.h>

namespace carousel::server {

StatusMeaning meaningOf(long status) {
    if (status >= 200 && status < 300)
        return StatusMeaning::good;
    if (status == 501 || status == 505) // not offered: asking again does not help
        return StatusMeaning::everyItemFails;
    if (status == 408 || status == 409 || status == 425 || status == 429 || status >= 500)
        return StatusMeaning::tryAgain;
    if (status == 400 || status == 413 || status == 422)
        return StatusMeaning::thisItemFails;
    return StatusMeaning::everyItemFails;
}

double backoffSeconds(int triesMade, double first, double limit, RandomStream& random) {
    return random.uniform() * std::min(limit, first * std::pow(2.0, std::min(triesMade, 30)));
}

std::optional<double> retryAfterSeconds(const std::string& header, double nowUnixSeconds) {
    if (header.empty())
        return std::nullopt;
    if (const auto seconds = parseNumber(header))
        return *seconds >= 0 ? seconds : std::nullopt;
    const auto when = curl_getdate(header.c_str(), nullptr);
    if (when < 0)
        return std::nullopt;
    return std::max(0.0, static_cast<double>(when) - nowUnixSeconds);
}

CircuitBreaker::State CircuitBreaker::state(double now) {
    if (m_paused) {
        if (now < m_openUntil)
            return State::paused;
        m_paused = false; // a later run may try once; the first failure pauses again
        m_trialSent = false;
        m_failingSince.reset();
    }
    if (!m_open)
        return State::closed;
    if (now < m_openUntil || m_trialSent)
        return State::resting;
    return State::trial;
}

void CircuitBreaker::sent(double now) {
    if (state(now) == State::trial)
        m_trialSent = true;
}

void CircuitBreaker::succeeded(double) {
    m_last.push_back(false);
    if (m_last.size() > 20)
        m_last.pop_front();
    m_inARow = 0;
    m_failingSince.reset();
    if (m_open) {
        m_open = m_trialSent = false;
        m_rests = 0;
        m_last.clear();
    }
}

void CircuitBreaker::failed(double now) {
    if (!m_failingSince || now - m_lastFailure > m_patience) // what failed long ago says nothing about now
        m_failingSince = now;
    m_lastFailure = now;
    m_last.push_back(true);
    if (m_last.size() > 20)
        m_last.pop_front();
    ++m_inARow;
    const auto bad = std::count(m_last.begin(), m_last.end(), true);
    const bool trialFailed = m_open && m_trialSent;
    const bool tooMany = !m_open && (m_inARow >= 5 || (m_last.size() == 20 && bad >= 10));
    if (trialFailed || tooMany) {
        m_open = true;
        m_trialSent = false;
        m_openUntil = now + m_rest;
        ++m_rests;
    }
    if (m_rests >= 3 || now - *m_failingSince > m_patience) {
        m_paused = m_open = true;
        m_openUntil = now + m_rest;
        m_rests = 2;
    }
}

void TokenBucket::fill(double now) {
    m_tokens = std::min(m_room, m_tokens + std::max(0.0, now - m_time) * m_perSecond);
    m_time = now;
}

double TokenBucket::waitSeconds(double now) {
    if (m_perSecond <= 0)
        return 0;
    fill(now);
    return m_tokens >= 1 ? 0 : (1 - m_tokens) / m_perSecond;
}

void TokenBucket::take(double now) {
    if (m_perSecond <= 0)
        return;
    fill(now);
    m_tokens -= 1;
}

std::optional<std::string> Budget::exhausted(const Usage& used, std::int64_t callsUnderWay) const {
    if (calls > 0 && used.calls + callsUnderWay >= calls)
        return fmt::format("{} of {} requests", used.calls + callsUnderWay, calls);
    if (tokens > 0 && used.promptTokens + used.answerTokens >= tokens)
        return fmt::format("{} of {} tokens", used.promptTokens + used.answerTokens, tokens);
    if (money > 0 && used.money >= money)
        return fmt::format("{:.4g} of {:.4g} in money", used.money, money);
    return std::nullopt;
}

} // namespace carousel::server
