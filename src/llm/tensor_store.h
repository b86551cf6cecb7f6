// SPDX-License-Identifier: GPL-3.0-or-later
// The tensors of a model by name, whether they lie in one GGUF file, one safetensors file, or several of these with an index.
// Const members may be called from any thread.
#pragma once
#include "llm/bounded_file.h"
#include "llm/gguf.h"
#include "llm/safetensors.h"
#include "llm/tensor_info.h"
#include <span>
#include <unordered_map>

namespace carousel {

class TensorStore {
public:
    TensorStore() = default;
    explicit TensorStore(const GgufFile& file);
    explicit TensorStore(const SafetensorsFile& file);
    // A .safetensors file, an index (model.safetensors.index.json), or a folder that holds model.safetensors or that index. Errors: those
    // of the files; CL-2038: the folder holds no weights; CL-2039: index and files do not agree.
    static Result<TensorStore> openSafetensors(const std::string& path);

    const std::string& path() const { return m_path; } // as given, for messages
    std::uint64_t fileBytes() const;                   // of all files together
    const std::vector<std::string>& files() const { return m_files; }
    std::vector<std::string> names() const;                        // sorted
    const TensorInfo* find(std::string_view name) const;           // null when absent
    Result<const TensorInfo*> tensor(std::string_view name) const; // CL-2031 when absent
    // CL-2031 when absent, CL-2032 when the dims are not exactly these (row-major)
    Result<const TensorInfo*> tensor(std::string_view name, const std::vector<std::uint64_t>& dims) const;

    // `tensor` is one that this store gave out. CL-2033: a type that cannot be read as floats; CL-2034: a value that is not finite.
    Result<std::vector<float>> dequantised(const TensorInfo& tensor) const; // all values, row-major
    // Rows [firstRow, firstRow + rows) into `out`, which has exactly rows * columns values.
    Result<void> readRows(const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows, std::span<float> out) const;
    // The bytes as stored, for kernels that take the file's own blocks: rows follow one another, a row is whole blocks.
    Result<std::vector<std::byte>> raw(const TensorInfo& tensor) const;

private:
    struct Entry {
        TensorInfo info;
        std::shared_ptr<const BoundedFile> file;
    };
    const BoundedFile& fileOf(const TensorInfo& tensor) const;
    void add(const std::vector<TensorInfo>& tensors, const std::shared_ptr<const BoundedFile>& file);
    std::string m_path;
    std::vector<std::string> m_files;
    std::vector<std::shared_ptr<const BoundedFile>> m_open;
    std::unordered_map<std::string, Entry> m_entries;
};

} // namespace carousel
