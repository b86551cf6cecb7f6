// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: what a language model would rank, by a small linear model that asks none. While fitting, a teacher ranks some items for some
// users; a student learns to put them into the same order from plain columns:
//   score(u,i) = w . plain(u,i) + sum_k c_k p_u,k q_i,k + sum_k b_k q_i,k
// with collaborative factors p, q (support/item_factors.h), so the middle part is a sum over the history of weights M[h,i] of low rank.
// Loss: logistic over pairs of a list, each weighed by exp(-place / beta) of its better item, as DLLM2Rec weighs places (Cui et al., RecSys
// 2024), times how sure the teacher is (the gap of its scores in standard deviations, at most 1; ours in place of their distance of
// generated texts). Pairs and not places, since a teacher's answers that failed are left out and leave no place behind.
#include "base/random.h"
#include "base/text.h"
#include "evaluation/metrics/ranking.h"
#include "evaluation/statistics/pairwise_logistic.h"
#include "evaluation/statistics/rank_agreement.h"
#include "stages/plugin.h"
#include "support/history.h"
#include "support/item_factors.h"
#include "support/llm_scoring.h"
#include "support/specs.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel {
namespace {

constexpr int metricDepth = 10;

struct Settings {
    std::string teacher, model;
    std::size_t users = 60, candidates = 20, factors = 8;
    double validation = 0.3, beta = 10, l2 = 1;
};

// What the teacher said about some items for one user.
struct Ranked {
    Code user = noCode, hidden = noCode; // hidden: kept from both, to be found again; only users of the validation part have one
    std::vector<Code> items;             // ascending
    std::vector<float> scores;
    std::vector<std::uint8_t> usable;
    double seconds = 0;
};

double secondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// -|log(1 + price) - mean of the same over liked items|; a usual distance where either price is not known.
class PriceCloseness {
public:
    void read(const EntityTable& items) {
        m_level.assign(items.size(), NAN);
        m_usual = 0;
        const auto column = std::find_if(items.attributes.begin(), items.attributes.end(), [](const AttributeColumn& c) {
            return c.isNumeric() && lowered(c.name()).find("price") != std::string::npos;
        });
        if (column == items.attributes.end())
            return;
        double sum = 0, count = 0;
        for (std::size_t i = 0; i < m_level.size(); ++i)
            if (!column->missing(i) && column->numbers(i)[0] > -1) {
                m_level[i] = std::log1p(column->numbers(i)[0]);
                sum += m_level[i], ++count;
            }
        m_known = count > 0;
        for (const double level : m_level)
            if (std::isfinite(level))
                m_usual += std::abs(level - sum / count) / count;
    }
    bool known() const { return m_known; }
    double taste(const TrainingView& training, Code user) const { // not a number where no liked item has a price
        double sum = 0, count = 0;
        for (const auto item : plugin::sequenceOf(training, user, plugin::EventChoice::liked, 0, true))
            if (const double level = m_level[static_cast<std::size_t>(item)]; std::isfinite(level))
                sum += level, ++count;
        return sum / count;
    }
    double closeness(double taste, Code item) const {
        const double distance = std::abs(m_level[static_cast<std::size_t>(item)] - taste);
        return -(std::isfinite(distance) ? distance : m_usual);
    }

private:
    std::vector<double> m_level;
    double m_usual = 0;
    bool m_known = false;
};

// The student's view of a request: plain scorers, each standardised over the whole catalogue, so that an item's columns do not depend on
// what else is asked about; closeness in price; factors.
struct Plain {
    std::vector<std::string> names;
    std::vector<std::unique_ptr<Scorer>> scorers; // parallel to the first names
    PriceCloseness price;

