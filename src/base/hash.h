// SPDX-License-Identifier: GPL-3.0-or-later
// SHA-256 (OpenSSL) for identities that must hold across machines: files, data sets, specifications, prompts.
#pragma once
#include "base/result.h"
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace carousel {

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    Sha256& add(std::string_view bytes);
    // A length-prefixed text, so that ("ab","c") and ("a","bc") differ.
    Sha256& addField(std::string_view text);
    template <class T> Sha256& addValues(std::span<const T> values) {
        static_assert(std::is_trivially_copyable_v<T>);
        return add({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    }
    std::string hex(); // ends the hash

private:
    struct State;
    std::unique_ptr<State> m_state;
};

std::string sha256(std::string_view bytes);
Result<std::string> sha256File(const std::string& path);

} // namespace carousel
