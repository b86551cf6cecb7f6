// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_source.h"
#include "base/file.h"
#include "base/text.h"
#include "llm/byte_level_bpe.h"
#include "llm/sentence_piece.h"
#include <filesystem>
#include <nlohmann/json.hpp>

namespace carousel {

namespace fs = std::filesystem;

Result<std::shared_ptr<const ModelSource>> ModelSource::open(const std::string& path) {
    std::shared_ptr<ModelSource> source(new ModelSource);
    std::error_code ignored;
    const bool isFolder = fs::is_directory(path, ignored);
    const std::string ending = fs::path(path).extension().string();
    if (isFolder || ending == ".safetensors" || ending == ".json") {
        source->m_format = "safetensors";
        CAROUSEL_ASSIGN(source->m_store, TensorStore::openSafetensors(path));
        source->m_folder = fs::path(source->m_store.path()).parent_path().string();
        if (source->m_folder.empty())
            source->m_folder = ".";
        CAROUSEL_ASSIGN(const StrictJson config, StrictJson::read(source->m_folder + "/config.json"));
        CAROUSEL_ASSIGN(source->m_shape, decoderShape(source->m_store, config));
        return std::shared_ptr<const ModelSource>(std::move(source));
    }
    source->m_format = "gguf";
    source->m_folder = fs::path(path).parent_path().string();
    CAROUSEL_ASSIGN(GgufFile file, GgufFile::open(path));
    source->m_gguf = std::make_shared<const GgufFile>(std::move(file));
    CAROUSEL_ASSIGN(source->m_shape, decoderShape(*source->m_gguf));
    source->m_store = TensorStore(*source->m_gguf);
    return std::shared_ptr<const ModelSource>(std::move(source));
}

Result<std::shared_ptr<const ModelSource>> ModelSource::adapted(const ModelSource& base, std::shared_ptr<const LoraAdapter> adapter) {
    CAROUSEL_TRY(checkSizes(*adapter, base.m_shape, base.path()));
    constexpr WeightRole roles[] = {WeightRole::query, WeightRole::key, WeightRole::value, WeightRole::attentionOut,
                                    WeightRole::gate,  WeightRole::up,  WeightRole::down}; // by LoraModule
    std::shared_ptr<ModelSource> source(new ModelSource(base));
    for (const LoraMatrix& matrix : adapter->matrices) {
        const WeightRole role = roles[static_cast<std::size_t>(matrix.module)];
        Changed changed{&matrix, base.inFile(role, matrix.layer)};
        changed.stored.type = TensorType::f32;
        changed.stored.typeName = "F32";
        changed.stored.bytes = changed.stored.elements * sizeof(float);
        source->m_changed.emplace(std::pair(role, matrix.layer), std::move(changed));
    }
    source->m_adapter = std::move(adapter);
    return std::shared_ptr<const ModelSource>(std::move(source));
}

const ModelSource::Changed* ModelSource::changed(WeightRole role, std::int64_t block) const {
    const auto found = m_changed.find(std::pair(role, block));
    return found == m_changed.end() ? nullptr : &found->second;
}

bool ModelSource::has(WeightRole role) const {
    switch (role) {
    case WeightRole::queryBias:
    case WeightRole::keyBias:
    case WeightRole::valueBias:
        return m_shape.queryKeyValueBias;
    case WeightRole::attentionOutBias:
        return m_shape.attentionOutBias;
    default:
        return true;
    }
}

const TensorInfo& ModelSource::stored(WeightRole role, std::int64_t block) const {
    const Changed* const change = changed(role, block);
    return change ? change->stored : inFile(role, block);
}

const TensorInfo& ModelSource::inFile(WeightRole role, std::int64_t block) const {
    if (role == WeightRole::head && m_shape.tiedHead)
        role = WeightRole::tokenEmbedding;
    // Opening has found every tensor of the shape; asking for one beyond it is a mistake of the caller and ends the program.
    return *m_store.tensor(m_gguf ? ggufName(role, block) : safetensorsName(role, block)).value();
}

Result<std::vector<float>> ModelSource::floats(WeightRole role, std::int64_t block) const {
    CAROUSEL_ASSIGN(std::vector<float> values, m_store.dequantised(inFile(role, block)));
    if (const Changed* const change = changed(role, block)) {
        const bool ofHeads = role == WeightRole::query || role == WeightRole::key;
        mergeInto(values, *change->by, m_adapter->scale, ofHeads && m_shape.ropeLayout == RopeLayout::pairs ? m_shape.headSize : 0);
    }
    return values;
}

Result<void> ModelSource::readRows(WeightRole role, std::int64_t block, std::uint64_t firstRow, std::uint64_t rows,
                                   std::span<float> out) const {
    if (!changed(role, block))
        return m_store.readRows(inFile(role, block), firstRow, rows, out);
    CAROUSEL_ASSIGN(const std::vector<float> all, floats(role, block));
    const std::uint64_t first = firstRow * stored(role, block).columns();
    if (first > all.size() || out.size() > all.size() - first)
        return m_store.readRows(inFile(role, block), firstRow, rows, out); // says what is wrong
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
    return {};
}

Result<std::vector<std::byte>> ModelSource::blocks(WeightRole role, std::int64_t block) const {
    if (!changed(role, block))
        return m_store.raw(inFile(role, block));
    CAROUSEL_ASSIGN(const std::vector<float> values, floats(role, block));
    const auto bytes = std::as_bytes(std::span(values));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
}

namespace {

constexpr std::size_t largestTokenizer = std::size_t(64) << 20;

// Control tokens that a folder adds to those of its SentencePiece model.
Result<std::map<std::string, TokenId>> addedTokens(const std::string& folder) {
    std::map<std::string, TokenId> added;
    const std::string path = folder + "/added_tokens.json";
    if (!fileExists(path))
        return added;
    CAROUSEL_ASSIGN(const StrictJson file, StrictJson::read(path));
    for (const auto& [name, id] : file.root().items()) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= (1u << 24))
            return file.refuse(fmt::format("'{}' has no number", quotedForMessage(name)));
        added.emplace(name, id.get<TokenId>());
    }
    return added;
}

