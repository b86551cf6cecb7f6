// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/endpoints.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "server/probe.h"
#include "server/secret_store.h"
#include "server/server_model.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/file.h>
#include <toml++/toml.h>
#include <unistd.h>
#include <utility>

namespace carousel::server {

namespace {

const char* const marker = "# Kept by carousel-lab: `endpoint add` and `endpoint remove` write this file anew.";

auto unreadable(const std::string& what) {
    return fail(ErrorKind::input, "CL-2120", "The list of servers cannot be read: " + what,
                "Write [endpoints.NAME] with url = \"http://127.0.0.1:8000\" below it.");
}

std::string identity(const std::string& name, const Parameters& endpoint) {
    Sha256 hash;
    hash.addField(name);
    for (const auto& [id, value] : endpoint.values())
        hash.addField(id).addField(toText(value));
    return hash.hex();
}

Result<SecretKey> keyOf(const Parameters& endpoint, const Origin& origin, const RunControl& control) {
    return endpoint.boolean("api_key_store") ? SecretKey::fromStore(origin, control)
                                             : SecretKey::fromEnvironment(endpoint.text("api_key_env"), origin);
}

Result<Parameters> entry(const std::string& name, const Parameters& given) {
    CAROUSEL_ASSIGN(auto checked, checkedEndpoint(name, given));
    CAROUSEL_TRY(parseServerUrl(checked.text("url")));
    return checked;
}

// One process at a time between reading the list and writing it: the window and a command may run beside each other. The kernel drops it when
// its holder dies.
class FileTurn {
public:
    static Result<FileTurn> take(const std::string& path) {
        FileTurn turn;
        turn.m_fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        int outcome = turn.m_fd < 0 ? -1 : 0;
        while (turn.m_fd >= 0 && (outcome = ::flock(turn.m_fd, LOCK_EX)) != 0 && errno == EINTR) {
        }
        if (outcome != 0)
            return fail(ErrorKind::io, "CL-5002", fmt::format("Cannot lock '{}': {}.", path, std::strerror(errno)),
                        "Check that the folder may be written to; the list of servers is unchanged.");
        return turn;
    }
    FileTurn(FileTurn&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    ~FileTurn() {
        if (m_fd >= 0)
            ::close(m_fd);
    }

private:
    FileTurn() = default;
    int m_fd = -1;
};

struct Wiped { // whichever way its scope is left
    explicit Wiped(std::string& text) : m_text(text) {}
    ~Wiped() { wipe(m_text); }
    std::string& m_text;
};

} // namespace

std::string keySource(const Parameters& endpoint) {
    if (endpoint.boolean("api_key_store"))
        return "desktop key store";
    const auto& variable = endpoint.text("api_key_env");
    return variable.empty() ? "" : "variable " + variable;
}

Result<EndpointMap> parseEndpoints(const std::string& text) {
    toml::table document;
    try {
        document = toml::parse(text);
    } catch (const toml::parse_error& error) {
        return unreadable(fmt::format("it is not valid TOML: {} (line {}).", error.description(), error.source().begin.line));
    }
    EndpointMap out;
    for (const auto& [key, value] : document) {
        if (key.str() == "schema" && value.is_string())
            continue;
        if (key.str() != "endpoints" || !value.is_table())
            return unreadable(
                fmt::format("line {} holds '{}', which is no [endpoints.NAME].", value.source().begin.line, quotedForMessage(key.str())));
        for (const auto& [name, entry] : *value.as_table()) {
            if (!entry.is_table())
                return unreadable(fmt::format("endpoints.{} is no table.", quotedForMessage(name.str())));
            Parameters given;
            for (const auto& [id, node] : *entry.as_table()) {
                const std::string field(id.str());
                if (const auto* s = node.as_string())
                    given.set(field, s->get());
                else if (const auto* b = node.as_boolean())
                    given.set(field, b->get());
                else if (const auto* i = node.as_integer())
                    given.set(field, static_cast<std::int64_t>(i->get()));
                else if (const auto* d = node.as_floating_point())
                    given.set(field, d->get());
                else
                    return unreadable(fmt::format("endpoints.{}.{} is neither a text nor a number nor true or false.",
                                                  quotedForMessage(name.str()), quotedForMessage(field)));
            }
            CAROUSEL_ASSIGN(auto checked, checkedEndpoint(std::string(name.str()), given));
            CAROUSEL_TRY(parseServerUrl(checked.text("url")));
            out.emplace(std::string(name.str()), std::move(checked));
        }
    }
    return out;
}

std::string endpointsToml(const EndpointMap& endpoints) {
    toml::table tables;
    for (const auto& [name, endpoint] : endpoints) {
        toml::table table;
        for (const auto& spec : endpointParameters()) {
            const auto it = endpoint.values().find(spec.id);
            if (it == endpoint.values().end() || it->second == spec.defaultValue)
                continue;
            std::visit(
                [&](const auto& value) {
                    if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::vector<std::string>>)
                        table.insert(spec.id, value);
                },
                it->second);
        }
        tables.insert(name, std::move(table));
    }
    std::ostringstream out;
    out << toml::table{{"endpoints", std::move(tables)}} << "\n";
    return out.str();
}

struct Endpoints::Held {
    std::map<std::string, std::unique_ptr<ServerModel>> models; // by identity; stages hold pointers, so that none is ever taken out
    std::map<std::string, SecretKey> typed;                     // by name
    std::map<std::string, int> keyChanges;                      // by name: a model keeps the key that it was opened with
};

Endpoints::Endpoints(std::string userFile) : m_userFile(std::move(userFile)), m_held(std::make_unique<Held>()) {}
Endpoints::~Endpoints() = default;

Result<EndpointMap> Endpoints::readFile() const {
    if (!fileExists(m_userFile))
        return EndpointMap();
    CAROUSEL_ASSIGN(const auto text, carousel::readFile(m_userFile, std::size_t(1) << 20));
    auto parsed = parseEndpoints(text);
    if (!parsed)
        parsed.error().message = fmt::format("{}: {}", m_userFile, parsed.error().message);
    return parsed;
}

Result<void> Endpoints::writeFile(const EndpointMap& endpoints) const {
    if (fileExists(m_userFile)) {
        CAROUSEL_ASSIGN(const auto text, carousel::readFile(m_userFile, std::size_t(1) << 20));
        if (!startsWith(text, marker))
            return fail(ErrorKind::input, "CL-2122", fmt::format("'{}' is written by hand, and comments in it would be lost.", m_userFile),
                        "Change it in an editor.");
    }
    return atomicWrite(m_userFile, fmt::format("{}\n{}", marker, endpointsToml(endpoints)));
}

Result<EndpointMap> Endpoints::list() const {
    const std::lock_guard lock(m_mutex);
    return readFile();
}

Result<void> Endpoints::change(const std::function<Result<void>(EndpointMap&)>& edit) const {
    const std::lock_guard lock(m_mutex);
    CAROUSEL_TRY(makeFolders(std::filesystem::path(m_userFile).parent_path().string()));
    CAROUSEL_ASSIGN(const FileTurn turn, FileTurn::take(m_userFile + ".lock"));
    CAROUSEL_ASSIGN(auto all, readFile());
    CAROUSEL_TRY(edit(all));
    return writeFile(all);
}

Result<void> Endpoints::add(const std::string& name, const Parameters& given) {
    CAROUSEL_ASSIGN(auto checked, entry(name, given));
    return change([&](EndpointMap& all) -> Result<void> {
        if (!all.emplace(name, std::move(checked)).second)
            return fail(ErrorKind::input, "CL-2121", fmt::format("There is an endpoint '{}' already.", name),
                        "Choose another name, or remove it first.");
        return {};
    });
}

Result<void> Endpoints::put(const std::string& name, const Parameters& given) {
    CAROUSEL_ASSIGN(auto checked, entry(name, given));
    return change([&](EndpointMap& all) -> Result<void> {
        all.insert_or_assign(name, std::move(checked));
        return {};
    });
}

Result<void> Endpoints::remove(const std::string& name) {
    return change([&](EndpointMap& all) -> Result<void> {
        if (all.erase(name) == 0)
            return fail(ErrorKind::input, "CL-2115", fmt::format("There is no endpoint '{}' in '{}'.", quotedForMessage(name), m_userFile),
                        "See `endpoint list`.");
        return {};
    });
}

Result<Parameters> Endpoints::findLocked(const std::string& name) const {
    CAROUSEL_ASSIGN(const auto own, readFile());
    if (const auto it = own.find(name); it != own.end())
        return it->second;
    if (const auto it = m_study.find(name); it != m_study.end())
        return it->second;
    std::vector<std::string> known;
    for (const auto& [other, endpoint] : own)
        known.push_back(other);
    for (const auto& [other, endpoint] : m_study)
        known.push_back(other);
    return fail(ErrorKind::input, "CL-2115", fmt::format("There is no endpoint '{}'.", quotedForMessage(name)),
                fmt::format("{}Add it with `endpoint add`, or as [endpoints.{}] in the study.",
                            known.empty() ? "" : fmt::format("Known: {}. ", fmt::join(known, ", ")), quotedForMessage(name)));
}

Result<Parameters> Endpoints::findOwn(const std::string& name) const {
    const std::lock_guard lock(m_mutex);
    CAROUSEL_ASSIGN(const auto own, readFile());
    if (const auto it = own.find(name); it != own.end())
        return it->second;
    return fail(ErrorKind::input, "CL-2115", fmt::format("There is no endpoint '{}' in '{}'.", quotedForMessage(name), m_userFile),
                "See `endpoint list`; `endpoint add` makes one.");
}

Result<Parameters> Endpoints::find(const std::string& name) const {
    const std::lock_guard lock(m_mutex);
    return findLocked(name);
}

Result<ServerCard> Endpoints::test(const Parameters& unsaved, const RunControl& control, const std::string& name) {
    CAROUSEL_ASSIGN(const auto endpoint, checkedEndpoint("test", unsaved));
    CAROUSEL_ASSIGN(auto url, parseServerUrl(endpoint.text("url")));
    SecretKey key;
    {
        const std::lock_guard lock(m_mutex);
        if (const auto typed = m_held->typed.find(name); typed != m_held->typed.end() && typed->second.isFor(url.origin))
            key = typed->second.another();
    }
    const bool ofSession = key.isSet();
    if (!ofSession) {
        CAROUSEL_ASSIGN(key, keyOf(endpoint, url.origin, control));
    }
    CAROUSEL_TRY(key.header(url.origin)); // refused before anything is sent
    ServerClient client(std::move(url), std::move(key), endpoint);
    CAROUSEL_ASSIGN(auto card, probe(client, endpoint, control));
    const auto source = ofSession ? std::string("typed for this session") : keySource(endpoint);
    card.keyFrom = source.empty() ? "none is sent" : source;
    return card;
}

Result<ServerCard> Endpoints::test(const std::string& nameOrUrl, const RunControl& control) {
    Parameters endpoint;
    if (nameOrUrl.find("://") != std::string::npos) {
        endpoint.set("url", nameOrUrl);
    } else {
        const std::lock_guard lock(m_mutex);
        CAROUSEL_ASSIGN(endpoint, findLocked(nameOrUrl));
    }
    return test(endpoint, control);
}

Result<void> Endpoints::useStudy(const EndpointMap& endpoints, const RunControl& control) {
    const std::lock_guard lock(m_mutex);
    CAROUSEL_ASSIGN(const auto own, readFile());
    for (const auto& [name, endpoint] : endpoints) {
        // A study may come from someone else; consent is the user's alone.
        if (endpoint.boolean("consent"))
            return fail(ErrorKind::input, "CL-2114", fmt::format("The study gives consent for its own endpoint '{}'.", name),
                        fmt::format("Take consent out of the study; say --allow-server {} or put the endpoint into {}.", name, m_userFile));
        const auto mine = own.find(name);
        if (mine != own.end() && mine->second.text("url") != endpoint.text("url"))
            return fail(ErrorKind::input, "CL-2115",
                        fmt::format("The study's endpoint '{}' is at {}, yours of that name at {}.", name,
                                    quotedForMessage(endpoint.text("url")), quotedForMessage(mine->second.text("url"))),
                        "Give one of them another name.");
    }
    m_study = endpoints;
    m_control = control;
    return {};
}

void Endpoints::allow(const std::string& name) {
    const std::lock_guard lock(m_mutex);
    m_allowed.insert(name);
}

Result<void> Endpoints::setKey(const std::string& name, std::string key) {
    const Wiped wiped(key);
    const std::lock_guard lock(m_mutex);
    CAROUSEL_ASSIGN(const auto endpoint, findLocked(name));
    CAROUSEL_ASSIGN(const auto url, parseServerUrl(endpoint.text("url")));
    CAROUSEL_ASSIGN(m_held->typed[name], SecretKey::forThisProcess(key, url.origin));
    ++m_held->keyChanges[name];
    return {};
}

Result<void> Endpoints::keepKey(const std::string& name, std::string key, const RunControl& control) {
    const Wiped wiped(key);
    CAROUSEL_ASSIGN(const auto endpoint, findOwn(name));
    CAROUSEL_ASSIGN(const auto url, parseServerUrl(endpoint.text("url")));
    CAROUSEL_ASSIGN(const SecretKey made, SecretKey::forThisProcess(key, url.origin));
    if (!made.isSet())
        return fail(ErrorKind::input, "CL-2103", "The key is empty.", "Type it, or pass it on the standard input.");
    CAROUSEL_TRY(made.header(url.origin)); // one that could never be sent is not kept
    CAROUSEL_TRY(made.keepInStore(control));
    {
        const std::lock_guard lock(m_mutex);
        m_held->typed.erase(name);
        ++m_held->keyChanges[name];
    }
    return endpoint.boolean("api_key_store") ? Result<void>() : noteKeyStore(name, true, "The key is in the desktop's key store now, but");
}

Result<void> Endpoints::forgetKey(const std::string& name, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto endpoint, findOwn(name));
    CAROUSEL_ASSIGN(const auto url, parseServerUrl(endpoint.text("url")));
    bool hadTyped = false;
    {
        const std::lock_guard lock(m_mutex);
        hadTyped = m_held->typed.erase(name) > 0;
        ++m_held->keyChanges[name];
    }
    if (hadTyped && !endpoint.boolean("api_key_store"))
        return {};
    CAROUSEL_TRY(removeFromSecretStore(url.origin, control));
    return endpoint.boolean("api_key_store") ? noteKeyStore(name, false, "The key is out of the desktop's key store, but") : Result<void>();
}

