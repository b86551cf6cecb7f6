// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/column_guess.h"
#include "base/text.h"
#include "data/import/time_text.h"
#include <algorithm>

namespace carousel {

namespace {

// "userId", "User ID" and "user_id" are the same name.
std::string plainName(std::string_view name) {
    std::string out;
    for (const char c : lowered(name.substr(0, name.find(':'))))
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out += c;
    return out;
}

// Digits that name something: they stay text even when they look like numbers.
bool namesSomething(const std::string& column) {
    const auto plain = plainName(column);
    for (const char* ending : {"id", "zip", "zipcode", "postcode", "code", "phone", "isbn", "asin", "sku"})
        if (plain.ends_with(ending))
            return true;
    return false;
}

} // namespace

Result<ColumnSample> sampleColumns(TableReader& table, std::size_t rows) {
    const auto n = table.columns().size();
    ColumnSample sample;
    std::vector<std::size_t> filled(n, 0), numbers(n, 0), dates(n, 0), lists(n, 0), epochs(n, 0);
    while (sample.read < rows) {
        CAROUSEL_ASSIGN(const bool any, table.next());
        if (!any)
            break;
        ++sample.read;
        if (!table.problem().empty()) {
            if (sample.problems++ == 0)
                sample.firstProblem = fmt::format("line {}: {}", table.line(), table.problem());
            continue;
        }
        const auto fields = table.fields();
        if (sample.rows.size() < 20)
            sample.rows.emplace_back(fields.begin(), fields.end());
        for (std::size_t i = 0; i < n; ++i) {
            const auto text = trimmed(fields[i]);
            if (text.empty())
                continue;
            ++filled[i];
            const auto number = parseNumber(text);
            numbers[i] += number.has_value();
            epochs[i] += number && *number >= 1e8 && *number < 8e15;
            dates[i] += !number && parseIsoTime(text).has_value();
            lists[i] += text.find('|') != std::string_view::npos;
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        const auto plain = plainName(table.columns()[i]);
        const bool timeName = plain.find("time") != std::string::npos || plain == "ts" || plain.find("date") != std::string::npos;
        if (filled[i] == 0)
            sample.types.emplace_back("empty");
        else if (dates[i] == filled[i] || (epochs[i] == filled[i] && timeName))
            sample.types.emplace_back("time");
        else if (numbers[i] == filled[i] && !namesSomething(table.columns()[i]))
            sample.types.emplace_back("float");
        else
            sample.types.emplace_back(lists[i] > 0 ? "token_seq" : "token");
    }
    return sample;
}

int guessRole(const std::vector<std::string>& columns, ColumnRole role) {
    using Names = std::vector<const char*>;
    static const Names users{"userid",  "user",       "uid",      "customerid", "customer",  "visitorid",
                             "visitor", "reviewerid", "memberid", "personid",   "sessionid", "u"};
    static const Names items{"itemid", "item",   "iid",  "productid", "product", "movieid", "movie", "parentasin",
                             "asin",   "bookid", "isbn", "articleid", "songid",  "trackid", "sku",   "i"};
    static const Names values{"rating", "score", "stars", "overall", "value", "r"};
    static const Names times{"timestamp", "time", "datetime", "date", "eventtime", "createdat", "unixreviewtime", "ts", "t"};
    static const Names kinds{"event",    "kind",      "eventtype",       "eventname",   "action",
                             "behavior", "behaviour", "interactiontype", "behaviortype"};
    const Names* wanted = &users;
    switch (role) {
    case ColumnRole::user:
        wanted = &users;
        break;
    case ColumnRole::item:
        wanted = &items;
        break;
    case ColumnRole::value:
        wanted = &values;
        break;
    case ColumnRole::time:
        wanted = &times;
        break;
    case ColumnRole::kind:
        wanted = &kinds;
        break;
    }
    for (const char* name : *wanted)
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (plainName(columns[i]) == name)
                return static_cast<int>(i);
    return -1;
}

AttributeColumn columnFromTexts(const std::string& name, const std::vector<std::string>& texts) {
    bool numeric = !namesSomething(name), list = false, any = false;
    for (const auto& raw : texts) {
        const auto text = trimmed(raw);
        any = any || !text.empty();
        numeric = numeric && (text.empty() || parseNumber(text));
        list = list || text.find('|') != std::string_view::npos;
    }
    numeric = numeric && any;
    const auto lower = lowered(name);
    list = list && lower.find("title") == std::string::npos && lower.find("description") == std::string::npos && lower != "name";
    AttributeColumn column(name, numeric ? FieldType::number : (list ? FieldType::tokenSeq : FieldType::token));
    for (const auto& raw : texts) {
        const auto text = trimmed(raw);
        if (text.empty()) {
            column.appendMissing();
        } else if (numeric) {
            const double value = *parseNumber(text);
            column.appendNumbers({&value, 1});
        } else if (list) {
            std::vector<std::string_view> parts;
            for (const auto part : split(text, '|'))
                if (!trimmed(part).empty())
                    parts.push_back(trimmed(part));
            column.appendTokens(parts);
        } else {
            column.appendTokens({&text, 1});
        }
    }
    return column;
}

} // namespace carousel
