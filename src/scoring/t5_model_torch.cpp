// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/t5_model_torch.h"
#include "llm/t5_tokenizer.h"
#include "scoring/model_errors.h"
#include "scoring/pooling.h"
#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace carousel {

namespace {

// The contents one below the other; what an open assistant's message holds is left to the caller.
std::string textOf(const std::vector<ChatMessage>& messages, bool withoutLast) {
    std::string text;
    for (std::size_t i = 0; i + (withoutLast ? 1 : 0) < messages.size(); ++i)
        text += (i > 0 ? "\n" : "") + messages[i].content;
    return text;
}

} // namespace

T5Model::T5Model(std::shared_ptr<const Tokenizer> tokenizer, std::unique_ptr<T5EncoderDecoder> network, ModelInfo info,
                 std::int64_t contextLimit)
    : m_tokenizer(tokenizer), m_info(std::move(info)), m_contextLimit(contextLimit > 0 ? contextLimit : network->shape().context),
      m_network(std::move(network)), m_writer(std::move(tokenizer)) {
    m_info.architecture = "t5";
    m_info.parameters = m_network->shape().parameters;
    m_info.contextLength = m_contextLimit;
    m_info.memoryBytes = m_network->memoryBytes();
    m_info.width = static_cast<int>(m_network->shape().width);
    m_info.canChat = true;
    m_info.canEmbed = true;
}

Result<std::unique_ptr<LanguageModel>> T5Model::open(const ModelLocation& location, const OpenOptions& options) {
    CAROUSEL_ASSIGN(const ComputeDevice device, openComputeDevice(options.device, "fp32", options.threads));
    CAROUSEL_ASSIGN(const TensorStore file, TensorStore::openSafetensors(location.weights));
    const std::string config = location.folder + "/config.json";
    CAROUSEL_ASSIGN(const T5Shape shape, t5Shape(file, config));
    CAROUSEL_ASSIGN(const std::shared_ptr<const SentencePiece> tokenizer, t5Tokenizer(location.folder, shape));
    CAROUSEL_ASSIGN(std::unique_ptr<T5EncoderDecoder> network,
                    T5EncoderDecoder::open(file, config, device, {},
                                           shape.wordPlaces > 0 ? wordBeginnings(*tokenizer, shape.vocabulary) : std::vector<std::uint8_t>()));
    ModelInfo info;
    info.id = location.id;
    info.title = location.title;
    info.licence = location.licence;
    info.file = location.weights;
    info.sha256 = location.sha256;
    info.format = "safetensors";
    info.computeType = name(ComputeType::fp32);
    info.device = device.name;
    info.fileBytes = static_cast<std::int64_t>(file.fileBytes());
    return std::make_unique<T5Model>(tokenizer, std::move(network), std::move(info), options.contextLimit);
}

Result<std::unique_lock<std::timed_mutex>> T5Model::turn(const RunControl& control) {
    std::unique_lock lock(m_turn, std::defer_lock);
    while (!lock.try_lock_for(std::chrono::milliseconds(50)))
        if (control.stopRequested())
            return fail(RunControl::cancelled("waiting for the language model"));
    return lock;
}

std::int64_t T5Model::countTokens(const std::string& text) const {
    return static_cast<std::int64_t>(m_tokenizer->encode(text).size());
}

std::vector<TokenId> T5Model::sourceOf(const std::string& text, bool* cut) const {
    std::vector<TokenId> ids = m_tokenizer->encode(text);
    const auto room = static_cast<std::size_t>(m_contextLimit - 1);
    if (cut)
        *cut = ids.size() > room;
    if (ids.size() > room) // the oldest part goes, as with the other models
        ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(room));
    ids.push_back(m_network->shape().end);
    return ids;
}

T5Model::Sources T5Model::sourcesOf(const std::vector<ChatMessage>& shared, const std::vector<std::string>& branches,
                                    const std::string& tail) const {
    Sources out;
    const std::string before = textOf(shared, false);
    for (const std::string& branch : branches) {
        bool cut = false;
        out.tokens.push_back(sourceOf(before + branch + tail, &cut));
        out.cut.push_back(cut);
        out.count += static_cast<std::int64_t>(out.tokens.back().size());
    }
    return out;
}

Result<Matrix> T5Model::embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    const Sources sources = sourcesOf({}, texts, "");
    CAROUSEL_ASSIGN(const T5EncoderDecoder::States states, m_network->encode(sources.tokens, control));
    if (!allFinite(states.rows.values))
        return fail(notFinite(m_info.id));
    Matrix out(texts.size(), static_cast<std::size_t>(m_info.width));
    for (std::size_t i = 0; i < texts.size(); ++i)
        poolAndNormalise(states.rows, states.first[i], states.first[i + 1], pooling, out.row(i));
    return out;
}

Result<BranchScores> T5Model::scoreBranches(const BranchRequest& request, const RunControl& control) {
    CAROUSEL_ASSIGN(auto all, scoreBranchesOf(std::span(&request, 1), control));
    return std::move(all.front());
}

