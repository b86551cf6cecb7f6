// SPDX-License-Identifier: GPL-3.0-or-later
// A key that can only become the header of a request to its own origin. It has no text form, is printed as nothing, and is never stored.
#pragma once
#include "server/server_url.h"

namespace carousel::server {

class SecretKey {
public:
    SecretKey() = default; // none
    ~SecretKey();          // overwrites it
    SecretKey(SecretKey&& other) noexcept;
    SecretKey& operator=(SecretKey&& other) noexcept;
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;

    // CL-2103: the variable is not set or its value cannot stand in a header. Empty name: no key.
    static Result<SecretKey> fromEnvironment(const std::string& variable, const Origin& origin);
    // For a key that a person typed: kept by the caller for this process alone.
    static Result<SecretKey> forThisProcess(std::string value, const Origin& origin);

    SecretKey another() const { return SecretKey(m_value, m_origin); } // said aloud, so that none is copied by chance
    bool isSet() const { return !m_value.empty(); }
    // "Authorization: Bearer ..." for a request to `to`; empty when there is no key. CL-2104: another origin than the key's, or http to
    // another machine.
    Result<std::string> header(const Origin& to) const;
    // What a server said, with the key taken out: some repeat what they were sent.
    std::string removedFrom(std::string text) const;

private:
    SecretKey(std::string value, Origin origin) : m_value(std::move(value)), m_origin(std::move(origin)) {}
    std::string m_value;
    Origin m_origin;
};

} // namespace carousel::server
