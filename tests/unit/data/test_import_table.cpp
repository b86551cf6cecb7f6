// SPDX-License-Identifier: GPL-3.0-or-later
// CSV and TSV with a column mapping: quotes, delimiters, roles, times, side tables, mapping files.
#include "base/random.h"
#include "data_test_help.h"

using namespace carousel;

namespace {
const ImportLimits tolerant{.rejectMinimum = 20}; // files of a few lines may hold bad rows on purpose
}
using namespace carousel::test;

namespace {

TableMapping plain() {
    TableMapping mapping;
    mapping.user = "user";
    mapping.item = "item";
    return mapping;
}

} // namespace

class TestImportTable : public QObject {
    Q_OBJECT
private slots:
    void quotesFollowRfc4180() {
        Folder folder;
        auto mapping = plain();
        mapping.itemFields = {"title", "tags"};
        const auto result = importTable(folder.write("t.csv", "user,item,title,tags\r\n"
                                                              "a,1,\"Good, bad\r\nand \"\"ugly\"\"\",x|y\r\n"
                                                              "\"b\",2,  blanks stay ,y\r\n"
                                                              "c,3,\"\",\r\n"),
                                        mapping, tolerant, {});
        ACCEPTED(result);
        const auto& data = *result->dataset;
        QCOMPARE(data.interactions.size(), std::size_t(3));
        QCOMPARE(data.items.displayName(0), std::string("Good, bad\nand \"ugly\""));
        QCOMPARE(data.users.ids.id(1), std::string("b"));
        QVERIFY(data.items.attribute("title")->missing(2));
        QCOMPARE(data.items.attribute("tags")->text(0), std::string("x, y"));
        QCOMPARE(data.interactions.kinds, std::vector<std::string>{"click"});
        QCOMPARE(data.sources.front().importer, std::string("csv"));
        QVERIFY(data.sources.front().options.find("user") != std::string::npos);
    }
    void linesAreCountedThroughQuotedNewlines() {
        Folder folder;
        const auto result = importTable(folder.write("t.csv", "user,item\na,\"1\n2\n3\"\nb\nc,\"x\"y\nd,4\n"), plain(), tolerant, {});
        ACCEPTED(result);
        QCOMPARE(result->report.rejects.size(), std::size_t(2));
        QCOMPARE(result->report.rejects[0].line, std::int64_t(5));
        QCOMPARE(result->report.rejects[1].line, std::int64_t(6));
        QCOMPARE(result->report.rejects[1].reason, std::string("misplaced quote"));
        QCOMPARE(result->report.rejects[1].rawText, std::string("c,\"x\"y"));
        QCOMPARE(result->dataset->items.ids.ids(), (std::vector<std::string>{"1\n2\n3", "4"}));
        REFUSED(importTable(folder.write("u.csv", "user,item\na,1\nb,\"2\nc,3\n"), plain(), tolerant, {}), "CL-1009", "u.csv", "line 3",
                "quoted");
    }
    void delimitersAreFound() {
        Folder folder;
        for (const std::string delimiter : {",", "\t", ";", "|"}) {
            const auto text = "user" + delimiter + "item\na" + delimiter + "1\n";
            const auto result = importTable(folder.write("t.csv", text), plain(), tolerant, {});
            ACCEPTED(result);
            QCOMPARE(result->dataset->items.ids.id(0), std::string("1"));
        }
    }
    void valuesTimesAndKinds() {
        Folder folder;
        auto mapping = plain();
        mapping.value = "stars";
        mapping.time = "when";
        auto read = [&](const std::string& first, const std::string& second) {
            return importTable(folder.write("t.csv", "user,item,stars,when\na,1,2.5," + first + "\na,2,3," + second + "\n"), mapping, tolerant,
                               {});
        };
        const std::int64_t moment = 1574553793; // 2019-11-24 00:03:13 UTC
        for (const auto& [first, second] : {std::pair<std::string, std::string>{"1574553793", "1574553794.5"},
                                            {"1574553793442", "1574553794000"},
                                            {"1574553793442536", "1574553794000000"},
                                            {"2019-11-24 00:03:13.442536+00:00", "2019-11-24T00:03:14Z"},
                                            {"2019-11-24T01:03:13+01:00", "2019-11-23 19:03:14 -0500"}}) {
            const auto result = read(first, second);
            ACCEPTED(result);
            QCOMPARE(result->dataset->interactions.kinds, std::vector<std::string>{"rating"});
            QCOMPARE(result->dataset->interactions.time, (std::vector<std::int64_t>{moment, moment + 1}));
            QVERIFY(result->report.warnings.front().find("2019-11-24 00:03") != std::string::npos);
        }
        for (const std::string bad :
             {"2019-02-30", "2019-11-24 25:00", "24.11.2019", "1574553793442", "1e300", "-99999999999", "2019-11-24x"}) {
            const auto result = read("1574553793", bad);
            ACCEPTED(result);
            QCOMPARE(result->report.rowsRejected, std::int64_t(1));
        }
        mapping.timeUnit = "ms";
        QCOMPARE(read("1574553793", "1574553794")->dataset->interactions.time[0], std::int64_t(1574553));
        mapping.timeUnit = "weeks";
        REFUSED(read("1", "2"), "CL-1010", "weeks");
        mapping = plain();
        mapping.kind = "what";
        const auto kinds = importTable(folder.write("k.csv", "user,item,what\na,1,view\nb,2,love\nc,3,\n"), mapping, tolerant, {});
        ACCEPTED(kinds);
        QCOMPARE(kinds->dataset->interactions.kinds, (std::vector<std::string>{"view", "love"}));
        QCOMPARE(kinds->report.rowsRejected, std::int64_t(1));
        std::string many = "user,item,what\n";
        for (int i = 0; i < 300; ++i)
            many += "a,1,kind" + std::to_string(i) + "\n";
        REFUSED(importTable(folder.write("m.csv", many), mapping, tolerant, {}), "CL-1012", "m.csv", "line 257", "kind255");
    }
    void sideTablesGiveAttributes() {
        Folder folder;
        folder.write("films.csv", "movieId,title,genres,year,imdbId\n1,\"Toy Story "
                                  "(1995)\",Animation|Comedy,1995,0114709\n2,Heat,,,0113277\n3,Unseen,Drama,1990,1\n1,Again,x,1,1\n");
        folder.write("people.csv", "userId;town\na;Oslo\n");
        auto mapping = plain();
        mapping.itemFile = "films.csv";
        mapping.itemId = "movieId";
        mapping.userFile = "people.csv";
        mapping.userId = "userId";
        const auto result = importTable(folder.write("t.csv", "user,item\na,2\nb,9\n"), mapping, tolerant, {});
        ACCEPTED(result);
        const auto& items = result->dataset->items;
        QCOMPARE(items.ids.ids(), (std::vector<std::string>{"1", "2", "3", "9"}));
        QCOMPARE(items.displayName(0), std::string("Toy Story (1995)"));
        QCOMPARE(items.attribute("genres")->tokenCodes(0).size(), std::size_t(2));
        QCOMPARE(items.attribute("year")->numbers(0)[0], 1995.0);
        QVERIFY(!items.attribute("imdbId")->isNumeric()); // an id keeps its zeros
        QCOMPARE(items.attribute("imdbId")->text(0), std::string("0114709"));
        QCOMPARE(items.attribute("year")->rows(), std::size_t(4));
        QCOMPARE(result->dataset->users.attribute("town")->text(0), std::string("Oslo"));
        mapping.itemId = "film";
        REFUSED(importTable(folder.path("t.csv"), mapping, tolerant, {}), "CL-1006", "films.csv", "film", "'movieId', 'title'");
        mapping.itemFile = "nothing.csv";
        REFUSED(importTable(folder.path("t.csv"), mapping, tolerant, {}), "CL-1001", "nothing.csv");
    }
    void refusalsNameWhatIsThere() {
        Folder folder;
        auto mapping = plain();
        const auto file = folder.write("t.csv", "user,product\na,1\n");
        REFUSED(importTable(file, mapping, tolerant, {}), "CL-1006", "t.csv", "'item'", "'user', 'product'");
        mapping.user.clear();
        REFUSED(importTable(file, mapping, tolerant, {}), "CL-1010", "user");
        REFUSED(importTable(folder.write("e.csv", "user,,item\na,b,c\n"), plain(), tolerant, {}), "CL-1005", "e.csv", "column 2");
        REFUSED(importTable(folder.write("d.csv", "user,item,item\na,b,c\n"), plain(), tolerant, {}), "CL-1005", "'item'", "twice");
        REFUSED(importTable(folder.write("h.csv", "user,item\n"), plain(), tolerant, {}), "CL-1007", "h.csv");
        REFUSED(importTable(folder.path(), plain(), tolerant, {}), "CL-1001", "regular file");
        mapping = plain();
        mapping.value = "title";
        std::string text = "user,item,title\n";
        for (int i = 0; i < 25; ++i)
            text += "a,1,Heat\n";
        REFUSED(importTable(folder.write("w.csv", text), mapping, tolerant, {}), "CL-1008", "w.csv", "line 2", "'title'", "'Heat'");
        REFUSED(importTable(folder.write("l.csv", "user,item\na," + std::string(5 << 20, 'x') + "\n"), plain(), tolerant, {}), "CL-1009", "l.csv",
                "line 2");
        REFUSED(importTable(folder.write("f.csv", "user,item\na," + std::string(2 << 20, 'x') + "\n"), plain(), tolerant, {}), "CL-1009", "l",
                "field");
    }
    void mappingsAreGuessed() {
        Folder folder;
        const auto guess = guessMapping(folder.write("r.csv", "userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n"));
        ACCEPTED(guess);
        QCOMPARE(guess->user, std::string("userId"));
        QCOMPARE(guess->item, std::string("movieId"));
        QCOMPARE(guess->value, std::string("rating"));
        QCOMPARE(guess->time, std::string("timestamp"));
        QCOMPARE(guess->delimiter, ',');
        ACCEPTED(importTable(folder.path("r.csv"), *guess, {}, {}));
        const auto words = guessMapping(folder.write("w.tsv", "Visitor ID\tItem ID\tEvent\tScore\n1\t2\tview\thigh\n"));
        ACCEPTED(words);
        QCOMPARE(words->kind, std::string("Event"));
        QVERIFY(words->value.empty()); // "high" is no number
        REFUSED(guessMapping(folder.write("n.csv", "a,b\n1,2\n")), "CL-1006", "n.csv", "'a', 'b'");
        const auto data = guessMapping(folder.write("u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"));
        QVERIFY(!data && data.error().hint.find("first line looks like data") != std::string::npos);
    }
    void mappingsSurviveTheRoundTrip() {
        Folder folder;
        TableMapping mapping{"us\"er", "it\\em",    "väl", "time",      "kind", "click", "ms", '\t', {"title, long", "b"},
                             {"age"},  "items.csv", "id",  "users.csv", "uid"};
        const auto read = readMapping(folder.write("m.import.toml", writeMapping(mapping)));
        ACCEPTED(read);
        QCOMPARE(writeMapping(*read), writeMapping(mapping));
        QCOMPARE(read->user, mapping.user);
        QCOMPARE(read->item, mapping.item);
        QCOMPARE(read->value, mapping.value);
        QCOMPARE(read->timeUnit, mapping.timeUnit);
        QCOMPARE(read->delimiter, '\t');
        QCOMPARE(read->itemFields, mapping.itemFields);
        QCOMPARE(read->userId, mapping.userId);
        auto file = [&](const std::string& text) { return readMapping(folder.write("bad.toml", text)); };
        REFUSED(file("user = \"a\"\nitem = \n"), "CL-1010", "bad.toml", "line 2");
        REFUSED(file("user = \"a\"\nitem = 3\n"), "CL-1010", "line 2", "item");
        REFUSED(file("user = \"a\"\nitem = \"b\"\nratings = \"c\"\n"), "CL-1010", "line 3", "ratings");
        REFUSED(file("item = \"b\"\n"), "CL-1010", "user");
        REFUSED(file("user = \"a\"\nitem = \"b\"\ndelimiter = \"::\"\n"), "CL-1010", "line 3", "delimiter");
        REFUSED(file("user = \"a\"\nitem = \"b\"\nitem_fields = [1]\n"), "CL-1010", "line 3", "item_fields");
        REFUSED(file("user = \"a\"\nitem = \"b\"\ntime_unit = \"days\"\n"), "CL-1010", "days");
        REFUSED(readMapping(folder.path("absent.toml")), "CL-5001", "absent.toml");
    }
    void inspectionGuessesTypes() {
        Folder folder;
        const auto seen = inspectFile(
            folder.write("t.csv", "user_id,item_id,score,when,tags,nothing\n1,2,3.5,2020-01-01,a|b,\n2,3,4,2020-01-02,c,\nbroken\n"));
        ACCEPTED(seen);
        QCOMPARE(seen->format, std::string("csv"));
        QCOMPARE(seen->guessedTypes, (std::vector<std::string>{"token", "token", "float", "time", "token_seq", "empty"}));
        QCOMPARE(seen->firstRows.size(), std::size_t(2));
        QVERIFY(seen->notes.front().find("line 4") != std::string::npos);
    }
    void mutatedTablesGiveAResultOrAnError() {
        Folder folder;
        const std::string sample =
            "user,item,rating,time,title\na,1,5,1574553793,\"One, \"\"two\"\"\"\nb,2,3.5,1574553794,Café\nc,\"3\n4\",1,1574553795,\n";
        auto mapping = plain();
        mapping.value = "rating";
        mapping.time = "time";
        mapping.itemFields = {"title"};
        RandomStream random(6, "mutations");
        int results = 0, errors = 0;
        for (int round = 0; round < 2000; ++round) {
            std::string text = sample;
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
                const auto at = random.below(text.size());
                switch (random.below(4)) {
                case 0:
                    text[at] = static_cast<char>(random.below(256));
                    break;
                case 1:
                    text.insert(at, 1, "\t\n\r\" ;,\0"[random.below(8)]);
                    break;
                case 2:
                    text.erase(at, 1 + random.below(8));
                    break;
                default:
                    text.insert(at, text.substr(random.below(text.size()), random.below(40)));
                }
            }
            const auto file = folder.write("m.csv", text);
            const auto result = importTable(file, mapping, tolerant, {});
            if (result) {
                ++results;
                QCOMPARE(result->report.rowsRead, result->report.rowsKept + result->report.rowsRejected);
                QCOMPARE(static_cast<std::int64_t>(result->dataset->interactions.size()), result->report.rowsKept);
                QCOMPARE(result->dataset->items.attribute("title")->rows(), result->dataset->items.size());
            } else {
                ++errors;
                QVERIFY2(result.error().code.starts_with("CL-10"), describe(result.error()).c_str());
            }
            const auto seen = inspectFile(file);
            QVERIFY(seen || seen.error().code.starts_with("CL-10"));
            const auto guess = guessMapping(file);
            QVERIFY(guess || guess.error().code.starts_with("CL-10"));
        }
        QVERIFY(results > 200 && errors > 200);
    }
    void cancelLeavesNothing() {
        Folder folder;
        std::string text = "user,item\n";
        for (int i = 0; i < 20000; ++i)
            text += "a," + std::to_string(i) + "\n";
        std::stop_source source;
        source.request_stop();
        const auto result = importTable(folder.write("t.csv", text), plain(), {}, RunControl(source.get_token()));
        QVERIFY(!result);
        QCOMPARE(result.error().code, std::string("CL-7001"));
    }
};
QTEST_GUILESS_MAIN(TestImportTable)
#include "test_import_table.moc"
