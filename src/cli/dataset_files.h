// SPDX-License-Identifier: GPL-3.0-or-later
// A data set written as RecBole atomic files: FOLDER/NAME/NAME.inter, .user and .item, which every program that reads them can take up,
// and .review when there are reviews, which this one reads back (data/import/review_rows.h).
#pragma once
#include "data/dataset.h"

namespace carousel::cli {

// The paths written. Each file is whole or not there (base/file.h).
Result<std::vector<std::string>> writeAtomicFiles(const Dataset& dataset, const std::string& folder);

} // namespace carousel::cli
