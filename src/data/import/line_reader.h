// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of a text file, streamed, whatever its compression (.gz, .zst, .xz, .bz2 are read as they lie). Refuses what is not UTF-8 text.
#pragma once
#include "base/result.h"
#include "data/dataset.h"
#include <memory>
#include <string>
#include <string_view>

namespace carousel {

constexpr std::size_t longestLine = std::size_t(4) << 20;
constexpr std::size_t longestField = std::size_t(1) << 20;
constexpr std::size_t mostColumns = 4096;

std::string fileName(const std::string& path); // without folders

class LineReader {
public:
    // Errors CL-1001 (no such file), CL-1002 (damaged compression), CL-1003 (not UTF-8 text), CL-1004 (empty).
    static Result<LineReader> open(const std::string& path);
    LineReader(LineReader&&) noexcept;
    LineReader& operator=(LineReader&&) noexcept;
    ~LineReader();

    // The next line without its end; false at the end of the file. The view holds until the next call.
    Result<bool> next(std::string_view& line);
    std::int64_t lineNumber() const; // of the line returned last, 1-based
    double fractionRead() const;     // of the file's bytes
    const std::string& file() const; // name without folders
    // Name, bytes and SHA-256 of the file as it lies on disk. Reads what is left of it.
    Result<SourceFile> source();

private:
    struct State;
    explicit LineReader(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace carousel
