// SPDX-License-Identifier: GPL-3.0-or-later
// The one guard between SQLite's exceptions and Result<T>: nothing thrown by SQLiteCpp leaves src/store.
#pragma once
#include "base/result.h"
#include <exception>
#include <new>

namespace SQLite {
class Exception;
}

namespace carousel::store {

// What a SQLite failure means for the analyst: CL-4001 not a database, CL-4003 damaged, CL-4004 busy, CL-4005 read-only place,
// CL-4006 disk full, CL-4008 the disk failed; anything else is ours (kind internal, CL-9040).
Error translated(const SQLite::Exception& exception, const std::string& file, const std::string& what);
Error translatedOther(const std::exception& exception, const std::string& file, const std::string& what);
Error damaged(const std::string& file, const std::string& detail);

// Calls body() and turns what it throws into an Error. `what` is a phrase such as "saving the data set 'x'".
template <class Body> auto guarded(const std::string& file, const std::string& what, Body&& body) -> decltype(body());

} // namespace carousel::store

#include <SQLiteCpp/Exception.h>

template <class Body> auto carousel::store::guarded(const std::string& file, const std::string& what, Body&& body) -> decltype(body()) {
    try {
        return body();
    } catch (const SQLite::Exception& exception) {
        return fail(translated(exception, file, what));
    } catch (const std::exception& exception) {
        return fail(translatedOther(exception, file, what));
    }
}
