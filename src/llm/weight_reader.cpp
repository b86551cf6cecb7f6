// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/weight_reader.h"
#include "base/parallel.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <limits>
#include <mutex>
#include <optional>

namespace carousel {

namespace {
const char* const otherModel = "This program cannot use the file as it is; choose another model file.";

Error outside(const BoundedFile& file, const TensorInfo& tensor) {
    return {ErrorKind::input, "CL-2003",
            fmt::format("'{}', offset {}: the tensor '{}' needs {} bytes, the file ends at {}.", file.path(), tensor.offset,
                        quotedForMessage(tensor.name), tensor.bytes, file.size()),
            "Fetch the file again (packaging/run.sh)."};
}

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
        return fail(outside(file, tensor));
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
    if (tensor.offset > file.size() || tensor.bytes > file.size() - tensor.offset)
        return fail(outside(file, tensor));
    // Pieces that stay in the cache between reading, turning into floats and checking; each is read by the thread that turns it.
    const std::uint64_t start = tensor.offset + firstRow * rowBytes;
    const std::size_t blocks = out.size() / block.elements, piece = std::max<std::size_t>(1, (std::size_t(1) << 16) / block.elements);
    std::mutex mutex;
    std::size_t firstBad = std::numeric_limits<std::size_t>::max(); // guarded by mutex
    std::optional<Error> readError;                                 // guarded by mutex
    parallelFor(blocks, piece, [&](std::size_t begin, std::size_t end) {
        thread_local std::vector<std::byte> stored;
        stored.resize((end - begin) * block.bytes);
        if (auto got = file.read(start + begin * block.bytes, stored); !got) {
            std::scoped_lock lock(mutex);
            readError = std::move(got.error());
            return;
        }
        const std::span<float> values = out.subspan(begin * block.elements, (end - begin) * block.elements);
        toFloats(tensor.type, stored, values);
        if (allFinite(values))
            return;
        const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
        std::scoped_lock lock(mutex);
        firstBad = std::min(firstBad, begin * block.elements + static_cast<std::size_t>(bad - values.begin()));
    });
    if (readError)
        return fail(std::move(*readError));
    if (firstBad < out.size())
        return fail(ErrorKind::input, "CL-2034",
                    fmt::format("'{}', offset {}: the tensor '{}' holds {} at element {}.", file.path(),
                                start + firstBad / block.elements * block.bytes, quotedForMessage(tensor.name), out[firstBad],
                                firstBad + firstRow * columns),
                    "The weights are damaged; fetch the file again (packaging/run.sh).");
    return {};
}

} // namespace carousel
