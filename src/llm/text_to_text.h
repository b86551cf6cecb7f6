// SPDX-License-Identifier: GPL-3.0-or-later
// Training of a small T5-type encoder-decoder from nothing on pairs of texts, as P5 turns recommendation into text (Geng et al., RecSys 2022,
// arXiv 2203.13366: one loss over all task families, equation 1; whole-word embeddings, section 3.2). No tensor library here;
// ModelHost::trainTextToText does the work in the torch module, and its folder opens as any T5 folder.
//
// The loss of a step is sum_i w_i L_i / sum_i w_i over its pairs, with L_i the mean cross-entropy of the tokens of target i, the end
// token among them, over the whole vocabulary.
#pragma once
#include "base/result.h"
#include "llm/fine_tune.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace carousel {

struct TextPair {
    std::string source, target; // neither empty
    double weight = 1;          // above 0
    int group = 0;              // task family, an index of TextToTextRequest::groups; losses are told per group
};

struct TextToTextShape {
    int width = 96, layers = 2, heads = 4, headSize = 24, feedForward = 384; // layers: of the encoder, and as many of the decoder
    bool wholeWords = true;                                                  // the encoder counts words, see T5Shape::wordPlaces
    int vocabulary = 2000; // most pieces of the tokenizer, the request's symbols among them; texts that have fewer get fewer
    double dropout = 0.1;  // share of values left out while training, see T5Dropout; 0 .. 0.9
};

struct TextToTextSettings {
    TextToTextShape shape;
    ScheduleSettings schedule{RateShape::cosine, 1e-3, 0.05, 0.02};
    int epochs = 10;
    std::int64_t batchTokens = 2048; // of one step: pairs x (longest source + longest target); a longer pair has a step of its own
    double weightDecay = 0.01;       // decoupled (AdamW), not of norms
    double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8;
    // The rate of each tensor is multiplied by the root mean square of its values, at least 1e-3, as Adafactor does (Shazeer and Stern, ICML 2018,
    // algorithm 4): T5's embeddings are drawn at size 1 and its queries at 0.02, and no one rate suits both. Rates of 0.01 to 0.02 are usual then.
    bool relativeRates = false;
    double clipNorm = 1;     // of the whole gradient; 0: not clipped
    std::uint64_t seed = 1;  // of first values, order of pairs, dropout
    int patience = 0;        // evaluations without a lower loss before training ends; 0: it goes on
    int evaluateEvery = 0;   // steps; 0: after each epoch
    int checkpointEvery = 0; // steps; 0: after each epoch. One is written at each stop and at the end as well
    // Training ends after so many seconds of steps, of all runs that the checkpoint was carried through, and the learning rate falls in
    // time for that; 0: no such end. How far it gets then depends on the machine: such a training cannot be repeated exactly.
    double seconds = 0;
    std::int64_t sourceLimit = 256, targetLimit = 64; // tokens; a longer source loses its beginning (the oldest), a longer target its end
};
Result<void> checkSettings(const TextToTextSettings& settings); // CL-2173

struct TextToTextRequest {
    // The pairs of an epoch, 0 .. epochs - 1. A pure function of the epoch: asked again after a stop, it gives the same pairs. Epochs may
    // differ, in fresh negatives and templates.
    std::function<Result<std::vector<TextPair>>(int epoch)> pairs;
    std::string digest;                       // of all that pairs() gives; a checkpoint is resumed by the same digest only
    std::vector<std::string> vocabularyTexts; // the tokenizer is made from; empty: the texts of epoch 0
    std::vector<std::string> symbols;         // whole tokens, see SentencePieceTraining
    std::vector<TextPair> validation;         // the best step on them is what the folder gets; empty: the last step
    std::vector<std::string> groups;          // names; at least one
    TextToTextSettings settings;
    std::string name;   // of the model; letters, digits, '-', '_' and '.'
    std::string folder; // gets training/checkpoint.safetensors and, at the end, config.json, spiece.model and model.safetensors. A host keeps models
                        // that it has opened: give each training a folder of its own
    bool resume = false; // go on from the folder's checkpoint, which must be of this same request; without: start anew
};
// CL-2173 settings; CL-2174 no pairs, no digest, no groups, a wrong validation pair, name or folder.
Result<void> checkRequest(const TextToTextRequest& request);
Result<void> checkPairs(const std::vector<TextPair>& pairs, std::size_t groups, const std::string& what); // CL-2174
std::string digestOf(const TextToTextRequest& request); // SHA-256 of all that decides the numbers, pairs by their digest

struct GroupLoss {
    double loss = 0; // weighted mean over the group's validation pairs; not a number where it has none
    std::int64_t pairs = 0;
};
struct TextToTextPoint {
    std::int64_t step = 0; // 0: before training
    double loss = 0;       // of all validation pairs
    std::vector<GroupLoss> groups;
};
enum class TextToTextEnd { finished, stoppedEarly, outOfTime, cancelled };
const char* name(TextToTextEnd end);
struct TextToTextReport {
    TextToTextEnd end = TextToTextEnd::finished;
    std::vector<TrainingPoint> training; // at most 200 windows of steps: last step, mean loss and gradient norm, last rate
    std::vector<TextToTextPoint> validation;
    std::int64_t steps = 0, stepsPlanned = 0, bestStep = 0; // planned: as many steps in each epoch as in the first; best: the one written
    std::int64_t resumedAt = 0;                             // step the checkpoint was taken at; 0: started anew
    std::int64_t parameters = 0, vocabulary = 0;            // of the model; pieces that the tokenizer has
    std::int64_t tokens = 0, pairs = 0;                     // trained on so far: of sources and targets with their end tokens, no padding
    std::int64_t cutSources = 0, cutTargets = 0;            // pairs of this call's epochs and of validation that were cut to the limits
    std::int64_t peakBytes = 0;                             // of the process
    double seconds = 0;                                     // of this call
    double tokensPerSecond = 0;                             // of this call's steps, without validation and tokenizer
    double processorShare = 0; // of the threads' time in those steps that the process had a processor; low: the machine was busy elsewhere
    std::string modelFolder;   // empty after a cancel: then `checkpoint` can be resumed
    std::string checkpoint, device;
};

} // namespace carousel
