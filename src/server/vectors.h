// SPDX-License-Identifier: GPL-3.0-or-later
// Embeddings out of a server's reply.
#pragma once
#include "base/matrix.h"
#include "server/label_read.h"

namespace carousel::server {

// One row per text, mapped by index, as floats or base64 of little-endian floats. A problem in words: another count, indices that are not 0
// to wanted-1, rows of different widths, a value that is not finite, a row of zeros. Rows are as the server gave them, not normalised.
Read<Matrix> vectorsIn(const nlohmann::json& reply, std::size_t wanted);

} // namespace carousel::server
