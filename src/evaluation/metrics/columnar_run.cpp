// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/columnar_run.h"
#include "base/parallel.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__)
#define CAROUSEL_AVX2
#include <immintrin.h>
#endif

namespace carousel {

namespace {
// Open addressing over 64-bit ids; at most half full.
class IdIndex {
public:
    explicit IdIndex(std::span<const std::int64_t> ids)
        : m_ids(ids), m_slots(std::bit_ceil(std::max<std::size_t>(ids.size() * 2, 4)), empty) {
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
    std::int32_t above, equal; // equal counts the item itself; 0: not in the list
};
// The place of one item in a list in any order.
Place placeOfPortable(std::int32_t item, const std::int32_t* items, const float* scores, std::size_t n) {
    const auto at = static_cast<std::size_t>(std::find(items, items + n, item) - items);
    if (at == n)
        return {0, 0};
    const float score = scores[at];
    std::int32_t above = 0, equal = 0;
    for (std::size_t i = 0; i < n; ++i) {
        above += scores[i] > score;
        equal += scores[i] == score;
    }
    return {above, equal};
}
bool hasNaNPortable(const float* scores, std::size_t n) {
    int bad = 0;
    for (std::size_t i = 0; i < n; ++i)
        bad |= scores[i] != scores[i];
    return bad != 0;
}

#ifdef CAROUSEL_AVX2
// The same eight at a time; the last few lanes are masked, so that no list length is slow.
__attribute__((target("avx2"))) __m256i lanesBelow(std::size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
__attribute__((target("avx2"))) Place placeOfAvx2(std::int32_t item, const std::int32_t* items, const float* scores, std::size_t n) {
    const std::size_t whole = n & ~std::size_t(7);
    const __m256i rest = lanesBelow(n - whole), wanted = _mm256_set1_epi32(item);
    std::size_t at = n;
    for (std::size_t i = 0; i < whole; i += 8) {
        const __m256i same = _mm256_cmpeq_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(items + i)), wanted);
        if (const auto mask = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(same)))) {
            at = i + static_cast<std::size_t>(std::countr_zero(mask));
            break;
        }
    }
    for (std::size_t i = whole; i < n && at == n; ++i)
        if (items[i] == item)
            at = i;
    if (at == n)
        return {0, 0};
    const __m256 score = _mm256_set1_ps(scores[at]);
    __m256i above = _mm256_setzero_si256(), equal = above;
    for (std::size_t i = 0; i < whole; i += 8) {
        const __m256 other = _mm256_loadu_ps(scores + i);
        above = _mm256_sub_epi32(above, _mm256_castps_si256(_mm256_cmp_ps(other, score, _CMP_GT_OQ)));
        equal = _mm256_sub_epi32(equal, _mm256_castps_si256(_mm256_cmp_ps(other, score, _CMP_EQ_OQ)));
    }
    if (whole < n) {
        const __m256 other = _mm256_maskload_ps(scores + whole, rest);
        above = _mm256_sub_epi32(above, _mm256_and_si256(rest, _mm256_castps_si256(_mm256_cmp_ps(other, score, _CMP_GT_OQ))));
        equal = _mm256_sub_epi32(equal, _mm256_and_si256(rest, _mm256_castps_si256(_mm256_cmp_ps(other, score, _CMP_EQ_OQ))));
    }
    // Sums of both at once: pairs within, then across the halves.
    __m256i sums = _mm256_hadd_epi32(above, equal);
    sums = _mm256_hadd_epi32(sums, sums);
    return {_mm256_extract_epi32(sums, 0) + _mm256_extract_epi32(sums, 4), _mm256_extract_epi32(sums, 1) + _mm256_extract_epi32(sums, 5)};
}
__attribute__((target("avx2"))) bool hasNaNAvx2(const float* scores, std::size_t n) {
    const std::size_t whole = n & ~std::size_t(7);
    __m256 bad = _mm256_setzero_ps();
    for (std::size_t i = 0; i < whole; i += 8) {
        const __m256 x = _mm256_loadu_ps(scores + i);
        bad = _mm256_or_ps(bad, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    }
    return _mm256_movemask_ps(bad) != 0 || hasNaNPortable(scores + whole, n - whole);
}
const bool haveAvx2 = __builtin_cpu_supports("avx2");
Place placeOf(std::int32_t item, const std::int32_t* items, const float* scores, std::size_t n) {
    return haveAvx2 ? placeOfAvx2(item, items, scores, n) : placeOfPortable(item, items, scores, n);
}
bool hasNaN(const float* scores, std::size_t n) {
    return haveAvx2 ? hasNaNAvx2(scores, n) : hasNaNPortable(scores, n);
}
#else
Place placeOf(std::int32_t item, const std::int32_t* items, const float* scores, std::size_t n) {
    return placeOfPortable(item, items, scores, n);
}
bool hasNaN(const float* scores, std::size_t n) {
    return hasNaNPortable(scores, n);
}
#endif

template <class Table> Result<void> checkShape(const Table& table, const char* what) {
    const bool sound = table.offsets.size() == table.users.size() + 1 && table.offsets.front() == 0 &&
                       table.offsets.back() == table.items.size() && std::is_sorted(table.offsets.begin(), table.offsets.end());
    if (!sound)
        return fail(ErrorKind::input, "CL-8003",
                    fmt::format("the {} has {} users, {} offsets and {} rows, which do not fit together", what, table.users.size(),
                                table.offsets.size(), table.items.size()),
                    "Offsets start at 0, never fall, and end at the number of rows; there is one more than there are users.");
    return {};
}
} // namespace

