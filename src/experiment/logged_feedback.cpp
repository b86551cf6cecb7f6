// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions of an impression log: which rows, in what order, and who is resampled together.
#include "experiment/logged_feedback.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

namespace carousel {

namespace {

struct Slate {
    std::size_t begin = 0, end = 0; // rows of the impression table
};

std::vector<Slate> slatesOf(const ImpressionTable& table) {
    std::vector<Slate> slates;
    for (std::size_t row = 0; row < table.size();) {
        std::size_t end = row + 1;
        while (end < table.size() && table.slate[end] == table.slate[row])
            ++end;
        slates.push_back({row, end});
        row = end;
    }
    return slates;
}

// Which slates lie in the asked share of the log, by time; slates of one time stay in the order of the file.
std::vector<std::uint8_t> inShare(const ImpressionTable& table, const std::vector<Slate>& slates, double from, double to) {
    std::vector<std::uint8_t> wanted(slates.size(), 1);
    if (from <= 0 && to >= 1)
        return wanted;
    std::vector<std::size_t> order(slates.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (!table.time.empty())
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return table.time[slates[a].begin] < table.time[slates[b].begin]; });
    const auto n = static_cast<double>(slates.size());
    for (std::size_t rank = 0; rank < order.size(); ++rank)
        wanted[order[rank]] = static_cast<double>(rank) >= from * n && static_cast<double>(rank) < to * n;
    return wanted;
}

Result<std::vector<std::uint8_t>> wantedPolicies(const ImpressionTable& table, const std::vector<std::string>& asked) {
    std::vector<std::uint8_t> wanted(std::max<std::size_t>(table.policy.size(), 1), asked.empty() ? 1 : 0);
    for (const auto& policy : asked) {
        const auto found = std::find(table.policy.begin(), table.policy.end(), policy);
        if (found == table.policy.end())
            return fail(ErrorKind::input, "CL-8025",
                        fmt::format("The log has no policy '{}'. It has: {}.", policy,
                                    table.policy.empty() ? "none by name" : fmt::format("{}", fmt::join(table.policy, ", "))),
                        "Name one of the log's policies, or none to take all.");
        wanted[static_cast<std::size_t>(found - table.policy.begin())] = 1;
    }
    return wanted;
}

Result<const AttributeColumn*> segmentColumn(const Dataset& dataset, const std::string& segment) {
    if (segment.empty())
        return nullptr;
    const auto* column = dataset.users.attribute(segment);
    if (column && !column->isNumeric())
        return column;
    std::vector<std::string> known;
    for (const auto& attribute : dataset.users.attributes)
        if (!attribute.isNumeric())
            known.push_back(attribute.name());
    return fail(ErrorKind::input, "CL-8026",
                fmt::format("'{}' is {} user attribute. Those with names as values: {}.", segment, column ? "a numeric" : "no",
                            known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))),
                "Choose one of them as segment, or leave the segment empty.");
}

// Item codes as they are, or one code per pair (segment, item) that occurs.
class ItemCodes {
public:
    ItemCodes(const Dataset& dataset, const AttributeColumn* segment, ClickLog& log) : m_dataset(dataset), m_segment(segment), m_log(log) {
        if (segment)
            return;
        log.items = static_cast<std::int32_t>(dataset.items.size());
        for (Code item = 0; item < log.items; ++item)
            log.itemNames.push_back(dataset.items.displayName(item));
    }
    std::int32_t code(Code user, Code item) {
        if (!m_segment)
            return item;
        const bool known = user != noCode && !m_segment->missing(static_cast<std::size_t>(user));
        const std::int32_t value = known ? m_segment->tokenCodes(static_cast<std::size_t>(user)).front() : -1;
        const auto [it, isNew] = m_pairs.try_emplace({value, item}, m_log.items);
        if (isNew) {
            ++m_log.items;
            m_log.itemNames.push_back((value < 0 ? "unknown" : m_segment->dictionary()[static_cast<std::size_t>(value)]) + ": " +
                                      m_dataset.items.displayName(item));
        }
        return it->second;
    }

private:
    const Dataset& m_dataset;
    const AttributeColumn* m_segment;
    ClickLog& m_log;
    std::map<std::pair<std::int32_t, Code>, std::int32_t> m_pairs;
};

} // namespace

