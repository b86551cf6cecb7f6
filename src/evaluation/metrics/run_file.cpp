// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/run_file.h"
#include "base/text.h"
#include <unordered_map>
#include <unordered_set>

namespace carousel {

namespace {
// An id as one field; '%' is escaped too, so that reading back gives the same id.
std::string asField(std::string_view id) {
    std::string text;
    for (const char c : id) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte == 127 || c == '%')
            text += fmt::format("%{:02X}", byte);
        else
            text += c;
    }
    return text.empty() ? "%" : text; // a lone % stands for the empty id
}
int hexDigit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}
std::string fromField(std::string_view field) {
    if (field == "%")
        return {};
    std::string id;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] == '%' && i + 2 < field.size() && hexDigit(field[i + 1]) >= 0 && hexDigit(field[i + 2]) >= 0) {
            id += static_cast<char>(hexDigit(field[i + 1]) * 16 + hexDigit(field[i + 2]));
            i += 2;
        } else {
            id += field[i];
        }
    }
    return id;
}
void fieldsOf(std::string_view line, std::vector<std::string_view>& fields) {
    fields.clear();
    for (std::size_t at = 0; at < line.size();) {
        const auto first = line.find_first_not_of(" \t\r", at);
        if (first == std::string_view::npos)
            break;
        const auto last = std::min(line.find_first_of(" \t\r", first), line.size());
        fields.push_back(line.substr(first, last - first));
        at = last;
    }
}

Result<std::vector<NamedList>> readLists(std::string_view text, const std::string& fileName, std::size_t fieldCount, std::size_t valueField,
                                         const char* shape) {
    std::vector<NamedList> lists;
    std::unordered_map<std::string, std::size_t> known;
    std::vector<std::unordered_set<std::string>> seen;
    std::vector<std::string_view> fields;
    std::int64_t lineNumber = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        ++lineNumber;
        auto refuse = [&](const std::string& what) {
            return fail(ErrorKind::input, "CL-8004", fmt::format("{}:{}: {}", fileName, lineNumber, what),
                        fmt::format("Each line reads: {}", shape));
        };
        fieldsOf(line, fields);
        if (fields.empty())
            continue;
        if (fields.size() != fieldCount)
            return refuse(fmt::format("{} fields instead of {}", fields.size(), fieldCount));
        const auto value = parseNumber(fields[valueField]);
        if (!value)
            return refuse(fmt::format("\"{}\" is not a finite number", quotedForMessage(fields[valueField])));
        auto user = fromField(fields[0]);
        const auto [it, isNew] = known.try_emplace(std::move(user), lists.size());
        if (isNew) {
            lists.push_back({.user = it->first});
            seen.emplace_back();
        }
        auto item = fromField(fields[2]);
        if (!seen[it->second].insert(item).second)
            return refuse(fmt::format("item \"{}\" stands twice for user \"{}\"", quotedForMessage(item), quotedForMessage(it->first)));
        lists[it->second].items.push_back(std::move(item));
        lists[it->second].values.push_back(*value);
    }
    return lists;
}
} // namespace

std::string writeTrecRun(std::span<const NamedList> lists, const std::string& tag) {
    std::string text;
    const std::string name = asField(tag);
    for (const auto& list : lists) {
        const std::string user = asField(list.user);
        for (std::size_t i = 0; i < list.items.size(); ++i)
            text += fmt::format("{} Q0 {} {} {:.6f} {}\n", user, asField(list.items[i]), i + 1, static_cast<double>(list.items.size() - i),
                                name);
    }
    return text;
}

std::string writeTrecQrels(std::span<const NamedList> lists) {
    std::string text;
    for (const auto& list : lists)
        for (std::size_t i = 0; i < list.items.size(); ++i)
            text +=
                fmt::format("{} 0 {} {:g}\n", asField(list.user), asField(list.items[i]), i < list.values.size() ? list.values[i] : 1.0);
    return text;
}

Result<std::vector<NamedList>> readTrecRun(std::string_view text, const std::string& fileName) {
    return readLists(text, fileName, 6, 4, "user Q0 item rank score tag");
}
Result<std::vector<NamedList>> readTrecQrels(std::string_view text, const std::string& fileName) {
    return readLists(text, fileName, 4, 3, "user 0 item relevance");
}

Result<JoinedRun> joinRun(std::span<const NamedList> run, std::span<const NamedList> qrels, std::size_t depth) {
    JoinedRun joined;
    std::unordered_map<std::string_view, std::int32_t> codes;
    auto codeOf = [&](const std::string& id) {
        const auto [it, isNew] = codes.try_emplace(id, static_cast<std::int32_t>(joined.itemIds.size()));
        if (isNew)
            joined.itemIds.push_back(id);
        return it->second;
    };
    std::unordered_map<std::string_view, const NamedList*> byUser;
    for (const auto& list : run)
        byUser.emplace(list.user, &list);
    std::size_t matched = 0;
    std::vector<std::int32_t> items, targets;
    std::vector<float> gains;
    const NamedList none;
    for (const auto& wanted : qrels) {
        const auto it = byUser.find(wanted.user);
        const NamedList& list = it == byUser.end() ? none : *it->second;
        matched += it != byUser.end();
        items.clear();
        targets.clear();
        gains.clear();
        for (const auto& id : list.items)
            items.push_back(codeOf(id));
        for (std::size_t i = 0; i < wanted.items.size(); ++i) {
            targets.push_back(codeOf(wanted.items[i]));
            gains.push_back(static_cast<float>(wanted.values[i]));
        }
        CAROUSEL_ASSIGN(auto user, rankUser(items, list.values, targets, gains, depth));
        joined.users.push_back(std::move(user));
        joined.userIds.push_back(wanted.user);
    }
    joined.usersOnlyInQrels = static_cast<std::int64_t>(qrels.size() - matched);
    joined.usersOnlyInRun = static_cast<std::int64_t>(run.size() - matched);
    return joined;
}

} // namespace carousel