Result<std::shared_ptr<const Tokenizer>> tokenizerOfFolder(const std::string& folder) {
    const std::string jsonPath = folder + "/tokenizer.json";
    std::string piecesPath = folder + "/tokenizer.model";
    if (!fileExists(piecesPath))
        piecesPath = folder + "/spiece.model";
    if (fileExists(jsonPath)) {
        CAROUSEL_ASSIGN(const StrictJson json, StrictJson::read(jsonPath, largestTokenizer));
        // A SentencePiece model rewritten as JSON lies beside its original, which its own library reads.
        CAROUSEL_ASSIGN(const std::string kind, json.textOr("model.type", "BPE"));
        CAROUSEL_ASSIGN(const bool bytePieces, json.booleanOr("model.byte_fallback", false));
        if (!fileExists(piecesPath) || (kind == "BPE" && !bytePieces)) {
            std::optional<TokenId> end;
            if (const std::string configPath = folder + "/config.json"; fileExists(configPath)) {
                CAROUSEL_ASSIGN(const StrictJson config, StrictJson::read(configPath));
                if (const auto id = config.integer("eos_token_id", 0, (1 << 24) - 1)) // else a list, whose members the template names
                    end = static_cast<TokenId>(*id);
            }
            CAROUSEL_ASSIGN(std::shared_ptr<const Tokenizer> tokenizer, ByteLevelBpe::fromTokenizerJson(json, end));
            return tokenizer;
        }
    }
    if (!fileExists(piecesPath))
        return fail(ErrorKind::input, "CL-2066", fmt::format("The folder '{}' holds neither tokenizer.json nor tokenizer.model.", folder),
                    "Fetch the model's tokenizer files too, or use a GGUF file, which holds its tokenizer.");
    CAROUSEL_ASSIGN(auto added, addedTokens(folder));
    CAROUSEL_ASSIGN(std::shared_ptr<const Tokenizer> tokenizer, SentencePiece::fromFile(piecesPath, std::move(added)));
    return tokenizer;
}

Result<std::shared_ptr<const Tokenizer>> tokenizerOfGguf(const GgufFile& file) {
    CAROUSEL_ASSIGN(const auto model, file.text("tokenizer.ggml.model"));
    if (model == "llama" || model == "t5") {
        CAROUSEL_ASSIGN(std::shared_ptr<const Tokenizer> tokenizer, SentencePiece::fromGguf(file));
        return tokenizer;
    }
    CAROUSEL_ASSIGN(std::shared_ptr<const Tokenizer> tokenizer, ByteLevelBpe::fromGguf(file));
    return tokenizer;
}

// The text of a folder's chat template; empty when it has none.
Result<std::string> templateOfFolder(const std::string& folder) {
    if (const std::string path = folder + "/chat_template.jinja"; fileExists(path))
        return readFile(path, std::size_t(1) << 20);
    const std::string path = folder + "/tokenizer_config.json";
    if (!fileExists(path))
        return std::string();
    CAROUSEL_ASSIGN(const StrictJson config, StrictJson::read(path, std::size_t(16) << 20));
    if (!config.has("chat_template"))
        return std::string();
    const auto& found = config.root().at("chat_template");
    if (found.is_array()) // several templates by name
        for (const auto& one : found)
            if (one.is_object() && one.value("name", nlohmann::json()) == "default" && one.value("template", nlohmann::json()).is_string())
                return one.at("template").get<std::string>();
    return config.text("chat_template");
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> ModelSource::tokenizer() const {
    CAROUSEL_ASSIGN(auto tokenizer, m_gguf ? tokenizerOfGguf(*m_gguf) : tokenizerOfFolder(m_folder));
    if (static_cast<std::int64_t>(tokenizer->vocabularySize()) > m_shape.vocabulary)
        return fail(
            ErrorKind::input, "CL-2037",
            fmt::format("'{}': the tokenizer knows {} tokens, the weights {}.", path(), tokenizer->vocabularySize(), m_shape.vocabulary),
            "The file is damaged or unusual: fetch it again or use another model.");
    return tokenizer;
}

Result<ChatTemplate> ModelSource::chatTemplate(std::shared_ptr<const Tokenizer> tokenizer, bool plainWhenNone) const {
    std::string text;
    if (!m_gguf) {
        CAROUSEL_ASSIGN(text, templateOfFolder(m_folder));
    } else if (m_gguf->has("tokenizer.chat_template")) {
        CAROUSEL_ASSIGN(text, m_gguf->text("tokenizer.chat_template"));
    }
    if (!text.empty())
        return ChatTemplate::fromText(text, std::move(tokenizer), path());
    if (plainWhenNone)
        return ChatTemplate::plain(std::move(tokenizer));
    return fail(ErrorKind::input, "CL-2063", fmt::format("'{}' has no chat template.", path()),
                "Use an instruction-tuned model, such as SmolLM2-135M-Instruct.");
}

} // namespace carousel
