// SPDX-License-Identifier: GPL-3.0-or-later
// The servers a person has described, in a file of their own and in studies, and the models on them. Safe from any thread. The window and
// the command line share it: list, add, remove, test.
#pragma once
#include "base/run_control.h"
#include "server/server_card.h"
#include "stages/endpoint.h"
#include "stages/language_model.h"
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace carousel::server {

class ServerModel;

using EndpointMap = std::map<std::string, Parameters>; // by name; resolved, see checkedEndpoint()

// [endpoints.NAME] tables. CL-2120: not TOML, or something else stands in it; CL-2102 from the entries.
Result<EndpointMap> parseEndpoints(const std::string& toml);
// The tables again, without what has its default.
std::string endpointsToml(const EndpointMap& endpoints);

// Where the key of an endpoint comes from, in words for people and never with the key: "variable MY_SERVER_KEY", "desktop key store"; empty:
// none is sent.
std::string keySource(const Parameters& endpoint);

class Endpoints {
public:
    explicit Endpoints(std::string userFile); // usually endpointFile(); need not exist
    ~Endpoints();
    Endpoints(const Endpoints&) = delete;
    Endpoints& operator=(const Endpoints&) = delete;

    const std::string& userFile() const { return m_userFile; }
    Result<EndpointMap> list() const;
    // Each writes the user's file once: whoever reads it, or comes after a crash, finds the old file or the new one; what other processes
    // change at the same time is kept. CL-2121: the name is taken; CL-2122: the file is kept by hand and is not written over.
    Result<void> add(const std::string& name, const Parameters& given);
    Result<void> put(const std::string& name, const Parameters& given); // adds it, or takes the place of the one of that name
    Result<void> remove(const std::string& name);                       // CL-2115

    Result<Parameters> find(const std::string& name) const; // the user's own, else the study's; CL-2115

    // What the server is and can do; asks it now. Sends the two easy questions and none of the user's data, so that no consent is needed.
    // CL-2115: neither an address nor a known name; errors of probe().
    Result<ServerCard> test(const std::string& nameOrUrl, const RunControl& control);
    // What stands in a form; `name`: whose key of this session it may use, when the address is of the same origin.
    Result<ServerCard> test(const Parameters& unsaved, const RunControl& control, const std::string& name = {});

    // ---- keys: see secret_key.h and secret_store.h; `key` is wiped in every case --------------------------------------------------------
    // For this process alone, and before any other source. The address is that of the entry at this moment. CL-2103, CL-2115.
    Result<void> setKey(const std::string& name, std::string key);
    // Puts it into the desktop's key store, and notes api_key_store in the user's entry of that name, in the place of api_key_env. Errors: as
    // above, CL-2104 (http to another machine), CL-2130..2133; CL-2122 when the key is kept and the note is left to the reader's hand.
    Result<void> keepKey(const std::string& name, std::string key, const RunControl& control);
    // Out of this process and, where the entry says api_key_store, out of the desktop's key store and the entry. CL-2132: there was none.
    Result<void> forgetKey(const std::string& name, const RunControl& control);

    // ---- models for stages -----------------------------------------------------------------------------------------------------------
    // The endpoints of the study that runs next, and its control for asking servers. The user's own entry of a name goes first; CL-2115
    // when both have one and the addresses differ, CL-2114 when the study gives its own consent.
    Result<void> useStudy(const EndpointMap& endpoints, const RunControl& control);
    void allow(const std::string& name); // consent for this process: --allow-server NAME
    // Never null on success; owned by this object. A server that does not answer now is an error of kind partial. CL-2114: the data would
    // leave the machine, and nobody said that they may; CL-2115.
    Result<LanguageModel*> model(const std::string& name);

private:
    struct Held;
    Result<EndpointMap> readFile() const;
    Result<void> writeFile(const EndpointMap& endpoints) const;
    Result<void> change(const std::function<Result<void>(EndpointMap&)>& edit) const;
    Result<Parameters> findLocked(const std::string& name) const;
    Result<Parameters> findOwn(const std::string& name) const;
    Result<void> noteKeyStore(const std::string& name, bool kept, const char* done) const;

    const std::string m_userFile;
    mutable std::mutex m_mutex; // guards what follows
    EndpointMap m_study;
    RunControl m_control;
    std::set<std::string> m_allowed;
    std::unique_ptr<Held> m_held;
};

} // namespace carousel::server
