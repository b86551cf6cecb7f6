// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/sentence_piece_training.h"
#include "base/text.h"
#include "llm/sentence_piece_module.h"
#include <algorithm>
#include <mutex>
#include <set>

namespace carousel {

namespace {

constexpr std::size_t mostBytes = std::size_t(8) << 20, longestText = std::size_t(1) << 16;

tl::unexpected<Error> refused(const std::string& what, const std::string& hint) {
    return fail(ErrorKind::usage, "CL-2172", what, hint);
}

bool canBeSymbol(const std::string& symbol) {
    return !symbol.empty() && symbol.size() <= 100 && firstInvalidUtf8(symbol) == std::string_view::npos &&
           symbol.find_first_of(" \t\r\n,\"'") == std::string::npos && symbol.find("\xE2\x96\x81") == std::string::npos && symbol != "<pad>" &&
           symbol != "</s>" && symbol != "<unk>";
}

// Characters by their first bytes; blanks and what symbols cover are counted too, which makes the bound a little too low at most.
std::size_t charactersOf(const std::vector<std::string>& texts) {
    std::set<std::string_view> all;
    for (const std::string& text : texts)
        for (std::size_t at = 0; at < text.size();) {
            std::size_t end = at + 1;
            while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
                ++end;
            all.insert(std::string_view(text).substr(at, end - at));
            at = end;
        }
    return all.size();
}

} // namespace

Result<std::string> trainSentencePiece(const SentencePieceTraining& training, const RunControl& control) {
    if (training.vocabulary < 16 || training.vocabulary > 1000000)
        return refused(fmt::format("A vocabulary of {} pieces.", training.vocabulary), "Choose 16 to 1000000.");
    std::string symbols;
    std::set<std::string> seen;
    for (const std::string& symbol : training.symbols) {
        if (!canBeSymbol(symbol) || !seen.insert(symbol).second)
            return refused(fmt::format("'{}' cannot be a token of its own{}.", quotedForMessage(symbol), seen.count(symbol) ? " twice" : ""),
                           "Symbols are texts without blanks, commas and quotation marks, each given once.");
        symbols += (symbols.empty() ? "" : ",") + symbol;
    }
    std::size_t bytes = 0;
    for (const std::string& text : training.texts)
        bytes += text.size();
    const std::size_t every = bytes / mostBytes + 1;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < training.texts.size(); i += every) {
        const std::string& text = training.texts[i];
        if (trimmed(text).empty() || firstInvalidUtf8(text) != std::string_view::npos || text.find('\0') != std::string::npos)
            continue;
        std::size_t end = std::min(text.size(), longestText);
        while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
            --end;
        texts.push_back(text.substr(0, end));
        std::replace(texts.back().begin(), texts.back().end(), '\n', ' '); // the trainer takes a text for one line
    }
    if (texts.empty())
        return refused("There are no texts to train a tokenizer on.", "Give texts in UTF-8 that are not empty.");
    if (control.stopRequested())
        return fail(RunControl::cancelled("training the tokenizer"));
    control.report("Training the tokenizer", 0, static_cast<double>(texts.size()), "texts");
    std::vector<std::pair<std::string, std::string>> options{{"vocab_size", std::to_string(training.vocabulary)},
                                                             {"hard_vocab_limit", "false"}, // fewer where the texts have no more
                                                             {"character_coverage", "1"},
                                                             {"max_sentence_length", std::to_string(longestText + 1)},
                                                             {"normalization_rule_name", "nmt_nfkc"},
                                                             {"pad_id", "0"},
                                                             {"eos_id", "1"},
                                                             {"unk_id", "2"},
                                                             {"bos_id", "-1"}};
    if (!symbols.empty())
        options.emplace_back("user_defined_symbols", symbols);
    static std::mutex one; // the library keeps its log level, and more, for the whole process
    const std::scoped_lock lock(one);
    auto model = runSentencePieceTrainer(texts, options);
    if (!model && model.error().code == "CL-2171" &&
        static_cast<std::int64_t>(charactersOf(texts) + training.symbols.size()) + 3 >= training.vocabulary)
        return refused(fmt::format("The texts have {} different characters and {} symbols, a vocabulary of {} pieces has no room for them.",
                                   charactersOf(texts), training.symbols.size(), training.vocabulary),
                       "Choose a larger vocabulary.");
    return model;
}

} // namespace carousel
