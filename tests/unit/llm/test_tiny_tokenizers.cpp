// SPDX-License-Identifier: GPL-3.0-or-later
// Tokenizers of every kind from small files (tests/reference/tokens/tiny) against the ids that their own libraries give.
#include "base/file.h"
#include "llm/byte_level_bpe.h"
#include "llm/sentence_piece.h"
#include "llm/sentence_piece_model.h"
#include "llm/word_piece.h"
#include "model_file_builder.h"
#include "piece_tables.h"
#include <QTest>

using namespace carousel;
using namespace builder;

namespace {

const std::string& folder = tinyTokenizers;

struct Golden {
    std::string text;
    std::vector<TokenId> ids;
};
std::vector<Golden> goldens(const std::string& name) {
    std::vector<Golden> all;
    const auto bytes = readFile(folder + name);
    if (!bytes)
        return all;
    for (const QByteArray& line : QByteArray(bytes->data(), static_cast<qsizetype>(bytes->size())).split('\n')) {
        const auto parts = line.split('\t');
        if (parts.size() != 2)
            continue;
        Golden golden{textOf(parts[0]), {}};
        for (const QByteArray& id : parts[1].split(' '))
            if (!id.isEmpty())
                golden.ids.push_back(id.toInt());
        all.push_back(std::move(golden));
    }
    return all;
}

QByteArray list(const std::vector<TokenId>& ids) {
    QByteArray out;
    for (const TokenId id : ids)
        out += QByteArray::number(id) + " ";
    return out;
}

// How many texts give other ids, saying which the first is.
int wrongTexts(const Tokenizer& tokenizer, const std::vector<Golden>& all, bool middle = false) {
    int wrong = 0;
    for (const Golden& golden : all) {
        const auto ids = middle ? tokenizer.encodeMiddle(golden.text) : tokenizer.encode(golden.text);
        if (ids == golden.ids)
            continue;
        if (wrong++ < 3)
            qWarning() << QByteArray(golden.text.data(), static_cast<qsizetype>(golden.text.size())) << list(ids) << "instead of"
                       << list(golden.ids);
    }
    return wrong;
}

// The value of a field of bytes in a serialised message whose fields are numbers, 32-bit values and bytes; empty when it is not there.
std::string fieldOf(const std::string& message, std::uint64_t wanted) {
    std::size_t at = 0;
    const auto number = [&] {
        std::uint64_t value = 0;
        for (unsigned shift = 0; at < message.size(); shift += 7) {
            const auto byte = static_cast<unsigned char>(message[at++]);
            value |= std::uint64_t(byte & 127u) << shift;
            if (byte < 128)
                break;
        }
        return value;
    };
    while (at < message.size()) {
        const std::uint64_t tag = number();
        if ((tag & 7) == 2) {
            const auto length = static_cast<std::size_t>(number());
            if (tag >> 3 == wanted)
                return message.substr(at, length);
            at += length;
        } else if ((tag & 7) == 5) {
            at += 4;
        } else {
            number();
        }
    }
    return {};
}
// ModelProto.normalizer_spec.precompiled_charsmap
std::string characterMap(const std::string& model) {
    return fieldOf(fieldOf(model, 3), 2);
}

} // namespace

class TestTinyTokenizers : public QObject {
    Q_OBJECT
    Folder m_folder;

