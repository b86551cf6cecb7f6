// SPDX-License-Identifier: GPL-3.0-or-later
// Controller: the best by score, in the order that is worth most to a visitor who may never swipe on.
//   alpha_i = rate_i * lift(rank_i): rate_i is what the log says an item is clicked when looked at (shrunk to the log's mean), or one base
//   rate for all; lift falls geometrically from the first of the pool to the last and has mean 1, since scores of different scorers have
//   no common scale and only their order is used. Tied items share their mean rank.
//   The pool is then ordered for the highest V (evaluation/carousel/value.h); V of the order by score is the bound it never falls below.
#include "evaluation/carousel/carousel_value.h"
#include "stages/plugin.h"
#include "support/slates.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel {
namespace {

struct Settings {
    std::size_t pool = 24;
    CarouselModel model;
    std::string value = "auto";
    bool useLog = true;
    double baseRate = 0.05, lift = 8, prior = 20;
};

bool hasScore(const ScoredItem& item) {
    return item.status != ScoreStatus::invalid && item.status != ScoreStatus::missing;
}

class OrderForValue final : public Controller {
public:
    explicit OrderForValue(Settings settings) : m_settings(std::move(settings)) {}

    Result<Slate> compose(ComposeTools& tools, const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("order_for_value"));
        CAROUSEL_ASSIGN(const auto candidates, tools.candidates());
        std::vector<Code> items;
        items.reserve(candidates.size());
        for (const auto& candidate : candidates)
            items.push_back(candidate.item);
        CAROUSEL_ASSIGN(auto scored, tools.score(items));
        plugin::sortBestFirst(scored);
        const auto usable = static_cast<std::size_t>(std::count_if(scored.begin(), scored.end(), hasScore));
        const std::size_t n = std::min(m_settings.pool, usable);

        CAROUSEL_ASSIGN(const auto v, values(tools.training().items(), scored, n));
        const auto alpha = attractions(tools.training().clickEvidence(), scored, n);
        std::vector<std::size_t> byScore(n);
        std::iota(byScore.begin(), byScore.end(), std::size_t(0));
        const double before = valueOfOrder(m_settings.model, alpha, v, byScore);
        auto found = bestOrder(m_settings.model, alpha, v);
        // From the order by score as well: where the search is not exact, it must not lose to what was there.
        if (!found.exact)
            if (auto improved = improvedOrder(m_settings.model, alpha, v, byScore); improved.value > found.value)
                found = std::move(improved);
        if (!(found.value > before))
            found.order = byScore;

