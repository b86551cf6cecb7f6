// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/database.h"
#include "store/database_error.h"
#include "store/schema.h"
#include <SQLiteCpp/Backup.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace carousel::store {

namespace fs = std::filesystem;

namespace {
std::uint32_t bigEndian(const unsigned char* bytes) {
    return (std::uint32_t(bytes[0]) << 24) | (std::uint32_t(bytes[1]) << 16) | (std::uint32_t(bytes[2]) << 8) | bytes[3];
}

// WAL needs shared memory between the processes that use a file, which network file systems do not give.
bool onNetwork(const std::string& file) {
    struct statfs info {};
    if (::statfs(file.c_str(), &info) != 0)
        return false;
    switch (static_cast<std::uint32_t>(info.f_type)) {
    case 0x6969:      // NFS
    case 0x517B:      // SMB
    case 0xFF534D42u: // CIFS
    case 0xFE534D42u: // SMB2
        return true;
    default: return false;
    }
}

// Settings that a connection must have before it reads the first row: the file may come from anywhere.
void harden(SQLite::Database& database) {
    auto* handle = database.getHandle();
    for (const int option : {SQLITE_DBCONFIG_DEFENSIVE})
        sqlite3_db_config(handle, option, 1, nullptr);
    for (const int option : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_TRUSTED_SCHEMA})
        sqlite3_db_config(handle, option, 0, nullptr);
    database.exec("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA foreign_keys=ON");
    database.setBusyTimeout(5000);
}

void applySteps(SQLite::Database& database, int from) {
    for (const auto& step : migrations())
        if (step.to > from)
            database.exec(step.sql);
    database.exec(fmt::format("PRAGMA user_version={}", currentSchema()));
}

Error exists(const std::string& file) {
    return {ErrorKind::io, "CL-5005", fmt::format("'{}' exists already.", file), "Choose another name, or open it."};
}

// A copy through SQLite's own backup, which takes in what still lies in the -wal file.
Result<void> copyTo(SQLite::Database& database, const std::string& target) {
    const std::string temporary = target + ".part";
    std::error_code ignored;
    fs::remove(temporary, ignored);
    try {
        SQLite::Database copy(temporary, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        SQLite::Backup backup(copy, database);
        while (backup.executeStep(4096) != SQLITE_DONE) {
        }
    } catch (const SQLite::Exception& exception) {
        fs::remove(temporary, ignored);
        return fail(translated(exception, target, "copying the project before its upgrade"));
    }
    fs::remove(temporary + "-wal", ignored);
    fs::remove(temporary + "-shm", ignored);
    std::error_code error;
    fs::rename(temporary, target, error);
    if (error)
        return fail(ErrorKind::io, "CL-4005", fmt::format("The copy '{}' cannot be made: {}.", target, error.message()), "Check the permissions of the folder.");
    return {};
}
} // namespace

Result<FileHeader> readHeader(const std::string& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
        const int reason = errno;
        return fail(ErrorKind::io, "CL-5001", fmt::format("The project '{}' cannot be opened: {}.", file, std::strerror(reason)), "Check the path; 'init' makes a new project.");
    }
    auto foreign = [&](const std::string& why) {
        return fail(ErrorKind::project, "CL-4001", fmt::format("'{}' is not a Carousel Lab project: {}.", file, why), "Choose a project file, or make one with 'init'. Nothing was changed.");
    };
    if (!S_ISREG(info.st_mode))
        return foreign("it is not a regular file");
    if (info.st_size < 100)
        return foreign(fmt::format("it has only {} bytes", static_cast<long long>(info.st_size)));
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(ErrorKind::io, "CL-4005", fmt::format("The project '{}' cannot be read: {}.", file, std::strerror(errno)), "Check its permissions.");
    unsigned char head[100];
    const auto got = ::pread(descriptor, head, sizeof head, 0);
    ::close(descriptor);
    if (got != static_cast<ssize_t>(sizeof head))
        return fail(ErrorKind::io, "CL-4008", fmt::format("Reading '{}' failed.", file), "Check the disk.");
    if (std::memcmp(head, "SQLite format 3", 16) != 0)
        return foreign("it does not begin as one");
    return FileHeader{bigEndian(head + 68), static_cast<std::int32_t>(bigEndian(head + 60))};
}

Result<void> judge(const FileHeader& header, const std::string& file) {
    if (header.applicationId != static_cast<std::uint32_t>(applicationId))
        return fail(ErrorKind::project, "CL-4001", fmt::format("'{}' is a SQLite file of another program (application id {:08x}, not {:08x}).", file, header.applicationId, applicationId),
                    "Choose a project file, or make one with 'init'. Nothing was changed.");
    if (header.schema > currentSchema())
        return fail(ErrorKind::project, "CL-4002",
                    fmt::format("'{}' was made by a newer Carousel Lab: it has schema version {}, this program knows up to {}.", file, header.schema, currentSchema()),
                    "Install the newer version to open it. Nothing was changed.");
    if (header.schema < 1)
        return fail(damaged(file, fmt::format("its schema version is {}", header.schema)));
    return {};
}

