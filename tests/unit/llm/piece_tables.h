// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of a SentencePiece model of tests/reference/tokens/tiny as a GGUF file has them.
#pragma once
#include "base/file.h"
#include "model_file_builder.h"
#include <QByteArray>
#include <QJsonArray>
#include <QJsonDocument>

namespace builder {

inline const std::string tinyTokenizers = CAROUSEL_SOURCE_DIR "/tests/reference/tokens/tiny/";

inline std::string textOf(const QByteArray& json) {
    return QJsonDocument::fromJson("[" + json + "]").array().at(0).toString().toStdString();
}

inline std::string arrayKey(const std::string& name, std::uint32_t type, std::uint64_t count, const std::string& data) {
    return keyHead(name, 9) + Bytes().u32(type).u64(count).text + data;
}

// `model`: "llama" or "t5". The tables alone, without tensors.
inline Gguf pieceTables(const std::string& name, const char* model) {
    Bytes pieces, scores, types;
    std::uint64_t count = 0;
    const auto bytes = carousel::readFile(tinyTokenizers + name + ".pieces.tsv");
    for (const QByteArray& line : QByteArray(bytes->data(), static_cast<qsizetype>(bytes->size())).split('\n')) {
        const auto parts = line.split('\t');
        if (parts.size() != 3)
            continue;
        pieces.string(textOf(parts[0]));
        scores.put(parts[1].toFloat());
        types.put(static_cast<std::int32_t>(parts[2].toInt()));
        ++count;
    }
    Gguf file;
    file.keys = {keyText("tokenizer.ggml.model", model),
                 arrayKey("tokenizer.ggml.tokens", 8, count, pieces.text),
                 arrayKey("tokenizer.ggml.scores", 6, count, scores.text),
                 arrayKey("tokenizer.ggml.token_type", 5, count, types.text),
                 keyU32("tokenizer.ggml.bos_token_id", 1),
                 keyU32("tokenizer.ggml.eos_token_id", 2)};
    return file;
}

} // namespace builder
