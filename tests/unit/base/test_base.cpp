// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/parameters.h"
#include "base/random.h"
#include "base/text.h"
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <limits>
#include <filesystem>
#include <set>

using namespace carousel;

class TestBase : public QObject {
    Q_OBJECT
private slots:
    void numbersAreWholeFieldsAndFinite() {
        QCOMPARE(*parseNumber("1.5"), 1.5);
        QCOMPARE(*parseNumber("-3e2"), -300.0);
        for (const char* bad : {"", "nan", "inf", "1,5", "12abc", " 1", "1e400"})
            QVERIFY2(!parseNumber(bad), bad);
        QVERIFY(!parseInteger("1.0"));
    }
    void threeFiguresAsPrinted() {
        QCOMPARE(threeFigures(0.012345), std::string("0.0123"));
        QCOMPARE(threeFigures(4.5678), std::string("4.57"));
        QCOMPARE(threeFigures(1240), std::string("1,240"));
        QCOMPARE(threeFigures(-0.5), std::string("-0.500"));
        QCOMPARE(threeFigures(std::nan("")), std::string("n/a"));
        QCOMPARE(threeFigures(-1e25), std::string("-1.00e+25")); // beyond 64 bits
        QCOMPARE(threeFigures(-0.0), std::string("0"));
        QCOMPARE(withThousands(std::numeric_limits<std::int64_t>::min()), std::string("-9,223,372,036,854,775,808"));
    }
    void invalidUtf8IsFoundAndReplaced() {
        QCOMPARE(firstInvalidUtf8("abc\xff"), std::size_t(3));
        QCOMPARE(firstInvalidUtf8("Café"), std::string_view::npos);
        QCOMPARE(replaceInvalidUtf8("a\xff"), std::string("a\xEF\xBF\xBD"));
    }
    void sha256OfKnownText() {
        QCOMPARE(sha256("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        QVERIFY(Sha256().addField("ab").addField("c").hex() != Sha256().addField("a").addField("bc").hex());
    }
    void streamsDependOnlyOnTheirKeys() {
        RandomStream a(7, "bootstrap", 3, 4), b(7, "bootstrap", 3, 4), c(7, "bootstrap", 4, 3), d(7, "split", 3, 4);
        const auto first = a.next64();
        QCOMPARE(b.next64(), first);
        QVERIFY(c.next64() != first);
        QVERIFY(d.next64() != first);
        double sum = 0, squares = 0;
        RandomStream n(1, "normal");
        for (int i = 0; i < 100000; ++i) {
            const double x = n.normal();
            sum += x;
            squares += x * x;
        }
        QVERIFY(std::fabs(sum / 1e5) < 0.02);
        QVERIFY(std::fabs(squares / 1e5 - 1) < 0.03);
        std::set<std::uint64_t> seen;
        for (int i = 0; i < 200; ++i)
            seen.insert(n.below(7));
        QCOMPARE(seen.size(), std::size_t(7));
        QCOMPARE(*seen.rbegin(), std::uint64_t(6));
    }
    void parametersAreCheckedByName() {
        const std::vector<ParameterSpec> specs{{.id = "count", .label = "Count", .kind = ParameterKind::integer, .defaultValue = std::int64_t(5), .help = "How many.", .minimum = 1, .maximum = 9},
                                               {.id = "mode", .label = "Mode", .kind = ParameterKind::choice, .defaultValue = std::string("a"), .help = "Which.", .choices = {"a", "b"}}};
        QCOMPARE(validate(specs, {}, "scorer x")->integer("count"), std::int64_t(5));
        Parameters wrong;
        wrong.set("cuont", std::int64_t(3));
        const auto unknown = validate(specs, wrong, "scorer x");
        QVERIFY(!unknown);
        QCOMPARE(unknown.error().code, std::string("CL-3001"));
        QVERIFY(unknown.error().hint.find("count") != std::string::npos);
        QCOMPARE(parseParameter(specs[0], "12", "scorer x").error().code, std::string("CL-3003"));
        QCOMPARE(parseParameter(specs[0], "x", "scorer x").error().code, std::string("CL-3002"));
        QCOMPARE(parseParameter(specs[1], "c", "scorer x").error().code, std::string("CL-3004"));
    }
    void atomicWriteKeepsTheOldFileOnFailure() {
        QTemporaryDir dir;
        const auto path = dir.path().toStdString() + "/x.txt";
        QVERIFY(atomicWrite(path, "one"));
        QVERIFY(atomicWrite(path, "two"));
        QCOMPARE(*readFile(path), std::string("two"));
        const auto refused = atomicWrite(dir.path().toStdString() + "/no/such/folder/x.txt", "x");
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-5002"));
        QCOMPARE(std::distance(std::filesystem::directory_iterator(dir.path().toStdString()), {}), 1);
    }
    void parallelForCoversEveryIndexOnce() {
        std::vector<int> hits(1001, 0);
        parallelFor(hits.size(), 10, [&](std::size_t b, std::size_t e) {
            for (auto i = b; i < e; ++i)
                ++hits[i];
        });
        for (const int h : hits)
            QCOMPARE(h, 1);
    }
};
QTEST_APPLESS_MAIN(TestBase)
#include "test_base.moc"
