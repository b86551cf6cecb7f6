// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/fine_tune_torch.h"
#include "base/area_under_roc.h"
#include "base/file.h"
#include "base/text.h"
#include "scoring/training/checkpoint.h"
#include "scoring/training/learning_schedule.h"
#include "scoring/training/lora_decoder_torch.h"
#include "scoring/training/training_order.h"
#include "scoring/training/training_text.h"
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>

namespace carousel {

namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// The most memory the process has had, as the kernel counts it; 0 where it does not say.
std::int64_t peakBytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (startsWith(line, "VmHWM:"))
            if (const auto kilobytes = parseInteger(trimmed(line.substr(6, line.size() - 6 - 2))))
                return *kilobytes * 1024;
    return 0;
}

// One training from its first or its last finished step on.
class FineTuning {
public:
    FineTuning(const ModelLocation& location, const FineTuneRequest& request, const ComputeDevice& device, const ModelSource& source,
               LoraDecoder& decoder)
        : m_location(location), m_request(request), m_settings(request.settings), m_source(source), m_decoder(decoder),
          m_order(request.examples.size(), static_cast<std::size_t>(request.settings.batch), request.settings.seed),
          m_adam({m_settings.beta1, m_settings.beta2, m_settings.epsilon, m_settings.weightDecay}, decoder.valueCount()),
          m_stopping(m_settings.metric, m_settings.patience) {
        m_state.request = digestOf(request);
        m_state.base = location.sha256;
        m_state.computeType = name(device.type);
        m_state.device = device.name;
        m_state.threads = device.threads;
        m_report.computeType = m_state.computeType;
        m_report.device = m_state.device;
        m_report.checkpoint = checkpointFile(request.folder);
        m_report.stepsPlanned = m_order.stepsPerEpoch() * m_settings.epochs;
        m_report.trainedParameters = static_cast<std::int64_t>(decoder.valueCount());
    }

    Result<FineTuneReport> run(const RunControl& control) {
        const auto start = Clock::now();
        CAROUSEL_TRY(encode());
        CAROUSEL_TRY(makeFolders(m_request.folder));
        CAROUSEL_TRY(begin());
        const auto done = steps(control);
        if (!done && done.error().kind != ErrorKind::cancelled)
            return fail(done.error());
        CAROUSEL_TRY(save());
        m_report.end = !done                                  ? FineTuneEnd::cancelled
                       : m_state.step < m_report.stepsPlanned ? FineTuneEnd::stoppedEarly
                                                              : FineTuneEnd::finished;
        if (done)
            CAROUSEL_TRY(writeBest());
        m_report.training = m_state.training;
        m_report.validation = m_state.validation;
        m_report.steps = m_state.step;
        m_report.bestStep = m_state.bestValues.empty() ? m_state.step : m_stopping.bestStep();
        m_report.blocksComputedTwice = m_decoder.blocksComputedTwice();
        m_report.seconds = secondsSince(start);
        m_report.secondsPerStep = m_stepsHere > 0 ? m_stepSeconds / m_stepsHere : 0;
        m_report.peakBytes = peakBytes();
        return m_report;
    }

private:
    Result<void> encode() {
        CAROUSEL_ASSIGN(const auto tokenizer, m_source.tokenizer());
        CAROUSEL_ASSIGN(const auto chat, m_source.chatTemplate(tokenizer, true));
        const std::int64_t limit = std::min(m_settings.contextLimit, m_source.shape().contextLength);
        CAROUSEL_ASSIGN(m_examples, trainingText(chat, m_request.examples, m_settings, limit));
        CAROUSEL_ASSIGN(m_validation, trainingText(chat, m_request.validation, m_settings, limit));
        m_report.truncatedExamples = m_examples.truncated + m_validation.truncated;
        m_report.tokens = std::accumulate(m_examples.lengths.begin(), m_examples.lengths.end(), std::int64_t(0));
        if (m_settings.metric != ValidationMetric::auc)
            return {};
        for (const auto& example : m_request.validation)
            m_positive.push_back(example.answer == m_settings.positiveAnswer);
        CAROUSEL_ASSIGN(m_asked, comparedTokens(chat, m_request.validation, m_settings.positiveAnswer));
        return {};
    }

