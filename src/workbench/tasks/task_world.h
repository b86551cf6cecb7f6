// SPDX-License-Identifier: GPL-3.0-or-later
// What a text-to-text model of the five task families was taught about: the split, the names of items and customers, the templates. It is
// written beside the model as tasks.json, so that whoever opens the model later asks in the same words.
#pragma once
#include "base/run_control.h"
#include "stages/language_model.h"
#include "tasks/task_examples.h"

namespace carousel {

struct TaskWorldSettings {
    ItemIndexing indexing = ItemIndexing::collaborative;
    int groups = 20, leaf = 40; // collaborative
    TaskSettings examples;
    TaskSplitSettings split;
    std::string templates; // TOML; empty: the built-in ones
    std::string encoder = "all-minilm-l6-v2"; // semantic: whose vectors the codes are made from
};

std::string toJson(const TaskWorldSettings& settings, const std::string& datasetDigest);
struct ReadTaskWorld {
    TaskWorldSettings settings;
    std::string datasetDigest;
};
Result<ReadTaskWorld> taskWorldFromJson(const std::string& json); // CL-3115 naming what is wrong

// `encoder`: asked for only where the indexing is semantic. Errors of the split, the templates and the encoder.
Result<std::shared_ptr<const TaskExamples>> makeTaskWorld(const DatasetPtr& dataset, const TaskWorldSettings& settings,
                                                          const std::function<Result<LanguageModel*>(const std::string&)>& encoder,
                                                          const RunControl& control);

} // namespace carousel
