// SPDX-License-Identifier: GPL-3.0-or-later
// The door of the module libcarousel_secret.so; see secret_store.h. Plain values only, so that whoever includes this needs no GLib.
#pragma once
#include <functional>
#include <string>

namespace carousel::server {

struct SecretStoreCall {
    enum class Kind { look, find, keep, remove };
    Kind kind = Kind::look;
    std::string origin;             // "https://host:port"
    std::string label;              // keep: how the desktop's own list of passwords calls it
    std::function<bool()> stopped;  // looked at every 50 ms
    double seconds = 0;             // longest time
};

enum class SecretStoreOutcome { done, noService, locked, noKeyring, noItem, failed, late, stopped };

constexpr const char* secretStoreModuleFile = "libcarousel_secret.so";

} // namespace carousel::server

// `value`: the key, read by keep and filled by find; the caller wipes it. *reason is filled for noService and failed. No exception comes out.
extern "C" carousel::server::SecretStoreOutcome carousel_secret_store(const carousel::server::SecretStoreCall* call, std::string* value,
                                                                      std::string* reason);
