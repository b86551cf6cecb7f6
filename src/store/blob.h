// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes in and out of BLOB cells: little-endian values, and packing by zlib where it pays. Readers are bounded: damaged bytes give an
// empty optional, never a read past the end.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace carousel::store {

static_assert(std::endian::native == std::endian::little, "project files are little-endian");

std::string packed(std::string_view raw);                     // one kind byte, raw size and checksum, then plain or zlib bytes
std::optional<std::string> unpacked(std::string_view cell, std::size_t limit = std::size_t(1) << 30);
std::uint64_t checksum(std::string_view bytes);               // XXH3, 64 bits: finds flipped bits, no security

template <class T> std::string_view bytesOf(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

class ByteWriter {
public:
    template <class T> void put(T value) {
        static_assert(std::is_trivially_copyable_v<T>);
        m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    template <class T> void putAll(std::span<const T> values) {
        put(static_cast<std::uint32_t>(values.size()));
        m_bytes.append(bytesOf(values));
    }
    std::string take() { return std::move(m_bytes); }
    std::string_view bytes() const { return m_bytes; }

private:
    std::string m_bytes;
};

class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : m_bytes(bytes) {}
    template <class T> T get() {
        T value{};
        if (m_bytes.size() < sizeof value) {
            m_ok = false;
            return value;
        }
        std::memcpy(&value, m_bytes.data(), sizeof value);
        m_bytes.remove_prefix(sizeof value);
        return value;
    }
    template <class T> std::vector<T> getAll() {
        const auto count = get<std::uint32_t>();
        if (!m_ok || count > m_bytes.size() / sizeof(T)) {
            m_ok = false;
            return {};
        }
        std::vector<T> values(count);
        if (count > 0)
            std::memcpy(values.data(), m_bytes.data(), count * sizeof(T));
        m_bytes.remove_prefix(count * sizeof(T));
        return values;
    }
    bool ok() const { return m_ok; }
    bool atEnd() const { return m_ok && m_bytes.empty(); }

private:
    std::string_view m_bytes;
    bool m_ok = true;
};

} // namespace carousel::store
