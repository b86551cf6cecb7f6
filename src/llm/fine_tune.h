// SPDX-License-Identifier: GPL-3.0-or-later
// Training of an adapter for a decoder on prompts with wanted answers: what a caller asks for and what it gets. No tensor library here;
// ModelHost::fineTune does the work in the torch module.
//
// The loss of a step is sum_i w_i L_i / sum_i w_i over its examples, with L_i the mean cross-entropy of the tokens of answer i (and of the
// end of the turn, where wanted) over the whole vocabulary. Prompt tokens bear no loss.
#pragma once
#include "base/result.h"
#include "llm/lora_settings.h"
#include "stages/language_model.h"
#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct FineTuneExample {
    std::vector<ChatMessage> messages; // ends with a user message, or with an open assistant message that the answer continues
    std::string answer;                // not empty
    double weight = 1;                 // above 0
};

enum class RateShape { constant, linear, cosine };
const char* name(RateShape shape);
struct ScheduleSettings {
    RateShape shape = RateShape::cosine;
    double rate = 2e-4;       // the highest
    double warmUpShare = 0.1; // of all steps, rising evenly from 0; 0 .. below 1
    double finalShare = 0;    // of `rate`, where linear and cosine end; 0 .. 1
};

enum class ValidationMetric { loss, auc };
const char* name(ValidationMetric metric);

struct FineTuneSettings {
    LoraSettings lora;
    ScheduleSettings schedule;
    int epochs = 3; // passes over the examples
    int batch = 8;  // examples of one step, computed in pieces of about `pieceTokens` tokens
    std::int64_t pieceTokens = 1024;
    double weightDecay = 0.01; // decoupled (AdamW); norms are never trained, so none decays
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double clipNorm = 1;              // of the whole gradient; 0: not clipped
    bool learnEnd = false;            // the end of the turn is part of the answer: for models that shall write, not for yes or no
    std::int64_t contextLimit = 1024; // a longer prompt loses its oldest content
    std::uint64_t seed = 1;           // of first values, order of examples, dropout
    ValidationMetric metric = ValidationMetric::loss;
    std::string positiveAnswer = "Yes";               // AUC: logit of this answer's first token minus that of the other answer
    int evaluateEvery = 0;                            // steps; 0: after each epoch
    int patience = 0;                                 // evaluations without a better metric before training ends; 0: it goes on
    int checkpointEvery = 20;                         // steps; one is written at each stop and at the end as well
    std::int64_t memoryBytes = std::int64_t(2) << 30; // for what the backward pass keeps; beyond it blocks are computed twice
};
Result<void> checkSettings(const FineTuneSettings& settings); // CL-2140, CL-2141

struct FineTuneRequest {
    std::vector<FineTuneExample> examples, validation;
    FineTuneSettings settings;
    std::string name;    // of the adapter; letters, digits, '-', '_' and '.'
    std::string folder;  // gets checkpoint.safetensors and, at the end, adapter_model.safetensors and adapter_config.json
    bool resume = false; // go on from the folder's checkpoint, which must be of this same request; without: start anew
};
// CL-2141: no examples, an empty answer, a weight that is not above 0, AUC without exactly two answers in the validation examples.
Result<void> checkRequest(const FineTuneRequest& request);
// SHA-256 of examples and settings, so that a checkpoint is only resumed by the work it belongs to.
std::string digestOf(const FineTuneRequest& request);

struct TrainingPoint {
    std::int64_t step = 0;                       // 1-based
    double loss = 0, rate = 0, gradientNorm = 0; // the norm before clipping
    bool operator==(const TrainingPoint&) const = default;
};
struct ValidationPoint {
    std::int64_t step = 0;    // 0: before training
    double loss = 0, auc = 0; // auc: not a number when the metric is loss
};
enum class FineTuneEnd { finished, stoppedEarly, cancelled };
const char* name(FineTuneEnd end);
struct FineTuneReport {
    FineTuneEnd end = FineTuneEnd::finished;
    std::vector<TrainingPoint> training;
    std::vector<ValidationPoint> validation;
    std::int64_t steps = 0, stepsPlanned = 0, bestStep = 0; // of the adapter written: the best on the validation examples, else the last
    std::int64_t resumedAt = 0;                             // step the checkpoint was taken at; 0: started anew
    std::int64_t trainedParameters = 0, tokens = 0;         // tokens of prompts and answers, of one epoch
    std::int64_t truncatedExamples = 0;                     // whose prompt lost its oldest content
    std::int64_t blocksComputedTwice = 0;                   // of the largest piece, to save memory
    double seconds = 0, secondsPerStep = 0;                 // of this call; the mean step without validation
    std::int64_t peakBytes = 0;                             // of the process
    std::string adapterFolder;                              // empty after a cancel: then `checkpoint` can be resumed
    std::string checkpoint, computeType, device;
};

// One JSON object a line: {"messages": [{"role": "user", "content": "..."}], "answer": "Yes", "weight": 1}; weight may be left out.
// CL-2142 names file, line and what is wrong.
Result<std::vector<FineTuneExample>> readExamples(const std::string& path);

} // namespace carousel
