// SPDX-License-Identifier: GPL-3.0-or-later
// How fast an open model does the work it is there for, measured in seconds of real work and never guessed: scoring short candidates behind
// one long prompt, or turning short texts into vectors.
#pragma once
#include "llm/model_card.h"
#include "stages/language_model.h"

namespace carousel {

struct SpeedProbe {
    std::int64_t promptTokens = 300, candidateTokens = 30, candidates = 50; // about; candidates also counts texts
    int runs = 3;             // each with another prompt, so that no run is answered from the one before
    double budgetSeconds = 20; // no further run begins after so long; one always does
};

// Fills figures, counts and runs; machine, date and memory are the caller's. Errors are the model's; CL-2078 when it does neither.
Result<SpeedRecord> measureSpeed(LanguageModel& model, const SpeedProbe& probe, const RunControl& control);

} // namespace carousel
