// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/secret_store.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include <dlfcn.h>

namespace carousel::server {

namespace {

using Door = decltype(&::carousel_secret_store);
const char* const instead = "Name an environment variable that holds the key instead: api_key_env = \"MY_SERVER_KEY\".";

Result<Door> openModule() {
#ifdef CAROUSEL_WITHOUT_KEY_STORE
    return fail(ErrorKind::io, "CL-2130", "This program was built without libsecret, so that it cannot ask the desktop's key store.",
                fmt::format("{} Or install libsecret-1-dev and build again.", instead));
#else
    const std::string path = moduleFolder() + "/" + secretStoreModuleFile;
    void* const handle = fileExists(path) ? ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr; // stays: GLib cannot be unloaded
    void* const door = handle ? ::dlsym(handle, "carousel_secret_store") : nullptr;
    if (!door) {
        const char* const reason = fileExists(path) ? ::dlerror() : "it is not there";
        return fail(ErrorKind::io, "CL-2130",
                    fmt::format("The key store module '{}' cannot be loaded: {}.", path, reason ? reason : "no reason given"), instead);
    }
    return reinterpret_cast<Door>(door);
#endif
}

} // namespace

Result<void> secretStore(SecretStoreCall::Kind kind, const Origin& origin, std::string& value, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto door, openModule());
    SecretStoreCall call;
    call.kind = kind;
    call.origin = origin.text();
    call.label = fmt::format("Carousel Lab: key for {}", call.origin);
    call.stopped = [&control] { return control.stopRequested(); };
    call.seconds = secretStoreSeconds;
    std::string reason;
    switch (door(&call, &value, &reason)) {
    case SecretStoreOutcome::done:
        return {};
    case SecretStoreOutcome::noService:
        return fail(ErrorKind::io, "CL-2130", fmt::format("No key store (Secret Service) answers in this session: {}.", quotedForMessage(reason, 300)),
                    instead);
    case SecretStoreOutcome::locked:
        return fail(ErrorKind::locked, "CL-2131", "The desktop's key store is locked.",
                    fmt::format("Unlock it in the desktop's password manager, or log in anew. {}", instead));
    case SecretStoreOutcome::noKeyring:
        return fail(ErrorKind::locked, "CL-2131", "The desktop's key store has no default keyring that a key could be put into.",
                    fmt::format("Make one in the desktop's password manager. {}", instead));
    case SecretStoreOutcome::noItem:
        return fail(ErrorKind::input, "CL-2132", fmt::format("The desktop's key store has no key for {}.", call.origin),
                    "Put it there with `endpoint key set NAME`, or take api_key_store out of the endpoint.");
    case SecretStoreOutcome::late:
        return fail(ErrorKind::io, "CL-2133", fmt::format("The desktop's key store did not answer within {} seconds.", call.seconds),
                    fmt::format("Look whether it waits for you in a window of its own. {}", instead));
    case SecretStoreOutcome::stopped:
        return fail(RunControl::cancelled("asking the desktop's key store"));
    case SecretStoreOutcome::failed:
        break;
    }
    return fail(ErrorKind::io, "CL-2133", fmt::format("The desktop's key store refuses: {}.", quotedForMessage(reason, 300)), instead);
}

Result<void> secretStoreReady(const RunControl& control) {
    std::string none;
    return secretStore(SecretStoreCall::Kind::look, {}, none, control);
}

Result<void> removeFromSecretStore(const Origin& origin, const RunControl& control) {
    std::string none;
    return secretStore(SecretStoreCall::Kind::remove, origin, none, control);
}

} // namespace carousel::server
