// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/encoder_model_torch.h"
#include <algorithm>
#include <cmath>
#include <filesystem>

namespace carousel {

EncoderModel::EncoderModel(std::shared_ptr<const WordPiece> tokenizer, std::unique_ptr<BertEncoder> encoder)
    : m_tokenizer(std::move(tokenizer)), m_encoder(std::move(encoder)) {}

Result<std::unique_ptr<LanguageModel>> EncoderModel::open(const ModelLocation& location, const OpenOptions& options) {
    // Sentence vectors are compared with vectors computed elsewhere, so "auto" stays exact here.
    CAROUSEL_ASSIGN(const ComputeDevice device, openComputeDevice(options.device, options.computeType, options.threads, true));
    CAROUSEL_ASSIGN(const SafetensorsFile file, SafetensorsFile::open(location.weights));
    CAROUSEL_ASSIGN(const std::shared_ptr<const WordPiece> tokenizer, WordPiece::fromFile(location.folder + "/vocab.txt"));
    CAROUSEL_ASSIGN(std::unique_ptr<BertEncoder> encoder, BertEncoder::open(file, location.folder + "/config.json", device));
    const BertShape shape = encoder->shape();
    if (static_cast<std::int64_t>(tokenizer->vocabularySize()) > shape.vocabulary)
        return fail(ErrorKind::input, "CL-2037",
                    fmt::format("{}: vocab.txt has {} tokens, the weights {}", location.folder, tokenizer->vocabularySize(), shape.vocabulary),
                    "the files do not belong together: fetch the model again");

    std::unique_ptr<EncoderModel> model(new EncoderModel(tokenizer, std::move(encoder)));
    std::error_code ignored;
    model->m_textLimit = static_cast<std::size_t>(std::min<std::int64_t>(256, shape.positions));
    ModelInfo& info = model->m_info;
    info.id = location.id;
    info.title = location.title;
    info.licence = location.licence;
    info.file = location.weights;
    info.sha256 = location.sha256;
    info.format = "safetensors";
    info.architecture = "bert";
    info.computeType = name(device.type);
    info.device = device.name;
    info.parameters = shape.parameters;
    info.contextLength = static_cast<std::int64_t>(model->m_textLimit);
    info.fileBytes = static_cast<std::int64_t>(std::filesystem::file_size(location.weights, ignored));
    info.memoryBytes = model->m_encoder->memoryBytes();
    info.width = static_cast<int>(shape.width);
    info.canEmbed = true;
    return model;
}

Result<Matrix> EncoderModel::embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) {
    std::unique_lock lock(m_turn, std::defer_lock);
    while (!lock.try_lock_for(std::chrono::milliseconds(50)))
        if (control.stopRequested())
            return fail(RunControl::cancelled("waiting for the sentence encoder"));
    std::vector<std::vector<TokenId>> tokens;
    tokens.reserve(texts.size());
    for (const std::string& text : texts) {
        tokens.push_back(m_tokenizer->encodeSentence(text, m_textLimit));
        if (tokens.size() % 256 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("encoding texts"));
    }
    CAROUSEL_ASSIGN(Matrix out, m_encoder->encode(tokens, pooling, control));
    if (!std::all_of(out.values.begin(), out.values.end(), [](float value) { return std::isfinite(value); }))
        return fail(ErrorKind::internal, "CL-2089", fmt::format("{} gave a value that is not a finite number", m_info.id),
                    "check the model file with 'models check'");
    return out;
}

Error EncoderModel::cannotChat() const {
    return {ErrorKind::usage, "CL-2092", fmt::format("{} is a sentence encoder: it turns texts into vectors and cannot answer", m_info.id),
            "choose a chat model such as smollm2-135m-instruct"};
}
Result<BranchScores> EncoderModel::scoreBranches(const BranchRequest&, const RunControl&) { return fail(cannotChat()); }
Result<ContinuationScores> EncoderModel::scoreContinuations(const ContinuationRequest&, const RunControl&) { return fail(cannotChat()); }
Result<Generated> EncoderModel::generate(const std::vector<ChatMessage>&, const GenerateOptions&, const RunControl&) { return fail(cannotChat()); }
std::int64_t EncoderModel::countTokens(const std::string& text) const { return static_cast<std::int64_t>(m_tokenizer->encode(text).size()); }

} // namespace carousel
