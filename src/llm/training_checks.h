// SPDX-License-Identifier: GPL-3.0-or-later
// What the settings of every training are held to.
#pragma once
#include "base/result.h"
#include <span>
#include <string>

namespace carousel {

struct SettingRange {
    const char* what; // "learning rate"
    double value, minimum, maximum;
};
// The first that is outside, with the code given; a number that is none is outside.
Result<void> checkRanges(std::span<const SettingRange> ranges, const std::string& code);
// `what`: "adapter", "model". A name is 1 to 100 letters, digits, '-', '_' and '.'; a folder must be given.
Result<void> checkNameAndFolder(const std::string& what, const std::string& name, const std::string& folder, const std::string& code);

} // namespace carousel
