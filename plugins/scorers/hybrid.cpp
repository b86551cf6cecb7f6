// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a weighted sum of up to three other scorers, each brought onto one scale per user. The weights are given, or learned by stacking
// (Wolpert, Neural Networks 1992): the parts are fitted without the newest liked event of some users, the hidden event is held against
// items these users never met, and a logistic regression weighs the parts; then the parts are fitted again with everything. What each part
// reaches alone, and what the blend loses without it, is told beside its weight.
#include "base/random.h"
#include "base/text.h"
#include "evaluation/statistics/logistic_regression.h"
#include "stages/plugin.h"
#include "support/blend_check.h"
#include "support/history.h"
#include "support/llm_scoring.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

struct Settings {
    std::vector<std::string> parts;
    std::vector<double> weights;
    bool learned = true, ranks = false;
    std::size_t users = 500, negatives = 20;
    double l2 = 1;
};

struct Hidden { // a user's newest liked item, taken out of their history
    Code user = noCode, item = noCode;
};

class Hybrid final : public Scorer {
public:
    Hybrid(Settings settings, StageEnvironment environment) : m_settings(std::move(settings)), m_environment(std::move(environment)) {}
    std::vector<std::string> notes() const override { return m_notes; }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("hybrid"));
        m_weights = m_settings.weights;
        m_notes.clear();
        m_check = {};
        if (m_settings.learned)
            CAROUSEL_TRY(learn(input, control.slice(0, 0.6)));
        CAROUSEL_ASSIGN(m_parts, fitted(input, control.slice(0.6, 1)));
        oneAtATimeIfAny();
        return {};
    }
    bool oneAtATime() const override { return m_oneAtATime; }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (request.candidates.empty())
            return {};
        CAROUSEL_ASSIGN(const auto columns, scaled(m_parts, request, status, control));
        for (std::size_t i = 0; i < scores.size(); ++i) {
            double sum = 0;
            for (std::size_t k = 0; k < columns.size(); ++k)
                sum += m_weights[k] * columns[k].scaled[i];
            scores[i] = static_cast<float>(sum);
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        using nlohmann::json;
        // A part's scale comes from all candidates: the item must be seen among them.
        std::vector<Code> candidates(request.candidates.begin(), request.candidates.end());
        auto at = std::find(candidates.begin(), candidates.end(), item);
        if (at == candidates.end())
            at = candidates.insert(candidates.end(), item);
        const auto place = static_cast<std::size_t>(at - candidates.begin());
        std::vector<ScoreStatus> status(candidates.size());
        const auto columns = scaled(m_parts, {request.user, candidates, request.training, {}}, status, {});
        if (!columns)
            return json{{"error", describe(columns.error())}}.dump(-1, ' ', false, json::error_handler_t::replace);
        auto parts = json::array();
        double sum = 0;
        for (std::size_t k = 0; k < columns->size(); ++k) {
            const double part = m_weights[k] * (*columns)[k].scaled[place];
            sum += part;
            parts.push_back({{"scorer", m_settings.parts[k]},
                             {"score", (*columns)[k].raw[place]},
                             {"scaled", (*columns)[k].scaled[place]},
                             {"weight", m_weights[k]},
                             {"contribution", part}});
            if (m_check.folds > 0) {
                parts.back()["aloneMrr"] = m_check.parts[k].alone;
                parts.back()["addsMrr"] = m_check.parts[k].adds;
                parts.back()["addsInterval"] = {m_check.parts[k].addsInterval.low, m_check.parts[k].addsInterval.high};
            }
        }
        return json{
            {"scale", m_settings.ranks ? "rank" : "z-score"}, {"weights", m_learned ? "learned" : "given"}, {"parts", parts}, {"sum", sum}}
            .dump(-1, ' ', false, json::error_handler_t::replace);
    }

