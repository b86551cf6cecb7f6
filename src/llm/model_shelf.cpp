// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_shelf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "llm/lora_adapter.h"
#include <filesystem>
#include <sys/stat.h>

namespace carousel {

namespace fs = std::filesystem;

namespace {
const char* const fetchHint =
    "Run packaging/run.sh, which fetches the models and checks them, or set CAROUSEL_LAB_MODELS to the folder that has them.";

std::string knownIds() {
    std::string ids;
    for (const auto& model : ModelShelf::known())
        ids += (ids.empty() ? "" : ", ") + model.id;
    return ids;
}

// Sizes first: they cost nothing and find cut downloads.
ModelStatus statusOf(const KnownModel& model, const std::string& shelf, bool hashes) {
    ModelStatus status{model, ModelState::ready, shelf + "/" + model.id, {}};
    for (const ModelFile& file : model.files) {
        const std::string path = status.folder + "/" + file.name;
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            status.state = ModelState::missing;
            status.detail = fmt::format("'{}' is not there", path);
            return status;
        }
        if (info.st_size != file.bytes) {
            status.state = ModelState::wrongSize;
            status.detail = fmt::format("'{}' has {} bytes, {} are expected", path, info.st_size, file.bytes);
            return status;
        }
    }
    for (const ModelFile& file : model.files) {
        if (!hashes)
            break;
        const std::string path = status.folder + "/" + file.name;
        const auto hash = sha256File(path);
        if (!hash || *hash != file.sha256) {
            status.state = ModelState::wrongHash;
            status.detail = hash ? fmt::format("'{}' has the SHA-256 {}, {} is expected", path, *hash, file.sha256) : hash.error().message;
            return status;
        }
    }
    return status;
}

} // namespace

const char* name(ModelState state) {
    switch (state) {
    case ModelState::ready:
        return "ready";
    case ModelState::missing:
        return "missing";
    case ModelState::wrongSize:
        return "wrong size";
    case ModelState::wrongHash:
        return "wrong hash";
    }
    return "";
}

const std::vector<KnownModel>& ModelShelf::known() {
    static const std::vector<KnownModel> models = {
        {"smollm2-135m-instruct",
         "SmolLM2 135M Instruct (Q4_1)",
         "Apache-2.0",
         "Decoder with chat: scores candidates, tags items, plans and writes short texts",
         "gguf",
         {{"SmolLM2-135M-Instruct.Q4_1.gguf", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98362432}},
         true,
         true},
        {"all-minilm-l6-v2",
         "all-MiniLM-L6-v2 (fp32)",
         "Apache-2.0",
         "Sentence encoder: turns item and user texts into vectors of 384 numbers",
         "safetensors",
         {{"model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90868376},
          {"vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231508},
          {"config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612}},
         false,
         true}};
    return models;
}

std::vector<ModelStatus> ModelShelf::status(bool hashes) const {
    std::vector<ModelStatus> all;
    for (const auto& model : known())
        all.push_back(statusOf(model, m_folder, hashes));
    return all;
}

Result<ModelStatus> ModelShelf::status(const std::string& id, bool hashes) const {
    for (const auto& model : known())
        if (model.id == id)
            return statusOf(model, m_folder, hashes);
    return fail(ErrorKind::usage, "CL-2070", fmt::format("No model is called '{}'.", quotedForMessage(id)),
                fmt::format("Known models: {}.", knownIds()));
}

Result<ModelLocation> ModelShelf::resolve(const std::string& idOrPath) const {
    if (const auto at = idOrPath.rfind('@'); at != std::string::npos && at > 0 && at + 1 < idOrPath.size() && !fileExists(idOrPath)) {
        CAROUSEL_ASSIGN(ModelLocation location, resolve(idOrPath.substr(0, at)));
        CAROUSEL_ASSIGN(const LoraAdapter adapter, readAdapter(idOrPath.substr(at + 1)));
        CAROUSEL_TRY(checkBase(adapter, location.weights, location.sha256));
        location.adapter = adapter.folder;
        location.baseSha256 = location.sha256;
        location.sha256 = Sha256().addField("adapted").addField(location.baseSha256).addField(adapter.sha256).hex();
        const std::string adapterName = adapter.name.empty() ? fs::path(adapter.folder).filename().string() : adapter.name;
        location.id += "@" + adapterName;
        location.title += ", adapter " + adapterName;
        return location;
    }
    if (idOrPath.find('/') != std::string::npos || fs::path(idOrPath).extension() == ".gguf") {
        const fs::path path(idOrPath);
        if (path.extension() != ".gguf")
            return fail(ErrorKind::usage, "CL-2070", fmt::format("'{}' does not end in .gguf.", quotedForMessage(idOrPath)),
                        fmt::format("Give the path of a GGUF file, or one of: {}.", knownIds()));
        if (!fileExists(idOrPath))
            return fail(ErrorKind::input, "CL-2071", fmt::format("The model file '{}' is not there.", quotedForMessage(idOrPath)),
                        "Check the path.");
        ModelLocation location{path.stem().string(), path.filename().string(), "", "gguf", path.parent_path().string(), idOrPath, {}};
        CAROUSEL_ASSIGN(location.sha256, rememberedSha256(idOrPath));
        return location;
    }
    CAROUSEL_ASSIGN(const ModelStatus found, status(idOrPath, false));
    if (found.state == ModelState::missing)
        return fail(ErrorKind::input, "CL-2071", fmt::format("The model '{}' is missing: {}.", idOrPath, found.detail), fetchHint);
    if (found.state != ModelState::ready)
        return fail(ErrorKind::input, "CL-2072", fmt::format("The model '{}' is damaged: {}.", idOrPath, found.detail), fetchHint);
    const KnownModel& model = found.model;
    ModelLocation location{model.id, model.title, model.licence, model.format, found.folder, found.folder + "/" + model.files.front().name,
                           {}};
    CAROUSEL_ASSIGN(location.sha256, rememberedSha256(location.weights));
    if (location.sha256 != model.files.front().sha256)
        return fail(ErrorKind::input, "CL-2072",
                    fmt::format("The model '{}' is damaged: '{}' has the SHA-256 {}, {} is expected.", idOrPath, location.weights,
                                location.sha256, model.files.front().sha256),
                    fetchHint);
    return location;
}

Result<std::string> rememberedSha256(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return sha256File(path); // says why
    const std::string note = path + ".checked";
    const std::string state = fmt::format("{} bytes, changed {}.{:09}", info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    if (fileExists(note))
        if (const auto kept = readFile(note, 4096)) {
            const auto lines = split(*kept, '\n');
            if (lines.size() >= 2 && lines[1] == state && lines[0].size() == 64)
                return std::string(lines[0]);
        }
    CAROUSEL_ASSIGN(const auto hash, sha256File(path));
    // A folder that may not be written to only costs the time of hashing again.
    static_cast<void>(atomicWrite(note, hash + "\n" + state + "\n"));
    return hash;
}

} // namespace carousel
