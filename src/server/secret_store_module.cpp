// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/secret_store_module.h"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <libsecret/secret.h>
#include <memory>
#include <mutex>
#include <thread>

namespace {

using carousel::server::SecretStoreCall;
using carousel::server::SecretStoreOutcome;

struct Release {
    void operator()(void* object) const { g_object_unref(object); }
    void operator()(SecretValue* value) const { secret_value_unref(value); } // overwrites it with the last reference
    void operator()(GHashTable* table) const { g_hash_table_unref(table); }
    void operator()(GError* error) const { g_error_free(error); }
};
template <class T> using Owned = std::unique_ptr<T, Release>;
struct ReleaseItems {
    void operator()(GList* items) const { g_list_free_full(items, g_object_unref); }
};
using Items = std::unique_ptr<GList, ReleaseItems>;

const SecretSchema* schema() {
    // The name is not compared, so that what other programs keep under these attributes is found.
    static const SecretSchema one = {"carousel-lab.ServerKey",
                                     SECRET_SCHEMA_DONT_MATCH_NAME,
                                     {{"application", SECRET_SCHEMA_ATTRIBUTE_STRING},
                                      {"origin", SECRET_SCHEMA_ATTRIBUTE_STRING},
                                      {nullptr, SECRET_SCHEMA_ATTRIBUTE_STRING}},
                                     0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
    return &one;
}

// Ends what is under way when the caller wants to stop or the time is up.
class Watch {
public:
    explicit Watch(const SecretStoreCall& call) : m_cancel(g_cancellable_new()), m_thread([this, &call] { wait(call); }) {}
    ~Watch() {
        {
            const std::lock_guard lock(m_mutex);
            m_over = true;
        }
        m_changed.notify_all();
        m_thread.join();
    }
    GCancellable* cancel() const { return m_cancel.get(); }
    bool late() const { return m_late; }

private:
    void wait(const SecretStoreCall& call) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(call.seconds);
        std::unique_lock lock(m_mutex);
        while (!m_changed.wait_for(lock, std::chrono::milliseconds(50), [this] { return m_over; })) {
            const bool late = std::chrono::steady_clock::now() > until;
            if (!late && !(call.stopped && call.stopped()))
                continue;
            m_late = late;
            g_cancellable_cancel(m_cancel.get());
            return;
        }
    }
    Owned<GCancellable> m_cancel;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_over = false;
    std::atomic<bool> m_late{false};
    std::thread m_thread; // the last: it uses the others
};

class Talk {
public:
    Talk(const SecretStoreCall& call, std::string* value, std::string* reason)
        : m_call(call), m_value(value), m_reason(reason), m_watch(call) {}

    SecretStoreOutcome run() {
        GError* error = nullptr;
        // GLib ends the process when the shared connection is lost, unless it is told not to.
        m_bus.reset(g_bus_get_sync(G_BUS_TYPE_SESSION, m_watch.cancel(), &error));
        if (!m_bus)
            return cancelled(error) ? end(error) : noService(error);
        g_dbus_connection_set_exit_on_close(m_bus.get(), FALSE);
        const auto flags = m_call.kind == SecretStoreCall::Kind::find || m_call.kind == SecretStoreCall::Kind::keep
                               ? SECRET_SERVICE_OPEN_SESSION // keys go over the bus encrypted
                               : SECRET_SERVICE_NONE;
        m_service.reset(secret_service_open_sync(SECRET_TYPE_SERVICE, nullptr, flags, m_watch.cancel(), &error));
        if (!m_service)
            return end(error);
        m_keyring.reset(secret_collection_for_alias_sync(m_service.get(), SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, m_watch.cancel(), &error));
        if (error)
            return end(error);
        m_attributes.reset(secret_attributes_build(schema(), "application", "carousel-lab", "origin", m_call.origin.c_str(), nullptr));
        switch (m_call.kind) {
        case SecretStoreCall::Kind::look:
            return usable();
        case SecretStoreCall::Kind::find:
            return find();
        case SecretStoreCall::Kind::keep:
            return keep();
        case SecretStoreCall::Kind::remove:
            return remove();
        }
        return SecretStoreOutcome::failed;
    }

private:
    bool keyringLocked() const { return m_keyring && secret_collection_get_locked(m_keyring.get()); }
    SecretStoreOutcome usable() const {
        return !m_keyring ? SecretStoreOutcome::noKeyring : keyringLocked() ? SecretStoreOutcome::locked : SecretStoreOutcome::done;
    }

