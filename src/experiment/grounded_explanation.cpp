// SPDX-License-Identifier: GPL-3.0-or-later
// The two writers: our own sentences, and a prompt.
#include "experiment/grounded_explanation.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace carousel {

namespace {

constexpr std::size_t titlesNamed = 3, sharedNamed = 2;
constexpr std::string_view place = "{{facts}}";

std::string listed(const std::vector<std::string>& parts) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i)
        out += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
    return out;
}

// A sentence of three numbers, of fewer where they are the same.
std::string priceWords(const ExplanationFacts::Prices& prices) {
    const std::string low = moneyText(prices.low), middle = moneyText(prices.middle), high = moneyText(prices.high);
    if (low == high)
        return low;
    return fmt::format("{} to {}, the middle one {}", low, high, middle);
}

} // namespace

std::string moneyText(double price) {
    const double rounded = std::round(price * 100) / 100;
    return rounded == std::floor(rounded) ? fmt::format("{:.0f}", rounded) : fmt::format("{:.2f}", rounded);
}

std::string plainExplanation(const ExplanationFacts& facts) {
    std::string out = fmt::format("This is {}", facts.title);
    std::vector<std::string> parts;
    for (const auto& attribute : facts.attributes)
        if (attribute.role == FactRole::value)
            parts.push_back(attribute.field + " " + attribute.text);
    if (!parts.empty())
        out += ": " + listed(parts);
    out += ".";
    if (!facts.likedTitles.empty())
        out += fmt::format(" Lately you liked {}.",
                           listed({facts.likedTitles.begin(), facts.likedTitles.begin() + static_cast<std::ptrdiff_t>(std::min(titlesNamed, facts.likedTitles.size()))}));
    std::size_t named = 0;
    std::vector<std::string> said; // a category that is a tag, too, is said once
    for (const auto& shared : facts.shared) {
        if (named == sharedNamed)
            break;
        if (std::find(said.begin(), said.end(), shared.value) != said.end())
            continue;
        said.push_back(shared.value);
        ++named;
        out += facts.liked.size() == 1 ? fmt::format(" Your last choice has the same {}, {}.", shared.field, shared.value)
                                       : fmt::format(" {} of your last {} choices {} the same {}, {}.", shared.count, facts.liked.size(), shared.count == 1 ? "has" : "have", shared.field, shared.value);
    }
    if (facts.price) {
        out += fmt::format(" It costs {}.", moneyText(*facts.price));
        if (facts.usualPrices)
            out += fmt::format(" Your last choices cost {}.", priceWords(*facts.usualPrices));
    }
    out += fmt::format(" It was liked by {} {} and is number {} of {} by popularity.", facts.likedBy, facts.likedBy == 1 ? "person" : "people", facts.popularityRank, facts.items);
    if (facts.position > 0)
        out += fmt::format(" It stands at position {} of this carousel{}.", facts.position, facts.strategy.empty() ? "" : ", as " + facts.strategy + " ordered it");
    return out;
}

std::string factLines(const ExplanationFacts& facts) {
    std::string out = fmt::format("Item: {}\n", facts.title);
    for (const auto& attribute : facts.attributes)
        out += fmt::format("- {}: {}\n", attribute.field, attribute.text);
    out += fmt::format("- liked by {} {}, number {} of {} by popularity\n", facts.likedBy, facts.likedBy == 1 ? "person" : "people", facts.popularityRank, facts.items);
    if (facts.likedTitles.empty())
        out += "What this customer liked lately: nothing is known.\n";
    else
        out += "What this customer liked lately, latest first:\n";
    for (const auto& title : facts.likedTitles)
        out += "- " + title + "\n";
    if (!facts.shared.empty())
        out += fmt::format("In common with these {} choices:\n", facts.liked.size());
    for (const auto& shared : facts.shared)
        out += fmt::format("- {} {}: {} of {}\n", shared.field, shared.value, shared.count, facts.liked.size());
    if (facts.usualPrices)
        out += fmt::format("Prices of these choices: {}\n", priceWords(*facts.usualPrices));
    if (facts.position > 0)
        out += fmt::format("Place in the carousel: position {}{}\n", facts.position, facts.strategy.empty() ? "" : ", ordered by " + facts.strategy);
    for (const auto& reason : facts.reasons)
        out += fmt::format("Said by the strategy: {}\n", reason);
    return out;
}

Result<std::string> explanationPrompt(const ExplanationFacts& facts, const std::string& prompt) {
    const auto at = prompt.find(place);
    if (at == std::string::npos)
        return fail(ErrorKind::input, "CL-3070", fmt::format("The prompt of the explanation has no place for the facts ({} characters, no {}).", prompt.size(), place),
                    fmt::format("Write {} where the facts shall stand.", place));
    return prompt.substr(0, at) + factLines(facts) + prompt.substr(at + place.size());
}

std::vector<ParameterSpec> explanationParameters() {
    std::vector<ParameterSpec> out;
    ParameterSpec writer{.id = "writer", .label = "Writer", .kind = ParameterKind::choice, .defaultValue = std::string("plain"), .help = "plain: sentences of ours, made from the facts; model: a language model writes."};
    writer.choices = {"plain", "model"};
    out.push_back(writer);
    out.push_back({.id = "model", .label = "Language model", .kind = ParameterKind::text, .defaultValue = std::string("smollm2-135m-instruct"), .help = "A model of the shelf, or server:NAME."});
    out.push_back({.id = "lastChoices", .label = "Last choices", .kind = ParameterKind::integer, .defaultValue = std::int64_t(5), .help = "How many of the items that the user liked last are facts.", .minimum = 1, .maximum = 50, .unit = "items"});
    out.push_back({.id = "prompt",
                   .label = "Prompt",
                   .kind = ParameterKind::prompt,
                   .defaultValue = std::string("{{facts}}\nTell the customer in two or three short sentences why this item fits. Say only what stands above, and add nothing."),
                   .help = "What the model is asked; {{facts}} becomes the facts."});
    out.push_back({.id = "maximumTokens", .label = "Longest answer", .kind = ParameterKind::integer, .defaultValue = std::int64_t(120), .help = "Where the model's answer is cut.", .minimum = 8, .maximum = 2000, .unit = "tokens"});
    out.push_back({.id = "temperature", .label = "Temperature", .kind = ParameterKind::number, .defaultValue = 0.0, .help = "0: the most probable token each time; above: tokens are drawn.", .minimum = 0, .maximum = 2});
    return out;
}

} // namespace carousel
