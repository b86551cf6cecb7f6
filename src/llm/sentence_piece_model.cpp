// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/sentence_piece_model.h"
#include "base/text.h"
#include <cmath>
#include <cstring>
#include <optional>

namespace carousel {

namespace {

constexpr std::size_t largestVocabulary = std::size_t(1) << 22, longestPiece = 65535, largestMap = std::size_t(64) << 20;
enum Wire : unsigned { varint = 0, fixed64 = 1, bytesOf = 2, fixed32 = 5 };

// One field of a message: number, and its value as a number or as bytes.
struct Field {
    std::uint64_t number = 0;
    unsigned wire = 0;
    std::uint64_t value = 0;
    std::string_view bytes;
};

class Message {
public:
    explicit Message(std::string_view bytes) : m_rest(bytes) {}
    bool done() const { return m_rest.empty(); }
    std::optional<Field> next() { // nothing: broken
        Field field;
        const auto tag = number();
        if (!tag || *tag >> 3 == 0 || *tag >> 3 > (1u << 29))
            return std::nullopt;
        field.number = *tag >> 3;
        field.wire = static_cast<unsigned>(*tag & 7);
        std::optional<std::uint64_t> length;
        switch (field.wire) {
        case varint:
            length = number();
            field.value = length.value_or(0);
            return length ? std::optional(field) : std::nullopt;
        case fixed64:
            length = 8;
            break;
        case fixed32:
            length = 4;
            break;
        case bytesOf:
            length = number();
            break;
        default:
            return std::nullopt;
        }
        if (!length || *length > m_rest.size())
            return std::nullopt;
        field.bytes = m_rest.substr(0, static_cast<std::size_t>(*length));
        m_rest.remove_prefix(static_cast<std::size_t>(*length));
        return field;
    }

private:
    std::optional<std::uint64_t> number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !m_rest.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(m_rest.front());
            m_rest.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 127u) << shift;
            if (byte < 128)
                return value;
        }
        return std::nullopt;
    }
    std::string_view m_rest;
};

tl::unexpected<Error> refuseModel(const std::string& where, const std::string& what) {
    return fail(ErrorKind::input, "CL-2065", fmt::format("'{}': the SentencePiece model cannot be used: {}.", where, what),
                "The file is damaged or unusual; fetch it again or choose another model.");
}

// The map is: bytes of the trie (u32), the trie's units (u32 each), the replacement texts, each ended by NUL. A unit gives the place of its
// children relative to its own; every place that it can lead to must be a unit, and every value a place in the texts.
std::string badCharacterMap(std::string_view map) {
    if (map.empty())
        return {};
    std::uint32_t trieBytes = 0;
    if (map.size() < 4 || map.size() > largestMap)
        return fmt::format("a character map of {} bytes", map.size());
    std::memcpy(&trieBytes, map.data(), 4);
    if (trieBytes % 4 != 0 || trieBytes == 0 || trieBytes > map.size() - 4)
        return fmt::format("a character map of {} bytes whose trie has {}", map.size(), trieBytes);
    const std::size_t units = trieBytes / 4;
    const std::string_view texts = map.substr(4 + trieBytes);
    if (texts.empty() || texts.back() != '\0')
        return "replacement texts of the character map that do not end";
    const auto unit = [&](std::size_t i) {
        std::uint32_t value = 0;
        std::memcpy(&value, map.data() + 4 + 4 * i, 4);
        return value;
    };
    for (std::size_t i = 0; i < units; ++i) {
        const std::uint32_t value = unit(i);
        if (value >> 31) // a value, not a place
            continue;
        const std::size_t children = i ^ (static_cast<std::size_t>(value >> 10) << ((value & 0x200u) >> 6));
        if ((children | 0xFF) >= units)
            return fmt::format("a character map whose unit {} leads outside of its {} units", i, units);
        if ((value & 0x100u) != 0 && (unit(children) & 0x7FFFFFFFu) >= texts.size())
            return fmt::format("a character map whose unit {} stands for a text outside of it", i);
    }
    return {};
}

std::string badPiece(std::string_view bytes) {
    bool named = false;
    for (Message message(bytes); !message.done();) {
        const auto field = message.next();
        if (!field)
            return "a piece that is cut";
        if (field->number == 1 && field->wire == bytesOf) {
            if (field->bytes.empty() || field->bytes.size() > longestPiece || firstInvalidUtf8(field->bytes) != std::string_view::npos)
                return fmt::format("the piece '{}'", quotedForMessage(field->bytes));
            named = true;
        } else if (field->number == 2 && field->wire == fixed32) {
            float score = 0;
            std::memcpy(&score, field->bytes.data(), 4);
            if (!std::isfinite(score))
                return fmt::format("a piece with the score {}", score);
        } else if (field->number == 3 && field->wire == varint) {
            if (field->value < 1 || field->value > 6)
                return fmt::format("a piece of type {}", field->value);
        } else if (field->number <= 3) {
            return "a piece whose fields are of other types";
        }
    }
    return named ? std::string() : "a piece without a text";
}

std::string badNormalizer(std::string_view bytes) {
    for (Message message(bytes); !message.done();) {
        const auto field = message.next();
        if (!field)
            return "a normaliser that is cut";
        if (field->number == 2 && field->wire == bytesOf) {
            if (auto bad = badCharacterMap(field->bytes); !bad.empty())
                return bad;
        } else if (field->number == 5 && field->wire == varint && field->value == 0) {
            return "blanks that are not escaped";
        } else if (field->number <= 5 && field->wire != (field->number <= 2 ? bytesOf : varint)) {
            return "a normaliser whose fields are of other types";
        }
    }
    return {};
}

