// SPDX-License-Identifier: GPL-3.0-or-later
// Every score carries one: a failure is counted and shown, never hidden.
#pragma once
#include <cstdint>

namespace carousel {

enum class ScoreStatus : std::uint8_t { ok, invalid, missing, truncated, fallback };
const char* name(ScoreStatus status);

} // namespace carousel
