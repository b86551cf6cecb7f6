// SPDX-License-Identifier: GPL-3.0-or-later
// The model file of SentencePiece (a serialised ModelProto), checked before its library sees it, and written for it from the tables of a
// GGUF file. Field numbers: sentencepiece_model.proto of the SentencePiece project.
#pragma once
#include "base/result.h"
#include "llm/gguf.h"
#include <string>
#include <string_view>

namespace carousel {

// What the library does not check by itself: wire format, sizes, finite scores, known types, UTF-8 pieces, and that the character map's
// trie never points outside itself (the library follows it unchecked). CL-2065 naming the file and what is wrong.
Result<void> checkSentencePieceModel(std::string_view bytes, const std::string& where);

// tokenizer.ggml.model "llama" (merging by score) or "t5" (unigram), with tokens, scores, token_type, add_space_prefix,
// remove_extra_whitespaces, precompiled_charsmap. CL-2060 another model, CL-2061 tables that do not fit together, CL-2065.
Result<std::string> sentencePieceModel(const GgufFile& file);

// What is appended to a serialised model so that no blank is put before a text: fields that come later win.
constexpr std::string_view withoutBlankBefore{"\x1A\x02\x18\x00", 4};

} // namespace carousel
