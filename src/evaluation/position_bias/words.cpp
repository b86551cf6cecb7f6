// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/position_bias/words.h"
#include "base/text.h"
#include <cmath>
#include <fmt/format.h>

namespace carousel::bias {

std::string positions(const std::vector<std::size_t>& slots) {
    if (slots.empty())
        return "no position";
    std::vector<std::string> runs;
    for (std::size_t i = 0; i < slots.size();) {
        std::size_t last = i;
        while (last + 1 < slots.size() && slots[last + 1] == slots[last] + 1)
            ++last;
        runs.push_back(last > i ? fmt::format("{} {} {}", slots[i] + 1, last == i + 1 ? "and" : "to", slots[last] + 1)
                                : fmt::format("{}", slots[i] + 1));
        i = last + 1;
    }
    std::string text = slots.size() == 1 ? "position " : "positions ";
    for (std::size_t i = 0; i < runs.size(); ++i)
        text += (i == 0 ? "" : ", ") + runs[i];
    return text;
}

std::string percent(double share) {
    return fmt::format("{:.4g} %", 100 * share);
}
std::string count(double n, const char* one, const char* many) {
    return withThousands(std::llround(n)) + " " + (n == 1 ? one : many);
}

} // namespace carousel::bias
