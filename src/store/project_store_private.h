// SPDX-License-Identifier: GPL-3.0-or-later
// What the parts of ProjectStore share: the writer connection, its mutex and the guard around each call.
#pragma once
#include "store/database.h"
#include "store/database_error.h"
#include "store/instance_lock.h"
#include "store/project_store.h"
#include <mutex>

namespace carousel {

struct ProjectStore::Private {
    std::string file;
    bool readOnly = false;
    int schema = 0;
    store::InstanceLock lock; // released last
    std::unique_ptr<SQLite::Database> database; // guarded by mutex
    std::mutex mutex;

    ~Private();
    // One call at a time, and no exception out of it.
    template <class Body> auto locked(const std::string& what, Body&& body) -> decltype(body()) {
        std::scoped_lock guard(mutex);
        return store::guarded(file, what, std::forward<Body>(body));
    }
    Result<void> writable() const {
        if (readOnly)
            return fail(ErrorKind::io, "CL-4005", fmt::format("The project '{}' is open read-only.", file), "Close it and open it for writing.");
        return {};
    }
};

namespace store {
std::string now(); // UTC, seconds
}

} // namespace carousel
