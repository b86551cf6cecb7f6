// SPDX-License-Identifier: GPL-3.0-or-later
// Encoder: a sentence model turns each item's text into a vector; alike texts point the same way. Works for items nobody has met.
#include "stages/plugin.h"
#include "support/model_calls.h"
#include "support/specs.h"

namespace carousel {
namespace {

class SentenceEncoder final : public Encoder {
public:
    SentenceEncoder(std::string model, StageEnvironment environment) : m_model(std::move(model)), m_environment(std::move(environment)) {}

    Result<EmbeddingTable> encode(const FeatureTable& features, const TrainingView&, const RunControl& control) override {
        CAROUSEL_ASSIGN(const auto model, plugin::CountedModel::open(m_environment, m_model));
        EmbeddingTable out;
        CAROUSEL_ASSIGN(out.items, plugin::embedAll(*model, features.itemText, Pooling::mean, "Encoding item texts", control));
        out.description = fmt::format("{} wide, {}, mean of the word states, length 1", out.items.columns, m_model);
        return out;
    }

private:
    std::string m_model;
    StageEnvironment m_environment;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::encoder;
    out.id = "sentence_encoder";
    out.name = "Sentence encoder";
    out.summary = "Turns each item's text into a vector with a sentence model, so that items with like texts lie close, known or new.";
    out.source = "Sentence-BERT (Reimers and Gurevych, EMNLP 2019); zero-shot item text as in ZESRec (Ding et al., 2021)";
    out.usesLanguageModel = true;
    out.twin = "one_hot_embedding";
    out.parameters = {plugin::languageModel("all-minilm-l6-v2", "The sentence model that reads the item texts.")};
    out.createEncoder = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Encoder>> {
        return std::make_unique<SentenceEncoder>(p.text("model"), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
