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
    std::string computeType = "auto";     // an id of computeTypeChoices
    std::string device = defaultDevice(); // "cpu", "cuda", "cuda:0"
    int threads = 0;                      // 0: threadCount()
    std::int64_t contextLimit = 0;        // longest prompt in tokens; 0: what the model takes
};

// What options come to on this machine, without opening a model.
struct TorchPlace {
    std::string device;              // "cpu" or "cuda:0"
    std::string computeType;         // as a decoder opens with it
    std::string fourBits, eightBits; // the same where most of its weights are stored so
    std::string speeds;              // "bf16 2.3 times, int16 1.4 times as fast as fp32 here"; empty: nothing was measured
};

constexpr int torchModuleApi = 4;
constexpr const char* torchModuleFile = "libcarousel_torch.so";

} // namespace carousel

extern "C" {
// Must return torchModuleApi of the module's build; the host refuses another number.
int carousel_torch_api();
// Opens a decoder (.gguf) or encoder (.safetensors): 0 and *model set (the caller owns it: delete through carousel_torch_close), or 1 and
// *error filled. No exception comes out.
int carousel_torch_open(const carousel::ModelLocation* location, const carousel::OpenOptions* options, carousel::LanguageModel** model,
                        carousel::Error* error);
// 0 and *place filled, or 1 and *error (CL-2085, CL-2086). With computeType "auto" this may measure for some 30 ms, once on a machine.
int carousel_torch_device(const carousel::OpenOptions* options, carousel::TorchPlace* place, carousel::Error* error);
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
