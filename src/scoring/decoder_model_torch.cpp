// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/decoder_model_torch.h"
#include "scoring/model_errors.h"
#include "scoring/pooling.h"
#include "scoring/weight_layer_torch.h"
#include <algorithm>

namespace carousel {

DecoderModel::DecoderModel(std::shared_ptr<const Tokenizer> tokenizer, ChatTemplate chat, std::unique_ptr<LlamaDecoder> decoder)
    : m_tokenizer(tokenizer), m_chat(std::move(chat)), m_decoder(std::move(decoder)), m_writer(std::move(tokenizer)) {}

Result<std::unique_ptr<LanguageModel>> DecoderModel::open(const ModelLocation& location, const OpenOptions& options) {
    CAROUSEL_ASSIGN(std::shared_ptr<const ModelSource> source, ModelSource::open(location.weights));
    if (!location.adapter.empty()) {
        CAROUSEL_ASSIGN(LoraAdapter adapter, readAdapter(location.adapter));
        CAROUSEL_TRY(checkBase(adapter, location.weights, location.baseSha256));
        CAROUSEL_ASSIGN(source, ModelSource::adapted(*source, std::make_shared<const LoraAdapter>(std::move(adapter))));
    }
    CAROUSEL_ASSIGN(const ComputeDevice device,
                    openComputeDevice(options.device, options.computeType, options.threads, false, storedBits(*source)));
    const DecoderShape& shape = source->shape();
    CAROUSEL_ASSIGN(const std::shared_ptr<const Tokenizer> tokenizer, source->tokenizer());
    CAROUSEL_ASSIGN(ChatTemplate chat, source->chatTemplate(tokenizer, true));
    CAROUSEL_ASSIGN(std::unique_ptr<LlamaDecoder> decoder, LlamaDecoder::open(source, device));

    std::unique_ptr<DecoderModel> model(new DecoderModel(tokenizer, std::move(chat), std::move(decoder)));
    ModelInfo& info = model->m_info;
    info.id = location.id;
    info.title = location.title;
    info.licence = location.licence;
    info.file = location.weights;
    info.sha256 = location.sha256;
    info.format = source->format();
    info.architecture = shape.architecture;
    info.computeType = name(device.type);
    info.device = device.name;
    info.parameters = shape.parameters;
    info.contextLength = shape.contextLength;
    info.fileBytes = static_cast<std::int64_t>(source->fileBytes());
    info.memoryBytes = model->m_decoder->memoryBytes();
    info.width = static_cast<int>(shape.width);
    info.canChat = true;
    info.canEmbed = true;
    model->m_contextLimit = options.contextLimit > 0 ? std::min(options.contextLimit, shape.contextLength) : shape.contextLength;
    info.workingBytes = model->m_decoder->workingBytes(model->m_contextLimit);
    return model;
}

Result<std::unique_lock<std::timed_mutex>> DecoderModel::turn(const RunControl& control) {
    std::unique_lock lock(m_turn, std::defer_lock);
    while (!lock.try_lock_for(std::chrono::milliseconds(50)))
        if (control.stopRequested())
            return fail(RunControl::cancelled("waiting for the language model"));
    return lock;
}

std::int64_t DecoderModel::countTokens(const std::string& text) const { return static_cast<std::int64_t>(m_tokenizer->encode(text).size()); }

Result<Matrix> DecoderModel::tokenEmbeddings(const std::vector<std::string>& texts, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    Matrix out(texts.size(), static_cast<std::size_t>(m_info.width));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("reading embeddings"));
        CAROUSEL_ASSIGN(const Matrix rows, m_decoder->inputEmbeddings(m_tokenizer->encodeMiddle(texts[i])));
        if (rows.rows > 0)
            meanOfRows(rows, 0, rows.rows, out.row(i));
    }
    return out;
}

Result<Matrix> DecoderModel::embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    Matrix out(texts.size(), static_cast<std::size_t>(m_info.width));
    constexpr std::size_t textsAtOnce = 16;
    const std::int64_t rows = pooling == Pooling::last ? 1 : allRows;
    for (std::size_t begin = 0; begin < texts.size(); begin += textsAtOnce) {
        std::vector<std::vector<TokenId>> segments;
        for (std::size_t i = begin; i < std::min(texts.size(), begin + textsAtOnce); ++i) {
            segments.push_back(m_tokenizer->encode(texts[i]));
            if (segments.back().empty())
                segments.back().push_back(std::max(0, m_chat.endOfTurn())); // an empty text still has a vector: that of the end of a turn
            if (static_cast<std::int64_t>(segments.back().size()) > m_contextLimit)
                segments.back().resize(static_cast<std::size_t>(m_contextLimit));
        }
        DecoderCache none;
        CAROUSEL_ASSIGN(const HiddenStates hidden, m_decoder->branches(none, segments, rows, control));
        if (!allFinite(hidden.rows.values))
            return fail(notFinite(m_info.id));
        for (std::size_t i = 0; i < segments.size(); ++i)
            poolAndNormalise(hidden.rows, hidden.first[i], hidden.first[i + 1], pooling, out.row(begin + i));
        control.report("Embedding texts", static_cast<double>(begin + segments.size()), static_cast<double>(texts.size()), "texts");
    }
    return out;
}

} // namespace carousel
