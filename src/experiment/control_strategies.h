// SPDX-License-Identifier: GPL-3.0-or-later
// Controls that a study must not be without, whether or not its author thought of them.
#pragma once
#include "experiment/specification.h"

namespace carousel {

// Beside every strategy whose scorer asks a language model about one item after it has shown the user's likes and dislikes (yes/no, rating)
// stands the like rate of those same items (text_recency) on the same candidates: what counting the prompt's lines is worth. Where a study
// has none for a shortlist, one is appended as an ordinary strategy, named "text_recency beside NAME", with the plain twin in every
// place where NAME asks a language model. Where plugins lack text_recency, or the study says controls = "none", nothing is added. Errors: CL-30xx as in resolved().
Result<StudySpec> withControls(const StudySpec& study, const PluginRegistry& plugins);

} // namespace carousel
