// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/answer_writer.h"
#include "base/hash.h"
#include "llm/generation/grammar_constraint.h"
#include "llm/generation/text_choice.h"

namespace carousel {

AnswerWriter::AnswerWriter(std::shared_ptr<const Tokenizer> tokenizer) : m_tokenizer(std::move(tokenizer)) {}
AnswerWriter::~AnswerWriter() = default;

const std::shared_ptr<const Vocabulary>& AnswerWriter::vocabulary() {
    if (!m_vocabulary)
        m_vocabulary = std::make_shared<const Vocabulary>(*m_tokenizer);
    return m_vocabulary;
}

Result<TextChoice*> AnswerWriter::choiceOf(const std::vector<std::string>& texts, const Setting& setting, const RunControl& control) {
    Sha256 hash;
    hash.addField(setting.spelling);
    for (const std::string& text : texts)
        hash.addField(text);
    const std::string key = hash.hex();
    if (!m_choice || m_choiceKey != key) {
        CAROUSEL_ASSIGN(
            TextChoice made,
            TextChoice::make(
                texts, setting.spell ? setting.spell : [this](const std::string& text) { return m_tokenizer->encode(text); }, control));
        m_choice = std::make_unique<TextChoice>(std::move(made));
        m_choiceKey = key;
    }
    return m_choice.get();
}

Result<GrammarConstraint*> AnswerWriter::grammarOf(const std::string& text) {
    constexpr std::size_t mostStates = 50000; // a state that was stepped from takes a kilobyte
    if (!m_grammar || m_grammarKey != text || m_grammar->states() > mostStates) {
        CAROUSEL_ASSIGN(Grammar grammar, Grammar::parse(text));
        m_grammar = std::make_unique<GrammarConstraint>(std::move(grammar), vocabulary());
        m_grammarKey = text;
    }
    return m_grammar.get();
}

Result<Generated> AnswerWriter::write(const GenerateOptions& options, const Setting& setting, const NextLogits& next,
                                      const RunControl& control) {
    CAROUSEL_TRY(checkOptions(options));
    SearchTask task;
    task.lookAhead = setting.lookAhead;
    task.options = options;
    task.ends = setting.ends;
    task.limit = std::max<std::int64_t>(0, setting.limit);
    task.bytesOf = [this, words = vocabulary()](TokenId token) { return std::string(words->bytes(token)); };
    const TextChoice* choice = nullptr;
    if (!options.oneOf.empty()) {
        CAROUSEL_ASSIGN(TextChoice * found, choiceOf(options.oneOf, setting, control));
        if (found->fewestTokens() > task.limit)
            return fail(ErrorKind::input, "CL-2161",
                        fmt::format("the shortest of {} texts to choose from has {} tokens, and an answer may have {}",
                                    options.oneOf.size(), found->fewestTokens(), task.limit),
                        "allow more tokens");
        task.constraint = found;
        choice = found;
        task.options.stop.clear(); // the answer is one of the texts, whatever it holds
        task.options.onText = nullptr;
    } else if (!options.grammar.empty()) {
        CAROUSEL_ASSIGN(task.constraint, grammarOf(options.grammar));
    }
    const bool dropBlank = setting.dropLeadingBlank && !choice;
    if (dropBlank && options.onText)
        task.options.onText = [&options, first = true](std::string_view piece) mutable {
            if (first && piece.starts_with(' '))
                piece.remove_prefix(1);
            first = false;
            if (!piece.empty())
                options.onText(piece);
        };

    CAROUSEL_ASSIGN(std::vector<FoundAnswer> found, searchAnswers(next, task, control));
    Generated out;
    for (FoundAnswer& answer : found) {
        GeneratedSequence sequence;
        sequence.text = std::move(answer.text);
        if (choice)
            sequence.text = options.oneOf.at(static_cast<std::size_t>(choice->textOf(*answer.state)));
        else if (dropBlank && sequence.text.starts_with(' '))
            sequence.text.erase(0, 1);
        sequence.logProbability = answer.logProbability;
        sequence.score = answer.score;
        sequence.tokens = static_cast<int>(answer.tokens.size());
        sequence.reachedLimit = !answer.ended;
        out.generatedTokens += sequence.tokens;
        out.sequences.push_back(std::move(sequence));
    }
    if (!out.sequences.empty()) {
        out.text = out.sequences.front().text;
        out.reachedLimit = out.sequences.front().reachedLimit;
        if (choice && options.onText && !out.text.empty())
            options.onText(out.text);
    }
    return out;
}

} // namespace carousel
