// SPDX-License-Identifier: GPL-3.0-or-later
// What the columns of a table without declared types seem to be. Guesses are shown to the analyst and can be changed in the mapping.
#pragma once
#include "data/import/table_reader.h"

namespace carousel {

// The first rows of a table, with counts of what their cells look like.
struct ColumnSample {
    std::vector<std::vector<std::string>> rows; // the first 20
    std::vector<std::string> types;             // "float", "time", "token_seq", "token", "empty"
    std::size_t read = 0, problems = 0;
    std::string firstProblem; // with its line
};
Result<ColumnSample> sampleColumns(TableReader& table, std::size_t rows);

enum class ColumnRole { user, item, value, time, kind };
// Index of the column that plays a role by its name ("userId", "customer_id" ...), or -1.
int guessRole(const std::vector<std::string>& columns, ColumnRole role);

// An attribute column from one text per row ("" is missing): a number column when every text is a number, a sequence when texts are
// lists with '|', else tokens.
AttributeColumn columnFromTexts(const std::string& name, const std::vector<std::string>& texts);

} // namespace carousel
