// SPDX-License-Identifier: GPL-3.0-or-later
// Item-to-item weights in compressed rows, built row by row from the users who met the item.
#pragma once
#include "base/run_control.h"
#include "data/dataset.h"
#include "support/history.h"
#include <functional>

namespace carousel::plugin {

struct Link {
    Code item;
    float weight;
};

// The sequences of all users in one array, and where each item occurs in it.
struct Sequences {
    std::vector<std::size_t> start{0}; // per user, and the end
    std::vector<Code> items;
    std::vector<std::size_t> occurrenceStart; // per item, and the end
    std::vector<std::size_t> occurrence;      // places in `items`, ascending
    std::vector<std::uint32_t> owner;         // user of each place
    // Each place counts as many times as its weight (TrainingView::historyWeight) over the mean of all places: exactly once when all are equal. Two places
    // count together sqrt(a b) times, so that by Cauchy and Schwarz no pair outgrows what its items count alone.
    std::vector<double> root;       // per place: square root of what it counts
    std::vector<double> itemWeight; // per item: what its places count
    // Every user's newest `limit` events of the chosen kind, indexed; `distinct`: each item once.
    static Result<Sequences> read(const TrainingView& training, EventChoice events, std::size_t limit, bool distinct,
                                  const RunControl& control);
    void add(std::span<const Code> sequence, std::span<const float> weights);
    void index(std::size_t itemCount); // after the last add()
    double together(std::size_t a, std::size_t b) const { return root[a] * root[b]; }
    double counted(Code item) const { return itemWeight[static_cast<std::size_t>(item)]; }
};

class ItemLinks {
public:
    // `fill(item, add)` calls add(other, weight) any number of times; `finish(item, other, sum)` turns a sum into the stored weight.
    // Rows are built in parallel and are the same for any number of threads. `most` > 0 keeps the heaviest links of each row.
    using Add = std::function<void(Code other, double weight)>;
    static Result<ItemLinks> build(std::size_t itemCount, const std::function<void(Code item, const Add& add)>& fill,
                                   const std::function<double(Code item, Code other, double sum)>& finish, std::size_t most,
                                   const std::string& stage, const RunControl& control);
    std::span<const Link> row(Code item) const {
        const auto i = static_cast<std::size_t>(item);
        return {m_links.data() + m_start[i], m_start[i + 1] - m_start[i]};
    }
    std::size_t size() const { return m_links.size(); }

private:
    std::vector<std::size_t> m_start{0};
    std::vector<Link> m_links; // of one row: ascending items
};

} // namespace carousel::plugin