Result<SelectedLog> selectLog(const Dataset& dataset, const LogSelection& selection) {
    const auto& table = dataset.impressions;
    if (table.size() == 0)
        return fail(ErrorKind::input, "CL-8027",
                    fmt::format("Data set '{}' has no impressions: nothing says what was shown without being clicked.", dataset.name),
                    "Import a log of shown items with their slots (a .slates file, or an Open Bandit folder).");
    CAROUSEL_ASSIGN(const auto policies, wantedPolicies(table, selection.policies));
    CAROUSEL_ASSIGN(const AttributeColumn* segment, segmentColumn(dataset, selection.segment));
    const auto slates = slatesOf(table);
    const auto share = inShare(table, slates, selection.from, selection.to);

    SelectedLog out;
    auto& log = out.log;
    ItemCodes codes(dataset, segment, log);
    const bool severalPolicies = !table.policyCode.empty() && !table.policy.empty();
    std::vector<int> policyCode(policies.size(), -1);
    std::unordered_map<Code, std::int32_t> clusters;
    std::int32_t nextCluster = 0;
    std::size_t anonymous = 0;
    bool reach = false, propensity = false;
    std::vector<std::size_t> rows;
    for (std::size_t s = 0; s < slates.size(); ++s) {
        const auto [begin, end] = slates[s];
        const std::size_t policy = severalPolicies ? table.policyCode[begin] : 0;
        if (!share[s] || !policies[policy])
            continue;
        rows.resize(end - begin);
        std::iota(rows.begin(), rows.end(), begin);
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return table.slot[a] < table.slot[b]; });
        for (const std::size_t row : rows) {
            log.item.push_back(codes.code(table.user[row], table.item[row]));
            log.slot.push_back(table.slot[row]);
            log.slots = std::max(log.slots, static_cast<std::int32_t>(table.slot[row]) + 1);
            log.click.push_back(table.click[row]);
            log.reached.push_back(table.reached.empty() ? reachUnknown : table.reached[row]);
            log.propensity.push_back(table.propensity.empty() ? std::numeric_limits<float>::quiet_NaN() : table.propensity[row]);
            reach = reach || log.reached.back() != reachUnknown;
            propensity = propensity || !std::isnan(log.propensity.back());
        }
        log.offsets.push_back(log.item.size());
        out.firstRow.push_back(begin);
        if (severalPolicies) {
            if (policyCode[policy] < 0) {
                policyCode[policy] = static_cast<int>(log.policies.size());
                log.policies.push_back(table.policy[policy]);
            }
            log.policy.push_back(static_cast<std::uint8_t>(policyCode[policy]));
        }
        const Code user = table.user[begin];
        if (user == noCode) {
            ++anonymous;
            log.cluster.push_back(nextCluster++);
        } else {
            const auto [it, isNew] = clusters.try_emplace(user, nextCluster);
            nextCluster += isNew ? 1 : 0;
            log.cluster.push_back(it->second);
        }
    }
    if (log.sessions() == 0)
        return fail(ErrorKind::input, "CL-8027",
                    fmt::format("Nothing of the log of '{}' is left between the shares {} and {} for these policies.", dataset.name,
                                selection.from, selection.to),
                    "Take a larger share of the log, or more policies.");
    if (!reach)
        log.reached.clear();
    if (!propensity)
        log.propensity.clear();
    if (anonymous > 0)
        out.notes.push_back(
            fmt::format("{} anonymous sessions are resampled one by one.", withThousands(static_cast<std::int64_t>(anonymous))));
    if (selection.from > 0 || selection.to < 1)
        out.notes.push_back(fmt::format("{} of {} sessions lie in the part of the log from {:.0f} % to {:.0f} % of its time.",
                                        withThousands(static_cast<std::int64_t>(log.sessions())),
                                        withThousands(static_cast<std::int64_t>(slates.size())), 100 * selection.from, 100 * selection.to));
    CAROUSEL_TRY(checkClickLog(log));
    return out;
}

} // namespace carousel
