// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/fit_population.h"
#include "base/random.h"
#include "evaluation/statistics/positive_definite.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace carousel {

namespace {

constexpr double adagradFloor = 1e-8;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Row {
    std::int32_t user, item;
    double theta;
    bool click;
};

// Rows that were looked at or could have been: in view and not behind the slate's click.
std::vector<Row> rowsOf(const CarouselLog& log, const Behaviour& behaviour, std::int32_t firstSlate, std::int32_t endSlate) {
    std::vector<Row> out;
    std::int32_t clickedIn = -1;
    for (std::size_t i = 0; i < log.rows(); ++i) {
        if (log.slate[i] < firstSlate || log.slate[i] >= endSlate || !log.inView[i] || clickedIn == log.slate[i])
            continue;
        out.push_back({log.user[i], log.item[i], behaviour.examinationAt(log.slot[i]), log.click[i] != 0});
        if (log.click[i])
            clickedIn = log.slate[i];
    }
    return out;
}

double logLikelihood(const std::vector<Row>& rows, const Population& population) {
    double sum = 0;
    for (const Row& row : rows) {
        const double p = std::clamp(row.theta * sigmoid(population.logit(row.user, row.item)), 1e-12, 1 - 1e-12);
        sum += std::log(row.click ? p : 1 - p);
    }
    return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

// Gradient of -log P(row) in its logit, and its curvature (Fisher's), with P(click) = theta sigmoid(logit).
struct Slope {
    double gradient = 0, curvature = 0;
};
Slope slopeOf(const Row& row, double logit) {
    const double alpha = sigmoid(logit), miss = std::max(1e-9, 1 - row.theta * alpha);
    return {row.click ? alpha - 1 : row.theta * alpha * (1 - alpha) / miss, row.theta * alpha * (1 - alpha) * (1 - alpha) / miss};
}

double groupValue(const TasteGroup& group, std::int32_t user, std::int32_t item) {
    const float* const u = group.user.data() + static_cast<std::size_t>(user) * group.rank;
    const float* const v = group.item.data() + static_cast<std::size_t>(item) * group.rank;
    double sum = 0;
    for (std::size_t k = 0; k < group.rank; ++k)
        sum += static_cast<double>(u[k]) * static_cast<double>(v[k]);
    return sum;
}

// logit = base + sum of weights x groups + bias of the item: few numbers, found by Newton's method in turns for (base, weights) and each bias.
struct Common {
    double base = 0;
    std::vector<double> weights, bias;
    double at(std::span<const double> groups, std::int32_t item) const {
        double sum = base + bias[static_cast<std::size_t>(item)];
        for (std::size_t g = 0; g < weights.size(); ++g)
            sum += weights[g] * groups[g];
        return sum;
    }
};
Common fitCommon(const std::vector<Row>& rows, const std::vector<std::vector<double>>& values, std::size_t items, double base, double biasL2) {
    constexpr int rounds = 25;
    constexpr double weightL2 = 1;
    Common out;
    const std::size_t groups = values.empty() ? 0 : values.front().size();
    out.base = base, out.weights.assign(groups, 0), out.bias.assign(items, 0);
    std::vector<double> at(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        at[i] = out.at(values[i], rows[i].item);
    for (int round = 0; round < rounds; ++round) {
        const std::size_t n = groups + 1;
        std::vector<double> h(n * n, 0), step(n, 0), x(n, 1);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Slope slope = slopeOf(rows[i], at[i]);
            std::copy(values[i].begin(), values[i].end(), x.begin() + 1);
            for (std::size_t a = 0; a < n; ++a) {
                step[a] += slope.gradient * x[a];
                for (std::size_t b = 0; b <= a; ++b)
                    h[a * n + b] += slope.curvature * x[a] * x[b];
            }
        }
        h[0] += 1e-9;
        for (std::size_t k = 1; k < n; ++k)
            step[k] += weightL2 * out.weights[k - 1], h[k * n + k] += weightL2;
        if (solvePositiveDefinite(h, step)) {
            out.base -= std::clamp(step[0], -2.0, 2.0);
            for (std::size_t k = 1; k < n; ++k)
                out.weights[k - 1] -= std::clamp(step[k], -2.0, 2.0);
        }
        std::vector<double> bg(items, 0), bh(items, biasL2);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            at[i] = out.at(values[i], rows[i].item);
            const Slope slope = slopeOf(rows[i], at[i]);
            bg[static_cast<std::size_t>(rows[i].item)] += slope.gradient, bh[static_cast<std::size_t>(rows[i].item)] += slope.curvature;
        }
        for (std::size_t item = 0; item < items; ++item)
            out.bias[item] -= std::clamp((bg[item] + biasL2 * out.bias[item]) / bh[item], -1.0, 1.0);
        for (std::size_t i = 0; i < rows.size(); ++i)
            at[i] = out.at(values[i], rows[i].item);
    }
    return out;
}
double logLikelihood(const std::vector<Row>& rows, const std::vector<std::vector<double>>& values, const Common& common) {
    double sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double p = std::clamp(rows[i].theta * sigmoid(common.at(values[i], rows[i].item)), 1e-12, 1 - 1e-12);
        sum += std::log(rows[i].click ? p : 1 - p);
    }
    return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

// Vectors of users and items on top of what is common, by Adagrad (Duchi, Hazan and Singer, JMLR 2011): rare users and items take larger steps.
class Residual {
public:
    Residual(std::size_t users, std::size_t items, const FitPopulationSettings& settings, double l2)
        : m_settings(settings), m_rank(static_cast<std::size_t>(settings.rank)), m_l2(l2), m_user(users * m_rank), m_item(items * m_rank), m_userSquares(m_user.size(), 0),
          m_itemSquares(m_item.size(), 0) {
        RandomStream start(settings.seed, "fit population: start");
        for (auto* vectors : {&m_user, &m_item})
            for (float& value : *vectors)
                value = static_cast<float>(0.1 * start.normal());
    }
    double at(const Row& row) const {
        const float* const u = m_user.data() + static_cast<std::size_t>(row.user) * m_rank;
        const float* const v = m_item.data() + static_cast<std::size_t>(row.item) * m_rank;
        double sum = 0;
        for (std::size_t k = 0; k < m_rank; ++k)
            sum += static_cast<double>(u[k]) * static_cast<double>(v[k]);
        return sum;
    }
    void pass(const std::vector<Row>& rows, std::span<const double> common, int epoch) {
        std::vector<std::size_t> order(rows.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        RandomStream random(m_settings.seed, "fit population: order", static_cast<std::uint64_t>(epoch));
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        for (const std::size_t i : order) {
            const double gradient = slopeOf(rows[i], common[i] + at(rows[i])).gradient;
            const std::size_t u = static_cast<std::size_t>(rows[i].user) * m_rank, v = static_cast<std::size_t>(rows[i].item) * m_rank;
            for (std::size_t k = 0; k < m_rank; ++k) {
                const double before = static_cast<double>(m_user[u + k]), other = static_cast<double>(m_item[v + k]);
                step(m_user[u + k], m_userSquares[u + k], gradient * other + m_l2 * before);
                step(m_item[v + k], m_itemSquares[v + k], gradient * before + m_l2 * other);
            }
        }
    }
    double logLikelihoodOf(const std::vector<Row>& rows, std::span<const double> common) const {
        double sum = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const double p = std::clamp(rows[i].theta * sigmoid(common[i] + at(rows[i])), 1e-12, 1 - 1e-12);
            sum += std::log(rows[i].click ? p : 1 - p);
        }
        return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
    }
    // What must be added to every logit so that as many clicks are expected of these rows as they have.
    double shiftOf(const std::vector<Row>& rows, std::span<const double> common) const {
        double shift = 0;
        for (int round = 0; round < 20; ++round) {
            double gradient = 0, curvature = 1e-9;
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const Slope slope = slopeOf(rows[i], common[i] + at(rows[i]) + shift);
                gradient += slope.gradient, curvature += slope.curvature;
            }
            shift -= std::clamp(gradient / curvature, -1.0, 1.0);
        }
        return shift;
    }
    const std::vector<float>& users() const { return m_user; }
    const std::vector<float>& items() const { return m_item; }

private:
    void step(float& value, float& squares, double gradient) const {
        squares += static_cast<float>(gradient * gradient);
        value -= static_cast<float>(m_settings.rate * gradient / std::sqrt(static_cast<double>(squares) + adagradFloor));
    }
    const FitPopulationSettings& m_settings;
    std::size_t m_rank;
    double m_l2;
    std::vector<float> m_user, m_item, m_userSquares, m_itemSquares;
};

