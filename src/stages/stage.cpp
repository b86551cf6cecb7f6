// SPDX-License-Identifier: GPL-3.0-or-later
// Names of the four places and of score states, and the arithmetic of costs.
#include "stages/stage.h"

namespace carousel {

const char* name(StageKind kind) {
    switch (kind) {
    case StageKind::feature:
        return "feature";
    case StageKind::encoder:
        return "encoder";
    case StageKind::scorer:
        return "scorer";
    case StageKind::controller:
        return "controller";
    }
    return "unknown";
}

const char* name(ScoreStatus status) {
    switch (status) {
    case ScoreStatus::ok:
        return "ok";
    case ScoreStatus::invalid:
        return "invalid";
    case ScoreStatus::missing:
        return "missing";
    case ScoreStatus::truncated:
        return "truncated";
    case ScoreStatus::fallback:
        return "fallback";
    }
    return "unknown";
}

Cost& Cost::operator+=(const Cost& other) {
    modelCalls += other.modelCalls;
    promptTokens += other.promptTokens;
    sharedTokens += other.sharedTokens;
    generatedTokens += other.generatedTokens;
    cacheHits += other.cacheHits;
    cacheMisses += other.cacheMisses;
    scoredCandidates += other.scoredCandidates;
    modelSeconds += other.modelSeconds;
    seconds += other.seconds;
    return *this;
}

Cost Cost::operator-(const Cost& other) const {
    Cost out = *this;
    out.modelCalls -= other.modelCalls;
    out.promptTokens -= other.promptTokens;
    out.sharedTokens -= other.sharedTokens;
    out.generatedTokens -= other.generatedTokens;
    out.cacheHits -= other.cacheHits;
    out.cacheMisses -= other.cacheMisses;
    out.scoredCandidates -= other.scoredCandidates;
    out.modelSeconds -= other.modelSeconds;
    out.seconds -= other.seconds;
    return out;
}

void CostMeter::add(const Cost& cost) {
    const std::lock_guard lock(m_mutex);
    m_total += cost;
}

Cost CostMeter::total() const {
    const std::lock_guard lock(m_mutex);
    return m_total;
}

} // namespace carousel