        plugin::SlateBuilder slate;
        appendPool(slate, scored, alpha, v, found.order);
        slate.append({scored.begin() + static_cast<std::ptrdiff_t>(n), scored.end()});
        CAROUSEL_ASSIGN(const auto rest, tools.remainder(items));
        slate.append(rest);
        trace(tools, alpha, v, scored, found, before);
        return slate.finish();
    }

private:
    // What a click is worth; items without the attribute are worth nothing, as in the carousel's figures.
    Result<std::vector<double>> values(const EntityTable& table, const std::vector<ScoredItem>& scored, std::size_t n) const {
        std::vector<double> v(n, 1.0);
        if (m_settings.value == "one")
            return v;
        const bool automatic = m_settings.value.empty() || m_settings.value == "auto";
        const auto* column = table.attribute(automatic ? "price" : m_settings.value);
        if (!column || !column->isNumeric()) {
            if (automatic)
                return v;
            return fail(ErrorKind::input, "CL-6029",
                        fmt::format("order_for_value: the items have no number called '{}'.", m_settings.value),
                        "Set value to \"auto\", \"one\" or the name of a numeric item attribute.");
        }
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = static_cast<std::size_t>(scored[i].item);
            const double amount = column->missing(row) ? 0.0 : column->numbers(row)[0];
            v[i] = std::isfinite(amount) ? std::max(0.0, amount) : 0.0;
        }
        return v;
    }

    std::vector<double> attractions(const ClickEvidence& log, const std::vector<ScoredItem>& scored, std::size_t n) const {
        std::vector<double> alpha(n);
        // lift^(1/2 - rank/(n - 1)) before it is scaled to mean 1; ties at their mean rank.
        double sum = 0;
        for (std::size_t first = 0; first < n;) {
            std::size_t last = first + 1;
            while (last < n && scored[last].score == scored[first].score)
                ++last;
            const double rank = static_cast<double>(first + last - 1) / 2;
            for (std::size_t i = first; i < last; ++i)
                sum += alpha[i] = n > 1 ? std::pow(m_settings.lift, 0.5 - rank / static_cast<double>(n - 1)) : 1.0;
            first = last;
        }
        double mean = m_settings.baseRate;
        const bool known = usesLog(log);
        if (known)
            mean = std::accumulate(log.clicks.begin(), log.clicks.end(), 0.0) /
                   std::accumulate(log.impressions.begin(), log.impressions.end(), 0.0);
        for (std::size_t i = 0; i < n; ++i) {
            const auto item = static_cast<std::size_t>(scored[i].item);
            double rate = mean;
            if (known)
                rate = (double(log.clicks[item]) + m_settings.prior * mean) / (double(log.impressions[item]) + m_settings.prior);
            alpha[i] = std::min(1.0, rate * alpha[i] * static_cast<double>(n) / sum);
        }
        return alpha;
    }
    bool usesLog(const ClickEvidence& log) const {
        return m_settings.useLog && std::any_of(log.clicks.begin(), log.clicks.end(), [](float clicks) { return clicks > 0; });
    }

    // Neighbours that no figure tells apart stay tied: their order is chance, and metrics take the mean over it.
    static void appendPool(plugin::SlateBuilder& slate, const std::vector<ScoredItem>& scored, const std::vector<double>& alpha,
                           const std::vector<double>& v, const std::vector<std::size_t>& order) {
        for (std::size_t first = 0; first < order.size();) {
            std::size_t last = first;
            std::vector<ScoredItem> alike;
            while (last < order.size() && scored[order[last]].score == scored[order[first]].score &&
                   alpha[order[last]] == alpha[order[first]] && v[order[last]] == v[order[first]])
                alike.push_back(scored[order[last++]]);
            slate.append(alike);
            first = last;
        }
    }

    void trace(ComposeTools& tools, const std::vector<double>& alpha, const std::vector<double>& v, const std::vector<ScoredItem>& scored,
               const BestOrder& found, double before) const {
        auto moved = nlohmann::json::array();
        std::size_t count = 0;
        for (std::size_t to = 0; to < found.order.size(); ++to) {
            const auto from = found.order[to];
            if (from == to)
                continue;
            ++count;
            if (moved.size() < 12)
                moved.push_back({{"item", tools.training().items().displayName(scored[from].item)},
                                 {"from", from + 1},
                                 {"to", to + 1},
                                 {"attraction", alpha[from]},
                                 {"value", v[from]}});
        }
        const nlohmann::json detail{
            {"pool", found.order.size()}, {"valueByScore", before}, {"valueOrdered", std::max(before, found.value)},
            {"method", found.method},     {"exact", found.exact},   {"ratesFromLog", usesLog(tools.training().clickEvidence())},
            {"movedCount", count},        {"moved", moved}};
        tools.trace().add("controller", "order for value", detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }

    Settings m_settings;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::controller;
    out.id = "order_for_value";
    out.name = "Order for value";
    out.summary = "Takes the best by score and orders them for the highest value V: what is worth a click stands before the fold.";
    out.source = "ours: swipe-aware value of a carousel, best order by dynamic programme or exchanges";
    out.twin = "llm_planner";
    auto value = plugin::dataField("value", "Worth of a click",
                                   "auto: the price when items have one, else 1; one: every click alike; or a numeric item attribute.");
    value.defaultValue = std::string("auto");
    out.parameters = {
        plugin::integer("pool", "Ordered", 24, 1, 60, "items", "The so many best by score are ordered anew; what follows keeps its order."),
        value,
        plugin::integer("window", "Visible", 6, 1, 100, "items", "Items visible without a swipe; set it to the study's window."),
        plugin::number("swipe", "Swipe on", 0.35, 0, 1, "",
                       "Probability to swipe on after a page without a click; low values move worth to the first page."),
        plugin::number("examination", "Examination", 0.85, 0.01, 1, "per place",
                       "Probability to look at a place falls by this factor from place to place of a page."),
        plugin::choice("rates", "Click rates", {"log", "one"}, "log",
                       "log: each item's clicks per look in the log, where the strategy may train on it; one: the base rate for all."),
        plugin::number("baseRate", "Base rate", 0.05, 0.0001, 1, "",
                       "Mean click probability of a candidate that is looked at; used where no log is given."),
        plugin::number("lift", "Lift of the first", 8, 1, 1000, "times",
                       "So many times likelier is a click on the first by score than on the last of the pool; 1 ignores the scores."),
        plugin::number("prior", "Prior looks", 20, 0, 100000, "looks",
                       "Pulls an item's rate towards the log's mean as so many looks would; raise it on small logs."),
    };
    out.createController = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<Controller>> {
        Settings s;
        s.pool = static_cast<std::size_t>(p.integer("pool"));
        s.model = CarouselModel::geometric(static_cast<int>(p.integer("window")), p.number("swipe"), p.number("examination"));
        s.value = p.text("value"), s.useLog = p.text("rates") == "log";
        s.baseRate = p.number("baseRate"), s.lift = p.number("lift"), s.prior = p.number("prior");
        return std::make_unique<OrderForValue>(std::move(s));
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
