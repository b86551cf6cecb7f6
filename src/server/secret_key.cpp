// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/secret_key.h"
#include "base/text.h"
#include "server/secret_store.h"
#include <algorithm>
#include <cstdlib>
#include <openssl/crypto.h>

namespace carousel::server {

void wipe(std::string& text) {
    text.resize(text.capacity()); // takes no other memory; what was moved away or cut may still lie there
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

SecretKey::~SecretKey() { wipe(m_value); }

SecretKey::SecretKey(SecretKey&& other) noexcept {
    *this = std::move(other);
}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
    if (this != &other) {
        wipe(m_value);
        m_value = other.m_value; // a copy, so that the other's bytes can be overwritten also where they stand inside the object
        wipe(other.m_value);
        m_origin = std::move(other.m_origin);
    }
    return *this;
}

Result<SecretKey> SecretKey::fromEnvironment(const std::string& variable, const Origin& origin) {
    if (variable.empty())
        return SecretKey();
    const char* value = std::getenv(variable.c_str());
    if (!value || !*value)
        return fail(ErrorKind::input, "CL-2103",
                    fmt::format("The environment variable '{}', which should hold the key for {}, is not set.", variable, origin.text()),
                    fmt::format("Set it in the shell that starts the program, or take api_key_env out of the endpoint."));
    auto key = forThisProcess(value, origin);
    if (!key)
        key.error().message = fmt::format("The environment variable '{}' holds no key that can be sent.", variable);
    return key;
}

Result<SecretKey> SecretKey::forThisProcess(std::string value, const Origin& origin) {
    const bool sendable = value.size() <= 4096 && std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 127; });
    SecretKey key(sendable ? std::string_view(value) : std::string_view(), origin);
    wipe(value);
    if (!sendable)
        return fail(ErrorKind::input, "CL-2103", "The key holds a space, a line break or a character that no header may hold.",
                    "Copy it again, without what stands around it.");
    return key;
}

Result<SecretKey> SecretKey::fromStore(const Origin& origin, const RunControl& control) {
    std::string value;
    if (auto found = secretStore(SecretStoreCall::Kind::find, origin, value, control); !found) {
        wipe(value);
        return fail(std::move(found.error()));
    }
    auto key = forThisProcess(value, origin);
    wipe(value);
    if (!key)
        key.error().message = fmt::format("The desktop's key store has something for {} that cannot be sent as a key.", origin.text());
    return key;
}

Result<void> SecretKey::keepInStore(const RunControl& control) const {
    std::string value = m_value;
    auto kept = secretStore(SecretStoreCall::Kind::keep, m_origin, value, control);
    wipe(value);
    return kept;
}

Result<std::string> SecretKey::header(const Origin& to) const {
    if (!isSet())
        return std::string();
    if (!(to == m_origin))
        return fail(ErrorKind::input, "CL-2104", fmt::format("The key belongs to {} and is not sent to {}.", m_origin.text(), to.text()),
                    "Give that server a key of its own.");
    if (to.scheme != "https" && !to.isLoopback())
        return fail(ErrorKind::input, "CL-2104", fmt::format("A key would go to {} unencrypted.", to.text()),
                    "Use https, or a tunnel that ends on this machine.");
    return "Authorization: Bearer " + m_value;
}

std::string SecretKey::removedFrom(std::string text) const {
    if (m_value.size() < 4)
        return text;
    for (std::size_t at = text.find(m_value); at != std::string::npos; at = text.find(m_value, at))
        text.replace(at, m_value.size(), "[key]");
    return text;
}

} // namespace carousel::server
