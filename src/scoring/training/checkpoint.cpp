// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/checkpoint.h"
#include "base/file.h"
#include "base/hash.h"
#include "llm/safetensors.h"
#include "llm/safetensors_writer.h"
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

using nlohmann::json;
constexpr const char* hashKey = "\"sha256\":\"";
constexpr std::size_t hashDigits = 64;

// Where the file's own hash stands, or npos. The key is searched in the header only: the first match is the metadata's.
std::size_t placeOfHash(std::string_view bytes) {
    const auto at = bytes.find(hashKey);
    const auto first = at + std::char_traits<char>::length(hashKey);
    return at == std::string_view::npos || first + hashDigits > bytes.size() ? std::string_view::npos : first;
}

json number(double value) {
    return std::isfinite(value) ? json(value) : json(nullptr);
}
double numberOf(const json& value) {
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

json stateOf(const Checkpoint& c) {
    json training = json::array(), validation = json::array();
    for (const auto& point : c.training)
        training.push_back({point.step, point.loss, point.rate, point.gradientNorm});
    for (const auto& point : c.validation)
        validation.push_back({point.step, number(point.loss), number(point.auc)});
    return {{"layout", 1},          {"request", c.request},    {"base", c.base}, {"computeType", c.computeType},
            {"device", c.device},   {"threads", c.threads},    {"step", c.step}, {"optimiserSteps", c.optimiser.steps},
            {"training", training}, {"validation", validation}, {"more", c.more}};
}

void takeState(const json& state, Checkpoint& c) {
    c.request = state.at("request");
    c.base = state.at("base");
    c.computeType = state.at("computeType");
    c.device = state.at("device");
    c.threads = state.at("threads");
    c.step = state.at("step");
    c.optimiser.steps = state.at("optimiserSteps");
    c.more = state.value("more", "");
    for (const auto& point : state.at("training"))
        c.training.push_back({point.at(0), point.at(1), point.at(2), point.at(3)});
    for (const auto& point : state.at("validation"))
        c.validation.push_back({point.at(0), numberOf(point.at(1)), numberOf(point.at(2))});
}

tl::unexpected<Error> damaged(const std::string& path, const std::string& what) {
    return fail(ErrorKind::input, "CL-2145", fmt::format("The checkpoint '{}' is damaged: {}.", path, what),
                "Delete it and start the training anew without --resume.");
}

} // namespace

std::string checkpointFile(const std::string& folder) {
    return folder + "/checkpoint.safetensors";
}

Result<void> writeCheckpoint(const std::string& path, const Checkpoint& c) {
    const std::vector<std::uint64_t> dims{c.values.size()};
    std::vector<TensorToWrite> tensors{{"values", dims, c.values}, {"mean", dims, c.optimiser.mean}, {"square", dims, c.optimiser.square}};
    if (!c.bestValues.empty())
        tensors.push_back({"bestValues", dims, c.bestValues});
    std::string bytes = safetensorsBytes(tensors, {{"sha256", std::string(hashDigits, '0')}, {"state", stateOf(c).dump()}});
    bytes.replace(placeOfHash(bytes), hashDigits, sha256(bytes));
    return atomicWrite(path, bytes);
}

Result<Checkpoint> readCheckpoint(const std::string& path) {
    CAROUSEL_ASSIGN(std::string bytes, readFile(path));
    const auto at = placeOfHash(bytes);
    if (at == std::string::npos)
        return damaged(path, "it has no hash of its own");
    const std::string written = bytes.substr(at, hashDigits);
    bytes.replace(at, hashDigits, hashDigits, '0');
    if (const auto found = sha256(bytes); found != written)
        return damaged(path, fmt::format("its bytes have the SHA-256 {}, {} is written in it", found, written));
    // From here on the file is what this program wrote; what still does not fit is of another version.
    CAROUSEL_ASSIGN(const auto file, SafetensorsFile::open(path));
    Checkpoint c;
    const auto text = file.metadata().find("state");
    const auto state = text == file.metadata().end() ? json() : json::parse(text->second, nullptr, false);
    if (!state.is_object() || state.value("layout", 0) != 1)
        return damaged(path, "its state is of another version of this program");
    try {
        takeState(state, c);
    } catch (const json::exception& error) {
        return damaged(path, error.what());
    }
    const auto read = [&](const char* name, std::vector<float>& to) -> Result<void> {
        CAROUSEL_ASSIGN(const auto* tensor, file.tensor(name));
        CAROUSEL_ASSIGN(to, file.dequantised(*tensor));
        return {};
    };
    CAROUSEL_TRY(read("values", c.values));
    CAROUSEL_TRY(read("mean", c.optimiser.mean));
    CAROUSEL_TRY(read("square", c.optimiser.square));
    if (file.find("bestValues"))
        CAROUSEL_TRY(read("bestValues", c.bestValues));
    return c;
}

Result<void> checkBelongs(const std::string& path, const Checkpoint& found, const Checkpoint& wanted) {
    const auto differ = [&](const char* what, const auto& there, const auto& here) {
        return fail(ErrorKind::input, "CL-2146",
                    fmt::format("The checkpoint '{}' is of another {}: {} there, {} here.", path, what, there, here),
                    "Resume with the same examples, settings, model, device and threads, or start anew without --resume.");
    };
    if (found.base != wanted.base)
        return differ("base model", found.base, wanted.base);
    if (found.request != wanted.request)
        return differ("training (examples, settings or name)", found.request, wanted.request);
    if (found.computeType != wanted.computeType)
        return differ("compute type", found.computeType, wanted.computeType);
    if (found.device != wanted.device)
        return differ("device", found.device, wanted.device);
    if (found.threads != wanted.threads)
        return differ("number of threads", found.threads, wanted.threads);
    if (found.values.size() != wanted.values.size())
        return differ("size", found.values.size(), wanted.values.size());
    return {};
}

} // namespace carousel
