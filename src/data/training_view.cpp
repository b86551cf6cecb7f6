// SPDX-License-Identifier: GPL-3.0-or-later
// TrainingView: the only thing a strategy learns from.
#include "data/event_order.h"
#include "data/split.h"
#include <algorithm>
#include <numeric>

namespace carousel {

namespace {
// Numbers of the clicks of each user, oldest first; clicks of one second keep their order.
std::vector<std::size_t> clicksByUser(const std::vector<LoggedClick>& clicks) {
    std::vector<std::size_t> order(clicks.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return clicks[a].user != clicks[b].user ? clicks[a].user < clicks[b].user : clicks[a].time < clicks[b].time;
    });
    return order;
}
} // namespace

Result<TrainingView> TrainingView::make(DatasetPtr dataset, const Split& split, const EventModel& model, bool withValidation,
                                        const LogTraining* log) {
    const auto& events = dataset->interactions;
    if (split.part.size() != events.size())
        return fail(
            ErrorKind::internal, "CL-9010",
            fmt::format("The split has {} rows and data set '{}' has {} interactions.", split.part.size(), dataset->name, events.size()),
            "Make the split again from this data set.");
    CAROUSEL_ASSIGN(const Feedback feedback, applyEventModel(*dataset, model));
    auto learns = [&](std::size_t row) {
        return split.part[row] == Part::train || (withValidation && split.part[row] == Part::validation);
    };

    TrainingView view;
    view.m_positiveFrom = model.positiveFrom;
    view.m_negativeUpTo = model.negativeUpTo;
    std::vector<std::uint8_t> known(events.size(), 0), kept(events.size(), 0);
    std::vector<float> preference(events.size(), 0), confidence(events.size(), 0);
    for (std::size_t row = 0; row < events.size(); ++row)
        known[row] = learns(row);
    for (std::size_t i = 0; i < feedback.size(); ++i) {
        const auto row = static_cast<std::size_t>(feedback.row[i]);
        kept[row] = known[row];
        preference[row] = feedback.preference[i];
        confidence[row] = feedback.confidence[i];
    }
    const auto keys = tieKeys(split.spec.seed, events.size());
    const auto order = orderByUser(*dataset, keys, kept);
    if (order.rows.empty())
        return fail(
            ErrorKind::input, "CL-1020",
            fmt::format("The event model '{}' keeps no interaction in the training part of data set '{}'.", model.id, dataset->name),
            "Choose an event model that uses a kind which is present, or keep a larger training part.");
    const std::vector<LoggedClick> none;
    const auto& clicks = log ? log->clicks : none;
    for (const auto& click : clicks)
        if (click.user < 0 || static_cast<std::size_t>(click.user) >= dataset->users.size() || click.item < 0 ||
            static_cast<std::size_t>(click.item) >= dataset->items.size())
            return fail(
                ErrorKind::internal, "CL-9010",
                fmt::format("A logged click names user {} and item {}, which '{}' does not have.", click.user, click.item, dataset->name),
                "Take the clicks from this data set's own log.");
    view.m_popularity.assign(dataset->items.size(), 0);
    std::vector<double> popularity(dataset->items.size(), 0);
    view.m_items.reserve(order.rows.size() + clicks.size());
    auto add = [&](Code item, float liking, float trust, float weight, std::int64_t time) {
        view.m_items.push_back(item);
        view.m_preference.push_back(liking);
        view.m_confidence.push_back(trust);
        view.m_weight.push_back(weight);
        view.m_time.push_back(time);
        if (liking >= model.positiveFrom)
            popularity[static_cast<std::size_t>(item)] += double(trust) * double(weight);
    };
    view.m_offsets.assign(1, 0);
    const auto clickOrder = clicksByUser(clicks);
    auto next = clickOrder.begin();
    for (std::size_t user = 0; user < dataset->users.size(); ++user) {
        auto addClicksBefore = [&](std::int64_t time, bool all) {
            for (; next != clickOrder.end() && static_cast<std::size_t>(clicks[*next].user) == user && (all || clicks[*next].time < time);
                 ++next)
                add(clicks[*next].item, 1.0f, 1.0f, clicks[*next].weight, clicks[*next].time);
        };
        for (const auto row : order.of(user)) {
            addClicksBefore(events.time[row], false);
            add(events.item[row], preference[row], confidence[row], 1.0f, events.time[row]);
        }
        addClicksBefore(noTime, true);
        view.m_offsets.push_back(view.m_items.size());
    }
    if (log)
        view.m_evidence = log->evidence;
    std::transform(popularity.begin(), popularity.end(), view.m_popularity.begin(), [](double sum) { return static_cast<float>(sum); });

    // Seen items come from every known event, whatever the event model: strategies with different event models must rank the same
    // candidates, or their metrics could not be compared.
    const auto all = orderByUser(*dataset, keys, known);
    view.m_seenOffsets.assign(1, 0);
    for (std::size_t u = 0; u < dataset->users.size(); ++u) {
        const auto start = static_cast<std::ptrdiff_t>(view.m_seen.size());
        for (const auto row : all.of(u))
            view.m_seen.push_back(events.item[row]);
        std::sort(view.m_seen.begin() + start, view.m_seen.end());
        view.m_seen.erase(std::unique(view.m_seen.begin() + start, view.m_seen.end()), view.m_seen.end());
        view.m_seenOffsets.push_back(view.m_seen.size());
    }
    view.m_dataset = std::move(dataset);
    return view;
}

