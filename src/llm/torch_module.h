// SPDX-License-Identifier: GPL-3.0-or-later
// The door of the module libcarousel_torch.so. LibTorch brings hundreds of libraries, so the program opens this module only when a stage
// asks for a model; ModelHost calls these functions, src/scoring defines them.
#pragma once
#include "base/result.h"
#include "llm/fine_tune.h"
#include "llm/model_shelf.h"
#include "llm/text_to_text.h"
#include "stages/compute_choice.h"
#include "stages/language_model.h"

namespace carousel {

struct OpenOptions {
    std::string computeType = "auto";     // "fp32", "bf16", "auto"
    std::string device = defaultDevice(); // "cpu", "cuda", "cuda:0"
    int threads = 0;                      // 0: threadCount()
    std::int64_t contextLimit = 0;        // longest prompt in tokens; 0: what the model takes
};

constexpr int torchModuleApi = 3;
constexpr const char* torchModuleFile = "libcarousel_torch.so";

} // namespace carousel

extern "C" {
// Must return torchModuleApi of the module's build; the host refuses another number.
int carousel_torch_api();
// Opens a decoder (.gguf) or encoder (.safetensors): 0 and *model set (the caller owns it: delete through carousel_torch_close), or 1 and
// *error filled. No exception comes out.
int carousel_torch_open(const carousel::ModelLocation* location, const carousel::OpenOptions* options, carousel::LanguageModel** model,
                        carousel::Error* error);
// What `options` come to here: *device "cpu" or "cuda:0", *computeType as a decoder opens with it; or 1 and *error (CL-2085, CL-2086).
int carousel_torch_device(const carousel::OpenOptions* options, std::string* device, std::string* computeType, carousel::Error* error);
void carousel_torch_close(carousel::LanguageModel* model);
// Trains an adapter; a stop ends in a report that says cancelled. 0 and *report filled, or 1 and *error. No exception comes out.
int carousel_torch_fine_tune(const carousel::ModelLocation* location, const carousel::OpenOptions* options,
                             const carousel::FineTuneRequest* request, const carousel::RunControl* control,
                             carousel::FineTuneReport* report, carousel::Error* error);
// Trains an encoder-decoder from nothing; as above.
int carousel_torch_train_text_to_text(const carousel::OpenOptions* options, const carousel::TextToTextRequest* request,
                                      const carousel::RunControl* control, carousel::TextToTextReport* report, carousel::Error* error);
// One line for people and fingerprints: "LibTorch 1.13.1, oneDNN 2.6.3, 2 threads". Lives for ever.
const char* carousel_torch_describe();
}
