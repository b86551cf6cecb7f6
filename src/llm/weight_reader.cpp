// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/weight_reader.h"
#include "base/parallel.h"
#include "base/text.h"
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <fmt/ranges.h>
#include <limits>

namespace carousel {

namespace {
const char* const otherModel = "This program cannot use the file as it is; choose another model file.";

Result<void> checkRows(const BoundedFile& file, const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows) {
    if (!readableAsFloats(tensor.type))
        return fail(ErrorKind::input, "CL-2033",
                    fmt::format("'{}', offset {}: the tensor '{}' is stored as {}.", file.path(), tensor.offset,
                                quotedForMessage(tensor.name), tensor.typeName),
                    fmt::format("This program reads {}; convert the model to one of them.", readableTypes));
    if (tensor.elements != 0 && (firstRow > tensor.rows() || rows > tensor.rows() - firstRow))
        return fail(ErrorKind::internal, "CL-2032",
                    fmt::format("Rows {} to {} of the tensor '{}' were asked for; it has {}.", firstRow, firstRow + rows,
                                quotedForMessage(tensor.name), tensor.rows()),
                    "This is a mistake in the program; please report it.");
    return {};
}
} // namespace

Result<const TensorInfo*> presentTensor(const TensorInfo* found, std::string_view name, const std::string& path) {
    if (found)
        return found;
    return fail(ErrorKind::input, "CL-2031", fmt::format("'{}' has no tensor '{}'.", path, quotedForMessage(name)), otherModel);
}

Result<const TensorInfo*> tensorOfShape(const TensorInfo* found, std::string_view name, const std::vector<std::uint64_t>& dims,
                                        const std::string& path) {
    CAROUSEL_TRY(presentTensor(found, name, path));
    if (found->dims == dims)
        return found;
    return fail(ErrorKind::input, "CL-2032",
                fmt::format("'{}', offset {}: the tensor '{}' has the shape {}, the model's sizes ask for {}.", path, found->offset,
                            quotedForMessage(name), fmt::join(found->dims, " x "), fmt::join(dims, " x ")),
                otherModel);
}

Result<std::vector<std::byte>> readRaw(const BoundedFile& file, const TensorInfo& tensor) {
    if (tensor.offset > file.size() || tensor.bytes > file.size() - tensor.offset)
        return fail(ErrorKind::input, "CL-2003",
                    fmt::format("'{}', offset {}: the tensor '{}' needs {} bytes, the file ends at {}.", file.path(), tensor.offset,
                                quotedForMessage(tensor.name), tensor.bytes, file.size()),
                    "Fetch the file again (packaging/run.sh).");
    std::vector<std::byte> bytes(static_cast<std::size_t>(tensor.bytes));
    CAROUSEL_TRY(file.read(tensor.offset, bytes));
    return bytes;
}

Result<std::vector<float>> readFloats(const BoundedFile& file, const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows) {
    CAROUSEL_TRY(checkRows(file, tensor, firstRow, rows));
    std::vector<float> values(tensor.elements == 0 ? 0 : static_cast<std::size_t>(rows * tensor.columns()));
    CAROUSEL_TRY(readFloatsInto(file, tensor, firstRow, rows, values));
    return values;
}

Result<void> readFloatsInto(const BoundedFile& file, const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows,
                            std::span<float> out) {
    CAROUSEL_TRY(checkRows(file, tensor, firstRow, rows));
    if (tensor.elements == 0 || rows == 0)
        return {};
    const BlockSize block = blockSize(tensor.type);
    const std::uint64_t rowBytes = tensor.columns() / block.elements * block.bytes; // columns are whole blocks: the reader checked it
    const std::size_t columns = static_cast<std::size_t>(tensor.columns());
    if (out.size() != static_cast<std::size_t>(rows) * columns)
        return fail(ErrorKind::internal, "CL-2032",
                    fmt::format("{} rows of {} values of the tensor '{}' were asked for into {} values.", rows, columns,
                                quotedForMessage(tensor.name), out.size()),
                    "This is a mistake in the program; please report it.");
    TensorInfo part = tensor;
    part.offset += firstRow * rowBytes;
    part.bytes = rows * rowBytes;
    CAROUSEL_ASSIGN(const std::vector<std::byte> stored, readRaw(file, part));
    const std::size_t blocks = out.size() / block.elements;
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::atomic<std::size_t> firstBad{none};
    parallelFor(blocks, 4096, [&](std::size_t begin, std::size_t end) {
        const std::span<float> values = out.subspan(begin * block.elements, (end - begin) * block.elements);
        toFloats(tensor.type, std::span(stored).subspan(begin * block.bytes, (end - begin) * block.bytes), values);
        // Largest magnitude as bits: infinities and NaNs are those from 0x7F800000 on.
        std::uint32_t worst = 0;
        for (const float x : values)
            worst = std::max(worst, std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFu);
        if (worst < 0x7F800000u)
            return;
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!std::isfinite(values[i])) {
                std::size_t seen = firstBad.load(), mine = begin * block.elements + i;
                while (mine < seen && !firstBad.compare_exchange_weak(seen, mine)) {
                }
                return;
            }
    });
    if (const auto bad = firstBad.load(); bad != none)
        return fail(ErrorKind::input, "CL-2034",
                    fmt::format("'{}', offset {}: the tensor '{}' holds {} at element {}.", file.path(),
                                part.offset + bad / block.elements * block.bytes, quotedForMessage(tensor.name), out[bad],
                                bad + firstRow * columns),
                    "The weights are damaged; fetch the file again (packaging/run.sh).");
    return {};
}

} // namespace carousel
