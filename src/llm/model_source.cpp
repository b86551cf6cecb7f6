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
    return **m_store.tensor(m_gguf ? ggufName(role, block) : safetensorsName(role, block));
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
