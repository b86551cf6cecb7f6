// SPDX-License-Identifier: GPL-3.0-or-later
// What the processor can do, as far as the loops and number formats here depend on it.
#pragma once

namespace carousel {

struct CpuFeatures {
    bool avx2 = false, avx512 = false; // with all that their loops are compiled for
    bool vnni = false;                 // products of 16-bit whole numbers in AVX-512
    bool bf16 = false;                 // products of bf16 in AVX-512
};

// Found once. The environment variable CAROUSEL_CPU (baseline, avx2, avx512) takes abilities away, so that what other machines run can be
// tested on this one; oneDNN has a variable of its own for that, ONEDNN_MAX_CPU_ISA (SSE41, AVX2, AVX512_CORE).
const CpuFeatures& cpuFeatures();

} // namespace carousel
