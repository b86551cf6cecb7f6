// SPDX-License-Identifier: GPL-3.0-or-later
// Preset event models and how a model reads the interactions.
#include "data/event_model.h"
#include <algorithm>

namespace carousel {

namespace {

// What a person said outright. 4 of 1..5 stars becomes 0.5, the same as a like.
const std::vector<EventRule> statedRules{
    {"rating", 1, 1, true, false}, {"love", 1, 1, false, false}, {"like", 0.5, 1, false, false}, {"dislike", -1, 1, false, false}};
// What a person did. A mere view says little: it belongs to the history but is not a like. Confidence grows with the effort of the act.
const std::vector<EventRule> observedRules{{"view", 0.1, 0.25, false, false}, {"click", 0.5, 1, false, false},
                                           {"save", 0.75, 1.5, false, false}, {"cart", 0.75, 2, false, false},
                                           {"purchase", 1, 4, false, false},  {"*", 0.5, 1, false, false}};

std::vector<EventRule> ignoring(const std::vector<EventRule>& rules) {
    auto out = rules;
    for (auto& rule : out)
        rule.ignore = true;
    return out;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words)
        out += (out.empty() ? "" : ", ") + word;
    return out.empty() ? "none" : out;
}

const EventRule* ruleFor(const EventModel& model, const std::string& kind) {
    const EventRule* other = nullptr;
    for (const auto& rule : model.rules) {
        if (rule.kind == kind)
            return &rule;
        if (rule.kind == "*")
            other = &rule;
    }
    return other;
}

} // namespace

std::vector<EventModel> presetEventModels() {
    EventModel stated{"explicit", "Explicit only: ratings, likes, dislikes", statedRules};
    EventModel observed{"implicit", "Implicit only: views, clicks, purchases", ignoring(statedRules)};
    EventModel combined{"combined", "Explicit and implicit together", statedRules};
    observed.rules.insert(observed.rules.end(), observedRules.begin(), observedRules.end());
    combined.rules.insert(combined.rules.end(), observedRules.begin(), observedRules.end());
    return {stated, observed, combined};
}

Result<EventModel> presetEventModel(const std::string& id) {
    std::vector<std::string> known;
    for (auto& model : presetEventModels()) {
        if (model.id == id)
            return model;
        known.push_back(model.id);
    }
    return fail(ErrorKind::usage, "CL-3010", fmt::format("There is no event model '{}'. Known: {}.", id, joined(known)),
                "Name one of the known event models.");
}

Result<Feedback> applyEventModel(const Dataset& dataset, const EventModel& model) {
    const auto& events = dataset.interactions;
    struct Reading {
        const EventRule* rule = nullptr;
        float low = 0, high = 0;
        bool seen = false;
    };
    std::vector<Reading> readings(events.kinds.size());
    for (std::size_t k = 0; k < readings.size(); ++k) {
        const auto* rule = ruleFor(model, events.kinds[k]);
        readings[k].rule = rule && !rule->ignore ? rule : nullptr;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        auto& reading = readings[events.kind[i]];
        const float value = events.value[i];
        reading.low = reading.seen ? std::min(reading.low, value) : value;
        reading.high = reading.seen ? std::max(reading.high, value) : value;
        reading.seen = true;
        kept += reading.rule != nullptr;
    }
    if (kept == 0) {
        std::vector<std::string> used;
        for (const auto& rule : model.rules)
            if (!rule.ignore)
                used.push_back(rule.kind == "*" ? "any other kind" : rule.kind);
        return fail(ErrorKind::input, "CL-1020",
                    fmt::format("The event model '{}' keeps no interaction of data set '{}'. Kinds present: {}. Kinds the model uses: {}.",
                                model.id, dataset.name, joined(events.kinds), joined(used)),
                    "Choose an event model that uses a kind which is present, for example 'combined'.");
    }
    Feedback out;
    out.user.reserve(kept);
    out.item.reserve(kept);
    out.preference.reserve(kept);
    out.confidence.reserve(kept);
    out.time.reserve(kept);
    out.row.reserve(kept);
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto& reading = readings[events.kind[i]];
        if (!reading.rule)
            continue;
        double preference = reading.rule->preference;
        if (reading.rule->useValue && reading.high > reading.low)
            preference *= 2 * (static_cast<double>(events.value[i]) - reading.low) / (static_cast<double>(reading.high) - reading.low) - 1;
        out.user.push_back(events.user[i]);
        out.item.push_back(events.item[i]);
        out.preference.push_back(static_cast<float>(preference));
        out.confidence.push_back(static_cast<float>(reading.rule->confidence));
        out.time.push_back(events.time[i]);
        out.row.push_back(static_cast<std::int64_t>(i));
    }
    return out;
}

} // namespace carousel
