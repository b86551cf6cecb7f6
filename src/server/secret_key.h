// SPDX-License-Identifier: GPL-3.0-or-later
// A key that can only become the header of a request to its own origin. It has no text form, is printed as nothing, and is kept by nobody but
// the desktop's key store.
#pragma once
#include "base/run_control.h"
#include "server/server_url.h"
#include <string_view>

namespace carousel::server {

// Overwrites all that the text's memory holds, also beyond its end, and empties it.
void wipe(std::string& text);

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
    // For a key that a person typed: kept by the caller for this process alone. CL-2103: no header may hold it.
    static Result<SecretKey> forThisProcess(std::string value, const Origin& origin);
    // The desktop's key store (secret_store.h, also for the errors). May wait for the desktop, up to secretStoreSeconds; never asks a person.
    static Result<SecretKey> fromStore(const Origin& origin, const RunControl& control);
    Result<void> keepInStore(const RunControl& control) const; // in the place of the one that is kept for this origin; not for none

    SecretKey another() const { return SecretKey(m_value, m_origin); } // said aloud, so that none is copied by chance
    bool isSet() const { return !m_value.empty(); }
    bool isFor(const Origin& origin) const { return isSet() && origin == m_origin; }
    // "Authorization: Bearer ..." for a request to `to`; empty when there is no key. CL-2104: another origin than the key's, or http to
    // another machine.
    Result<std::string> header(const Origin& to) const;
    // What a server said, with the key taken out: some repeat what they were sent.
    std::string removedFrom(std::string text) const;

private:
    SecretKey(std::string_view value, Origin origin) : m_value(value), m_origin(std::move(origin)) {} // whoever has `value` wipes it
    std::string m_value;
    Origin m_origin;
};

} // namespace carousel::server
