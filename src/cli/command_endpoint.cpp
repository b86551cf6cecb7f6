// SPDX-License-Identifier: GPL-3.0-or-later
// endpoint test|list|add|remove|key: language models on servers.
#include "cli/secret_input.h"
#include "cli/session.h"
#include "cli/table.h"
#include "server/endpoints.h"
#include "server/secret_key.h"

namespace carousel::cli {

using nlohmann::json;

namespace {
struct EndpointOptions {
    std::string name, url, model, keyVariable;
    std::vector<std::string> sets;
};

Result<Parameters> givenBy(const EndpointOptions& options) {
    Parameters out;
    auto set = [&](const char* id, const std::string& text) {
        if (!text.empty())
            out.set(id, text);
    };
    set("url", options.url);
    set("model", options.model);
    set("api_key_env", options.keyVariable);
    for (const auto& entry : options.sets) {
        const auto equals = entry.find('=');
        const std::string id = entry.substr(0, equals);
        const ParameterSpec* known = nullptr;
        for (const auto& spec : endpointParameters())
            if (spec.id == id)
                known = &spec;
        if (equals == std::string::npos || !known) {
            out.set(id, std::string()); // refused with the known keys, or with the advice about keys
            continue;
        }
        CAROUSEL_ASSIGN(auto value, parseParameter(*known, entry.substr(equals + 1), fmt::format("Endpoint '{}'", options.name)));
        out.set(id, std::move(value));
    }
    return out;
}

Result<Answer> testEndpoint(Session& session, const EndpointOptions& options) {
    auto& endpoints = session.bench().endpoints();
    Result<server::ServerCard> card = server::ServerCard();
    if (options.name.find("://") != std::string::npos) {
        EndpointOptions unsaved = options;
        unsaved.url = options.name;
        CAROUSEL_ASSIGN(const auto given, givenBy(unsaved));
        card = endpoints.test(given, session.control());
    } else {
        CAROUSEL_ASSIGN(auto given, endpoints.find(options.name));
        EndpointOptions changes = options;
        CAROUSEL_ASSIGN(const auto changed, givenBy(changes));
        for (const auto& [id, value] : changed.values())
            given.set(id, value);
        card = endpoints.test(given, session.control());
    }
    if (!card)
        return fail(card.error());
    Answer answer;
    answer.text = card->text();
    answer.data = card->json();
    return answer;
}

Result<Answer> listEndpoints(Session& session) {
    auto& endpoints = session.bench().endpoints();
    CAROUSEL_ASSIGN(const auto all, endpoints.list());
    Answer answer;
    TextTable table({"Endpoint", "Address", "Model", "Key from", "Scoring", "May leave this machine"});
    json list = json::array();
    for (const auto& [name, endpoint] : all) {
        table.add({name, endpoint.text("url"), endpoint.text("model"), server::keySource(endpoint), endpoint.text("rung"),
                   endpoint.boolean("consent") ? "yes" : ""});
        json entry{{"name", name}, {"keyFrom", server::keySource(endpoint)}};
        for (const auto& [id, value] : endpoint.values())
            entry[id] = std::visit([](const auto& v) { return json(v); }, value);
        list.push_back(std::move(entry));
    }
    answer.text = all.empty()
                      ? fmt::format("No servers are described in '{}'; add one with `endpoint add NAME --url http://127.0.0.1:8000`.",
                                    endpoints.userFile())
                      : table.text();
    answer.data = {{"file", endpoints.userFile()}, {"endpoints", list}};
    return answer;
}

Result<Answer> addEndpoint(Session& session, const EndpointOptions& options) {
    auto& endpoints = session.bench().endpoints();
    CAROUSEL_ASSIGN(const auto given, givenBy(options));
    CAROUSEL_TRY(endpoints.add(options.name, given));
    Answer answer;
    answer.text =
        fmt::format("Endpoint '{}' is kept in '{}'. Stages use it as model = \"server:{}\"; `endpoint test {}` shows what it can do.",
                    options.name, endpoints.userFile(), options.name, options.name);
    answer.data = {{"name", options.name}, {"file", endpoints.userFile()}};
    return answer;
}

Result<Answer> removeEndpoint(Session& session, const std::string& name) {
    auto& endpoints = session.bench().endpoints();
    CAROUSEL_ASSIGN(const auto all, endpoints.list());
    const auto known = all.find(name);
    const bool keyStays = known != all.end() && known->second.boolean("api_key_store");
    CAROUSEL_TRY(endpoints.remove(name));
    Answer answer;
    if (keyStays)
        answer.warnings.push_back("Its key stays in the desktop's key store, for other endpoints of that server; the desktop's password manager "
                                  "can delete it, and so can `endpoint key remove` before the endpoint goes.");
    answer.text = fmt::format("Endpoint '{}' is removed from '{}'.", name, endpoints.userFile());
    answer.data = {{"name", name}, {"file", endpoints.userFile()}};
    return answer;
}

// The key of an endpoint is that of its server: every endpoint of the same scheme, host and port finds it.
Result<std::string> originOf(server::Endpoints& endpoints, const std::string& name) {
    CAROUSEL_ASSIGN(const auto endpoint, endpoints.find(name));
    CAROUSEL_ASSIGN(const auto url, server::parseServerUrl(endpoint.text("url")));
    return url.origin.text();
}

Result<Answer> setKey(Session& session, const std::string& name) {
    auto& endpoints = session.bench().endpoints();
    CAROUSEL_ASSIGN(const auto origin, originOf(endpoints, name)); // a wrong name is told before anyone types a key
    CAROUSEL_ASSIGN(auto key, readSecret(fmt::format("Key for {}: ", origin)));
    const auto kept = endpoints.keepKey(name, key, session.control());
    server::wipe(key);
    CAROUSEL_TRY(kept);
    Answer answer;
    answer.text = fmt::format("The key for {} is in the desktop's key store, and endpoint '{}' takes it from there.", origin, name);
    answer.data = {{"name", name}, {"origin", origin}, {"keyFrom", "desktop key store"}};
    return answer;
}

Result<Answer> removeKey(Session& session, const std::string& name) {
    auto& endpoints = session.bench().endpoints();
    CAROUSEL_ASSIGN(const auto origin, originOf(endpoints, name));
    CAROUSEL_TRY(endpoints.forgetKey(name, session.control()));
    Answer answer;
    answer.text = fmt::format("The key for {} is out of the desktop's key store.", origin);
    answer.data = {{"name", name}, {"origin", origin}};
    return answer;
}
} // namespace

void addEndpointCommands(CLI::App& app, Session& session) {
    auto* endpoint = app.add_subcommand("endpoint", "Language models on servers (vLLM, SGLang, llama-server, Ollama, TGI, OpenAI)");
    endpoint->require_subcommand(1);
    auto options = std::make_shared<EndpointOptions>();
    auto described = [&](CLI::App* sub) {
        sub->add_option("--model", options->model, "Model as the server calls it; none: the only one it lists");
        sub->add_option("--key-env", options->keyVariable, "Environment variable that holds the key; a key itself is never given here")
            ->type_name("NAME");
        sub->add_option("--set", options->sets, "Any other value: concurrency=8, price_input=0.15, rung=top (may be given again)")
            ->type_name("KEY=VALUE")
            ->expected(1)
            ->take_all();
    };
    auto* test = endpoint->add_subcommand("test", "Ask a server what it is and can do; sends two easy questions and none of your data");
    test->add_option("endpoint", options->name, "Name, or address like http://127.0.0.1:8000")->required();
    described(test);
    session.chosen(test, "endpoint-test", [&session, options] { return testEndpoint(session, *options); });
    auto* list = endpoint->add_subcommand("list", "The servers you have described");
    session.chosen(list, "endpoint-list", [&session] { return listEndpoints(session); });
    auto* add = endpoint->add_subcommand("add", "Describe a server under a name");
    add->add_option("name", options->name, "Name; stages use it as server:NAME")->required();
    add->add_option("--url", options->url, "Address like http://127.0.0.1:8000")->required();
    described(add);
    session.chosen(add, "endpoint-add", [&session, options] { return addEndpoint(session, *options); });
    auto* remove = endpoint->add_subcommand("remove", "Forget a server");
    remove->add_option("name", options->name, "Name")->required();
    session.chosen(remove, "endpoint-remove", [&session, options] { return removeEndpoint(session, options->name); });
    auto* key = endpoint->add_subcommand("key", "The key of a server in the desktop's key store (GNOME Keyring, KWallet, KeePassXC)");
    key->require_subcommand(1);
    auto* setting = key->add_subcommand("set", "Keep a key: typed without echo, or read from the standard input; never an argument");
    setting->add_option("name", options->name, "Name of the endpoint")->required();
    session.chosen(setting, "endpoint-key-set", [&session, options] { return setKey(session, options->name); });
    auto* removing = key->add_subcommand("remove", "Delete the key that is kept for the server of an endpoint");
    removing->add_option("name", options->name, "Name of the endpoint")->required();
    session.chosen(removing, "endpoint-key-remove", [&session, options] { return removeKey(session, options->name); });
}

} // namespace carousel::cli
