// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/columnar_run.h"
#include "base/parallel.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CAROUSEL_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CAROUSEL_VECTOR_CLONES
#endif

namespace carousel {

namespace {
// Open addressing over 64-bit ids; at most half full.
class IdIndex {
public:
    explicit IdIndex(std::span<const std::int64_t> ids) : m_ids(ids), m_slots(std::bit_ceil(std::max<std::size_t>(ids.size() * 2, 4)), empty) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            auto slot = start(ids[i]);
            while (m_slots[slot] != empty && ids[m_slots[slot]] != ids[i])
                slot = (slot + 1) & (m_slots.size() - 1);
            if (m_slots[slot] != empty)
                m_twice = static_cast<std::ptrdiff_t>(i);
            m_slots[slot] = static_cast<std::uint32_t>(i);
        }
    }
    std::ptrdiff_t find(std::int64_t id) const {
        for (auto slot = start(id); m_slots[slot] != empty; slot = (slot + 1) & (m_slots.size() - 1))
            if (m_ids[m_slots[slot]] == id)
                return m_slots[slot];
        return -1;
    }
    std::ptrdiff_t twice() const { return m_twice; } // a row whose id stands earlier too, or -1

private:
    static constexpr std::uint32_t empty = ~0u;
    std::size_t start(std::int64_t id) const {
        const auto mixed = static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15ull;
        return static_cast<std::size_t>(mixed >> 32) & (m_slots.size() - 1);
    }
    std::span<const std::int64_t> m_ids;
    std::vector<std::uint32_t> m_slots;
    std::ptrdiff_t m_twice = -1;
};

struct Place {
    std::int32_t above, equal; // equal counts the item itself; 0: not in the list, -1: the list holds a NaN
};
// The place of one item in a list in any order. Branch-free loops over whole columns, for the vectoriser.
CAROUSEL_VECTOR_CLONES Place placeOf(std::int32_t item, const std::int32_t* items, const float* scores, std::size_t n) {
    std::int32_t at = 0;
    for (std::size_t i = 0; i < n; ++i)
        at = items[i] == item ? static_cast<std::int32_t>(i) + 1 : at;
    if (at == 0)
        return {0, 0};
    const float score = scores[at - 1];
    std::int32_t above = 0, equal = 0;
    for (std::size_t i = 0; i < n; ++i) {
        above += scores[i] > score;
        equal += scores[i] == score;
    }
    return {above, equal};
}
CAROUSEL_VECTOR_CLONES std::int32_t countNaN(const float* scores, std::size_t n) {
    std::int32_t bad = 0;
    for (std::size_t i = 0; i < n; ++i)
        bad += scores[i] != scores[i];
    return bad;
}

template <class Table> Result<void> checkShape(const Table& table, const char* what) {
    const bool sound = table.offsets.size() == table.users.size() + 1 && table.offsets.front() == 0 && table.offsets.back() == table.items.size() &&
                       std::is_sorted(table.offsets.begin(), table.offsets.end());
    if (!sound)
        return fail(ErrorKind::input, "CL-8003",
                    fmt::format("the {} has {} users, {} offsets and {} rows, which do not fit together", what, table.users.size(), table.offsets.size(), table.items.size()),
                    "Offsets start at 0, never fall, and end at the number of rows; there is one more than there are users.");
    return {};
}
} // namespace

Result<ColumnarFigures> evaluateColumns(const ColumnarRun& run, const ColumnarTruth& truth, int k) {
    CAROUSEL_TRY(checkShape(run, "run"));
    CAROUSEL_TRY(checkShape(truth, "truth"));
    if (run.scores.size() != run.items.size() || (!truth.gains.empty() && truth.gains.size() != truth.items.size()))
        return fail(ErrorKind::input, "CL-8003",
                    fmt::format("{} run rows have {} scores; {} truth rows have {} gains", run.items.size(), run.scores.size(), truth.items.size(), truth.gains.size()),
                    "Give one score per run row, and one gain per truth row or none.");
    const IdIndex index(run.users), truthIndex(truth.users);
    for (const auto& [rows, users, what] : {std::tuple{index.twice(), &run.users, "run"}, std::tuple{truthIndex.twice(), &truth.users, "truth"}})
        if (rows >= 0)
            return fail(ErrorKind::input, "CL-8003", fmt::format("user {} stands twice in the {}", (*users)[static_cast<std::size_t>(rows)], what),
                        "Put all rows of a user together.");

    const RankKernel kernel(k);
    ColumnarFigures figures;
    figures.perUser.resize(truth.users.size());
    figures.counted.assign(truth.users.size(), 0);
    std::atomic<std::int64_t> notInRun{0};
    std::atomic<std::ptrdiff_t> bad{-1};
    parallelFor(truth.users.size(), 512, [&](std::size_t begin, std::size_t end) {
        std::vector<TargetPlace> places;
        for (std::size_t u = begin; u < end; ++u) {
            const std::ptrdiff_t row = index.find(truth.users[u]);
            const std::size_t first = row < 0 ? 0 : run.offsets[static_cast<std::size_t>(row)];
            const std::size_t length = row < 0 ? 0 : run.offsets[static_cast<std::size_t>(row) + 1] - first;
            if (countNaN(run.scores.data() + first, length) > 0)
                bad = row;
            places.clear();
            for (std::size_t i = truth.offsets[u]; i < truth.offsets[u + 1]; ++i) {
                const float gain = truth.gains.empty() ? 1.0f : truth.gains[i];
                if (!(gain > 0))
                    continue;
                const Place at = placeOf(truth.items[i], run.items.data() + first, run.scores.data() + first, length);
                places.push_back({.rank = at.equal > 0 ? at.above + 1 : 0, .ties = std::max(at.equal, 1), .gain = gain});
            }
            if (places.empty())
                continue;
            notInRun += row < 0;
            figures.counted[u] = 1;
            figures.perUser[u] = kernel.expected(places);
        }
    });
    if (const auto row = bad.load(); row >= 0) {
        const auto r = static_cast<std::size_t>(row);
        std::size_t at = run.offsets[r];
        while (!std::isnan(run.scores[at]))
            ++at;
        return fail(ErrorKind::input, "CL-8002", fmt::format("the score of user {}, item {} is not a number", run.users[r], run.items[at]),
                    "Give every ranked item a number; leave out what was not ranked.");
    }
    figures.notInRun = notInRun;
    CompensatedSum hit, ndcg, mrr, map, recall, precision;
    for (std::size_t u = 0; u < figures.perUser.size(); ++u) {
        if (!figures.counted[u]) {
            ++figures.excluded;
            continue;
        }
        ++figures.users;
        const auto& f = figures.perUser[u];
        hit.add(f.hitRate);
        ndcg.add(f.ndcg);
        mrr.add(f.mrr);
        map.add(f.map);
        recall.add(f.recall);
        precision.add(f.precision);
    }
    const double n = static_cast<double>(figures.users);
    if (figures.users > 0)
        figures.mean = {hit.total() / n, ndcg.total() / n, mrr.total() / n, map.total() / n, recall.total() / n, precision.total() / n};
    return figures;
}

} // namespace carousel
