// SPDX-License-Identifier: GPL-3.0-or-later
// The door of libcarousel_torch.so; see llm/torch_module.h.
#include "base/parallel.h"
#include "compute/format_probe_torch.h"
#include "scoring/decoder_model_torch.h"
#include "scoring/encoder_model_torch.h"
#include "scoring/t5_model_torch.h"
#include "scoring/training/fine_tune_torch.h"
#include "scoring/training/text_to_text_torch.h"
#include <exception>
#include <string>

namespace {

carousel::Result<std::unique_ptr<carousel::LanguageModel>> open(const carousel::ModelLocation& location, const carousel::OpenOptions& options) {
    const bool t5 = location.format == "safetensors" && carousel::isT5(location.folder + "/config.json");
    if (!location.adapter.empty() && (t5 || location.architecture == "bert"))
        return carousel::fail(carousel::ErrorKind::input, "CL-2144",
                              fmt::format("{}: adapters belong to decoders, and this is {}", location.id, t5 ? "an encoder-decoder (T5)" : "a sentence encoder"),
                              "use the model without the adapter");
    if (t5)
        return carousel::T5Model::open(location, options);
    if (location.format == "gguf" || (location.format == "safetensors" && !location.architecture.empty() && location.architecture != "bert"))
        return carousel::DecoderModel::open(location, options);
    if (location.format == "safetensors")
        return carousel::EncoderModel::open(location, options);
    return carousel::fail(carousel::ErrorKind::input, "CL-2093",
                          fmt::format("{}: a model file of format '{}' cannot be opened", location.weights, location.format),
                          "use a .gguf or .safetensors file");
}

} // namespace

#define CAROUSEL_EXPORT __attribute__((visibility("default")))

CAROUSEL_EXPORT int carousel_torch_api() { return carousel::torchModuleApi; }

CAROUSEL_EXPORT int carousel_torch_open(const carousel::ModelLocation* location, const carousel::OpenOptions* options,
                                        carousel::LanguageModel** model, carousel::Error* error) {
    try {
        auto opened = open(*location, *options);
        if (opened) {
            *model = opened->release();
            return 0;
        }
        *error = std::move(opened.error());
    } catch (const std::exception& thrown) {
        *error = {carousel::ErrorKind::internal, "CL-2088", fmt::format("{}: opening the model failed: {}", location->weights, thrown.what()),
                  "check the model file and the free memory"};
    }
    return 1;
}

CAROUSEL_EXPORT int carousel_torch_device(const carousel::OpenOptions* options, carousel::TorchPlace* place, carousel::Error* error) {
    try {
        for (const auto& [bits, into] : {std::pair(0, &place->computeType), std::pair(4, &place->fourBits), std::pair(8, &place->eightBits)}) {
            auto found = carousel::openComputeDevice(options->device, options->computeType, options->threads, false, bits);
            if (!found) {
                *error = std::move(found.error());
                return 1;
            }
            place->device = found->name;
            *into = carousel::name(found->type);
            if (options->computeType == "auto" && found->name == "cpu")
                place->speeds = carousel::describe(carousel::formatTimesHere(found->threads));
        }
        return 0;
    } catch (const std::exception& thrown) {
        *error = {carousel::ErrorKind::input, "CL-2085", fmt::format("device {} cannot be used: {}", options->device, thrown.what()), "use --device cpu"};
    }
    return 1;
}

CAROUSEL_EXPORT void carousel_torch_close(carousel::LanguageModel* model) { delete model; }

CAROUSEL_EXPORT int carousel_torch_fine_tune(const carousel::ModelLocation* location, const carousel::OpenOptions* options,
                                             const carousel::FineTuneRequest* request, const carousel::RunControl* control,
                                             carousel::FineTuneReport* report, carousel::Error* error) {
    try {
        auto done = carousel::fineTune(*location, *options, *request, *control);
        if (done) {
            *report = std::move(*done);
            return 0;
        }
        *error = std::move(done.error());
    } catch (const std::exception& thrown) {
        *error = {carousel::ErrorKind::internal, "CL-2088", fmt::format("{}: training failed: {}", location->weights, thrown.what()),
                  "check the model file and the free memory"};
    }
    return 1;
}

CAROUSEL_EXPORT int carousel_torch_train_text_to_text(const carousel::OpenOptions* options, const carousel::TextToTextRequest* request,
                                                      const carousel::RunControl* control, carousel::TextToTextReport* report,
                                                      carousel::Error* error) {
    try {
        auto done = carousel::trainTextToText(*options, *request, *control);
        if (done) {
            *report = std::move(*done);
            return 0;
        }
        *error = std::move(done.error());
    } catch (const std::exception& thrown) {
        *error = {carousel::ErrorKind::internal, "CL-2088", fmt::format("{}: training failed: {}", request->name, thrown.what()),
                  "check the free memory"};
    }
    return 1;
}

CAROUSEL_EXPORT const char* carousel_torch_describe() {
    static const std::string text = carousel::describeLibraries(carousel::threadCount());
    return text.c_str();
}