Result<std::vector<ColumnarFigures>> evaluateColumns(const ColumnarRun& run, const ColumnarTruth& truth, std::span<const int> cuts) {
    CAROUSEL_TRY(checkShape(run, "run"));
    CAROUSEL_TRY(checkShape(truth, "truth"));
    if (run.scores.size() != run.items.size() || (!truth.gains.empty() && truth.gains.size() != truth.items.size()))
        return fail(ErrorKind::input, "CL-8003",
                    fmt::format("{} run rows have {} scores; {} truth rows have {} gains", run.items.size(), run.scores.size(),
                                truth.items.size(), truth.gains.size()),
                    "Give one score per run row, and one gain per truth row or none.");
    const IdIndex index(run.users), truthIndex(truth.users);
    for (const auto& [row, users, what] :
         {std::tuple{index.twice(), &run.users, "run"}, std::tuple{truthIndex.twice(), &truth.users, "truth"}})
        if (row >= 0)
            return fail(ErrorKind::input, "CL-8003",
                        fmt::format("user {} stands twice in the {}", (*users)[static_cast<std::size_t>(row)], what),
                        "Put all rows of a user together.");

    const std::vector<RankKernel> kernels(cuts.begin(), cuts.end());
    std::vector<ColumnarFigures> figures(cuts.size());
    for (auto& one : figures)
        one.perUser.resize(truth.users.size());
    std::vector<std::uint8_t> counted(truth.users.size(), 0);
    std::atomic<std::ptrdiff_t> bad{-1};
    auto evaluateUser = [&](std::size_t user, std::size_t first, std::size_t length, std::vector<TargetPlace>& places) {
        places.clear();
        for (std::size_t i = truth.offsets[user]; i < truth.offsets[user + 1]; ++i) {
            const float gain = truth.gains.empty() ? 1.0f : truth.gains[i];
            if (!(gain > 0))
                continue;
            const Place at = placeOf(truth.items[i], run.items.data() + first, run.scores.data() + first, length);
            places.push_back({.rank = at.equal > 0 ? at.above + 1 : 0, .ties = std::max(at.equal, 1), .gain = gain});
        }
        if (places.empty())
            return;
        counted[user] = 1;
        for (std::size_t c = 0; c < kernels.size(); ++c)
            figures[c].perUser[user] = kernels[c].expected(places);
    };
    // In the order of the run: its columns are the large ones, and this way they stream through the cache.
    std::vector<std::uint8_t> inRun(truth.users.size(), 0);
    parallelFor(run.users.size(), 512, [&](std::size_t begin, std::size_t end) {
        std::vector<TargetPlace> places;
        for (std::size_t row = begin; row < end; ++row) {
            const std::ptrdiff_t user = truthIndex.find(run.users[row]);
            if (user < 0)
                continue;
            const std::size_t first = run.offsets[row], length = run.offsets[row + 1] - first;
            if (hasNaN(run.scores.data() + first, length))
                bad = static_cast<std::ptrdiff_t>(row);
            inRun[static_cast<std::size_t>(user)] = 1;
            evaluateUser(static_cast<std::size_t>(user), first, length, places);
        }
    });
    std::int64_t notInRun = 0;
    std::vector<TargetPlace> places;
    for (std::size_t user = 0; user < inRun.size(); ++user)
        if (!inRun[user]) {
            evaluateUser(user, 0, 0, places);
            notInRun += counted[user];
        }
    if (const auto row = bad.load(); row >= 0) {
        const auto r = static_cast<std::size_t>(row);
        std::size_t at = run.offsets[r];
        while (!std::isnan(run.scores[at]))
            ++at;
        return fail(ErrorKind::input, "CL-8002", fmt::format("the score of user {}, item {} is not a number", run.users[r], run.items[at]),
                    "Give every ranked item a number; leave out what was not ranked.");
    }
    for (auto& one : figures) {
        CompensatedSum hit, ndcg, mrr, map, recall, precision;
        for (std::size_t u = 0; u < one.perUser.size(); ++u) {
            if (!counted[u])
                continue;
            ++one.users;
            const auto& f = one.perUser[u];
            hit.add(f.hitRate);
            ndcg.add(f.ndcg);
            mrr.add(f.mrr);
            map.add(f.map);
            recall.add(f.recall);
            precision.add(f.precision);
        }
        one.excluded = static_cast<std::int64_t>(one.perUser.size()) - one.users;
        one.notInRun = notInRun;
        one.counted = counted;
        const double n = static_cast<double>(one.users);
        if (one.users > 0)
            one.mean = {hit.total() / n, ndcg.total() / n, mrr.total() / n, map.total() / n, recall.total() / n, precision.total() / n};
    }
    return figures;
}

Result<ColumnarFigures> evaluateColumns(const ColumnarRun& run, const ColumnarTruth& truth, int k) {
    const int cuts[] = {k};
    CAROUSEL_ASSIGN(auto figures, evaluateColumns(run, truth, cuts));
    return std::move(figures.front());
}

} // namespace carousel
