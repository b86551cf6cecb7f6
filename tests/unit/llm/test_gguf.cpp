// SPDX-License-Identifier: GPL-3.0-or-later
// The GGUF reader: right files give their values, wrong files their rule, no file a crash.
#include "base/paths.h"
#include "llm/decoder_shape.h"
#include "model_file_builder.h"
#include <QTest>
#include <cmath>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

using namespace carousel;
using namespace builder;

namespace {
std::string cutTo(std::string bytes, std::size_t length) {
    bytes.resize(length);
    return bytes;
}
std::string with(const std::function<void(Gguf&)>& change) {
    Gguf file = goodGguf();
    change(file);
    return file.bytes();
}
std::string smollm() {
    return modelFolder() + "/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";
}
} // namespace

class TestGguf : public QObject {
    Q_OBJECT
    Folder m_folder;

private slots:
    void goodFileIsRead() {
        const auto file = GgufFile::open(m_folder.write("good.gguf", goodGguf().bytes()));
        QVERIFY2(file, file ? "" : describe(file.error()).c_str());
        QCOMPARE(file->version(), 3u);
        QCOMPARE(*file->text("general.architecture"), std::string("llama"));
        QCOMPARE(*file->number("a.real", 0, 2), 1.5);
        QCOMPARE(*file->integers("a.list"), (std::vector<std::int64_t>{-1, 2, 3}));
        QCOMPARE(**file->texts("some.texts"), (std::vector<std::string>{"one", "two"}));
        QCOMPARE(*file->boolean("a.switch"), true);
        QCOMPARE(file->keys().size(), std::size_t(6));
        const auto values = file->dequantised(**file->tensor("first", {64}));
        QVERIFY(values);
        QCOMPARE((*values)[63], 15.75f);
        const auto second = file->dequantisedRows(**file->tensor("second", {2, 32}), 1, 1);
        QVERIFY(second);
        QCOMPARE((*second)[0], -7.5f);
        QCOMPARE((*second)[31], 8.0f);
    }
    void gettersRefuseOtherTypesAndRanges() {
        const auto file = GgufFile::open(m_folder.write("getters.gguf", goodGguf().bytes()));
        QVERIFY(file);
        QCOMPARE(file->integer("general.alignment", 64, 128).error().code, std::string("CL-2030"));
        QCOMPARE(file->integer("general.architecture", 0, 9).error().code, std::string("CL-2030"));
        QCOMPARE(file->text("absent").error().code, std::string("CL-2030"));
        QCOMPARE(file->tensor("absent").error().code, std::string("CL-2031"));
        QCOMPARE(file->tensor("second", {32, 2}).error().code, std::string("CL-2032"));
        QVERIFY(!file->dequantisedRows(**file->tensor("second"), 1, 2));
    }
    void wrongFilesAreRefusedByRule_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("code");
        auto add = [](const char* title, const std::string& bytes, const char* code) {
            QTest::newRow(title) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())) << QString(code);
        };
        const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
        const std::string good = goodGguf().bytes();
        add("empty", "", "CL-2011");
        add("23 bytes", cutTo(good, 23), "CL-2011");
        add("magic", with([](Gguf& f) { f.magic = "GGUX"; }), "CL-2011");
        add("version 0", with([](Gguf& f) { f.version = 0; }), "CL-2012");
        add("version 1", with([](Gguf& f) { f.version = 1; }), "CL-2012");
        add("version 4", with([](Gguf& f) { f.version = 4; }), "CL-2012");
        add("big endian", with([](Gguf& f) { f.version = 0x03000000; }), "CL-2012");
        add("tensor count huge", with([&](Gguf& f) { f.tensorCount = huge; }), "CL-2013");
        add("tensor count above the file", with([](Gguf& f) { f.tensorCount = 100; }), "CL-2013");
        add("key count huge", with([&](Gguf& f) { f.keyCount = huge; }), "CL-2013");
        add("key count above the file", with([](Gguf& f) { f.keyCount = 200; }), "CL-2013");
        add("tensor count above 2^20", with([](Gguf& f) {
                f.tensorCount = (1u << 20) + 1;
                f.data = std::string(26u << 20, '\0');
            }),
            "CL-2013");
        add("key length 2^64-1", with([&](Gguf& f) { f.keys[0] = Bytes().u64(huge).raw(std::string(40, 'x')).text; }), "CL-2014");
        add("key empty", with([](Gguf& f) { f.keys[0] = keyU32("", 1); }), "CL-2014");
        add("key of 65536 bytes", with([](Gguf& f) { f.keys[0] = keyU32(std::string(65536, 'k'), 1); }), "CL-2014");
        add("text longer than the file", with([](Gguf& f) { f.keys[0] = keyHead("long", 8) + Bytes().u64(1 << 20).text; }), "CL-2014");
        add("cut in a key", cutTo(good, 40), "CL-2013");
        add("cut in the last value",
            cutTo(with([](Gguf& f) {
                      f.tensors.clear();
                      f.keys = {keyHead("a.key.of.some.length", 12) + std::string(8, 'v')};
                  }),
                  24 + 8 + 20 + 4 + 3),
            "CL-2014");
        add("key twice", with([](Gguf& f) { f.keys.push_back(f.keys[2]); }), "CL-2015");
        add("tensor twice", with([](Gguf& f) { f.tensors[1].name = "first"; }), "CL-2015");
        add("key type 13", with([](Gguf& f) { f.keys[2] = keyHead("odd", 13) + std::string(8, '\0'); }), "CL-2016");
        add("key type 2^32-1", with([](Gguf& f) { f.keys[2] = keyHead("odd", 0xFFFFFFFF) + std::string(8, '\0'); }), "CL-2016");
        add("array of arrays", with([](Gguf& f) { f.keys[2] = keyHead("odd", 9) + Bytes().u32(9).u64(1).text + std::string(16, '\0'); }),
            "CL-2016");
        add("array of type 99", with([](Gguf& f) { f.keys[2] = keyHead("odd", 9) + Bytes().u32(99).u64(1).text + std::string(16, '\0'); }),
            "CL-2016");
        add("array length 2^64-1", with([&](Gguf& f) { f.keys[2] = keyHead("odd", 9) + Bytes().u32(4).u64(huge).text; }), "CL-2017");
        add("array length wraps",
            with([](Gguf& f) { f.keys[2] = keyHead("odd", 9) + Bytes().u32(12).u64((std::uint64_t(1) << 61) + 1).text; }), "CL-2017");
        add("array of texts above the file", with([](Gguf& f) { f.keys[2] = keyHead("odd", 9) + Bytes().u32(8).u64(1000).text; }),
            "CL-2017");
        add("array above 2^23", with([](Gguf& f) {
                f.keys[2] = keyHead("odd", 9) + Bytes().u32(0).u64((8u << 20) + 1).text + std::string((8u << 20) + 1, '\1');
            }),
            "CL-2017");
        add("alignment of another type", with([](Gguf& f) { f.keys[1] = keyText("general.alignment", "32"); }), "CL-2018");
        add("alignment 0", with([](Gguf& f) { f.keys[1] = keyU32("general.alignment", 0); }), "CL-2018");
        add("alignment 4", with([](Gguf& f) { f.keys[1] = keyU32("general.alignment", 4); }), "CL-2018");
        add("alignment 48", with([](Gguf& f) { f.keys[1] = keyU32("general.alignment", 48); }), "CL-2018");
        add("alignment 2^31", with([](Gguf& f) { f.keys[1] = keyU32("general.alignment", 0x80000000u); }), "CL-2018");
        add("tensor name empty", with([](Gguf& f) { f.tensors[0].name = ""; }), "CL-2014");
        add("tensor name of 64 bytes", with([](Gguf& f) { f.tensors[0].name = std::string(64, 't'); }), "CL-2014");
        add("five dimensions", with([](Gguf& f) { f.tensors[0].dims = {1, 1, 1, 1, 64}; }), "CL-2019");
        add("negative dimension", with([&](Gguf& f) { f.tensors[0].dims = {huge}; }), "CL-2019");
        add("dimensions wrap to zero", with([](Gguf& f) {
                f.tensors[0].dims = {std::uint64_t(1) << 32, std::uint64_t(1) << 32};
            }),
            "CL-2019");
        add("dimensions wrap late", with([](Gguf& f) { f.tensors[0].dims = {INT64_MAX, 2}; }), "CL-2019");
        add("dimensions wrap to 2^64-16", with([](Gguf& f) { f.tensors[0].dims = {4, (1u << 30) - 1, (1u << 30) + 1}; }), "CL-2022");
        add("removed type 4", with([](Gguf& f) { f.tensors[0].type = 4; }), "CL-2020");
        add("removed type 31", with([](Gguf& f) { f.tensors[0].type = 31; }), "CL-2020");
        add("type 1000", with([](Gguf& f) { f.tensors[0].type = 1000; }), "CL-2020");
        add("row of part of a block", with([](Gguf& f) { f.tensors[1].dims = {33, 2}; }), "CL-2021");
        add("bytes wrap", with([](Gguf& f) { f.tensors[0].dims = {std::uint64_t(1) << 62}; }), "CL-2022");
        add("padding wraps", with([](Gguf& f) {
                f.tensors[0].type = 24;
                f.tensors[0].dims = {INT64_MAX - 3};
            }),
            "CL-2022");
        add("sum wraps", with([](Gguf& f) {
                f.tensors = {{"a", {std::uint64_t(1) << 62}, 24, 0}, {"b", {std::uint64_t(1) << 62}, 24, std::uint64_t(1) << 62}};
            }),
            "CL-2022");
        add("offset not aligned", with([](Gguf& f) { f.tensors[1].offset = 257; }), "CL-2023");
        add("hole", with([](Gguf& f) {
                f.tensors[1].offset = 288;
                f.data += std::string(32, '\0');
            }),
            "CL-2023");
        add("overlap", with([](Gguf& f) { f.tensors[1].offset = 0; }), "CL-2023");
        add("offset 2^64-32", with([](Gguf& f) { f.tensors[1].offset = std::uint64_t(0) - 32; }), "CL-2023");
        add("data cut by one byte", cutTo(good, good.size() - 1), "CL-2024");
        add("no data", with([](Gguf& f) { f.data.clear(); }), "CL-2024");
        add("exabytes announced", with([](Gguf& f) { f.tensors[1].dims = {32, std::uint64_t(1) << 52}; }), "CL-2024");
    }
    void wrongFilesAreRefusedByRule() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, code);
        const auto path = m_folder.write("wrong.gguf", bytes.toStdString());
        const auto file = GgufFile::open(path);
        QVERIFY2(!file, "the file was accepted");
        QCOMPARE(QString::fromStdString(file.error().code), code);
        QVERIFY(file.error().message.find(path) != std::string::npos);
        QVERIFY(file.error().message.find("offset ") != std::string::npos);
        QVERIFY(file.error().message.find("Rule: ") != std::string::npos);
        QVERIFY(!file.error().hint.empty());
        QVERIFY(file.error().kind == ErrorKind::input);
    }
    void cutFileSaysWhereAndHowMuch() {
        const std::string good = goodGguf().bytes();
        const auto path = m_folder.write("cut.gguf", cutTo(good, good.size() - 10));
        const auto file = GgufFile::open(path);
        QVERIFY(!file);
        const std::string& message = file.error().message;
        for (const auto& part : {path, std::string("'second'"), fmt::format("offset {}", good.size() - 68),
                                 fmt::format("{} bytes expected", good.size()), fmt::format("{} found", good.size() - 10)})
            QVERIFY2(message.find(part) != std::string::npos, (message + " lacks " + part).c_str());
    }
    void odditiesThatDoNoHarmAreNoted() {
        const auto file =
            GgufFile::open(m_folder.write("odd.gguf", with([](Gguf& f) { f.keys[5] = keyHead("a.switch", 7) + std::string(1, '\7'); })));
        QVERIFY(file);
        QCOMPARE(file->warnings().size(), std::size_t(1));
        QCOMPARE(*file->boolean("a.switch"), true);
    }
    void weightsMustBeFiniteAndOfAKnownType() {
        Gguf infinite = goodGguf();
        const float bad = std::numeric_limits<float>::infinity();
        std::memcpy(infinite.data.data() + 4 * 5, &bad, 4);
        const auto first = GgufFile::open(m_folder.write("infinite.gguf", infinite.bytes()));
        QVERIFY(first);
        const auto values = first->dequantised(**first->tensor("first"));
        QVERIFY(!values);
        QCOMPARE(values.error().code, std::string("CL-2034"));
        QVERIFY(values.error().message.find("element 5") != std::string::npos);
        const auto other = GgufFile::open(m_folder.write("other.gguf", with([](Gguf& f) { f.tensors = {{"q5", {256}, 11, 0}}; })));
        QVERIFY(other);
        QCOMPARE(other->dequantised(**other->tensor("q5")).error().code, std::string("CL-2033"));
    }
    void fileThatShrinksIsAnErrorNotASignal() {
        const auto path = m_folder.write("shrinks.gguf", goodGguf().bytes());
        const auto file = GgufFile::open(path);
        QVERIFY(file);
        QCOMPARE(::truncate(path.c_str(), 100), 0);
        const auto values = file->dequantised(**file->tensor("first"));
        QVERIFY(!values);
        QCOMPARE(values.error().code, std::string("CL-2003"));
    }
    void whatIsNotAFileIsRefused() {
        const auto path = m_folder.path("pipe.gguf");
        QCOMPARE(::mkfifo(path.c_str(), 0600), 0);
        QCOMPARE(GgufFile::open(path).error().code, std::string("CL-2002"));
        QCOMPARE(GgufFile::open(m_folder.path("absent.gguf")).error().code, std::string("CL-2001"));
    }
    void mutantsNeverCrash() {
        const std::string good = goodGguf().bytes();
        int refused = 0;
        for (std::uint64_t seed = 0; seed < 3000; ++seed) {
            RandomStream random(seed, "gguf mutants");
            std::string bytes = good;
            const auto changes = 1 + random.below(4);
            for (std::uint64_t i = 0; i < changes; ++i) {
                const auto at =
                    static_cast<std::size_t>(random.below(random.below(4) ? good.size() - 324 : good.size())); // mostly the header
                switch (random.below(5)) {
                case 0:
                    bytes[at % bytes.size()] = static_cast<char>(random.below(256));
                    break;
                case 1:
                    bytes[at % bytes.size()] ^= static_cast<char>(1 << random.below(8));
                    break;
                case 2:
                    bytes.resize(std::max<std::size_t>(1, at));
                    break;
                case 3:
                    bytes.insert(at % bytes.size(), std::string(1 + random.below(9), static_cast<char>(random.below(256))));
                    break;
                default:
                    bytes.replace(at % bytes.size(), std::min<std::size_t>(8, bytes.size() - at % bytes.size()),
                                  std::string(8, random.below(2) ? '\xFF' : '\0'));
                }
            }
            const MemoryFile mutant(bytes);
            const auto file = GgufFile::open(mutant.path());
            if (!file) {
                ++refused;
                QVERIFY(!file.error().code.empty());
                continue;
            }
            for (const auto& tensor : file->tensors()) {
                QVERIFY(tensor.offset + tensor.bytes <= bytes.size());
                if (const auto values = file->dequantised(tensor))
                    QCOMPARE(values->size(), static_cast<std::size_t>(tensor.elements));
            }
            static_cast<void>(decoderShape(*file));
        }
        QVERIFY2(refused > 1500, qPrintable(QString::number(refused)));
    }
    void storedFormatsGiveTheirValues() {
        // One block each, by the definition of the format.
        Bytes q41, q40, q80;
        q41.put(std::uint16_t(0x3800)).put(std::uint16_t(0xBC00)); // d 0.5, m -1
        q40.put(std::uint16_t(0x4000));                            // d 2
        q80.put(std::uint16_t(0x3400));                            // d 0.25
        for (int i = 0; i < 16; ++i) {
            q41.put(static_cast<std::uint8_t>(i | (15 - i) << 4));
            q40.put(static_cast<std::uint8_t>(i | (15 - i) << 4));
        }
        for (int i = 0; i < 32; ++i)
            q80.put(static_cast<std::int8_t>(4 * i - 64));
        auto floats = [](TensorType type, const std::string& stored, std::size_t n) {
            std::vector<float> out(n);
            toFloats(type, std::as_bytes(std::span(stored)), out);
            return out;
        };
        const auto a = floats(TensorType::q4_1, q41.text, 32), b = floats(TensorType::q4_0, q40.text, 32),
                   c = floats(TensorType::q8_0, q80.text, 32);
        for (int i = 0; i < 16; ++i) {
            const auto j = static_cast<std::size_t>(i);
            QCOMPARE(a[j], 0.5f * static_cast<float>(i) - 1);
            QCOMPARE(a[j + 16], 0.5f * static_cast<float>(15 - i) - 1);
            QCOMPARE(b[j], 2.0f * static_cast<float>(i - 8));
            QCOMPARE(b[j + 16], 2.0f * static_cast<float>(7 - i));
        }
        for (int i = 0; i < 32; ++i)
            QCOMPARE(c[static_cast<std::size_t>(i)], static_cast<float>(i) - 16);
        QCOMPARE(floats(TensorType::bf16, Bytes().put(std::uint16_t(0x3FC0)).text, 1)[0], 1.5f);
        QCOMPARE(halfToFloat(0x0001), 0x1p-24f);
        QCOMPARE(halfToFloat(0x83FF), -0x3FFp-24f);
        QCOMPARE(halfToFloat(0x7BFF), 65504.0f);
        QCOMPARE(halfToFloat(0xC500), -5.0f);
        QVERIFY(std::isinf(halfToFloat(0x7C00)) && std::isnan(halfToFloat(0x7E00)));
    }
    void smollmHasItsGoldenValues() {
        if (!QFile::exists(QString::fromStdString(smollm())))
            QSKIP("SmolLM2-135M-Instruct is not in the model folder (packaging/run.sh fetches it)");
        const auto file = GgufFile::open(smollm());
        QVERIFY2(file, file ? "" : describe(file.error()).c_str());
        QCOMPARE(file->tensors().size(), std::size_t(272));
        QCOMPARE(file->keys().size(), std::size_t(33));
        QCOMPARE(file->dataOffset(), std::uint64_t(1785664));
        const auto shape = decoderShape(*file);
        QVERIFY2(shape, shape ? "" : describe(shape.error()).c_str());
        QCOMPARE(shape->parameters, std::int64_t(134515008));
        QCOMPARE(shape->blocks, std::int64_t(30));
        QCOMPARE(shape->headSize, std::int64_t(64));
        QCOMPARE(shape->keyValueHeads, std::int64_t(3));
        QCOMPARE(shape->ropeBase, 100000.0);
        QVERIFY(shape->tiedHead);
        const auto row = file->dequantisedRows(**file->tensor("token_embd.weight"), 100, 1);
        const auto query = file->dequantised(**file->tensor("blk.0.attn_q.weight", {576, 576}));
        QVERIFY(row && query);
        const float rowGolden[] = {0.01905251f, -0.08437538f, -0.16602898f, -0.1007061f},
                    queryGolden[] = {-0.09631348f, 0.15734863f, -0.09631348f, -0.73046875f};
        for (std::size_t i = 0; i < 4; ++i) {
            QVERIFY(std::fabs((*row)[i] - rowGolden[i]) < 1e-7f);
            QVERIFY(std::fabs((*query)[i] - queryGolden[i]) < 1e-7f);
        }
    }
};

QTEST_GUILESS_MAIN(TestGguf)
#include "test_gguf.moc"
