// SPDX-License-Identifier: GPL-3.0-or-later
// Which of the loops that are written for several instruction sets this machine runs: the widest it has. The environment variable CAROUSEL_CPU
// (baseline, avx2) asks for a narrower one, as it does of the language models' loops; it is read once.
#pragma once

namespace carousel {

enum class VectorPath { portable, avx2, avx512 }; // avx512: F, BW, DQ and VL
VectorPath vectorPath();

} // namespace carousel
