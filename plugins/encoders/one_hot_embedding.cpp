// SPDX-License-Identifier: GPL-3.0-or-later
// Encoder: one free vector per item, the traditional way. A one-hot id times a table of weights is a row of that table, so the table's
// rows are what is handed on: small random numbers that the scorer learns.
#include "base/random.h"
#include "stages/plugin.h"
#include "support/specs.h"
#include <cmath>

namespace carousel {
namespace {

class OneHotEmbedding final : public Encoder {
public:
    OneHotEmbedding(std::size_t width, double spread, std::uint64_t seed) : m_width(width), m_spread(spread), m_seed(seed) {}

    Result<EmbeddingTable> encode(const FeatureTable&, const TrainingView& training, const RunControl& control) override {
        EmbeddingTable out;
        out.items = Matrix(training.itemCount(), m_width);
        out.trainable = true;
        out.description = fmt::format("{} wide, one free vector per item, learned by the scorer", m_width);
        const double scale = m_spread / std::sqrt(static_cast<double>(m_width));
        for (std::size_t i = 0; i < out.items.rows; ++i) {
            if (i % 1024 == 0 && control.stopRequested())
                return fail(RunControl::cancelled("Drawing start vectors"));
            RandomStream random(m_seed, "one_hot_embedding", i);
            for (float& value : out.items.row(i))
                value = static_cast<float>(scale * random.normal());
        }
        return out;
    }

private:
    std::size_t m_width;
    double m_spread;
    std::uint64_t m_seed;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::encoder;
    out.id = "one_hot_embedding";
    out.name = "Learned item vectors";
    out.summary = "One free vector per item, drawn at random and learned together with the scorer; knows nothing of an item's text.";
    out.source = "Matrix factorisation (Koren, Bell, Volinsky, IEEE Computer 2009)";
    out.twin = "sentence_encoder";
    out.parameters = {
        plugin::integer("dimension", "Width", 64, 2, 1024, "numbers",
                        "Length of each vector; more can hold finer differences and needs more data."),
        plugin::number("spread", "Start spread", 0.1, 0.0001, 10, "",
                       "Expected length of a start vector; small values let the data speak first."),
    };
    out.createEncoder = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Encoder>> {
        return std::make_unique<OneHotEmbedding>(static_cast<std::size_t>(p.integer("dimension")), p.number("spread"), environment.seed);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
