// SPDX-License-Identifier: GPL-3.0-or-later
// endpoint test|list|add|remove: language models on servers.
#include "cli/session.h"
#include "cli/table.h"
#include "server/endpoints.h"

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
        table.add({name, endpoint.text("url"), endpoint.text("model"), endpoint.text("api_key_env"), endpoint.text("rung"),
                   endpoint.boolean("consent") ? "yes" : ""});
        json entry{{"name", name}};
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
    CAROUSEL_TRY(endpoints.remove(name));
    Answer answer;
    answer.text = fmt::format("Endpoint '{}' is removed from '{}'.", name, endpoints.userFile());
    answer.data = {{"name", name}, {"file", endpoints.userFile()}};
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
}

} // namespace carousel::cli
