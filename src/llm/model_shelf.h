// SPDX-License-Identifier: GPL-3.0-or-later
// The models this program can name: those it knows (where their files lie under the model folder, what they must hash to, what they are for)
// and those the user has added beside them (src/llm/model_intake.h). Const members may be called from any thread.
#pragma once
#include "base/paths.h"
#include "base/result.h"
#include "base/run_control.h"
#include "llm/model_card.h"

namespace carousel {

// refused: its note is damaged. notAdded: a model file that lies in the model folder without having been added.
enum class ModelState { ready, missing, wrongSize, wrongHash, refused, notAdded };
const char* name(ModelState state);
struct ModelStatus {
    ModelCard model;
    ModelState state = ModelState::missing;
    std::string folder;
    std::string detail;              // which file, and what differs; empty when ready
    std::vector<SpeedRecord> speeds; // measured on any machine that used this folder, newest first
    std::int64_t bytes() const;      // of all its files, as they should be
};
// What is needed to open a model.
struct ModelLocation {
    std::string id; // id on the shelf, or the file name without ending for a path
    std::string title, licence, format;
    std::string folder;
    std::string weights; // path of the .gguf or .safetensors file, or of the index of several
    std::string sha256;  // of the weights as they are on this disk, all parts of them; with an adapter: of that too
    std::string adapter, baseSha256; // folder of a LoRA adapter to be merged into the weights, and then the weights file's own SHA-256
    std::string architecture; // "bert" for encoders, "t5", else that of a decoder; empty for the path of a .gguf file
};

class ModelShelf {
public:
    explicit ModelShelf(std::string folder = modelFolder()) : m_folder(std::move(folder)) {}
    static const std::vector<ModelCard>& known();
    const std::string& folder() const { return m_folder; }
    // Known models first, then added ones by id, then what lies there without having been added. Sizes only, or (`hashes`) every file's
    // SHA-256 as well; CL-7001 only then.
    std::vector<ModelStatus> status() const;
    Result<std::vector<ModelStatus>> statusWithHashes(const RunControl& control) const;
    // CL-2070 unknown id, naming those there are.
    Result<ModelStatus> status(const std::string& id, bool hashes, const RunControl& control = {}) const;
    // An id of the shelf, or the path of a .gguf or .safetensors file or of a folder with one. CL-2070 unknown; CL-2071 not there (says how to fetch it); CL-2072 wrong size or hash;
    // CL-2074 damaged note.
    // "MODEL@FOLDER" is the model with the LoRA adapter of that folder (llm/lora_adapter.h): another id and another SHA-256, so that answers
    // and fingerprints are kept apart. CL-2143, CL-2144.
    Result<ModelLocation> resolve(const std::string& idOrPath) const;

private:
    Result<ModelStatus> statusOf(const ModelCard& card, bool hashes, const RunControl& control) const;
    ModelStatus addedStatus(const std::string& id) const; // without looking at files
    std::vector<ModelStatus> others() const;              // all that are not known, files not looked at
    std::string m_folder;
};

// SHA-256 of a large file, remembered beside it (size and time of change as the key) where the folder may be written to.
Result<std::string> rememberedSha256(const std::string& path);
// Writes that note; `sha256` is that of the file as it is now.
void rememberSha256(const std::string& path, const std::string& sha256);
// Looks at `control` all the while. CL-5001, CL-7001
Result<std::string> sha256OfLargeFile(const std::string& path, const RunControl& control);

} // namespace carousel
