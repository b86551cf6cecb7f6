// SPDX-License-Identifier: GPL-3.0-or-later
// Log weights of policies, and the probabilities of a slate under them.
#include "experiment/logged_policy_weights.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel {

namespace {
constexpr double never = -std::numeric_limits<double>::infinity();
// Neighbouring ranks lie at least half a position apart: exp(-0.5 * steep) is exactly 0, so that an order shows nothing but its next items.
constexpr double steep = 1e4;
} // namespace

EvaluatedPolicy EvaluatedPolicy::ofOrders(const StrategyOrders& orders, double temperature, std::size_t items) {
    EvaluatedPolicy policy;
    policy.m_orders = &orders;
    policy.m_temperature = temperature;
    policy.m_items = items;
    return policy;
}

EvaluatedPolicy EvaluatedPolicy::common(std::vector<double> logWeights) {
    EvaluatedPolicy policy;
    policy.m_items = logWeights.size();
    policy.m_common = std::move(logWeights);
    return policy;
}

void EvaluatedPolicy::logWeights(Code user, std::span<double> out) const {
    if (isCommon()) {
        std::copy(m_common.begin(), m_common.end(), out.begin());
        return;
    }
    std::fill(out.begin(), out.end(), never);
    const RankedCatalogue& order = m_orders->users.at(user);
    const double slope = m_temperature > 0 ? 1 / m_temperature : steep;
    for (std::size_t i = 0; i < order.items.size(); ++i)
        out[static_cast<std::size_t>(order.items[i])] = -(static_cast<double>(order.rank[i]) - 1) * slope;
}

SlateWalk::SlateWalk(std::span<const double> logWeights, std::vector<std::span<const double>> values)
    : m_logWeights(logWeights), m_values(std::move(values)) {
    addUp();
    m_first = m_free;
}

bool SlateWalk::placed(Code item) const {
    return std::find(m_placed.begin(), m_placed.end(), item) != m_placed.end();
}

double SlateWalk::weight(Code item) const {
    return std::exp(m_logWeights[static_cast<std::size_t>(item)] - m_free.shift);
}

void SlateWalk::addUp() {
    m_free = {never, 0, std::vector<double>(m_values.size(), 0)};
    for (std::size_t i = 0; i < m_logWeights.size(); ++i)
        if (m_logWeights[i] > m_free.shift && !placed(static_cast<Code>(i)))
            m_free.shift = m_logWeights[i];
    if (m_free.shift > never)
        for (std::size_t i = 0; i < m_logWeights.size(); ++i) {
            if (m_logWeights[i] == never || placed(static_cast<Code>(i)))
                continue;
            const double w = std::exp(m_logWeights[i] - m_free.shift);
            m_free.weight += w;
            for (std::size_t v = 0; v < m_values.size(); ++v)
                m_free.values[v] += w * m_values[v][i];
        }
    m_addedUp = m_free.weight;
}

void SlateWalk::restart() {
    m_placed.clear();
    m_free = m_first;
    m_addedUp = m_first.weight;
}

double SlateWalk::probability(Code item) const {
    if (m_free.weight <= 0 || m_logWeights[static_cast<std::size_t>(item)] == never || placed(item))
        return 0;
    return std::min(1.0, weight(item) / m_free.weight);
}

void SlateWalk::place(Code item) {
    if (placed(item))
        return;
    const bool counts = m_free.weight > 0 && m_logWeights[static_cast<std::size_t>(item)] > never;
    const double taken = counts ? weight(item) : 0;
    m_placed.push_back(item);
    if (!counts)
        return;
    m_free.weight -= taken;
    for (std::size_t v = 0; v < m_values.size(); ++v)
        m_free.values[v] -= taken * m_values[v][static_cast<std::size_t>(item)];
    // What is left is the small difference of large numbers: add the free weights up anew.
    if (m_free.weight < 1e-6 * m_addedUp)
        addUp();
}

double SlateWalk::expectation(std::size_t value) const {
    return m_free.weight > 0 ? m_free.values[value] / m_free.weight : 0;
}

ItemGroups itemGroups(const Dataset& dataset) {
    ItemGroups out;
    const AttributeColumn* column = nullptr;
    for (const char* wanted : {"category", "genre", "genres", "class", "department", "item_feature_1", "item_feature_2"})
        if (const auto* found = dataset.items.attribute(wanted); found && !found->isNumeric() && !column)
            column = found;
    if (!column)
        return out;
    out.attribute = column->name();
    out.groups = column->dictionary().size();
    out.group.assign(dataset.items.size(), -1);
    for (std::size_t i = 0; i < dataset.items.size(); ++i)
        if (!column->missing(i))
            out.group[i] = column->tokenCodes(i).front();
    return out;
}

SelectedLog selectSessions(const SelectedLog& log, std::span<const std::size_t> sessions) {
    SelectedLog out;
    out.log = selectSessions(log.log, sessions);
    out.notes = log.notes;
    for (const std::size_t s : sessions)
        out.firstRow.push_back(log.firstRow[s]);
    // Policies that showed none of these are no longer part of the log.
    std::vector<int> code(out.log.policies.size(), -1);
    std::vector<std::string> left;
    for (auto& policy : out.log.policy) {
        if (code[policy] < 0) {
            code[policy] = static_cast<int>(left.size());
            left.push_back(out.log.policies[policy]);
        }
        policy = static_cast<std::uint8_t>(code[policy]);
    }
    out.log.policies = std::move(left);
    return out;
}

std::vector<UserSessions> sessionsByUser(const SelectedLog& log, const Dataset& dataset) {
    std::map<Code, std::vector<std::size_t>> byUser;
    std::vector<UserSessions> out;
    for (std::size_t s = 0; s < log.firstRow.size(); ++s) {
        const Code user = dataset.impressions.user[log.firstRow[s]];
        if (user == noCode)
            out.push_back({noCode, {s}});
        else
            byUser[user].push_back(s);
    }
    for (auto& [user, sessions] : byUser)
        out.push_back({user, std::move(sessions)});
    return out;
}

} // namespace carousel
