// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/server_card.h"
#include "base/text.h"
#include <array>
#include <fmt/format.h>
#include <utility>

namespace carousel::server {

namespace {
constexpr std::array<std::pair<ServerKind, const char*>, 6> kinds{{{ServerKind::vllm, "vllm"},
                                                                   {ServerKind::sglang, "sglang"},
                                                                   {ServerKind::llamaServer, "llama-server"},
                                                                   {ServerKind::ollama, "ollama"},
                                                                   {ServerKind::tgi, "tgi"},
                                                                   {ServerKind::openai, "openai"}}};
constexpr std::array<std::pair<Rung, const char*>, 7> rungs{{{Rung::none, "none"},
                                                             {Rung::label, "label"},
                                                             {Rung::chosen, "chosen"},
                                                             {Rung::top, "top"},
                                                             {Rung::bias, "bias"},
                                                             {Rung::echo, "echo"},
                                                             {Rung::text, "text"}}};

const char* described(Rung rung) {
    switch (rung) {
    case Rung::none:
        return "none: this server cannot score answers";
    case Rung::label:
        return "label endpoint (exact)";
    case Rung::chosen:
        return "log-probabilities of chosen tokens (exact)";
    case Rung::top:
        return "most probable first tokens (bounds where an answer is not among them)";
    case Rung::bias:
        return "most probable first tokens with a bias on the answers";
    case Rung::echo:
        return "echoed prompt (exact, reads each prompt once per answer)";
    case Rung::text:
        return "text alone: no probabilities, every score is 1 or 0";
    }
    return "";
}
} // namespace

const char* name(ServerKind kind) {
    for (const auto& [value, text] : kinds)
        if (value == kind)
            return text;
    return "openai";
}

ServerKind serverKindNamed(const std::string& wanted) {
    for (const auto& [value, text] : kinds)
        if (wanted == text)
            return value;
    return ServerKind::openai;
}

const char* name(Rung rung) {
    for (const auto& [value, text] : rungs)
        if (value == rung)
            return text;
    return "none";
}

Rung rungNamed(const std::string& wanted) {
    for (const auto& [value, text] : rungs)
        if (wanted == text)
            return value;
    return Rung::none;
}

nlohmann::json ServerCard::json() const {
    nlohmann::json out{{"url", url},
                       {"kind", name(kind)},
                       {"version", version},
                       {"model", model},
                       {"models", models},
                       {"contextLength", contextLength},
                       {"slots", workSlots},
                       {"tokenises", tokenise != Tokenise::none},
                       {"chat", chat},
                       {"structuredOutput", structuredOutput},
                       {"embeddings", embeddingWidth > 0},
                       {"embeddingWidth", embeddingWidth},
                       {"rung", name(rung)},
                       {"topLimit", topLimit},
                       {"prefixCache", prefixCache},
                       {"notes", notes}};
    if (!keyFrom.empty())
        out["keyFrom"] = keyFrom;
    if (easyYes >= 0)
        out["easyQuestion"] = {{"yes", easyYes}, {"negation", easyNo}, {"passed", easyPassed()}, {"labelMass", labelMass}};
    return out;
}

std::string ServerCard::text() const {
    auto yes = [](bool value) { return value ? "yes" : "no"; };
    std::string out = fmt::format("{} ({}{}{})\n", url, name(kind), version.empty() ? "" : " ", quotedForMessage(version, 60));
    std::string list;
    for (std::size_t i = 0; i < models.size() && i < 10; ++i)
        list += (i ? ", " : "") + quotedForMessage(models[i], 80);
    if (models.size() > 10)
        list += fmt::format(" and {} more", models.size() - 10);
    out += fmt::format("Model            {}\nModels           {}\n", quotedForMessage(model), list.empty() ? "not told" : list);
    out += fmt::format("Context          {}\n", contextLength > 0 ? withThousands(contextLength) + " tokens" : "not told");
    out += fmt::format("Scoring          {}\n", described(rung));
    if (topLimit > 0)
        out += fmt::format("Tokens told      {}\n", topLimit);
    if (easyYes >= 0)
        out += fmt::format("Easy question    {}: \"Is 2+2=4?\" Yes {}, \"Is 2+2=5?\" Yes {}; Yes and No together {}\n",
                           easyPassed() ? "passed" : "NOT passed", threeFigures(easyYes), threeFigures(easyNo), threeFigures(labelMass));
    out += fmt::format("Chat             {}\nTokenises        {}\nStructured text  {}\nEmbeddings       {}\nPrefix cache     {}\n",
                       yes(chat), yes(tokenise != Tokenise::none), yes(structuredOutput),
                       embeddingWidth > 0 ? fmt::format("yes, {} wide", embeddingWidth) : "no", prefixCache);
    if (!keyFrom.empty())
        out += fmt::format("Key              {}\n", keyFrom);
    for (const auto& note : notes)
        out += "Note: " + quotedForMessage(note, 400) + "\n";
    return out;
}

} // namespace carousel::server
