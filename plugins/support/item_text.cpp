// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/item_text.h"
#include "base/text.h"
#include <algorithm>

namespace carousel::plugin {

namespace {
constexpr std::size_t mostLabels = 200;

bool endsWith(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}
bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}
} // namespace

std::string oneLine(std::string_view text, std::size_t limitBytes) {
    std::string out;
    bool gap = false;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
            gap = !out.empty();
            continue;
        }
        if (gap)
            out += ' ';
        gap = false;
        out += c;
    }
    if (limitBytes > 0 && out.size() > limitBytes) {
        std::size_t cut = limitBytes;
        while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0) == 0x80)
            --cut;
        out.resize(cut);
    }
    return out;
}

std::string titleOf(const EntityTable& items, Code item, std::size_t limitBytes) {
    auto title = oneLine(items.displayName(item), limitBytes);
    return title.empty() ? oneLine(items.ids.id(item), limitBytes) : title;
}

bool isTitleField(std::string_view name) {
    const auto low = lowered(name);
    return low == "title" || low == "name" || endsWith(low, "_title") || endsWith(low, "_name");
}

std::string fieldLabel(std::string_view name) {
    std::string out(name);
    std::replace(out.begin(), out.end(), '_', ' ');
    if (!out.empty() && out[0] >= 'a' && out[0] <= 'z')
        out[0] = static_cast<char>(out[0] - 'a' + 'A');
    return out;
}

std::vector<std::string> tagFields(const EntityTable& items) {
    std::vector<std::string> named, sequences;
    for (const auto& column : items.attributes) {
        const auto labels = column.dictionary().size();
        if (column.isNumeric() || isTitleField(column.name()) || labels < 2 || labels > mostLabels)
            continue;
        const auto low = lowered(column.name());
        if (contains(low, "genre") || contains(low, "categor") || contains(low, "tag") || low == "class" || low == "topic" || low == "type")
            named.push_back(column.name());
        else if (column.type() == FieldType::tokenSeq)
            sequences.push_back(column.name());
    }
    return named.empty() ? sequences : named;
}

Result<void> checkFields(const EntityTable& items, const std::vector<std::string>& names, const std::string& owner) {
    for (const auto& field : names) {
        if (items.attribute(field))
            continue;
        std::vector<std::string> known;
        for (const auto& column : items.attributes)
            known.push_back(column.name());
        return fail(ErrorKind::input, "CL-6020",
                    fmt::format("{}: the items of this data set have no attribute '{}'.", owner, quotedForMessage(field)),
                    known.empty() ? std::string("They have no attributes at all; leave the field empty.")
                                  : fmt::format("Their attributes: {}.", fmt::join(known, ", ")));
    }
    return {};
}

std::vector<std::vector<Tag>> tagsFrom(const EntityTable& items, const std::vector<std::string>& fields) {
    std::vector<std::vector<Tag>> out(items.size());
    bool any = false;
    for (const auto& field : fields) {
        const auto* column = items.attribute(field);
        if (!column || column->isNumeric())
            continue;
        for (std::size_t i = 0; i < items.size(); ++i)
            for (const auto code : column->tokenCodes(i)) {
                auto label = oneLine(column->dictionary()[static_cast<std::size_t>(code)], 60);
                const bool known = std::any_of(out[i].begin(), out[i].end(), [&](const Tag& tag) { return tag.name == label; });
                if (label.empty() || known)
                    continue;
                out[i].push_back({std::move(label), 1.0f});
                any = true;
            }
    }
    if (!any)
        out.clear();
    return out;
}

std::string detailsOf(const EntityTable& items, Code item, const std::vector<std::string>& fields) {
    std::string out;
    for (const auto& field : fields) {
        const auto* column = items.attribute(field);
        if (!column || column->missing(static_cast<std::size_t>(item)))
            continue;
        const auto value = oneLine(column->text(static_cast<std::size_t>(item)), 300);
        if (value.empty())
            continue;
        out += fmt::format("{}{}: {}", out.empty() ? "" : ". ", fieldLabel(field), value);
    }
    return out;
}

std::vector<std::string> describingFields(const EntityTable& items, const std::set<std::string>& without) {
    std::vector<std::string> out;
    for (const auto& column : items.attributes) {
        const auto low = lowered(column.name());
        const bool address = contains(low, "url") || contains(low, "link") || contains(low, "image");
        if (column.type() != FieldType::numberSeq && !isTitleField(column.name()) && !address && without.count(column.name()) == 0)
            out.push_back(column.name());
    }
    return out;
}

} // namespace carousel::plugin
