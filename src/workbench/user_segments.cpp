// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/user_segments.h"
#include "base/text.h"
#include <algorithm>

namespace carousel {

namespace {
constexpr int groups = 4; // of a numeric attribute

UserSegments wordSegments(const AttributeColumn& column, std::size_t users) {
    UserSegments out{std::vector<std::int32_t>(users, -1), column.dictionary()};
    for (std::size_t u = 0; u < users; ++u)
        if (!column.missing(u))
            out.code[u] = column.tokenCodes(u).front();
    return out;
}

// Groups of about equal size; equal numbers stay together.
UserSegments numberSegments(const AttributeColumn& column, const std::vector<Code>& users, std::size_t all) {
    UserSegments out{std::vector<std::int32_t>(all, -1), {}};
    std::vector<double> values;
    for (const Code user : users)
        if (!column.missing(static_cast<std::size_t>(user)))
            values.push_back(column.numbers(static_cast<std::size_t>(user)).front());
    std::sort(values.begin(), values.end());
    std::vector<double> from; // lowest value of each group
    for (int g = 0; g < groups && !values.empty(); ++g)
        if (const double value = values[values.size() * static_cast<std::size_t>(g) / groups]; from.empty() || value > from.back())
            from.push_back(value);
    for (std::size_t g = 0; g < from.size(); ++g) {
        const auto next = g + 1 < from.size() ? std::lower_bound(values.begin(), values.end(), from[g + 1]) : values.end();
        const double last = *std::prev(next);
        out.names.push_back(from[g] == last ? fmt::format("{} {:g}", column.name(), last) : fmt::format("{} {:g} to {:g}", column.name(), from[g], last));
    }
    for (std::size_t u = 0; u < all; ++u)
        if (!column.missing(u)) {
            const auto it = std::upper_bound(from.begin(), from.end(), column.numbers(u).front());
            out.code[u] = static_cast<std::int32_t>(it - from.begin()) - (it == from.begin() ? 0 : 1);
        }
    return out;
}
} // namespace

Result<UserSegments> userSegments(const Dataset& dataset, const std::string& field, const std::vector<Code>& users) {
    if (field.empty())
        return UserSegments{};
    const auto* column = dataset.users.attribute(field);
    if (!column) {
        std::vector<std::string> known;
        for (const auto& attribute : dataset.users.attributes)
            known.push_back(attribute.name());
        return fail(ErrorKind::input, "CL-8026", fmt::format("'{}' is no user attribute of '{}'.", quotedForMessage(field), dataset.name),
                    known.empty() ? "This data set describes no users: leave the segment empty." : fmt::format("It has: {}.", fmt::join(known, ", ")));
    }
    auto out = column->isNumeric() ? numberSegments(*column, users, dataset.users.size()) : wordSegments(*column, dataset.users.size());
    // Words that nobody of the run bears make no row.
    std::vector<std::int32_t> place(out.names.size() + 1, -1);
    std::vector<std::string> names;
    for (const Code user : users) {
        auto& code = out.code[static_cast<std::size_t>(user)];
        const std::size_t from = code < 0 ? out.names.size() : static_cast<std::size_t>(code);
        if (place[from] < 0)
            place[from] = 0;
    }
    for (std::size_t i = 0; i < place.size(); ++i)
        if (place[i] == 0) {
            place[i] = static_cast<std::int32_t>(names.size());
            names.push_back(i < out.names.size() ? out.names[i] : "unknown");
        }
    for (const Code user : users) {
        auto& code = out.code[static_cast<std::size_t>(user)];
        code = place[code < 0 ? out.names.size() : static_cast<std::size_t>(code)];
    }
    out.names = std::move(names);
    return out;
}

} // namespace carousel
