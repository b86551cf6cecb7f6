// SPDX-License-Identifier: GPL-3.0-or-later
// Ids, attribute columns, the names people read, and the digest that says whether two data sets hold the same values.
#include "data/dataset.h"
#include "base/hash.h"
#include "base/text.h"
#include <array>
#include <bit>
#include <charconv>

namespace carousel {

Code IdTable::add(std::string_view id) {
    if (const auto found = m_codes.find(id); found != m_codes.end())
        return found->second;
    const auto code = static_cast<Code>(m_ids.size());
    m_ids.emplace_back(id);
    m_codes.emplace(m_ids.back(), code);
    return code;
}

Code IdTable::find(std::string_view id) const {
    const auto found = m_codes.find(id);
    return found == m_codes.end() ? noCode : found->second;
}

const char* name(FieldType type) {
    switch (type) {
    case FieldType::token:
        return "token";
    case FieldType::tokenSeq:
        return "token_seq";
    case FieldType::number:
        return "float";
    case FieldType::numberSeq:
        return "float_seq";
    }
    return "token";
}

AttributeColumn::AttributeColumn(std::string name, FieldType type) : m_name(std::move(name)), m_type(type) {}

void AttributeColumn::appendTokens(std::span<const std::string_view> tokens) {
    for (const auto token : tokens)
        m_tokens.push_back(m_dictionary.add(token));
    m_offsets.push_back(static_cast<std::uint32_t>(m_tokens.size()));
}

void AttributeColumn::appendNumbers(std::span<const double> numbers) {
    m_numbers.insert(m_numbers.end(), numbers.begin(), numbers.end());
    m_offsets.push_back(static_cast<std::uint32_t>(m_numbers.size()));
}

void AttributeColumn::appendMissing() {
    m_offsets.push_back(m_offsets.back());
}

std::span<const std::int32_t> AttributeColumn::tokenCodes(std::size_t row) const {
    if (isNumeric())
        return {};
    return {m_tokens.data() + m_offsets[row], m_offsets[row + 1] - m_offsets[row]};
}

std::span<const double> AttributeColumn::numbers(std::size_t row) const {
    if (!isNumeric())
        return {};
    return {m_numbers.data() + m_offsets[row], m_offsets[row + 1] - m_offsets[row]};
}

std::string AttributeColumn::text(std::size_t row) const {
    std::string out;
    for (const auto code : tokenCodes(row)) {
        if (!out.empty())
            out += ", ";
        out += m_dictionary.id(code);
    }
    for (const double number : numbers(row)) {
        if (!out.empty())
            out += ", ";
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr; // shortest form that reads back equal
        out.append(digits.data(), end);
    }
    return out;
}

const AttributeColumn* EntityTable::attribute(std::string_view name) const {
    for (const auto& column : attributes)
        if (column.name() == name)
            return &column;
    return nullptr;
}

std::string EntityTable::displayName(Code code) const {
    if (code < 0 || static_cast<std::size_t>(code) >= ids.size())
        return {};
    for (const char* wanted : {"title", "name", "item_title", "movie_title", "product_title", "item_name", "product_name"}) {
        const auto* column = attribute(wanted);
        if (column && !column->missing(static_cast<std::size_t>(code)))
            return column->text(static_cast<std::size_t>(code));
    }
    for (const auto& column : attributes)
        if (column.name().ends_with("_title") && !column.missing(static_cast<std::size_t>(code)))
            return column.text(static_cast<std::size_t>(code));
    return ids.id(code);
}

namespace {

static_assert(std::endian::native == std::endian::little, "the digest hashes values as they lie in memory");

template <class T> void addColumn(Sha256& hash, std::string_view label, const std::vector<T>& values) {
    hash.addField(label).add(std::to_string(values.size())).add(";").addValues(std::span<const T>(values));
}

void addEntities(Sha256& hash, std::string_view label, const EntityTable& table) {
    hash.addField(label).add(std::to_string(table.size())).add(";");
    for (const auto& id : table.ids.ids())
        hash.addField(id);
    for (const auto& column : table.attributes) {
        hash.addField(column.name()).addField(name(column.type()));
        for (std::size_t row = 0; row < column.rows(); ++row) {
            if (column.isNumeric()) {
                const auto numbers = column.numbers(row);
                hash.add(std::to_string(numbers.size())).add(";").addValues(numbers);
            } else {
                const auto codes = column.tokenCodes(row);
                hash.add(std::to_string(codes.size())).add(";");
                for (const auto code : codes)
                    hash.addField(column.dictionary()[static_cast<std::size_t>(code)]);
            }
        }
    }
}

// Missing stars in one bit pattern: "not a number" has many.
void addStars(Sha256& hash, std::vector<float> stars) {
    for (auto& value : stars)
        if (value != value)
            value = std::numeric_limits<float>::quiet_NaN();
    addColumn(hash, "review stars", stars);
}

} // namespace

std::string datasetDigest(const Dataset& dataset) {
    Sha256 hash;
    hash.addField("carousel dataset 1");
    addEntities(hash, "users", dataset.users);
    addEntities(hash, "items", dataset.items);
    const auto& events = dataset.interactions;
    addColumn(hash, "user", events.user);
    addColumn(hash, "item", events.item);
    addColumn(hash, "kind", events.kind);
    addColumn(hash, "value", events.value);
    addColumn(hash, "time", events.time);
    for (const auto& kind : events.kinds)
        hash.addField(kind);
    const auto& shown = dataset.impressions;
    addColumn(hash, "slate", shown.slate);
    addColumn(hash, "slate user", shown.user);
    addColumn(hash, "slate item", shown.item);
    addColumn(hash, "slot", shown.slot);
    addColumn(hash, "click", shown.click);
    addColumn(hash, "propensity", shown.propensity);
    addColumn(hash, "reached", shown.reached);
    addColumn(hash, "slate time", shown.time);
    addColumn(hash, "policy", shown.policyCode);
    for (const auto& policy : shown.policy)
        hash.addField(policy);
    // Only when there are any: data sets without reviews keep the digest that they have always had.
    if (const auto& reviews = dataset.reviews; reviews.size() > 0) {
        addColumn(hash, "review user", reviews.user);
        addColumn(hash, "review item", reviews.item);
        addStars(hash, reviews.stars);
        addColumn(hash, "review time", reviews.time);
        for (const auto& [label, texts] : {std::pair{"review headline", &reviews.headline}, {"review text", &reviews.text}, {"review feature", &reviews.feature}}) {
            hash.addField(label);
            for (const auto& text : *texts)
                hash.addField(text);
        }
    }
    return hash.hex();
}

} // namespace carousel
