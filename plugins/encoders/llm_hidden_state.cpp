// SPDX-License-Identifier: GPL-3.0-or-later
// Encoder: the hidden state of a generative language model after reading an item's text. Such states share one strong direction, so
// that all items look alike; taking off the mean and the first common directions makes their differences visible.
#include "base/random.h"
#include "stages/plugin.h"
#include "support/model_calls.h"
#include "support/specs.h"
#include <cmath>

namespace carousel {
namespace {

void normaliseRows(Matrix& m) {
    for (std::size_t i = 0; i < m.rows; ++i) {
        double sum = 0;
        for (const float v : m.row(i))
            sum += double(v) * v;
        if (sum > 1e-20)
            for (float& v : m.row(i))
                v = static_cast<float>(v / std::sqrt(sum));
    }
}

void removeMean(Matrix& m) {
    std::vector<double> mean(m.columns, 0.0);
    for (std::size_t i = 0; i < m.rows; ++i)
        for (std::size_t k = 0; k < m.columns; ++k)
            mean[k] += m.values[i * m.columns + k];
    for (std::size_t i = 0; i < m.rows; ++i)
        for (std::size_t k = 0; k < m.columns; ++k)
            m.values[i * m.columns + k] = static_cast<float>(m.values[i * m.columns + k] - mean[k] / static_cast<double>(m.rows));
}

// Takes off the direction along which the rows differ most, found by power iteration from a fixed start.
bool removeCommonDirection(Matrix& m, std::uint64_t step, const RunControl& control) {
    std::vector<double> direction(m.columns), next(m.columns);
    RandomStream random(1, "llm_hidden_state direction", step);
    for (double& v : direction)
        v = random.normal();
    for (int iteration = 0; iteration < 60; ++iteration) {
        if (control.stopRequested())
            return false;
        std::fill(next.begin(), next.end(), 0.0);
        for (std::size_t i = 0; i < m.rows; ++i) {
            const auto row = m.row(i);
            double dot = 0;
            for (std::size_t k = 0; k < m.columns; ++k)
                dot += row[k] * direction[k];
            for (std::size_t k = 0; k < m.columns; ++k)
                next[k] += dot * row[k];
        }
        double length = 0;
        for (const double v : next)
            length += v * v;
        if (length < 1e-30)
            return true; // nothing is left to take off
        for (std::size_t k = 0; k < m.columns; ++k)
            direction[k] = next[k] / std::sqrt(length);
    }
    for (std::size_t i = 0; i < m.rows; ++i) {
        auto row = m.row(i);
        double dot = 0;
        for (std::size_t k = 0; k < m.columns; ++k)
            dot += row[k] * direction[k];
        for (std::size_t k = 0; k < m.columns; ++k)
            row[k] = static_cast<float>(row[k] - dot * direction[k]);
    }
    return true;
}

class LlmHiddenState final : public Encoder {
public:
    LlmHiddenState(std::string model, Pooling pooling, bool centre, std::int64_t directions, StageEnvironment environment)
        : m_model(std::move(model)), m_pooling(pooling), m_centre(centre), m_directions(directions), m_environment(std::move(environment)) {
    }

    Result<EmbeddingTable> encode(const FeatureTable& features, const TrainingView&, const RunControl& control) override {
        CAROUSEL_ASSIGN(const auto model, plugin::CountedModel::open(m_environment, m_model));
        EmbeddingTable out;
        CAROUSEL_ASSIGN(out.items, plugin::embedAll(*model, features.itemText, m_pooling, "Encoding item texts", control));
        // With one or two items the mean is all there is.
        const bool enough = out.items.rows > 2;
        if (m_centre && enough)
            removeMean(out.items);
        const auto directions = enough ? std::min<std::int64_t>(m_directions, static_cast<std::int64_t>(out.items.rows) - 2) : 0;
        for (std::int64_t step = 0; step < directions; ++step)
            if (!removeCommonDirection(out.items, static_cast<std::uint64_t>(step), control))
                return fail(RunControl::cancelled("Removing common directions"));
        normaliseRows(out.items);
        out.description = fmt::format("{} wide, {}, {} state{}{}, length 1", out.items.columns, m_model,
                                      m_pooling == Pooling::mean ? "mean" : "last", m_centre && enough ? ", mean taken off" : "",
                                      directions > 0 ? fmt::format(", {} common directions taken off", directions) : "");
        return out;
    }

private:
    std::string m_model;
    Pooling m_pooling;
    bool m_centre;
    std::int64_t m_directions;
    StageEnvironment m_environment;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::encoder;
    out.id = "llm_hidden_state";
    out.name = "Language model state";
    out.summary = "Reads each item's text with a generative language model and takes its inner state as the item's vector.";
    out.source = "Frozen LLM states as item vectors (AlphaRec, Sheng et al., 2024); common directions off: Mu and Viswanath, ICLR 2018";
    out.usesLanguageModel = true;
    out.twin = "one_hot_embedding";
    out.parameters = {
        plugin::languageModel("smollm2-135m-instruct", "The generative model whose state is taken."),
        plugin::choice("pooling", "State", {"mean", "last"}, "mean",
                       "The mean of the states of all words, or the state after the last word."),
        plugin::flag("removeMean", "Take off the mean", true,
                     "Takes the mean of all items off, since the states of such models share a strong common part."),
        plugin::integer("commonDirections", "Common directions taken off", 2, 0, 50, "directions",
                        "So many directions in which the items differ most are taken off; they mostly tell of length and spelling."),
    };
    out.createEncoder = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Encoder>> {
        return std::make_unique<LlmHiddenState>(p.text("model"), p.text("pooling") == "last" ? Pooling::last : Pooling::mean,
                                                p.boolean("removeMean"), p.integer("commonDirections"), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
