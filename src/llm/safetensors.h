// SPDX-License-Identifier: GPL-3.0-or-later
// Reader of safetensors model files. As with GGUF, everything is checked before it is used: header length, JSON with duplicate keys
// refused, shapes, and offsets that must cover the data without hole or overlap (CL-2041 .. CL-2054).
#pragma once
#include "llm/bounded_file.h"
#include "llm/tensor_info.h"
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace carousel {

class SafetensorsFile {
public:
    static Result<SafetensorsFile> open(const std::string& path);

    const std::string& path() const { return m_file->path(); }
    std::shared_ptr<const BoundedFile> file() const { return m_file; }
    const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    const std::vector<TensorInfo>& tensors() const { return m_tensors; } // by offset
    const TensorInfo* find(std::string_view name) const;
    Result<const TensorInfo*> tensor(std::string_view name) const;                                         // CL-2031 when absent
    Result<const TensorInfo*> tensor(std::string_view name, const std::vector<std::uint64_t>& dims) const; // CL-2032
    Result<std::vector<std::byte>> raw(const TensorInfo& tensor) const;
    Result<std::vector<float>> dequantised(const TensorInfo& tensor) const; // F32, F16, BF16, F64; CL-2033, CL-2034

private:
    friend class SafetensorsParser;
    std::shared_ptr<BoundedFile> m_file;
    std::map<std::string, std::string> m_metadata;
    std::vector<TensorInfo> m_tensors;
    std::unordered_map<std::string, std::size_t> m_index;
};

} // namespace carousel