Result<std::vector<BranchScores>> T5Model::scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) {
    std::vector<TokenId> asked; // first tokens of all requests' answers, each once
    std::vector<std::vector<std::size_t>> columns;
    for (const BranchRequest& request : requests) {
        CAROUSEL_TRY(refuseInjected(request, m_info));
        if (request.shared.empty() || request.answers.empty())
            return fail(emptyRequest("to score candidates without a prompt or without answers"));
        columns.emplace_back();
        for (const std::string& answer : request.answers) {
            const std::vector<TokenId> ids = m_tokenizer->encode(answer);
            if (ids.empty())
                return fail(emptyRequest("for an answer that is empty"));
            const auto known = std::find(asked.begin(), asked.end(), ids.front());
            columns.back().push_back(static_cast<std::size_t>(known - asked.begin()));
            if (known == asked.end())
                asked.push_back(ids.front());
        }
    }
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    std::vector<BranchScores> out;
    std::vector<std::vector<TokenId>> sources;
    for (const BranchRequest& request : requests) {
        Sources own = sourcesOf(request.shared, request.branches, request.tail);
        std::move(own.tokens.begin(), own.tokens.end(), std::back_inserter(sources));
        BranchScores scores;
        scores.branchTokens = own.count;
        scores.truncated = std::move(own.cut);
        out.push_back(std::move(scores));
    }
    CAROUSEL_ASSIGN(const T5EncoderDecoder::FirstTokens first, m_network->firstTokens(sources, asked, control));
    if (!allFinite(first.logits.values))
        return fail(notFinite(m_info.id));
    std::size_t source = 0;
    for (std::size_t r = 0; r < requests.size(); ++r) {
        out[r].logits = Matrix(requests[r].branches.size(), columns[r].size());
        const std::set<std::size_t> different(columns[r].begin(), columns[r].end()); // two answers may begin with the same token
        for (std::size_t i = 0; i < requests[r].branches.size(); ++i, ++source) {
            double mass = 0;
            for (const std::size_t column : different)
                mass += std::exp(static_cast<double>(first.logits.row(source)[column]) - first.logSumExp[source]);
            out[r].answerMass.push_back(static_cast<float>(std::min(mass, 1.0)));
            for (std::size_t a = 0; a < columns[r].size(); ++a)
                out[r].logits.row(i)[a] = first.logits.row(source)[columns[r][a]];
        }
    }
    return out;
}

Result<ContinuationScores> T5Model::scoreContinuations(const ContinuationRequest& request, const RunControl& control) {
    if (request.messages.empty())
        return fail(emptyRequest("to score continuations of an empty prompt"));
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    const bool open = request.messages.back().role == "assistant";
    const std::vector<TokenId> source = sourceOf(textOf(request.messages, open));
    const std::vector<TokenId> prefix = open ? m_tokenizer->encode(request.messages.back().content) : std::vector<TokenId>();
    std::vector<std::vector<TokenId>> targets;
    ContinuationScores out;
    for (const std::string& continuation : request.continuations) {
        targets.push_back(open ? m_tokenizer->encodeMiddle(continuation) : m_tokenizer->encode(continuation));
        out.tokens.push_back(static_cast<int>(targets.back().size()));
    }
    out.promptTokens = static_cast<std::int64_t>(source.size() + prefix.size());
    CAROUSEL_ASSIGN(out.logProbability, m_network->logProbability(source, prefix, targets, control));
    if (!std::all_of(out.logProbability.begin(), out.logProbability.end(), [](double value) { return std::isfinite(value); }))
        return fail(notFinite(m_info.id));
    return out;
}

Result<Generated> T5Model::generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl& control) {
    if (messages.empty())
        return fail(emptyRequest("to answer an empty prompt"));
    CAROUSEL_TRY(checkOptions(options));
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    const bool open = messages.back().role == "assistant";
    const std::vector<TokenId> source = sourceOf(textOf(messages, open));
    std::vector<TokenId> prefix = open ? m_tokenizer->encode(messages.back().content) : std::vector<TokenId>();
    const auto promptTokens = static_cast<std::int64_t>(source.size() + prefix.size());
    AnswerWriter::Setting setting;
    setting.ends = {m_network->shape().end};
    setting.limit = options.maximumTokens;
    setting.lookAhead = false; // keys and values are kept for answers of one length; names of items are short
    setting.dropLeadingBlank = !open;
    setting.spell = [this, open](const std::string& text) { return open ? m_tokenizer->encodeMiddle(text) : m_tokenizer->encode(text); };
    setting.spelling = open ? "middle" : "";
    CAROUSEL_ASSIGN(const NextLogits next, m_network->answers(source, std::move(prefix), control));
    CAROUSEL_ASSIGN(Generated out, m_writer.write(options, setting, next, control));
    out.promptTokens = promptTokens;
    return out;
}

Result<HiddenVectors> T5Model::hiddenStates(const HiddenRequest& request, const RunControl& control) {
    if (request.shared.empty())
        return fail(emptyRequest("for hidden states of an empty prompt"));
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    Sources sources = sourcesOf(request.shared, request.branches, request.tail);
    HiddenVectors out;
    out.branchTokens = sources.count;
    if (request.pooling == Pooling::last) {
        CAROUSEL_ASSIGN(T5EncoderDecoder::FirstTokens first, m_network->firstTokens(sources.tokens, {}, control));
        out.rows = std::move(first.states);
    } else {
        CAROUSEL_ASSIGN(const T5EncoderDecoder::States states, m_network->encode(sources.tokens, control));
        out.rows = Matrix(request.branches.size(), static_cast<std::size_t>(m_info.width));
        for (std::size_t i = 0; i < request.branches.size(); ++i)
            meanOfRows(states.rows, states.first[i], states.first[i + 1], out.rows.row(i));
    }
    if (!allFinite(out.rows.values))
        return fail(notFinite(m_info.id));
    out.truncated = std::move(sources.cut);
    return out;
}

} // namespace carousel
