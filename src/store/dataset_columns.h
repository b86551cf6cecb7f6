// SPDX-License-Identifier: GPL-3.0-or-later
// A data set as a list of named byte columns plus a JSON layout, and back. Large columns travel in parts, so that neither a cell nor the
// time between two looks at the stop flag grows with the data.
#pragma once
#include "base/run_control.h"
#include "data/dataset.h"
#include <functional>
#include <nlohmann/json.hpp>

namespace carousel::store {

constexpr std::size_t partBytes = std::size_t(4) << 20;

using ColumnSink = std::function<Result<void>(const std::string& name, std::string_view bytes)>;
using ColumnSource = std::function<Result<std::string>(const std::string& name)>; // whole column

nlohmann::json layoutOf(const Dataset& dataset); // attribute names and types, event kinds, policies, sources, number of reviews if any
Result<void> writeColumns(const Dataset& dataset, const ColumnSink& sink);
// Fills users, items, interactions, impressions, reviews and sources. The text of an error says what is wrong, for damaged().
Result<void> readColumns(Dataset& dataset, const nlohmann::json& layout, const ColumnSource& source);

nlohmann::json toJson(const ImportReport& report);
ImportReport reportFromJson(const nlohmann::json& json);

} // namespace carousel::store
