// SPDX-License-Identifier: GPL-3.0-or-later
// Picks the loops for the processor the program runs on.
#include "compute/cpu_features.h"
#include "compute/cpu_kernels.h"
#include "compute/quantised_kernels.h"
#include <cstdlib>
#include <cstring>

namespace carousel {

extern const CpuKernels cpuKernels_baseline;
#ifdef CAROUSEL_X86_KERNELS
extern const CpuKernels cpuKernels_avx2;
extern const CpuKernels cpuKernels_avx512;
extern const QuantisedKernels quantisedKernels_avx2;
extern const QuantisedKernels quantisedKernels_avx512;
extern const QuantisedKernels quantisedKernels_vnni;
#endif

namespace {

CpuFeatures findFeatures() {
    CpuFeatures found;
#ifdef CAROUSEL_X86_KERNELS
    found.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    found.avx512 = found.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
    found.vnni = found.avx512 && __builtin_cpu_supports("avx512vnni");
    found.bf16 = found.avx512 && __builtin_cpu_supports("avx512bf16");
#endif
    if (const char* most = std::getenv("CAROUSEL_CPU")) {
        const bool baseline = std::strcmp(most, "baseline") == 0, avx2 = std::strcmp(most, "avx2") == 0,
                   avx512 = std::strcmp(most, "avx512") == 0;
        found.avx2 = found.avx2 && !baseline;
        found.avx512 = found.avx512 && !baseline && !avx2;
        found.vnni = found.vnni && !baseline && !avx2 && !avx512;
        found.bf16 = found.bf16 && !baseline && !avx2 && !avx512;
    }
    return found;
}

} // namespace

const CpuFeatures& cpuFeatures() {
    static const CpuFeatures features = findFeatures();
    return features;
}

const CpuKernels& cpuKernels() {
#ifdef CAROUSEL_X86_KERNELS
    if (cpuFeatures().avx512)
        return cpuKernels_avx512;
    if (cpuFeatures().avx2)
        return cpuKernels_avx2;
#endif
    return cpuKernels_baseline;
}

const QuantisedKernels* quantisedKernels() {
#ifdef CAROUSEL_X86_KERNELS
    if (cpuFeatures().vnni)
        return &quantisedKernels_vnni;
    if (cpuFeatures().avx512)
        return &quantisedKernels_avx512;
    if (cpuFeatures().avx2)
        return &quantisedKernels_avx2;
#endif
    return nullptr;
}

} // namespace carousel
