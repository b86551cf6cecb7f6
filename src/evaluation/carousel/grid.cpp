// SPDX-License-Identifier: GPL-3.0-or-later
// An item shown twice counts at its first cell in diagonal order, which is the cell of its largest discount factor; among equal ones the
// row does not change the sum. So a grid's gain is, per relevant item, the largest factor among the cells that show it.
#include "evaluation/carousel/grid.h"
#include "base/parallel.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>

namespace carousel {

namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();

auto refuse(const std::string& what, const std::string& hint) {
    return fail(ErrorKind::input, "CL-8042", what, hint);
}
Result<void> check(const GridDiscount& discount) {
    if (!(discount.alpha >= 0) || !(discount.beta >= 0) || !std::isfinite(discount.alpha + discount.beta) ||
        discount.alpha + discount.beta < 2)
        return fail(ErrorKind::input, "CL-8041",
                    fmt::format("a grid discount of {} per row and {} per column", discount.alpha, discount.beta),
                    "Both are 0 or more and their sum is at least 2, so that no cell counts more than 1.");
    return {};
}
// 0-based row and column.
double factor(const GridDiscount& discount, std::size_t row, std::size_t column) {
    return 1 / std::log2(discount.alpha * static_cast<double>(row + 1) + discount.beta * static_cast<double>(column + 1));
}
// The factors of all cells, largest first.
std::vector<double> cellFactors(const GridDiscount& discount, std::size_t rows, std::size_t columns) {
    std::vector<double> factors;
    factors.reserve(rows * columns);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t column = 0; column < columns; ++column)
            factors.push_back(factor(discount, row, column));
    std::sort(factors.begin(), factors.end(), std::greater<>());
    return factors;
}
// What a user's relevant items would gain in the cheapest cells, as many as there are of either.
double idealGain(const std::vector<double>& factors, std::vector<double> gains) {
    std::sort(gains.begin(), gains.end(), std::greater<>());
    double ideal = 0;
    for (std::size_t i = 0; i < std::min(factors.size(), gains.size()); ++i)
        ideal += gains[i] * factors[i];
    return ideal;
}
Result<std::unordered_map<std::int32_t, std::size_t>> indexOf(std::span<const std::int32_t> relevant) {
    std::unordered_map<std::int32_t, std::size_t> index;
    for (std::size_t i = 0; i < relevant.size(); ++i)
        if (!index.emplace(relevant[i], i).second)
            return refuse(fmt::format("item code {} is given as relevant twice", relevant[i]), "Give every relevant item once.");
    return index;
}
} // namespace

Result<double> ndcg2d(std::span<const std::vector<std::int32_t>> rows, std::size_t columns, std::span<const std::int32_t> relevant,
                      std::span<const double> relevance, const GridDiscount& discount) {
    CAROUSEL_TRY(check(discount));
    if (!relevance.empty() && relevance.size() != relevant.size())
        return refuse(fmt::format("{} relevant items but {} relevance grades", relevant.size(), relevance.size()),
                      "Give one grade per relevant item, or none.");
    std::vector<double> gains(relevant.size(), 1.0);
    for (std::size_t i = 0; i < relevance.size(); ++i) {
        if (!(relevance[i] >= 0) || !std::isfinite(relevance[i]))
            return refuse(fmt::format("the relevance of item code {} is {}", relevant[i], relevance[i]), "A relevance is 0 or more.");
        gains[i] = std::exp2(relevance[i]) - 1;
    }
    CAROUSEL_ASSIGN(const auto index, indexOf(relevant));
    std::vector<double> seen(relevant.size(), 0.0);
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (std::size_t column = 0; column < std::min(columns, rows[row].size()); ++column)
            if (const auto found = index.find(rows[row][column]); found != index.end())
                seen[found->second] = std::max(seen[found->second], factor(discount, row, column));
    double gain = 0;
    for (std::size_t i = 0; i < seen.size(); ++i)
        gain += gains[i] * seen[i];
    const double ideal = idealGain(cellFactors(discount, rows.size(), columns), std::move(gains));
    return ideal > 0 ? gain / ideal : none;
}

