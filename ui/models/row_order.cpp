// SPDX-License-Identifier: GPL-3.0-or-later
// Cells, filter and sort of the five tables of a data set.
#include "models/row_order.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel::ui {

namespace {
constexpr std::size_t stopEvery = 4096;

const EntityTable& entities(const Dataset& dataset, TableKind kind) { return kind == TableKind::users ? dataset.users : dataset.items; }
std::string codeText(const EntityTable& table, Code code) { return code == noCode ? std::string() : table.ids.id(code); }
std::string timeText(std::int64_t time) { return time == noTime ? std::string() : utcSecond(time); }
double timeNumber(std::int64_t time) { return time == noTime ? NAN : static_cast<double>(time); }
std::string numberText(double value) { return std::isfinite(value) ? fmt::format("{}", static_cast<float>(value)) : std::string(); }

// A text column with few distinct values is compared by the rank of its dictionary entry instead of by building every cell's text.
std::vector<double> ranks(const std::vector<std::string>& words) {
    std::vector<std::uint32_t> order(words.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return words[a] < words[b]; });
    std::vector<double> rank(words.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        rank[order[i]] = static_cast<double>(i);
    return rank;
}

// One number per row that sorts like the column; empty when the column must be compared as text.
std::vector<double> sortKeys(const Dataset& d, TableKind kind, std::size_t column) {
    const std::size_t rows = rowCount(d, kind);
    std::vector<double> keys(rows, NAN);
    const auto byCode = [&](const std::vector<double>& rank, const auto& codes) {
        for (std::size_t row = 0; row < rows; ++row)
            if (codes[row] >= 0)
                keys[row] = rank[static_cast<std::size_t>(codes[row])];
    };
    if (columnIsNumeric(d, kind, column)) {
        for (std::size_t row = 0; row < rows; ++row)
            keys[row] = cellNumber(d, kind, row, column);
        return keys;
    }
    if (kind == TableKind::users || kind == TableKind::items) {
        if (column == 0)
            return ranks(entities(d, kind).ids.ids());
        return {};
    }
    if (kind == TableKind::interactions && column == 2) {
        byCode(ranks(d.interactions.kinds), d.interactions.kind);
        return keys;
    }
    if (kind == TableKind::reviews) {
        if (column == 0)
            byCode(ranks(d.users.ids.ids()), d.reviews.user);
        else if (column == 1)
            byCode(ranks(d.items.ids.ids()), d.reviews.item);
        else
            return {};
        return keys;
    }
    const bool interactions = kind == TableKind::interactions;
    if (const std::size_t userColumn = interactions ? 0 : 1; column == userColumn) {
        byCode(ranks(d.users.ids.ids()), interactions ? d.interactions.user : d.impressions.user);
        return keys;
    }
    if (const std::size_t itemColumn = interactions ? 1 : 2; column == itemColumn) {
        byCode(ranks(d.items.ids.ids()), interactions ? d.interactions.item : d.impressions.item);
        return keys;
    }
    return {};
}

bool contains(const std::string& text, const std::string& loweredNeedle) { return lowered(text).find(loweredNeedle) != std::string::npos; }
} // namespace

const char* name(TableKind kind) {
    switch (kind) {
    case TableKind::users: return "Users";
    case TableKind::items: return "Items";
    case TableKind::interactions: return "Interactions";
    case TableKind::impressions: return "Impressions";
    case TableKind::reviews: return "Reviews";
    }
    return "";
}

std::size_t rowCount(const Dataset& dataset, TableKind kind) {
    switch (kind) {
    case TableKind::users: return dataset.users.size();
    case TableKind::items: return dataset.items.size();
    case TableKind::interactions: return dataset.interactions.size();
    case TableKind::impressions: return dataset.impressions.size();
    case TableKind::reviews: return dataset.reviews.size();
    }
    return 0;
}

std::vector<std::string> columnNames(const Dataset& dataset, TableKind kind) {
    switch (kind) {
    case TableKind::interactions: return {"user", "item", "event", "value", "time (UTC)", "title"};
    case TableKind::impressions: return {"slate", "user", "item", "position", "click", "propensity", "reached", "time (UTC)", "policy", "title"};
    case TableKind::reviews: return {"user", "item", "stars", "time (UTC)", "headline", "text", "feature", "title"};
    default: break;
    }
    std::vector<std::string> names{kind == TableKind::users ? "user" : "item"};
    for (const auto& attribute : entities(dataset, kind).attributes)
        names.push_back(attribute.name());
    return names;
}

bool columnIsNumeric(const Dataset& dataset, TableKind kind, std::size_t column) {
    if (kind == TableKind::interactions)
        return column == 3 || column == 4;
    if (kind == TableKind::impressions)
        return column == 0 || (column >= 3 && column <= 7);
    if (kind == TableKind::reviews)
        return column == 2 || column == 3;
    return column > 0 && entities(dataset, kind).attributes[column - 1].type() == FieldType::number;
}

