// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/training_clicks.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

namespace {

struct Session {
    std::size_t first = 0, end = 0; // rows of the impression table
};

// Sessions, earliest first, by the time of their first row; sessions of one time, or without any, in the order of the log.
std::vector<Session> sessionsInTime(const ImpressionTable& log) {
    std::vector<Session> sessions;
    for (std::size_t row = 0; row < log.size(); ++row) {
        if (row == 0 || log.slate[row] != log.slate[row - 1])
            sessions.push_back({row, row});
        sessions.back().end = row + 1;
    }
    std::stable_sort(sessions.begin(), sessions.end(),
                     [&](const Session& a, const Session& b) { return log.time[a.first] < log.time[b.first]; });
    return sessions;
}

// P(slot is looked at) for every slot that occurs.
std::vector<double> examinationOf(const ImpressionTable& log, const std::vector<Session>& sessions, std::size_t used, double theta,
                                  const EvaluationSpec& evaluation) {
    std::size_t slots = 0;
    std::vector<double> known, reached;
    for (std::size_t s = 0; s < used; ++s)
        for (std::size_t row = sessions[s].first; row < sessions[s].end; ++row) {
            const auto slot = static_cast<std::size_t>(std::max<int>(log.slot[row], 0));
            if (slot >= slots) {
                slots = slot + 1;
                known.resize(slots, 0);
                reached.resize(slots, 0);
            }
            known[slot] += log.reached[row] != 255;
            reached[slot] += log.reached[row] == 1;
        }
    const auto window = static_cast<std::size_t>(evaluation.window);
    std::vector<double> examination(slots);
    for (std::size_t slot = 0; slot < slots; ++slot) {
        const double reach = known[slot] > 0 ? reached[slot] / known[slot] : std::pow(evaluation.swipe, static_cast<double>(slot / window));
        examination[slot] = std::pow(theta, static_cast<double>(slot % window)) * reach;
    }
    return examination;
}

class HeldOut {
public:
    HeldOut(const Dataset& dataset, const Split& split, bool withValidation) : m_split(split), m_withValidation(withValidation) {
        m_first.assign(dataset.users.size(), std::numeric_limits<std::int64_t>::max());
        for (std::size_t row = 0; row < split.part.size(); ++row)
            if (split.part[row] == Part::test && dataset.interactions.time[row] != noTime) {
                auto& first = m_first[static_cast<std::size_t>(dataset.interactions.user[row])];
                first = std::min(first, dataset.interactions.time[row]);
            }
    }
    bool item(Code user, Code item) const {
        return user != noCode &&
               (among(m_split.testTargets, user, item) || (!m_withValidation && among(m_split.validationTargets, user, item)));
    }
    bool laterThan(Code user, std::int64_t time) const { return time != noTime && time > m_first[static_cast<std::size_t>(user)]; }

private:
    static bool among(const std::vector<std::vector<Code>>& targets, Code user, Code item) {
        const auto u = static_cast<std::size_t>(user);
        return u < targets.size() && std::find(targets[u].begin(), targets[u].end(), item) != targets[u].end();
    }
    const Split& m_split;
    const bool m_withValidation;
    std::vector<std::int64_t> m_first;
};

std::string sentence(const TrainingClicks& made, const TrainingSpec& training, const EvaluationSpec& evaluation, double theta) {
    std::string out = fmt::format("Trained on the carousel log (training.clicks = {}): the first {} of {} sessions, ", training.clicks,
                                  withThousands(made.sessionsUsed), withThousands(made.sessions));
    if (training.clicks == "evidence")
        out += fmt::format("{} clicks as click rates per item, none as events", withThousands(made.clicks - made.onHeldOut));
    else
        out += fmt::format("{} of {} clicks as events and in click rates per item",
                           withThousands(static_cast<std::int64_t>(made.log.clicks.size())), withThousands(made.clicks));
    if (training.clicks == "ips")
        out += fmt::format(
            "; weight 1 / P(looked at), examination {} per place of a page of {} times reach: mean {}, largest {}, {} clipped at {}, "
            "scaled to mean 1, worth {} equal clicks",
            threeFigures(theta), evaluation.window, threeFigures(made.meanWeight), threeFigures(made.largestWeight),
            withThousands(made.clipped), threeFigures(training.clip), threeFigures(made.effective));
    out += fmt::format(". Left out: {} clicks on the user's own held-out items", withThousands(made.onHeldOut));
    if (made.anonymous > 0)
        out += fmt::format(", {} of nobody known (their click rates count)", withThousands(made.anonymous));
    return out + ".";
}

} // namespace

