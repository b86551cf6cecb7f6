// SPDX-License-Identifier: GPL-3.0-or-later
// The tokenizer of a T5 folder: its spiece.model and the places for masked spans, which stand behind the pieces.
#pragma once
#include "llm/sentence_piece.h"
#include "llm/t5_shape.h"

namespace carousel {

// CL-2066: no spiece.model; CL-2065: one that cannot be used; CL-2037: more tokens than the weights have rows.
Result<std::shared_ptr<const SentencePiece>> t5Tokenizer(const std::string& folder, const T5Shape& shape);

// For each id below `vocabulary`: 1 where the token begins a word, that is, with a blank.
std::vector<std::uint8_t> wordBeginnings(const Tokenizer& tokenizer, std::int64_t vocabulary);

} // namespace carousel
