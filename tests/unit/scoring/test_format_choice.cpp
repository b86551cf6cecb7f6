// SPDX-License-Identifier: GPL-3.0-or-later
// Which numbers "auto" comes to: the rule, what is kept of the measurement and when it is taken anew, and that a verdict once kept stays.
#include "base/file.h"
#include "base/paths.h"
#include "compute/format_choice.h"
#include "compute/format_probe_torch.h"
#include "compute/quantised_matrix.h"
#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace carousel;

namespace {
constexpr CpuFeatures plain{}, avx2{true, false, false, false}, bf16{true, true, true, true};
constexpr FormatTimes zen4{1'000'000, 450'000, 600'000, 700'000}, older{1'000'000, 0, 600'000, 1'100'000};
const char* const machine = "A processor avx2; 2 threads; oneDNN 1.2.3";
} // namespace

class TestFormatChoice : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    QString onlyFile(const std::string& folder) {
        const auto names = QDir(QString::fromStdString(folder)).entryList(QDir::Files | QDir::Hidden);
        return names.size() == 1 ? QString::fromStdString(folder) + "/" + names[0] : QString();
    }

private Q_SLOTS:
    void initTestCase() { cpuFeatures(); } // found once, before the variable is played with
    void theRule_data() {
        QTest::addColumn<bool>("multipliesBf16");
        QTest::addColumn<bool>("measured");
        QTest::addColumn<FormatTimes>("times");
        QTest::addColumn<int>("bits");
        QTest::addColumn<QString>("wanted");
        const auto row = [](const char* what, bool has, std::optional<FormatTimes> times, int bits, const char* wanted) {
            QTest::newRow(what) << has << times.has_value() << times.value_or(FormatTimes()) << bits << QString(wanted);
        };
        row("nothing measured, bf16 there", true, {}, 4, "bf16");
        row("nothing measured, none there", false, {}, 4, "fp32");
        row("too busy to tell, bf16 there", true, FormatTimes(), 4, "bf16");
        row("too busy to tell, none there", false, FormatTimes(), 4, "fp32");
        row("bf16 clearly faster", true, zen4, 4, "bf16");
        row("bf16 clearly faster, plain weights", true, zen4, 0, "bf16");
        row("bf16 exactly 1.15 times", true, FormatTimes{1'150'000, 1'000'000, 0, 0}, 0, "bf16");
        row("bf16 just below 1.15 times", true, FormatTimes{1'149'999, 1'000'000, 0, 0}, 0, "fp32");
        row("bf16 too slow, int16 faster", true, FormatTimes{1'000'000, 900'000, 950'000, 0}, 4, "int16");
        row("bf16 fast in the times, but not natively there", false, zen4, 0, "fp32");
        row("bf16 there and not measured", true, older, 0, "fp32");
        row("4 bits faster", false, older, 4, "int16");
        row("8 bits slower", false, older, 8, "fp32");
        row("4 bits as fast as fp32", false, FormatTimes{1'000'000, 0, 1'000'000, 0}, 4, "fp32");
        row("plain weights", false, older, 0, "fp32");
        row("no int16 on this processor", false, FormatTimes{1'000'000, 0, 0, 0}, 4, "fp32");
    }
    void theRule() {
        QFETCH(bool, multipliesBf16);
        QFETCH(bool, measured);
        QFETCH(FormatTimes, times);
        QFETCH(int, bits);
        QFETCH(QString, wanted);
        const auto chosen = chooseFormat(multipliesBf16 ? bf16 : avx2, measured ? std::optional(times) : std::nullopt, bits);
        QCOMPARE(QString(name(chosen)), wanted);
    }
    void words() {
        QCOMPARE(describe(std::optional(zen4)), std::string("bf16 2.2 times, int16 1.7 times as fast as fp32 here"));
        QCOMPARE(describe(std::optional(older)), std::string("int16 1.7 times as fast as fp32 here"));
        QCOMPARE(describe(std::optional(FormatTimes{5000, 0, 0, 0})), std::string());
        QCOMPARE(describe(std::optional<FormatTimes>()), std::string());
    }
    void whatIsKeptIsReadAsItWas() {
        for (const auto& times : {zen4, older, FormatTimes(), FormatTimes{1000, 10'000'000'000, 0, 1000}})
            QVERIFY(parseFormatTimes(formatTimesText(machine, times), machine) == times);
    }
    void whatIsDamagedOrForeignIsNotTaken() {
        const std::string good = formatTimesText(machine, zen4);
        QVERIFY(parseFormatTimes(good, machine));
        QVERIFY(!parseFormatTimes(good, "A processor avx2; 4 threads; oneDNN 1.2.3"));
        for (std::size_t at = 0; at < good.size(); ++at) {
            QVERIFY(!parseFormatTimes(good.substr(0, at), machine));
            auto changed = good;
            changed[at] = changed[at] == '7' ? '8' : '7';
            QVERIFY2(!parseFormatTimes(changed, machine), changed.c_str());
        }
        QVERIFY(!parseFormatTimes(good + "\n", machine));
        for (const auto& odd : {FormatTimes{0, 1000, 1000, 1000}, FormatTimes{-5000, 0, 0, 0}, FormatTimes{1000, 10, 0, 0}, FormatTimes{20'000'000'000, 0, 0, 0}})
            QVERIFY(!parseFormatTimes(formatTimesText(machine, odd), machine)); // well written, and cannot have been measured
    }
    void aMachineDecidesOnce() {
        const std::string folder = m_folder.filePath("once/cache").toStdString();
        int measured = 0;
        const auto measure = [&](FormatTimes times) {
            return [&measured, times] {
                ++measured;
                return times;
            };
        };
        QVERIFY(keptFormatTimes(folder, machine, measure(zen4)) == zen4);
        QVERIFY(keptFormatTimes(folder, machine, measure(older)) == zen4); // noise of a later moment changes nothing
        QCOMPARE(measured, 1);
        const QString file = onlyFile(folder);
        QVERIFY(!file.isEmpty()); // and nothing half-written beside it
        // Abilities taken away are another machine, and leave the first as it is.
        QVERIFY(keptFormatTimes(folder, std::string(machine) + "; CAROUSEL_CPU=avx2", measure(older)) == older);
        QVERIFY(keptFormatTimes(folder, machine, measure(older)) == zen4);
        QCOMPARE(measured, 2);
        QVERIFY(atomicWrite(file.toStdString(), "carousel-lab compute formats 1\nnonsense"));
        QVERIFY(keptFormatTimes(folder, machine, measure(older)) == older); // measured again, and kept again
        QVERIFY(keptFormatTimes(folder, machine, measure(zen4)) == older);
        QCOMPARE(measured, 3);
    }
    void theFirstOfSeveralDecidesForAll() {
        const std::string folder = m_folder.filePath("several").toStdString();
        const auto got = keptFormatTimes(folder, machine, [&] { // another process is done while this one measures
            if (!keptFormatTimes(folder, machine, [] { return zen4; }))
                qFatal("cannot keep");
            return older;
        });
        QVERIFY(got == zen4);
        QVERIFY(!onlyFile(folder).isEmpty());
    }
    void whereNothingCanBeKeptNothingIsMeasuredFor() {
        const std::string file = m_folder.filePath("a_file").toStdString();
        QVERIFY(atomicWrite(file, "x"));
        QVERIFY(!keptFormatTimes(file + "/cache", machine, [] { return zen4; })); // a verdict of one process would be noise
    }
    void theMachineIsNamedWhole() {
        const auto whole = formatMachine(bf16, 2, "oneDNN 2.6.3");
        QVERIFY(whole.find("bf16") != std::string::npos && whole.find("2 threads") != std::string::npos);
        QVERIFY(formatMachine(avx2, 2, "oneDNN 2.6.3") != whole);
        QVERIFY(formatMachine(plain, 2, "oneDNN 2.6.3") != formatMachine(avx2, 2, "oneDNN 2.6.3"));
        QVERIFY(formatMachine(bf16, 4, "oneDNN 2.6.3") != whole);
        QVERIFY(formatMachine(bf16, 2, "oneDNN 3.0.0") != whole);
        for (const char* variable : {"CAROUSEL_CPU", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
            const char* before = std::getenv(variable);
            const std::string kept = before ? before : "";
            ::setenv(variable, "AVX2\nx", 1);
            const auto masked = formatMachine(bf16, 2, "oneDNN 2.6.3");
            QVERIFY(masked != whole && masked.find('\n') == std::string::npos);
            kept.empty() ? ::unsetenv(variable) : ::setenv(variable, kept.c_str(), 1);
        }
    }
    void theProbeMeasuresWhatTheProcessorHas() {
        const auto times = measureFormats(2);
        if (!times.measured()) { // a busy machine: then nothing is
            QVERIFY(times == FormatTimes());
            QSKIP("this machine is too busy to tell");
        }
        QCOMPARE(times.bf16 > 0, cpuFeatures().bf16);
        QCOMPARE(times.fourBits > 0, QuantisedMatrix::canMultiply());
        QCOMPARE(times.eightBits > 0, QuantisedMatrix::canMultiply());
        QVERIFY(parseFormatTimes(formatTimesText(machine, times), machine) == times); // within what is taken for possible
        qInfo("%s", describe(std::optional(times)).c_str());
    }
    void autoFollowsWhatIsKept() {
        // The cache of this process is empty until now, since nothing above asked for the times of this machine.
        const std::string folder = m_folder.filePath("auto").toStdString();
        ::setenv("CAROUSEL_LAB_CACHE", folder.c_str(), 1);
        QCOMPARE(cacheFolder(), folder);
        QVERIFY(openComputeDevice("cpu", "fp32", 3)->type == ComputeType::fp32);
        QVERIFY(openComputeDevice("cpu", "bf16", 3)->type == ComputeType::bf16);
        QVERIFY(openComputeDevice("cpu", "auto", 3, true)->type == ComputeType::fp32);
        QVERIFY(!QDir(QString::fromStdString(folder)).exists()); // what is named costs nothing
        const auto first = openComputeDevice("cpu", "auto", 3);
        QVERIFY(first);
        const QString file = onlyFile(folder);
        QVERIFY(!file.isEmpty());
        const auto here = formatTimesHere(3);
        QVERIFY(here);
        for (const int bits : {0, 4, 8})
            QVERIFY(openComputeDevice("cpu", "auto", 3, false, bits)->type == chooseFormat(cpuFeatures(), here, bits));
        QVERIFY(describeLibraries(3).find(describe(here)) != std::string::npos);
        const auto kept = readFile(file.toStdString());
        QVERIFY(kept && kept->find(cpuFeatures().bf16 ? " bf16" : "machine: ") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestFormatChoice)
#include "test_format_choice.moc"
