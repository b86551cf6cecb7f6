// SPDX-License-Identifier: GPL-3.0-or-later
// Keys of servers in the desktop's key store: the freedesktop Secret Service (GNOME Keyring, KWallet, KeePassXC), through libsecret. The library
// brings GLib and its threads, so it lives in a module that is opened when a key is wanted from there, and at no other time.
// An item is found by its attributes: application "carousel-lab", origin "https://host:port". A key that another program has put there under
// these attributes (secret-tool store) is found as well. Nobody is asked for a password: what is locked stays so, and is said.
#pragma once
#include "base/run_control.h"
#include "server/secret_store_module.h"
#include "server/server_url.h"

namespace carousel::server {

constexpr double secretStoreSeconds = 30; // longest wait for the desktop's answer

// Whether a key could be kept now: the errors of secretStore() but CL-2132.
Result<void> secretStoreReady(const RunControl& control);
Result<void> removeFromSecretStore(const Origin& origin, const RunControl& control);

// For SecretKey alone, which wipes `value`. Safe from any thread. CL-2130: no Secret Service on this machine's session, or this program was
// built without libsecret; CL-2131: locked, or without a keyring to keep things in; CL-2132: no key for this origin; CL-2133: the service
// failed or did not answer in time.
Result<void> secretStore(SecretStoreCall::Kind kind, const Origin& origin, std::string& value, const RunControl& control);

} // namespace carousel::server