std::string badTrainer(std::string_view bytes) {
    for (Message message(bytes); !message.done();) {
        const auto field = message.next();
        if (!field)
            return "training options that are cut";
        if (field->number == 3 && (field->wire != varint || (field->value != 1 && field->value != 2)))
            return fmt::format("model type {}; 1 (unigram) and 2 (BPE) are known", field->value);
        if (field->number == 24 && field->value != 0)
            return "blanks that end words instead of beginning them";
    }
    return {};
}

// ---- writing ----
void putNumber(std::string& to, std::uint64_t value) {
    for (; value >= 128; value >>= 7)
        to += static_cast<char>((value & 127) | 128);
    to += static_cast<char>(value);
}
void putField(std::string& to, unsigned field, std::uint64_t value) {
    putNumber(to, field << 3 | varint);
    putNumber(to, value);
}
void putField(std::string& to, unsigned field, std::string_view bytes) {
    putNumber(to, field << 3 | bytesOf);
    putNumber(to, bytes.size());
    to += bytes;
}

} // namespace

Result<void> checkSentencePieceModel(std::string_view bytes, const std::string& where) {
    std::size_t pieces = 0;
    for (Message message(bytes); !message.done();) {
        const auto field = message.next();
        if (!field)
            return refuseModel(where, "it is cut or not a serialised model");
        std::string bad;
        if (field->number >= 1 && field->number <= 3 && field->wire != bytesOf)
            bad = "fields of other types";
        else if (field->number == 1)
            bad = ++pieces > largestVocabulary ? fmt::format("more than {} pieces", largestVocabulary) : badPiece(field->bytes);
        else if (field->number == 2)
            bad = badTrainer(field->bytes);
        else if (field->number == 3 || field->number == 5)
            bad = badNormalizer(field->bytes);
        if (!bad.empty())
            return refuseModel(where, bad);
    }
    if (pieces == 0)
        return refuseModel(where, "it has no pieces");
    return {};
}

Result<std::string> sentencePieceModel(const GgufFile& file) {
    CAROUSEL_ASSIGN(const auto kind, file.text("tokenizer.ggml.model"));
    if (kind != "llama" && kind != "t5")
        return fail(ErrorKind::input, "CL-2060", fmt::format("'{}' uses the tokenizer '{}'.", file.path(), quotedForMessage(kind)),
                    "Tokenizers 'gpt2', 'llama' and 't5' are read; choose another model.");
    CAROUSEL_ASSIGN(const auto* tokens, file.texts("tokenizer.ggml.tokens"));
    CAROUSEL_ASSIGN(const auto scores, file.numbers("tokenizer.ggml.scores"));
    CAROUSEL_ASSIGN(const auto types, file.integers("tokenizer.ggml.token_type"));
    if (scores.size() != tokens->size() || types.size() != tokens->size())
        return fail(ErrorKind::input, "CL-2061",
                    fmt::format("'{}': the tokenizer's tables do not fit together: {} tokens, {} scores, {} types.", file.path(),
                                tokens->size(), scores.size(), types.size()),
                    "The file is damaged; fetch it again (packaging/run.sh) or choose another model.");
    const auto flag = [&](const char* key, bool otherwise) { return file.has(key) ? file.boolean(key) : Result<bool>(otherwise); };
    CAROUSEL_ASSIGN(const bool blankBefore, flag("tokenizer.ggml.add_space_prefix", true));
    CAROUSEL_ASSIGN(const bool fewBlanks, flag("tokenizer.ggml.remove_extra_whitespaces", kind == "t5"));
    std::string model;
    bool bytePieces = false;
    for (std::size_t i = 0; i < tokens->size(); ++i) {
        const auto score = static_cast<float>(scores[i]);
        if (types[i] < 1 || types[i] > 6 || !std::isfinite(score))
            return fail(ErrorKind::input, "CL-2061",
                        fmt::format("'{}': the tokenizer's tables do not fit together: token {} has type {} and score {}.", file.path(), i,
                                    types[i], scores[i]),
                        "The file is damaged; fetch it again (packaging/run.sh) or choose another model.");
        std::string piece;
        putField(piece, 1, (*tokens)[i]);
        putNumber(piece, 2 << 3 | fixed32);
        piece.append(reinterpret_cast<const char*>(&score), 4);
        putField(piece, 3, static_cast<std::uint64_t>(types[i]));
        putField(model, 1, piece);
        bytePieces = bytePieces || types[i] == 6;
    }
    std::string trainer, normalizer;
    putField(trainer, 3, kind == "t5" ? 1 : 2);
    putField(trainer, 4, tokens->size());
    putField(trainer, 35, bytePieces ? 1 : 0);
    if (file.has("tokenizer.ggml.precompiled_charsmap")) {
        CAROUSEL_ASSIGN(const auto map, file.integers("tokenizer.ggml.precompiled_charsmap"));
        std::string bytes;
        for (const auto value : map)
            bytes += static_cast<char>(value);
        putField(normalizer, 2, bytes);
    }
    putField(normalizer, 3, blankBefore ? 1 : 0);
    putField(normalizer, 4, fewBlanks ? 1 : 0);
    putField(normalizer, 5, 1);
    putField(model, 2, trainer);
    putField(model, 3, normalizer);
    return model;
}

} // namespace carousel
