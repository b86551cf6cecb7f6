// SPDX-License-Identifier: GPL-3.0-or-later
// A module with the door of the torch module and a model made of arithmetic behind it, so that the host can be tested without LibTorch.
#include "llm/torch_module.h"
#include "model_double.h"
#include <cstdlib>

using namespace carousel;

extern "C" {
int carousel_torch_api() {
    const char* asked = std::getenv("CAROUSEL_TEST_MODULE_API");
    return asked ? std::atoi(asked) : torchModuleApi;
}
int carousel_torch_open(const ModelLocation* location, const OpenOptions* options, LanguageModel** model, Error* error) {
    if (options->device != "cpu") {
        *error = {ErrorKind::input, "CL-2099", "no device " + options->device, "use cpu"};
        return 1;
    }
    auto made = std::make_unique<ModelDouble>();
    made->description.id = location->id;
    made->description.sha256 = location->sha256;
    made->description.computeType = std::getenv("OMP_WAIT_POLICY") ? std::getenv("OMP_WAIT_POLICY") : "unset";
    *model = made.release();
    return 0;
}
int carousel_torch_device(const OpenOptions* options, TorchPlace* place, Error* error) {
    if (options->device != "cpu") {
        *error = {ErrorKind::input, "CL-2085", "no device " + options->device, "use cpu"};
        return 1;
    }
    *place = {"cpu", "fp32", "fp32", "fp32", ""};
    return 0;
}
void carousel_torch_close(LanguageModel* model) {
    delete model;
}
int carousel_torch_fine_tune(const ModelLocation* location, const OpenOptions*, const FineTuneRequest* request, const RunControl*,
                             FineTuneReport* report, Error* error) {
    if (request->examples.empty()) {
        *error = {ErrorKind::usage, "CL-2141", "no examples for " + location->id, ""};
        return 1;
    }
    report->adapterFolder = request->folder;
    report->device = location->id;
    return 0;
}
int carousel_torch_train_text_to_text(const OpenOptions* options, const TextToTextRequest* request, const RunControl*,
                                      TextToTextReport* report, Error*) {
    report->modelFolder = request->folder;
    report->device = options->device;
    return 0;
}
const char* carousel_torch_describe() {
    return "a model of arithmetic";
}
}
