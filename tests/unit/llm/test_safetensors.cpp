// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/paths.h"
#include "llm/model_shape.h"
#include "model_file_builder.h"
#include <QTest>
#include <limits>

using namespace carousel;
using namespace builder;

namespace {
const std::string data24(24, '\0');
std::string one(const std::string& entry, const std::string& data) {
    return safetensors("{\"w\":" + entry + "}", data);
}
} // namespace

class TestSafetensors : public QObject {
    Q_OBJECT
    Folder m_folder;

private slots:
    void goodFileIsRead() {
        const auto file = SafetensorsFile::open(m_folder.write("good.safetensors", goodSafetensors()));
        QVERIFY2(file, file ? "" : describe(file.error()).c_str());
        QCOMPARE(file->metadata().at("format"), std::string("pt"));
        QCOMPARE(*file->dequantised(**file->tensor("w", {2, 2})), (std::vector<float>{1, -2, 0.5f, 4}));
        QCOMPARE(file->tensor("w", {4}).error().code, std::string("CL-2032"));
        QCOMPARE(file->dequantised(**file->tensor("n")).error().code, std::string("CL-2033"));
        QCOMPARE(file->raw(**file->tensor("n"))->at(0), std::byte(7));
    }
    void emptyTensorsAndPaddingAreRead() {
        const auto file = SafetensorsFile::open(m_folder.write(
            "padded.safetensors",
            safetensors(
                R"({"e":{"dtype":"F16","shape":[0,3],"data_offsets":[0,0]},"s":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}   )",
                std::string("\x80\x3f", 2))));
        QVERIFY2(file, file ? "" : describe(file.error()).c_str());
        QVERIFY(file->dequantised(**file->tensor("e"))->empty());
        QCOMPARE(*file->dequantised(**file->tensor("s")), std::vector<float>{1});
    }
    void wrongFilesAreRefusedByRule_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("code");
        auto add = [](const char* title, const std::string& bytes, const char* code) {
            QTest::newRow(title) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())) << QString(code);
        };
        const std::string good = goodSafetensors();
        add("empty", "", "CL-2041");
        add("7 bytes", good.substr(0, 7), "CL-2041");
        add("header above 100 MB", Bytes().u64(100'000'001).raw(std::string(64, ' ')).text, "CL-2042");
        add("header 2^64-1", Bytes().u64(std::numeric_limits<std::uint64_t>::max()).raw("{}").text, "CL-2042");
        add("header longer than the file", Bytes().u64(1000).raw("{}").text, "CL-2043");
        add("header not UTF-8", safetensors("{\"\xff\":1}", ""), "CL-2044");
        add("starts with a blank", safetensors(" " + goodHeader(), data24), "CL-2045");
        add("a list", safetensors("[]", ""), "CL-2045");
        add("header empty", safetensors("", ""), "CL-2045");
        add("JSON cut", safetensors(goodHeader().substr(0, 60), data24), "CL-2045");
        add("JSON and more", safetensors("{}{}", ""), "CL-2045");
        add("NUL after the JSON", safetensors(std::string("{}\0", 3), ""), "CL-2045");
        add("tensor twice",
            safetensors(R"({"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                        "abcd"),
            "CL-2046");
        add("dtype twice", one(R"({"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]})", "abcd"), "CL-2046");
        add("metadata key twice", safetensors(R"({"__metadata__":{"a":"1","a":"2"}})", ""), "CL-2046");
        add("deep nesting", one("{\"shape\":" + std::string(200000, '[') + "}", ""), "CL-2050");
        add("deep objects",
            safetensors(
                [] {
                    std::string t;
                    for (int i = 0; i < 100000; ++i)
                        t += "{\"a\":";
                    return t;
                }(),
                ""),
            "CL-2049");
        add("metadata with a number", safetensors(R"({"__metadata__":{"a":1}})", ""), "CL-2048");
        add("metadata nested", safetensors(R"({"__metadata__":{"a":{"b":"c"}}})", ""), "CL-2048");
        add("metadata a text", safetensors(R"({"__metadata__":"x"})", ""), "CL-2049");
        add("entry a number", safetensors(R"({"w":3})", ""), "CL-2049");
        add("entry without dtype", one(R"({"shape":[4],"data_offsets":[0,4]})", "abcd"), "CL-2049");
        add("entry without shape", one(R"({"dtype":"U8","data_offsets":[0,4]})", "abcd"), "CL-2049");
        add("entry without offsets", one(R"({"dtype":"U8","shape":[4]})", "abcd"), "CL-2049");
        add("entry with more", one(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1})", "abcd"), "CL-2049");
        add("shape a number", one(R"({"dtype":"U8","shape":4,"data_offsets":[0,4]})", "abcd"), "CL-2049");
        add("unknown dtype", one(R"({"dtype":"F7","shape":[4],"data_offsets":[0,4]})", "abcd"), "CL-2051");
        add("negative extent", one(R"({"dtype":"U8","shape":[-4],"data_offsets":[0,4]})", "abcd"), "CL-2050");
        add("extent with a fraction", one(R"({"dtype":"U8","shape":[4.0],"data_offsets":[0,4]})", "abcd"), "CL-2050");
        add("extent above 2^64", one(R"({"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]})", "abcd"), "CL-2050");
        add("extent a text", one(R"({"dtype":"U8","shape":["4"],"data_offsets":[0,4]})", "abcd"), "CL-2050");
        add("shape wraps", one(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]})", ""), "CL-2050");
        add("bytes wrap", one(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})", ""), "CL-2050");
        add("65 dimensions",
            one(
                [] {
                    std::string t = R"({"dtype":"U8","shape":[1)";
                    for (int i = 0; i < 64; ++i)
                        t += ",1";
                    return t + R"(],"data_offsets":[0,1]})";
                }(),
                "a"),
            "CL-2050");
        add("three offsets", one(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4,4]})", "abcd"), "CL-2050");
        add("one offset", one(R"({"dtype":"U8","shape":[4],"data_offsets":[4]})", "abcd"), "CL-2049");
        add("offsets swapped", one(R"({"dtype":"U8","shape":[4],"data_offsets":[4,0]})", "abcd"), "CL-2052");
        add("offsets of another size", one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,4]})", "abcd"), "CL-2052");
        add("first not at 0", one(R"({"dtype":"U8","shape":[4],"data_offsets":[1,5]})", "abcde"), "CL-2053");
        add("hole",
            safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
                        "abcd"),
            "CL-2053");
        add("overlap",
            safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                        "abc"),
            "CL-2053");
        add("data cut", good.substr(0, good.size() - 1), "CL-2054");
        add("data too long", good + "x", "CL-2054");
        add("beyond 2^53 is not rounded", one(R"({"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,9007199254740992]})", "abcd"),
            "CL-2052");
    }
    void wrongFilesAreRefusedByRule() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, code);
        const auto path = m_folder.write("wrong.safetensors", bytes.toStdString());
        const auto file = SafetensorsFile::open(path);
        QVERIFY2(!file, "the file was accepted");
        QVERIFY2(QString::fromStdString(file.error().code) == code, describe(file.error()).c_str());
        QVERIFY(file.error().message.find(path) != std::string::npos);
        QVERIFY(file.error().message.find("offset ") != std::string::npos);
        QVERIFY(file.error().message.find("Rule: ") != std::string::npos);
    }
    void weightsMustBeFinite() {
        const auto file = SafetensorsFile::open(
            m_folder.write("nan.safetensors", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})",
                                                  Bytes().put(1.0f).put(std::numeric_limits<float>::quiet_NaN()).text)));
        QVERIFY(file);
        QCOMPARE(file->dequantised(**file->tensor("w")).error().code, std::string("CL-2034"));
    }
    void mutantsNeverCrash() {
        const std::string good = goodSafetensors();
        int refused = 0;
        for (std::uint64_t seed = 0; seed < 3000; ++seed) {
            RandomStream random(seed, "safetensors mutants");
            std::string bytes = good;
            for (std::uint64_t i = 0, n = 1 + random.below(3); i < n; ++i) {
                const auto at = static_cast<std::size_t>(random.below(bytes.size()));
                const char letters[] = "{}[]\",:0123456789-eE.\\u\xff ntf";
                switch (random.below(4)) {
                case 0:
                    bytes[at] = letters[random.below(sizeof letters - 1)];
                    break;
                case 1:
                    bytes[at] ^= static_cast<char>(1 << random.below(8));
                    break;
                case 2:
                    bytes.insert(at, std::string(1 + random.below(3), letters[random.below(sizeof letters - 1)]));
                    break;
                default:
                    bytes.erase(at, 1 + random.below(4));
                }
                if (bytes.empty())
                    bytes = "x";
                // Half of the mutants keep a true header length, so that the parser behind it is reached.
                if (bytes.size() > 32 && seed % 2 == 0) {
                    const std::uint64_t length = bytes.size() - 8 - 24;
                    std::memcpy(bytes.data(), &length, 8);
                }
            }
            const MemoryFile mutant(bytes);
            const auto file = SafetensorsFile::open(mutant.path());
            if (!file) {
                ++refused;
                QVERIFY(!file.error().code.empty());
                continue;
            }
            for (const auto& tensor : file->tensors()) {
                QVERIFY(tensor.offset + tensor.bytes <= bytes.size());
                static_cast<void>(file->dequantised(tensor));
            }
        }
        QVERIFY2(refused > 1000 && refused < 3000, qPrintable(QString::number(refused)));
    }
    void miniLmIsRead() {
        const std::string folder = modelFolder() + "/all-minilm-l6-v2";
        if (!QFile::exists(QString::fromStdString(folder + "/model.safetensors")))
            QSKIP("all-MiniLM-L6-v2 is not in the model folder (packaging/run.sh fetches it)");
        const auto file = SafetensorsFile::open(folder + "/model.safetensors");
        QVERIFY2(file, file ? "" : describe(file.error()).c_str());
        const auto shape = bertShape(*file, folder + "/config.json");
        QVERIFY2(shape, shape ? "" : describe(shape.error()).c_str());
        QCOMPARE(shape->blocks, std::int64_t(6));
        QCOMPARE(shape->width, std::int64_t(384));
        QCOMPARE(shape->headSize, std::int64_t(32));
        QCOMPARE(shape->vocabulary, std::int64_t(30522));
        QCOMPARE(shape->normEpsilon, 1e-12);
        QCOMPARE(bertShape(*file, m_folder.write("config.json", "{\"num_hidden_layers\":1e99}")).error().code, std::string("CL-2035"));
    }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "test_safetensors.moc"
