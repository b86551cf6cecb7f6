// SPDX-License-Identifier: GPL-3.0-or-later
// Opening and closing a project, settings, and the cache of model answers. Data sets, runs and analyses are in the files beside this one.
#include "store/project_store.h"
#include "base/file.h"
#include "base/text.h"
#include "store/blob.h"
#include "store/project_store_private.h"
#include "store/schema.h"
#include "store/user_result_blob.h"
#include <ctime>
#include <filesystem>

namespace carousel {

namespace fs = std::filesystem;

const char* name(RunState state) {
    switch (state) {
    case RunState::running: return "running";
    case RunState::interrupted: return "interrupted";
    case RunState::complete: return "complete";
    case RunState::failed: return "failed";
    }
    return "failed";
}

namespace store {

std::string now() { return utcSecond(static_cast<std::int64_t>(std::time(nullptr))); }

namespace {
// A cleanly closed project of this size is looked through at every open (a few milliseconds); a larger one only after an unclean end.
constexpr std::uintmax_t alwaysCheckedBytes = std::uintmax_t(16) << 20;

// Is the data sound enough to write to? The clean flag is cleared by open() and set by a clean close.
Result<void> checkBeforeWriting(SQLite::Database& database, const std::string& file) {
    std::error_code error;
    const auto bytes = fs::file_size(file, error);
    const bool pending = fs::file_size(file + "-wal", error) > 0 && !error;
    bool clean = false;
    SQLite::Statement flag(database, "SELECT value FROM state WHERE key = 'clean'");
    if (flag.executeStep())
        clean = flag.getColumn(0).getString() == "1";
    flag.reset();
    if (clean && !pending && bytes > alwaysCheckedBytes)
        return {};
    if (const std::string finding = soundness(database, false); !finding.empty())
        return fail(damaged(file, finding));
    return {};
}
} // namespace
} // namespace store

ProjectStore::Private::~Private() {
    if (!database)
        return;
    // A failure here costs nothing that was committed: the next open sees an unclean end and checks the file.
    const auto closed = store::guarded(file, "closing the project", [&]() -> Result<void> {
        if (!readOnly) {
            database->exec("INSERT INTO state VALUES('clean', '1') ON CONFLICT(key) DO UPDATE SET value = excluded.value");
            SQLite::Statement(*database, "PRAGMA wal_checkpoint(TRUNCATE)").executeStep(); // one file remains
        }
        return {};
    });
    (void)closed;
    database.reset();
}

ProjectStore::ProjectStore(std::unique_ptr<Private> d) : m_d(std::move(d)) {}
ProjectStore::~ProjectStore() = default;

const std::string& ProjectStore::file() const { return m_d->file; }
bool ProjectStore::readOnly() const { return m_d->readOnly; }
int ProjectStore::schemaVersion() const { return m_d->schema; }

Result<std::unique_ptr<ProjectStore>> ProjectStore::create(const std::string& file, const std::string& title) {
    CAROUSEL_TRY(store::guarded(file, "making the project", [&] { return store::createFile(file); }));
    auto opened = open(file);
    if (!opened)
        return opened;
    CAROUSEL_TRY((*opened)->setSetting("title", title));
    CAROUSEL_TRY((*opened)->setSetting("createdAt", store::now()));
    return opened;
}

Result<std::unique_ptr<ProjectStore>> ProjectStore::open(const std::string& file, bool readOnly) {
    auto d = std::make_unique<Private>();
    d->file = file;
    d->readOnly = readOnly;
    if (!fileExists(file)) // before the lock, which would make a file beside it
        return fail(store::readHeader(file).error());
    if (!readOnly) {
        auto lock = store::InstanceLock::take(file);
        if (!lock) {
            // What the file is says more than that its folder takes no lock. When it is locked it must not even be read here: closing the
            // descriptor would drop the locks that another store of this process holds on it.
            if (lock.error().kind != ErrorKind::locked) {
                CAROUSEL_ASSIGN(const auto header, store::readHeader(file));
                CAROUSEL_TRY(store::judge(header, file));
            }
            return fail(std::move(lock.error()));
        }
        d->lock = std::move(*lock);
    }
    CAROUSEL_ASSIGN(const auto header, store::readHeader(file));
    CAROUSEL_TRY(store::judge(header, file));
    auto opened = store::guarded(file, "opening the project", [&]() -> Result<void> {
        if (readOnly) {
            CAROUSEL_ASSIGN(d->database, store::connectReadOnly(file));
            d->schema = store::schemaOf(*d->database);
            CAROUSEL_TRY(store::judge({header.applicationId, d->schema}, file));
            if (d->schema < store::currentSchema())
                return fail(ErrorKind::io, "CL-4005", fmt::format("'{}' has schema version {} and must be upgraded to {} before it can be read.", file, d->schema, store::currentSchema()),
                            "Open it once for writing, in a folder that may be written to; a copy of the old file is kept.");
            return {};
        }
        d->database = store::connect(file);
        CAROUSEL_TRY(store::judge({header.applicationId, store::schemaOf(*d->database)}, file)); // with what the -wal adds
        CAROUSEL_TRY(store::checkBeforeWriting(*d->database, file));
        CAROUSEL_TRY(store::migrate(*d->database, file));
        d->schema = store::schemaOf(*d->database);
        SQLite::Transaction transaction(*d->database, SQLite::TransactionBehavior::IMMEDIATE);
        d->database->exec("INSERT INTO state VALUES('clean', '0') ON CONFLICT(key) DO UPDATE SET value = excluded.value");
        // Nobody else holds the lock, so a run that is still "running" lost its program.
        d->database->exec("UPDATE run SET state = 'interrupted' WHERE state = 'running'");
        transaction.commit();
        return {};
    });
    if (!opened) {
        d->database.reset(); // a refused file is left as it is, so its connection closes without the clean flag
        return fail(std::move(opened.error()));
    }
    return std::unique_ptr<ProjectStore>(new ProjectStore(std::move(d)));
}

Result<void> ProjectStore::integrityCheck() {
    return m_d->locked("checking the project", [&]() -> Result<void> {
        if (const std::string finding = store::soundness(*m_d->database, true); !finding.empty())
            return fail(store::damaged(m_d->file, finding));
        SQLite::Statement results(*m_d->database, "SELECT run, user, result FROM user_result");
        while (results.executeStep()) {
            const auto cell = results.getColumn(2);
            if (!store::decoded({static_cast<const char*>(cell.getBlob()), static_cast<std::size_t>(cell.getBytes())}))
                return fail(store::damaged(m_d->file, fmt::format("the result of user {} in run {} fails its checksum", results.getColumn(1).getInt(), results.getColumn(0).getInt64())));
        }
        SQLite::Statement documents(*m_d->database, "SELECT id, document FROM analysis");
        while (documents.executeStep()) {
            const auto cell = documents.getColumn(1);
            if (!store::unpacked({static_cast<const char*>(cell.getBlob()), static_cast<std::size_t>(cell.getBytes())}))
                return fail(store::damaged(m_d->file, fmt::format("analysis {} fails its checksum", documents.getColumn(0).getInt64())));
        }
        return {};
    });
}

Result<std::string> ProjectStore::setting(const std::string& key) {
    return m_d->locked("reading a setting", [&]() -> Result<std::string> {
        SQLite::Statement query(*m_d->database, "SELECT value FROM setting WHERE key = ?");
        query.bind(1, key);
        return query.executeStep() ? query.getColumn(0).getString() : std::string();
    });
}

Result<void> ProjectStore::setSetting(const std::string& key, const std::string& value) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked("saving a setting", [&]() -> Result<void> {
        SQLite::Statement query(*m_d->database, "INSERT INTO setting VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value");
        query.bind(1, key);
        query.bind(2, value);
        query.exec();
        return {};
    });
}

