// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: the history's vectors, newest first, make a profile; the profile is held against each item's vector. Given vectors (text) are
// used as they are. Trainable ones (one-hot) are learned here: what a user's earlier items say about the next liked one.
#include "base/random.h"
#include "stages/plugin.h"
#include "support/history.h"
#include "support/specs.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel {
namespace {

struct Settings {
    std::size_t history = 20, epochs = 20, negatives = 32;
    double decay = 0.9, dislikeWeight = 0.3, learningRate = 0.1, regularisation = 1e-4;
    bool cosine = true, bpr = false;
    std::uint64_t seed = 1;
};

class EmbeddingSimilarity final : public Scorer {
public:
    explicit EmbeddingSimilarity(Settings settings) : m_settings(settings) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        const auto& given = input.embeddings;
        if (given.items.empty() || given.items.rows != input.training.itemCount())
            return fail(ErrorKind::input, "CL-6023",
                        fmt::format("embedding_similarity needs one vector per item, but the encoder gave {} for {} items.",
                                    given.items.rows, input.training.itemCount()),
                        "Choose another encoder.");
        for (const float value : given.items.values)
            if (!std::isfinite(value))
                return fail(ErrorKind::input, "CL-6024", "embedding_similarity was given a vector with a value that is not finite.",
                            "Choose another encoder.");
        m_context = given.items;
        m_bias.assign(m_context.rows, 0.0f);
        m_learned = given.trainable;
        if (m_learned)
            return learn(input.training, control);
        if (m_settings.cosine)
            normaliseRows(m_context);
        m_target = m_context;
        return control.stopRequested() ? Result<void>(fail(RunControl::cancelled("embedding_similarity"))) : Result<void>();
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("embedding_similarity"));
        std::vector<std::pair<Code, float>> parts;
        if (plugin::isKnownUser(request.training, request.user))
            parts = context(request.training, request.user, request.training.historyItems(request.user).size());
        std::vector<float> profile(m_context.columns);
        mix(parts, profile);
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            const auto item = static_cast<std::size_t>(request.candidates[i]);
            scores[i] = dot(profile, m_target.row(item)) + m_bias[item];
            status[i] = std::isfinite(scores[i]) ? ScoreStatus::ok : ScoreStatus::invalid;
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        auto parts = nlohmann::json::array();
        if (plugin::isKnownUser(request.training, request.user)) {
            const auto used = context(request.training, request.user, request.training.historyItems(request.user).size());
            for (const auto& [from, weight] : used)
                if (parts.size() < 5)
                    parts.push_back(
                        {{"item", request.training.items().displayName(from)},
                         {"weight", weight},
                         {"likeness", dot(m_context.row(static_cast<std::size_t>(from)), m_target.row(static_cast<std::size_t>(item)))}});
        }
        nlohmann::json out{{"newestHistory", parts}, {"learned", m_learned}};
        if (m_learned)
            out["lossByEpoch"] = m_loss;
        return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    static float dot(std::span<const float> a, std::span<const float> b) {
        float lanes[8] = {}; // eight sums side by side, in a fixed order: fast without letting the compiler reorder
        std::size_t k = 0;
        for (; k + 8 <= a.size(); k += 8)
            for (std::size_t lane = 0; lane < 8; ++lane)
                lanes[lane] += a[k + lane] * b[k + lane];
        for (; k < a.size(); ++k)
            lanes[0] += a[k] * b[k];
        return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
    }

    // One step of a vector along slope * direction + decay * vector; the step size falls with the vector's own mean square slope (Adagrad
    // with one number per vector); `meanSquare` is that of the direction.
    static void step(std::span<float> vector, float& squares, float slope, std::span<const float> direction, float meanSquare, float rate,
                     float decay) {
        squares += slope * slope * meanSquare;
        const float by = rate / std::sqrt(squares + 1e-8f);
        const float keep = 1 - by * decay, along = by * slope;
        for (std::size_t k = 0; k < vector.size(); ++k)
            vector[k] = keep * vector[k] - along * direction[k];
    }

    static void normaliseRows(Matrix& m) {
        for (std::size_t i = 0; i < m.rows; ++i) {
            const float length = std::sqrt(dot(m.row(i), m.row(i)));
            if (length > 1e-12f)
                for (float& v : m.row(i))
                    v /= length;
        }
    }

    // The events before place `end` of a user's history as weighted items; the weights' sizes sum to 1.
    std::vector<std::pair<Code, float>> context(const TrainingView& training, Code user, std::size_t end) const {
        const auto items = training.historyItems(user);
        const auto preference = training.historyPreference(user);
        std::vector<std::pair<Code, float>> parts;
        double weight = 1, sum = 0;
        for (std::size_t i = end; i-- > 0 && parts.size() < m_settings.history; weight *= m_settings.decay) {
            const double signedWeight = preference[i] <= training.negativeUpTo() ? -m_settings.dislikeWeight * weight : weight;
            parts.emplace_back(items[i], static_cast<float>(signedWeight));
            sum += std::abs(signedWeight);
        }
        if (sum > 0)
            for (auto& part : parts)
                part.second = static_cast<float>(part.second / sum);
        return parts;
    }

