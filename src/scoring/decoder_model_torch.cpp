// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/decoder_model_torch.h"
#include "scoring/model_errors.h"
#include "scoring/pooling.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace carousel {

namespace {

constexpr std::int64_t shortestBranchRoom = 16;

} // namespace

DecoderModel::DecoderModel(std::shared_ptr<const Tokenizer> tokenizer, ChatTemplate chat, std::unique_ptr<LlamaDecoder> decoder)
    : m_tokenizer(std::move(tokenizer)), m_chat(std::move(chat)), m_decoder(std::move(decoder)) {}

Result<std::unique_ptr<LanguageModel>> DecoderModel::open(const ModelLocation& location, const OpenOptions& options) {
    CAROUSEL_ASSIGN(const ComputeDevice device, openComputeDevice(options.device, options.computeType, options.threads));
    CAROUSEL_ASSIGN(std::shared_ptr<const ModelSource> source, ModelSource::open(location.weights));
    if (!location.adapter.empty()) {
        CAROUSEL_ASSIGN(LoraAdapter adapter, readAdapter(location.adapter));
        CAROUSEL_TRY(checkBase(adapter, location.weights, location.baseSha256));
        CAROUSEL_ASSIGN(source, ModelSource::adapted(*source, std::make_shared<const LoraAdapter>(std::move(adapter))));
    }
    const DecoderShape& shape = source->shape();
    CAROUSEL_ASSIGN(const std::shared_ptr<const Tokenizer> tokenizer, source->tokenizer());
    CAROUSEL_ASSIGN(ChatTemplate chat, source->chatTemplate(tokenizer));
    CAROUSEL_ASSIGN(std::unique_ptr<LlamaDecoder> decoder, LlamaDecoder::open(*source, device));

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
                segments.back().push_back(m_chat.endOfTurn()); // an empty text still has a vector: that of the end of a turn
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

Result<BranchScores> DecoderModel::scoreBranches(const BranchRequest& request, const RunControl& control) {
    if (request.shared.empty() || request.answers.empty())
        return fail(emptyRequest("to score candidates without a prompt or without answers"));
    std::vector<TokenId> answers;
    for (const std::string& answer : request.answers) {
        const std::vector<TokenId> ids = m_tokenizer->encode(answer);
        if (ids.empty())
            return fail(emptyRequest("for an answer that is empty"));
        answers.push_back(ids.front());
    }
    const std::size_t count = request.branches.size();
    BranchScores out;
    out.logits = Matrix(count, answers.size());
    out.truncated.assign(count, 0);
    if (count == 0)
        return out;

    CAROUSEL_ASSIGN(const auto lock, turn(control));
    OpenPrompt prompt = openPrompt(m_chat, request.shared, true);
    const std::vector<TokenId> close = m_chat.closeAndOpenAssistant();
    const std::int64_t room = m_contextLimit - static_cast<std::int64_t>(prompt.head.size() + close.size());
    std::vector<std::vector<TokenId>> segments(count);
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<TokenId> ids = m_tokenizer->encode(prompt.heldBack + request.branches[i] + request.tail);
        if (room >= shortestBranchRoom && static_cast<std::int64_t>(ids.size()) > room) {
            ids.erase(ids.begin(), ids.end() - room);
            out.truncated[i] = 1;
        }
        ids.insert(ids.end(), close.begin(), close.end());
        longest = std::max(longest, static_cast<std::int64_t>(ids.size()));
        segments[i] = std::move(ids);
    }
    CAROUSEL_ASSIGN(const bool cut, fitPrompt(prompt, longest, m_contextLimit));
    if (cut)
        std::fill(out.truncated.begin(), out.truncated.end(), std::uint8_t(1));

    const std::vector<TokenId> shared = prompt.tokens();
    CAROUSEL_ASSIGN(out.cachedTokens, m_decoder->prepare(m_prompt, shared, control));
    out.prefixTokens = static_cast<std::int64_t>(shared.size()) - out.cachedTokens;
    for (const auto& segment : segments)
        out.branchTokens += static_cast<std::int64_t>(segment.size());
    CAROUSEL_ASSIGN(const HiddenStates hidden, m_decoder->branches(m_prompt, segments, 1, control));
    CAROUSEL_ASSIGN(out.logits, m_decoder->logits(hidden.rows, answers));
    CAROUSEL_ASSIGN(const std::vector<double> sums, m_decoder->logSumExpOfLogits(hidden.rows, control));
    if (!allFinite(out.logits.values))
        return fail(notFinite(m_info.id));
    for (std::size_t i = 0; i < count; ++i) {
        double mass = 0;
        std::set<TokenId> counted; // two answers may begin with the same token
        for (std::size_t a = 0; a < answers.size(); ++a)
            if (counted.insert(answers[a]).second)
                mass += std::exp(static_cast<double>(out.logits.row(i)[a]) - sums[i]);
        out.answerMass.push_back(static_cast<float>(std::min(mass, 1.0)));
    }
    return out;
}

