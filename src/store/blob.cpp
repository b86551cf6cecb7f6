// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/blob.h"
#include <xxhash.h>
#include <zlib.h>

namespace carousel::store {

namespace {
constexpr char plainKind = 0, zlibKind = 1;
constexpr std::size_t headSize = 1 + 2 * sizeof(std::uint64_t);
} // namespace

std::string packed(std::string_view raw) {
    const std::uint64_t numbers[] = {raw.size(), checksum(raw)};
    auto head = [&](char kind) {
        std::string cell(1, kind);
        cell.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
        return cell;
    };
    if (raw.size() >= 128) {
        std::string cell = head(zlibKind);
        uLongf length = compressBound(static_cast<uLong>(raw.size()));
        cell.resize(headSize + length);
        // Level 1: a project is written far more often than it is short of space.
        const int outcome = compress2(reinterpret_cast<Bytef*>(cell.data() + headSize), &length, reinterpret_cast<const Bytef*>(raw.data()), static_cast<uLong>(raw.size()), 1);
        if (outcome == Z_OK && length < raw.size() / 10 * 9) {
            cell.resize(headSize + length);
            return cell;
        }
    }
    return head(plainKind).append(raw);
}

std::optional<std::string> unpacked(std::string_view cell, std::size_t limit) {
    if (cell.size() < headSize)
        return std::nullopt;
    std::uint64_t numbers[2];
    std::memcpy(numbers, cell.data() + 1, sizeof numbers);
    const std::uint64_t size = numbers[0];
    const std::string_view body = cell.substr(headSize);
    // zlib shrinks at most about 1030 times, so a damaged size cannot ask for more memory than the cell can stand for.
    if (size > limit || size / 1040 > body.size() + 1)
        return std::nullopt;
    if (cell[0] == plainKind)
        return body.size() == size && checksum(body) == numbers[1] ? std::optional<std::string>(body) : std::nullopt;
    if (cell[0] != zlibKind)
        return std::nullopt;
    std::string raw(size, '\0');
    uLongf length = static_cast<uLongf>(size);
    const int outcome = uncompress(reinterpret_cast<Bytef*>(raw.data()), &length, reinterpret_cast<const Bytef*>(body.data()), static_cast<uLong>(body.size()));
    if (outcome != Z_OK || length != size || checksum(raw) != numbers[1])
        return std::nullopt;
    return raw;
}

std::uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

} // namespace carousel::store
