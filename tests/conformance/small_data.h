// SPDX-License-Identifier: GPL-3.0-or-later
// Small data sets made in code: an ordinary one and the edge cases that plugins meet.
#pragma once
#include "data/split.h"
#include <string>
#include <vector>

namespace carousel::conformance {

struct SmallData {
    std::string name;
    DatasetPtr dataset;
    TrainingView training;
    bool hasTitles = true;
};

// "shop", "one user", "one item", "no text", "no times", "all ties", "unicode". `idPrefix` changes every id and nothing else.
std::vector<SmallData> smallData(const std::string& idPrefix = "");
SmallData largerData(); // 1,500 users, 800 items: long enough to be stopped on the way
// Users' sequences of items, all liked with rising times; items named by code. For known answers.
SmallData sequencesData(std::size_t items, const std::vector<std::vector<Code>>& sequences);

} // namespace carousel::conformance
