// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of a project and the steps from each schema version to the next. A released step is never edited: a change is a new step.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace carousel::store {

constexpr std::int32_t applicationId = 0x4341524C; // "CARL"
constexpr int pageSize = 8192;

struct Migration {
    int to;             // schema version after this step; steps are 1, 2, 3 ...
    const char* summary;
    const char* sql;
};
const std::vector<Migration>& migrations();
int currentSchema();

} // namespace carousel::store