private:
    using Parts = std::vector<std::unique_ptr<Scorer>>;
    struct Column {
        std::vector<float> raw;
        std::vector<double> scaled;
    };

    Result<Parts> fitted(const FitInput& input, const RunControl& control) const {
        if (!m_environment.plainScorer)
            return fail(ErrorKind::plugin, "CL-6070",
                        "hybrid is used where no other scorers are offered, for example inside another hybrid.",
                        "Choose plain scorers as its parts.");
        Parts parts;
        const auto n = static_cast<double>(m_settings.parts.size());
        for (std::size_t k = 0; k < m_settings.parts.size(); ++k) {
            CAROUSEL_ASSIGN(auto part, m_environment.plainScorer(m_settings.parts[k]));
            if (auto made = part->fit(input, control.slice(static_cast<double>(k) / n, static_cast<double>(k + 1) / n)); !made) {
                if (made.error().kind != ErrorKind::cancelled)
                    made.error().message = fmt::format("hybrid, part '{}': {}", m_settings.parts[k], made.error().message);
                return fail(made.error());
            }
            parts.push_back(std::move(part));
        }
        return parts;
    }

    void oneAtATimeIfAny() {
        m_oneAtATime = std::any_of(m_parts.begin(), m_parts.end(), [](const auto& part) { return part->oneAtATime(); });
    }

    // Every part's scores on one scale. A candidate that a part gives no usable score gets that part's mean and keeps the flag.
    Result<std::vector<Column>> scaled(const Parts& parts, const ScoreRequest& request, std::span<ScoreStatus> status,
                                       const RunControl& control) const {
        const auto n = request.candidates.size();
        std::fill(status.begin(), status.end(), ScoreStatus::ok);
        std::vector<Column> out;
        for (const auto& part : parts) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("hybrid"));
            Column column{std::vector<float>(n), std::vector<double>(n, 0)};
            std::vector<ScoreStatus> own(n);
            CAROUSEL_TRY(part->score({request.user, request.candidates, request.training, {}}, column.raw, own, control));
            for (std::size_t i = 0; i < n; ++i) {
                if (!std::isfinite(column.raw[i]) && !plugin::failed(own[i]))
                    own[i] = ScoreStatus::invalid;
                if (status[i] == ScoreStatus::ok || plugin::failed(own[i]))
                    status[i] = own[i] == ScoreStatus::ok ? status[i] : own[i];
            }
            plugin::imputeFailed(column.raw, own);
            if (m_settings.ranks)
                column.scaled = plugin::rankShares(column.raw);
            else
                standardise(column);
            out.push_back(std::move(column));
        }
        return out;
    }

    static void standardise(Column& column) {
        auto sorted = column.raw; // summed in order of size: the order of the candidates must not matter
        std::sort(sorted.begin(), sorted.end());
        const auto n = static_cast<double>(sorted.size());
        double mean = 0, squares = 0;
        for (const float v : sorted)
            mean += v / n;
        for (const float v : sorted)
            squares += (v - mean) * (v - mean) / n;
        const double deviation = std::sqrt(squares);
        if (sorted.empty() || sorted.front() == sorted.back() || !(deviation > 0))
            return; // a part that says the same of all says nothing
        for (std::size_t i = 0; i < column.raw.size(); ++i)
            column.scaled[i] = (column.raw[i] - mean) / deviation;
    }

    // Users whose newest liked event can be hidden: there is something before it, and it was their first meeting with the item.
    std::vector<Hidden> sample(const TrainingView& training, std::vector<std::uint8_t>& hide) const {
        std::vector<std::pair<Hidden, std::size_t>> all; // and where the event stands among all
        for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user) {
            const auto places = plugin::placesOf(training, user, plugin::EventChoice::liked, 1, false);
            if (places.empty() || places[0] == 0)
                continue;
            const auto items = training.historyItems(user);
            if (std::count(items.begin(), items.end(), items[places[0]]) == 1)
                all.push_back({{user, items[places[0]]}, training.firstEventOf(user) + places[0]});
        }
        RandomStream random(m_environment.seed, "hybrid users");
        for (std::size_t i = 0; i < all.size() && i < m_settings.users; ++i)
            std::swap(all[i], all[i + random.below(all.size() - i)]);
        all.resize(std::min(all.size(), m_settings.users));
        std::vector<Hidden> out;
        for (const auto& [hidden, event] : all) {
            // What came after it would tell of it too.
            const auto end = training.firstEventOf(hidden.user) + training.historyItems(hidden.user).size();
            std::fill(hide.begin() + static_cast<std::ptrdiff_t>(event), hide.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{1});
            out.push_back(hidden);
        }
        return out;
    }

    Result<void> learn(const FitInput& input, const RunControl& control) {
        m_learned = false;
        const auto& training = input.training;
        std::vector<std::uint8_t> hide(static_cast<std::size_t>(training.events()), 0);
        const auto users = sample(training, hide);
        const auto given = [&](const std::string& why) {
            m_notes.push_back(
                fmt::format("hybrid could not learn its weights and uses the given ones ({:.3g}): {}.", fmt::join(m_weights, ", "), why));
        };
        if (users.empty()) {
            given("no user has a liked event with a history before it");
            return {};
        }
        CAROUSEL_ASSIGN(const auto before, training.without(hide));
        CAROUSEL_ASSIGN(const auto parts, fitted({before, input.features, input.embeddings}, control.slice(0, 0.5)));
        Matrix rows(0, parts.size());
        std::vector<std::uint8_t> positive;
        std::vector<std::size_t> first{0}; // row of each user who is asked about
        for (std::size_t u = 0; u < users.size(); ++u) {
            std::vector<Code> unseen, never; // as a request would rank them; and those that the whole training part does not know either
            const auto seen = before.seenItems(users[u].user);
            const auto met = plugin::metItems(training, users[u].user);
            for (Code item = 0; item < static_cast<Code>(training.itemCount()); ++item)
                if (!std::binary_search(seen.begin(), seen.end(), item)) {
                    unseen.push_back(item);
                    if (!std::binary_search(met.begin(), met.end(), item))
                        never.push_back(item);
                }
            RandomStream random(m_environment.seed, "hybrid negatives", static_cast<std::uint64_t>(users[u].user));
            const auto count = std::min(never.size(), m_settings.negatives);
            for (std::size_t i = 0; i < count; ++i)
                std::swap(never[i], never[i + random.below(never.size() - i)]);
            std::vector<ScoreStatus> status(unseen.size());
            CAROUSEL_ASSIGN(const auto columns, scaled(parts, {users[u].user, unseen, before, {}}, status, control));
            const auto add = [&](Code item, bool hidden) {
                const auto at = static_cast<std::size_t>(std::lower_bound(unseen.begin(), unseen.end(), item) - unseen.begin());
                for (const auto& column : columns)
                    rows.values.push_back(static_cast<float>(column.scaled[at]));
                ++rows.rows;
                positive.push_back(hidden);
            };
            const bool asked = count > 0 && std::binary_search(unseen.begin(), unseen.end(), users[u].item);
            if (asked)
                add(users[u].item, true);
            for (std::size_t i = 0; i < count; ++i)
                add(never[i], false);
            if (asked)
                first.push_back(rows.rows);
            control.slice(0.5, 1).report("Weighing scorers", static_cast<double>(u + 1), static_cast<double>(users.size()), "users");
        }
        const auto liked = std::count(positive.begin(), positive.end(), std::uint8_t{1});
        if (liked == 0 || liked == static_cast<std::ptrdiff_t>(positive.size())) {
            given("no hidden event can be held against an item that its user never met");
            return {};
        }
        CAROUSEL_ASSIGN(const auto model, fitLogistic(rows, positive, m_settings.l2));
        for (std::size_t k = 0; k < m_weights.size(); ++k) // the regression's own scale is undone; its intercept moves no order
            m_weights[k] = model.scale[k] > 0 ? model.weight[k] / model.scale[k] : 0;
        if (std::all_of(m_weights.begin(), m_weights.end(), [](double w) { return w == 0; })) {
            m_weights = m_settings.weights;
            given("no part tells hidden events from other items");
            return {};
        }
        m_learned = true;
        std::string list;
        for (std::size_t k = 0; k < m_weights.size(); ++k)
            list += fmt::format("{}{} {:.3g}", k ? ", " : "", m_settings.parts[k], m_weights[k]);
        m_notes.push_back(fmt::format("hybrid learned its weights from {} hidden events and {} items never met: {}.", liked,
                                      static_cast<std::ptrdiff_t>(positive.size()) - liked, list));
        CAROUSEL_ASSIGN(m_check, plugin::checkBlend(rows, first, positive, m_settings.l2, m_environment.seed));
        describeCheck();
        return {};
    }

    void describeCheck() {
        const auto shown = [](double value, const Interval& i) {
            return fmt::format("{} [{}, {}]", threeFigures(value), threeFigures(i.low), threeFigures(i.high));
        };
        if (m_check.folds == 0) {
            m_notes.push_back("hybrid: what its parts are worth cannot be told from one hidden event.");
            return;
        }
        m_notes.push_back(
            fmt::format("hybrid, cross-validated on {} hidden events in {} folds (95 % intervals): the blend's MRR is {}, chance {}.",
                        m_check.questions, m_check.folds, shown(m_check.blend, m_check.blendInterval), threeFigures(m_check.chance)));
        for (std::size_t k = 0; k < m_check.parts.size(); ++k) {
            const auto& part = m_check.parts[k];
            const char* const verdict = part.addsInterval.low > 0    ? ""
                                        : part.addsInterval.high < 0 ? ", so it harms"
                                                                     : ", not shown to differ from nothing";
            m_notes.push_back(fmt::format("hybrid, part {}: weight {:.3g}, alone MRR {}; it adds {} to the others{}.", m_settings.parts[k],
                                          m_weights[k], shown(part.alone, part.aloneInterval), shown(part.adds, part.addsInterval),
                                          verdict));
        }
    }

    Settings m_settings;
    StageEnvironment m_environment;
    std::vector<double> m_weights;
    std::vector<std::string> m_notes;
    Parts m_parts;
    plugin::BlendCheck m_check;
    bool m_learned = false, m_oneAtATime = false;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "hybrid";
    out.name = "Hybrid of scorers";
    out.summary = "Adds up to three plain scorers, each standardised per user, with weights that are learned from hidden events or given.";
    out.source = "Stacked generalisation (Wolpert, Neural Networks 1992) with a logistic regression over hidden events";
    out.parameters = {
        plugin::integer("parts", "Number of parts", 3, 1, 3, "scorers", "So many of the scorers below take part, from the first on."),
        plugin::scorerPlugin("first", "First scorer", "sequence_rules", "A plain scorer with its default settings."),
        plugin::scorerPlugin("second", "Second scorer", "item_neighbours", "A plain scorer with its default settings."),
        plugin::scorerPlugin("third", "Third scorer", "popularity", "A plain scorer with its default settings."),
        plugin::choice(
            "weights", "Weights", {"learned", "given"}, "learned",
            "learned: from newest events that are hidden from the scorers, which doubles the time of fitting; given: those below."),
        plugin::number("firstWeight", "First weight", 1, -1000, 1000, "", "What the first scorer counts when weights are given."),
        plugin::number("secondWeight", "Second weight", 1, -1000, 1000, "", "What the second scorer counts when weights are given."),
        plugin::number("thirdWeight", "Third weight", 1, -1000, 1000, "", "What the third scorer counts when weights are given."),
        plugin::choice(
            "scale", "Scale", {"z-score", "rank"}, "z-score",
            "z-score: distance from the mean over a user's candidates in standard deviations; rank: evenly from 0 to 1 by order."),
        plugin::integer("users", "Users to learn from", 500, 1, 1000000, "users",
                        "So many users' newest liked events are hidden, drawn at random."),
        plugin::integer("negatives", "Items never met", 20, 1, 100000, "items",
                        "So many items are drawn for each hidden event to be told from."),
        plugin::number("l2", "L2 penalty", 1, 1e-6, 1e9, "", "Higher keeps learned weights smaller and closer to each other."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        Settings s;
        const char* const names[] = {"first", "second", "third"};
        for (std::int64_t k = 0; k < p.integer("parts"); ++k) {
            const auto& id = p.text(names[k]);
            if (id == "hybrid" || std::find(s.parts.begin(), s.parts.end(), id) != s.parts.end())
                return fail(ErrorKind::input, "CL-6071",
                            fmt::format("hybrid: parameter '{}' is '{}', but its parts must be different scorers and none a hybrid itself.",
                                        names[k], id),
                            "Choose another scorer, or lower parameter parts.");
            s.parts.push_back(id);
            s.weights.push_back(p.number(std::string(names[k]) + "Weight"));
        }
        s.learned = p.text("weights") == "learned", s.ranks = p.text("scale") == "rank";
        s.users = static_cast<std::size_t>(p.integer("users")), s.negatives = static_cast<std::size_t>(p.integer("negatives"));
        s.l2 = p.number("l2");
        return std::make_unique<Hybrid>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