std::map<std::string, std::string> ProjectStore::find(const std::vector<std::string>& keys) {
    std::map<std::string, std::string> found;
    // A cache that cannot be read is a cache that knows nothing: the answers are computed again.
    const auto read = m_d->locked("reading cached answers", [&]() -> Result<void> {
        SQLite::Statement query(*m_d->database, "SELECT value FROM completion WHERE key = ?");
        for (const auto& key : keys) {
            query.bindNoCopy(1, key);
            if (query.executeStep()) {
                const auto cell = query.getColumn(0);
                if (auto value = store::unpacked({static_cast<const char*>(cell.getBlob()), static_cast<std::size_t>(cell.getBytes())}))
                    found.emplace(key, std::move(*value));
            }
            query.reset();
        }
        return {};
    });
    (void)read;
    return found;
}

Result<void> ProjectStore::store(const std::map<std::string, std::string>& answers) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked("keeping model answers", [&]() -> Result<void> {
        SQLite::Transaction transaction(*m_d->database, SQLite::TransactionBehavior::IMMEDIATE);
        SQLite::Statement insert(*m_d->database, "INSERT INTO completion VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value");
        for (const auto& [key, value] : answers) {
            const std::string cell = store::packed(value);
            insert.bindNoCopy(1, key);
            insert.bindNoCopy(2, cell.data(), static_cast<int>(cell.size()));
            insert.exec();
            insert.reset();
        }
        transaction.commit();
        return {};
    });
}

std::int64_t ProjectStore::cachedAnswers() {
    const auto count = m_d->locked("counting cached answers", [&]() -> Result<std::int64_t> {
        return m_d->database->execAndGet("SELECT count(*) FROM completion").getInt64();
    });
    return count.value_or(0);
}

} // namespace carousel
