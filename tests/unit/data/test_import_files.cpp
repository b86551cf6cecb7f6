// SPDX-License-Identifier: GPL-3.0-or-later
// RecBole atomic files, text encodings, compression, and the ML-100K data set where it is present.
#include "base/hash.h"
#include "base/paths.h"
#include "base/random.h"
#include "data_test_help.h"
#include <algorithm>

using namespace carousel;
using namespace carousel::test;

namespace {

const std::string inter =
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n007\tA\t5\t881250949\n7\tnan\t3\t881250950\n007\t1e5\t1\t881250951\n";
const std::string item = "item_id:token\tmovie_title:token_seq\tclass:token_seq\tprice:float\nA\tToy Story\tComedy "
                         "Drama\t12.5\n1e5\tHeat\t\t\nunseen\tAlien\tHorror\t3\n";
const std::string user = "user_id:token\tage:token\n7\t24\n";

Result<Imported> imported(const std::string& path, bool keepGoing = false) {
    ImportLimits limits;
    limits.rejectMinimum = 20; // files of a few lines may hold bad rows on purpose
    limits.keepGoing = keepGoing;
    return importRecBole(path, limits, {});
}

} // namespace

class TestImportFiles : public QObject {
    Q_OBJECT
private slots:
    void atomicFilesBecomeTables() {
        Folder folder;
        folder.write("tiny/tiny.inter", inter);
        folder.write("tiny/tiny.item", item);
        folder.write("tiny/tiny.user", user);
        const auto result = imported(folder.path("tiny"));
        ACCEPTED(result);
        const auto& data = *result->dataset;
        QCOMPARE(data.name, std::string("tiny"));
        QCOMPARE(data.items.ids.ids(), (std::vector<std::string>{"A", "1e5", "unseen", "nan"}));
        QCOMPARE(data.users.ids.ids(), (std::vector<std::string>{"7", "007"}));
        QCOMPARE(data.interactions.kinds, std::vector<std::string>{"rating"});
        QCOMPARE(data.interactions.value, (std::vector<float>{5, 3, 1}));
        QCOMPARE(data.interactions.time[0], std::int64_t(881250949));
        QCOMPARE(data.items.displayName(0), std::string("Toy Story"));
        QCOMPARE(data.items.attribute("class")->text(0), std::string("Comedy, Drama"));
        QVERIFY(data.items.attribute("class")->missing(1));
        QCOMPARE(data.items.attribute("price")->numbers(0)[0], 12.5);
        for (const auto& column : data.items.attributes)
            QCOMPARE(column.rows(), data.items.size());
        QCOMPARE(data.users.attribute("age")->rows(), data.users.size());
        const auto& report = result->report;
        QCOMPARE(report.rowsRead, std::int64_t(3));
        QCOMPARE(report.rowsKept, std::int64_t(3));
        QCOMPARE(report.firstTime, std::int64_t(881250949));
        QCOMPARE(report.lastTime, std::int64_t(881250951));
        QCOMPARE(data.sources.size(), std::size_t(3));
        QCOMPARE(data.sources.back().name, std::string("tiny.inter"));
        QCOMPARE(data.sources.back().sha256, sha256(inter));
        QCOMPARE(data.sources.back().bytes, static_cast<std::int64_t>(inter.size()));
        QCOMPARE(data.digest, datasetDigest(data));
    }
    void oneFileAloneIsEnough() {
        Folder folder;
        const auto result = imported(folder.write("x.inter", inter));
        ACCEPTED(result);
        QCOMPARE(result->dataset->items.size(), std::size_t(3));
    }
    void eventColumnNamesTheKind() {
        Folder folder;
        const auto result = imported(folder.write("x.inter", "user_id:token\titem_id:token\tevent:token\tvalue:float\ttimestamp:"
                                                             "float\nu\ti\tview\t\t5\nu\ti\tpurchase\t9.5\t6\nu\tj\tview\t1\t7\n"));
        ACCEPTED(result);
        QCOMPARE(result->dataset->interactions.kinds, (std::vector<std::string>{"view", "purchase"}));
        QCOMPARE(result->dataset->interactions.kind, (std::vector<std::uint8_t>{0, 1, 0}));
        QCOMPARE(result->dataset->interactions.value, (std::vector<float>{1, 9.5f, 1}));
    }
    void compressionChangesNothing() {
        Folder folder;
        const auto plain = imported(folder.write("plain/x.inter", inter));
        ACCEPTED(plain);
        for (const auto& [filter, ending] : {std::pair<std::string, std::string>{"gzip", ".gz"}, {"zstd", ".zst"}, {"xz", ".xz"}}) {
            const auto bytes = packed(inter, filter);
            QVERIFY(bytes.size() > 10 && bytes != inter);
            folder.write(filter + "/x.inter" + ending, bytes);
            folder.write(filter + "/x.item" + ending, packed("item_id:token\n", filter));
            const auto result = imported(folder.path(filter));
            ACCEPTED(result);
            QVERIFY(result->dataset->interactions.item == plain->dataset->interactions.item);
            QCOMPARE(result->dataset->digest, plain->dataset->digest);
            QCOMPARE(result->dataset->sources.back().sha256, sha256(bytes));
        }
        // Enough text that a cut file loses some of it.
        std::string longer = inter;
        RandomStream random(1, "rows");
        for (int i = 0; i < 3000; ++i)
            longer += std::to_string(random.next64()) + "\ti\t3\t881250949\n";
        const auto bytes = packed(longer, "gzip");
        REFUSED(imported(folder.write("cut/x.inter.gz", bytes.substr(0, bytes.size() / 2))), "CL-1002", "x.inter.gz", "after line");
    }
    void bomAndCrlfAreRead() {
        Folder folder;
        std::string text = "\xEF\xBB\xBF" + inter;
        for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
            text.insert(at, "\r");
        text.resize(text.size() - 2); // no end of line at the end
        const auto result = imported(folder.write("x.inter", text));
        ACCEPTED(result);
        QCOMPARE(result->dataset->interactions.size(), std::size_t(3));
        QCOMPARE(result->dataset->digest, imported(folder.write("y.inter", inter))->dataset->digest);
    }
    void otherEncodingsAreRefusedByName() {
        Folder folder;
        auto file = [&](const std::string& text) { return imported(folder.write("x.inter", text)); };
        REFUSED(file(std::string("\xFF\xFEu\0s\0", 6)), "CL-1003", "x.inter", "UTF-16");
        REFUSED(file(std::string("\xFF\xFE\0\0u\0\0\0", 8)), "CL-1003", "UTF-32");
        std::string latin = inter;
        latin.insert(latin.size() - 20, "Caf\xE9");
        const auto offset = std::to_string(latin.find('\xE9'));
        REFUSED(file(latin), "CL-1003", "x.inter", "line 4", offset.c_str(), "0xe9");
        std::string zero = inter;
        zero.insert(inter.find("881250950"), 1, '\0');
        REFUSED(file(zero), "CL-1003", "NUL", "line 3");
        std::string mac = inter;
        std::replace(mac.begin(), mac.end(), '\n', '\r');
        REFUSED(file(mac), "CL-1003", "carriage return");
    }
    void emptyFilesAreRefused() {
        Folder folder;
        auto file = [&](const std::string& text) { return imported(folder.write("x.inter", text)); };
        REFUSED(file(""), "CL-1004", "x.inter");
        REFUSED(file("\xEF\xBB\xBF"), "CL-1004", "x.inter");
        REFUSED(file("\n\n"), "CL-1004", "x.inter");
        REFUSED(imported(folder.write("y.inter.gz", packed("", "gzip"))), "CL-1004", "y.inter.gz");
        REFUSED(file("user_id:token\titem_id:token\n"), "CL-1007", "x.inter", "no rows");
    }
    void headersAreChecked() {
        Folder folder;
        auto file = [&](const std::string& text) { return imported(folder.write("x.inter", text)); };
        REFUSED(file("user_id:token\trating:float\na\t1\n"), "CL-1006", "x.inter", "item_id", "'user_id:token', 'rating:float'");
        REFUSED(file("user_id:token\titem_id:token\tuser_id:token\na\tb\tc\n"), "CL-1005", "user_id:token", "twice");
        REFUSED(file("user_id:token\titem_id:token\titem_id:float\na\tb\tc\n"), "CL-1005", "item_id", "twice");
        REFUSED(file("user_id:token\t\titem_id:token\na\tb\tc\n"), "CL-1005", "column 2");
        REFUSED(file("user_id\titem_id\na\tb\n"), "CL-1005", "user_id", "token_seq");
    }
    void placesAreChecked() {
        Folder folder;
        REFUSED(imported(folder.path("absent")), "CL-1001", "absent");
        REFUSED(imported(folder.write("table.csv", "a,b\n")), "CL-1001", "table.csv");
        std::filesystem::create_directories(folder.path("void"));
        REFUSED(imported(folder.path("void")), "CL-1001", "void");
        folder.write("two/a.inter", inter);
        folder.write("two/b.inter", inter);
        REFUSED(imported(folder.path("two")), "CL-1001", "2 .inter files");
    }
    void badRowsAreRejectedWithLineAndReason() {
        Folder folder;
        std::string text = inter;
        text += "a\tb\tgood\t881250949\n"; // line 5
        text += "a\tb\t1,5\t881250949\n";
        text += "a\tb\tnan\t881250949\n";
        text += "a\tb\t\t881250949\n";
        text += "a\tb\t3\n";
        text += "\tb\t3\t881250949\n"; // line 10
        text += "\na\tb\t3\tyesterday\n";
        text += "a\tb\t3\t99999999999999\n"; // line 13: milliseconds in a column of seconds
        text += "a\tb\t1e300\t881250949\n";
        const auto result = imported(folder.write("x.inter", text));
        ACCEPTED(result);
        const auto& report = result->report;
        QCOMPARE(report.rowsRead, std::int64_t(12));
        QCOMPARE(report.rowsKept, std::int64_t(3));
        QCOMPARE(report.rowsRejected, std::int64_t(9));
        QCOMPARE(report.rejects.size(), std::size_t(9));
        QCOMPARE(report.rejects[0].line, std::int64_t(5));
        QCOMPARE(report.rejects[0].file, std::string("x.inter"));
        QCOMPARE(report.rejects[0].rawText, std::string("a\tb\tgood\t881250949"));
        QVERIFY2(report.rejects[0].reason.find("'good' is not a number") != std::string::npos, report.rejects[0].reason.c_str());
        QVERIFY(report.rejects[0].reason.find("rating:float") != std::string::npos);
        QVERIFY(report.rejects[4].reason.find("3 fields where the header has 4") != std::string::npos);
        QCOMPARE(report.rejects[7].line, std::int64_t(13));
        QVERIFY(report.rejects[7].reason.find("unit s") != std::string::npos);
        QCOMPARE(report.rejectReasons.at("column 'rating:float': not a number"), std::int64_t(4));
        QCOMPARE(result->dataset->users.ids.find("a"), noCode); // a rejected row leaves nothing behind
    }
    void tooManyBadRowsStopTheImport() {
        Folder folder;
        std::string text = inter;
        for (int i = 0; i < 30; ++i)
            text += "a\tb\tword" + std::to_string(i) + "\t881250949\n";
        const auto file = folder.write("x.inter", text);
        REFUSED(imported(file), "CL-1008", "x.inter", "30 of 33 rows", "line 5", "rating:float", "'word0'");
        const auto result = imported(file, true);
        ACCEPTED(result);
        QCOMPARE(result->report.rowsKept, std::int64_t(3));
        QCOMPARE(result->report.rejects.size(), std::size_t(20));
        REFUSED(imported(folder.write("y.inter", "user_id:token\titem_id:token\trating:float\na\tb\tc\n")), "CL-1007", "y.inter", "line 2",
                "'c'");
    }
    void sideTablesTellAboutBadValues() {
        Folder folder;
        folder.write("x.inter", inter);
        folder.write("x.item", "item_id:token\tprice:float\nA\tcheap\nA\t3\n1e5\t4\n");
        const auto result = imported(folder.path());
        ACCEPTED(result);
        QVERIFY(result->dataset->items.attribute("price")->missing(0));
        QCOMPARE(result->dataset->items.attribute("price")->numbers(1)[0], 4.0);
        QCOMPARE(result->report.rejects.size(), std::size_t(2));
        QCOMPARE(result->report.rejects[1].line, std::int64_t(3));
        QCOMPARE(result->report.rowsRejected, std::int64_t(0)); // of the interactions
        QVERIFY(result->report.warnings.front().find("x.item") != std::string::npos);
    }
    void duplicatesAreCountedAndKept() {
        Folder folder;
        const auto result = imported(folder.write("x.inter", inter + "007\tA\t5\t881250949\n007\tA\t5\t881250949\n007\tA\t4\t881250949\n"));
        ACCEPTED(result);
        QCOMPARE(result->report.duplicates, std::int64_t(2));
        QCOMPARE(result->dataset->interactions.size(), std::size_t(6));
    }
    void inspectionShowsColumnsAndRows() {
        Folder folder;
        folder.write("x.inter.gz", packed(inter, "gzip"));
        const auto seen = inspectFile(folder.path());
        ACCEPTED(seen);
        QCOMPARE(seen->format, std::string("recbole"));
        QCOMPARE(seen->delimiter, '\t');
        QCOMPARE(seen->guessedTypes, (std::vector<std::string>{"token", "token", "float", "float"}));
        QCOMPARE(seen->firstRows.size(), std::size_t(3));
        QCOMPARE(seen->firstRows[1][1], std::string("nan"));
        REFUSED(inspectFile(folder.path("absent.csv")), "CL-1001", "absent.csv");
        std::filesystem::create_directories(folder.path("void"));
        REFUSED(inspectFile(folder.path("void")), "CL-1014", "void");
    }
    void mutatedFilesGiveAResultOrAnError() {
        Folder folder;
        RandomStream random(5, "mutations");
        int results = 0, errors = 0;
        folder.write("m.item", item);
        for (int round = 0; round < 1000; ++round) {
            std::string text = round % 2 ? inter : item;
            for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
                const auto at = random.below(text.size());
                switch (random.below(4)) {
                case 0:
                    text[at] = static_cast<char>(random.below(256));
                    break;
                case 1:
                    text.insert(at, 1, "\t\n\r\" :,\0"[random.below(8)]);
                    break;
                case 2:
                    text.erase(at, 1 + random.below(8));
                    break;
                default:
                    text.insert(at, text.substr(random.below(text.size()), random.below(40)));
                }
            }
            folder.write(round % 2 ? "m.inter" : "m.item", text);
            if (round % 2 == 0)
                folder.write("m.inter", inter);
            const auto result = imported(folder.path());
            if (result) {
                ++results;
                const auto& data = *result->dataset;
                QCOMPARE(result->report.rowsRead, result->report.rowsKept + result->report.rowsRejected);
                QVERIFY(data.interactions.size() > 0);
                for (const auto& column : data.items.attributes)
                    QCOMPARE(column.rows(), data.items.size());
                QVERIFY(!badges(data).empty());
            } else {
                ++errors;
                QVERIFY(result.error().code.starts_with("CL-10"));
            }
        }
        QVERIFY(results > 100 && errors > 100);
    }
    void movieLens() {
        const auto folder = dataFolder() + "/ml-100k";
        if (!fileExists(folder + "/ml-100k.inter"))
            QSKIP("ML-100K is not in the data folder");
        const auto result = imported(folder);
        ACCEPTED(result);
        const auto& data = *result->dataset;
        QCOMPARE(data.interactions.size(), std::size_t(100000));
        QCOMPARE(data.users.size(), std::size_t(943));
        QCOMPARE(data.items.size(), std::size_t(1682));
        QCOMPARE(result->report.rowsRejected, std::int64_t(0));
        QCOMPARE(result->report.duplicates, std::int64_t(0));
        QCOMPARE(data.items.displayName(data.items.ids.find("1")), std::string("Toy Story"));
        QCOMPARE(data.items.attribute("class")->text(0), std::string("Animation, Children's, Comedy"));
        const auto feedback = *applyEventModel(data, *presetEventModel("combined"));
        QCOMPARE(std::count_if(feedback.preference.begin(), feedback.preference.end(), [](float p) { return p >= 0.25f; }),
                 std::ptrdiff_t(55375)); // 4 and 5 stars
        const auto split = makeSplit(data, {}, {});
        ACCEPTED(split);
        QVERIFY(split->usersWithTarget >= 940);
        QVERIFY(split->tiedTimes > 50000);
        QVERIFY2(result->report.seconds < 5, std::to_string(result->report.seconds).c_str());
    }
};
QTEST_GUILESS_MAIN(TestImportFiles)
#include "test_import_files.moc"
