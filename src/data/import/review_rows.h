// SPDX-License-Identifier: GPL-3.0-or-later
// Written reviews beside atomic files: NAME.review, tab-separated, header cells "name:type".
//   user_id, item_id             required
//   rating or stars              a number, or empty: the reviewer gave no stars
//   timestamp or time            a time, or empty
//   headline (summary, title)    free text; declared token or token_seq, it is kept whole
//   text (review, review_text)   free text, likewise
//   feature                      the word that the review is about
// Every column but the first two may be missing, but there must be a headline or a text. A row without a word in both is rejected.
#pragma once
#include "data/import/atomic_files.h"

namespace carousel {

// Appends to dataset.reviews and dataset.sources. Users and items that nothing else names join the data set, as those of slates do.
// Rows count in the report; exact repeats (same user, item, time and text) are counted in a warning and kept. Errors as for every table:
// CL-1001 to CL-1006, CL-1008, CL-7001.
Result<void> readReviews(const std::string& path, Dataset& dataset, ImportReport& report, const ImportLimits& limits, const RunControl& control,
                         const std::string& importer);

} // namespace carousel
