// SPDX-License-Identifier: GPL-3.0-or-later
// Small crossings between model files, tensors and plain matrices.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include "llm/model_source.h"
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <cstring>
#include <string>
#include <vector>

namespace carousel {

// Thrown while a model is loaded; the opening function turns it back into the reader's own Error.
struct ReadFailed {
    Error error;
};

template <class File> at::Tensor readTensor(const File& file, const std::string& tensorName) {
    auto info = file.tensor(tensorName);
    if (!info)
        throw ReadFailed{info.error()};
    auto values = file.dequantised(**info);
    if (!values)
        throw ReadFailed{values.error()};
    const std::vector<std::int64_t> dims((*info)->dims.begin(), (*info)->dims.end());
    auto* kept = new std::vector<float>(std::move(*values));
    return at::from_blob(
        kept->data(), dims, [kept](void*) { delete kept; }, at::kFloat);
}

// A weight of a decoder as fp32, of its stored shape.
inline at::Tensor readWeight(const ModelSource& source, WeightRole role, std::int64_t block = 0) {
    const TensorInfo& info = source.stored(role, block);
    const std::vector<std::int64_t> dims(info.dims.begin(), info.dims.end());
    auto values = source.floats(role, block);
    if (!values)
        throw ReadFailed{values.error()};
    auto* kept = new std::vector<float>(std::move(*values));
    return at::from_blob(
        kept->data(), dims, [kept](void*) { delete kept; }, at::kFloat);
}

inline Matrix toMatrix(const at::Tensor& x) {
    const at::Tensor local = x.to(at::kCPU, at::kFloat).contiguous();
    Matrix out(static_cast<std::size_t>(local.size(0)), static_cast<std::size_t>(local.size(1)));
    std::memcpy(out.values.data(), local.data_ptr<float>(), out.values.size() * sizeof(float));
    return out;
}
// Looks into the matrix; it must outlive the tensor, which must not be written to.
inline at::Tensor viewRows(const Matrix& x, std::size_t firstRow, std::size_t rows) {
    return at::from_blob(const_cast<float*>(x.values.data() + firstRow * x.columns),
                         {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(x.columns)}, at::kFloat);
}

} // namespace carousel
