// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/user_result_blob.h"
#include "store/blob.h"
#include <cmath>

namespace carousel::store {

namespace {
constexpr std::uint8_t blobVersion = 1;
template <class T> std::span<const T> view(const std::vector<T>& values) { return values; }
} // namespace

std::string encoded(const UserResult& result) {
    std::vector<Code> items;
    std::vector<float> scores;
    std::vector<std::uint8_t> status;
    items.reserve(result.slate.size());
    scores.reserve(result.slate.size());
    status.reserve(result.slate.size());
    for (const auto& entry : result.slate) {
        items.push_back(entry.item);
        scores.push_back(entry.score);
        status.push_back(static_cast<std::uint8_t>(entry.status));
    }
    ByteWriter out;
    out.put(blobVersion);
    out.put(result.user);
    out.putAll(view(result.targets));
    out.putAll(view(result.targetRank));
    out.putAll(view(result.targetTies));
    out.put(result.ranked);
    out.put(result.auc);
    out.putAll(view(items));
    out.putAll(view(scores));
    out.putAll(view(status));
    out.putAll(view(result.rankScore));
    out.put(static_cast<std::uint8_t>(result.fallback));
    out.put(result.invalid);
    const Cost& cost = result.cost;
    for (const auto count : {cost.modelCalls, cost.promptTokens, cost.sharedTokens, cost.generatedTokens, cost.cacheHits, cost.cacheMisses, cost.scoredCandidates})
        out.put(count);
    out.put(cost.modelSeconds);
    out.put(cost.seconds);
    out.put(checksum(out.bytes()));
    return out.take();
}

std::optional<UserResult> decoded(std::string_view cell) {
    if (cell.size() < 1 + sizeof(std::uint64_t) || static_cast<std::uint8_t>(cell[0]) != blobVersion)
        return std::nullopt;
    std::uint64_t stored = 0;
    const std::string_view body = cell.substr(0, cell.size() - sizeof stored);
    std::memcpy(&stored, cell.data() + body.size(), sizeof stored);
    if (stored != checksum(body))
        return std::nullopt;
    ByteReader in(body.substr(1));
    UserResult result;
    result.user = in.get<Code>();
    result.targets = in.getAll<Code>();
    result.targetRank = in.getAll<std::int32_t>();
    result.targetTies = in.getAll<std::int32_t>();
    result.ranked = in.get<std::int32_t>();
    result.auc = in.get<double>();
    const auto items = in.getAll<Code>();
    const auto scores = in.getAll<float>();
    const auto status = in.getAll<std::uint8_t>();
    result.rankScore = in.getAll<float>();
    result.fallback = in.get<std::uint8_t>() != 0;
    result.invalid = in.get<std::int32_t>();
    Cost& cost = result.cost;
    for (auto* count : {&cost.modelCalls, &cost.promptTokens, &cost.sharedTokens, &cost.generatedTokens, &cost.cacheHits, &cost.cacheMisses, &cost.scoredCandidates})
        *count = in.get<std::int64_t>();
    cost.modelSeconds = in.get<double>();
    cost.seconds = in.get<double>();
    if (!in.atEnd() || scores.size() != items.size() || status.size() != items.size())
        return std::nullopt;
    result.slate.resize(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (status[i] > static_cast<std::uint8_t>(ScoreStatus::fallback))
            return std::nullopt;
        result.slate[i] = {items[i], scores[i], static_cast<ScoreStatus>(status[i])};
    }
    return result;
}

Result<void> checkNumbers(const UserResult& result) {
    auto refused = [&](const std::string& where, double value) {
        return fail(ErrorKind::internal, "CL-4012", fmt::format("User {}: {} is {}, which is not a number that can be stored.", result.user, where, value),
                    "The scorer or controller that gave it must report a status instead; please report this.");
    };
    for (const auto& entry : result.slate)
        if (entry.status == ScoreStatus::ok && !std::isfinite(entry.score))
            return refused(fmt::format("the score of item {}", entry.item), entry.score);
    for (std::size_t i = 0; i < result.rankScore.size(); ++i)
        if (std::isnan(result.rankScore[i]))
            return refused(fmt::format("the rank score in slot {}", i), result.rankScore[i]);
    if (!std::isfinite(result.auc))
        return refused("the AUC", result.auc);
    if (!std::isfinite(result.cost.seconds) || !std::isfinite(result.cost.modelSeconds))
        return refused("the time taken", result.cost.seconds);
    return {};
}

} // namespace carousel::store
