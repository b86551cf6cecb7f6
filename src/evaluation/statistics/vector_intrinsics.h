// SPDX-License-Identifier: GPL-3.0-or-later
// For files with loops for several instruction sets: defines CAROUSEL_AVX2 and brings the intrinsics where there are any. Not for headers: it
// switches warnings off for the rest of the file.
#pragma once
#if defined(__x86_64__) && defined(__GNUC__)
#define CAROUSEL_AVX2
#include <immintrin.h>
#pragma GCC diagnostic ignored "-Wuninitialized" // GCC 12's own header warns of registers that it leaves undefined on purpose
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