    Result<void> begin() {
        m_state.values = m_decoder.firstValues(m_settings.seed);
        if (m_request.resume && fileExists(m_report.checkpoint)) {
            CAROUSEL_ASSIGN(Checkpoint found, readCheckpoint(m_report.checkpoint));
            CAROUSEL_TRY(checkBelongs(m_report.checkpoint, found, m_state));
            m_state = std::move(found);
            m_adam.restore(std::move(m_state.optimiser));
            for (const auto& point : m_state.validation)
                m_stopping.add(metricOf(point), point.step);
            m_report.resumedAt = m_state.step;
        }
        return m_decoder.setValues(m_state.values);
    }

    Result<void> steps(const RunControl& control) {
        const std::int64_t every = m_settings.evaluateEvery > 0 ? m_settings.evaluateEvery : m_order.stepsPerEpoch();
        for (;;) { // a stop may have come between a step and its validation
            const bool last = m_state.step == m_report.stepsPlanned;
            if ((last || m_state.step % every == 0) && !validated())
                CAROUSEL_TRY(validate(control));
            if (last || m_stopping.shouldStop())
                return {};
            const auto start = Clock::now();
            CAROUSEL_TRY(step(control));
            m_stepSeconds += secondsSince(start);
            ++m_stepsHere;
            if (m_state.step % m_settings.checkpointEvery == 0)
                CAROUSEL_TRY(save());
        }
    }
    bool validated() const {
        return m_validation.sequences.empty() || (!m_state.validation.empty() && m_state.validation.back().step == m_state.step);
    }

    Result<void> step(const RunControl& control) {
        const auto chosen = m_order.examplesOf(m_state.step);
        double weight = 0;
        for (const std::size_t index : chosen)
            weight += m_examples.weights[index];
        std::vector<float> gradient(m_decoder.valueCount(), 0);
        double loss = 0, examplesDone = 0;
        const auto pieces = piecesByLength(chosen, m_examples.lengths, m_settings.pieceTokens);
        for (const auto& piece : pieces) {
            std::vector<TrainingSequence> sequences;
            for (const std::size_t index : piece) {
                sequences.push_back(m_examples.sequences[index]);
                sequences.back().dropoutKey = static_cast<std::uint64_t>(m_state.step) << 32 | index;
                for (auto& target : sequences.back().targets)
                    target.weight /= weight;
            }
            CAROUSEL_ASSIGN(const double part, m_decoder.addGradient(sequences, m_settings.seed, gradient, control));
            loss += part;
            examplesDone += static_cast<double>(piece.size());
            control.report("Training", static_cast<double>(m_state.step) + examplesDone / static_cast<double>(chosen.size()),
                           static_cast<double>(m_report.stepsPlanned), "steps");
        }
        const double norm = clipGradient(gradient, m_settings.clipNorm);
        if (!std::isfinite(loss) || !std::isfinite(norm))
            return fail(ErrorKind::internal, "CL-2147",
                        fmt::format("Step {} gave the loss {} and a gradient of the norm {}.", m_state.step + 1, loss, norm),
                        "Choose a lower learning rate, a longer warm-up, or the fp32 compute type; the checkpoint holds the steps before.");
        const double rate = learningRate(m_settings.schedule, m_state.step + 1, m_report.stepsPlanned);
        m_adam.step(m_state.values, gradient, rate);
        CAROUSEL_TRY(m_decoder.setValues(m_state.values));
        ++m_state.step;
        m_state.training.push_back({m_state.step, loss, rate, norm});
        return {};
    }