Result<void> createFile(const std::string& file) {
    std::error_code error;
    if (fs::exists(fs::symlink_status(file, error)))
        return fail(exists(file));
    std::string temporary = file + ".new-XXXXXX";
    const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0)
        return fail(ErrorKind::io, "CL-4005", fmt::format("A project cannot be made at '{}': {}.", file, std::strerror(errno)), "Choose a folder that exists and may be written to.");
    const mode_t mask = ::umask(0);
    ::umask(mask);
    (void)!::fchmod(descriptor, 0666 & ~mask);
    ::close(descriptor);
    struct Remover {
        std::string path;
        ~Remover() {
            for (const char* suffix : {"", "-journal", "-wal", "-shm"})
                ::unlink((path + suffix).c_str());
        }
    } remover{temporary};
    {
        SQLite::Database database(temporary, SQLite::OPEN_READWRITE);
        harden(database);
        database.exec(fmt::format("PRAGMA page_size={}; PRAGMA synchronous=FULL; PRAGMA application_id={}", pageSize, applicationId));
        SQLite::Transaction transaction(database);
        applySteps(database, 0);
        database.exec("INSERT INTO state VALUES('clean', '1')");
        transaction.commit();
    }
    // link() does not replace a file that appeared meanwhile, which rename() would.
    if (::link(temporary.c_str(), file.c_str()) == 0)
        return {};
    if (errno == EEXIST)
        return fail(exists(file));
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0)
        return {};
    if (errno == EEXIST)
        return fail(exists(file));
    return fail(ErrorKind::io, "CL-4005", fmt::format("A project cannot be made at '{}': {}.", file, std::strerror(errno)), "Choose a folder that may be written to.");
}

std::unique_ptr<SQLite::Database> connect(const std::string& file) {
    auto database = std::make_unique<SQLite::Database>(file, SQLite::OPEN_READWRITE);
    harden(*database);
    const std::string mode = database->execAndGet(onNetwork(file) ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL").getString();
    (void)mode; // where WAL is refused SQLite stays with a rollback journal, which is as safe, only slower
    database->exec("PRAGMA synchronous=FULL");
    return database;
}

Result<std::unique_ptr<SQLite::Database>> connectReadOnly(const std::string& file) {
    const fs::path folder = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : fs::path(".");
    const bool writable = ::access(file.c_str(), W_OK) == 0 && ::access(folder.c_str(), W_OK) == 0;
    std::unique_ptr<SQLite::Database> database;
    if (writable) {
        // Not OPEN_READONLY: reading a WAL file needs its -shm file, and only a connection that may write removes it again.
        database = std::make_unique<SQLite::Database>(file, SQLite::OPEN_READWRITE);
        harden(*database);
        database->exec("PRAGMA wal_autocheckpoint=0; PRAGMA query_only=ON");
    } else {
        std::error_code error;
        const auto pending = fs::file_size(file + "-wal", error);
        if (!error && pending > 0) {
            database = std::make_unique<SQLite::Database>(file, SQLite::OPEN_READONLY);
        } else {
            std::string uri = "file:";
            for (const char c : fs::absolute(file).string())
                uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
            database = std::make_unique<SQLite::Database>(uri + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI);
        }
        harden(*database);
    }
    return database;
}

int schemaOf(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

Result<void> migrate(SQLite::Database& database, const std::string& file) {
    const int from = schemaOf(database);
    if (from >= currentSchema())
        return {};
    CAROUSEL_TRY(copyTo(database, fmt::format("{}.bak-v{}", file, from)));
    {
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        applySteps(database, from);
        SQLite::Statement broken(database, "PRAGMA foreign_key_check");
        if (broken.executeStep())
            return fail(damaged(file, fmt::format("table '{}' points at rows that are not there, so it cannot be upgraded from schema {} to {}", broken.getColumn(0).getString(),
                                                  from, currentSchema())));
        transaction.commit();
    }
    // The header in the file itself must show the new version, since it is read without the -wal.
    SQLite::Statement(database, "PRAGMA wal_checkpoint(TRUNCATE)").executeStep();
    return {};
}

std::string soundness(SQLite::Database& database, bool deep) {
    SQLite::Statement check(database, deep ? "PRAGMA integrity_check(3)" : "PRAGMA quick_check(3)");
    std::string finding;
    while (check.executeStep()) {
        const std::string line = check.getColumn(0).getString();
        if (line != "ok")
            finding += (finding.empty() ? "" : "; ") + line;
    }
    if (finding.empty() && deep) {
        SQLite::Statement broken(database, "PRAGMA foreign_key_check");
        if (broken.executeStep())
            finding = "table '" + broken.getColumn(0).getString() + "' points at rows that are not there";
    }
    return finding;
}

} // namespace carousel::store
