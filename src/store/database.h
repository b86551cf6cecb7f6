// SPDX-License-Identifier: GPL-3.0-or-later
// The project file as SQLite sees it: made whole or not at all, its header judged before anything is written, every connection set up
// the same way, older schemas carried forward after a copy. Everything here may throw SQLite::Exception; callers are inside guarded().
#pragma once
#include "base/result.h"
#include <SQLiteCpp/SQLiteCpp.h>
#include <memory>

namespace carousel::store {

// What the first 100 bytes say. Read without SQLite, so that a refused file is not touched.
struct FileHeader {
    std::uint32_t applicationId = 0;
    std::int32_t schema = 0;
};
// CL-4001 not a project, CL-4002 newer (both numbers), CL-5001 not there, CL-4005 not readable.
Result<FileHeader> readHeader(const std::string& file);
Result<void> judge(const FileHeader& header, const std::string& file);

// Builds an empty project beside `file` and gives it the name in one step, so that no half-made project is ever seen. CL-5005 when it exists.
Result<void> createFile(const std::string& file);

std::unique_ptr<SQLite::Database> connect(const std::string& file);              // writer
Result<std::unique_ptr<SQLite::Database>> connectReadOnly(const std::string& file); // works in a folder that takes no file
// Steps from the file's schema to the current one in one transaction; the file as it was is kept as FILE.bak-vN.
Result<void> migrate(SQLite::Database& database, const std::string& file);
// "" when sound, else the first finding. `deep`: also indices against tables.
std::string soundness(SQLite::Database& database, bool deep);
int schemaOf(SQLite::Database& database);

} // namespace carousel::store
