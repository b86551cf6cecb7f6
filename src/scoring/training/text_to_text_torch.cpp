// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/text_to_text_torch.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/machine.h"
#include "llm/sentence_piece.h"
#include "llm/sentence_piece_training.h"
#include "llm/t5_folder.h"
#include "llm/t5_tokenizer.h"
#include "scoring/training/checkpoint.h"
#include "scoring/training/learning_schedule.h"
#include "scoring/training/t5_training_torch.h"
#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}
double processorSeconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

constexpr std::int64_t wordPlaces = 512; // as P5 has them

T5Shape shapeOf(const TextToTextSettings& settings, const Tokenizer& tokenizer) {
    T5Shape shape;
    shape.blocks = shape.decoderBlocks = settings.shape.layers;
    shape.width = settings.shape.width;
    shape.feedForward = settings.shape.feedForward;
    shape.heads = settings.shape.heads;
    shape.headSize = settings.shape.headSize;
    shape.vocabulary = static_cast<std::int64_t>(tokenizer.vocabularySize());
    shape.wordPlaces = settings.shape.wholeWords ? wordPlaces : 0;
    shape.context = settings.sourceLimit;
    return shape;
}

// One training from its first or its last finished step on.
class TextToText {
public:
    TextToText(const TextToTextRequest& request, const ComputeDevice& device)
        : m_request(request), m_settings(request.settings), m_device(device), m_stopping(ValidationMetric::loss, request.settings.patience) {
        m_state.request = digestOf(request);
        m_state.computeType = name(device.type);
        m_state.device = device.name;
        m_state.threads = 0; // changes nothing, see T5Training
        m_report.device = device.name;
        m_report.checkpoint = checkpointFile(stateFolder());
    }

    Result<TextToTextReport> run(const RunControl& control) {
        const auto start = Clock::now();
        CAROUSEL_TRY(makeFolders(stateFolder()));
        CAROUSEL_TRY(begin(control));
        const auto done = steps(control);
        if (!done && done.error().kind != ErrorKind::cancelled)
            return fail(done.error());
        CAROUSEL_TRY(save());
        m_report.end = !done                            ? TextToTextEnd::cancelled
                       : m_epoch == m_settings.epochs   ? TextToTextEnd::finished
                       : outOfTime()                    ? TextToTextEnd::outOfTime
                                                        : TextToTextEnd::stoppedEarly;
        if (done)
            CAROUSEL_TRY(writeBest());
        m_report.training = windows();
        m_report.validation = m_validations;
        m_report.steps = m_state.step;
        m_report.stepsPlanned = m_planned;
        m_report.bestStep = m_state.bestValues.empty() ? m_state.step : m_stopping.bestStep();
        m_report.tokens = m_tokens;
        m_report.pairs = m_pairs;
        m_report.seconds = secondsSince(start);
        if (m_stepSeconds > 0) {
            m_report.tokensPerSecond = static_cast<double>(m_tokensHere) / m_stepSeconds;
            m_report.processorShare = m_processorSeconds / m_stepSeconds / m_device.threads;
        }
        m_report.peakBytes = processMemory().peakBytes;
        return m_report;
    }

private:
    // Apart from the model's files: a folder of a model has one file of weights.
    std::string stateFolder() const { return m_request.folder + "/training"; }
    std::string tokenizerFile() const { return stateFolder() + "/spiece.model"; }

    Result<void> begin(const RunControl& control) {
        const bool resumes = m_request.resume && fileExists(m_report.checkpoint);
        if (resumes && fileExists(tokenizerFile())) {
            CAROUSEL_ASSIGN(m_spiece, readFile(tokenizerFile()));
        } else {
            CAROUSEL_TRY(trainTokenizer(control));
            CAROUSEL_TRY(atomicWrite(tokenizerFile(), m_spiece));
        }
        CAROUSEL_ASSIGN(m_tokenizer, SentencePiece::fromModel(m_spiece, {}, tokenizerFile()));
        m_shape = shapeOf(m_settings, *m_tokenizer);
        CAROUSEL_ASSIGN(m_training, T5Training::make(m_shape, wordBeginnings(*m_tokenizer, m_shape.vocabulary), m_device,
                                                      m_settings.batchTokens));
        m_report.parameters = static_cast<std::int64_t>(m_training->valueCount());
        m_report.vocabulary = m_shape.vocabulary;
        m_state.base = sha256(m_spiece);
        m_state.values = m_training->firstValues(m_settings.seed);
        m_adam = std::make_unique<AdamW>(AdamSettings{m_settings.beta1, m_settings.beta2, m_settings.epsilon, m_settings.weightDecay,
                                                      m_training->decayed()},
                                         m_training->valueCount());
        CAROUSEL_ASSIGN(m_validation, tokens(m_request.validation, control));
        if (resumes)
            CAROUSEL_TRY(takeUp());
        m_gradient.resize(m_training->valueCount());
        return m_training->setValues(m_state.values);
    }

