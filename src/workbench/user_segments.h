// SPDX-License-Identifier: GPL-3.0-or-later
// Groups of users by an attribute: its words, or four groups of about equal size where it is a number.
#pragma once
#include "data/dataset.h"

namespace carousel {

struct UserSegments {
    std::vector<std::int32_t> code; // per user of the data set; into names
    std::vector<std::string> names; // those that `users` have; "unknown" where some have none
};
// An empty field: nothing. CL-8026: no such attribute.
Result<UserSegments> userSegments(const Dataset& dataset, const std::string& field, const std::vector<Code>& users);

} // namespace carousel
