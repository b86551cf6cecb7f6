// SPDX-License-Identifier: GPL-3.0-or-later
// Opens a model of the shelf, lets it work for some seconds, and keeps what was measured beside its files: speed, and how far the memory it
// took is from what had been worked out before loading.
#pragma once
#include "llm/model_host.h"
#include "llm/speed_probe.h"

namespace carousel {

// Errors are those of the shelf, the host and the model; CL-5002 when the record cannot be kept (the model's folder is read-only).
Result<SpeedRecord> measureModel(const ModelShelf& shelf, const std::string& id, const OpenOptions& options, const SpeedProbe& probe,
                                 const RunControl& control);

// The newest measurement on `processor` in the numbers `computeType`; where there is none, the newest in others; null: none on this
// processor, and figures of another say nothing about it.
const SpeedRecord* speedOn(const std::vector<SpeedRecord>& newestFirst, const std::string& processor, const std::string& computeType);

// Relative difference of what was worked out from what the process took: +0.05 is 5 % too much. NaN when nothing was measured.
double memoryError(const SpeedRecord& record);

} // namespace carousel