    Result<void> fit(const StageEnvironment& environment, const FitInput& input, const RunControl& control) {
        names = {"popularity", "sequence_rules", "item_neighbours"};
        const auto& vectors = input.embeddings.items;
        if (!input.embeddings.trainable && !vectors.empty() && vectors.rows == input.training.itemCount() &&
            std::all_of(vectors.values.begin(), vectors.values.end(), [](float v) { return std::isfinite(v); }))
            names.push_back("embedding_similarity");
        scorers.clear();
        for (std::size_t k = 0; k < names.size(); ++k) {
            CAROUSEL_ASSIGN(auto scorer, environment.plainScorer(names[k]));
            const double from = static_cast<double>(k) / static_cast<double>(names.size());
            CAROUSEL_TRY(scorer->fit(input, control.slice(from, from + 1.0 / static_cast<double>(names.size()))));
            scorers.push_back(std::move(scorer));
        }
        price.read(input.training.items());
        if (price.known())
            names.push_back("price");
        return {};
    }

    // One column per name, over the whole catalogue.
    Result<std::vector<std::vector<float>>> columns(const TrainingView& training, Code user, const RunControl& control) const {
        std::vector<Code> all(training.itemCount());
        std::iota(all.begin(), all.end(), 0);
        std::vector<std::vector<float>> out;
        std::vector<ScoreStatus> status(all.size());
        for (const auto& scorer : scorers) {
            std::vector<float> scores(all.size());
            CAROUSEL_TRY(scorer->score({user, all, training, {}}, scores, status, control));
            out.push_back(std::move(scores));
        }
        if (price.known()) {
            const double taste = price.taste(training, user);
            std::vector<float> scores(all.size());
            for (std::size_t i = 0; i < all.size(); ++i)
                scores[i] = static_cast<float>(price.closeness(taste, all[i]));
            out.push_back(std::move(scores));
        }
        for (auto& column : out)
            standardise(column);
        return out;
    }

private:
    static void standardise(std::vector<float>& column) {
        const auto n = static_cast<double>(column.size());
        double mean = 0, squares = 0;
        for (float& value : column) {
            value = std::isfinite(value) ? value : 0;
            mean += value / n;
        }
        for (const float value : column)
            squares += (value - mean) * (value - mean) / n;
        const double deviation = std::sqrt(squares);
        for (float& value : column)
            value = deviation > 1e-12 ? static_cast<float>((value - mean) / deviation) : 0;
    }
};

class Distil final : public Scorer {
public:
    Distil(Settings settings, StageEnvironment environment) : m_settings(std::move(settings)), m_environment(std::move(environment)) {}
    std::vector<std::string> notes() const override { return m_notes; }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        m_notes.clear();
        m_student.reset();
        if (!m_environment.otherScorer || !m_environment.plainScorer)
            return fail(ErrorKind::plugin, "CL-6075",
                        "distil is used where no other scorers are offered, for example inside another scorer.",
                        "Use it as the scorer of a strategy.");
        CAROUSEL_TRY(learn(input, control.slice(0, 0.9)));
        // Served with all that is known; the factors stay those that the student learned with, since newly made ones may be turned.
        return m_plain.fit(m_environment, input, control.slice(0.9, 1));
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("distil"));
        if (request.candidates.empty())
            return {};
        CAROUSEL_ASSIGN(const auto columns, m_plain.columns(request.training, request.user, control));
        const auto taste = m_factors.userVector(request.training, request.user);
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            const auto item = request.candidates[i];
            // Nothing was learned: the order of the column that asks the history's newest items.
            scores[i] =
                m_student ? static_cast<float>(m_student->linear(row(columns, taste, item))) : columns[1][static_cast<std::size_t>(item)];
            status[i] = m_student ? ScoreStatus::ok : ScoreStatus::fallback;
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        using nlohmann::json;
        if (!m_student)
            return json{{"learned", false}, {"notes", m_notes}}.dump(-1, ' ', false, json::error_handler_t::replace);
        const auto columns = m_plain.columns(request.training, request.user, {});
        if (!columns)
            return json{{"error", describe(columns.error())}}.dump(-1, ' ', false, json::error_handler_t::replace);
        const auto values = row(*columns, m_factors.userVector(request.training, request.user), item);
        const auto adds = [&](std::size_t c) { return m_student->weight[c] * m_student->standardised(c, values[c]); };
        auto parts = json::array();
        double sum = 0;
        for (std::size_t c = 0; c < values.size(); ++c)
            sum += adds(c);
        for (std::size_t c = 0; c < columns->size(); ++c)
            parts.push_back({{"column", m_plain.names[c]}, {"value", values[c]}, {"contribution", adds(c)}});
        double shared = 0, own = 0;
        for (std::size_t k = 0; k < m_factors.width(); ++k)
            shared += adds(columns->size() + k), own += adds(columns->size() + m_factors.width() + k);
        parts.push_back({{"column", "history and item by factors"}, {"contribution", shared}});
        parts.push_back({{"column", "item by factors"}, {"contribution", own}});
        return json{{"teacher", m_settings.teacher}, {"parts", parts}, {"sum", sum}}.dump(-1, ' ', false, json::error_handler_t::replace);
    }

