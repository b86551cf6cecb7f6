// SPDX-License-Identifier: GPL-3.0-or-later
// Reader of GGUF model files, version 2 and 3. The file is taken for hostile: every number is checked against the bytes that are left
// before anything is allocated, and every refusal names the file, the offset and the rule (CL-2011 .. CL-2025).
#pragma once
#include "llm/bounded_file.h"
#include "llm/tensor_info.h"
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace carousel {

class GgufFile {
public:
    // Reads header and metadata only; tensors are read on demand.
    static Result<GgufFile> open(const std::string& path);

    const std::string& path() const { return m_file->path(); }
    std::shared_ptr<const BoundedFile> file() const { return m_file; }
    std::uint32_t version() const { return m_version; }
    std::uint64_t alignment() const { return m_alignment; }
    std::uint64_t dataOffset() const { return m_dataOffset; }
    const std::vector<std::string>& warnings() const { return m_warnings; } // oddities that do no harm

    // Metadata. Every getter checks the type; the ranged ones check the range too (CL-2030: key missing, wrong type, out of range).
    bool has(std::string_view key) const;
    Result<std::int64_t> integer(std::string_view key, std::int64_t minimum, std::int64_t maximum) const;
    Result<double> number(std::string_view key, double minimum, double maximum) const; // integer or float, finite
    Result<bool> boolean(std::string_view key) const;
    Result<std::string> text(std::string_view key) const;
    Result<const std::vector<std::string>*> texts(std::string_view key) const; // array of strings; lives as long as this object
    Result<std::vector<std::int64_t>> integers(std::string_view key) const;    // array of any integer type or bool
    Result<std::vector<double>> numbers(std::string_view key) const;           // array of f32 or f64; not checked for NaN
    std::vector<std::string> keys() const;                                     // in file order

    const std::vector<TensorInfo>& tensors() const { return m_tensors; } // in file order
    const TensorInfo* find(std::string_view name) const;                 // null when absent
    Result<const TensorInfo*> tensor(std::string_view name) const;       // CL-2031 when absent
    // CL-2031 when absent, CL-2032 when the dims are not exactly these (row-major)
    Result<const TensorInfo*> tensor(std::string_view name, const std::vector<std::uint64_t>& dims) const;

    Result<std::vector<std::byte>> raw(const TensorInfo& tensor) const;
    // All values, row-major. CL-2033: a type this program does not read. CL-2034: a value that is not finite.
    Result<std::vector<float>> dequantised(const TensorInfo& tensor) const;
    Result<std::vector<float>> dequantisedRows(const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows) const;

private:
    friend class GgufParser;
    struct IntegerArray {
        std::vector<std::int64_t> values;
    };
    struct NumberArray {
        std::vector<double> values;
    };
    using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string, std::vector<std::string>, IntegerArray, NumberArray>;
    const Value* value(std::string_view key) const;
    Error metadataError(std::string_view key, const std::string& what) const;

    std::shared_ptr<BoundedFile> m_file;
    std::uint32_t m_version = 0;
    std::uint64_t m_alignment = 32, m_dataOffset = 0;
    std::vector<std::pair<std::string, Value>> m_metadata;
    std::unordered_map<std::string, std::size_t> m_metadataIndex;
    std::vector<TensorInfo> m_tensors;
    std::vector<std::string> m_warnings;
    std::unordered_map<std::string, std::size_t> m_tensorIndex;
};

} // namespace carousel
