// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/schema.h"

namespace carousel::store {

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> steps = {
        {1, "tables of a project", R"sql(
CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dataset(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, note TEXT NOT NULL, digest TEXT NOT NULL,
    imported_at TEXT NOT NULL, users INTEGER NOT NULL, items INTEGER NOT NULL, interactions INTEGER NOT NULL,
    impressions INTEGER NOT NULL, layout TEXT NOT NULL, report TEXT NOT NULL);
CREATE TABLE dataset_column(
    dataset INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE, name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
    UNIQUE(dataset, name, part));
CREATE TABLE study(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, toml TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE run(
    id INTEGER PRIMARY KEY AUTOINCREMENT, study INTEGER NOT NULL REFERENCES study(id), strategy TEXT NOT NULL, dataset TEXT NOT NULL,
    dataset_digest TEXT NOT NULL, split_digest TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK(state IN ('running', 'interrupted', 'complete', 'failed')),
    created_at TEXT NOT NULL, finished_at TEXT NOT NULL, strategy_json TEXT NOT NULL, provenance TEXT NOT NULL, notes TEXT NOT NULL,
    users_done INTEGER NOT NULL, users_total INTEGER NOT NULL, error TEXT NOT NULL);
CREATE TABLE user_result(
    run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, user INTEGER NOT NULL, result BLOB NOT NULL, trace BLOB NOT NULL,
    UNIQUE(run, user));
CREATE TABLE completion(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
)sql"},
        {2, "the analyst's own tag on a run, and runs found by study", R"sql(
ALTER TABLE run ADD COLUMN tag TEXT NOT NULL DEFAULT '';
CREATE INDEX run_by_study ON run(study);
)sql"},
        {3, "finished analyses of logs and runs", R"sql(
CREATE TABLE analysis(
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, title TEXT NOT NULL, dataset TEXT NOT NULL, created_at TEXT NOT NULL,
    verdict TEXT NOT NULL, light TEXT NOT NULL, document BLOB NOT NULL);
)sql"},
        {4, "written reviews of a data set", R"sql(
ALTER TABLE dataset ADD COLUMN reviews INTEGER NOT NULL DEFAULT 0;
)sql"},
    };
    return steps;
}

int currentSchema() { return migrations().back().to; }

} // namespace carousel::store