private:
    std::vector<float> row(const std::vector<std::vector<float>>& columns, const std::vector<float>& taste, Code item) const {
        std::vector<float> out;
        for (const auto& column : columns)
            out.push_back(column[static_cast<std::size_t>(item)]);
        const auto own = m_factors.items.row(static_cast<std::size_t>(item));
        for (std::size_t k = 0; k < own.size(); ++k)
            out.push_back(taste[k] * own[k]);
        out.insert(out.end(), own.begin(), own.end());
        return out;
    }

    // The users to ask about, those of the validation part with their newest liked event hidden, as long as that is the first of its item
    // and something comes before it; what came after it would tell of it too.
    std::vector<Ranked> sample(const TrainingView& training, std::vector<std::uint8_t>& hide) const {
        std::vector<Code> users;
        for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user)
            if (!training.historyItems(user).empty())
                users.push_back(user);
        RandomStream random(m_environment.seed, "distil users");
        for (std::size_t i = 0; i < users.size() && i < m_settings.users; ++i)
            std::swap(users[i], users[i + random.below(users.size() - i)]);
        users.resize(std::min(users.size(), m_settings.users));
        auto toValidate = static_cast<std::size_t>(std::lround(m_settings.validation * static_cast<double>(users.size())));
        std::vector<Ranked> out;
        for (const auto user : users) {
            Ranked one;
            one.user = user;
            const auto places = plugin::placesOf(training, user, plugin::EventChoice::liked, 1, false);
            const auto items = training.historyItems(user);
            if (toValidate > 0 && !places.empty() && places[0] > 0 && std::count(items.begin(), items.end(), items[places[0]]) == 1) {
                one.hidden = items[places[0]];
                const auto first = static_cast<std::ptrdiff_t>(training.firstEventOf(user));
                std::fill(hide.begin() + first + static_cast<std::ptrdiff_t>(places[0]),
                          hide.begin() + first + static_cast<std::ptrdiff_t>(items.size()), std::uint8_t{1});
                --toValidate;
            }
            out.push_back(std::move(one));
        }
        return out;
    }

    // A third of the retriever's best, a third drawn by popularity, the rest drawn evenly; none that the user ever met, but for the hidden.
    std::vector<Code> candidates(const TrainingView& training, const TrainingView& before, const Ranked& one,
                                 const std::vector<float>& retrieved) const {
        std::vector<Code> never;
        const auto met = plugin::metItems(training, one.user);
        for (Code item = 0; item < static_cast<Code>(training.itemCount()); ++item)
            if (!std::binary_search(met.begin(), met.end(), item))
                never.push_back(item);
        std::vector<Code> out;
        if (one.hidden != noCode)
            out.push_back(one.hidden);
        const auto third = m_settings.candidates / 3;
        // Moves the items of the smallest keys over; equal keys in the order of the items.
        const auto take = [&](std::size_t count, const std::function<double(Code)>& key) {
            std::vector<std::pair<double, Code>> keyed;
            for (const auto item : never)
                keyed.emplace_back(key(item), item);
            std::stable_sort(keyed.begin(), keyed.end());
            for (std::size_t i = 0; i < std::min(count, keyed.size()); ++i)
                out.push_back(keyed[i].second);
            std::erase_if(never, [&](Code item) { return std::find(out.begin(), out.end(), item) != out.end(); });
        };
        RandomStream random(m_environment.seed, "distil candidates", static_cast<std::uint64_t>(one.user));
        take(third, [&](Code item) { return -static_cast<double>(retrieved[static_cast<std::size_t>(item)]); });
        take(third, [&](Code item) { // the smallest of exponential times: without putting back, by popularity
            return -std::log1p(-random.uniform()) / std::max<double>(1e-9, before.popularity()[static_cast<std::size_t>(item)]);
        });
        take(m_settings.candidates - std::min(m_settings.candidates, out.size()), [&](Code) { return random.uniform(); });
        std::sort(out.begin(), out.end());
        return out;
    }

    Result<void> learn(const FitInput& input, const RunControl& control) {
        const auto& training = input.training;
        std::vector<std::uint8_t> hide(static_cast<std::size_t>(training.events()), 0);
        auto lists = sample(training, hide);
        CAROUSEL_ASSIGN(const auto before, training.without(hide));
        const FitInput known{before, input.features, input.embeddings};
        CAROUSEL_ASSIGN(m_factors, plugin::ItemFactors::build(before, plugin::EventChoice::liked, m_settings.factors, m_environment.seed,
                                                              control.slice(0, 0.05)));
        CAROUSEL_TRY(m_plain.fit(m_environment, known, control.slice(0.05, 0.1)));
        const Cost costBefore = m_environment.cost ? m_environment.cost->total() : Cost{};
        CAROUSEL_TRY(ask(training, known, lists, control.slice(0.1, 0.9)));
        Cost cost = m_environment.cost ? m_environment.cost->total() - costBefore : Cost{};

        Matrix rows(0, 0);
        std::vector<RankedPair> pairs;
        std::size_t answers = 0, unusable = 0, taught = 0;
        for (const auto& list : lists) {
            answers += list.items.size();
            unusable += static_cast<std::size_t>(std::count(list.usable.begin(), list.usable.end(), std::uint8_t{0}));
            if (list.hidden != noCode)
                continue;
            if (control.stopRequested())
                return fail(RunControl::cancelled("distil"));
            CAROUSEL_ASSIGN(const auto columns, m_plain.columns(before, list.user, control));
            const auto taste = m_factors.userVector(before, list.user);
            const auto pairsBefore = pairs.size();
            addPairs(list, static_cast<std::uint32_t>(rows.rows), pairs);
            for (const auto item : list.items) {
                const auto values = row(columns, taste, item);
                rows.values.insert(rows.values.end(), values.begin(), values.end());
                rows.columns = values.size();
                ++rows.rows;
            }
            taught += pairs.size() > pairsBefore;
        }
        if (unusable > 0)
            m_notes.push_back(fmt::format("distil: {} of {} answers of {} were missing or invalid and were left out.", unusable, answers,
                                          m_settings.teacher));
        if (pairs.empty()) {
            m_notes.push_back(fmt::format("distil learned nothing: {} put no two items of any of {} users into an order. Its scores are "
                                          "those of sequence_rules, flagged fallback.",
                                          m_settings.teacher, lists.size()));
            return {};
        }
        CAROUSEL_ASSIGN(m_student, fitPairwise(rows, pairs, m_settings.l2));
        m_notes.push_back(fmt::format("distil: the student learned from {} lists of {} ({} pairs), by {} and {} factors.", taught,
                                      m_settings.teacher, pairs.size(), fmt::join(m_plain.names, ", "), m_factors.width()));
        return validate(before, lists, cost, control.slice(0.95, 1));
    }

    // The teacher, fitted without what is hidden, ranks each user's candidates.
    Result<void> ask(const TrainingView& training, const FitInput& known, std::vector<Ranked>& lists, const RunControl& control) const {
        Parameters set;
        set.set("model", m_settings.model);
        CAROUSEL_ASSIGN(const auto teacher, m_environment.otherScorer(m_settings.teacher, set));
        const auto named = [&](Error error) {
            if (error.kind != ErrorKind::cancelled)
                error.message = fmt::format("distil, teacher '{}': {}", m_settings.teacher, error.message);
            return fail(std::move(error));
        };
        if (const auto fitted = teacher->fit(known, control.slice(0, 0.1)); !fitted)
            return named(fitted.error());
        const auto choice = teacher->retriever();
        const std::string retrieverId = choice ? choice->plugin : "sequence_rules";
        CAROUSEL_ASSIGN(const auto retriever, m_environment.plainScorer(retrieverId));
        CAROUSEL_TRY(retriever->fit(known, control.slice(0.1, 0.15)));
        std::vector<Code> all(training.itemCount());
        std::iota(all.begin(), all.end(), 0);
        std::vector<float> retrieved(all.size());
        std::vector<ScoreStatus> statusOfAll(all.size());
        const auto asking = control.slice(0.15, 1);
        for (std::size_t u = 0; u < lists.size(); ++u) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("distil"));
            auto& list = lists[u];
            CAROUSEL_TRY(retriever->score({list.user, all, known.training, {}}, retrieved, statusOfAll, control));
            for (float& value : retrieved)
                value = std::isfinite(value) ? value : 0;
            list.items = candidates(training, known.training, list, retrieved);
            std::vector<float> own;
            for (const auto item : list.items)
                own.push_back(retrieved[static_cast<std::size_t>(item)]);
            list.scores.assign(list.items.size(), 0);
            std::vector<ScoreStatus> status(list.items.size(), ScoreStatus::ok);
            const auto start = std::chrono::steady_clock::now();
            if (const auto done =
                    teacher->score({list.user, list.items, known.training, choice ? std::span<const float>(own) : std::span<const float>()},
                                   list.scores, status, control.quiet());
                !done)
                return named(done.error());
            list.seconds = secondsSince(start);
            for (std::size_t i = 0; i < status.size(); ++i)
                list.usable.push_back(!plugin::failed(status[i]) && status[i] != ScoreStatus::fallback && std::isfinite(list.scores[i]));
            asking.report(fmt::format("Asking {}", m_settings.teacher), static_cast<double>(u + 1), static_cast<double>(lists.size()),
                          "users");
        }
        return {};
    }

    // Weights of a list sum to 1, so that no user counts more than another one.
    void addPairs(const Ranked& list, std::uint32_t firstRow, std::vector<RankedPair>& pairs) const {
        std::vector<std::size_t> order;
        double mean = 0, squares = 0;
        for (std::size_t i = 0; i < list.items.size(); ++i)
            if (list.usable[i])
                order.push_back(i);
        const auto n = static_cast<double>(order.size());
        for (const auto i : order)
            mean += list.scores[i] / n;
        for (const auto i : order)
            squares += (list.scores[i] - mean) * (list.scores[i] - mean) / n;
        const double deviation = std::sqrt(squares);
        if (!(deviation > 0))
            return;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return list.scores[a] > list.scores[b]; });
        const auto first = pairs.size();
        double total = 0;
        for (std::size_t a = 0, place = 0; a < order.size(); ++a) {
            if (list.scores[order[a]] != list.scores[order[place]])
                place = a; // equal scores share the best of their places
            for (std::size_t b = a + 1; b < order.size(); ++b) {
                const double gap = list.scores[order[a]] - list.scores[order[b]];
                if (!(gap > 0))
                    continue;
                const double weight = std::exp(-static_cast<double>(place) / m_settings.beta) * std::min(1.0, gap / deviation);
                pairs.push_back({firstRow + static_cast<std::uint32_t>(order[a]), firstRow + static_cast<std::uint32_t>(order[b]), weight});
                total += weight;
            }
        }
        for (auto p = first; p < pairs.size(); ++p)
            pairs[p].weight /= total;
    }

    // Teacher, student and each plain column on the users kept aside: do they find what was hidden, and what does it cost.
    Result<void> validate(const TrainingView& before, const std::vector<Ranked>& lists, const Cost& cost, const RunControl& control) {
        std::vector<std::vector<RankedUser>> ranked(2 + m_plain.names.size()); // teacher, student, columns
        double tau = 0, tauUsers = 0, teacherSeconds = 0, studentSeconds = 0, chance = 0, itemCount = 0;
        for (const auto& list : lists) {
            teacherSeconds += list.seconds / static_cast<double>(lists.size());
            if (list.hidden == noCode)
                continue;
            if (control.stopRequested())
                return fail(RunControl::cancelled("distil"));
            const auto start = std::chrono::steady_clock::now();
            CAROUSEL_ASSIGN(const auto columns, m_plain.columns(before, list.user, control));
            const auto taste = m_factors.userVector(before, list.user);
            std::vector<double> teacher, student, sureTeacher, sureStudent;
            for (const auto item : list.items)
                student.push_back(m_student->linear(row(columns, taste, item)));
            studentSeconds += secondsSince(start);
            double lowest = 0;
            for (std::size_t i = 0; i < list.items.size(); ++i)
                lowest = list.usable[i] ? std::min<double>(lowest, list.scores[i]) : lowest;
            for (std::size_t i = 0; i < list.items.size(); ++i) { // what failed stands behind what did not, as in a carousel
                teacher.push_back(list.usable[i] ? list.scores[i] : lowest - 1);
                if (list.usable[i])
                    sureTeacher.push_back(list.scores[i]), sureStudent.push_back(student[i]);
            }
            if (const double own = rankAgreement(sureTeacher, sureStudent).kendall; std::isfinite(own))
                tau += own, ++tauUsers;
            const auto add = [&](std::size_t of, std::span<const double> scores) -> Result<void> {
                CAROUSEL_ASSIGN(auto user, rankUser(list.items, scores, std::span<const Code>(&list.hidden, 1), {}, list.items.size()));
                ranked[of].push_back(std::move(user));
                return {};
            };
            CAROUSEL_TRY(add(0, teacher));
            CAROUSEL_TRY(add(1, student));
            for (std::size_t c = 0; c < columns.size(); ++c) {
                std::vector<double> own;
                for (const auto item : list.items)
                    own.push_back(columns[c][static_cast<std::size_t>(item)]);
                CAROUSEL_TRY(add(2 + c, own));
            }
            chance += chanceLevel(Metric::ndcg, metricDepth, 1, static_cast<int>(list.items.size()));
            itemCount += static_cast<double>(list.items.size());
        }
        const auto n = static_cast<double>(ranked[0].size());
        if (ranked[0].empty()) {
            m_notes.push_back(
                "distil: no user was kept aside with a liked event to hide, so nothing is known of how good teacher or student are.");
            return {};
        }
        MetricOptions options;
        options.k = metricDepth;
        options.seed = m_environment.seed;
        std::vector<MetricValue> ndcg;
        for (const auto& users : ranked)
            for (auto& value : evaluateRanking(users, {}, options))
                if (value.metric == Metric::ndcg)
                    ndcg.push_back(std::move(value));
        std::string plain;
        std::size_t best = 2;
        for (std::size_t c = 0; c < m_plain.names.size(); ++c) {
            plain += fmt::format("{}{} {:.3f}", c ? ", " : "", m_plain.names[c], ndcg[2 + c].value);
            best = ndcg[2 + c].value > ndcg[best].value ? 2 + c : best;
        }
        const auto told = [&](const MetricValue& v) {
            return fmt::format("{:.3f} [{:.3f}, {:.3f}]", v.value, v.interval.low, v.interval.high);
        };
        m_notes.push_back(fmt::format("distil, {} users kept aside, their newest liked item hidden from all among {:.1f} sampled items: "
                                      "nDCG@{} of the teacher {}, of "
                                      "the student {} (95 % intervals); by chance {:.3f}; plain columns alone: {}. Student and teacher "
                                      "agree by Kendall's tau {:.3f} (n = {:.0f}).",
                                      ranked[0].size(), itemCount / n, metricDepth, told(ndcg[0]), told(ndcg[1]), chance / n, plain,
                                      tauUsers > 0 ? tau / tauUsers : NAN, tauUsers));
        const auto difference = pairedDifference(ndcg[1].perUser, ndcg[0].perUser, options);
        const auto over = pairedDifference(ndcg[best].perUser, ndcg[0].perUser, options);
        m_notes.push_back(
            fmt::format("distil: the teacher less its student is {:+.3f} [{:+.3f}, {:+.3f}] ({}), less {}, the best plain column "
                        "on these same users, {:+.3f} [{:+.3f}, {:+.3f}] ({}).{}",
                        difference.difference, difference.interval.low, difference.interval.high, difference.words, m_plain.names[best - 2],
                        over.difference, over.interval.low, over.interval.high, over.words,
                        !(difference.difference > 0) || !(over.difference > 0)
                            ? fmt::format(" The teacher is not better than {} here: what it teaches is not worth its cost.",
                                          !(over.difference > 0) ? "a plain column" : "its own student")
                            : ""));
        m_notes.push_back(
            fmt::format("distil: seconds a request: teacher {:.3g}, student {:.3g}. {} of the teacher's {} answers came from the "
                        "cache of answers and took no time.",
                        teacherSeconds, studentSeconds / n, cost.cacheHits, cost.cacheHits + cost.cacheMisses));
        return {};
    }

    Settings m_settings;
    StageEnvironment m_environment;
    Plain m_plain;
    plugin::ItemFactors m_factors;
    std::optional<LinearModel> m_student;
    std::vector<std::string> m_notes;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "distil";
    out.name = "Distilled language model";
    out.summary =
        "While fitting, a scorer with a language model ranks items for some users; a small linear model learns its order and serves "
        "alone.";
    out.source =
        "Ranking distillation weighed by place and confidence, after DLLM2Rec (Cui et al., RecSys 2024); student and pairwise loss ours";
    out.usesLanguageModel = true;
    out.modelInFitAlone = true;
    out.twin = "item_neighbours";
    out.parameters = {
        plugin::choice("teacher", "Teacher",
                       {"llm_yes_no", "llm_rating", "llm_likelihood", "llm_listwise", "llm_pairwise", "llm_projection"}, "llm_yes_no",
                       "The scorer to learn from, with its default settings."),
        plugin::languageModel("smollm2-135m-instruct", "The model that the teacher asks, while fitting alone."),
        plugin::integer("users", "Users to ask about", 60, 2, 1000000, "users",
                        "So many users, drawn at random, get their items ranked by the teacher; the time of fitting grows with it."),
        plugin::integer("candidates", "Items per user", 20, 2, 200, "items",
                        "A third of the teacher's retriever's best, a third drawn by popularity, the rest drawn evenly; none met before."),
        plugin::number("validation", "Share kept aside", 0.3, 0, 0.9, "",
                       "This share of the users is not learned from and tells how good teacher and student are."),
        plugin::integer("factors", "Factors", 8, 0, 256, "factors",
                        "Collaborative factors through which history items speak for an item; 0: plain columns alone."),
        plugin::number("beta", "Reach down the list", 10, 0.1, 1e6, "places",
                       "A pair counts exp(-place / this), by the place of its better item; small: the top of the list alone."),
        plugin::number("l2", "L2 penalty", 1, 1e-6, 1e9, "", "Higher keeps the student's weights smaller: raise it with few users."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        Settings s;
        s.teacher = p.text("teacher"), s.model = p.text("model");
        s.users = static_cast<std::size_t>(p.integer("users")), s.candidates = static_cast<std::size_t>(p.integer("candidates"));
        s.factors = static_cast<std::size_t>(p.integer("factors"));
        s.validation = p.number("validation"), s.beta = p.number("beta"), s.l2 = p.number("l2");
        return std::make_unique<Distil>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
