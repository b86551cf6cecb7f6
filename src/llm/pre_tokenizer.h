// SPDX-License-Identifier: GPL-3.0-or-later
// The cutting of text into pieces inside which byte-level merging works. Each rule is a regular expression in the files that models come
// with; here each is a scanner for it, compared with the expressions by tests/reference/tokens.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace carousel {

enum class PreTokenizer {
    gpt2,   // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    smollm, // every \p{N} alone first, then gpt2
    llama3, // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
    qwen2   // as llama3, with \p{N} instead of \p{N}{1,3}
};

// By the names of tokenizer.ggml.pre: "gpt-2", "smollm", "llama-bpe", "qwen2" and their synonyms; nothing for others.
std::optional<PreTokenizer> preTokenizerNamed(std::string_view name);
constexpr const char* preTokenizerNames = "'gpt-2', 'smollm', 'llama-bpe' and 'qwen2'"; // for messages
// By the regular expression of a "Split" in tokenizer.json, which must be one of the two above to the letter.
std::optional<PreTokenizer> preTokenizerOfExpression(std::string_view expression);

// The pieces in order; together they are the text. Bad UTF-8 counts as one "other" character per byte.
std::vector<std::string_view> piecesOf(PreTokenizer rule, std::string_view text);

} // namespace carousel