Result<void> Endpoints::noteKeyStore(const std::string& name, bool kept, const char* done) const {
    auto noted = change([&](EndpointMap& all) -> Result<void> {
        const auto it = all.find(name);
        if (it == all.end())
            return fail(ErrorKind::input, "CL-2115", fmt::format("There is no endpoint '{}' in '{}' any more.", name, m_userFile),
                        "See `endpoint list`.");
        it->second.set("api_key_store", kept);
        if (kept)
            it->second.set("api_key_env", std::string());
        return {};
    });
    if (!noted) {
        noted.error().message = fmt::format("{} the endpoint does not say so: {}", done, noted.error().message);
        noted.error().hint = fmt::format("{} api_key_store = true {} [endpoints.{}]{} with an editor.", kept ? "Write" : "Take",
                                         kept ? "into" : "out of", name, kept ? " (instead of api_key_env)" : "");
    }
    return noted;
}


Result<LanguageModel*> Endpoints::model(const std::string& name) {
    const std::lock_guard lock(m_mutex);
    CAROUSEL_ASSIGN(const auto endpoint, findLocked(name));
    CAROUSEL_ASSIGN(const auto url, parseServerUrl(endpoint.text("url")));
    const std::string source = keySource(endpoint);
    if (!url.origin.isLoopback() && !endpoint.boolean("consent") && !m_allowed.count(name))
        return fail(
            ErrorKind::input, "CL-2114",
            fmt::format("Endpoint '{}' is at {}: prompts with item texts and people's histories{} would be sent there, and nobody has "
                        "allowed that.",
                        name, url.origin.text(), source.empty() ? "" : fmt::format(" and the key ({})", source)),
            fmt::format("When they may leave this machine, say --allow-server {} or write consent = true in {}.", name, m_userFile));
    const std::string id = fmt::format("{} {}", identity(name, endpoint), m_held->keyChanges[name]);
    if (const auto it = m_held->models.find(id); it != m_held->models.end())
        return it->second.get();
    SecretKey key;
    if (const auto typed = m_held->typed.find(name); typed != m_held->typed.end() && typed->second.isFor(url.origin)) {
        key = typed->second.another();
    } else {
        CAROUSEL_ASSIGN(key, keyOf(endpoint, url.origin, m_control));
    }
    CAROUSEL_TRY(key.header(url.origin));
    auto opened = ServerModel::open(name, endpoint, std::move(key), m_control);
    if (!opened) {
        if (opened.error().kind == ErrorKind::io) // not there now: the other strategies go on, and this one can be taken up again
            opened.error().kind = ErrorKind::partial;
        return fail(std::move(opened.error()));
    }
    auto model = std::move(*opened);
    return (m_held->models[id] = std::move(model)).get();
}

} // namespace carousel::server