double cellNumber(const Dataset& dataset, TableKind kind, std::size_t row, std::size_t column) {
    if (kind == TableKind::interactions)
        return column == 3 ? dataset.interactions.value[row] : timeNumber(dataset.interactions.time[row]);
    if (kind == TableKind::impressions) {
        const auto& t = dataset.impressions;
        switch (column) {
        case 0: return static_cast<double>(t.slate[row]);
        case 3: return t.slot[row] + 1;
        case 4: return t.click[row];
        case 5: return t.propensity[row];
        case 6: return t.reached[row] == 255 ? NAN : t.reached[row];
        case 7: return timeNumber(t.time[row]);
        default: return NAN;
        }
    }
    if (kind == TableKind::reviews)
        return column == 2 ? dataset.reviews.stars[row] : column == 3 ? timeNumber(dataset.reviews.time[row]) : NAN;
    if (column == 0)
        return NAN;
    const auto& attribute = entities(dataset, kind).attributes[column - 1];
    return attribute.isNumeric() && !attribute.missing(row) ? attribute.numbers(row).front() : NAN;
}

std::string cellText(const Dataset& dataset, TableKind kind, std::size_t row, std::size_t column) {
    if (kind == TableKind::interactions) {
        const auto& t = dataset.interactions;
        switch (column) {
        case 0: return codeText(dataset.users, t.user[row]);
        case 1: return codeText(dataset.items, t.item[row]);
        case 2: return t.kinds[t.kind[row]];
        case 3: return numberText(t.value[row]);
        case 4: return timeText(t.time[row]);
        default: return t.item[row] == noCode ? std::string() : dataset.items.displayName(t.item[row]);
        }
    }
    if (kind == TableKind::impressions) {
        const auto& t = dataset.impressions;
        switch (column) {
        case 0: return std::to_string(t.slate[row]);
        case 1: return codeText(dataset.users, t.user[row]);
        case 2: return codeText(dataset.items, t.item[row]);
        case 3: return std::to_string(t.slot[row] + 1);
        case 4: return t.click[row] ? "yes" : "no";
        case 5: return numberText(t.propensity[row]);
        case 6: return t.reached[row] == 255 ? "" : t.reached[row] ? "yes" : "no";
        case 7: return timeText(t.time[row]);
        case 8: return t.policyCode.empty() || t.policy.empty() ? std::string() : t.policy[t.policyCode[row]];
        default: return t.item[row] == noCode ? std::string() : dataset.items.displayName(t.item[row]);
        }
    }
    if (kind == TableKind::reviews) {
        const auto& t = dataset.reviews;
        switch (column) {
        case 0: return codeText(dataset.users, t.user[row]);
        case 1: return codeText(dataset.items, t.item[row]);
        case 2: return numberText(t.stars[row]);
        case 3: return timeText(t.time[row]);
        case 4: return t.headline[row];
        case 5: return t.text[row];
        case 6: return t.feature[row];
        default: return dataset.items.displayName(t.item[row]);
        }
    }
    const auto& table = entities(dataset, kind);
    return column == 0 ? table.ids.id(static_cast<Code>(row)) : table.attributes[column - 1].text(row);
}

Result<std::vector<std::uint32_t>> rowOrder(const Dataset& dataset, const RowOrderRequest& request, const RunControl& control) {
    const std::size_t rows = rowCount(dataset, request.kind);
    const std::size_t columns = columnNames(dataset, request.kind).size();
    std::vector<std::uint32_t> order;
    order.reserve(request.filter.empty() ? rows : rows / 8);
    const std::string needle = lowered(request.filter);
    for (std::size_t row = 0; row < rows; ++row) {
        if (row % stopEvery == 0) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("Filtering"));
            control.report("Filtering", static_cast<double>(row), static_cast<double>(rows), "rows");
        }
        bool keep = needle.empty();
        for (std::size_t column = 0; !keep && column < columns; ++column)
            keep = contains(cellText(dataset, request.kind, row, column), needle);
        if (keep)
            order.push_back(static_cast<std::uint32_t>(row));
    }
    if (request.sortColumn < 0 || static_cast<std::size_t>(request.sortColumn) >= columns)
        return order;

    const auto column = static_cast<std::size_t>(request.sortColumn);
    const auto keys = sortKeys(dataset, request.kind, column);
    std::vector<std::string> texts;
    if (keys.empty()) {
        texts.resize(rows);
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i % stopEvery == 0 && control.stopRequested())
                return fail(RunControl::cancelled("Sorting"));
            texts[order[i]] = cellText(dataset, request.kind, order[i], column);
        }
    }
    std::size_t compared = 0;
    bool stopped = false;
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
        if (++compared % (16 * stopEvery) == 0)
            stopped = stopped || control.stopRequested();
        if (!keys.empty()) {
            const bool emptyA = std::isnan(keys[a]), emptyB = std::isnan(keys[b]);
            if (emptyA || emptyB)
                return !emptyA && emptyB;
            return request.ascending ? keys[a] < keys[b] : keys[b] < keys[a];
        }
        const bool emptyA = texts[a].empty(), emptyB = texts[b].empty();
        if (emptyA || emptyB)
            return !emptyA && emptyB;
        return request.ascending ? texts[a] < texts[b] : texts[b] < texts[a];
    };
    std::stable_sort(order.begin(), order.end(), before);
    if (stopped)
        return fail(RunControl::cancelled("Sorting"));
    return order;
}

} // namespace carousel::ui