    Items search(GError** error) {
        return Items(secret_service_search_sync(m_service.get(), schema(), m_attributes.get(), SECRET_SEARCH_ALL, m_watch.cancel(), error));
    }
    // A locked keyring may not tell what is in it.
    SecretStoreOutcome nothing(bool sawLocked) const {
        return sawLocked || keyringLocked() ? SecretStoreOutcome::locked : SecretStoreOutcome::noItem;
    }

    SecretStoreOutcome find() {
        GError* error = nullptr;
        const Items items = search(&error);
        if (error)
            return end(error);
        bool sawLocked = false;
        for (GList* at = items.get(); at; at = at->next) {
            auto* item = static_cast<SecretItem*>(at->data);
            if (secret_item_get_locked(item)) {
                sawLocked = true;
                continue;
            }
            if (!secret_item_load_secret_sync(item, m_watch.cancel(), &error))
                return end(error);
            const Owned<SecretValue> secret(secret_item_get_secret(item));
            if (!secret)
                continue;
            gsize size = 0;
            const gchar* bytes = secret_value_get(secret.get(), &size);
            m_value->assign(bytes, size);
            return SecretStoreOutcome::done;
        }
        return nothing(sawLocked);
    }

    SecretStoreOutcome keep() {
        if (const auto state = usable(); state != SecretStoreOutcome::done)
            return state;
        GError* error = nullptr;
        const Owned<SecretValue> secret(secret_value_new(m_value->data(), static_cast<gssize>(m_value->size()), "text/plain"));
        const Owned<SecretItem> item(secret_item_create_sync(m_keyring.get(), schema(), m_attributes.get(), m_call.label.c_str(), secret.get(),
                                                             SECRET_ITEM_CREATE_REPLACE, m_watch.cancel(), &error));
        return item ? SecretStoreOutcome::done : end(error);
    }

    SecretStoreOutcome remove() {
        GError* error = nullptr;
        const Items items = search(&error);
        if (error)
            return end(error);
        bool sawLocked = false, removed = false;
        for (GList* at = items.get(); at; at = at->next) {
            auto* item = static_cast<SecretItem*>(at->data);
            if (secret_item_get_locked(item)) {
                sawLocked = true;
                continue;
            }
            if (!secret_item_delete_sync(item, m_watch.cancel(), &error))
                return end(error);
            removed = true;
        }
        return removed && !sawLocked ? SecretStoreOutcome::done : nothing(sawLocked);
    }

    static bool cancelled(const GError* error) { return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED); }
    SecretStoreOutcome noService(GError* error) {
        const Owned<GError> owned(error);
        *m_reason = error ? error->message : "no reason given";
        return SecretStoreOutcome::noService;
    }
    SecretStoreOutcome end(GError* error) {
        if (cancelled(error)) {
            g_error_free(error);
            return m_watch.late() ? SecretStoreOutcome::late : SecretStoreOutcome::stopped;
        }
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) || g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)) {
            g_error_free(error);
            return SecretStoreOutcome::late;
        }
        if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) {
            g_error_free(error);
            return SecretStoreOutcome::locked;
        }
        if (error && error->domain == G_DBUS_ERROR)
            switch (error->code) { // nobody has the name, and nobody can be started for it
            case G_DBUS_ERROR_SERVICE_UNKNOWN:
            case G_DBUS_ERROR_NAME_HAS_NO_OWNER:
            case G_DBUS_ERROR_SPAWN_EXEC_FAILED:
            case G_DBUS_ERROR_SPAWN_FORK_FAILED:
            case G_DBUS_ERROR_SPAWN_CHILD_EXITED:
            case G_DBUS_ERROR_SPAWN_CHILD_SIGNALED:
            case G_DBUS_ERROR_SPAWN_FAILED:
            case G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND:
                g_dbus_error_strip_remote_error(error);
                return noService(error);
            default:
                break;
            }
        const Owned<GError> owned(error);
        if (error)
            g_dbus_error_strip_remote_error(error);
        *m_reason = error ? error->message : "no reason given";
        return SecretStoreOutcome::failed;
    }

    const SecretStoreCall& m_call;
    std::string *m_value, *m_reason;
    Watch m_watch;
    Owned<GDBusConnection> m_bus;
    Owned<SecretService> m_service;
    Owned<SecretCollection> m_keyring; // the default one; null: there is none
    Owned<GHashTable> m_attributes;
};

} // namespace

__attribute__((visibility("default"))) SecretStoreOutcome carousel_secret_store(const SecretStoreCall* call, std::string* value,
                                                                                std::string* reason) {
    try {
        return Talk(*call, value, reason).run();
    } catch (const std::exception& thrown) {
        *reason = thrown.what();
        return SecretStoreOutcome::failed;
    }
}
