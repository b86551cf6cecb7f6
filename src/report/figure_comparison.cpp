// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/figure_comparison.h"
#include "base/text.h"
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

namespace carousel {

namespace {
using nlohmann::json;
constexpr int deepest = 64;

struct Leaf {
    std::string path;
    FigureClass kind;
    json value;
};

bool isOneOf(std::string_view key, std::initializer_list<std::string_view> words) { return std::find(words.begin(), words.end(), key) != words.end(); }

// Not figures: they name a row of the project or tell a story with times in it.
bool isName(std::string_view key, const json& value) {
    return isOneOf(key, {"fingerprint", "state", "notes", "createdAt", "finishedAt"}) || (isOneOf(key, {"run", "analysis"}) && value.is_number_integer());
}

FigureClass classOf(std::string_view key, FigureClass above) {
    if (above != FigureClass::figure)
        return above;
    const std::string low = lowered(key);
    for (const char* word : {"seconds", "persecond", "perhour", "joule", "watt", "energy", "memory", "peakbytes"})
        if (low.find(word) != std::string::npos)
            return FigureClass::clock;
    if (isOneOf(key, {"modelCalls", "promptTokens", "sharedTokens", "generatedTokens", "cacheHits", "cacheMisses"}))
        return FigureClass::work;
    return FigureClass::figure;
}

// The key that names every element of an array, all different; "" when there is none.
std::string namingKey(const json& array) {
    for (const char* key : {"strategy", "label", "name", "id", "model", "estimator", "metric", "title"}) {
        std::set<std::string> seen;
        const bool names = std::all_of(array.begin(), array.end(), [&](const json& element) {
            const auto found = element.is_object() ? element.find(key) : element.end();
            return element.is_object() && found != element.end() && found->is_string() && seen.insert(found->get<std::string>()).second;
        });
        if (names && !array.empty())
            return key;
    }
    return "";
}

bool collect(const json& value, const std::string& path, FigureClass kind, int depth, std::vector<Leaf>& out) {
    if (depth > deepest)
        return false;
    if (value.is_object()) {
        for (const auto& [key, child] : value.items())
            if (!isName(key, child) && !collect(child, path.empty() ? key : path + "." + key, classOf(key, kind), depth + 1, out))
                return false;
        return true;
    }
    if (value.is_array()) {
        const std::string key = namingKey(value);
        for (std::size_t i = 0; i < value.size(); ++i)
            if (!collect(value[i], fmt::format("{}[{}]", path, key.empty() ? std::to_string(i + 1) : value[i].at(key).get<std::string>()), kind, depth + 1, out))
                return false;
        return true;
    }
    out.push_back({path, kind, value});
    return true;
}

Result<std::vector<Leaf>> leavesOf(const std::string& text, const char* whose) {
    const json parsed = json::parse(text, nullptr, false);
    std::vector<Leaf> out;
    if (!parsed.is_object())
        return fail(ErrorKind::input, "CL-5007", fmt::format("The figures of {} are no JSON object.", whose), "Write the report again.");
    if (!collect(parsed, "", FigureClass::figure, 0, out))
        return fail(ErrorKind::input, "CL-5007", fmt::format("The figures of {} are nested deeper than {}.", whose, deepest), "Write the report again.");
    return out;
}

std::string shown(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }
} // namespace

Result<FigureComparison> compareFigures(const std::string& reportJson, const std::string& replayJson) {
    CAROUSEL_ASSIGN(const auto report, leavesOf(reportJson, "the report"));
    CAROUSEL_ASSIGN(const auto replay, leavesOf(replayJson, "the replay"));
    std::unordered_map<std::string, const Leaf*> again;
    for (const auto& leaf : replay)
        again.emplace(leaf.path, &leaf);
    FigureComparison out;
    auto add = [&](ComparedFigure row) {
        if (row.kind == FigureClass::figure) {
            ++out.figures;
            out.differing += row.equal ? 0 : 1;
        }
        out.rows.push_back(std::move(row));
    };
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    for (const auto& leaf : report) {
        ComparedFigure row{.path = leaf.path, .kind = leaf.kind, .report = shown(leaf.value), .replay = "", .equal = false, .difference = none};
        if (const auto found = again.find(leaf.path); found != again.end()) {
            const json& now = found->second->value;
            row.replay = shown(now);
            row.equal = leaf.value == now;
            if (leaf.value.is_number() && now.is_number())
                row.difference = now.get<double>() - leaf.value.get<double>();
            again.erase(found);
        }
        add(std::move(row));
    }
    for (const auto& leaf : replay)
        if (const auto left = again.find(leaf.path); left != again.end() && left->second == &leaf)
            add({.path = leaf.path, .kind = leaf.kind, .report = "", .replay = shown(leaf.value), .equal = false, .difference = none});
    return out;
}

} // namespace carousel
