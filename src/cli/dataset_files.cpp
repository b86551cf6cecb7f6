// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset_files.h"
#include "base/file.h"
#include <algorithm>
#include <cmath>

namespace carousel::cli {

namespace {
// The format has no quoting: a field cannot hold a tab or a line break.
std::string field(std::string text) {
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    return text;
}

std::string cell(const AttributeColumn& attribute, std::size_t row) {
    std::string text;
    if (attribute.isNumeric()) {
        for (const double value : attribute.numbers(row))
            text += fmt::format("{}{}", text.empty() ? "" : " ", value);
        return text;
    }
    for (const auto code : attribute.tokenCodes(row)) {
        if (!text.empty())
            text += ' ';
        text += attribute.dictionary()[static_cast<std::size_t>(code)];
    }
    return field(std::move(text));
}

std::string entityFile(const EntityTable& table, const char* id) {
    std::string out = fmt::format("{}:token", id);
    for (const auto& attribute : table.attributes)
        out += fmt::format("\t{}:{}", field(attribute.name()), name(attribute.type()));
    out += '\n';
    for (std::size_t row = 0; row < table.size(); ++row) {
        out += field(table.ids.id(static_cast<Code>(row)));
        for (const auto& attribute : table.attributes) {
            out += '\t';
            out += cell(attribute, row);
        }
        out += '\n';
    }
    return out;
}

std::string interactionFile(const Dataset& dataset) {
    const auto& events = dataset.interactions;
    const bool times = std::any_of(events.time.begin(), events.time.end(), [](std::int64_t t) { return t != noTime; });
    const bool kinds = events.kinds.size() > 1 || (events.kinds.size() == 1 && events.kinds.front() != "rating");
    std::string out = "user_id:token\titem_id:token\trating:float";
    out += times ? "\ttimestamp:float" : "";
    out += kinds ? "\tkind:token\n" : "\n";
    for (std::size_t row = 0; row < events.size(); ++row) {
        out += field(dataset.users.ids.id(events.user[row])) + '\t' + field(dataset.items.ids.id(events.item[row])) + fmt::format("\t{}", events.value[row]);
        if (times)
            out += events.time[row] == noTime ? "\t" : fmt::format("\t{}", events.time[row]);
        if (kinds)
            out += '\t' + field(events.kinds[events.kind[row]]);
        out += '\n';
    }
    return out;
}

std::string reviewFile(const Dataset& dataset) {
    const auto& reviews = dataset.reviews;
    std::string out = "user_id:token\titem_id:token\trating:float\ttimestamp:float\theadline:token\ttext:token\tfeature:token\n";
    for (std::size_t row = 0; row < reviews.size(); ++row) {
        out += field(dataset.users.ids.id(reviews.user[row])) + '\t' + field(dataset.items.ids.id(reviews.item[row])) + '\t';
        out += std::isnan(reviews.stars[row]) ? std::string() : fmt::format("{}", reviews.stars[row]);
        out += reviews.time[row] == noTime ? "\t" : fmt::format("\t{}", reviews.time[row]);
        for (const auto* texts : {&reviews.headline, &reviews.text, &reviews.feature})
            out += '\t' + field((*texts)[row]);
        out += '\n';
    }
    return out;
}
} // namespace

Result<std::vector<std::string>> writeAtomicFiles(const Dataset& dataset, const std::string& folder) {
    CAROUSEL_TRY(makeFolders(folder));
    const std::string stem = folder + "/" + dataset.name;
    std::vector<std::string> written;
    for (const auto& [ending, bytes] : {std::pair<std::string, std::string>{".inter", interactionFile(dataset)}, {".user", entityFile(dataset.users, "user_id")},
                                        {".item", entityFile(dataset.items, "item_id")}}) {
        CAROUSEL_TRY(atomicWrite(stem + ending, bytes));
        written.push_back(stem + ending);
    }
    if (dataset.reviews.size() > 0) {
        CAROUSEL_TRY(atomicWrite(stem + ".review", reviewFile(dataset)));
        written.push_back(stem + ".review");
    }
    return written;
}

} // namespace carousel::cli
