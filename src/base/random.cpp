// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"
#include <Random123/philox.h>
#include <cmath>
#include <numbers>

namespace carousel {

namespace {
// FNV-1a, then a SplitMix64 finaliser: stream names are few and fixed, so this only has to separate them.
std::uint64_t mixed(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ull;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
    return value ^ (value >> 31);
}
std::uint64_t named(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    return mixed(hash);
}
} // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view stream, std::uint64_t keyA, std::uint64_t keyB) {
    const std::uint64_t key = mixed(seed) ^ named(stream);
    const std::uint64_t place = mixed(keyA * 0xD1342543DE82EF95ull + mixed(keyB));
    m_key = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
    m_counter = {0, 0, static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place >> 32)};
}

std::uint32_t RandomStream::next32() {
    if (m_used == 4) {
        const r123::Philox4x32::ctr_type counter{{m_counter[0], m_counter[1], m_counter[2], m_counter[3]}};
        const r123::Philox4x32::key_type key{{m_key[0], m_key[1]}};
        const auto block = r123::Philox4x32()(counter, key);
        m_block = {block[0], block[1], block[2], block[3]};
        if (++m_counter[0] == 0)
            ++m_counter[1];
        m_used = 0;
    }
    return m_block[static_cast<std::size_t>(m_used++)];
}

std::uint64_t RandomStream::next64() {
    const std::uint64_t low = next32();
    return low | (static_cast<std::uint64_t>(next32()) << 32);
}

double RandomStream::uniform() { return static_cast<double>(next64() >> 11) * 0x1.0p-53; }

std::uint64_t RandomStream::below(std::uint64_t n) {
    // Lemire's multiply-and-reject
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(next64()) * n;
    if (static_cast<std::uint64_t>(product) < n) {
        const std::uint64_t threshold = (0 - n) % n;
        while (static_cast<std::uint64_t>(product) < threshold)
            product = static_cast<Wide>(next64()) * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
}

double RandomStream::normal() {
    if (m_hasSpare) {
        m_hasSpare = false;
        return m_spare;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    m_spare = radius * std::sin(angle);
    m_hasSpare = true;
    return radius * std::cos(angle);
}

} // namespace carousel
