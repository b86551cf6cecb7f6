// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_source.h"
#include "llm/byte_level_bpe.h"
#include <filesystem>

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
    if (role == WeightRole::head && m_shape.tiedHead)
        role = WeightRole::tokenEmbedding;
    // Opening has found every tensor of the shape; asking for one beyond it is a mistake of the caller and ends the program.
    return **m_store.tensor(m_gguf ? ggufName(role, block) : safetensorsName(role, block));
}

Result<std::vector<float>> ModelSource::floats(WeightRole role, std::int64_t block) const {
    return m_store.dequantised(stored(role, block));
}

Result<void> ModelSource::readRows(WeightRole role, std::int64_t block, std::uint64_t firstRow, std::uint64_t rows,
                                   std::span<float> out) const {
    return m_store.readRows(stored(role, block), firstRow, rows, out);
}

Result<std::vector<std::byte>> ModelSource::blocks(WeightRole role, std::int64_t block) const {
    return m_store.raw(stored(role, block));
}

Result<std::shared_ptr<const Tokenizer>> ModelSource::tokenizer() const {
    if (!m_gguf)
        return fail(ErrorKind::input, "CL-2060", fmt::format("'{}': no tokenizer of this folder can be read.", m_folder),
                    "Use a GGUF file, which holds its tokenizer.");
    CAROUSEL_ASSIGN(std::shared_ptr<const Tokenizer> tokenizer, ByteLevelBpe::fromGguf(*m_gguf));
    if (static_cast<std::int64_t>(tokenizer->vocabularySize()) > m_shape.vocabulary)
        return fail(
            ErrorKind::input, "CL-2037",
            fmt::format("'{}': the tokenizer knows {} tokens, the weights {}.", path(), tokenizer->vocabularySize(), m_shape.vocabulary),
            "The file is damaged or unusual: fetch it again or use another model.");
    return tokenizer;
}

Result<ChatTemplate> ModelSource::chatTemplate(std::shared_ptr<const Tokenizer> tokenizer) const {
    if (!m_gguf)
        return fail(ErrorKind::input, "CL-2063", fmt::format("'{}': no chat template of this folder can be read.", m_folder),
                    "Use a GGUF file, which holds its template.");
    return ChatTemplate::fromGguf(*m_gguf, std::move(tokenizer));
}

} // namespace carousel
