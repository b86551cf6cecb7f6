// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/instance_lock.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace carousel::store {

namespace {
std::string holder(int descriptor) {
    char text[300] = {};
    const auto length = ::pread(descriptor, text, sizeof text - 1, 0);
    if (length <= 0)
        return "another instance";
    std::string line(text, static_cast<std::size_t>(length));
    if (const auto end = line.find('\n'); end != std::string::npos)
        line.resize(end);
    return line; // "process 1234 on host"
}
} // namespace

Result<InstanceLock> InstanceLock::take(const std::string& projectFile) {
    const std::string path = projectFile + ".lock";
    for (int attempt = 0; attempt < 50; ++attempt) {
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor < 0)
            return fail(ErrorKind::io, "CL-4005", fmt::format("The project '{}' cannot be opened for writing: '{}' cannot be made ({}).", projectFile, path, std::strerror(errno)),
                        "Choose a folder that exists and may be written to, or open the project read-only.");
        if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            const int reason = errno;
            const std::string who = holder(descriptor);
            ::close(descriptor);
            if (reason == EINTR)
                continue;
            if (reason != EWOULDBLOCK)
                return fail(ErrorKind::io, "CL-4005", fmt::format("'{}' cannot be locked: {}.", path, std::strerror(reason)), "Copy the project to a local disk.");
            return fail(ErrorKind::locked, "CL-4004", fmt::format("The project '{}' is open in another instance ({}).", projectFile, who),
                        "Close that instance, or open the project read-only.");
        }
        // The last holder may have removed the file between our open and our flock: then this lock guards nothing, so take the new file.
        struct stat mine {}, named {};
        if (::fstat(descriptor, &mine) != 0 || ::stat(path.c_str(), &named) != 0 || mine.st_ino != named.st_ino || mine.st_dev != named.st_dev) {
            ::close(descriptor);
            continue;
        }
        char host[256] = {};
        ::gethostname(host, sizeof host - 1);
        const std::string line = fmt::format("process {} on {}\n", static_cast<long>(::getpid()), host);
        // The text only serves messages, so a failure to write it does not refuse the lock.
        if (::ftruncate(descriptor, 0) == 0)
            (void)!::pwrite(descriptor, line.data(), line.size(), 0);
        InstanceLock lock;
        lock.m_path = path;
        lock.m_descriptor = descriptor;
        return lock;
    }
    return fail(ErrorKind::locked, "CL-4004", fmt::format("The project '{}' is being opened and closed by other instances.", projectFile), "Try again.");
}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept : m_path(std::move(other.m_path)), m_descriptor(std::exchange(other.m_descriptor, -1)) {}

InstanceLock& InstanceLock::operator=(InstanceLock&& other) noexcept {
    if (this != &other) {
        release();
        m_path = std::move(other.m_path);
        m_descriptor = std::exchange(other.m_descriptor, -1);
    }
    return *this;
}

InstanceLock::~InstanceLock() { release(); }

void InstanceLock::release() {
    if (m_descriptor < 0)
        return;
    ::unlink(m_path.c_str()); // while still held, see take()
    ::close(m_descriptor);
    m_descriptor = -1;
}

} // namespace carousel::store
