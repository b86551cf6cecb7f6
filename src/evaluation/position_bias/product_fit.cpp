// SPDX-License-Identifier: GPL-3.0-or-later
// With s = log a + log g (+ log z), a cell adds c s + (n - c) log(1 - e^s), concave in s and so in all logs together. Rows are profiled
// out: log a solves its own equation, or lies at its bound log a = -(largest column), where its cells then move with that column.
#include "evaluation/position_bias/product_fit.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace carousel::bias {

namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Forest { // union-find
    std::vector<std::int32_t> parent;
    explicit Forest(std::size_t n) : parent(n) { std::iota(parent.begin(), parent.end(), 0); }
    std::int32_t find(std::int32_t x) {
        while (parent[static_cast<std::size_t>(x)] != x)
            x = parent[static_cast<std::size_t>(x)] = parent[static_cast<std::size_t>(parent[static_cast<std::size_t>(x)])];
        return x;
    }
    void join(std::int32_t a, std::int32_t b) { parent[static_cast<std::size_t>(find(a))] = find(b); }
};

// Solves (matrix) x = b in place for a symmetric positive matrix; false when it is not positive.
bool solvePositive(std::vector<double>& m, std::vector<double>& b) {
    const std::size_t n = b.size();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = m[i * n + j];
            for (std::size_t k = 0; k < j; ++k)
                sum -= m[i * n + k] * m[j * n + k];
            if (i == j && !(sum > 0))
                return false;
            m[i * n + j] = i == j ? std::sqrt(sum) : sum / m[j * n + j];
        }
        for (std::size_t k = 0; k < i; ++k)
            b[i] -= m[i * n + k] * b[k];
        b[i] /= m[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k)
            b[i] -= m[k * n + i] * b[k];
        b[i] /= m[i * n + i];
    }
    return true;
}

class Profile {
public:
    Profile(const std::vector<ProductCell>& cells, std::int32_t rows, std::int32_t columns, bool fitMark)
        : m_columns(static_cast<std::size_t>(columns)), m_row(static_cast<std::size_t>(rows), nan) {
        std::vector<double> rowClicks(m_row.size(), 0), columnClicks(m_columns, 0);
        for (const auto& cell : cells) {
            rowClicks[static_cast<std::size_t>(cell.row)] += cell.clicks;
            columnClicks[static_cast<std::size_t>(cell.column)] += cell.clicks;
        }
        // A row or column without a click has probability 0 and says nothing about the others.
        Forest forest(m_row.size() + m_columns);
        const auto speaks = [&](const ProductCell& cell) {
            return cell.impressions > 0 && rowClicks[static_cast<std::size_t>(cell.row)] > 0 &&
                   columnClicks[static_cast<std::size_t>(cell.column)] > 0;
        };
        for (const auto& cell : cells)
            if (speaks(cell))
                forest.join(cell.row, rows + cell.column);
        const auto tied = [&](std::int32_t node) { return forest.find(node) == forest.find(rows); };
        for (const auto& cell : cells) {
            if (cell.impressions > 0 && tied(rows + cell.column) && rowClicks[static_cast<std::size_t>(cell.row)] == 0)
                m_row[static_cast<std::size_t>(cell.row)] = 0;
            if (!speaks(cell) || !tied(cell.row))
                continue;
            if (m_begin.empty() || m_rowOf.back() != cell.row) {
                m_begin.push_back(m_cells.size());
                m_rowOf.push_back(cell.row);
                m_rowClicks.push_back(rowClicks[static_cast<std::size_t>(cell.row)]);
            }
            m_cells.push_back(cell);
        }
        m_begin.push_back(m_cells.size());
        m_attraction.assign(m_rowOf.size(), nan);
        m_bound.assign(m_rowOf.size(), 0);
        m_known.assign(m_columns, 0);
        m_zero.assign(m_columns, 0);
        for (std::size_t k = 0; k < m_columns; ++k)
            m_known[k] = columnClicks[k] > 0 && tied(rows + static_cast<std::int32_t>(k));
        for (const auto& cell : cells) // no click in the column on rows that do get clicks elsewhere: its factor is 0
            if (cell.impressions > 0 && columnClicks[static_cast<std::size_t>(cell.column)] == 0 &&
                rowClicks[static_cast<std::size_t>(cell.row)] > 0 && tied(cell.row))
                m_zero[static_cast<std::size_t>(cell.column)] = 1;
        m_index.assign(m_columns + 1, -1);
        for (std::size_t k = 1; k < m_columns; ++k)
            if (m_known[k])
                m_index[k] = m_unknowns++;
        if (fitMark)
            m_index[m_columns] = m_unknowns++;
    }
    bool empty() const { return m_cells.empty() || !m_known[0]; }
    int unknowns() const { return m_unknowns; }
    int indexOf(std::size_t global) const { return m_index[global]; }