Result<RowChoice> chooseRows(std::span<const RowCandidate> candidates, std::span<const std::vector<std::int32_t>> relevant,
                             std::size_t rows, std::size_t columns, const GridDiscount& discount, std::size_t exhaustiveLimit) {
    CAROUSEL_TRY(check(discount));
    if (rows == 0 || columns == 0)
        return refuse(fmt::format("a grid of {} rows and {} columns", rows, columns), "A grid has at least one cell.");
    if (rows > candidates.size())
        return refuse(fmt::format("{} rows are to be chosen from {} candidates", rows, candidates.size()), "Choose fewer rows.");
    const std::size_t users = relevant.size();
    for (const auto& candidate : candidates)
        if (candidate.lists.size() != users)
            return refuse(fmt::format("'{}' has lists for {} users where {} are measured", candidate.name, candidate.lists.size(), users),
                          "Give every candidate a list per user.");

    // Hits only: which relevant item of the user stands in which column of which candidate.
    struct Hit {
        std::uint32_t item, column;
    };
    std::vector<std::vector<std::vector<Hit>>> hits(candidates.size(), std::vector<std::vector<Hit>>(users));
    std::vector<double> ideal(users, 0.0);
    const auto factors = cellFactors(discount, rows, columns);
    std::size_t most = 0;
    for (std::size_t user = 0; user < users; ++user) {
        CAROUSEL_ASSIGN(const auto index, indexOf(relevant[user]));
        ideal[user] = idealGain(factors, std::vector<double>(relevant[user].size(), 1.0));
        most = std::max(most, relevant[user].size());
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            const auto& list = candidates[c].lists[user];
            for (std::size_t column = 0; column < std::min(columns, list.size()); ++column)
                if (const auto found = index.find(list[column]); found != index.end())
                    hits[c][user].push_back({static_cast<std::uint32_t>(found->second), static_cast<std::uint32_t>(column)});
        }
    }
    std::vector<double> table(rows * columns);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t column = 0; column < columns; ++column)
            table[row * columns + column] = factor(discount, row, column);
    auto measure = [&](const std::vector<std::size_t>& choice, std::vector<double>* perUser) {
        std::vector<double> seen(most);
        CompensatedSum sum;
        std::size_t counted = 0;
        for (std::size_t user = 0; user < users; ++user) {
            if (perUser)
                (*perUser)[user] = none;
            if (ideal[user] <= 0)
                continue;
            std::fill_n(seen.begin(), relevant[user].size(), 0.0);
            for (std::size_t row = 0; row < choice.size(); ++row)
                for (const auto hit : hits[choice[row]][user])
                    seen[hit.item] = std::max(seen[hit.item], table[row * columns + hit.column]);
            double gain = 0;
            for (std::size_t i = 0; i < relevant[user].size(); ++i)
                gain += seen[i];
            if (perUser)
                (*perUser)[user] = gain / ideal[user];
            sum.add(gain / ideal[user]);
            ++counted;
        }
        return counted > 0 ? sum.total() / static_cast<double>(counted) : none;
    };

    RowChoice result;
    std::vector<char> taken(candidates.size(), 0);
    for (std::size_t row = 0; row < rows; ++row) {
        std::vector<double> values(candidates.size(), -1.0);
        parallelFor(candidates.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t c = begin; c < end; ++c)
                if (!taken[c]) {
                    auto choice = result.greedy;
                    choice.push_back(c);
                    values[c] = measure(choice, nullptr);
                }
        });
        std::size_t best = candidates.size();
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            result.choicesTried += !taken[c];
            if (!taken[c] && (best == candidates.size() || values[c] > values[best]))
                best = c;
        }
        taken[best] = 1;
        result.greedy.push_back(best);
        result.greedyPath.push_back(values[best]);
    }
    result.perUser.resize(users);
    result.greedyValue = measure(result.greedy, &result.perUser);

    std::size_t count = 1;
    for (std::size_t i = 0; i < rows && count <= exhaustiveLimit; ++i)
        count *= candidates.size() - i;
    if (count > exhaustiveLimit)
        return result;
    // Choice number x written with digits of falling base names one ordered choice.
    std::vector<double> values(count);
    auto choiceOf = [&](std::size_t x) {
        std::vector<std::size_t> left(candidates.size()), choice;
        for (std::size_t c = 0; c < left.size(); ++c)
            left[c] = c;
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t digit = x % left.size();
            x /= left.size();
            choice.push_back(left[digit]);
            left.erase(left.begin() + static_cast<std::ptrdiff_t>(digit));
        }
        return choice;
    };
    parallelFor(count, 8, [&](std::size_t begin, std::size_t end) {
        for (std::size_t x = begin; x < end; ++x)
            values[x] = measure(choiceOf(x), nullptr);
    });
    // Greedy keeps its place among equals.
    result.best = result.greedy;
    result.bestValue = result.greedyValue;
    for (std::size_t x = 0; x < count; ++x)
        if (values[x] > result.bestValue) {
            result.bestValue = values[x];
            result.best = choiceOf(x);
        }
    result.choicesTried += count;
    return result;
}

} // namespace carousel