    void mix(const std::vector<std::pair<Code, float>>& parts, std::span<float> profile) const {
        std::fill(profile.begin(), profile.end(), 0.0f);
        for (const auto& [item, weight] : parts) {
            const auto row = m_context.row(static_cast<std::size_t>(item));
            for (std::size_t k = 0; k < profile.size(); ++k)
                profile[k] += weight * row[k];
        }
    }

    // Stochastic gradient with falling step sizes (Adagrad). One thread and a fixed order: the same numbers on every machine of a kind.
    Result<void> learn(const TrainingView& training, const RunControl& control) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Learning vectors"));
        struct Event {
            Code user;
            std::size_t place;
            float weight; // inverse-propensity weight over the mean of all events: exactly 1 when all are equal
        };
        std::vector<Event> events;
        double total = 0;
        for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user) {
            const auto preference = training.historyPreference(user), weight = training.historyWeight(user);
            for (std::size_t i = 1; i < preference.size(); ++i)
                if (preference[i] >= training.positiveFrom()) {
                    events.push_back({user, i, weight[i]});
                    total += double(weight[i]);
                }
        }
        for (auto& event : events)
            event.weight = total > 0 ? static_cast<float>(double(event.weight) * static_cast<double>(events.size()) / total) : 1.0f;
        // Context and target tables start alike and grow apart, so that "after" need not mean "like".
        m_target = m_context;
        const auto width = m_context.columns, items = m_context.rows;
        std::vector<float> contextSquares(items, 0.0f), targetSquares(items, 0.0f), biasSquares(items, 0.0f), profile(width),
            gradient(width);
        std::vector<std::size_t> rivals(m_settings.negatives + 1);
        std::vector<float> logit(rivals.size());
        const auto rate = static_cast<float>(m_settings.learningRate), decay = static_cast<float>(m_settings.regularisation);
        m_loss.clear();
        std::string stage = "Learning vectors";
        auto reported = std::chrono::steady_clock::now();
        for (std::size_t epoch = 0; epoch < m_settings.epochs; ++epoch) {
            RandomStream random(m_settings.seed, "embedding_similarity", epoch);
            for (std::size_t i = events.size(); i > 1; --i)
                std::swap(events[i - 1], events[random.below(i)]);
            double loss = 0;
            for (std::size_t e = 0; e < events.size(); ++e) {
                if (e % 64 == 0) {
                    if (control.stopRequested())
                        return fail(RunControl::cancelled("Learning vectors"));
                    // The loss is shown from the first seconds on, so that a bad setting is seen before it is waited for.
                    const auto now = std::chrono::steady_clock::now();
                    if (e > 0 && now - reported > std::chrono::milliseconds(250)) {
                        reported = now;
                        stage = fmt::format("Learning vectors (loss {:.3f})", loss / static_cast<double>(e));
                        control.report(stage, static_cast<double>(epoch) + static_cast<double>(e) / static_cast<double>(events.size()),
                                       static_cast<double>(m_settings.epochs), "epochs");
                    }
                }
                const auto& [user, place, weight] = events[e];
                const auto parts = context(training, user, place);
                mix(parts, profile);
                const float profileSquare = dot(profile, profile) / static_cast<float>(width);
                rivals[0] = static_cast<std::size_t>(training.historyItems(user)[place]);
                for (std::size_t n = 1; n < rivals.size(); ++n)
                    rivals[n] = static_cast<std::size_t>(random.below(items));
                for (std::size_t n = 0; n < rivals.size(); ++n)
                    logit[n] = dot(profile, m_target.row(rivals[n])) + m_bias[rivals[n]];
                loss += double(weight) * slopes(rivals, logit);
                for (float& slope : logit)
                    slope *= weight;
                std::fill(gradient.begin(), gradient.end(), 0.0f);
                for (std::size_t n = 0; n < rivals.size(); ++n) {
                    const float slope = logit[n];
                    if (slope == 0)
                        continue;
                    const auto rival = rivals[n];
                    const auto target = m_target.row(rival);
                    for (std::size_t k = 0; k < width; ++k)
                        gradient[k] += slope * target[k];
                    step(target, targetSquares[rival], slope, profile, profileSquare, rate, decay);
                    biasSquares[rival] += slope * slope;
                    m_bias[rival] -= rate * slope / std::sqrt(biasSquares[rival] + 1e-8f);
                }
                const float gradientSquare = dot(gradient, gradient) / static_cast<float>(width);
                for (const auto& [item, share] : parts) {
                    const auto i = static_cast<std::size_t>(item);
                    step(m_context.row(i), contextSquares[i], share, gradient, gradientSquare, rate, decay);
                }
            }
            m_loss.push_back(events.empty() ? 0.0 : loss / static_cast<double>(events.size()));
            stage = fmt::format("Learning vectors (loss {:.3f})", m_loss.back());
            control.report(stage, static_cast<double>(epoch + 1), static_cast<double>(m_settings.epochs), "epochs");
        }
        for (const auto* table : {&m_context, &m_target})
            for (const float value : table->values)
                if (!std::isfinite(value))
                    return fail(ErrorKind::input, "CL-6025", "embedding_similarity: learning did not converge (a vector is not finite).",
                                "Lower learningRate.");
        return {};
    }

    // Turns logits (the first is the liked item's) into slopes of the loss, and returns the loss. A rival that is the liked item itself is
    // left out.
    double slopes(const std::vector<std::size_t>& rivals, std::vector<float>& logit) const {
        if (m_settings.bpr) { // mean over rivals of -log sigmoid(liked - rival)
            double loss = 0;
            float toLiked = 0;
            std::size_t count = 0;
            for (std::size_t n = 1; n < rivals.size(); ++n)
                count += rivals[n] != rivals[0];
            const float liked = logit[0];
            for (std::size_t n = 1; n < rivals.size(); ++n) {
                if (rivals[n] == rivals[0]) {
                    logit[n] = 0;
                    continue;
                }
                const double gap = double(liked) - logit[n];
                loss += (gap > 0 ? std::log1p(std::exp(-gap)) : -gap + std::log1p(std::exp(gap))) / static_cast<double>(count);
                logit[n] = static_cast<float>(1.0 / (1.0 + std::exp(gap)) / static_cast<double>(count));
                toLiked -= logit[n];
            }
            logit[0] = toLiked;
            return loss;
        }
        const float highest = *std::max_element(logit.begin(), logit.end());
        double sum = 0;
        for (std::size_t n = 0; n < rivals.size(); ++n)
            if (n == 0 || rivals[n] != rivals[0])
                sum += std::exp(double(logit[n]) - highest);
        const double loss = std::log(sum) - (double(logit[0]) - highest);
        for (std::size_t n = 0; n < rivals.size(); ++n)
            logit[n] = n > 0 && rivals[n] == rivals[0]
                           ? 0.0f
                           : static_cast<float>(std::exp(double(logit[n]) - highest) / sum) - (n == 0 ? 1.0f : 0.0f);
        return loss;
    }

    Settings m_settings;
    Matrix m_context, m_target;
    std::vector<float> m_bias;
    std::vector<double> m_loss;
    bool m_learned = false;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "embedding_similarity";
    out.name = "Embedding similarity";
    out.summary =
        "Mixes the vectors of the user's history into a profile and scores items by how near they lie. Learns free vectors itself, "
        "logged clicks counting by their inverse-propensity weight.";
    out.source = "Decayed session vectors (LLMSeqSim, Boz et al., 2024); learning: BPR (Rendle et al., UAI 2009) or sampled softmax";
    out.twin = "llm_yes_no";
    out.parameters = {
        plugin::integer("history", "History", 20, 1, 1000, "events", "So many of the user's newest events make the profile."),
        plugin::number("decay", "Decay", 0.9, 0, 1, "per step", "Weight of each older history event against the one after it."),
        plugin::number("dislikeWeight", "Weight of dislikes", 0.3, 0, 10, "",
                       "How strongly the profile turns away from disliked items; 0 ignores them."),
        plugin::choice("likeness", "Likeness", {"cosine", "dot"}, "cosine",
                       "For given vectors: cosine ignores their length, dot product does not."),
        plugin::choice("loss", "Loss", {"sampled softmax", "bpr"}, "sampled softmax",
                       "For learned vectors: the liked item against all drawn rivals at once, or pair by pair."),
        plugin::integer("epochs", "Epochs", 20, 0, 1000, "epochs", "For learned vectors: passes over the training events."),
        plugin::number("learningRate", "Learning rate", 0.1, 1e-5, 10, "",
                       "For learned vectors: first step size; it falls by itself. Lower it when the loss jumps."),
        plugin::integer("negatives", "Rivals", 32, 1, 4096, "items", "For learned vectors: items drawn at random against each liked one."),
        plugin::number("regularisation", "Regularisation", 0.0001, 0, 1, "",
                       "For learned vectors: pulls them towards 0; raise it on small data."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        Settings s;
        s.history = static_cast<std::size_t>(p.integer("history")), s.epochs = static_cast<std::size_t>(p.integer("epochs"));
        s.negatives = static_cast<std::size_t>(p.integer("negatives"));
        s.decay = p.number("decay"), s.dislikeWeight = p.number("dislikeWeight");
        s.learningRate = p.number("learningRate"), s.regularisation = p.number("regularisation");
        s.cosine = p.text("likeness") == "cosine", s.bpr = p.text("loss") == "bpr";
        s.seed = environment.seed;
        return std::make_unique<EmbeddingSimilarity>(s);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