Result<ContinuationScores> DecoderModel::scoreContinuations(const ContinuationRequest& request, const RunControl& control) {
    if (request.messages.empty())
        return fail(emptyRequest("to score continuations of an empty prompt"));
    const std::size_t count = request.continuations.size();
    ContinuationScores out;
    out.logProbability.assign(count, 0);
    out.tokens.assign(count, 0);
    if (count == 0)
        return out;

    CAROUSEL_ASSIGN(const auto lock, turn(control));
    const bool open = request.messages.back().role == "assistant";
    OpenPrompt prompt = openPrompt(m_chat, request.messages, open);
    const std::vector<TokenId> close = open ? std::vector<TokenId>() : m_chat.closeAndOpenAssistant();
    std::vector<std::vector<TokenId>> wanted(count);
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        wanted[i] = m_tokenizer->encode(prompt.heldBack + request.continuations[i]);
        out.tokens[i] = static_cast<int>(wanted[i].size());
        longest = std::max(longest, static_cast<std::int64_t>(wanted[i].size()));
    }
    CAROUSEL_TRY(fitPrompt(prompt, longest + static_cast<std::int64_t>(close.size()), m_contextLimit));
    std::vector<TokenId> shared = prompt.tokens();
    shared.insert(shared.end(), close.begin(), close.end());
    const TokenId last = shared.back();
    shared.pop_back();

    // The state after a token predicts the next one, so a segment is the prompt's last token and all of a continuation but its last.
    // Many continuations (tags of one word) share a segment: each is computed once.
    std::map<std::vector<TokenId>, std::size_t> places;
    std::vector<std::vector<TokenId>> segments;
    std::vector<std::size_t> segmentOf(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<TokenId> segment{last};
        if (!wanted[i].empty())
            segment.insert(segment.end(), wanted[i].begin(), wanted[i].end() - 1);
        const auto [place, isNew] = places.emplace(segment, segments.size());
        if (isNew)
            segments.push_back(std::move(segment));
        segmentOf[i] = place->second;
    }
    CAROUSEL_ASSIGN(out.cachedTokens, m_decoder->prepare(m_prompt, shared, control));
    out.promptTokens = static_cast<std::int64_t>(shared.size()) + 1 - out.cachedTokens;
    CAROUSEL_ASSIGN(const HiddenStates hidden, m_decoder->branches(m_prompt, segments, allRows, control));
    CAROUSEL_ASSIGN(const std::vector<double> sums, m_decoder->logSumExpOfLogits(hidden.rows, control));
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t first = hidden.first[segmentOf[i]], tokens = wanted[i].size();
        Matrix rows(tokens, hidden.rows.columns);
        std::copy_n(hidden.rows.values.begin() + static_cast<std::ptrdiff_t>(first * rows.columns), rows.values.size(), rows.values.begin());
        CAROUSEL_ASSIGN(const std::vector<float> logits, m_decoder->rowLogits(rows, wanted[i]));
        for (std::size_t t = 0; t < tokens; ++t)
            out.logProbability[i] += logits[t] - sums[first + t];
        if (!std::isfinite(out.logProbability[i]))
            return fail(notFinite(m_info.id));
    }
    return out;
}

} // namespace carousel
