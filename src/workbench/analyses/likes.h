// SPDX-License-Identifier: GPL-3.0-or-later
// Like prediction, few-shot: does a language model tell what a user will like, from how many examples, and does it tell anything that
// counting does not? Every method answers the same questions; whatever is trained or chosen sees earlier ratings only.
#pragma once
#include "experiment/analysis_specification.h"
#include "experiment/like_instances.h"
#include "llm/fine_tune.h"
#include "report/analysis_document.h"
#include <functional>

namespace carousel::analyses {

// What the analysis needs of the outside.
struct LikesHost {
    std::function<Result<LanguageModel*>(const std::string& model)> languageModel; // "MODEL" or "MODEL@ADAPTER FOLDER"
    std::function<Result<FineTuneReport>(const std::string& model, const FineTuneRequest& request, const RunControl& control)> fineTune;
    std::string adapterFolder; // trained adapters are kept here and used again by the same request
};

// Errors: CL-3091, CL-3092; those of models and training; cancelled. Adapters trained so far are kept whatever happens.
Result<AnalysisDocument> likesDocument(const Dataset& dataset, const AnalysisSpec& spec, const LikesHost& host, const RunControl& control);

// One method's answers: higher means more likely to be liked.
struct LikeColumn {
    std::string method;           // "zero-shot", "item mean", ...
    int examples = -1, seed = -1; // -1: none
    std::vector<double> validation, test;
    std::size_t invalid = 0; // answers that were hardly Yes or No; they count with their logits
    double trainSeconds = 0, answerSeconds = 0;
    bool usesLanguageModel = false;
};
struct LikeQuestions { // the parts in use
    std::vector<LikeInstance> validation, test;
    std::vector<std::vector<LikeInstance>> training; // by seed; smaller sets are its beginning
};
// The questions drawn for the analysis: balanced training sets (as many likes as dislikes), validation and test as they come.
LikeQuestions drawQuestions(const LikeInstances& all, std::size_t validation, std::size_t test, std::size_t training, int seeds,
                            std::uint64_t seed);

// Methods without a language model: like rate of the window, (likes + 1) / (likes + dislikes + 2); an item's mean rating, drawn to the
// mean of all by five ratings; both together in a logistic regression fitted on the validation part.
std::vector<LikeColumn> likeControls(const LikeInstances& all, const LikeQuestions& questions);
// Language model: zero-shot, adapters, heads, by the options of `spec`.
Result<std::vector<LikeColumn>> likeModels(const Dataset& dataset, const LikeQuestions& questions, const AnalysisSpec& spec,
                                           const LikesHost& host, const RunControl& control);
// A logistic regression of columns, fitted on the validation part.
Result<LikeColumn> stackedColumn(const std::string& method, int seed, std::span<const LikeColumn* const> columns,
                                 const LikeQuestions& questions);

} // namespace carousel::analyses
