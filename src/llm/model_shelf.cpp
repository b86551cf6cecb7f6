// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_shelf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "llm/adapter_shelf.h"
#include "llm/lora_adapter.h"
#include "llm/model_facts.h"
#include "llm/model_manifest.h"
#include "llm/strict_json.h"
#include "llm/t5_shape.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
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

const ModelCard* knownCard(const std::string& id) {
    const auto& all = ModelShelf::known();
    const auto at = std::find_if(all.begin(), all.end(), [&](const ModelCard& card) { return card.id == id; });
    return at == all.end() ? nullptr : &*at;
}

bool holdsWeights(const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (const auto ending = it->path().extension(); ending == ".gguf" || ending == ".safetensors")
            return true;
    return false;
}

constexpr const char* safetensorsIndex = "model.safetensors.index.json";

// Of the file that the model is opened by. An index says the same for all models of one size: what its parts hold belongs to it.
std::string identityOf(const std::vector<std::string>& hashes) {
    if (hashes.size() == 1)
        return hashes.front();
    Sha256 hash;
    hash.addField("index and parts");
    for (const auto& one : hashes)
        hash.addField(one);
    return hash.hex();
}

// A path that is not on the shelf; `file`: a .safetensors file, or the index of several.
Result<ModelLocation> resolveSafetensors(const fs::path& file) {
    const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
    CAROUSEL_ASSIGN(const auto config, StrictJson::read((folder / "config.json").string()));
    CAROUSEL_ASSIGN(const auto type, config.text("model_type"));
    std::error_code ignored;
    const std::string title = fs::weakly_canonical(folder, ignored).filename().string();
    ModelLocation location{title, title, "", "safetensors", folder.string(), file.string(), {}, {}, {}, isT5(config.path()) ? "t5" : type};
    CAROUSEL_ASSIGN(const auto store, TensorStore::openSafetensors(file.string()));
    std::vector<std::string> hashes;
    if (file.filename() == safetensorsIndex) {
        CAROUSEL_ASSIGN(hashes.emplace_back(), rememberedSha256(file.string()));
    }
    for (const auto& part : store.files()) {
        CAROUSEL_ASSIGN(hashes.emplace_back(), rememberedSha256(part));
    }
    location.sha256 = identityOf(hashes);
    return location;
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
    case ModelState::refused:
        return "refused";
    case ModelState::notAdded:
        return "not added";
    }
    return "";
}

std::int64_t ModelStatus::bytes() const {
    std::int64_t sum = 0;
    for (const auto& file : model.files)
        sum += file.bytes;
    return sum;
}

