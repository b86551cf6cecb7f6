// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/lora_adapter.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/text.h"
#include "llm/safetensors.h"
#include "llm/safetensors_writer.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

using nlohmann::json;
constexpr const char* weightsName = "adapter_model.safetensors";
constexpr const char* configName = "adapter_config.json";
constexpr std::string_view prefix = "base_model.model.model.layers.";

std::string tensorName(const LoraMatrix& matrix, char part) {
    return fmt::format("{}{}.{}.lora_{}.weight", prefix, matrix.layer, nameOf(matrix.module).peft, part);
}

tl::unexpected<Error> unusable(const std::string& path, const std::string& what) {
    return fail(ErrorKind::input, "CL-2143", fmt::format("The adapter '{}' cannot be used: {}.", path, what),
                "Use a LoRA adapter as `models tune` or Hugging Face PEFT writes it, for the linear layers of a Llama-type decoder.");
}

struct Place {
    std::int64_t layer = 0;
    LoraModule module = LoraModule::query;
    char part = 'A';
};
// The inverse of tensorName; false when the name is no such name.
bool parseName(std::string_view name, Place& place) {
    if (!startsWith(name, prefix))
        return false;
    name.remove_prefix(prefix.size());
    const auto dot = name.find('.');
    const auto layer = parseInteger(name.substr(0, dot));
    if (dot == std::string_view::npos || !layer || *layer < 0)
        return false;
    name.remove_prefix(dot + 1);
    for (const auto& module : loraModules)
        for (const char part : {'A', 'B'})
            if (name == fmt::format("{}.lora_{}.weight", module.peft, part)) {
                place = {*layer, module.module, part};
                return true;
            }
    return false;
}

// Keys that change the arithmetic in a way that this program does not have; each must be absent, null, false or empty.
constexpr const char* unknownArithmetic[] = {"use_dora",        "fan_in_fan_out", "rank_pattern",           "alpha_pattern",
                                             "modules_to_save", "lora_bias",      "trainable_token_indices"};
bool isSet(const json& value) {
    return !(value.is_null() || (value.is_boolean() && !value.get<bool>()) || ((value.is_array() || value.is_object()) && value.empty()));
}

Result<void> readConfig(const std::string& path, LoraAdapter& adapter) {
    CAROUSEL_ASSIGN(const auto text, readFile(path, std::size_t(1) << 20));
    const auto config = json::parse(text, nullptr, false);
    if (!config.is_object())
        return unusable(path, "it is not a JSON object");
    if (config.value("peft_type", json()) != "LORA")
        return unusable(path,
                        fmt::format("its peft_type is {}, LORA is expected", quotedForMessage(config.value("peft_type", json()).dump())));
    for (const char* key : unknownArithmetic)
        if (config.contains(key) && isSet(config[key]))
            return unusable(path, fmt::format("'{}' is {}", key, quotedForMessage(config[key].dump())));
    if (config.value("bias", json("none")) != "none")
        return unusable(path, fmt::format("'bias' is {}", quotedForMessage(config["bias"].dump())));
    const auto rank = config.find("r"), alpha = config.find("lora_alpha");
    if (rank == config.end() || !rank->is_number_integer() || *rank < 1 || *rank > 4096)
        return unusable(path, "'r' is not a whole number from 1 to 4096");
    if (alpha == config.end() || !alpha->is_number() || !(alpha->get<double>() > 0) || alpha->get<double>() > 1e6)
        return unusable(path, "'lora_alpha' is not a number above 0");
    adapter.rank = rank->get<int>();
    adapter.alpha = alpha->get<double>();
    adapter.scale = adapter.alpha / (isSet(config.value("use_rslora", json())) ? std::sqrt(double(adapter.rank)) : double(adapter.rank));
    if (const auto dropout = config.find("lora_dropout"); dropout != config.end() && dropout->is_number())
        adapter.dropout = dropout->get<double>();
    if (const auto base = config.find("base_model_name_or_path"); base != config.end() && base->is_string())
        adapter.baseModel = base->get<std::string>();
    return {};
}

LoraMatrix& matrixAt(LoraAdapter& adapter, const Place& place) {
    for (auto& matrix : adapter.matrices)
        if (matrix.layer == place.layer && matrix.module == place.module)
            return matrix;
    auto& added = adapter.matrices.emplace_back();
    added.layer = place.layer;
    added.module = place.module;
    return added;
}