std::vector<std::vector<double>> valuesOf(const std::vector<Row>& rows, std::span<const TasteGroup* const> groups) {
    std::vector<std::vector<double>> out(rows.size(), std::vector<double>(groups.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t g = 0; g < groups.size(); ++g)
            out[i][g] = groupValue(*groups[g], rows[i].user, rows[i].item);
    return out;
}

} // namespace

std::int32_t firstHeldOut(const CarouselLog& log, double share) {
    const std::int32_t slates = log.rows() ? log.slate.back() + 1 : 0;
    return static_cast<std::int32_t>(std::ceil(static_cast<double>(slates) * (1 - share)));
}

Result<FittedPopulation> fitPopulation(const CarouselLog& log, std::size_t users, std::size_t items, const Behaviour& behaviour,
                                       const FitPopulationSettings& settings, const RunControl& control, std::span<const TasteGroup> groups) {
    CAROUSEL_TRY(checkBehaviour(behaviour));
    const std::int32_t split = firstHeldOut(log, settings.heldOut), slates = log.rows() ? log.slate.back() + 1 : 0;
    const auto chosenFrom = static_cast<std::int32_t>(std::ceil(static_cast<double>(split) * (1 - settings.validation)));
    const auto all = rowsOf(log, behaviour, 0, split), training = rowsOf(log, behaviour, 0, chosenFrom), validation = rowsOf(log, behaviour, chosenFrom, split);
    const auto test = rowsOf(log, behaviour, split, slates);
    double clicks = 0, theta = 0;
    for (const Row& row : all) {
        if (row.user < 0 || static_cast<std::size_t>(row.user) >= users || row.item < 0 || static_cast<std::size_t>(row.item) >= items)
            return fail(ErrorKind::input, "CL-3131", fmt::format("The log names user {} and item {}, of {} users and {} items.", row.user, row.item, users, items), "Use the log of this data set, without anonymous users.");
        clicks += row.click, theta += row.theta;
    }
    if (clicks < 1 || test.empty() || validation.empty())
        return fail(ErrorKind::input, "CL-3131", fmt::format("The log has {} clicks to fit users to and {} shown items to check them on.", clicks, test.size()), "Use a log with clicks, and more slates.");
    FittedPopulation out;
    out.trainSlates = static_cast<std::size_t>(split), out.heldOutSlates = static_cast<std::size_t>(slates - split);
    Population& p = out.population;
    const double mean = std::clamp(clicks / theta, 1e-4, 0.9999), base = std::log(mean / (1 - mean));
    p.users = users, p.items = items, p.base = static_cast<float>(base), p.itemBias.assign(items, 0);
    out.nullLogLikelihood = logLikelihood(test, p);
    const auto stopped = [&] { return fail(RunControl::cancelled("fitting users to the log")); };

    // 1. Which groups, and how far biases of items are drawn to none: group by group, as long as slates that were kept back become more likely.
    constexpr double biasChoices[] = {5, 20, 80, 1e6};
    std::vector<const TasteGroup*> chosen, left;
    for (const TasteGroup& group : groups)
        left.push_back(&group);
    double best = -1e300, biasL2 = biasChoices[0];
    const auto tried = [&](std::span<const TasteGroup* const> with, double l2) {
        const auto common = fitCommon(training, valuesOf(training, with), items, base, l2);
        return logLikelihood(validation, valuesOf(validation, with), common);
    };
    for (const double l2 : biasChoices)
        if (const double value = tried(chosen, l2); value > best)
            best = value, biasL2 = l2;
    for (double done = 1; !left.empty(); ++done) {
        std::size_t next = left.size();
        for (std::size_t g = 0; g < left.size(); ++g) {
            if (control.stopRequested())
                return stopped();
            auto with = chosen;
            with.push_back(left[g]);
            if (const double value = tried(with, biasL2); value > best + 1e-5)
                best = value, next = g;
        }
        control.report("Fitting users to the log", done, static_cast<double>(groups.size()) + 4, "steps");
        if (next == left.size())
            break;
        chosen.push_back(left[next]);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(next));
    }
    const auto values = valuesOf(all, chosen);
    const Common common = fitCommon(all, values, items, base, biasL2);

    // 2. What users and items have beyond that: vectors, where they make the slates that were kept back more likely; as many passes as did.
    constexpr double l2Choices[] = {0.3, 0.1, 0.02};
    double l2 = 0, shift = 0; // vectors spread the logits: on rows they were not fitted to the mean click rate is another
    std::vector<float> residualUser, residualItem;
    if (settings.rank > 0) {
        const Common part = fitCommon(training, valuesOf(training, chosen), items, base, biasL2);
        const auto at = [&](const std::vector<Row>& rows, const std::vector<std::vector<double>>& of, const Common& with) {
            std::vector<double> logits(rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i)
                logits[i] = with.at(of[i], rows[i].item);
            return logits;
        };
        const auto trainAt = at(training, valuesOf(training, chosen), part), validAt = at(validation, valuesOf(validation, chosen), part);
        double known = best + 1e-5;
        for (const double choice : l2Choices) {
            Residual residual(users, items, settings, choice);
            for (int epoch = 0; epoch < settings.epochs; ++epoch) {
                if (control.stopRequested())
                    return stopped();
                residual.pass(training, trainAt, epoch);
                if (const double value = residual.logLikelihoodOf(validation, validAt); value > known)
                    known = value, l2 = choice, out.passes = epoch + 1, shift = residual.shiftOf(validation, validAt);
            }
        }
        if (out.passes > 0) {
            Residual residual(users, items, settings, l2);
            const auto allAt = at(all, values, common);
            for (int epoch = 0; epoch < out.passes; ++epoch)
                residual.pass(all, allAt, epoch);
            residualUser = residual.users(), residualItem = residual.items();
        }
    }

    // 3. One population: the groups with their weights in the users' vectors, then the vectors beyond.
    for (std::size_t g = 0; g < chosen.size(); ++g)
        out.groups.emplace_back(chosen[g]->name, common.weights[g]);
    std::vector<std::pair<const std::vector<float>*, const std::vector<float>*>> blocks;
    std::vector<std::size_t> ranks;
    std::vector<double> weights;
    for (std::size_t g = 0; g < chosen.size(); ++g)
        blocks.emplace_back(&chosen[g]->user, &chosen[g]->item), ranks.push_back(chosen[g]->rank), weights.push_back(common.weights[g]);
    if (out.passes > 0)
        blocks.emplace_back(&residualUser, &residualItem), ranks.push_back(static_cast<std::size_t>(settings.rank)), weights.push_back(1);
    for (const std::size_t rank : ranks)
        p.rank += rank;
    p.userVectors.reserve(users * p.rank), p.itemVectors.reserve(items * p.rank);
    for (std::size_t u = 0; u < users; ++u)
        for (std::size_t b = 0; b < blocks.size(); ++b)
            for (std::size_t k = 0; k < ranks[b]; ++k)
                p.userVectors.push_back(static_cast<float>(weights[b]) * (*blocks[b].first)[u * ranks[b] + k]);
    for (std::size_t i = 0; i < items; ++i)
        for (std::size_t b = 0; b < blocks.size(); ++b)
            for (std::size_t k = 0; k < ranks[b]; ++k)
                p.itemVectors.push_back((*blocks[b].second)[i * ranks[b] + k]);
    p.base = static_cast<float>(common.base + shift);
    for (std::size_t i = 0; i < items; ++i)
        p.itemBias[i] = static_cast<float>(common.bias[i]);
    out.logLikelihood = logLikelihood(test, p);
    control.report("Fitting users to the log", 1, 1, "fit");
    return out;
}

} // namespace carousel
