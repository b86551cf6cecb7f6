// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/item_links.h"
#include "base/parallel.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

namespace carousel::plugin {

Result<Sequences> Sequences::read(const TrainingView& training, EventChoice events, std::size_t limit, bool distinct,
                                  const RunControl& control) {
    Sequences all;
    std::vector<Code> codes;
    std::vector<float> weights;
    for (std::size_t user = 0; user < training.userCount(); ++user) {
        if (user % 1024 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("Reading histories"));
        const auto code = static_cast<Code>(user);
        const auto history = training.historyItems(code);
        const auto weight = training.historyWeight(code);
        codes.clear();
        weights.clear();
        for (const auto place : placesOf(training, code, events, limit, distinct)) {
            codes.push_back(history[place]);
            weights.push_back(weight[place]);
        }
        all.add(codes, weights);
    }
    all.index(training.itemCount());
    return all;
}

void Sequences::add(std::span<const Code> sequence, std::span<const float> weights) {
    items.insert(items.end(), sequence.begin(), sequence.end());
    root.insert(root.end(), weights.begin(), weights.end()); // weights until index()
    owner.insert(owner.end(), sequence.size(), static_cast<std::uint32_t>(start.size() - 1));
    start.push_back(items.size());
}

void Sequences::index(std::size_t itemCount) {
    occurrenceStart.assign(itemCount + 1, 0);
    for (const auto item : items)
        ++occurrenceStart[static_cast<std::size_t>(item) + 1];
    for (std::size_t i = 0; i < itemCount; ++i)
        occurrenceStart[i + 1] += occurrenceStart[i];
    occurrence.resize(items.size());
    auto next = occurrenceStart;
    for (std::size_t place = 0; place < items.size(); ++place)
        occurrence[next[static_cast<std::size_t>(items[place])]++] = place;
    // A sum of equal floats is exact in a double, and so is its quotient: equal weights become exactly 1.
    const double sum = std::accumulate(root.begin(), root.end(), 0.0);
    itemWeight.assign(itemCount, 0.0);
    for (std::size_t place = 0; place < items.size(); ++place) {
        const double counts = sum > 0 ? root[place] * static_cast<double>(items.size()) / sum : 1.0;
        itemWeight[static_cast<std::size_t>(items[place])] += counts;
        root[place] = std::sqrt(counts);
    }
}

Result<ItemLinks> ItemLinks::build(std::size_t itemCount, const std::function<void(Code, const Add&)>& fill,
                                   const std::function<double(Code, Code, double)>& finish, std::size_t most, const std::string& stage,
                                   const RunControl& control) {
    std::vector<std::vector<Link>> rows(itemCount);
    std::atomic<std::size_t> done{0};
    std::atomic<bool> stopped{false};
    parallelFor(itemCount, 64, [&](std::size_t begin, std::size_t end) {
        std::vector<double> sum(itemCount, 0.0);
        std::vector<Code> touched;
        const Add add = [&](Code other, double weight) {
            auto& place = sum[static_cast<std::size_t>(other)];
            if (place == 0)
                touched.push_back(other);
            place += weight;
        };
        for (std::size_t i = begin; i < end; ++i) {
            if (control.stopRequested()) {
                stopped = true;
                return;
            }
            const auto item = static_cast<Code>(i);
            fill(item, add);
            std::sort(touched.begin(), touched.end());
            touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
            auto& row = rows[i];
            row.reserve(touched.size());
            for (const auto other : touched) {
                const double weight = finish(item, other, sum[static_cast<std::size_t>(other)]);
                if (weight != 0)
                    row.push_back({other, static_cast<float>(weight)});
                sum[static_cast<std::size_t>(other)] = 0;
            }
            touched.clear();
            if (most > 0 && row.size() > most) {
                std::stable_sort(row.begin(), row.end(), [](const Link& a, const Link& b) { return a.weight > b.weight; });
                row.resize(most);
                std::sort(row.begin(), row.end(), [](const Link& a, const Link& b) { return a.item < b.item; });
            }
        }
        control.report(stage, static_cast<double>(done += end - begin), static_cast<double>(itemCount), "items");
    });
    if (stopped)
        return fail(RunControl::cancelled(stage));
    ItemLinks out;
    out.m_start.reserve(itemCount + 1);
    for (auto& row : rows) {
        out.m_links.insert(out.m_links.end(), row.begin(), row.end());
        out.m_start.push_back(out.m_links.size());
        row = {};
    }
    return out;
}

} // namespace carousel::plugin