std::string digest(const LoraAdapter& adapter) {
    Sha256 hash;
    hash.addField("carousel-lora-1").addValues(std::span<const double>(&adapter.scale, 1));
    for (const auto& matrix : adapter.matrices)
        for (const char part : {'A', 'B'}) {
            const auto& values = part == 'A' ? matrix.a : matrix.b;
            hash.addField(tensorName(matrix, part)).addField({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
        }
    return hash.hex();
}

} // namespace

const LoraMatrix* LoraAdapter::find(std::int64_t layer, LoraModule module) const {
    for (const auto& matrix : matrices)
        if (matrix.layer == layer && matrix.module == module)
            return &matrix;
    return nullptr;
}

Result<LoraAdapter> readAdapter(const std::string& folder) {
    LoraAdapter adapter;
    adapter.folder = folder;
    const std::string config = folder + "/" + configName, weights = folder + "/" + weightsName;
    for (const auto& path : {config, weights})
        if (!fileExists(path))
            return fail(ErrorKind::input, "CL-2143", fmt::format("The adapter '{}' cannot be used: '{}' is not there.", folder, path),
                        "Give the folder that `models tune` or Hugging Face PEFT wrote.");
    CAROUSEL_TRY(readConfig(config, adapter));
    CAROUSEL_ASSIGN(const auto file, SafetensorsFile::open(weights));
    for (const auto& tensor : file.tensors()) {
        Place place;
        if (!parseName(tensor.name, place))
            return unusable(weights, fmt::format("it holds the tensor '{}'", quotedForMessage(tensor.name)));
        const std::uint64_t rankDimension = tensor.dims.size() == 2 ? tensor.dims[place.part == 'A' ? 0 : 1] : 0;
        if (rankDimension != static_cast<std::uint64_t>(adapter.rank))
            return unusable(weights, fmt::format("'{}' is not a matrix of rank {}", tensor.name, adapter.rank));
        CAROUSEL_ASSIGN(auto values, file.dequantised(tensor));
        LoraMatrix& matrix = matrixAt(adapter, place);
        matrix.rank = adapter.rank;
        (place.part == 'A' ? matrix.inputs : matrix.outputs) = static_cast<std::int64_t>(tensor.dims[place.part == 'A' ? 1 : 0]);
        (place.part == 'A' ? matrix.a : matrix.b) = std::move(values);
    }
    if (adapter.matrices.empty())
        return unusable(weights, "it holds no matrix");
    for (const auto& matrix : adapter.matrices)
        if (matrix.a.empty() || matrix.b.empty())
            return unusable(weights, fmt::format("'{}' is not there", tensorName(matrix, matrix.a.empty() ? 'A' : 'B')));
    std::sort(adapter.matrices.begin(), adapter.matrices.end(),
              [](const LoraMatrix& a, const LoraMatrix& b) { return std::tie(a.layer, a.module) < std::tie(b.layer, b.module); });
    const auto& metadata = file.metadata();
    const auto noted = [&](const char* key) { return metadata.count(key) ? metadata.at(key) : std::string(); };
    adapter.name = noted("name");
    adapter.baseSha256 = noted("base_model_sha256");
    adapter.sha256 = digest(adapter);
    return adapter;
}

Result<void> writeAdapter(const LoraAdapter& adapter, const std::string& folder) {
    CAROUSEL_TRY(makeFolders(folder));
    std::vector<TensorToWrite> tensors;
    json modules = json::array();
    for (const auto& matrix : adapter.matrices) {
        const auto rank = static_cast<std::uint64_t>(matrix.rank);
        tensors.push_back({tensorName(matrix, 'A'), {rank, static_cast<std::uint64_t>(matrix.inputs)}, matrix.a});
        tensors.push_back({tensorName(matrix, 'B'), {static_cast<std::uint64_t>(matrix.outputs), rank}, matrix.b});
        const std::string path = nameOf(matrix.module).peft, last = path.substr(path.find('.') + 1);
        if (std::find(modules.begin(), modules.end(), last) == modules.end())
            modules.push_back(last);
    }
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const json config{{"peft_type", "LORA"},
                      {"task_type", "CAUSAL_LM"},
                      {"r", adapter.rank},
                      {"lora_alpha", adapter.alpha},
                      {"lora_dropout", adapter.dropout},
                      {"target_modules", modules},
                      {"bias", "none"},
                      {"fan_in_fan_out", false},
                      {"inference_mode", true},
                      {"modules_to_save", nullptr},
                      {"base_model_name_or_path", adapter.baseModel}};
    CAROUSEL_TRY(atomicWrite(folder + "/" + weightsName, safetensorsBytes(tensors, {{"format", "pt"},
                                                                                    {"name", adapter.name},
                                                                                    {"base_model", adapter.baseModel},
                                                                                    {"base_model_sha256", adapter.baseSha256}})));
    return atomicWrite(folder + "/" + configName, config.dump(2) + "\n");
}

LoraSizes sizesOf(const DecoderShape& shape, LoraModule module) {
    const std::int64_t queries = shape.heads * shape.headSize, keys = shape.keyValueHeads * shape.headSize;
    switch (module) {
    case LoraModule::query:
        return {shape.width, queries};
    case LoraModule::key:
    case LoraModule::value:
        return {shape.width, keys};
    case LoraModule::attentionOut:
        return {queries, shape.width};
    case LoraModule::gate:
    case LoraModule::up:
        return {shape.width, shape.feedForward};
    case LoraModule::down:
        break;
    }
    return {shape.feedForward, shape.width};
}

Result<void> checkBase(const LoraAdapter& adapter, const std::string& baseFile, const std::string& baseSha256) {
    if (adapter.baseSha256.empty() || adapter.baseSha256 == baseSha256)
        return {};
    return fail(ErrorKind::input, "CL-2144",
                fmt::format("The adapter '{}' was made for a base model with the SHA-256 {}; '{}' has {}.", adapter.folder,
                            adapter.baseSha256, baseFile, baseSha256),
                fmt::format("Use it with {}, or train one for this model with `models tune`.",
                            adapter.baseModel.empty() ? "its own base model" : "'" + quotedForMessage(adapter.baseModel) + "'"));
}

Result<void> checkSizes(const LoraAdapter& adapter, const DecoderShape& shape, const std::string& baseFile) {
    for (const auto& matrix : adapter.matrices) {
        const LoraSizes wanted = sizesOf(shape, matrix.module);
        if (matrix.layer >= shape.blocks || matrix.inputs != wanted.inputs || matrix.outputs != wanted.outputs)
            return fail(
                ErrorKind::input, "CL-2144",
                fmt::format("The adapter '{}' changes {} of layer {} from {} to {} values; '{}' has {} layers, there from {} to {}.",
                            adapter.folder, nameOf(matrix.module).peft, matrix.layer, matrix.inputs, matrix.outputs, baseFile, shape.blocks,
                            wanted.inputs, wanted.outputs),
                "Use it with the base model it was made for.");
    }
    return {};
}

std::int64_t unpairedRow(std::int64_t row, std::int64_t headSize) {
    const std::int64_t within = row % headSize;
    return row - within + within % 2 * (headSize / 2) + within / 2;
}

void mergeInto(std::span<float> weights, const LoraMatrix& matrix, double scale, std::int64_t pairedHeadSize) {
    const auto inputs = static_cast<std::size_t>(matrix.inputs), rank = static_cast<std::size_t>(matrix.rank);
    parallelFor(static_cast<std::size_t>(matrix.outputs), 64, [&](std::size_t begin, std::size_t end) {
        std::vector<float> change(inputs);
        for (std::size_t row = begin; row < end; ++row) {
            const auto own =
                pairedHeadSize > 0 ? static_cast<std::size_t>(unpairedRow(static_cast<std::int64_t>(row), pairedHeadSize)) : row;
            std::fill(change.begin(), change.end(), 0.0f);
            for (std::size_t k = 0; k < rank; ++k) {
                const float factor = matrix.b[own * rank + k];
                const float* from = matrix.a.data() + k * inputs;
                for (std::size_t i = 0; i < inputs; ++i)
                    change[i] += factor * from[i];
            }
            float* to = weights.data() + row * inputs;
            for (std::size_t i = 0; i < inputs; ++i)
                to[i] += static_cast<float>(scale) * change[i];
        }
    });
}

} // namespace carousel