Result<TrainingClicks> trainingClicks(const Dataset& dataset, const Split& split, const TrainingSpec& training,
                                      const EvaluationSpec& evaluation, const RunControl& control) {
    TrainingClicks made;
    if (training.clicks == "none")
        return made;
    const auto& log = dataset.impressions;
    if (log.size() == 0)
        return fail(ErrorKind::input, "CL-3013",
                    fmt::format("training.clicks is '{}', but data set '{}' has no carousel log.", training.clicks, dataset.name),
                    "Set training.clicks=none, or use a data set with logged slates.");
    const auto sessions = sessionsInTime(log);
    // Rank r is used when r < share * n: what a log selection from this share on leaves over.
    const auto used =
        std::min(sessions.size(), static_cast<std::size_t>(std::ceil(training.logShare * static_cast<double>(sessions.size()))));
    made.sessions = static_cast<std::int64_t>(sessions.size());
    made.sessionsUsed = static_cast<std::int64_t>(used);
    const double theta = training.examination > 0 ? training.examination : evaluation.examination;
    made.examination = examinationOf(log, sessions, used, theta, evaluation);
    const HeldOut heldOut(dataset, split, evaluation.refitOnValidation);
    const bool asEvents = training.clicks != "evidence", weighted = training.clicks == "ips";

    std::vector<double> clicks(dataset.items.size(), 0), looks(dataset.items.size(), 0), weights;
    for (std::size_t s = 0; s < used; ++s) {
        if (s % 4096 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("Reading the carousel log"));
        bool clickedBefore = false;
        for (std::size_t row = sessions[s].first; row < sessions[s].end; ++row) {
            const Code user = log.user[row], item = log.item[row];
            const auto slot = static_cast<std::size_t>(std::max<int>(log.slot[row], 0));
            const bool click = log.click[row] != 0;
            made.clicks += click;
            if (heldOut.item(user, item)) {
                made.onHeldOut += click; // and no other trace of it: rows behind it stay as if it were not there
                continue;
            }
            // Rates: what came into view up to the first click, as the value of a carousel reads the log.
            const bool inView = log.reached[row] == 1 || (log.reached[row] == 255 && slot < static_cast<std::size_t>(evaluation.window));
            if (!clickedBefore && inView) {
                looks[static_cast<std::size_t>(item)] +=
                    std::pow(theta, static_cast<double>(slot % static_cast<std::size_t>(evaluation.window)));
                clicks[static_cast<std::size_t>(item)] += click;
            }
            clickedBefore = clickedBefore || click;
            if (!click)
                continue;
            if (user == noCode) {
                ++made.anonymous;
                continue;
            }
            if (!asEvents)
                continue;
            const double inverse = made.examination[slot] > 0 ? 1 / made.examination[slot] : std::numeric_limits<double>::infinity();
            made.clipped += weighted && inverse > training.clip;
            weights.push_back(weighted ? std::min(training.clip, inverse) : 1.0);
            made.afterHeldOut += heldOut.laterThan(user, log.time[row]);
            made.log.clicks.push_back({user, item, log.time[row], 1.0f});
        }
    }
    if (!weights.empty()) {
        const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        const double squares = std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0);
        made.meanWeight = sum / static_cast<double>(weights.size());
        made.largestWeight = *std::max_element(weights.begin(), weights.end());
        made.effective = sum * sum / squares;
        for (std::size_t i = 0; i < weights.size(); ++i)
            made.log.clicks[i].weight = static_cast<float>(weights[i] / made.meanWeight);
    }
    made.log.evidence.clicks.assign(clicks.begin(), clicks.end());
    made.log.evidence.impressions.assign(looks.begin(), looks.end());
    made.notes.push_back(sentence(made, training, evaluation, theta));
    if (made.afterHeldOut > 0)
        made.notes.push_back(
            fmt::format("{} of the clicks used are later than what is held out of the same user: this says how position weights "
                        "change a strategy, not how it would have done at that time.",
                        withThousands(made.afterHeldOut)));
    return made;
}

} // namespace carousel
