// SPDX-License-Identifier: GPL-3.0-or-later
// A stored run as the position lens needs it: every user's carousel with attraction and value, the user's segment, where the ideal item stands.
#include "base/text.h"
#include "workbench/log_rates.h"
#include "workbench/user_segments.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
constexpr double priorClicks = 20;   // shrinks purchases per click of an item to the mean

struct Conversion {
    std::vector<float> perClick; // per item; empty: the note says why
    std::string note;
};
Conversion conversionOf(const Dataset& dataset) {
    const auto& events = dataset.interactions;
    auto kind = [&](const char* name) { return std::find(events.kinds.begin(), events.kinds.end(), name) - events.kinds.begin(); };
    const auto clicks = kind("click"), purchases = kind("purchase"), none = static_cast<std::ptrdiff_t>(events.kinds.size());
    if (purchases == none)
        return {{}, "No conversions: the interactions of this data set hold no purchases."};
    if (clicks == none)
        return {{}, "No conversions: the interactions hold purchases but no clicks to divide them by."};
    std::vector<double> clicked(dataset.items.size()), bought(dataset.items.size());
    double allClicks = 0, allPurchases = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto item = static_cast<std::size_t>(events.item[i]);
        if (events.kind[i] == clicks) {
            clicked[item] += 1;
            allClicks += 1;
        } else if (events.kind[i] == purchases) {
            bought[item] += 1;
            allPurchases += 1;
        }
    }
    if (allClicks <= 0 || allPurchases <= 0)
        return {{}, "No conversions: the interactions hold no click or no purchase."};
    Conversion out;
    const double mean = std::min(1.0, allPurchases / allClicks);
    for (std::size_t i = 0; i < clicked.size(); ++i)
        out.perClick.push_back(static_cast<float>(std::min(1.0, (bought[i] + priorClicks * mean) / (clicked[i] + priorClicks))));
    out.note = fmt::format("A click on an item ends in a purchase as often as in the interactions: its own purchases per click (mean {} of {} clicks), shrunk to the mean by {} clicks. "
                           "It takes clicks in the carousel to be like clicks elsewhere.",
                           threeFigures(mean), withThousands(static_cast<std::int64_t>(allClicks)), priorClicks);
    return out;
}
} // namespace

Result<std::shared_ptr<const RunLens>> Workbench::lens(std::int64_t run, int slots, const std::string& segment, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto row, m_d->store->run(run));
    if (row.state != RunState::complete)
        return fail(ErrorKind::partial, "CL-7013", fmt::format("Run {} ('{}') is {}: {} of {} users are done.", run, row.strategy, name(row.state), row.usersDone, row.usersTotal),
                    fmt::format("Finish it first with `resume {}`.", row.study));
    CAROUSEL_ASSIGN(const auto study, parseStudy(row.studyToml, m_d->plugins));
    CAROUSEL_ASSIGN(const auto data, dataset(row.dataset, control.slice(0, 0.2)));
    if (data->digest != row.datasetDigest)
        return fail(ErrorKind::input, "CL-7011", fmt::format("Data set '{}' is not the one run {} was made on.", row.dataset, run), "Import the old data again.");
    CAROUSEL_ASSIGN(const auto attraction, estimateAttraction(*data, study.evaluation));
    CAROUSEL_ASSIGN(const auto users, m_d->store->userResults(run));

    auto out = std::make_shared<RunLens>();
    out->run = run;
    out->strategy = row.strategy;
    for (std::size_t s = 0; s < study.strategies.size(); ++s)
        if (study.strategies[s].name == row.strategy)
            out->colour = static_cast<int>(s);
    out->model = attraction.model;
    out->note = attraction.note;
    out->segmentField = segment;
    const auto wide = static_cast<std::size_t>(slots > 0 ? slots : 2 * study.evaluation.window);
    for (const auto& user : users)
        out->users.push_back(user.user);
    CAROUSEL_ASSIGN(const auto segments, userSegments(*data, segment, out->users));
    const auto conversion = conversionOf(*data);
    out->conversionNote = conversion.note;

    std::vector<float> alpha(users.size() * wide), v(alpha.size()), bought(conversion.perClick.empty() ? 0 : alpha.size());
    std::vector<std::int32_t> codes, targets;
    for (std::size_t u = 0; u < users.size(); ++u) {
        const auto& user = users[u];
        std::int32_t target = user.targets.empty() ? -1 : static_cast<std::int32_t>(wide);
        for (std::size_t i = 0; i < user.slate.size() && i < wide; ++i) {
            const auto item = static_cast<std::size_t>(user.slate[i].item);
            const bool ideal = std::binary_search(user.targets.begin(), user.targets.end(), user.slate[i].item);
            if (ideal)
                target = std::min(target, static_cast<std::int32_t>(i));
            alpha[u * wide + i] = ideal ? 1.0f : attraction.item[item];
            v[u * wide + i] = attraction.value[item];
            if (!bought.empty())
                bought[u * wide + i] = conversion.perClick[item];
        }
        targets.push_back(target);
        if (!segment.empty())
            codes.push_back(segments.code[static_cast<std::size_t>(user.user)]);
    }
    CAROUSEL_ASSIGN(out->lens, PositionLens::make(wide, alpha, v, codes, segments.names, targets));
    if (!bought.empty()) {
        CAROUSEL_ASSIGN(out->conversion, PositionLens::make(wide, alpha, bought, codes, segments.names, targets));
    }

    const std::string key = fmt::format("{}|{}", data->digest, study.evaluation.window);
    std::shared_ptr<const LogRates> rates;
    {
        std::scoped_lock lock(m_d->mutex);
        if (const auto it = m_d->logRates.find(key); it != m_d->logRates.end())
            rates = it->second;
    }
    if (!rates) {
        CAROUSEL_ASSIGN(auto made, estimateLogRates(*data, study.evaluation.window, control.slice(0.2, 1)));
        rates = std::make_shared<const LogRates>(std::move(made));
        std::scoped_lock lock(m_d->mutex);
        m_d->logRates[key] = rates;
    }
    out->rawCtr = rates->raw;
    out->rawInterval = rates->rawInterval;
    out->correctedCtr = rates->corrected;
    out->correctedInterval = rates->correctedInterval;
    out->measuredSwipe = rates->swipe;
    out->measuredExamination = rates->examination;
    out->logNote = rates->note;
    return out;
}

} // namespace carousel
