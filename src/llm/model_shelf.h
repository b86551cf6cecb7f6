// SPDX-License-Identifier: GPL-3.0-or-later
// The models this program knows by name: where their files lie under the model folder, what they must hash to, what they are for.
#pragma once
#include "base/paths.h"
#include "base/result.h"
#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct ModelFile {
    std::string name; // relative to the model's folder
    std::string sha256;
    std::int64_t bytes = 0; // 0: not pinned
};
struct KnownModel {
    std::string id, title, licence, purpose;
    std::string format;           // "gguf", "safetensors"
    std::vector<ModelFile> files; // the first one holds the weights
    bool canChat = false, canEmbed = false;
};
enum class ModelState { ready, missing, wrongSize, wrongHash };
const char* name(ModelState state);
struct ModelStatus {
    KnownModel model;
    ModelState state = ModelState::missing;
    std::string folder;
    std::string detail; // which file, and what differs; empty when ready
};
// What is needed to open a model.
struct ModelLocation {
    std::string id; // known id, or the file name without ending for a path
    std::string title, licence, format;
    std::string folder;
    std::string weights; // path of the .gguf or .safetensors file
    std::string sha256;  // of the weights file as it is on this disk; with an adapter: of both
    std::string adapter, baseSha256; // folder of a LoRA adapter to be merged into the weights, and then the weights file's own SHA-256
};

class ModelShelf {
public:
    explicit ModelShelf(std::string folder = modelFolder()) : m_folder(std::move(folder)) {}
    static const std::vector<KnownModel>& known();
    const std::string& folder() const { return m_folder; }
    // Sizes only, or (`hashes`) every file's SHA-256 as well.
    std::vector<ModelStatus> status(bool hashes = false) const;
    Result<ModelStatus> status(const std::string& id, bool hashes) const; // CL-2070 unknown id, naming the known ones
    // A known id or the path of a .gguf file. CL-2070 unknown; CL-2071 not there (says how to fetch it); CL-2072 wrong size or hash.
    // "MODEL@FOLDER" is the model with the LoRA adapter of that folder (llm/lora_adapter.h): another id and another SHA-256, so that answers
    // and fingerprints are kept apart. CL-2143, CL-2144.
    Result<ModelLocation> resolve(const std::string& idOrPath) const;

private:
    std::string m_folder;
};

// SHA-256 of a large file, remembered beside it (size and time of change as the key) where the folder may be written to.
Result<std::string> rememberedSha256(const std::string& path);

} // namespace carousel