const std::vector<ModelCard>& ModelShelf::known() {
    static const std::vector<ModelCard> models = {
        {"smollm2-135m-instruct",
         "SmolLM2 135M Instruct (Q4_1)",
         "Apache-2.0",
         "Decoder with chat: scores candidates, tags items, plans and writes short texts",
         "gguf",
         {{"SmolLM2-135M-Instruct.Q4_1.gguf", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98362432}},
         true,
         true,
         "llama",
         "Q4_1",
         {134515008, 8192, 30, 576, 1536, 9, 3, 64, 49152, true},
         true,
         {},
         {},
         {},
         "ChatML"},
        {"all-minilm-l6-v2",
         "all-MiniLM-L6-v2 (fp32)",
         "Apache-2.0",
         "Sentence encoder: turns item and user texts into vectors of 384 numbers",
         "safetensors",
         {{"model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90868376},
          {"vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231508},
          {"config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612}},
         false,
         true,
         "bert",
         "F32",
         {22565376, 512, 6, 384, 1536, 12, 12, 32, 30522, true}}};
    return models;
}

// Sizes first: they cost nothing and find cut downloads.
Result<ModelStatus> ModelShelf::statusOf(const ModelCard& card, bool hashes, const RunControl& control) const {
    ModelStatus status{card, ModelState::ready, m_folder + "/" + card.id, {}, {}};
    status.speeds = readSpeeds(status.folder);
    for (const ModelFile& file : card.files) {
        const std::string path = status.folder + "/" + file.name;
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            status.state = ModelState::missing;
            status.detail = card.link.empty() ? fmt::format("'{}' is not there", path) : fmt::format("'{}' leads to '{}', which is not there", path, card.link);
            return status;
        }
        if (info.st_size != file.bytes) {
            status.state = ModelState::wrongSize;
            status.detail = fmt::format("'{}' has {} bytes, {} are expected", path, info.st_size, file.bytes);
            return status;
        }
    }
    for (const ModelFile& file : card.files) {
        if (!hashes)
            break;
        const std::string path = status.folder + "/" + file.name;
        const auto hash = sha256OfLargeFile(path, control);
        if (!hash && hash.error().kind == ErrorKind::cancelled)
            return fail(hash.error());
        if (!hash || *hash != file.sha256) {
            status.state = ModelState::wrongHash;
            status.detail = hash ? fmt::format("'{}' has the SHA-256 {}, {} is expected", path, *hash, file.sha256) : hash.error().message;
            return status;
        }
    }
    return status;
}

ModelStatus ModelShelf::addedStatus(const std::string& id) const {
    const std::string folder = m_folder + "/" + id;
    ModelStatus status;
    status.folder = folder;
    status.model.id = id;
    status.model.known = false;
    auto card = readManifest(folder, id);
    if (card) {
        status.model = std::move(*card);
        status.state = ModelState::ready;
    } else {
        status.state = ModelState::refused;
        status.detail = card.error().message;
    }
    return status;
}

std::vector<ModelStatus> ModelShelf::others() const {
    std::vector<ModelStatus> added, stray;
    std::error_code error;
    for (fs::directory_iterator it(m_folder, error), end; !error && it != end; it.increment(error)) {
        const std::string id = it->path().filename().string();
        std::error_code ignored;
        if (startsWith(id, ".") || knownCard(id))
            continue;
        if (it->is_directory(ignored) && fileExists(m_folder + "/" + id + "/" + manifestFile)) {
            added.push_back(addedStatus(id));
        } else if (it->path().extension() == ".gguf" || (it->is_directory(ignored) && holdsWeights(it->path()))) {
            ModelStatus status;
            status.folder = m_folder;
            status.model.id = id;
            status.model.known = false;
            status.state = ModelState::notAdded;
            status.detail = fmt::format("it lies in the model folder but was never checked; run `models add {}`", it->path().string());
            stray.push_back(std::move(status));
        }
    }
    const auto byId = [](const ModelStatus& a, const ModelStatus& b) { return a.model.id < b.model.id; };
    std::sort(added.begin(), added.end(), byId);
    std::sort(stray.begin(), stray.end(), byId);
    added.insert(added.end(), std::make_move_iterator(stray.begin()), std::make_move_iterator(stray.end()));
    return added;
}

std::vector<ModelStatus> ModelShelf::status() const {
    std::vector<ModelStatus> all;
    for (const auto& card : known())
        all.push_back(*statusOf(card, false, {})); // without hashes nothing can stop it
    for (auto& other : others())
        all.push_back(other.state == ModelState::ready ? *statusOf(other.model, false, {}) : std::move(other));
    return all;
}

Result<std::vector<ModelStatus>> ModelShelf::statusWithHashes(const RunControl& control) const {
    auto all = status();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].state == ModelState::ready) {
            const auto n = static_cast<double>(all.size());
            CAROUSEL_ASSIGN(all[i], statusOf(all[i].model, true, control.slice(static_cast<double>(i) / n, static_cast<double>(i + 1) / n)));
        }
    return all;
}

Result<ModelStatus> ModelShelf::status(const std::string& id, bool hashes, const RunControl& control) const {
    if (const auto* card = knownCard(id))
        return statusOf(*card, hashes, control);
    if (idProblem(id).empty() && fileExists(m_folder + "/" + id + "/" + manifestFile)) {
        auto found = addedStatus(id);
        return found.state == ModelState::ready ? statusOf(found.model, hashes, control) : Result<ModelStatus>(std::move(found));
    }
    std::string ids = knownIds();
    for (const auto& other : others())
        if (other.state != ModelState::notAdded)
            ids += ", " + other.model.id;
    return fail(ErrorKind::usage, "CL-2070", fmt::format("No model is called '{}'.", quotedForMessage(id)), fmt::format("On the shelf: {}.", ids));
}

Result<ModelLocation> ModelShelf::resolve(const std::string& idOrPath) const {
    if (const auto at = idOrPath.rfind('@'); at != std::string::npos && at > 0 && at + 1 < idOrPath.size() && !fileExists(idOrPath)) {
        CAROUSEL_ASSIGN(ModelLocation location, resolve(idOrPath.substr(0, at)));
        std::string folder = idOrPath.substr(at + 1);
        if (idProblem(folder).empty() && !fs::is_directory(folder)) { // a name
            CAROUSEL_ASSIGN(folder, namedAdapterFolder(*this, folder));
        }
        CAROUSEL_ASSIGN(const LoraAdapter adapter, readAdapter(folder));
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
        std::error_code ignored;
        const bool folder = fs::is_directory(path, ignored);
        if (!folder && path.extension() != ".gguf" && path.extension() != ".safetensors" && path.filename() != safetensorsIndex)
            return fail(ErrorKind::usage, "CL-2070", fmt::format("'{}' does not end in .gguf or .safetensors and is no folder.", quotedForMessage(idOrPath)),
                        fmt::format("Give the path of a model file or folder, or one of: {}.", knownIds()));
        if (!folder && !fileExists(idOrPath))
            return fail(ErrorKind::input, "CL-2071", fmt::format("The model file '{}' is not there.", quotedForMessage(idOrPath)),
                        "Check the path.");
        CAROUSEL_ASSIGN(const fs::path file, weightsFile(idOrPath));
        if (file.extension() != ".gguf")
            return resolveSafetensors(file);
        ModelLocation location{path.stem().string(), path.filename().string(), "", "gguf", path.parent_path().string(), idOrPath, {}, {}, {}, {}};
        CAROUSEL_ASSIGN(location.sha256, rememberedSha256(idOrPath));
        return location;
    }
    CAROUSEL_ASSIGN(const ModelStatus found, status(idOrPath, false));
    const ModelCard& model = found.model;
    const std::string again = fmt::format("Put the file back, or remove the model with `models remove {}` and add it again.", idOrPath);
    const std::string hint = model.known ? fetchHint : again;
    if (found.state == ModelState::missing)
        return fail(ErrorKind::input, "CL-2071", fmt::format("The model '{}' is missing: {}.", idOrPath, found.detail), hint);
    if (found.state == ModelState::refused)
        return fail(ErrorKind::input, "CL-2074", fmt::format("The model '{}' is refused: {}", idOrPath, found.detail), hint);
    if (found.state != ModelState::ready)
        return fail(ErrorKind::input, "CL-2072", fmt::format("The model '{}' is damaged: {}.", idOrPath, found.detail), hint);
    ModelLocation location{model.id, model.title, model.licence, model.format, found.folder, found.folder + "/" + model.files.front().name,
                           {}, {}, {}, model.architecture};
    std::vector<std::string> hashes;
    for (const ModelFile& file : model.files) {
        if (&file != &model.files.front() && !(model.files.front().name == safetensorsIndex && fs::path(file.name).extension() == ".safetensors"))
            continue;
        const std::string path = found.folder + "/" + file.name;
        CAROUSEL_ASSIGN(hashes.emplace_back(), rememberedSha256(path));
        if (hashes.back() != file.sha256)
            return fail(ErrorKind::input, "CL-2072",
                        fmt::format("The model '{}' is damaged: '{}' has the SHA-256 {}, {} is expected.", idOrPath, path, hashes.back(), file.sha256), hint);
    }
    location.sha256 = identityOf(hashes);
    return location;
}

namespace {
// What tells one state of a file from another; empty when it is not there.
std::string stateOf(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return {};
    return fmt::format("{} bytes, changed {}.{:09}", info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}
} // namespace

Result<std::string> rememberedSha256(const std::string& path) {
    const std::string state = stateOf(path), note = path + ".checked";
    if (state.empty())
        return sha256File(path); // says why
    if (fileExists(note))
        if (const auto kept = readFile(note, 4096)) {
            const auto lines = split(*kept, '\n');
            if (lines.size() >= 2 && lines[1] == state && lines[0].size() == 64)
                return std::string(lines[0]);
        }
    CAROUSEL_ASSIGN(const auto hash, sha256File(path));
    rememberSha256(path, hash);
    return hash;
}

void rememberSha256(const std::string& path, const std::string& sha256) {
    // A folder that may not be written to only costs the time of hashing again.
    static_cast<void>(atomicWrite(path + ".checked", sha256 + "\n" + stateOf(path) + "\n"));
}

Result<std::string> sha256OfLargeFile(const std::string& path, const RunControl& control) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return fail(ErrorKind::io, "CL-5001", fmt::format("Cannot read '{}': {}.", path, std::strerror(errno)), "Check the path and its permissions.");
    std::error_code error;
    const auto total = static_cast<double>(fs::file_size(path, error));
    Sha256 hash;
    std::vector<char> buffer(std::size_t(1) << 20);
    for (double done = 0; file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0;) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("checking the model"));
        hash.add({buffer.data(), static_cast<std::size_t>(file.gcount())});
        done += static_cast<double>(file.gcount());
        control.report("Hashing", done / 1e6, error ? 0 : total / 1e6, "MB");
    }
    if (file.bad())
        return fail(ErrorKind::io, "CL-5001", fmt::format("Reading '{}' failed: {}.", path, std::strerror(errno)), "Check the disk.");
    return hash.hex();
}

} // namespace carousel
