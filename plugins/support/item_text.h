// SPDX-License-Identifier: GPL-3.0-or-later
// Items as words: titles and attributes made fit for a prompt.
#pragma once
#include "data/split.h"
#include "stages/stage.h"
#include <set>

namespace carousel::plugin {

// One line, no control characters, at most `limitBytes` bytes cut at a character's edge (0: no limit).
std::string oneLine(std::string_view text, std::size_t limitBytes);
std::string titleOf(const EntityTable& items, Code item, std::size_t limitBytes = 100);
bool isTitleField(std::string_view name);      // "title", "name", "movie_title", ...
std::string fieldLabel(std::string_view name); // "release_year" -> "Release year"

// Fields whose values are a small set of labels: named like a category, else sequences of at most 200 different values.
std::vector<std::string> tagFields(const EntityTable& items);
// CL-6020 naming the data set's attributes when one of `names` is none of them.
Result<void> checkFields(const EntityTable& items, const std::vector<std::string>& names, const std::string& owner);
// Values of `fields` per item as tags with confidence 1; an item's repeated values once. Empty when no field has values.
std::vector<std::vector<Tag>> tagsFrom(const EntityTable& items, const std::vector<std::string>& fields);

// "Genre: Comedy, Drama. Release year: 1995" of the given fields, those missing left out.
std::string detailsOf(const EntityTable& items, Code item, const std::vector<std::string>& fields);
// The attributes that a text shows when none are chosen: all but titles, long sequences of numbers and addresses.
std::vector<std::string> describingFields(const EntityTable& items, const std::set<std::string>& without = {});

} // namespace carousel::plugin