std::span<const Code> TrainingView::seenItems(Code user) const {
    const auto u = static_cast<std::size_t>(user);
    return {m_seen.data() + m_seenOffsets[u], m_seenOffsets[u + 1] - m_seenOffsets[u]};
}

Result<TrainingView> TrainingView::without(std::span<const std::uint8_t> hidden) const {
    if (hidden.size() != m_items.size())
        return fail(ErrorKind::internal, "CL-9010", fmt::format("{} flags were given for {} events.", hidden.size(), m_items.size()),
                    "Give one flag per event.");
    TrainingView view;
    view.m_dataset = m_dataset;
    view.m_positiveFrom = m_positiveFrom, view.m_negativeUpTo = m_negativeUpTo;
    view.m_evidence = m_evidence;
    view.m_offsets.assign(1, 0), view.m_seenOffsets.assign(1, 0);
    std::vector<double> popularity(itemCount(), 0);
    for (std::size_t user = 0; user < userCount(); ++user) {
        const auto first = view.m_items.size();
        std::vector<Code> gone;
        for (auto i = m_offsets[user]; i < m_offsets[user + 1]; ++i) {
            if (hidden[i]) {
                gone.push_back(m_items[i]);
                continue;
            }
            view.m_items.push_back(m_items[i]);
            view.m_preference.push_back(m_preference[i]);
            view.m_confidence.push_back(m_confidence[i]);
            view.m_weight.push_back(m_weight[i]);
            view.m_time.push_back(m_time[i]);
            if (m_preference[i] >= m_positiveFrom)
                popularity[static_cast<std::size_t>(m_items[i])] += double(m_confidence[i]) * double(m_weight[i]);
        }
        view.m_offsets.push_back(view.m_items.size());
        const auto left = std::span<const Code>(view.m_items).subspan(first);
        std::erase_if(gone, [&](Code item) { return std::find(left.begin(), left.end(), item) != left.end(); });
        for (const auto item : seenItems(static_cast<Code>(user)))
            if (std::find(gone.begin(), gone.end(), item) == gone.end())
                view.m_seen.push_back(item);
        view.m_seenOffsets.push_back(view.m_seen.size());
    }
    view.m_popularity.assign(popularity.begin(), popularity.end());
    return view;
}

} // namespace carousel
