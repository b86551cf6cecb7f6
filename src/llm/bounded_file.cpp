// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/bounded_file.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace carousel {

Result<std::shared_ptr<BoundedFile>> BoundedFile::open(const std::string& path) {
    // O_NONBLOCK: a FIFO in the place of a model must not hang the program.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return fail(ErrorKind::io, "CL-2001", fmt::format("Cannot open the model file '{}': {}.", path, std::strerror(errno)),
                    "Check the path and its permissions; packaging/run.sh fetches the models of this program.");
    struct stat info {};
    if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(descriptor);
        return fail(ErrorKind::io, "CL-2002", fmt::format("'{}' is not a regular file.", path), "Give the path of a model file.");
    }
    return std::shared_ptr<BoundedFile>(new BoundedFile(path, descriptor, static_cast<std::uint64_t>(info.st_size)));
}

BoundedFile::BoundedFile(std::string path, int descriptor, std::uint64_t size)
    : m_path(std::move(path)), m_descriptor(descriptor), m_size(size) {}

BoundedFile::~BoundedFile() {
    ::close(m_descriptor);
}

Result<void> BoundedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
    const char* const hint = "Fetch the file again (packaging/run.sh), and do not change it while the program uses it.";
    if (offset > m_size || out.size() > m_size - offset)
        return fail(ErrorKind::input, "CL-2003",
                    fmt::format("'{}', offset {}: {} bytes are needed, the file ends at {}.", m_path, offset, out.size(), m_size), hint);
    std::size_t done = 0;
    while (done < out.size()) {
        const std::size_t wanted = std::min<std::size_t>(out.size() - done, std::size_t(1) << 30);
        const ssize_t got = ::pread(m_descriptor, out.data() + done, wanted, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(ErrorKind::io, "CL-2003",
                        fmt::format("'{}', offset {}: reading failed: {}.", m_path, offset + done, std::strerror(errno)),
                        "Check the disk.");
        if (got == 0)
            return fail(ErrorKind::input, "CL-2003",
                        fmt::format("'{}', offset {}: the file has become shorter than the {} bytes it had when it was opened.", m_path,
                                    offset + done, m_size),
                        hint);
        done += static_cast<std::size_t>(got);
    }
    return {};
}

} // namespace carousel
