// SPDX-License-Identifier: GPL-3.0-or-later
// Metadata getters and tensor reading of an opened GGUF file; the header is read in gguf_parser.cpp.
#include "llm/gguf.h"
#include "base/text.h"
#include "llm/weight_reader.h"
#include <cmath>

namespace carousel {

const GgufFile::Value* GgufFile::value(std::string_view key) const {
    const auto found = m_metadataIndex.find(std::string(key));
    return found == m_metadataIndex.end() ? nullptr : &m_metadata[found->second].second;
}

bool GgufFile::has(std::string_view key) const {
    return value(key) != nullptr;
}

Error GgufFile::metadataError(std::string_view key, const std::string& what) const {
    return {ErrorKind::input, "CL-2030", fmt::format("'{}': the metadata key '{}' {}.", path(), quotedForMessage(key), what),
            "This program cannot use the file as it is; choose another model file."};
}

Result<std::int64_t> GgufFile::integer(std::string_view key, std::int64_t minimum, std::int64_t maximum) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    std::int64_t result = 0;
    if (const auto* exact = std::get_if<std::int64_t>(found))
        result = *exact;
    else if (const auto* large = std::get_if<std::uint64_t>(found)) {
        if (*large > static_cast<std::uint64_t>(INT64_MAX))
            return fail(metadataError(key, fmt::format("is {}; {} to {} is allowed", *large, minimum, maximum)));
        result = static_cast<std::int64_t>(*large);
    } else
        return fail(metadataError(key, "is not an integer"));
    if (result < minimum || result > maximum)
        return fail(metadataError(key, fmt::format("is {}; {} to {} is allowed", result, minimum, maximum)));
    return result;
}

Result<double> GgufFile::number(std::string_view key, double minimum, double maximum) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    double result = 0;
    if (const auto* real = std::get_if<double>(found))
        result = *real;
    else if (const auto* exact = std::get_if<std::int64_t>(found))
        result = static_cast<double>(*exact);
    else if (const auto* large = std::get_if<std::uint64_t>(found))
        result = static_cast<double>(*large);
    else
        return fail(metadataError(key, "is not a number"));
    if (!std::isfinite(result) || result < minimum || result > maximum)
        return fail(metadataError(key, fmt::format("is {}; {} to {} is allowed", result, minimum, maximum)));
    return result;
}

Result<bool> GgufFile::boolean(std::string_view key) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    if (const auto* result = std::get_if<bool>(found))
        return *result;
    return fail(metadataError(key, "is not a boolean"));
}

Result<std::string> GgufFile::text(std::string_view key) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    if (const auto* result = std::get_if<std::string>(found))
        return *result;
    return fail(metadataError(key, "is not a text"));
}

Result<const std::vector<std::string>*> GgufFile::texts(std::string_view key) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    if (const auto* result = std::get_if<std::vector<std::string>>(found))
        return result;
    return fail(metadataError(key, "is not a list of texts"));
}

Result<std::vector<std::int64_t>> GgufFile::integers(std::string_view key) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    if (const auto* result = std::get_if<IntegerArray>(found))
        return result->values;
    return fail(metadataError(key, "is not a list of integers"));
}

Result<std::vector<double>> GgufFile::numbers(std::string_view key) const {
    const Value* found = value(key);
    if (!found)
        return fail(metadataError(key, "is missing"));
    if (const auto* result = std::get_if<NumberArray>(found))
        return result->values;
    return fail(metadataError(key, "is not a list of floating-point numbers"));
}

std::vector<std::string> GgufFile::keys() const {
    std::vector<std::string> result;
    for (const auto& entry : m_metadata)
        result.push_back(entry.first);
    return result;
}

const TensorInfo* GgufFile::find(std::string_view name) const {
    const auto found = m_tensorIndex.find(std::string(name));
    return found == m_tensorIndex.end() ? nullptr : &m_tensors[found->second];
}

Result<const TensorInfo*> GgufFile::tensor(std::string_view name) const {
    return presentTensor(find(name), name, path());
}

Result<const TensorInfo*> GgufFile::tensor(std::string_view name, const std::vector<std::uint64_t>& dims) const {
    return tensorOfShape(find(name), name, dims, path());
}

Result<std::vector<std::byte>> GgufFile::raw(const TensorInfo& tensor) const {
    return readRaw(*m_file, tensor);
}

Result<std::vector<float>> GgufFile::dequantised(const TensorInfo& tensor) const {
    return readFloats(*m_file, tensor, 0, tensor.rows());
}

Result<std::vector<float>> GgufFile::dequantisedRows(const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows) const {
    return readFloats(*m_file, tensor, firstRow, rows);
}

} // namespace carousel