    Result<void> trainTokenizer(const RunControl& control) {
        SentencePieceTraining training{m_request.vocabularyTexts, m_settings.shape.vocabulary, m_request.symbols};
        if (training.texts.empty()) {
            CAROUSEL_ASSIGN(const auto pairs, pairsOf(0));
            for (const TextPair& pair : pairs) {
                training.texts.push_back(pair.source);
                training.texts.push_back(pair.target);
            }
        }
        CAROUSEL_ASSIGN(m_spiece, trainSentencePiece(training, control));
        return {};
    }

    Result<void> takeUp() {
        CAROUSEL_ASSIGN(Checkpoint found, readCheckpoint(m_report.checkpoint));
        CAROUSEL_TRY(checkBelongs(m_report.checkpoint, found, m_state));
        const json more = json::parse(found.more, nullptr, false);
        try {
            m_epoch = more.at("epoch");
            m_inEpoch = more.at("inEpoch");
            m_planned = more.at("planned");
            m_tokens = more.at("tokens");
            m_pairs = more.at("pairs");
            m_seconds = more.at("seconds");
            const json& groups = more.at("groups");
            for (std::size_t v = 0; v < found.validation.size(); ++v) {
                TextToTextPoint point{found.validation[v].step, found.validation[v].loss, {}};
                for (const json& group : groups.at(v))
                    point.groups.push_back({group.at(0).is_null() ? std::nan("") : group.at(0).get<double>(), group.at(1)});
                m_validations.push_back(std::move(point));
            }
        } catch (const json::exception& error) {
            return fail(ErrorKind::input, "CL-2145", fmt::format("The checkpoint '{}' is damaged: {}.", m_report.checkpoint, error.what()),
                        "Delete it and start the training anew without --resume.");
        }
        m_state = std::move(found);
        m_adam->restore(std::move(m_state.optimiser));
        for (const auto& point : m_state.validation)
            m_stopping.add(point.loss, point.step);
        m_report.resumedAt = m_state.step;
        return {};
    }

    Result<std::vector<TextPair>> pairsOf(int epoch) {
        CAROUSEL_ASSIGN(auto pairs, m_request.pairs(epoch));
        if (pairs.empty())
            return fail(ErrorKind::usage, "CL-2174", fmt::format("There are no pairs of texts in epoch {}.", epoch + 1), "Give at least one.");
        CAROUSEL_TRY(checkPairs(pairs, m_request.groups.size(), fmt::format("of epoch {}", epoch + 1)));
        return pairs;
    }
    Result<TokenPairs> tokens(const std::vector<TextPair>& pairs, const RunControl& control) {
        CAROUSEL_ASSIGN(auto out, tokenPairs(*m_tokenizer, pairs, m_settings.sourceLimit, m_settings.targetLimit, m_shape.end, control));
        m_report.cutSources += out.cutSources;
        m_report.cutTargets += out.cutTargets;
        return out;
    }
    Result<void> loadEpoch(const RunControl& control) {
        if (m_loaded == m_epoch)
            return {};
        CAROUSEL_ASSIGN(const auto pairs, pairsOf(m_epoch));
        CAROUSEL_ASSIGN(m_examples, tokens(pairs, control));
        m_batches = shuffledBatches(m_examples, m_settings.batchTokens, m_settings.seed, m_epoch);
        m_loaded = m_epoch;
        if (m_planned == 0)
            m_planned = static_cast<std::int64_t>(m_batches.size()) * m_settings.epochs;
        return {};
    }

