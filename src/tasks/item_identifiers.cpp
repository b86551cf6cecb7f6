// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/item_identifiers.h"
#include "base/random.h"
#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <unordered_set>

namespace carousel {

namespace {

constexpr std::array names{"random", "sequential", "collaborative", "semantic", "titles"};
constexpr int firstNumber = 1001; // all numbers of a shop of up to nine thousand items are then equally long

std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    RandomStream random(seed, "tasks/item numbers");
    for (std::size_t i = n; i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

ItemIdentifiers numbered(const std::vector<std::size_t>& order) {
    // One width for all, so that no number is the beginning of another.
    const std::size_t width = std::to_string(firstNumber + order.size()).size();
    std::vector<std::string> out(order.size());
    for (std::size_t place = 0; place < order.size(); ++place)
        out[order[place]] = fmt::format("item_{:0{}}", firstNumber + static_cast<int>(place), width);
    return {std::move(out), {}};
}

} // namespace

const char* name(ItemIndexing indexing) { return names[static_cast<std::size_t>(indexing)]; }

Result<ItemIndexing> itemIndexing(const std::string& wanted) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (wanted == names[i])
            return static_cast<ItemIndexing>(i);
    return fail(ErrorKind::usage, "CL-3112", fmt::format("There is no item indexing '{}'.", wanted),
                "Use random, sequential, collaborative, semantic or titles.");
}

ItemIdentifiers::ItemIdentifiers(std::vector<std::string> given, std::vector<std::string> tokens)
    : names(std::move(given)), symbols(std::move(tokens)), m_byName(names.size()) {
    std::iota(m_byName.begin(), m_byName.end(), std::size_t(0));
    std::sort(m_byName.begin(), m_byName.end(), [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
}

Code ItemIdentifiers::find(const std::string& wanted) const {
    const auto it = std::lower_bound(m_byName.begin(), m_byName.end(), wanted,
                                     [&](std::size_t item, const std::string& text) { return names[item] < text; });
    return it != m_byName.end() && names[*it] == wanted ? static_cast<Code>(*it) : noCode;
}

ItemIdentifiers randomIdentifiers(std::size_t items, std::uint64_t seed) { return numbered(shuffled(items, seed)); }

ItemIdentifiers sequentialIdentifiers(std::size_t items, std::span<const std::vector<Code>> histories, std::uint64_t seed) {
    std::vector<std::size_t> order;
    std::vector<std::uint8_t> numberedAlready(items, 0);
    for (const auto& history : histories)
        for (const Code item : history)
            if (auto& done = numberedAlready[static_cast<std::size_t>(item)]; !done) {
                done = 1;
                order.push_back(static_cast<std::size_t>(item));
            }
    for (const std::size_t item : shuffled(items, seed)) // those without a history stand behind, in no order that means anything
        if (!numberedAlready[item])
            order.push_back(item);
    return numbered(order);
}

ItemIdentifiers codeIdentifiers(std::span<const std::vector<int>> codes) {
    std::vector<std::string> out(codes.size());
    std::set<std::pair<std::size_t, int>> used;
    const auto symbol = [](std::size_t level, int code) {
        return fmt::format("<{}{}>", static_cast<char>('a' + static_cast<char>(std::min<std::size_t>(level, 25))), code);
    };
    for (std::size_t item = 0; item < codes.size(); ++item)
        for (std::size_t level = 0; level < codes[item].size(); ++level) {
            out[item] += symbol(level, codes[item][level]);
            used.insert({level, codes[item][level]});
        }
    std::vector<std::string> symbols;
    for (const auto& [level, code] : used)
        symbols.push_back(symbol(level, code));
    return {std::move(out), std::move(symbols)};
}

ItemIdentifiers titleIdentifiers(const EntityTable& items) {
    std::vector<std::string> out(items.size());
    std::unordered_set<std::string> taken;
    for (std::size_t item = 0; item < items.size(); ++item) {
        const std::string title = items.displayName(static_cast<Code>(item));
        std::string own = title;
        for (int copy = 2; !taken.insert(own).second; ++copy)
            own = fmt::format("{} ({})", title, copy);
        out[item] = std::move(own);
    }
    return {std::move(out), {}};
}

} // namespace carousel
