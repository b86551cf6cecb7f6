// SPDX-License-Identifier: GPL-3.0-or-later
// Studies, runs and the results of their users. A complete run is immutable: only its tag may change, or it is removed as a whole.
#include "store/blob.h"
#include "store/project_store_private.h"
#include "store/user_result_blob.h"

namespace carousel {

namespace {
constexpr const char* runColumns = "SELECT run.id, run.study, study.name, run.strategy, run.dataset, run.dataset_digest, run.split_digest, run.fingerprint, run.state, "
                                   "run.created_at, run.finished_at, study.toml, run.strategy_json, run.provenance, run.notes, run.users_done, run.users_total, "
                                   "run.error, run.tag FROM run JOIN study ON study.id = run.study ";

RunState stateOf(const std::string& text) {
    for (const auto state : {RunState::running, RunState::interrupted, RunState::complete})
        if (text == name(state))
            return state;
    return RunState::failed; // the table allows no fifth word
}

RunRow rowOf(SQLite::Statement& query) {
    RunRow row;
    int at = 0;
    auto text = [&] { return query.getColumn(at++).getString(); };
    auto number = [&] { return query.getColumn(at++).getInt64(); };
    row.id = number();
    row.study = number();
    row.studyName = text();
    row.strategy = text();
    row.dataset = text();
    row.datasetDigest = text();
    row.splitDigest = text();
    row.fingerprint = text();
    row.state = stateOf(text());
    row.createdAt = text();
    row.finishedAt = text();
    row.studyToml = text();
    row.strategyJson = text();
    row.provenanceJson = text();
    row.notesJson = text();
    row.usersDone = number();
    row.usersTotal = number();
    row.error = text();
    row.tag = text();
    return row;
}

Error unknownRun(std::int64_t id) {
    return {ErrorKind::input, "CL-4007", fmt::format("The project holds no run {}.", id), "See 'runs list' for those it holds."};
}

Error unknownStudy(std::int64_t id) {
    return {ErrorKind::input, "CL-4007", fmt::format("The project holds no study {}.", id), "See 'runs list' for those it holds."};
}

Result<RunState> stateOfRun(SQLite::Database& database, std::int64_t id) {
    SQLite::Statement query(database, "SELECT state FROM run WHERE id = ?");
    query.bind(1, id);
    if (!query.executeStep())
        return fail(unknownRun(id));
    return stateOf(query.getColumn(0).getString());
}

Error immutable(std::int64_t id, RunState state) {
    return {ErrorKind::internal, "CL-4009", fmt::format("Run {} is {}, so its results cannot be changed.", id, name(state)), "Resume it first, or start a new run."};
}

std::int64_t insertStudy(SQLite::Database& database, const std::string& studyName, const std::string& toml) {
    SQLite::Statement insert(database, "INSERT INTO study(name, toml, created_at) VALUES(?, ?, ?)");
    insert.bind(1, studyName);
    insert.bind(2, toml);
    insert.bind(3, store::now());
    insert.exec();
    return database.getLastInsertRowid();
}
} // namespace

Result<std::int64_t> ProjectStore::beginStudy(const std::string& studyName, const std::string& toml) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked("beginning a study", [&]() -> Result<std::int64_t> { return insertStudy(*m_d->database, studyName, toml); });
}

Result<std::string> ProjectStore::studyToml(std::int64_t study) {
    return m_d->locked("reading a study", [&]() -> Result<std::string> {
        SQLite::Statement query(*m_d->database, "SELECT toml FROM study WHERE id = ?");
        query.bind(1, study);
        if (!query.executeStep())
            return fail(unknownStudy(study));
        return query.getColumn(0).getString();
    });
}

Result<std::int64_t> ProjectStore::latestStudy() {
    return m_d->locked("reading the studies", [&]() -> Result<std::int64_t> { return m_d->database->execAndGet("SELECT coalesce(max(id), 0) FROM study").getInt64(); });
}

