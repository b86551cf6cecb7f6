// SPDX-License-Identifier: GPL-3.0-or-later
// From options to an answer, for any model that gives logits: makes the form that the options ask for, searches, and puts the findings into
// words. Forms are kept, so that asking again with the same list of texts or the same grammar costs nothing.
#pragma once
#include "llm/generation/token_search.h"
#include "llm/generation/vocabulary.h"
#include <memory>
#include <mutex>

namespace carousel {

class GrammarConstraint;
class TextChoice;

// Not for several threads at once.
class AnswerWriter {
public:
    // A text of oneOf as tokens of an answer; which blanks belong to its first token depends on what stands before.
    using Spell = std::function<std::vector<TokenId>(const std::string&)>;
    struct Setting {
        std::vector<TokenId> ends;
        std::int64_t limit = 0;        // most tokens; at most options.maximumTokens
        bool lookAhead = true;         // see SearchTask
        bool dropLeadingBlank = false; // the tokenizer puts a blank before the first word (SentencePiece)
        Spell spell = {};              // empty: the tokenizer's encode
        std::string spelling = {};     // other text for a `spell` that gives other tokens, so that a kept list is not used for it
    };
    explicit AnswerWriter(std::shared_ptr<const Tokenizer> tokenizer);
    ~AnswerWriter();

    // Errors: those of checkOptions, of TextChoice::make and Grammar::parse, of the search; CL-2161: none of the texts fits the limit.
    // promptTokens is left 0.
    Result<Generated> write(const GenerateOptions& options, const Setting& setting, const NextLogits& next, const RunControl& control);

private:
    Result<TextChoice*> choiceOf(const std::vector<std::string>& texts, const Setting& setting, const RunControl& control);
    Result<GrammarConstraint*> grammarOf(const std::string& text);
    const std::shared_ptr<const Vocabulary>& vocabulary();

    std::shared_ptr<const Tokenizer> m_tokenizer;
    std::shared_ptr<const Vocabulary> m_vocabulary; // made when first needed
    std::string m_choiceKey, m_grammarKey;
    std::unique_ptr<TextChoice> m_choice; // of the last call that asked for one
    std::unique_ptr<GrammarConstraint> m_grammar;
};

} // namespace carousel
