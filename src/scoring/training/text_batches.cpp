// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/text_batches.h"
#include "base/parallel.h"
#include "base/random.h"
#include <algorithm>
#include <numeric>

namespace carousel {

Result<TokenPairs> tokenPairs(const Tokenizer& tokenizer, const std::vector<TextPair>& pairs, std::int64_t sourceLimit,
                              std::int64_t targetLimit, TokenId end, const RunControl& control) {
    TokenPairs out;
    out.sources.resize(pairs.size());
    out.targets.resize(pairs.size());
    parallelFor(pairs.size(), 256, [&](std::size_t begin, std::size_t last) {
        for (std::size_t i = begin; i < last && !control.stopRequested(); ++i) {
            out.sources[i] = tokenizer.encode(pairs[i].source);
            out.targets[i] = tokenizer.encode(pairs[i].target);
        }
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("reading pairs of texts"));
    const auto sourceRoom = static_cast<std::size_t>(sourceLimit - 1), targetRoom = static_cast<std::size_t>(targetLimit);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        auto& source = out.sources[i];
        auto& target = out.targets[i];
        if (target.empty())
            return fail(ErrorKind::usage, "CL-2174", fmt::format("The target of pair {} has no tokens.", i + 1),
                        "Give a target with characters that the tokenizer knows.");
        if (source.size() > sourceRoom) {
            source.erase(source.begin(), source.end() - static_cast<std::ptrdiff_t>(sourceRoom));
            ++out.cutSources;
        }
        source.push_back(end);
        if (target.size() + 1 > targetRoom) {
            target.resize(targetRoom);
            ++out.cutTargets;
        } else {
            target.push_back(end);
        }
        out.weights.push_back(pairs[i].weight);
        out.groups.push_back(pairs[i].group);
    }
    return out;
}

namespace {

// Cuts a stretch of the order into batches.
void cut(const TokenPairs& pairs, std::span<const std::size_t> order, std::int64_t tokens, std::vector<std::vector<std::size_t>>& batches) {
    std::size_t longestSource = 0, longestTarget = 0;
    std::vector<std::size_t> batch;
    for (const std::size_t pair : order) {
        longestSource = std::max(longestSource, pairs.sources[pair].size());
        longestTarget = std::max(longestTarget, pairs.targets[pair].size());
        if (!batch.empty() && static_cast<std::int64_t>((batch.size() + 1) * (longestSource + longestTarget)) > tokens) {
            batches.push_back(std::move(batch));
            batch.clear();
            longestSource = pairs.sources[pair].size();
            longestTarget = pairs.targets[pair].size();
        }
        batch.push_back(pair);
    }
    if (!batch.empty())
        batches.push_back(std::move(batch));
}

void sortByLength(const TokenPairs& pairs, std::span<std::size_t> order) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(pairs.sources[a].size(), pairs.targets[a].size()) < std::pair(pairs.sources[b].size(), pairs.targets[b].size());
    });
}

template <class T> void shuffle(std::vector<T>& values, RandomStream& random) {
    for (std::size_t left = values.size(); left > 1; --left)
        std::swap(values[left - 1], values[random.below(left)]);
}

} // namespace

std::vector<std::vector<std::size_t>> shuffledBatches(const TokenPairs& pairs, std::int64_t tokens, std::uint64_t seed, int epoch) {
    RandomStream random(seed, "text batches", static_cast<std::uint64_t>(epoch));
    std::vector<std::size_t> order(pairs.sources.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    shuffle(order, random);
    constexpr std::int64_t stretch = 32;
    std::vector<std::vector<std::size_t>> batches;
    for (std::size_t begin = 0; begin < order.size();) {
        std::int64_t inside = 0;
        std::size_t end = begin;
        while (end < order.size() && inside < stretch * tokens)
            inside += pairs.tokensOf(order[end++]);
        const auto part = std::span(order).subspan(begin, end - begin);
        sortByLength(pairs, part);
        cut(pairs, part, tokens, batches);
        begin = end;
    }
    shuffle(batches, random);
    return batches;
}

std::vector<std::vector<std::size_t>> batchesByLength(const TokenPairs& pairs, std::int64_t tokens) {
    std::vector<std::size_t> order(pairs.sources.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    sortByLength(pairs, order);
    std::vector<std::vector<std::size_t>> batches;
    cut(pairs, order, tokens, batches);
    return batches;
}

} // namespace carousel
