// SPDX-License-Identifier: GPL-3.0-or-later
// Picks the kernel set for the processor the program runs on.
#include "compute/cpu_kernels.h"

namespace carousel {

extern const CpuKernels cpuKernels_baseline;
#ifdef CAROUSEL_X86_KERNELS
extern const CpuKernels cpuKernels_avx2;
extern const CpuKernels cpuKernels_avx512;
#endif

const CpuKernels& cpuKernels() {
#ifdef CAROUSEL_X86_KERNELS
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        return cpuKernels_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
        return cpuKernels_avx2;
#endif
    return cpuKernels_baseline;
}

} // namespace carousel
