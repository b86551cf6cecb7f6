// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/dataset_statistics.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel::ui {

namespace {
constexpr std::int64_t daySeconds = 86400;
constexpr std::size_t longTailPoints = 200;

std::string events(std::int64_t n) { return fmt::format("n = {} events", withThousands(n)); }

PlotSpec barPlot(const std::string& id, const std::string& title, const std::string& subtitle, const std::string& xTitle, const std::string& yTitle) {
    PlotSpec plot;
    plot.id = id;
    plot.title = title;
    plot.subtitle = subtitle;
    plot.xTitle = xTitle;
    plot.yTitle = yTitle;
    plot.yMinimum = 0;
    PlotSeries series;
    series.name = yTitle;
    series.kind = PlotSeries::Kind::bars;
    plot.series.push_back(series);
    return plot;
}

PlotSpec kindsPlot(const InteractionTable& t) {
    std::vector<std::int64_t> perKind(t.kinds.size());
    for (const auto kind : t.kind)
        ++perKind[kind];
    std::vector<std::size_t> order(perKind.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return perKind[a] > perKind[b]; });
    const auto top = order.empty() ? std::string() : t.kinds[order.front()];
    const double share = t.size() ? 100.0 * static_cast<double>(perKind[order.front()]) / static_cast<double>(t.size()) : 0;
    auto plot = barPlot("event-kinds", perKind.size() > 1 ? fmt::format("{:.0f} % of the events are of kind {}", share, top) : fmt::format("All events are of kind {}", top),
                        events(static_cast<std::int64_t>(t.size())), "event kind", "events");
    for (const auto kind : order) {
        plot.series[0].x.push_back(static_cast<double>(plot.categories.size()));
        plot.series[0].y.push_back(static_cast<double>(perKind[kind]));
        plot.categories.push_back(t.kinds[kind]);
    }
    return plot;
}