Result<std::int64_t> ProjectStore::beginRun(const RunRow& row) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked("beginning a run", [&]() -> Result<std::int64_t> {
        auto& database = *m_d->database;
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        std::int64_t study = row.study;
        if (study == 0) {
            study = insertStudy(database, row.studyName, row.studyToml); // a run on its own is a study of one
        } else {
            SQLite::Statement known(database, "SELECT 1 FROM study WHERE id = ?");
            known.bind(1, study);
            if (!known.executeStep())
                return fail(unknownStudy(study));
        }
        SQLite::Statement insert(database, "INSERT INTO run(study, strategy, dataset, dataset_digest, split_digest, fingerprint, state, created_at, finished_at, "
                                           "strategy_json, provenance, notes, users_done, users_total, error, tag) "
                                           "VALUES(?, ?, ?, ?, ?, ?, 'running', ?, '', ?, ?, ?, 0, ?, '', ?)");
        insert.bind(1, study);
        insert.bind(2, row.strategy);
        insert.bind(3, row.dataset);
        insert.bind(4, row.datasetDigest);
        insert.bind(5, row.splitDigest);
        insert.bind(6, row.fingerprint);
        insert.bind(7, store::now());
        insert.bind(8, row.strategyJson);
        insert.bind(9, row.provenanceJson);
        insert.bind(10, row.notesJson);
        insert.bind(11, row.usersTotal);
        insert.bind(12, row.tag);
        insert.exec();
        const auto id = database.getLastInsertRowid();
        transaction.commit();
        return id;
    });
}

Result<void> ProjectStore::finishRun(std::int64_t id, RunState state, const std::string& notesJson, const std::string& error) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked(fmt::format("finishing run {}", id), [&]() -> Result<void> {
        CAROUSEL_ASSIGN(const auto before, stateOfRun(*m_d->database, id));
        if (before == RunState::complete)
            return fail(immutable(id, before));
        SQLite::Statement update(*m_d->database, "UPDATE run SET state = ?, finished_at = ?, notes = ?, error = ? WHERE id = ?");
        update.bind(1, name(state));
        update.bind(2, store::now());
        update.bind(3, notesJson);
        update.bind(4, error);
        update.bind(5, id);
        update.exec();
        return {};
    });
}

Result<void> ProjectStore::reopenRun(std::int64_t id) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked(fmt::format("resuming run {}", id), [&]() -> Result<void> {
        CAROUSEL_ASSIGN(const auto before, stateOfRun(*m_d->database, id));
        if (before == RunState::complete)
            return fail(ErrorKind::input, "CL-4009", fmt::format("Run {} is complete; there is nothing to resume.", id), "Start a new run to compute it again.");
        SQLite::Statement update(*m_d->database, "UPDATE run SET state = 'running', finished_at = '', error = '' WHERE id = ?");
        update.bind(1, id);
        update.exec();
        return {};
    });
}

Result<std::vector<RunRow>> ProjectStore::runs() {
    return m_d->locked("listing the runs", [&]() -> Result<std::vector<RunRow>> {
        std::vector<RunRow> rows;
        SQLite::Statement query(*m_d->database, std::string(runColumns) + "ORDER BY run.id DESC");
        while (query.executeStep())
            rows.push_back(rowOf(query));
        return rows;
    });
}

Result<RunRow> ProjectStore::run(std::int64_t id) {
    return m_d->locked("reading a run", [&]() -> Result<RunRow> {
        SQLite::Statement query(*m_d->database, std::string(runColumns) + "WHERE run.id = ?");
        query.bind(1, id);
        if (!query.executeStep())
            return fail(unknownRun(id));
        return rowOf(query);
    });
}

Result<void> ProjectStore::removeRun(std::int64_t id) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked(fmt::format("removing run {}", id), [&]() -> Result<void> {
        auto& database = *m_d->database;
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        SQLite::Statement owner(database, "SELECT study FROM run WHERE id = ?");
        owner.bind(1, id);
        if (!owner.executeStep())
            return fail(unknownRun(id));
        const auto study = owner.getColumn(0).getInt64();
        owner.reset();
        SQLite::Statement remove(database, "DELETE FROM run WHERE id = ?");
        remove.bind(1, id);
        remove.exec();
        SQLite::Statement leftOver(database, "DELETE FROM study WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE study = ?1)");
        leftOver.bind(1, study);
        leftOver.exec();
        transaction.commit();
        return {};
    });
}

