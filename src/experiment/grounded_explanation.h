// SPDX-License-Identifier: GPL-3.0-or-later
// Why an item is recommended to a user, in facts that the data have: what the item is, what the user liked lately, what both share, how many
// people liked the item, its price beside the user's usual ones, and what the run that placed it says. Two writers make text of them:
// sentences of our own, and a prompt for a language model. What a text may say is checked by experiment/statement_check.h.
// The source is the training view alone: nothing here can see a test label.
#pragma once
#include "base/parameters.h"
#include "data/split.h"
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace carousel {

// What a column of the item table is good for in an explanation; found from its type, its name and its values.
enum class FactRole {
    title, // what people read for the item
    value, // few words, shared by items: category, brand, tags, colour
    text,  // a sentence, or different for every item: supports what it says, never contradicts
    price,
    time,  // numbers that are seconds since 1970
    number
};

struct ExplanationFacts {
    Code user = noCode, item = noCode;
    std::string title;
    struct Attribute {
        std::string field, text; // text as people read it: "garden, raised-bed", "148", "2024-06-12"
        FactRole role = FactRole::value;
    };
    std::vector<Attribute> attributes; // of the item, without its title, in the order of the table
    std::vector<Code> liked;           // the last distinct liked items, newest first
    std::vector<std::string> likedTitles;
    int likedKnown = 0;                // distinct liked items in the whole history
    struct Shared {
        std::string field, value;
        int count = 0; // of `liked`
    };
    std::vector<Shared> shared; // most frequent first
    std::int64_t likedBy = 0;   // users who liked the item
    int popularityRank = 0;     // 1-based by likedBy; equal ones share the best rank
    int items = 0;
    std::optional<double> price;
    struct Prices {
        double low = 0, middle = 0, high = 0; // of `liked`; middle: the lower median, a price that one of them has
    };
    std::optional<Prices> usualPrices;
    // From the run that placed the item; 0 or empty: not asked.
    int position = 0; // 1-based
    std::string strategy, scorer;
    std::vector<std::string> reasons; // what the strategy's own trace says of this item
};

// Everything that is the same for all users and items of one training view. Immutable; any thread may use it.
class ExplanationGround {
public:
    explicit ExplanationGround(std::shared_ptr<const TrainingView> training);

    // `lastChoices` > 0. User and item are codes of the view.
    ExplanationFacts facts(Code user, Code item, int lastChoices) const;
    const TrainingView& training() const { return *m_training; }
    const EntityTable& items() const { return m_training->items(); }
    FactRole role(std::size_t column) const { return m_roles[column]; }
    std::vector<Code> liked(Code user) const; // the whole history, distinct, newest first
    double lowestPrice() const { return m_lowestPrice; } // infinity where there are no prices

    // What the checker looks up. A phrase is a value's or a title's folded words with one space between.
    struct Meaning {
        int column = -1; // of the item table; -1: a title
        Code code = noCode; // of the column's dictionary, or the item
    };
    struct Phrase {
        std::vector<Meaning> meanings;
        bool name = false;   // written with capitals in the data
        bool common = false; // every word of it also is an ordinary one
        bool title = false;  // one of the meanings is a title
        bool broken = false; // holds the end of a sentence: "Godzilla Returns! Again"
    };
    const Phrase* name(const std::string& phrase) const { return find(m_names, phrase); }
    const Phrase* value(const std::string& phrase) const { return find(m_values, phrase); } // its last word in the singular
    std::size_t longestPhrase() const { return m_longest; } // words
    bool isTitleWord(const std::string& folded) const { return m_titleWords.count(folded) != 0; }
    bool isCommon(const std::string& folded) const;
    bool isFieldWord(const std::string& folded) const { return m_fieldWords.count(folded) != 0; }
    // The first column that has this number as one of its values; nullptr: none.
    const AttributeColumn* columnOfNumber(double value) const;
    // All texts of an item, words folded, fields kept apart by "|".
    std::string words(Code item) const;

private:
    using Phrases = std::unordered_map<std::string, Phrase>;
    static const Phrase* find(const Phrases& phrases, const std::string& phrase) {
        const auto it = phrases.find(phrase);
        return it == phrases.end() ? nullptr : &it->second;
    }
    void findRoles();
    void readTexts();
    void readPhrases();
    void countLikes();
    void add(std::string_view text, Meaning meaning);

    std::shared_ptr<const TrainingView> m_training;
    std::vector<FactRole> m_roles;
    std::vector<std::int64_t> m_likedBy;
    std::vector<int> m_rank;
    Phrases m_names, m_values;
    std::size_t m_longest = 1;
    std::unordered_set<std::string> m_titleWords, m_textWords, m_fieldWords;
    std::unordered_map<double, int> m_numbers; // value -> column
    double m_lowestPrice;
};

std::string moneyText(double price); // "148", "12.95"

// The writer that never errs: sentences made from the facts and from nothing else.
std::string plainExplanation(const ExplanationFacts& facts);
// The facts as lines for a prompt.
std::string factLines(const ExplanationFacts& facts);
// `prompt` with {{facts}} filled in. CL-3070 when it has no such place.
Result<std::string> explanationPrompt(const ExplanationFacts& facts, const std::string& prompt);

// writer ("plain", "model"), model, lastChoices, prompt, maximumTokens, temperature
std::vector<ParameterSpec> explanationParameters();

} // namespace carousel
