// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/file.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace carousel {

namespace fs = std::filesystem;

Result<std::string> readFile(const std::string& path, std::size_t limitBytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(ErrorKind::io, "CL-5001", fmt::format("Cannot read '{}': {}.", path, std::strerror(errno)), "Check the path and its permissions.");
    struct Closer {
        int fd;
        ~Closer() { ::close(fd); }
    } closer{fd};
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return fail(ErrorKind::io, "CL-5003", fmt::format("'{}' is not a regular file.", path), "Give the path of a file.");
    if (static_cast<std::size_t>(info.st_size) > limitBytes)
        return fail(ErrorKind::io, "CL-5003", fmt::format("'{}' has {} bytes; at most {} are read here.", path, info.st_size, limitBytes), "Check that this is the right file.");
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t at = 0;
    while (at < bytes.size()) {
        const ssize_t got = ::read(fd, bytes.data() + at, bytes.size() - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(ErrorKind::io, "CL-5001", fmt::format("Reading '{}' failed: {}.", path, std::strerror(errno)), "Check the disk.");
        if (got == 0)
            break;
        at += static_cast<std::size_t>(got);
    }
    bytes.resize(at);
    return bytes;
}

Result<void> atomicWrite(const std::string& path, std::string_view bytes) {
    std::string temporary = path + ".part-XXXXXX";
    const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
    auto refused = [&](const char* what) {
        return fail(ErrorKind::io, "CL-5002", fmt::format("Cannot write '{}': {} ({}).", path, what, std::strerror(errno)),
                    "Check that the folder exists, may be written to, and has free space; the old file, if any, is unchanged.");
    };
    if (fd < 0)
        return refused("the folder does not take a new file");
    std::size_t at = 0;
    bool ok = true;
    while (ok && at < bytes.size()) {
        const ssize_t put = ::write(fd, bytes.data() + at, bytes.size() - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            ok = false;
        else
            at += static_cast<std::size_t>(put);
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ok = ok && ::fchmod(fd, 0666 & ~mask) == 0 && ::fsync(fd) == 0;
    const int writeError = errno;
    const bool closed = ::close(fd) == 0;
    if (!ok || !closed || ::rename(temporary.c_str(), path.c_str()) != 0) {
        if (!ok)
            errno = writeError;
        const int kept = errno;
        ::unlink(temporary.c_str());
        errno = kept;
        return refused("writing failed");
    }
    return {};
}

Result<void> makeFolders(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error)
        return fail(ErrorKind::io, "CL-5004", fmt::format("Cannot make the folder '{}': {}.", path, error.message()), "Choose a folder that may be written to.");
    return {};
}

bool fileExists(const std::string& path) {
    std::error_code error;
    return fs::exists(path, error);
}

} // namespace carousel