    // The profile likelihood at log columns t (t[columns] is log z); rows are solved.
    double value(const std::vector<double>& t) {
        setGlobals(t);
        double total = 0;
        for (std::size_t r = 0; r < m_rowOf.size(); ++r) {
            solveRow(r);
            for (std::size_t i = m_begin[r]; i < m_begin[r + 1]; ++i) {
                const auto& cell = m_cells[i];
                const double p = m_attraction[r] * factor(cell), missed = cell.impressions - cell.clicks;
                if (cell.clicks > 0)
                    total += cell.clicks * std::log(p);
                if (missed > 0)
                    total += missed * std::log1p(-p);
            }
        }
        return total;
    }
    // Gradient and information (minus the second derivatives) where value() was last taken.
    void derivatives(std::vector<double>& gradient, std::vector<double>& information) const {
        const auto n = static_cast<std::size_t>(m_unknowns);
        gradient.assign(n, 0);
        information.assign(n * n, 0);
        std::vector<double> x(n), mean(n);
        const int boundColumn = m_index[m_largest], mark = m_index[m_columns];
        for (std::size_t r = 0; r < m_rowOf.size(); ++r) {
            double weights = 0;
            std::fill(mean.begin(), mean.end(), 0.0);
            for (std::size_t i = m_begin[r]; i < m_begin[r + 1]; ++i) {
                const auto& cell = m_cells[i];
                const double p = m_attraction[r] * factor(cell), missed = cell.impressions - cell.clicks;
                const double odds = missed > 0 ? p / (1 - p) : 0, score = cell.clicks - missed * odds,
                             weight = missed > 0 ? missed * odds / (1 - p) : 0;
                const int column = m_index[static_cast<std::size_t>(cell.column)], marked = cell.marked ? mark : -1;
                if (column >= 0)
                    gradient[static_cast<std::size_t>(column)] += score;
                if (marked >= 0)
                    gradient[static_cast<std::size_t>(marked)] += score;
                if (m_bound[r]) {
                    std::fill(x.begin(), x.end(), 0.0);
                    if (column >= 0)
                        x[static_cast<std::size_t>(column)] += 1;
                    if (marked >= 0)
                        x[static_cast<std::size_t>(marked)] += 1;
                    if (boundColumn >= 0)
                        x[static_cast<std::size_t>(boundColumn)] -= 1, gradient[static_cast<std::size_t>(boundColumn)] -= score;
                    if (mark >= 0 && m_mark > 1)
                        x[static_cast<std::size_t>(mark)] -= 1, gradient[static_cast<std::size_t>(mark)] -= score;
                    for (std::size_t a = 0; a < n; ++a)
                        for (std::size_t b = 0; x[a] != 0 && b < n; ++b)
                            information[a * n + b] += weight * x[a] * x[b];
                    continue;
                }
                weights += weight;
                for (const int a : {column, marked})
                    if (a >= 0) {
                        mean[static_cast<std::size_t>(a)] += weight;
                        for (const int b : {column, marked})
                            if (b >= 0)
                                information[static_cast<std::size_t>(a) * n + static_cast<std::size_t>(b)] += weight;
                    }
            }
            if (weights > 0)
                for (std::size_t a = 0; a < n; ++a)
                    for (std::size_t b = 0; mean[a] != 0 && b < n; ++b)
                        information[a * n + b] -= mean[a] * mean[b] / weights;
        }
    }
    void fill(ProductFit& fit) const {
        fit.row = m_row;
        for (std::size_t r = 0; r < m_rowOf.size(); ++r)
            fit.row[static_cast<std::size_t>(m_rowOf[r])] = m_attraction[r];
        fit.column.assign(m_columns, nan);
        for (std::size_t k = 0; k < m_columns; ++k)
            fit.column[k] = m_known[k] ? m_factor[k] : m_zero[k] ? 0 : nan;
        fit.mark = m_mark;
    }

private:
    double factor(const ProductCell& cell) const { return m_factor[static_cast<std::size_t>(cell.column)] * (cell.marked ? m_mark : 1); }
    void setGlobals(const std::vector<double>& t) {
        m_factor.assign(m_columns, 0);
        m_largest = 0;
        for (std::size_t k = 0; k < m_columns; ++k) {
            m_factor[k] = m_known[k] ? std::exp(t[k]) : 0;
            if (m_factor[k] > m_factor[m_largest])
                m_largest = k;
        }
        m_mark = std::exp(t[m_columns]);
        m_highest = 1 / (m_factor[m_largest] * std::max(1.0, m_mark));
    }
    void solveRow(std::size_t r) {
        const double clicks = m_rowClicks[r];
        double slope = 0;
        const auto excess = [&](double a) { // clicks minus what the row expects of its missed impressions; falls with a
            double sum = 0;
            slope = 0;
            for (std::size_t i = m_begin[r]; i < m_begin[r + 1]; ++i)
                if (const double missed = m_cells[i].impressions - m_cells[i].clicks; missed > 0) {
                    const double b = factor(m_cells[i]), rest = 1 - a * b;
                    if (rest < 1e-14)
                        return -std::numeric_limits<double>::infinity();
                    sum += missed * a * b / rest;
                    slope += missed * b / (rest * rest);
                }
            return clicks - sum;
        };
        if (excess(m_highest) >= 0) {
            m_attraction[r] = m_highest;
            m_bound[r] = 1;
            return;
        }
        m_bound[r] = 0;
        double low = 0, high = m_highest, a = m_attraction[r];
        if (!(a > low && a < high)) {
            double weight = 0;
            for (std::size_t i = m_begin[r]; i < m_begin[r + 1]; ++i)
                weight += m_cells[i].impressions * factor(m_cells[i]);
            a = std::min(clicks / weight, 0.5 * high);
        }
        for (int step = 0; step < 80; ++step) {
            const double over = excess(a);
            (over >= 0 ? low : high) = a;
            double next = std::isfinite(over) && slope > 0 ? a + over / slope : 0.5 * (low + high);
            if (!(next > low && next < high))
                next = 0.5 * (low + high);
            const double change = std::fabs(next - a);
            a = next;
            if (change <= 1e-13 * a)
                break;
        }
        m_attraction[r] = a;
    }

