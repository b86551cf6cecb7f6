// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/database_error.h"
#include <filesystem>
#include <sqlite3.h>

namespace carousel::store {

namespace {
// The newest copy made before a migration, if there is one.
std::string backupBeside(const std::string& file) {
    for (int version = 99; version > 0; --version) {
        std::error_code error;
        const std::string copy = fmt::format("{}.bak-v{}", file, version);
        if (std::filesystem::exists(copy, error))
            return copy;
    }
    return {};
}
} // namespace

Error damaged(const std::string& file, const std::string& detail) {
    const std::string copy = backupBeside(file);
    return {ErrorKind::project, "CL-4003", fmt::format("The project file '{}' is damaged: {}.", file, detail),
            copy.empty() ? "Restore the file from a backup. It is left as it is." : fmt::format("Restore it from a backup; '{}' is one. The file is left as it is.", copy)};
}

Error translated(const SQLite::Exception& exception, const std::string& file, const std::string& what) {
    const std::string detail = exception.what();
    switch (exception.getErrorCode()) {
    case SQLITE_NOTADB:
        return {ErrorKind::project, "CL-4001", fmt::format("'{}' is not a Carousel Lab project ({}).", file, detail), "Choose a project file, or make one with 'init'."};
    case SQLITE_CORRUPT: return damaged(file, detail);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {ErrorKind::locked, "CL-4004", fmt::format("The project '{}' is in use by another program ({}, while {}).", file, detail, what),
                "Close the other program and try again."};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return {ErrorKind::io, "CL-4005", fmt::format("The project '{}' cannot be written where it lies: {} (while {}).", file, detail, what),
                "Check the permissions of the file and its folder, or copy the project to a folder that may be written to."};
    case SQLITE_FULL:
        return {ErrorKind::io, "CL-4006", fmt::format("The disk that holds '{}' is full (while {}).", file, what),
                "Free some space and start again or resume; everything saved before is kept."};
    case SQLITE_IOERR:
        return {ErrorKind::io, "CL-4008", fmt::format("Reading or writing '{}' failed: {} (while {}).", file, detail, what),
                "Check the disk and its file size limits; everything saved before is kept."};
    case SQLITE_NOMEM: return {ErrorKind::internal, "CL-9041", fmt::format("Not enough memory while {}.", what), "Close other programs or use a smaller data set."};
    default:
        return {ErrorKind::internal, "CL-9040", fmt::format("The project store failed while {}: {} (SQLite code {}).", what, detail, exception.getExtendedErrorCode()),
                "Please report this with the message."};
    }
}

Error translatedOther(const std::exception& exception, const std::string& file, const std::string& what) {
    if (dynamic_cast<const std::bad_alloc*>(&exception))
        return {ErrorKind::internal, "CL-9041", fmt::format("Not enough memory while {}.", what), "Close other programs or use a smaller data set."};
    return {ErrorKind::internal, "CL-9040", fmt::format("The project store failed while {} in '{}': {}.", what, file, exception.what()), "Please report this with the message."};
}

} // namespace carousel::store
