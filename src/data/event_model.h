// SPDX-License-Identifier: GPL-3.0-or-later
// An event model maps each event kind to a preference and a confidence (Hu, Koren, Volinsky, ICDM 2008, for the split into the two).
// A strategy names the one it uses, so that explicit only, implicit only and combined feedback can be compared.
#pragma once
#include "data/dataset.h"

namespace carousel {

struct EventRule {
    std::string kind;            // event kind it applies to; "*": every kind that no other rule of the model names
    double preference = 1;       // -1 (dislike) .. 1 (love); with useValue: the preference of the highest value
    double confidence = 1;       // > 0
    bool useValue = false;       // rating-like: preference runs linearly from -1 at the smallest value seen to 1 at the largest
    bool ignore = false;
};

struct EventModel {
    std::string id;    // "explicit", "implicit", "combined" or the analyst's own
    std::string title; // for people
    std::vector<EventRule> rules;
    double positiveFrom = 0.25; // a (user,item) with preference >= this counts as liked
    double negativeUpTo = -0.25; // and with preference <= this as disliked
};

std::vector<EventModel> presetEventModels();              // explicit, implicit, combined
Result<EventModel> presetEventModel(const std::string& id); // CL-3010 naming the known ones

// Interactions as one model sees them: one row per interaction kept, in the order of the table.
struct Feedback {
    std::vector<Code> user, item;
    std::vector<float> preference, confidence;
    std::vector<std::int64_t> time;
    std::vector<std::int64_t> row; // index into InteractionTable
    std::size_t size() const { return user.size(); }
};
// Error CL-1020 when the model keeps no interaction of this data set (naming the kinds present and the kinds it uses).
Result<Feedback> applyEventModel(const Dataset& dataset, const EventModel& model);

} // namespace carousel