    std::size_t m_columns, m_largest = 0;
    int m_unknowns = 0;
    double m_mark = 1, m_highest = 1;
    std::vector<double> m_row, m_rowClicks, m_attraction, m_factor;
    std::vector<ProductCell> m_cells;
    std::vector<std::size_t> m_begin;
    std::vector<std::int32_t> m_rowOf;
    std::vector<char> m_bound, m_known, m_zero;
    std::vector<int> m_index;
};
} // namespace

ProductFit fitProduct(const std::vector<ProductCell>& cells, std::int32_t rows, std::int32_t columns, const ProductFitOptions& options) {
    ProductFit fit;
    Profile profile(cells, rows, columns, options.fitMark);
    fit.row.assign(static_cast<std::size_t>(rows), nan);
    fit.column.assign(static_cast<std::size_t>(columns), nan);
    if (profile.empty())
        return fit;
    const auto size = static_cast<std::size_t>(columns) + 1;
    std::vector<double> t(size, 0.0), next, gradient, information;
    if (options.start) {
        for (std::size_t k = 1; k + 1 < size; ++k)
            if (const double g = options.start->column[k]; g > 0 && std::isfinite(g))
                t[k] = std::log(g);
        if (options.fitMark && options.start->mark > 0)
            t[size - 1] = std::log(options.start->mark);
    }
    double value = profile.value(t);
    for (; fit.iterations < options.maxIterations; ++fit.iterations) {
        if (profile.unknowns() == 0) {
            fit.converged = true;
            break;
        }
        profile.derivatives(gradient, information);
        auto step = gradient;
        auto matrix = information;
        const auto n = step.size();
        double trace = 0;
        for (std::size_t i = 0; i < n; ++i)
            trace += information[i * n + i];
        for (double ridge = 1e-12; !solvePositive(matrix, step) && ridge < 1e6; ridge *= 100) {
            step = gradient;
            matrix = information;
            for (std::size_t i = 0; i < n; ++i)
                matrix[i * n + i] += ridge * (trace / static_cast<double>(n) + 1e-9);
        }
        double largest = 0;
        for (const double s : step)
            largest = std::max(largest, std::fabs(s));
        double scale = largest > 2 ? 2 / largest : 1;
        bool better = false;
        for (int halving = 0; halving < 40 && !better; ++halving, scale *= 0.5) {
            next = t;
            for (std::size_t g = 1; g < size; ++g)
                if (const int at = profile.indexOf(g); at >= 0)
                    next[g] += scale * step[static_cast<std::size_t>(at)];
            const double reached = profile.value(next);
            if (reached >= value - 1e-12 * std::fabs(value)) {
                better = true;
                value = std::max(value, reached);
                t = next;
                largest *= scale;
            }
        }
        if (!better || largest < options.tolerance) {
            fit.converged = better || largest < 1e-6;
            break;
        }
    }
    fit.logLikelihood = profile.value(t);
    profile.fill(fit);
    return fit;
}

