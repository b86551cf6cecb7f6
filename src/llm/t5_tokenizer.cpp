// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/t5_tokenizer.h"
#include "base/file.h"

namespace carousel {

Result<std::shared_ptr<const SentencePiece>> t5Tokenizer(const std::string& folder, const T5Shape& shape) {
    const std::string path = folder + "/spiece.model";
    if (!fileExists(path))
        return fail(ErrorKind::input, "CL-2066",
                    fmt::format("The folder '{}' holds no spiece.model, from which the tokenizer of a T5 is read; its tokenizer.json (type "
                                "Unigram) is not read.",
                                folder),
                    "Fetch spiece.model of the same model into the folder.");
    // The hundred places for masked spans stand behind the pieces, the first one last, in every T5 whose vocabulary has room for them.
    std::map<std::string, TokenId> added;
    constexpr TokenId pieces = 32000, spans = 100;
    if (shape.vocabulary >= pieces + spans)
        for (TokenId i = 0; i < spans; ++i)
            added.emplace(fmt::format("<extra_id_{}>", i), pieces + spans - 1 - i);
    CAROUSEL_ASSIGN(auto tokenizer, SentencePiece::fromFile(path, std::move(added)));
    if (static_cast<std::int64_t>(tokenizer->vocabularySize()) > shape.vocabulary)
        return fail(ErrorKind::input, "CL-2037",
                    fmt::format("'{}': the tokenizer knows {} tokens, the weights {}.", folder, tokenizer->vocabularySize(), shape.vocabulary),
                    "The files do not belong together: fetch the model again.");
    return tokenizer;
}

std::vector<std::uint8_t> wordBeginnings(const Tokenizer& tokenizer, std::int64_t vocabulary) {
    std::vector<std::uint8_t> begins(static_cast<std::size_t>(vocabulary), 0);
    for (TokenId id = 0; id < static_cast<TokenId>(vocabulary); ++id)
        begins[static_cast<std::size_t>(id)] = tokenizer.decodeBytes(std::span(&id, 1)).starts_with(' ');
    return begins;
}

} // namespace carousel
