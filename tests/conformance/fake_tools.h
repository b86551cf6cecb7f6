// SPDX-License-Identifier: GPL-3.0-or-later
// What a controller may do in a test: the same rules as in a run (unseen items only, best first), over fitted plain scorers.
#pragma once
#include "small_data.h"
#include "stages/plugin.h"
#include <map>

namespace carousel::conformance {

// Fitted once, shared by the requests of all users.
struct Kitchen {
    const SmallData* data = nullptr;
    FeatureTable features;
    EmbeddingTable embeddings;
    std::map<std::string, std::unique_ptr<Scorer>> scorers; // by plugin id
    std::string own = "sequence_rules";                     // the strategy's scorer
    std::string retriever;                                  // empty: the whole catalogue are candidates
    int count = 8;
};

class FakeTools final : public ComposeTools {
public:
    FakeTools(const Kitchen& kitchen, Code user);
    Code user() const override { return m_user; }
    const TrainingView& training() const override { return m_kitchen.data->training; }
    const FeatureTable& features() const override { return m_kitchen.features; }
    const EmbeddingTable& embeddings() const override { return m_kitchen.embeddings; }
    Result<std::vector<ScoredItem>> candidates() override;
    Result<std::vector<ScoredItem>> retrieve(const std::string& scorerPlugin, int count) override;
    Result<std::vector<ScoredItem>> score(std::span<const Code> items) override;
    Result<std::vector<ScoredItem>> remainder(std::span<const Code> chosen) override;
    Trace& trace() override { return m_trace; }
    const std::vector<Code>& unseen() const { return m_unseen; }

private:
    Result<std::vector<ScoredItem>> ranking(const std::string& scorer);
    const Kitchen& m_kitchen;
    Code m_user;
    std::vector<Code> m_unseen;
    Trace m_trace;
};

} // namespace carousel::conformance