    bool outOfTime() const { return m_settings.seconds > 0 && m_seconds >= m_settings.seconds; }
    bool validated() const {
        return m_request.validation.empty() || (!m_state.validation.empty() && m_state.validation.back().step == m_state.step);
    }
    bool due(int every) const { return every > 0 ? m_state.step % every == 0 : m_inEpoch == 0; }

    Result<void> steps(const RunControl& control) {
        for (;;) { // a stop may have come between a step and its validation
            const bool last = m_epoch == m_settings.epochs || outOfTime();
            if ((last || due(m_settings.evaluateEvery)) && !validated())
                CAROUSEL_TRY(validate(control));
            if (last || m_stopping.shouldStop())
                return {};
            CAROUSEL_TRY(loadEpoch(control));
            const auto start = Clock::now();
            const double processor = processorSeconds();
            CAROUSEL_TRY(step(control));
            m_processorSeconds += processorSeconds() - processor;
            const double took = secondsSince(start);
            m_stepSeconds += took;
            m_seconds += took;
            if (due(m_settings.checkpointEvery))
                CAROUSEL_TRY(save());
        }
    }

    Result<void> step(const RunControl& control) {
        const auto& batch = m_batches[static_cast<std::size_t>(m_inEpoch)];
        CAROUSEL_ASSIGN(const double loss, m_training->lossGradient(m_examples, batch, m_settings.shape.dropout, m_settings.seed,
                                                                    m_state.step, m_gradient, control));
        const double norm = clipGradient(m_gradient, m_settings.clipNorm);
        if (!std::isfinite(loss) || !std::isfinite(norm))
            return fail(ErrorKind::internal, "CL-2175",
                        fmt::format("Step {} gave the loss {} and a gradient of the norm {}.", m_state.step + 1, loss, norm),
                        "Choose a lower learning rate or a longer warm-up; the checkpoint holds steps before.");
        // How far the training is: of its epochs, or of its time where that ends sooner.
        double passed = (m_epoch + static_cast<double>(m_inEpoch) / static_cast<double>(m_batches.size())) / m_settings.epochs;
        if (m_settings.seconds > 0)
            passed = std::max(passed, m_seconds / m_settings.seconds);
        const std::int64_t at = std::llround(passed * static_cast<double>(m_planned)) + 1;
        const double rate = learningRate(m_settings.schedule, std::clamp<std::int64_t>(at, 1, m_planned), m_planned);
        m_adam->step(m_state.values, m_gradient, rate, rateParts());
        CAROUSEL_TRY(m_training->setValues(m_state.values));
        ++m_state.step;
        if (++m_inEpoch == static_cast<std::int64_t>(m_batches.size())) {
            ++m_epoch;
            m_inEpoch = 0;
        }
        for (const std::size_t pair : batch) {
            m_tokens += m_examples.tokensOf(pair);
            m_tokensHere += m_examples.tokensOf(pair);
        }
        m_pairs += static_cast<std::int64_t>(batch.size());
        m_state.training.push_back({m_state.step, loss, rate, norm});
        control.report("Training", passed * static_cast<double>(m_planned), static_cast<double>(m_planned), "steps");
        return {};
    }

    // Of each tensor its own size, so that a step moves large and small ones alike (Shazeer and Stern 2018, section 8).
    std::vector<RatePart> rateParts() const {
        if (!m_settings.relativeRates)
            return {{m_state.values.size(), 1}};
        constexpr double smallest = 1e-3;
        std::vector<RatePart> out;
        std::size_t first = 0;
        for (const std::size_t end : m_training->ends()) {
            double squares = 0;
            for (std::size_t i = first; i < end; ++i)
                squares += static_cast<double>(m_state.values[i]) * m_state.values[i];
            out.push_back({end, std::max(smallest, std::sqrt(squares / static_cast<double>(end - first)))});
            first = end;
        }
        return out;
    }

