// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/vector_path.h"
#include <cstdlib>
#include <string_view>

namespace carousel {

namespace {
VectorPath findPath() {
#if defined(__x86_64__) && defined(__GNUC__)
    const char* most = std::getenv("CAROUSEL_CPU");
    const std::string_view asked = most ? most : "";
    if (asked == "baseline" || !__builtin_cpu_supports("avx2"))
        return VectorPath::portable;
    if (asked == "avx2" || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return VectorPath::avx2;
    return VectorPath::avx512;
#else
    return VectorPath::portable;
#endif
}
} // namespace

VectorPath vectorPath() {
    static const VectorPath path = findPath();
    return path;
}

} // namespace carousel
