// SPDX-License-Identifier: GPL-3.0-or-later
// Splits into train, validation and test. A split is made of interaction rows and is the same for every strategy of a study:
// targets are the liked interactions (preference >= positiveFrom) under the study's target event model.
#pragma once
#include "base/run_control.h"
#include "data/event_model.h"

namespace carousel {

enum class SplitMethod { leaveOneOut, ratioByTimeGlobal, ratioByTimePerUser };

struct SplitSpec {
    SplitMethod method = SplitMethod::leaveOneOut;
    double testShare = 0.1, validationShare = 0.1; // ratio methods
    std::string targetModel = "combined";          // event model that decides what a target is
    int minimumHistory = 1;                        // users with fewer training interactions have no target
    std::uint64_t seed = 1;                        // breaks ties of equal times
};

enum class Part : std::uint8_t { train, validation, test, unused };

struct Split {
    SplitSpec spec;
    std::vector<Part> part;                 // per interaction row
    std::vector<std::vector<Code>> validationTargets, testTargets; // per user, distinct items not in the user's training part
    std::string digest;
    // Audit
    std::size_t trainRows = 0, validationRows = 0, testRows = 0, usersWithTarget = 0, repeatTargetsDropped = 0, tiedTimes = 0;
    double globalLeakShare = 0; // share of training rows later than the earliest test row (0 for a global time split)
    std::vector<std::string> notes;
};

// Errors: CL-1030 no times where the method needs them, CL-1031 nothing left to test.
Result<Split> makeSplit(const Dataset& dataset, const SplitSpec& spec, const RunControl& control);
const char* name(SplitMethod method); // "leave-one-out", "ratio-global", "ratio-user"
Result<SplitMethod> splitMethod(const std::string& name);

// What a strategy may take from the part of a carousel log that it may be trained on (see experiment/training_clicks.h).
struct LoggedClick {
    Code user = noCode, item = noCode;
    std::int64_t time = noTime;
    float weight = 1; // by inverse propensity, mean 1 over the clicks; 1: plain
};
struct ClickEvidence { // per item; empty when the log is not used
    std::vector<float> clicks, impressions; // impressions that came into view, each weighted by the probability that its place is looked at
    bool empty() const { return impressions.empty(); }
};
struct LogTraining {
    std::vector<LoggedClick> clicks;
    ClickEvidence evidence;
};

// What strategies may learn from: catalogue, users, and the training part as one event model sees it. It has no way to reach test labels.
// Written reviews are not among it: a split knows of interactions alone, so the review of a held-out pair would tell what it was about.
class TrainingView {
public:
    // `part` train only, or train and validation ("refit") when `withValidation`. Clicks of a log join the histories by time as liked events
    // of confidence 1 and their weight, behind interactions of the same second; whoever gives them has left out what must not be learned from.
    static Result<TrainingView> make(DatasetPtr dataset, const Split& split, const EventModel& model, bool withValidation,
                                     const LogTraining* log = nullptr);

    // The same without some events, for stages that learn by hiding a part of what they have from themselves: `hidden` has a flag per event,
    // the users' histories one after the other. An item whose events are all hidden no longer counts as seen. Clicks of a log and what is
    // known of items beside the events (click evidence) stay. CL-9010 when the number of flags is another.
    Result<TrainingView> without(std::span<const std::uint8_t> hidden) const;
    std::size_t firstEventOf(Code user) const { return m_offsets[static_cast<std::size_t>(user)]; } // where a user's history begins among all

    std::size_t userCount() const { return m_dataset->users.size(); }
    std::size_t itemCount() const { return m_dataset->items.size(); }
    const EntityTable& users() const { return m_dataset->users; }
    const EntityTable& items() const { return m_dataset->items; }
    // A user's events, oldest first (ties in the split's seeded order). Parallel spans.
    std::span<const Code> historyItems(Code user) const { return slice(m_items, user); }
    std::span<const float> historyPreference(Code user) const { return slice(m_preference, user); }
    std::span<const float> historyConfidence(Code user) const { return slice(m_confidence, user); }
    // How many times an event counts in learning, beside the event model's confidence: 1, or a logged click's inverse-propensity weight.
    std::span<const float> historyWeight(Code user) const { return slice(m_weight, user); }
    std::span<const std::int64_t> historyTime(Code user) const { return slice(m_time, user); }
    // Distinct items of all known events of the user, ascending: what a full ranking leaves out. Events that the event model ignores
    // count too, and clicks of a log do not, so that strategies that learn from different events rank the same candidates.
    std::span<const Code> seenItems(Code user) const;
    const std::vector<float>& popularity() const { return m_popularity; } // liked events per item, by confidence and weight
    const ClickEvidence& clickEvidence() const { return m_evidence; }
    std::int64_t events() const { return static_cast<std::int64_t>(m_items.size()); }
    double positiveFrom() const { return m_positiveFrom; }
    double negativeUpTo() const { return m_negativeUpTo; }

private:
    template <class T> std::span<const T> slice(const std::vector<T>& values, Code user) const {
        const auto u = static_cast<std::size_t>(user);
        return {values.data() + m_offsets[u], m_offsets[u + 1] - m_offsets[u]};
    }
    DatasetPtr m_dataset;
    std::vector<std::size_t> m_offsets, m_seenOffsets;
    std::vector<Code> m_items, m_seen;
    std::vector<float> m_preference, m_confidence, m_weight, m_popularity;
    std::vector<std::int64_t> m_time;
    double m_positiveFrom = 0, m_negativeUpTo = 0;
    ClickEvidence m_evidence;
};

} // namespace carousel
