// SPDX-License-Identifier: GPL-3.0-or-later
// Badges: what a data set can support. A missing capability is shown with its reason and never guessed.
#include "base/text.h"
#include "data/dataset.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel {

namespace {

bool isExplicit(const std::string& kind) {
    return kind == "rating" || kind == "like" || kind == "dislike" || kind == "love";
}

std::string listed(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words)
        out += (out.empty() ? "" : ", ") + word;
    return out;
}

// Words for people rather than codes: a title or description, or any token column whose values mostly hold several words.
std::vector<std::string> textColumns(const EntityTable& items) {
    std::vector<std::string> found;
    for (const auto& column : items.attributes) {
        if (column.isNumeric() || column.type() != FieldType::token || column.dictionary().empty())
            continue;
        const auto spaced = std::count_if(column.dictionary().begin(), column.dictionary().end(),
                                          [](const std::string& text) { return text.find(' ') != std::string::npos; });
        const bool named = column.name().find("title") != std::string::npos || column.name().find("description") != std::string::npos ||
                           column.name() == "name" || column.name() == "text";
        if (named || 2 * static_cast<std::size_t>(spaced) > column.dictionary().size())
            found.push_back(column.name());
    }
    return found;
}

void addSlateBadges(const ImpressionTable& shown, std::vector<Badge>& out) {
    if (shown.size() == 0) {
        for (const auto& [id, what] : {std::pair{"slates", "comparison with logged carousels"},
                                       {"positions", "position effects"},
                                       {"non-clicks", "click models"},
                                       {"propensities", "IPS and other off-policy estimates"},
                                       {"swipes", "swipe estimates"}})
            out.push_back({id, false, fmt::format("no impression log, so no {}", what)});
        return;
    }
    bool several = false, skips = false;
    std::int16_t lastSlot = 0;
    std::size_t logged = 0, reached = 0;
    for (std::size_t i = 0; i < shown.size(); ++i) {
        several = several || (i > 0 && shown.slate[i] == shown.slate[i - 1]);
        skips = skips || shown.click[i] == 0;
        lastSlot = std::max(lastSlot, shown.slot[i]);
        logged += std::isfinite(shown.propensity[i]) && shown.propensity[i] > 0;
        reached += shown.reached[i] != 255;
    }
    const auto n = shown.size();
    out.push_back({"slates", several,
                   several ? "whole slates are logged" : "every impression is logged alone: slate-level estimates are not available"});
    out.push_back({"positions", lastSlot > 0,
                   lastSlot > 0 ? fmt::format("positions 1 to {}", lastSlot + 1) : "no positions: position effects cannot be estimated"});
    out.push_back({"non-clicks", skips,
                   skips ? "shown but not clicked items are logged" : "only clicked items are logged: click rates are not available"});
    std::string note = "no propensities: IPS is not available";
    if (logged == n)
        note = "every impression carries its propensity";
    else if (logged > 0)
        note = fmt::format("{} of {} impressions carry a propensity", withThousands(static_cast<std::int64_t>(logged)),
                           withThousands(static_cast<std::int64_t>(n)));
    out.push_back({"propensities", logged > 0, note});
    out.push_back({"swipes", reached > 0,
                   reached > 0 ? "the log says which slots were in view"
                               : "the log does not say which slots were in view: swipes are not available"});
}

} // namespace

std::vector<Badge> badges(const Dataset& dataset) {
    std::vector<Badge> out;
    const auto& events = dataset.interactions;
    std::vector<std::size_t> perKind(events.kinds.size(), 0);
    std::size_t timed = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        ++perKind[events.kind[i]];
        timed += events.time[i] != noTime;
    }
    std::vector<std::string> stated, observed;
    for (std::size_t k = 0; k < perKind.size(); ++k)
        if (perKind[k] > 0)
            (isExplicit(events.kinds[k]) ? stated : observed).push_back(events.kinds[k]);
    out.push_back({"explicit", !stated.empty(), stated.empty() ? "no ratings, likes or dislikes" : listed(stated)});
    out.push_back({"implicit", !observed.empty(), observed.empty() ? "no views, clicks or purchases" : listed(observed)});
    const bool allTimed = timed > 0 && timed == events.size();
    out.push_back({"time", allTimed,
                   allTimed ? "every interaction has a time"
                            : (timed == 0 ? std::string("no times: splits by time are not available")
                                          : fmt::format("{} of {} interactions have no time: splits by time are not available",
                                                        withThousands(static_cast<std::int64_t>(events.size() - timed)),
                                                        withThousands(static_cast<std::int64_t>(events.size()))))});
    const auto texts = textColumns(dataset.items);
    out.push_back({"text", !texts.empty(), texts.empty() ? "no item texts: language models see ids and tags only" : listed(texts)});
    const auto reviews = static_cast<std::int64_t>(dataset.reviews.size());
    out.push_back({"reviews", reviews > 0,
                   reviews > 0 ? fmt::format("{} written reviews", withThousands(reviews))
                               : "no written reviews: explanations and summaries have nothing to be compared with"});
    addSlateBadges(dataset.impressions, out);
    const AttributeColumn* price = nullptr;
    for (const auto& column : dataset.items.attributes)
        if (column.type() == FieldType::number && column.name().find("price") != std::string::npos)
            price = &column;
    out.push_back({"prices", price != nullptr, price ? price->name() : "no item prices: values are counted in clicks"});
    return out;
}

} // namespace carousel
