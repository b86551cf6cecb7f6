// SPDX-License-Identifier: GPL-3.0-or-later
// The two notes the shelf keeps beside a model's files, as JSON: model.json says what was added and how it must hash, measured.json what was
// measured with it. Both are read with care, since anybody may have edited them.
#pragma once
#include "base/result.h"
#include "llm/model_card.h"

namespace carousel {

constexpr const char* manifestFile = "model.json";
constexpr const char* measuredFile = "measured.json";

// Letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit; "" when `id` is such, else what is wrong.
std::string idProblem(const std::string& id);
std::string idFrom(const std::string& name); // "My Model (v2).Q4" -> "my-model-v2-.q4" made valid; "" when nothing is left

Result<void> writeManifest(const std::string& folder, const ModelCard& card); // CL-5002
// CL-2074: damaged, of another version, or with paths that leave the folder. `id` is the folder's name; the card takes it.
Result<ModelCard> readManifest(const std::string& folder, const std::string& id);

// Newest first. A file that cannot be read gives none: figures are never guessed.
std::vector<SpeedRecord> readSpeeds(const std::string& folder);
// Puts `record` first, in the place of an earlier one with the same processor, device, compute type and threads. CL-5002
Result<void> addSpeed(const std::string& folder, const SpeedRecord& record);

} // namespace carousel
