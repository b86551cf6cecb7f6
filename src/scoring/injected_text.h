// SPDX-License-Identifier: GPL-3.0-or-later
// Text with vectors in it as token ids: what stands between the marks (U+FFFC) is read as usual, each mark becomes the id under which the
// decoder knows the next row. Equal rows have equal ids, so prompts share what they begin with exactly where their rows are equal.
#pragma once
#include "scoring/prompt_fit.h"
#include <functional>
#include <span>

namespace carousel {

using InjectRow = std::function<Result<TokenId>(std::span<const float>)>; // CL-2096 for a row of another width or not finite

// Of text that goes on after other text. CL-2096 unless there are as many marks as rows.
Result<std::vector<TokenId>> encodeWithRows(const Tokenizer& tokenizer, std::string_view text, const Matrix& rows, const InjectRow& inject);
// As openPrompt with blanks held back, with the marks of the last message.
Result<OpenPrompt> openPromptWithRows(const ChatTemplate& chat, std::vector<ChatMessage> messages, const Matrix& rows,
                                      const InjectRow& inject);

} // namespace carousel
