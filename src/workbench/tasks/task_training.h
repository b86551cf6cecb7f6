// SPDX-License-Identifier: GPL-3.0-or-later
// Trains text-to-text models of the task families, or finds those of an earlier analysis with the same data and settings.
#pragma once
#include "llm/text_to_text.h"
#include "workbench/tasks/task_world.h"

namespace carousel {

struct TaskModelSettings {
    int epochs = 8, width = 96, layers = 2, vocabulary = 2000;
    double rate = 0.02; // times the size of each tensor, see TextToTextSettings::relativeRates
    std::int64_t batchTokens = 2048;
    double seconds = 0; // 0: no limit
};

struct TaskModel {
    std::string folder;                // opens as a language model
    std::string title;                 // "one model", "rating alone"
    std::vector<TaskFamily> families;  // it has learned
    TextToTextReport report;           // of the training; seconds of all its runs
    double processorSeconds = 0;       // of all threads
    bool found = false;                // trained earlier
};

struct TaskTrainer {
    std::function<Result<TextToTextReport>(const TextToTextRequest& request, const RunControl& control)> train;
    std::string folder; // each model gets a folder in it; with its report, so that it is found again
};

// One model for `families`, mixed as world says (task_examples.h: rounds). Resumes a training that was stopped. Errors of the training;
// CL-7001 when stopped: its checkpoint stays.
Result<TaskModel> trainTaskModel(const std::shared_ptr<const TaskExamples>& world, const TaskWorldSettings& settings,
                                 const std::vector<TaskFamily>& families, const TaskModelSettings& model, const TaskTrainer& trainer,
                                 const RunControl& control);

struct KeptTaskModel {
    std::string folder, title; // "one model for five families, trained on 27 November 2026"
    std::vector<TaskFamily> families;
    TaskWorldSettings world;
    std::string datasetDigest;
};
// The finished models of a folder, newest first; what cannot be read is left out.
std::vector<KeptTaskModel> keptTaskModels(const std::string& folder);

} // namespace carousel