    Result<std::shared_ptr<const ByteLevelBpe>> byteLevel(const std::string& text) {
        const auto json = StrictJson::parse(text, "tokenizer.json");
        if (!json)
            return fail(json.error());
        return ByteLevelBpe::fromTokenizerJson(*json);
    }

private slots:
    void byteLevelIdsEqualTheReference_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"gpt2", "smollm", "llama3", "qwen2"})
            QTest::newRow(name) << name;
    }
    void byteLevelIdsEqualTheReference() {
        QFETCH(QString, name);
        const auto text = readFile(folder + name.toStdString() + ".json");
        QVERIFY(text);
        const auto tokenizer = byteLevel(*text);
        QVERIFY2(tokenizer, tokenizer ? "" : describe(tokenizer.error()).c_str());
        const auto all = goldens(name.toStdString() + ".tsv");
        QVERIFY(all.size() > 250);
        QCOMPARE(wrongTexts(**tokenizer, all), 0);
        QCOMPARE((*tokenizer)->beginOfText(), name == "llama3" ? (*tokenizer)->control("<|begin_of_text|>") : std::nullopt);
        if (name != "qwen2") // which composes first
            for (const Golden& golden : all)
                QCOMPARE((*tokenizer)->decodeBytes(golden.ids), golden.text);
        for (const char* special : {"<|im_start|>", "<|eot_id|>", "<|endoftext|>"})
            if (const auto id = (*tokenizer)->control(special)) {
                const auto ids = (*tokenizer)->encode(std::string("a") + special + "b");
                QVERIFY(std::find(ids.begin(), ids.end(), *id) == ids.end());
            }
    }
    void fieldsThatAreNotKnownAreNamed_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::addColumn<QString>("field");
        auto add = [](const char* title, const char* file, const char* from, const char* to, const char* field) {
            QTest::newRow(title) << file << from << to << field;
        };
        add("another model", "gpt2", "\"type\":\"BPE\"", "\"type\":\"Unigram\"", "model.type");
        add("dropout", "gpt2", "\"dropout\":null", "\"dropout\":0.1", "model.dropout");
        add("prefix of words", "gpt2", "\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"##\"",
            "model.continuing_subword_prefix");
        add("byte fallback", "gpt2", "\"byte_fallback\":false", "\"byte_fallback\":true", "model.byte_fallback");
        add("a new field", "gpt2", "\"dropout\":null", "\"dropout\":null,\"new_option\":1", "model.new_option");
        add("a blank before", "gpt2", "\"add_prefix_space\":false", "\"add_prefix_space\":true", "add_prefix_space");
        add("normaliser", "gpt2", "\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", "normalizer");
        add("digits together", "smollm", "\"individual_digits\":true", "\"individual_digits\":false", "individual_digits");
        add("another expression", "llama3", "\\\\p{N}{1,3}", "\\\\p{N}{1,4}", "pre_tokenizer.pattern");
        add("another cut", "llama3", "\"Isolated\"", "\"Removed\"", "behavior");
        add("another end", "llama3", "\"type\":\"TemplateProcessing\"", "\"type\":\"RobertaProcessing\"", "post_processor");
        add("token of one word", "gpt2", "\"content\":\"<tool>\",\"single_word\":false", "\"content\":\"<tool>\",\"single_word\":true",
            "added_tokens");
        add("an id beyond", "gpt2", "\"vocab\":{", "\"vocab\":{\"zz\":5000,", "model.vocab");
        add("an id twice", "gpt2", "\"vocab\":{", "\"vocab\":{\"zz\":7,", "model.vocab");
        add("an id below", "gpt2", "\"vocab\":{", "\"vocab\":{\"zz\":-7,", "model.vocab");
        add("merges of three", "llama3", "\"merges\":[[", "\"merges\":[[\"a\",\"b\",\"c\"],[", "model.merges");
    }
    void fieldsThatAreNotKnownAreNamed() {
        QFETCH(QString, file);
        QFETCH(QString, from);
        QFETCH(QString, to);
        QFETCH(QString, field);
        const auto text = readFile(folder + file.toStdString() + ".json");
        QString changed = QString::fromStdString(*text);
        QVERIFY2(changed.contains(from), qPrintable(from));
        changed.replace(changed.lastIndexOf(from), from.size(), to);
        const auto tokenizer = byteLevel(changed.toStdString());
        QVERIFY(!tokenizer);
        QCOMPARE(tokenizer.error().code, std::string("CL-2064"));
        QVERIFY2(tokenizer.error().message.find(field.toStdString()) != std::string::npos, tokenizer.error().message.c_str());
    }
    void jsonIsReadStrictly() {
        for (const char* text : {"", "[]", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":2}}", "{\"a\":\xff}", "{} {}", "{\"a\":1", "nul"})
            QCOMPARE(StrictJson::parse(text, "t").error().code, std::string("CL-2040"));
        QCOMPARE(StrictJson::parse(std::string(100000, '[') + "1", "t").error().code, std::string("CL-2040"));
        const auto json = StrictJson::parse("{\"a\":{\"b\":3},\"n\":18446744073709551615,\"r\":1.5,\"z\":null}", "t");
        QVERIFY(json);
        QCOMPARE(*json->integer("a.b", 0, 3), std::int64_t(3));
        QCOMPARE(json->integer("a.b", 0, 2).error().code, std::string("CL-2040"));
        QVERIFY(!json->integer("n", 0, INT64_MAX) && !json->integer("r", 0, 9) && !json->integer("z", 0, 9) && !json->number("r", 2, 3));
        QVERIFY(!json->has("z") && !json->has("a.c") && json->has("a.b"));
    }
    void wordPieceIdsEqualTheReference() {
        const auto json = StrictJson::read(folder + "wordpiece_cased.json");
        QVERIFY(json);
        const auto tokenizer = WordPiece::fromTokenizerJson(*json);
        QVERIFY2(tokenizer, tokenizer ? "" : describe(tokenizer.error()).c_str());
        const auto all = goldens("wordpiece_cased.tsv");
        QVERIFY(all.size() > 60);
        QCOMPARE(wrongTexts(**tokenizer, all), 0);
    }
    void sentencePieceIdsEqualTheReference_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"llama2", "t5"})
            QTest::newRow(name) << name;
    }
    void sentencePieceIdsEqualTheReference() {
        QFETCH(QString, name);
        const std::string base = name.toStdString();
        const auto tokenizer = SentencePiece::fromFile(folder + base + ".model");
        QVERIFY2(tokenizer, tokenizer ? "" : describe(tokenizer.error()).c_str());
        const auto all = goldens(base + ".tsv");
        QVERIFY(all.size() > 250);
        QCOMPARE(wrongTexts(**tokenizer, all), 0);
        const auto middle = goldens(base + ".middle.tsv");
        QVERIFY(middle.size() > 100);
        QCOMPARE(wrongTexts(**tokenizer, middle, true), 0);
    }
    void sentencePieceFromGgufIsTheSame() {
        const Gguf gguf = pieceTables("llama2", "llama");
        const auto file = GgufFile::open(m_folder.write("pieces.gguf", gguf.bytes()));
        QVERIFY2(file, file ? "" : describe(file.error()).c_str());
        const auto tokenizer = SentencePiece::fromGguf(*file);
        QVERIFY2(tokenizer, tokenizer ? "" : describe(tokenizer.error()).c_str());
        QCOMPARE(wrongTexts(**tokenizer, goldens("llama2.tsv")), 0);
        QCOMPARE(wrongTexts(**tokenizer, goldens("llama2.middle.tsv"), true), 0);
        QCOMPARE((*tokenizer)->beginOfText(), std::optional<TokenId>(1));
        QCOMPARE((*tokenizer)->endOfText(), std::optional<TokenId>(2));
        QCOMPARE((*tokenizer)->control("</s>"), std::optional<TokenId>(2));
        // Control pieces are never made from text, defined ones are; bytes that no piece has come as byte pieces and go back.
        const auto ids = (*tokenizer)->encode("a</s><tool>b");
        QVERIFY(std::find(ids.begin(), ids.end(), 2) == ids.end());
        QVERIFY(std::find(ids.begin(), ids.end(), 3) != ids.end()); // <tool>
        QCOMPARE((*tokenizer)->decodeBytes((*tokenizer)->encode("\U0001F9ED xyz")), std::string(" \U0001F9ED xyz"));
        QCOMPARE((*tokenizer)->decodeBytes((*tokenizer)->encodeMiddle("\U0001F9ED xyz")), std::string("\U0001F9ED xyz"));
        Gguf without = gguf;
        without.keys.push_back(keyHead("tokenizer.ggml.add_space_prefix", 7) + std::string(1, '\0'));
        without.keys.push_back(keyHead("tokenizer.ggml.add_bos_token", 7) + std::string(1, '\0'));
        const auto other = GgufFile::open(m_folder.write("without.gguf", without.bytes()));
        const auto bare = SentencePiece::fromGguf(*other);
        QVERIFY(bare);
        QCOMPARE(wrongTexts(**bare, goldens("llama2.middle.tsv")), 0);
        QVERIFY(!(*bare)->beginOfText());
    }
    // Unigram, with its map of characters: GGUF holds the map as an array of bytes.
    void unigramFromGgufIsTheSame_data() {
        QTest::addColumn<int>("mapType");
        QTest::newRow("map of unsigned bytes") << 0;
        QTest::newRow("map of signed bytes") << 1;
    }
    void unigramFromGgufIsTheSame() {
        QFETCH(int, mapType);
        const auto model = readFile(folder + "t5.model");
        QVERIFY(model);
        const auto map = characterMap(*model);
        QVERIFY2(map.size() > 100, "the model has no map of characters");
        Gguf gguf = pieceTables("t5", "t5");
        gguf.keys.pop_back(); // what T5 names otherwise
        gguf.keys.pop_back();
        gguf.keys.push_back(keyU32("tokenizer.ggml.eos_token_id", 1));
        const Gguf withoutMap = gguf;
        gguf.keys.push_back(arrayKey("tokenizer.ggml.precompiled_charsmap", static_cast<std::uint32_t>(mapType), map.size(), map));
        const auto open = [&](const Gguf& made, const char* name) {
            const auto file = GgufFile::open(m_folder.write(name, made.bytes()));
            return file ? SentencePiece::fromGguf(*file) : Result<std::shared_ptr<const SentencePiece>>(fail(file.error()));
        };
        const auto tokenizer = open(gguf, "unigram.gguf");
        QVERIFY2(tokenizer, tokenizer ? "" : describe(tokenizer.error()).c_str());
        const auto all = goldens("t5.tsv"), middle = goldens("t5.middle.tsv");
        QVERIFY(all.size() > 250 && middle.size() > 100);
        QCOMPARE(wrongTexts(**tokenizer, all), 0);
        QCOMPARE(wrongTexts(**tokenizer, middle, true), 0);
        QVERIFY(!(*tokenizer)->beginOfText());
        QCOMPARE((*tokenizer)->endOfText(), std::optional<TokenId>(1));
        QCOMPARE((*tokenizer)->control("</s>"), std::optional<TokenId>(1));
        QCOMPARE((*tokenizer)->vocabularySize(), std::size_t(300));
        // The map matters, and one that leads outside of itself is refused.
        const auto bare = open(withoutMap, "bare.gguf");
        QVERIFY(bare);
        QVERIFY(std::any_of(all.begin(), all.end(), [&](const Golden& golden) { return (*bare)->encode(golden.text) != golden.ids; }));
        Gguf broken = withoutMap;
        broken.keys.push_back(arrayKey("tokenizer.ggml.precompiled_charsmap", 0, 9, std::string("\4\0\0\0\xff\xff\xff\x7f\0", 9)));
        const auto refused = open(broken, "broken-map.gguf");
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2065"));
    }
    void brokenSentencePieceModelsAreRefused() {
        const auto good = readFile(folder + "t5.model");
        QVERIFY(good);
        QVERIFY(checkSentencePieceModel(*good, "t"));
        auto refused = [](const std::string& bytes) {
            const auto result = SentencePiece::fromModel(bytes, {}, "t");
            return !result && result.error().code == "CL-2065";
        };
        QVERIFY(refused(""));
        QVERIFY(refused("\x0a"));
        QVERIFY(refused(good->substr(0, good->size() - 1)));
        auto piece = [](const std::string& text, float score, char type) {
            std::string inner =
                std::string("\x0a", 1) + static_cast<char>(text.size()) + text + "\x15" + Bytes().put(score).text + "\x18" + type;
            return std::string("\x0a", 1) + static_cast<char>(inner.size()) + inner;
        };
        const std::string unknown = piece("<unk>", 0, 2);
        QVERIFY(!refused(unknown + piece("a", 0, 1)));
        QVERIFY(refused(piece("a", 0, 1)));                                                // no unknown piece
        QVERIFY(refused(unknown + piece("a", 0, 1) + piece("a", 0, 1)));                   // one twice
        QVERIFY(refused(unknown + piece("", 0, 1)));                                       // no text
        QVERIFY(refused(unknown + piece("\xff", 0, 1)));                                   // not UTF-8
        QVERIFY(refused(unknown + piece("a", 0, 7)));                                      // unknown type
        QVERIFY(refused(unknown + piece("a", std::numeric_limits<float>::infinity(), 1))); // not finite
        QVERIFY(refused(unknown + piece("<0x-1>", 0, 6)));                                 // a byte that is none
        QVERIFY(refused(unknown + piece("a", 0, 1) + std::string("\x12\x02\x18\x04", 4))); // model type "char"
        // A map whose trie leads outside of itself.
        const std::string map = Bytes().u32(4).u32(0x7FFFFFFFu).text + std::string(1, '\0');
        const std::string normalizer = std::string("\x12", 1) + static_cast<char>(map.size()) + map;
        QVERIFY(refused(unknown + piece("a", 0, 1) + "\x1a" + static_cast<char>(normalizer.size()) + normalizer));
    }
    void brokenTablesOfPiecesAreRefused() {
        auto code = [&](const std::function<void(Gguf&)>& change) {
            Gguf gguf = pieceTables("llama2", "llama");
            change(gguf);
            const auto file = GgufFile::open(m_folder.write("broken.gguf", gguf.bytes()));
            if (!file)
                return describe(file.error());
            const auto tokenizer = SentencePiece::fromGguf(*file);
            return tokenizer ? std::string("accepted") : tokenizer.error().code;
        };
        QCOMPARE(code([](Gguf&) {}), std::string("accepted"));
        QCOMPARE(code([](Gguf& g) { g.keys[0] = keyText("tokenizer.ggml.model", "bert"); }), std::string("CL-2060"));
        QCOMPARE(code([](Gguf& g) { g.keys[2] = arrayKey("tokenizer.ggml.scores", 6, 1, std::string(4, '\0')); }), std::string("CL-2061"));
        QCOMPARE(code([](Gguf& g) { g.keys[3] = arrayKey("tokenizer.ggml.token_type", 5, 1, std::string(4, '\1')); }),
                 std::string("CL-2061"));
        QCOMPARE(code([](Gguf& g) { g.keys[3] = keyText("tokenizer.ggml.token_type", "x"); }), std::string("CL-2030"));
        QCOMPARE(code([](Gguf& g) { g.keys[4] = keyU32("tokenizer.ggml.bos_token_id", 5000); }), std::string("CL-2030"));
        QCOMPARE(code([](Gguf& g) { g.keys.erase(g.keys.begin() + 2); }), std::string("CL-2030"));
    }
    void mutatedPiecesNeverCrash() {
        int refused = 0;
        for (const char* name : {"t5.model", "llama2.model"}) {
            const auto good = readFile(folder + name);
            QVERIFY(good);
            for (std::uint64_t seed = 0; seed < 300; ++seed) {
                RandomStream random(seed, name);
                std::string bytes = *good;
                for (std::uint64_t i = 0, n = 1 + random.below(4); i < n; ++i) {
                    const auto at = static_cast<std::size_t>(random.below(bytes.size()));
                    if (random.below(3) == 0)
                        bytes.erase(at, 1 + random.below(8));
                    else
                        bytes[at] = static_cast<char>(random.below(256));
                }
                const auto tokenizer = SentencePiece::fromModel(bytes, {}, "mutant");
                if (!tokenizer) {
                    ++refused;
                    continue;
                }
                for (const char* text : {"The movie was shown \xEF\xBC\xA1\xEF\xAC\x81 in 1995", "\xff\xfe</s>", ""})
                    static_cast<void>((*tokenizer)->decode((*tokenizer)->encode(text)));
            }
        }
        QVERIFY2(refused > 50, qPrintable(QString::number(refused)));
    }
};

QTEST_GUILESS_MAIN(TestTinyTokenizers)
#include "test_tiny_tokenizers.moc"
