// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/tokenizer.h"
#include "base/text.h"

namespace carousel {

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
    return replaceInvalidUtf8(decodeBytes(ids));
}

} // namespace carousel