    Result<void> validate(const RunControl& control) {
        const std::size_t count = m_request.validation.size();
        if (count == 0)
            return {};
        std::vector<double> losses(count, 0);
        double done = 0;
        for (const auto& batch : batchesByLength(m_validation, m_settings.batchTokens)) {
            CAROUSEL_ASSIGN(const auto part, m_training->losses(m_validation, batch, control));
            for (std::size_t i = 0; i < batch.size(); ++i)
                losses[batch[i]] = part[i];
            done += static_cast<double>(batch.size());
            control.report("Validating", done, static_cast<double>(count), "pairs");
        }
        TextToTextPoint point{m_state.step, 0, std::vector<GroupLoss>(m_request.groups.size())};
        std::vector<double> weights(point.groups.size(), 0);
        double weight = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto group = static_cast<std::size_t>(m_validation.groups[i]);
            point.groups[group].loss += m_validation.weights[i] * losses[i];
            ++point.groups[group].pairs;
            weights[group] += m_validation.weights[i];
        }
        for (std::size_t g = 0; g < point.groups.size(); ++g) {
            point.loss += point.groups[g].loss;
            weight += weights[g];
            point.groups[g].loss /= weights[g]; // no pairs: not a number
        }
        point.loss /= weight;
        m_state.validation.push_back({point.step, point.loss, std::nan("")});
        if (m_stopping.add(point.loss, point.step))
            m_state.bestValues = m_state.values;
        m_validations.push_back(std::move(point));
        return {};
    }

    Result<void> save() {
        m_state.optimiser = m_adam->state();
        json groups = json::array();
        for (const TextToTextPoint& point : m_validations) {
            json one = json::array();
            for (const GroupLoss& group : point.groups)
                one.push_back({std::isfinite(group.loss) ? json(group.loss) : json(nullptr), group.pairs});
            groups.push_back(std::move(one));
        }
        m_state.more = json{{"epoch", m_epoch},     {"inEpoch", m_inEpoch}, {"planned", m_planned}, {"tokens", m_tokens},
                            {"pairs", m_pairs},     {"seconds", m_seconds}, {"groups", groups}}
                           .dump();
        return writeCheckpoint(m_report.checkpoint, m_state);
    }

    Result<void> writeBest() {
        const auto values = m_training->inFileOrder(m_state.bestValues.empty() ? m_state.values : m_state.bestValues);
        CAROUSEL_TRY(writeT5(m_request.folder, m_request.name, m_shape, m_spiece, values));
        m_report.modelFolder = m_request.folder;
        return {};
    }

    std::vector<TrainingPoint> windows() const {
        constexpr std::size_t most = 200;
        const auto& all = m_state.training;
        const std::size_t size = (all.size() + most - 1) / most;
        std::vector<TrainingPoint> out;
        for (std::size_t begin = 0; begin < all.size(); begin += size) {
            const std::size_t end = std::min(begin + size, all.size());
            TrainingPoint window{all[end - 1].step, 0, all[end - 1].rate, 0};
            for (std::size_t i = begin; i < end; ++i) {
                window.loss += all[i].loss / static_cast<double>(end - begin);
                window.gradientNorm += all[i].gradientNorm / static_cast<double>(end - begin);
            }
            out.push_back(window);
        }
        return out;
    }

    const TextToTextRequest& m_request;
    const TextToTextSettings& m_settings;
    ComputeDevice m_device;
    EarlyStopping m_stopping;
    std::string m_spiece;
    std::shared_ptr<const SentencePiece> m_tokenizer;
    T5Shape m_shape;
    std::unique_ptr<T5Training> m_training;
    std::unique_ptr<AdamW> m_adam;
    Checkpoint m_state;
    TextToTextReport m_report;
    std::vector<TextToTextPoint> m_validations;
    TokenPairs m_examples, m_validation;
    std::vector<std::vector<std::size_t>> m_batches; // of the epoch m_loaded
    std::vector<float> m_gradient;
    int m_epoch = 0, m_loaded = -1;
    std::int64_t m_inEpoch = 0, m_planned = 0, m_tokens = 0, m_pairs = 0, m_tokensHere = 0;
    double m_seconds = 0, m_stepSeconds = 0, m_processorSeconds = 0;
};

} // namespace

Result<TextToTextReport> trainTextToText(const OpenOptions& options, const TextToTextRequest& request, const RunControl& control) {
    CAROUSEL_TRY(checkRequest(request));
    CAROUSEL_ASSIGN(const ComputeDevice device, openComputeDevice(options.device, "fp32", options.threads));
    return TextToText(request, device).run(control);
}

} // namespace carousel
