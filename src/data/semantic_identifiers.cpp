// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/semantic_identifiers.h"
#include "base/parallel.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace carousel {

namespace {

constexpr const char* work = "Semantic ids";
constexpr std::size_t rowsAtOnce = 64;
constexpr int trials = 4;

double squaredDistance(std::span<const float> a, std::span<const float> b) {
    float lanes[8] = {}; // eight sums side by side, in a fixed order
    std::size_t k = 0;
    for (; k + 8 <= a.size(); k += 8)
        for (std::size_t lane = 0; lane < 8; ++lane) {
            const float gap = a[k + lane] - b[k + lane];
            lanes[lane] += gap * gap;
        }
    for (; k < a.size(); ++k)
        lanes[0] += (a[k] - b[k]) * (a[k] - b[k]);
    return double((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + double((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

bool isCold(std::span<const float> row) {
    bool any = false;
    for (const float value : row) {
        if (!std::isfinite(value))
            return true;
        any = any || value != 0;
    }
    return !any;
}

// Rows of `from` in the order of `rows`, each column with mean 0 and variance 1; a column that is the same everywhere becomes 0.
Matrix standardised(const Matrix& from, const std::vector<std::size_t>& rows) {
    Matrix out(rows.size(), from.columns);
    for (std::size_t c = 0; c < from.columns; ++c) {
        double sum = 0, squares = 0;
        for (const auto r : rows)
            sum += double(from.row(r)[c]);
        const double mean = sum / static_cast<double>(rows.size());
        for (const auto r : rows)
            squares += (double(from.row(r)[c]) - mean) * (double(from.row(r)[c]) - mean);
        const double deviation = std::sqrt(squares / static_cast<double>(rows.size()));
        if (deviation > 1e-9 * std::max(1.0, std::abs(mean)))
            for (std::size_t i = 0; i < rows.size(); ++i)
                out.row(i)[c] = static_cast<float>((double(from.row(rows[i])[c]) - mean) / deviation);
    }
    return out;
}

// k-means over rows that stand in an order of their own, so that every sum is the same whatever order they came in.
class Clusters {
public:
    Clusters(const Matrix& points, std::size_t count, RandomStream random)
        : m_points(points), m_count(count), m_random(random), m_code(points.rows, 0), m_distance(points.rows, 0) {}

    Result<void> run(int iterations, const RunControl& control) {
        CAROUSEL_TRY(start(control));
        CAROUSEL_ASSIGN(bool moved, assign(control));
        for (int i = 0; i < iterations && moved; ++i) {
            average();
            CAROUSEL_ASSIGN(moved, assign(control));
        }
        return {};
    }
    std::int32_t code(std::size_t row) const { return m_code[row]; }
    std::span<const float> centre(std::int32_t code) const { return m_centres.row(static_cast<std::size_t>(code)); }

private:
    // k-means++: each next centre is a point drawn by its squared distance to those that are there; of a few drawn, the one that brings the
    // points nearest (the greedy form, which seldom puts two centres into one group).
    Result<void> start(const RunControl& control) {
        m_centres = Matrix(0, m_points.columns);
        const auto take = [&](std::size_t row) {
            const auto values = m_points.row(row);
            m_centres.values.insert(m_centres.values.end(), values.begin(), values.end());
            ++m_centres.rows;
        };
        std::vector<double> nearest(m_points.rows, 1e300);
        const auto with = [&](std::size_t centre) {
            auto out = nearest;
            parallelFor(m_points.rows, rowsAtOnce, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i)
                    out[i] = std::min(out[i], squaredDistance(m_points.row(i), m_points.row(centre)));
            });
            return out;
        };
        const auto first = static_cast<std::size_t>(m_random.below(m_points.rows));
        take(first);
        nearest = with(first);
        while (m_centres.rows < m_count) {
            if (control.stopRequested())
                return fail(RunControl::cancelled(work));
            const double total = std::accumulate(nearest.begin(), nearest.end(), 0.0);
            if (!(total > 0))
                break; // fewer different points than codes
            std::size_t best = 0;
            double least = 1e300;
            std::vector<double> nearestWithBest;
            for (int tried = 0; tried < trials; ++tried) {
                const auto chosen = draw(nearest, total);
                auto distances = with(chosen);
                if (const double sum = std::accumulate(distances.begin(), distances.end(), 0.0); sum < least) {
                    least = sum;
                    best = chosen;
                    nearestWithBest = std::move(distances);
                }
            }
            take(best);
            nearest = std::move(nearestWithBest);
        }
        return {};
    }

    // A point with a weight above 0, by weight.
    std::size_t draw(const std::vector<double>& weights, double total) {
        double left = m_random.uniform() * total;
        std::size_t chosen = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i] > 0)
                chosen = i; // the last of these, should rounding leave something over
            left -= weights[i];
            if (left < 0 && weights[i] > 0)
                break;
        }
        return chosen;
    }

    // Whether a point has another centre now.
    Result<bool> assign(const RunControl& control) {
        if (control.stopRequested())
            return fail(RunControl::cancelled(work));
        const auto before = m_code;
        parallelFor(m_points.rows, rowsAtOnce, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end && !control.stopRequested(); ++i) {
                double best = 1e300;
                for (std::size_t c = 0; c < m_centres.rows; ++c) {
                    const double distance = squaredDistance(m_points.row(i), std::as_const(m_centres).row(c));
                    if (distance < best)
                        best = distance, m_code[i] = static_cast<std::int32_t>(c);
                }
                m_distance[i] = best;
            }
        });
        if (control.stopRequested())
            return fail(RunControl::cancelled(work));
        const bool changed = !m_assigned || before != m_code;
        m_assigned = true;
        return changed;
    }

    // Centres become means; a dead code, which nobody has, starts again at the point that lies worst.
    void average() {
        const auto width = m_points.columns;
        std::vector<double> sums(m_centres.rows * width, 0.0);
        std::vector<std::size_t> members(m_centres.rows, 0);
        for (std::size_t i = 0; i < m_points.rows; ++i) {
            const auto c = static_cast<std::size_t>(m_code[i]);
            ++members[c];
            for (std::size_t k = 0; k < width; ++k)
                sums[c * width + k] += double(m_points.row(i)[k]);
        }
        for (std::size_t c = 0; c < m_centres.rows; ++c)
            for (std::size_t k = 0; k < width && members[c] > 0; ++k)
                m_centres.row(c)[k] = static_cast<float>(sums[c * width + k] / static_cast<double>(members[c]));
        for (std::size_t c = 0; c < m_centres.rows; ++c) {
            if (members[c] > 0)
                continue;
            const auto worst = std::max_element(m_distance.begin(), m_distance.end()) - m_distance.begin();
            const auto point = m_points.row(static_cast<std::size_t>(worst));
            std::copy(point.begin(), point.end(), m_centres.row(c).begin());
            m_distance[static_cast<std::size_t>(worst)] = 0;
        }
    }

    const Matrix& m_points;
    const std::size_t m_count;
    RandomStream m_random;
    Matrix m_centres;
    std::vector<std::int32_t> m_code;
    std::vector<double> m_distance;
    bool m_assigned = false;
};

