// SPDX-License-Identifier: GPL-3.0-or-later
// One writing instance per project: an flock on FILE.lock, which the kernel drops when its holder dies, so a killed program leaves no
// stale lock. The file holds the PID and host of the holder for the message a second instance shows.
#pragma once
#include "base/result.h"

namespace carousel::store {

class InstanceLock {
public:
    // CL-4004 (kind locked) naming the holder; CL-4005 (kind io) when the folder takes no file.
    static Result<InstanceLock> take(const std::string& projectFile);
    InstanceLock() = default;
    InstanceLock(InstanceLock&& other) noexcept;
    InstanceLock& operator=(InstanceLock&& other) noexcept;
    ~InstanceLock();
    bool held() const { return m_descriptor >= 0; }

private:
    void release();
    std::string m_path;
    int m_descriptor = -1;
};

} // namespace carousel::store
