// SPDX-License-Identifier: GPL-3.0-or-later
// PNG files of plots, by the program rsvg-convert (Debian: librsvg2-bin).
#pragma once
#include "base/result.h"
#include <string>

namespace carousel {

// Errors: CL-5010 rsvg-convert is missing, CL-5011 it refused the drawing or could not write; the old file at `path` then stays.
Result<void> writePng(const std::string& svg, const std::string& path, double scale = 2);

} // namespace carousel
