// SPDX-License-Identifier: GPL-3.0-or-later
// The columnar data set. Immutable once built (shared as shared_ptr<const Dataset>), so any thread may read it.
// Users and items are dense codes 0..n-1 in order of first appearance; ids are text and never interpreted as numbers.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace carousel {

using Code = std::int32_t;        // user or item code
constexpr Code noCode = -1;
constexpr std::int64_t noTime = std::numeric_limits<std::int64_t>::min(); // time unknown

// id text <-> code. Codes follow the order of insertion.
class IdTable {
public:
    Code add(std::string_view id);        // existing or new code
    Code find(std::string_view id) const; // noCode when unknown
    const std::string& id(Code code) const { return m_ids[static_cast<std::size_t>(code)]; }
    std::size_t size() const { return m_ids.size(); }
    const std::vector<std::string>& ids() const { return m_ids; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::vector<std::string> m_ids;
    std::unordered_map<std::string, Code, Hash, std::equal_to<>> m_codes;
};

// The types of RecBole's atomic files.
enum class FieldType { token, tokenSeq, number, numberSeq };
const char* name(FieldType type); // "token", "token_seq", "float", "float_seq"

// One attribute of all users or all items. Tokens are dictionary-coded; a row holds zero or more values (sequences), and zero means missing.
class AttributeColumn {
public:
    AttributeColumn(std::string name, FieldType type);
    const std::string& name() const { return m_name; }
    FieldType type() const { return m_type; }
    std::size_t rows() const { return m_offsets.size() - 1; }
    void appendTokens(std::span<const std::string_view> tokens); // one row
    void appendNumbers(std::span<const double> numbers);         // one row
    void appendMissing();
    bool missing(std::size_t row) const { return m_offsets[row] == m_offsets[row + 1]; }
    bool isNumeric() const { return m_type == FieldType::number || m_type == FieldType::numberSeq; }
    std::span<const std::int32_t> tokenCodes(std::size_t row) const; // into dictionary()
    std::span<const double> numbers(std::size_t row) const;
    const std::vector<std::string>& dictionary() const { return m_dictionary.ids(); }
    std::string text(std::size_t row) const; // "Comedy, Drama", "12.5", "" when missing

private:
    std::string m_name;
    FieldType m_type;
    IdTable m_dictionary;
    std::vector<std::uint32_t> m_offsets{0};
    std::vector<std::int32_t> m_tokens;
    std::vector<double> m_numbers;
};

struct EntityTable {
    IdTable ids;
    std::vector<AttributeColumn> attributes; // each with ids.size() rows
    std::size_t size() const { return ids.size(); }
    const AttributeColumn* attribute(std::string_view name) const; // nullptr when absent
    // What people read for a row: the attribute "title", "name" or "item_title"/"movie_title"... if there is one, else the id.
    std::string displayName(Code code) const;
};

struct InteractionTable { // equal lengths; order of the file
    std::vector<Code> user, item;
    std::vector<std::uint8_t> kind;  // into kinds
    std::vector<float> value;        // rating, price, seconds watched; 1 when the event has no value; finite
    std::vector<std::int64_t> time;  // seconds since 1970 UTC, or noTime
    std::vector<std::string> kinds;  // "view", "click", "rating", "purchase", "like", "dislike", "love", any other; at most 255
    std::size_t size() const { return user.size(); }
};

// One row per shown item: the rows of one slate share `slate` and are contiguous.
struct ImpressionTable {
    std::vector<std::int64_t> slate;
    std::vector<Code> user, item;          // user may be noCode (anonymous log)
    std::vector<std::int16_t> slot;        // 0-based
    std::vector<std::uint8_t> click;       // 0 or 1
    std::vector<float> propensity;         // probability that the logging policy showed this item here, (0,1]; NaN when not logged
    std::vector<std::uint8_t> reached;     // 1 when the slot was in view (first page, or after a swipe), 0 not, 255 not logged
    std::vector<std::int64_t> time;
    std::vector<std::string> policy;       // names of logging policies; policyCode per row indexes it
    std::vector<std::uint8_t> policyCode;
    std::size_t size() const { return slate.size(); }
};

// Written opinions, one row each; equal lengths; order of the file. They belong to the data set, not to a split: whoever tests on a
// user-item pair must leave the pair's reviews out by itself (a TrainingView shows none).
struct ReviewTable {
    std::vector<Code> user, item;
    std::vector<float> stars;          // NaN when the review has none
    std::vector<std::int64_t> time;    // seconds since 1970 UTC, or noTime
    std::vector<std::string> headline; // the reviewer's own short summary; may be empty
    std::vector<std::string> text;     // may be empty
    std::vector<std::string> feature;  // the word the review is about, when the file says it; may be empty
    std::size_t size() const { return user.size(); }
};

struct SourceFile {
    std::string name, sha256, importer, options; // name without folders; options as JSON
    std::int64_t bytes = 0, rowsRead = 0, rowsKept = 0;
};

struct Dataset {
    std::string name, title, note; // note: licence and what the numbers must not be used for, in words
    EntityTable users, items;
    InteractionTable interactions;
    ImpressionTable impressions;
    ReviewTable reviews; // usually empty
    std::vector<SourceFile> sources;
    std::string digest; // canonical: see datasetDigest
};
using DatasetPtr = std::shared_ptr<const Dataset>;

// SHA-256 over ids, attributes, interactions, impressions and (when there are any) reviews in their order; independent of file names and of the machine.
std::string datasetDigest(const Dataset& dataset);

// What the data can support. `available` false carries the reason in words ("no propensities: IPS is not available").
struct Badge {
    std::string id;    // "explicit", "implicit", "time", "text", "reviews", "slates", "positions", "non-clicks", "propensities", "swipes", "prices"
    bool available = false;
    std::string note;
};
std::vector<Badge> badges(const Dataset& dataset);

struct ImportIssue {
    std::int64_t line = 0; // 1-based
    std::string file, reason, rawText;
};
struct ImportReport {
    std::int64_t rowsRead = 0, rowsKept = 0, rowsRejected = 0, duplicates = 0;
    std::vector<ImportIssue> rejects; // the first 20
    std::map<std::string, std::int64_t> rejectReasons;
    std::int64_t firstTime = noTime, lastTime = noTime;
    std::vector<std::string> warnings;
    double seconds = 0;
};

} // namespace carousel
