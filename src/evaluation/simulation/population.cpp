// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/population.h"
#include <algorithm>
#include <array>
#include <cmath>

namespace carousel {

namespace {
Error wrong(const std::string& what) {
    return {ErrorKind::input, "CL-3130", fmt::format("The simulation cannot be set up: {}.", what), "Correct the users' description, or fit it to the log again."};
}
bool allFinite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}
} // namespace

void Population::logits(std::int32_t user, std::span<const std::int32_t> slate, std::span<double> out) const {
    constexpr std::size_t together = 8;
    const float* const u = userVectors.data() + static_cast<std::size_t>(user) * rank;
    for (std::size_t from = 0; from < slate.size(); from += together) {
        const std::size_t count = std::min(together, slate.size() - from);
        std::array<float, together> sum{};
        std::array<const float*, together> v;
        v.fill(itemVectors.data());
        for (std::size_t i = 0; i < count; ++i)
            if (const std::int32_t item = slate[from + i]; item >= 0)
                sum[i] = base + itemBias[static_cast<std::size_t>(item)], v[i] = itemVectors.data() + static_cast<std::size_t>(item) * rank;
        for (std::size_t k = 0; k < rank; ++k)
            for (std::size_t i = 0; i < together; ++i)
                sum[i] += u[k] * v[i][k];
        for (std::size_t i = 0; i < count; ++i)
            out[from + i] = slate[from + i] >= 0 ? static_cast<double>(sum[i]) : 0;
    }
}

Result<void> checkPopulation(const Population& p) {
    if (p.users == 0 || p.items == 0)
        return fail(wrong("there are no users or no items"));
    if (p.userVectors.size() != p.users * p.rank || p.itemVectors.size() != p.items * p.rank || p.itemBias.size() != p.items ||
        (!p.value.empty() && p.value.size() != p.items))
        return fail(wrong(fmt::format("{} users and {} items do not fit the vectors given", p.users, p.items)));
    if (!allFinite(p.userVectors) || !allFinite(p.itemVectors) || !allFinite(p.itemBias) || !allFinite(p.value) || !std::isfinite(p.base))
        return fail(wrong("a value is not finite"));
    return {};
}

Result<void> checkBehaviour(const Behaviour& b) {
    const auto share = [](double value) { return value >= 0 && value <= 1; };
    if (b.window < 1 || b.examination.empty())
        return fail(wrong("a page needs at least one slot and one examination probability"));
    for (const double theta : b.examination)
        if (!share(theta))
            return fail(wrong(fmt::format("an examination probability is {}", theta)));
    if (!share(b.swipe) || !share(b.buy) || !share(b.satisfactionRate) || !(b.leave >= 0 && b.leave <= 0.5))
        return fail(wrong("swipe, buy and satisfaction are shares between 0 and 1, and leaving lies between 0 and 0.5"));
    if (!(b.fatigue >= 0) || !std::isfinite(b.fatigue))
        return fail(wrong(fmt::format("fatigue is {}", b.fatigue)));
    return {};
}

} // namespace carousel
