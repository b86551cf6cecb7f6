// SPDX-License-Identifier: GPL-3.0-or-later
#include "stages/endpoint.h"
#include "base/option_builders.h"
#include "base/text.h"
#include <algorithm>

namespace carousel {

namespace {

ParameterSpec field(std::string id, std::string label, ParameterKind kind, ParameterValue value, std::string help, std::string unit = {}) {
    ParameterSpec spec = option(std::move(id), std::move(label), kind, std::move(value), std::move(help));
    spec.unit = std::move(unit);
    return spec;
}

ParameterSpec text(std::string id, std::string label, std::string help) {
    return field(std::move(id), std::move(label), ParameterKind::text, std::string(), std::move(help));
}

ParameterSpec choice(std::string id, std::string label, std::vector<std::string> choices, std::string help) {
    auto spec = field(std::move(id), std::move(label), ParameterKind::choice, choices.front(), std::move(help));
    spec.choices = std::move(choices);
    return spec;
}

ParameterSpec whole(std::string id, std::string label, std::int64_t value, double low, double high, std::string help,
                    std::string unit = {}) {
    auto spec = field(std::move(id), std::move(label), ParameterKind::integer, value, std::move(help), std::move(unit));
    spec.minimum = low;
    spec.maximum = high;
    return spec;
}

ParameterSpec number(std::string id, std::string label, double value, double low, double high, std::string help, std::string unit = {}) {
    auto spec = field(std::move(id), std::move(label), ParameterKind::number, value, std::move(help), std::move(unit));
    spec.minimum = low;
    spec.maximum = high;
    return spec;
}

// A key that stands in a file ends up in reports, logs and copies; the variable's name does no harm there.
const char* const keyAdvice = "Put the key into an environment variable and write its name: api_key_env = \"MY_SERVER_KEY\", or keep it in "
                              "the desktop's key store with `endpoint key set`. A key that stood in a file should be replaced at its issuer.";

bool namesKey(const std::string& id) {
    const std::string plain = lowered(id);
    for (const char* word : {"api_key", "apikey", "api-key", "key", "token", "secret", "password", "authorization", "bearer"})
        if (plain == word)
            return true;
    return false;
}

bool isVariableName(const std::string& text) {
    return !text.empty() && text.size() <= 128 && !(text[0] >= '0' && text[0] <= '9') && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

} // namespace

const std::vector<ParameterSpec>& endpointParameters() {
    static const std::vector<ParameterSpec> specs{
        text("url", "Address", "Where the server is, as http(s)://host:port; with or without /v1."),
        text("model", "Model", "As the server calls it; empty: the only one that it lists."),
        text("api_key_env", "Key from variable", "The environment variable that holds the key; empty: no key is sent."),
        field("api_key_store", "Key from the desktop key store", ParameterKind::boolean, false,
              "True: the desktop keeps the key, bound to scheme, host and port of the address; `endpoint key set NAME` puts it there."),
        choice("kind", "Server", {"auto", "vllm", "sglang", "llama-server", "ollama", "tgi", "openai"},
               "What runs there; auto asks the server."),
        choice("rung", "Way of scoring", {"auto", "label", "chosen", "top", "bias", "echo", "text"},
               "How probabilities of the answers are had: label endpoint, chosen tokens, the most probable tokens, bias, echo, or text "
               "without probabilities; auto takes the first that works."),
        choice("prompt", "Prompts as", {"chat", "plain"},
               "chat: messages, laid out by the server's template; plain: bare text, for models without one."),
        choice("thinking", "Thinking", {"as_is", "off"}, "off: asks servers that know it to leave reasoning out."),
        whole("top_logprobs", "Most probable tokens asked", 20, 1, 1000,
              "How many the server is asked for; hosted services allow 5 or 20."),
        whole("concurrency", "Requests at a time", 4, 1, 256, "No more than this are under way."),
        whole("batch", "Prompts per request", 16, 1, 1024, "Where the server takes several prompts in one request."),
        whole("requests_per_minute", "Requests per minute", 0, 0, 1e6, "Sent at most; 0: no limit."),
        number("connect_seconds", "Longest connecting", 10, 0.05, 600, "Then the try has failed.", "s"),
        number("first_byte_seconds", "Longest wait for the answer's start", 60, 0.05, 3600,
               "Raise it for a server that loads its model first.", "s"),
        number("reply_seconds", "Longest whole reply", 120, 0.05, 7200, "From sending to the last byte.", "s"),
        whole("tries", "Tries", 4, 1, 10, "Of one request, where trying again can help."),
        number("backoff_seconds", "First pause", 0.5, 0.001, 60, "Doubled for each try and drawn at random below that.", "s"),
        number("backoff_limit_seconds", "Longest pause", 20, 0.001, 600, "Between two tries.", "s"),
        number("retry_after_limit_seconds", "Longest Retry-After", 60, 0, 3600, "A server that asks for more pauses the run.", "s"),
        number("breaker_seconds", "Rest of a failing server", 30, 0.01, 3600,
               "After 5 failures in a row; after three rests the run is paused.", "s"),
        whole("budget_calls", "Most requests", 0, 0, 1e12, "Of one program run; then the run is paused. 0: no limit."),
        whole("budget_tokens", "Most tokens", 0, 0, 1e15, "Prompt and answer together; 0: no limit."),
        number("budget_money", "Most money", 0, 0, 1e9, "By the prices of tokens; 0: no limit."),
        number("price_input", "Price of prompt tokens", 0, 0, 1e6, "Per million."),
        number("price_cached", "Price of reused prompt tokens", 0, 0, 1e6, "Per million, where the server tells how many it reused."),
        number("price_output", "Price of answer tokens", 0, 0, 1e6, "Per million."),
        field("consent", "May leave this machine", ParameterKind::boolean, false,
              "True: prompts with item texts and people's histories may be sent there. Not needed for a server on this machine."),
    };
    return specs;
}

Result<Parameters> checkedEndpoint(const std::string& name, const Parameters& given) {
    const std::string owner = fmt::format("Endpoint '{}'", quotedForMessage(name));
    if (name.empty() || name.size() > 64 || !std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        }))
        return fail(ErrorKind::input, "CL-2102", fmt::format("{}: a name is made of a to z, 0 to 9, _ and -.", owner),
                    "Choose another name.");
    std::vector<std::string> known;
    for (const auto& spec : endpointParameters())
        known.push_back(spec.id);
    for (const auto& [id, value] : given.values()) {
        if (std::find(known.begin(), known.end(), id) != known.end())
            continue;
        if (namesKey(id))
            return fail(ErrorKind::input, "CL-2102", fmt::format("{}: '{}' holds a key written out.", owner, id), keyAdvice);
        return fail(ErrorKind::input, "CL-2102", fmt::format("{} has no key '{}'.", owner, quotedForMessage(id)),
                    fmt::format("It knows: {}.", fmt::join(known, ", ")));
    }
    CAROUSEL_ASSIGN(auto out, validate(endpointParameters(), given, owner));
    if (const auto& variable = out.text("api_key_env"); !variable.empty() && !isVariableName(variable))
        return fail(ErrorKind::input, "CL-2102", fmt::format("{}: api_key_env is not the name of an environment variable.", owner),
                    keyAdvice);
    if (out.boolean("api_key_store") && !out.text("api_key_env").empty())
        return fail(ErrorKind::input, "CL-2102", fmt::format("{} names two places for its key: api_key_env and api_key_store.", owner),
                    "Take one of them out.");
    if (out.text("url").find_first_of("@?#") != std::string::npos) // a password would be kept wherever the description is
        return fail(ErrorKind::input, "CL-2102", fmt::format("{}: url holds a name, a password or a query.", owner), keyAdvice);
    if (out.text("url").empty())
        return fail(ErrorKind::input, "CL-2102", fmt::format("{} has no url.", owner), "Write url = \"http://127.0.0.1:8000\".");
    return out;
}

} // namespace carousel
