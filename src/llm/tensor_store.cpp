// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/tensor_store.h"
#include "base/file.h"
#include "base/text.h"
#include "llm/strict_json.h"
#include "llm/weight_reader.h"
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace carousel {

namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> disagree(const std::string& path, const std::string& what) {
    return fail(ErrorKind::input, "CL-2039", fmt::format("'{}': {}.", path, what),
                "The files of the model do not belong together; fetch all of them again from one place.");
}

// A shard must lie beside its index: names come from a file that may be hostile.
bool plainName(const std::string& name) {
    return !name.empty() && name.size() < 256 && name.find('/') == std::string::npos && name.find('\0') == std::string::npos &&
           name.ends_with(".safetensors");
}

} // namespace

TensorStore::TensorStore(const GgufFile& file) : m_path(file.path()) {
    add(file.tensors(), file.file());
}
TensorStore::TensorStore(const SafetensorsFile& file) : m_path(file.path()) {
    add(file.tensors(), file.file());
}

void TensorStore::add(const std::vector<TensorInfo>& tensors, const std::shared_ptr<const BoundedFile>& file) {
    m_open.push_back(file);
    m_files.push_back(file->path());
    for (const TensorInfo& tensor : tensors)
        m_entries.emplace(tensor.name, Entry{tensor, file});
}

Result<TensorStore> TensorStore::openSafetensors(const std::string& given) {
    std::string path = given;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        const std::string folder = path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
        path = folder + "/model.safetensors";
        if (!fileExists(path))
            path = folder + "/model.safetensors.index.json";
        if (!fileExists(path))
            return fail(ErrorKind::input, "CL-2038",
                        fmt::format("The folder '{}' holds neither model.safetensors nor model.safetensors.index.json.", given),
                        "Give the folder of a model with safetensors weights, or the path of a GGUF file.");
    }
    if (!path.ends_with(".json")) {
        CAROUSEL_ASSIGN(const SafetensorsFile file, SafetensorsFile::open(path));
        return TensorStore(file);
    }
    CAROUSEL_ASSIGN(const StrictJson index, StrictJson::read(path, std::size_t(64) << 20));
    CAROUSEL_ASSIGN(const auto places, index.texts("weight_map"));
    if (places.empty() || places.size() > std::size_t(1) << 20)
        return disagree(path, fmt::format("the index names {} tensors", places.size()));
    std::map<std::string, std::set<std::string>> wanted;
    for (const auto& [tensor, shard] : places) {
        if (!plainName(shard))
            return disagree(path,
                            fmt::format("the tensor '{}' is said to lie in '{}', which is not the name of a safetensors file beside it",
                                        quotedForMessage(tensor), quotedForMessage(shard)));
        wanted[shard].insert(tensor);
    }
    if (wanted.size() > 1024)
        return disagree(path, fmt::format("the index names {} files; 1024 are allowed", wanted.size()));
    TensorStore store;
    store.m_path = path;
    const std::string folder = fs::path(path).parent_path().string();
    for (const auto& [shard, tensors] : wanted) {
        CAROUSEL_ASSIGN(const SafetensorsFile file, SafetensorsFile::open((folder.empty() ? "." : folder) + "/" + shard));
        for (const auto& tensor : tensors)
            if (!file.find(tensor))
                return disagree(path, fmt::format("the tensor '{}' is said to lie in '{}', which does not hold it",
                                                  quotedForMessage(tensor), quotedForMessage(shard)));
        for (const TensorInfo& tensor : file.tensors())
            if (!tensors.contains(tensor.name))
                return disagree(path, fmt::format("'{}' holds the tensor '{}', which the index does not place there",
                                                  quotedForMessage(shard), quotedForMessage(tensor.name)));
        store.add(file.tensors(), file.file());
    }
    return store;
}

std::uint64_t TensorStore::fileBytes() const {
    std::uint64_t bytes = 0;
    for (const auto& file : m_open)
        bytes += file->size();
    return bytes;
}

std::vector<std::string> TensorStore::names() const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : m_entries)
        all.push_back(name);
    std::sort(all.begin(), all.end());
    return all;
}

const TensorInfo* TensorStore::find(std::string_view name) const {
    const auto found = m_entries.find(std::string(name));
    return found == m_entries.end() ? nullptr : &found->second.info;
}

Result<const TensorInfo*> TensorStore::tensor(std::string_view name) const {
    return presentTensor(find(name), name, m_path);
}
Result<const TensorInfo*> TensorStore::tensor(std::string_view name, const std::vector<std::uint64_t>& dims) const {
    return tensorOfShape(find(name), name, dims, m_path);
}

const BoundedFile& TensorStore::fileOf(const TensorInfo& tensor) const {
    return *m_entries.at(tensor.name).file;
}

Result<std::vector<float>> TensorStore::dequantised(const TensorInfo& tensor) const {
    return readFloats(fileOf(tensor), tensor, 0, tensor.rows());
}

Result<void> TensorStore::readRows(const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows, std::span<float> out) const {
    return readFloatsInto(fileOf(tensor), tensor, firstRow, rows, out);
}

Result<std::vector<std::byte>> TensorStore::raw(const TensorInfo& tensor) const {
    return readRaw(fileOf(tensor), tensor);
}

} // namespace carousel
