// SPDX-License-Identifier: GPL-3.0-or-later
// A stopped training on disk: one safetensors file whose metadata hold the state as JSON and a SHA-256 over every byte of the file (its own
// 64 digits taken as zeros). Written beside the old one, synced and renamed, so that a kill at any moment leaves a whole file.
// Random numbers are a function of seed, step and place (base/random.h): the step is all that is needed to go on with them.
#pragma once
#include "llm/fine_tune.h"
#include "scoring/training/adamw.h"
#include <string>
#include <vector>

namespace carousel {

struct Checkpoint {
    std::string request; // digestOf() of the work
    std::string base;    // SHA-256 of the base model
    std::string computeType, device;
    int threads = 0;
    std::int64_t step = 0;                 // finished
    std::vector<float> values, bestValues; // bestValues empty: no validation yet
    AdamState optimiser;
    std::vector<TrainingPoint> training;
    std::vector<ValidationPoint> validation;
    std::string more; // what else its work needs to go on; in a format of its own
};

std::string checkpointFile(const std::string& folder);
Result<void> writeCheckpoint(const std::string& path, const Checkpoint& checkpoint);
// CL-2145: damaged (another hash, missing parts). Reader errors for what is no safetensors file.
Result<Checkpoint> readCheckpoint(const std::string& path);
// CL-2146: of another request, base model, compute type, device or number of threads: the numbers would not be those of an undisturbed run.
Result<void> checkBelongs(const std::string& path, const Checkpoint& found, const Checkpoint& wanted);

} // namespace carousel