bool markIdentified(const std::vector<ProductCell>& cells, std::int32_t rows, std::int32_t columns) {
    // Marks that follow from rows and columns satisfy mark = x_row + y_column around every cycle of the graph of cells.
    const auto nodes = static_cast<std::size_t>(rows) + static_cast<std::size_t>(columns);
    std::vector<std::vector<std::pair<std::size_t, int>>> edges(nodes);
    for (const auto& cell : cells)
        if (cell.impressions > 0) {
            const auto a = static_cast<std::size_t>(cell.row), b = static_cast<std::size_t>(rows + cell.column);
            edges[a].push_back({b, cell.marked});
            edges[b].push_back({a, cell.marked});
        }
    std::vector<int> potential(nodes, 0);
    std::vector<char> seen(nodes, 0);
    std::vector<std::size_t> stack;
    for (std::size_t start = 0; start < nodes; ++start) {
        if (seen[start])
            continue;
        seen[start] = 1;
        stack.push_back(start);
        while (!stack.empty()) {
            const std::size_t at = stack.back();
            stack.pop_back();
            for (const auto& [to, mark] : edges[at]) {
                const int wanted = mark - potential[at]; // x + y = mark
                if (!seen[to]) {
                    seen[to] = 1;
                    potential[to] = wanted;
                    stack.push_back(to);
                } else if (potential[to] != wanted) {
                    return true;
                }
            }
        }
    }
    return false;
}

} // namespace carousel::bias