// Values of the kind that carries ratings: one bar per distinct value.
std::optional<PlotSpec> ratingsPlot(const InteractionTable& t) {
    for (std::size_t kind = 0; kind < t.kinds.size(); ++kind) {
        if (t.kinds[kind] != "rating")
            continue;
        std::map<float, std::int64_t> perValue;
        std::int64_t n = 0;
        for (std::size_t row = 0; row < t.size(); ++row)
            if (t.kind[row] == kind && perValue.size() <= 50) {
                ++perValue[t.value[row]];
                ++n;
            }
        if (perValue.size() < 2 || perValue.size() > 50)
            return std::nullopt;
        const auto top = std::max_element(perValue.begin(), perValue.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        auto plot = barPlot("ratings", fmt::format("The most frequent rating is {}", top->first), fmt::format("n = {} ratings", withThousands(n)),
                            "rating", "events");
        plot.series[0].colour = 2;
        for (const auto& [value, number] : perValue) {
            plot.series[0].x.push_back(static_cast<double>(plot.categories.size()));
            plot.series[0].y.push_back(static_cast<double>(number));
            plot.categories.push_back(fmt::format("{}", value));
        }
        return plot;
    }
    return std::nullopt;
}

// One bar per distinct number of stars, as the reviews give them.
std::optional<PlotSpec> reviewStarsPlot(const ReviewTable& t) {
    std::map<float, std::int64_t> perValue;
    std::int64_t n = 0;
    for (const float stars : t.stars)
        if (std::isfinite(stars) && perValue.size() <= 50) {
            ++perValue[stars];
            ++n;
        }
    if (perValue.size() < 2 || perValue.size() > 50)
        return std::nullopt;
    const auto top = std::max_element(perValue.begin(), perValue.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    auto plot = barPlot("review-stars", fmt::format("Most reviews give {} stars", top->first), fmt::format("n = {} reviews with stars", withThousands(n)), "stars", "reviews");
    if (2 * top->second <= n)
        plot.title = fmt::format("Reviews give {} stars most often", top->first);
    plot.series[0].colour = 2;
    for (const auto& [value, number] : perValue) {
        plot.series[0].x.push_back(static_cast<double>(plot.categories.size()));
        plot.series[0].y.push_back(static_cast<double>(number));
        plot.categories.push_back(fmt::format("{}", value));
    }
    return plot;
}

double meanWords(const std::vector<std::string>& texts) {
    std::size_t words = 0;
    for (const auto& text : texts) {
        bool inside = false;
        for (const char c : text) {
            const bool letter = c != ' ' && c != '\n' && c != '\t';
            words += letter && !inside;
            inside = letter;
        }
    }
    return texts.empty() ? 0 : static_cast<double>(words) / static_cast<double>(texts.size());
}

std::optional<PlotSpec> daysPlot(const InteractionTable& t, std::int64_t first, std::int64_t last) {
    if (first == noTime || last - first < daySeconds)
        return std::nullopt;
    const std::int64_t days = last / daySeconds - first / daySeconds + 1;
    const std::int64_t step = std::max<std::int64_t>(1, (days + 119) / 120); // at most about 120 bars
    std::vector<double> bins(static_cast<std::size_t>((days + step - 1) / step));
    std::int64_t n = 0;
    for (const auto time : t.time)
        if (time != noTime) {
            ++bins[static_cast<std::size_t>((time / daySeconds - first / daySeconds) / step)];
            ++n;
        }
    const auto title = fmt::format("Events from {} to {}", utcMinute(first).substr(0, 10), utcMinute(last).substr(0, 10));
    auto plot = barPlot("events-per-day", title, events(n), fmt::format("days since {}", utcMinute(first).substr(0, 10)),
                        step == 1 ? std::string("events per day") : fmt::format("events per {} days", step));
    plot.series[0].colour = 4;
    for (std::size_t i = 0; i < bins.size(); ++i) {
        plot.series[0].x.push_back(static_cast<double>(static_cast<std::int64_t>(i) * step));
        plot.series[0].y.push_back(bins[i]);
    }
    return plot;
}

PlotSpec tailPlot(std::vector<std::int64_t> perItem, std::int64_t n, double& topTenShare) {
    std::sort(perItem.begin(), perItem.end(), std::greater<>());
    std::vector<double> cumulative(perItem.size());
    double sum = 0;
    for (std::size_t i = 0; i < perItem.size(); ++i)
        cumulative[i] = sum += static_cast<double>(perItem[i]);
    const std::size_t tenth = std::max<std::size_t>(1, perItem.size() / 10);
    topTenShare = sum > 0 ? cumulative[tenth - 1] / sum : 0;
    PlotSpec plot;
    plot.id = "popularity";
    plot.title = fmt::format("The most popular tenth of the items takes {:.0f} % of the events", 100 * topTenShare);
    plot.subtitle = fmt::format("n = {} items, {} events", withThousands(static_cast<std::int64_t>(perItem.size())), withThousands(n));
    plot.xTitle = "items, most popular first (%)";
    plot.yTitle = "share of events (%)";
    plot.yMinimum = 0;
    plot.yMaximum = 104;
    PlotSeries actual, equal;
    actual.name = "this data set";
    equal.name = "all equally popular";
    equal.colour = 1;
    equal.dashed = true;
    actual.x.push_back(0);
    actual.y.push_back(0);
    for (std::size_t point = 1; point <= longTailPoints; ++point) {
        const std::size_t at = point * perItem.size() / longTailPoints;
        if (at == 0)
            continue;
        actual.x.push_back(100.0 * static_cast<double>(at) / static_cast<double>(perItem.size()));
        actual.y.push_back(sum > 0 ? 100 * cumulative[at - 1] / sum : 0);
    }
    equal.x = {0, 100};
    equal.y = {0, 100};
    plot.series = {actual, equal};
    return plot;
}

std::optional<PlotSpec> clicksPlot(const ImpressionTable& t) {
    if (t.size() == 0)
        return std::nullopt;
    std::vector<double> shown, clicked;
    for (std::size_t row = 0; row < t.size(); ++row) {
        const auto slot = static_cast<std::size_t>(std::max<std::int16_t>(0, t.slot[row]));
        if (slot >= 40)
            continue;
        if (shown.size() <= slot)
            shown.resize(slot + 1), clicked.resize(slot + 1);
        ++shown[slot];
        clicked[slot] += t.click[row];
    }
    if (shown.size() < 2)
        return std::nullopt;
    PlotSpec plot;
    plot.id = "clicks-per-position";
    plot.title = "Logged clicks per position";
    plot.subtitle = fmt::format("n = {} impressions, raw: position and item are mixed; 95 % Wilson intervals", withThousands(static_cast<std::int64_t>(t.size())));
    plot.xTitle = "position";
    plot.yTitle = "clicks per impression (%)";
    plot.yMinimum = 0;
    PlotSeries series;
    series.name = "click rate";
    series.kind = PlotSeries::Kind::points;
    constexpr double z = 1.959963984540054;
    for (std::size_t slot = 0; slot < shown.size(); ++slot) {
        if (shown[slot] == 0)
            continue;
        const double n = shown[slot], p = clicked[slot] / n, centre = (p + z * z / (2 * n)) / (1 + z * z / n),
                     half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
        series.x.push_back(static_cast<double>(slot + 1));
        series.y.push_back(100 * p);
        series.low.push_back(100 * std::max(0.0, centre - half));
        series.high.push_back(100 * (centre + half));
    }
    plot.series.push_back(series);
    return plot;
}
} // namespace

Result<DatasetStatistics> datasetStatistics(const Dataset& dataset, const RunControl& control) {
    const auto& t = dataset.interactions;
    DatasetStatistics s;
    s.users = static_cast<std::int64_t>(dataset.users.size());
    s.items = static_cast<std::int64_t>(dataset.items.size());
    s.interactions = static_cast<std::int64_t>(t.size());
    s.density = s.users && s.items ? static_cast<double>(t.size()) / (static_cast<double>(s.users) * static_cast<double>(s.items)) : 0;
    for (std::size_t row = 0; row < dataset.impressions.size(); ++row)
        s.slates += row == 0 || dataset.impressions.slate[row] != dataset.impressions.slate[row - 1];
    std::vector<std::int64_t> perUser(dataset.users.size()), perItem(dataset.items.size());
    for (std::size_t row = 0; row < t.size(); ++row) {
        if (row % 65536 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("Statistics"));
        ++perUser[static_cast<std::size_t>(t.user[row])];
        ++perItem[static_cast<std::size_t>(t.item[row])];
        if (t.time[row] != noTime) {
            s.firstTime = s.firstTime == noTime ? t.time[row] : std::min(s.firstTime, t.time[row]);
            s.lastTime = s.lastTime == noTime ? t.time[row] : std::max(s.lastTime, t.time[row]);
        }
    }
    if (!perUser.empty()) {
        const auto middle = perUser.begin() + static_cast<std::ptrdiff_t>(perUser.size() / 2);
        std::nth_element(perUser.begin(), middle, perUser.end());
        s.medianPerUser = static_cast<double>(*middle);
    }
    if (t.size() > 0) {
        s.plots.push_back(kindsPlot(t));
        if (auto plot = ratingsPlot(t))
            s.plots.push_back(std::move(*plot));
        s.plots.push_back(tailPlot(std::move(perItem), s.interactions, s.topTenShare));
        if (auto plot = daysPlot(t, s.firstTime, s.lastTime))
            s.plots.push_back(std::move(*plot));
    }
    if (control.stopRequested())
        return fail(RunControl::cancelled("Statistics"));
    if (auto plot = clicksPlot(dataset.impressions))
        s.plots.push_back(std::move(*plot));
    s.reviews = static_cast<std::int64_t>(dataset.reviews.size());
    s.wordsPerReview = meanWords(dataset.reviews.text);
    if (auto plot = reviewStarsPlot(dataset.reviews))
        s.plots.push_back(std::move(*plot));
    return s;
}

} // namespace carousel::ui