Result<void> ProjectStore::tagRun(std::int64_t id, const std::string& tag) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked(fmt::format("tagging run {}", id), [&]() -> Result<void> {
        SQLite::Statement update(*m_d->database, "UPDATE run SET tag = ? WHERE id = ?");
        update.bind(1, tag);
        update.bind(2, id);
        if (update.exec() == 0)
            return fail(unknownRun(id));
        return {};
    });
}

Result<void> ProjectStore::appendUsers(std::int64_t run, const std::vector<UserResult>& users) {
    CAROUSEL_TRY(m_d->writable());
    for (const auto& user : users)
        CAROUSEL_TRY(store::checkNumbers(user));
    return m_d->locked(fmt::format("saving results of run {}", run), [&]() -> Result<void> {
        auto& database = *m_d->database;
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        CAROUSEL_ASSIGN(const auto state, stateOfRun(database, run));
        if (state != RunState::running)
            return fail(immutable(run, state));
        SQLite::Statement insert(database, "INSERT INTO user_result(run, user, result, trace) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING");
        for (const auto& user : users) {
            const std::string result = store::encoded(user), trace = store::packed(user.trace);
            insert.bind(1, run);
            insert.bind(2, user.user);
            insert.bindNoCopy(3, result.data(), static_cast<int>(result.size()));
            insert.bindNoCopy(4, trace.data(), static_cast<int>(trace.size()));
            if (insert.exec() == 0)
                return fail(ErrorKind::internal, "CL-4009", fmt::format("User {} of run {} is stored already.", user.user, run), "Ask for finishedUsers() and leave those out.");
            insert.reset();
        }
        SQLite::Statement count(database, "UPDATE run SET users_done = users_done + ? WHERE id = ?");
        count.bind(1, static_cast<std::int64_t>(users.size()));
        count.bind(2, run);
        count.exec();
        transaction.commit(); // synchronous=FULL: on disk when this returns
        return {};
    });
}

Result<std::vector<Code>> ProjectStore::finishedUsers(std::int64_t run) {
    return m_d->locked("reading finished users", [&]() -> Result<std::vector<Code>> {
        CAROUSEL_TRY(stateOfRun(*m_d->database, run));
        std::vector<Code> users;
        SQLite::Statement query(*m_d->database, "SELECT user FROM user_result WHERE run = ? ORDER BY user");
        query.bind(1, run);
        while (query.executeStep())
            users.push_back(query.getColumn(0).getInt());
        return users;
    });
}

Result<std::vector<UserResult>> ProjectStore::userResults(std::int64_t run) {
    return m_d->locked(fmt::format("reading the results of run {}", run), [&]() -> Result<std::vector<UserResult>> {
        CAROUSEL_TRY(stateOfRun(*m_d->database, run));
        std::vector<UserResult> results;
        SQLite::Statement query(*m_d->database, "SELECT user, result, trace FROM user_result WHERE run = ? ORDER BY user");
        query.bind(1, run);
        while (query.executeStep()) {
            auto bytes = [&](int column) {
                const auto cell = query.getColumn(column);
                return std::string_view(static_cast<const char*>(cell.getBlob()), static_cast<std::size_t>(cell.getBytes()));
            };
            auto result = store::decoded(bytes(1));
            auto trace = store::unpacked(bytes(2));
            if (!result || !trace || result->user != query.getColumn(0).getInt())
                return fail(store::damaged(m_d->file, fmt::format("the result of user {} in run {} fails its checksum", query.getColumn(0).getInt(), run)));
            result->trace = std::move(*trace);
            results.push_back(std::move(*result));
        }
        return results;
    });
}

} // namespace carousel
