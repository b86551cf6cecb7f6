// SPDX-License-Identifier: GPL-3.0-or-later
// A language model on a server, behind the interface that stages know. Scores are log-probabilities of the answers as the first token of
// the reply; an answer that could not be had is missing, with the reason. Safe from any thread: one call at a time, several requests inside
// it.
#pragma once
#include "server/ladder.h"
#include <mutex>

namespace carousel::server {

class ServerModel final : public LanguageModel {
public:
    // Asks the server what it can do (see probe()). `endpoint` has been through checkedEndpoint().
    static Result<std::unique_ptr<ServerModel>> open(const std::string& name, const Parameters& endpoint, SecretKey key,
                                                     const RunControl& control);

    const ModelInfo& info() const override { return m_info; }
    // The pooling is the server's own. CL-2117: gives none; CL-2119: unusable, after the tries. A text that is refused ends the call.
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override;
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override;
    // By echo: vLLM and SGLang. CL-2118 elsewhere. A continuation that failed is NaN.
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override;
    // By chat. CL-2118 for options that no server of this protocol offers (beams, grammar); CL-2119 when the reply is cut off, empty or not
    // one of those allowed.
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                               const RunControl& control) override;
    std::int64_t countTokens(const std::string& text) const override; // a quarter of the bytes: about what English text has
    std::string facts() const override;                               // {"card": ..., "use": ...}; use: since the model was opened

    const ServerCard& card() const { return m_card; }

private:
    ServerModel(std::string name, const Parameters& endpoint, ServerUrl url, SecretKey key);
    Result<void> mustScore() const;
    Prompt promptOf(std::vector<ChatMessage> messages) const;

    std::string m_name;
    Parameters m_endpoint;
    mutable std::mutex m_mutex; // guards the client
    ServerClient m_client;
    ServerCard m_card;
    ModelInfo m_info;
};

} // namespace carousel::server
