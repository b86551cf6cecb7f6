// SPDX-License-Identifier: GPL-3.0-or-later
// What a server is and can do, as found by asking it. A plain value; shown by `endpoint test`, kept in a run's provenance.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace carousel::server {

enum class ServerKind { vllm, sglang, llamaServer, ollama, tgi, openai };
const char* name(ServerKind kind);
ServerKind serverKindNamed(const std::string& name); // "auto" and unknown: openai

// How probabilities of answers are had, best first. One run uses one.
enum class Rung { none, label, chosen, top, bias, echo, text };
const char* name(Rung rung);
Rung rungNamed(const std::string& name);

enum class Tokenise { none, prompt, content, input }; // the key under which the route takes a text

struct ServerCard {
    ServerKind kind = ServerKind::openai;
    std::string url, version, model; // model: as the server calls it
    std::vector<std::string> models;
    std::int64_t contextLength = 0; // tokens; 0: not told
    std::int64_t workSlots = 0;       // requests it works on at a time; 0: not told
    Tokenise tokenise = Tokenise::none;
    std::string tokeniseRoute;
    bool chat = false, structuredOutput = false, tokenisesMessages = false;
    int embeddingWidth = 0;            // 0: gives no embeddings
    bool embeddingsNormalised = false; // by the server already
    Rung rung = Rung::none;
    int topLimit = 0;                     // most probable tokens it tells at most; 0: not tried
    std::string prefixCache = "not told"; // "seen", "not seen", "not told"
    double easyYes = -1, easyNo = -1;     // share of Yes for "Is 2+2=4?" and for "Is 2+2=5?"; -1: not asked
    double labelMass = -1;                // probability of Yes and No together, the smaller of both questions
    std::string keyFrom;                  // where the key came from, in words; never the key. Empty: not told
    std::vector<std::string> notes;       // why a rung did not work, and warnings

    bool easyPassed() const { return easyYes > 0.5 && easyNo >= 0 && easyNo < 0.5; }
    nlohmann::json json() const;
    std::string text() const; // lines for people
};

} // namespace carousel::server
