// SPDX-License-Identifier: GPL-3.0-or-later
// A model file opened for reading by offset. Reads go through pread and are checked against the size found at opening, so that a file
// that shrinks meanwhile gives an error and not a signal.
#pragma once
#include "base/result.h"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace carousel {

class BoundedFile {
public:
    static Result<std::shared_ptr<BoundedFile>> open(const std::string& path); // CL-2001 (cannot open), CL-2002 (not a regular file)
    ~BoundedFile();
    BoundedFile(const BoundedFile&) = delete;
    BoundedFile& operator=(const BoundedFile&) = delete;
    const std::string& path() const { return m_path; }
    std::uint64_t size() const { return m_size; }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const; // CL-2003 (beyond the end, shrunk, I/O)

private:
    BoundedFile(std::string path, int descriptor, std::uint64_t size);
    std::string m_path;
    int m_descriptor;
    std::uint64_t m_size;
};

} // namespace carousel
