// SPDX-License-Identifier: GPL-3.0-or-later
// Files: whole reads with a size limit, and writes that leave either the old file or the whole new one.
#pragma once
#include "base/result.h"
#include <string>
#include <string_view>

namespace carousel {

// Errors CL-5001 (cannot read), CL-5003 (larger than `limitBytes`, not a regular file).
Result<std::string> readFile(const std::string& path, std::size_t limitBytes = std::size_t(1) << 31);
// Writes beside the target, checks every write, fsyncs, renames; on failure the old file stays and nothing half-written is left.
// Error CL-5002 naming path and reason.
Result<void> atomicWrite(const std::string& path, std::string_view bytes);
Result<void> makeFolders(const std::string& path); // CL-5004
bool fileExists(const std::string& path);

} // namespace carousel
