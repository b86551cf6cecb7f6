// SPDX-License-Identifier: GPL-3.0-or-later
// Counter-based random numbers (Philox 4x32-10, Salmon et al., SC'11, through Random123): a stream is a pure function of
// (seed, stream name, two keys), so the same seed gives the same numbers whatever the thread count or order of work.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace carousel {

class RandomStream {
public:
    RandomStream(std::uint64_t seed, std::string_view stream, std::uint64_t keyA = 0, std::uint64_t keyB = 0);
    std::uint32_t next32();
    std::uint64_t next64();
    double uniform();                        // [0, 1), 53 bits
    std::uint64_t below(std::uint64_t n);    // 0 .. n-1, unbiased; n > 0
    double normal();                         // mean 0, sd 1 (Box-Muller)

private:
    std::array<std::uint32_t, 2> m_key;
    std::array<std::uint32_t, 4> m_counter;
    std::array<std::uint32_t, 4> m_block{};
    int m_used = 4;
    bool m_hasSpare = false;
    double m_spare = 0;
};

} // namespace carousel
