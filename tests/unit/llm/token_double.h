// SPDX-License-Identifier: GPL-3.0-or-later
// A tokenizer of a few given tokens (the longest that fits comes first) and a model whose logits are a hash of what came before: small
// enough that every answer can be listed.
#pragma once
#include "base/hash.h"
#include "llm/generation/token_search.h"
#include "llm/tokenizer.h"
#include <cmath>

namespace carousel {

class TokenDouble final : public Tokenizer {
public:
    std::vector<std::string> tokens; // by id; the last one is the control token "<end>"

    explicit TokenDouble(std::vector<std::string> words) : tokens(std::move(words)) { tokens.emplace_back("<end>"); }
    // All 256 bytes, then some longer ones.
    static TokenDouble ofBytesAnd(const std::vector<std::string>& longer) {
        std::vector<std::string> words;
        for (int byte = 0; byte < 256; ++byte)
            words.emplace_back(1, static_cast<char>(byte));
        words.insert(words.end(), longer.begin(), longer.end());
        return TokenDouble(std::move(words));
    }
    TokenId end() const { return static_cast<TokenId>(tokens.size() - 1); }
    std::vector<TokenId> encode(std::string_view text) const override {
        std::vector<TokenId> ids;
        while (!text.empty()) {
            std::size_t best = tokens.size(), length = 0;
            for (std::size_t i = 0; i + 1 < tokens.size(); ++i)
                if (tokens[i].size() > length && text.substr(0, tokens[i].size()) == tokens[i])
                    best = i, length = tokens[i].size();
            if (length == 0)
                return {};
            ids.push_back(static_cast<TokenId>(best));
            text.remove_prefix(length);
        }
        return ids;
    }
    std::optional<TokenId> control(std::string_view name) const override { return name == "<end>" ? std::optional(end()) : std::nullopt; }
    std::string decodeBytes(std::span<const TokenId> ids) const override {
        std::string text;
        for (const TokenId id : ids)
            text += tokens.at(static_cast<std::size_t>(id));
        return text;
    }
    std::size_t vocabularySize() const override { return tokens.size(); }
};

// The logit of `token` after `before`: between -3 and 3, the same for the same seed.
inline float hashedLogit(std::uint64_t seed, std::span<const TokenId> before, TokenId token) {
    std::uint64_t hash = seed * 0x9E3779B97F4A7C15ull + 1;
    const auto mix = [&](std::uint64_t value) {
        hash ^= value + 0x9E3779B97F4A7C15ull + (hash << 6) + (hash >> 2);
        hash *= 0xBF58476D1CE4E5B9ull;
        hash ^= hash >> 29;
    };
    for (const TokenId id : before)
        mix(static_cast<std::uint64_t>(id));
    mix(1000003u + static_cast<std::uint64_t>(token));
    return static_cast<float>(hash % 6001) / 1000.0f - 3.0f;
}
inline NextLogits hashedModel(std::uint64_t seed, std::size_t vocabulary) {
    return [=](std::span<const std::vector<TokenId>> answers, const RunControl&) -> Result<Matrix> {
        Matrix logits(answers.size(), vocabulary);
        for (std::size_t i = 0; i < answers.size(); ++i)
            for (std::size_t token = 0; token < vocabulary; ++token)
                logits.row(i)[token] = hashedLogit(seed, answers[i], static_cast<TokenId>(token));
        return logits;
    };
}
inline double hashedLogProbability(std::uint64_t seed, std::size_t vocabulary, std::span<const TokenId> before, TokenId token) {
    double sum = 0;
    for (std::size_t i = 0; i < vocabulary; ++i)
        sum += std::exp(double(hashedLogit(seed, before, static_cast<TokenId>(i))));
    return hashedLogit(seed, before, token) - std::log(sum);
}

} // namespace carousel