double meanSquare(const Matrix& m) {
    double sum = 0;
    for (const float value : m.values)
        sum += double(value) * double(value);
    return m.values.empty() ? 0 : sum / static_cast<double>(m.values.size());
}

} // namespace

Result<SemanticIdentifiers> SemanticIdentifiers::make(const Matrix& embeddings, const SemanticIdentifierSettings& settings,
                                                      const RunControl& control) {
    if (settings.levels < 1 || settings.levels > 8 || settings.codes < 1 || settings.codes > 65536 || settings.iterations < 1)
        return fail(
            ErrorKind::usage, "CL-1040",
            fmt::format("semantic ids of {} levels with {} codes in {} iterations", settings.levels, settings.codes, settings.iterations),
            "give 1 to 8 levels, 1 to 65536 codes and at least one iteration");
    const auto levels = static_cast<std::size_t>(settings.levels);
    SemanticIdentifiers out;
    out.m_length = levels + 1;
    out.m_levelCodes = settings.codes;
    out.m_codes.assign(embeddings.rows * out.m_length, 0);
    out.m_levels.resize(levels);

    std::vector<std::size_t> warm, cold;
    for (std::size_t i = 0; i < embeddings.rows; ++i)
        (carousel::isCold(embeddings.row(i)) ? cold : warm).push_back(i);
    std::stable_sort(warm.begin(), warm.end(), [&](std::size_t a, std::size_t b) {
        const auto x = embeddings.row(a), y = embeddings.row(b);
        return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
    });

    if (!warm.empty()) {
        Matrix rest = standardised(embeddings, warm);
        const double before = meanSquare(rest);
        for (std::size_t level = 0; level < levels; ++level) {
            control.report(work, static_cast<double>(level), static_cast<double>(levels), "levels");
            Clusters clusters(rest, static_cast<std::size_t>(settings.codes), RandomStream(settings.seed, "semantic ids", level));
            CAROUSEL_TRY(clusters.run(settings.iterations, control));
            std::map<std::int32_t, std::size_t> members;
            for (std::size_t i = 0; i < warm.size(); ++i) {
                const auto code = clusters.code(i);
                out.m_codes[warm[i] * out.m_length + level] = code;
                ++members[code];
                const auto centre = clusters.centre(code);
                for (std::size_t k = 0; k < rest.columns; ++k)
                    rest.row(i)[k] -= centre[k];
            }
            double entropy = 0;
            for (const auto& [code, count] : members) {
                const double share = static_cast<double>(count) / static_cast<double>(warm.size());
                entropy -= share * std::log(share);
            }
            out.m_levels[level] = {members.size(), std::exp(entropy), before > 0 ? meanSquare(rest) / before : 0};
        }
    }

    std::map<std::vector<std::int32_t>, std::int32_t> taken;
    for (const auto item : warm) {
        const auto at = out.m_codes.begin() + static_cast<std::ptrdiff_t>(item * out.m_length);
        const auto last = taken[{at, at + static_cast<std::ptrdiff_t>(levels)}]++;
        *(at + static_cast<std::ptrdiff_t>(levels)) = last;
        out.m_lastCodes = std::max(out.m_lastCodes, last + 1);
    }
    if (!warm.empty())
        out.m_collisionRate = 1 - static_cast<double>(taken.size()) / static_cast<double>(warm.size());
    out.m_cold = cold.size();
    for (std::size_t n = 0; n < cold.size(); ++n) {
        auto left = n;
        std::int32_t* code = out.m_codes.data() + cold[n] * out.m_length;
        code[0] = settings.codes;
        for (std::size_t level = 1; level < levels; ++level) {
            code[level] = static_cast<std::int32_t>(left % static_cast<std::size_t>(settings.codes));
            left /= static_cast<std::size_t>(settings.codes);
        }
        code[levels] = static_cast<std::int32_t>(left);
        out.m_lastCodes = std::max(out.m_lastCodes, code[levels] + 1);
    }
    return out;
}

std::string SemanticIdentifiers::describe() const {
    std::string used, perplexity, error;
    for (const auto& level : m_levels) {
        used += fmt::format("{}{}", used.empty() ? "" : ", ", level.used);
        perplexity += fmt::format("{}{:.1f}", perplexity.empty() ? "" : ", ", level.perplexity);
        error += fmt::format("{}{:.3f}", error.empty() ? "" : ", ", level.reconstructionError);
    }
    return fmt::format(
        "Semantic ids of {} items: {} of {} codes used by level, perplexity {}, share of the variance left over {}; {:.2f} % of "
        "the ids collide before the last code, which has {} values; {} items without a vector.",
        items(), used, m_levelCodes, perplexity, error, 100 * m_collisionRate, m_lastCodes, m_cold);
}

} // namespace carousel
