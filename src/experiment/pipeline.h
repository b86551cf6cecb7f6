// SPDX-License-Identifier: GPL-3.0-or-later
// The filled-in pipeline of one strategy: its four stages made and fitted, with the retrievers that the scorer and the controller ask for.
// After prepare() every const member may be used from several threads.
#pragma once
#include "experiment/run_experiment.h"

namespace carousel {

struct Pipeline {
    DatasetPtr dataset;
    std::unique_ptr<TrainingView> training;
    std::unique_ptr<FeatureBuilder> featureBuilder;
    std::unique_ptr<Encoder> encoder;
    std::unique_ptr<Scorer> scorer;
    std::unique_ptr<Controller> controller;
    FeatureTable features;
    EmbeddingTable embeddings;
    std::optional<RetrieverChoice> retriever;
    std::map<std::string, std::unique_ptr<Scorer>> retrievers; // fitted, by plugin id
    bool sequential = false; // a language model works per request: one request at a time, so that its cost is known per user
    std::vector<std::string> notes;

    static Result<std::unique_ptr<Pipeline>> prepare(DatasetPtr dataset, const Split& split, const StudySpec& study, const StrategySpec& strategy,
                                                     const ExperimentHost& host, const RunControl& control);
};

// One user's request through a prepared pipeline: the candidates, their scores, the slate.
class RequestTools : public ComposeTools {
public:
    RequestTools(const Pipeline& pipeline, Code user, const RunControl& control);
    Code user() const override { return m_user; }
    const TrainingView& training() const override { return *m_pipeline.training; }
    const FeatureTable& features() const override { return m_pipeline.features; }
    const EmbeddingTable& embeddings() const override { return m_pipeline.embeddings; }
    Result<std::vector<ScoredItem>> candidates() override;
    Result<std::vector<ScoredItem>> retrieve(const std::string& scorerPlugin, int count) override;
    Result<std::vector<ScoredItem>> score(std::span<const Code> items) override;
    Result<std::vector<ScoredItem>> remainder(std::span<const Code> chosen) override;
    Trace& trace() override { return m_trace; }
    const std::vector<Code>& unseen() const { return m_unseen; }
    std::int64_t scored() const { return m_scored; }
    std::int64_t notOk() const { return m_notOk; }

private:
    Result<std::vector<ScoredItem>> scoreWith(const Scorer& scorer, std::span<const Code> items, std::span<const float> retrieverScores = {});
    Result<std::vector<ScoredItem>> ranking(const Scorer& scorer); // all unseen items, best first, ties by code
    const Pipeline& m_pipeline;
    const Code m_user;
    const RunControl m_control;
    std::vector<Code> m_unseen; // ascending
    Trace m_trace;
    std::int64_t m_scored = 0, m_notOk = 0;
};

} // namespace carousel