    Result<void> validate(const RunControl& control) {
        const std::size_t count = m_validation.sequences.size();
        if (count == 0)
            return {};
        std::vector<std::size_t> all(count);
        std::iota(all.begin(), all.end(), std::size_t(0));
        std::vector<double> losses(count, 0), scores(count, 0);
        double examplesDone = 0;
        for (const auto& piece : piecesByLength(all, m_validation.lengths, m_settings.pieceTokens)) {
            std::vector<TrainingSequence> sequences;
            for (const std::size_t index : piece)
                sequences.push_back(m_validation.sequences[index]);
            CAROUSEL_ASSIGN(const Evaluated part, m_decoder.evaluate(sequences, m_asked, control));
            for (std::size_t i = 0; i < piece.size(); ++i) {
                losses[piece[i]] = part.losses[i];
                if (!m_asked.empty())
                    scores[piece[i]] = double(part.logits.row(i)[0]) - part.logits.row(i)[1];
            }
            examplesDone += static_cast<double>(piece.size());
            control.report("Validating", examplesDone, static_cast<double>(count), "examples");
        }
        ValidationPoint point{m_state.step, std::accumulate(losses.begin(), losses.end(), 0.0), std::numeric_limits<double>::quiet_NaN()};
        point.loss /= std::accumulate(m_validation.weights.begin(), m_validation.weights.end(), 0.0);
        if (!m_asked.empty())
            point.auc = areaUnderRoc(scores, m_positive);
        m_state.validation.push_back(point);
        if (m_stopping.add(metricOf(point), point.step))
            m_state.bestValues = m_state.values;
        return {};
    }
    double metricOf(const ValidationPoint& point) const { return m_settings.metric == ValidationMetric::auc ? point.auc : point.loss; }

    Result<void> save() {
        m_state.optimiser = m_adam.state();
        return writeCheckpoint(m_report.checkpoint, m_state);
    }

    Result<void> writeBest() {
        LoraAdapter adapter;
        adapter.name = m_request.name;
        adapter.baseModel = m_location.id;
        adapter.baseSha256 = m_location.sha256;
        adapter.rank = m_settings.lora.rank;
        adapter.alpha = m_settings.lora.alpha;
        adapter.dropout = m_settings.lora.dropout;
        adapter.matrices = m_decoder.matrices(m_state.bestValues.empty() ? m_state.values : m_state.bestValues);
        CAROUSEL_TRY(writeAdapter(adapter, m_request.folder));
        m_report.adapterFolder = m_request.folder;
        return {};
    }

    const ModelLocation& m_location;
    const FineTuneRequest& m_request;
    const FineTuneSettings& m_settings;
    const ModelSource& m_source;
    LoraDecoder& m_decoder;
    TrainingOrder m_order;
    AdamW m_adam;
    EarlyStopping m_stopping;
    Checkpoint m_state;
    FineTuneReport m_report;
    TrainingText m_examples, m_validation;
    std::vector<TokenId> m_asked; // the positive answer's first token and the other's; empty: no AUC
    std::vector<std::uint8_t> m_positive;
    double m_stepSeconds = 0;
    int m_stepsHere = 0;
};

} // namespace

Result<FineTuneReport> fineTune(const ModelLocation& location, const OpenOptions& options, const FineTuneRequest& request,
                                const RunControl& control) {
    CAROUSEL_TRY(checkRequest(request));
    if (!location.adapter.empty())
        return fail(ErrorKind::usage, "CL-2141", fmt::format("'{}' has an adapter already.", location.id),
                    "Train an adapter for the model itself, or merge the first one into the model file with another program.");
    if (location.architecture == "bert" || location.architecture == "t5")
        return fail(ErrorKind::usage, "CL-2141",
                    fmt::format("'{}' is {}; adapters are trained for decoders alone.", location.id,
                                location.architecture == "t5" ? "an encoder-decoder (T5)" : "a sentence encoder"),
                    "Choose a decoder; `models list` says what each model is.");
    CAROUSEL_ASSIGN(ComputeDevice device, openComputeDevice(options.device, options.computeType, options.threads));
    if (device.type == ComputeType::int16) // has no product with the transposed weights, which the backward pass needs
        device.type = ComputeType::fp32;
    CAROUSEL_ASSIGN(const auto source, ModelSource::open(location.weights));
    CAROUSEL_ASSIGN(const auto decoder, LoraDecoder::open(*source, device, request.settings.lora, request.settings.memoryBytes, control));
    return FineTuning(location, request, device, *source, *decoder).run(control);
}

} // namespace carousel
