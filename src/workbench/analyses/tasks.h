// SPDX-License-Identifier: GPL-3.0-or-later
// One text-to-text model for five families of tasks (P5; Geng et al., RecSys 2022), trained on the analyst's own data, beside naive
// controls, one model for each family, and a decoder that was never trained on it.
#pragma once
#include "evaluation/statistics/interval.h"
#include "experiment/analysis_specification.h"
#include "report/analysis_document.h"
#include "workbench/tasks/task_answers.h"
#include "workbench/tasks/task_training.h"

namespace carousel::analyses {

// What the analysis needs of the outside.
struct TasksHost {
    std::function<Result<LanguageModel*>(const std::string& model)> languageModel; // an id of the shelf, or a folder
    TaskTrainer trainer;
};

TaskWorldSettings taskWorldSettings(const AnalysisSpec& spec);

// Errors: of the split (CL-3113 ...), of training and models; CL-3116 when no family has test questions; cancelled. Models trained so far are
// kept whatever happens.
Result<AnalysisDocument> tasksDocument(const DatasetPtr& dataset, const AnalysisSpec& spec, const TasksHost& host, const RunControl& control);

// ---- what its files share ----
struct TaskFamilyResult {
    TaskFamily family = TaskFamily::sequential;
    std::vector<TaskQuestion> questions;   // of the test
    std::vector<TaskAnswers> controls, models; // models: one (wording it knows, wording it does not), alone
    std::vector<TaskQuestion> decoderQuestions;
    std::vector<TaskAnswers> decoder;      // none or one; of its own questions
};
struct TasksResult {
    std::vector<TaskFamilyResult> families;
    std::vector<TaskModel> trained;
    std::map<std::string, double> processorSeconds; // of answering, by model title
    std::shared_ptr<const TaskExamples> world;
};
// The document; pure.
Result<AnalysisDocument> tasksReport(const Dataset& dataset, const AnalysisSpec& spec, const TasksResult& result, const RunControl& control);

// A column's main metric: mean (root of the mean where it is a square) with a percentile interval from redrawn customers, and the
// difference to another column of the same questions with the same draws.
struct TaskEstimate {
    double value = 0, difference = 0;
    Interval interval = noInterval(), differenceInterval = noInterval();
};
Result<std::vector<TaskEstimate>> taskEstimates(std::span<const TaskAnswers* const> columns, std::size_t against, const std::string& metric,
                                                std::span<const TaskQuestion> questions, int draws, double confidence, std::uint64_t seed,
                                                const RunControl& control);

} // namespace carousel::analyses
