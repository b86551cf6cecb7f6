// SPDX-License-Identifier: GPL-3.0-or-later
// Written reviews: import beside atomic files, refusals with line and field, digest, badge, and the sample's reviews.
#include "base/hash.h"
#include "base/paths.h"
#include "base/random.h"
#include "data_test_help.h"
#include <algorithm>
#include <cmath>
#include <set>

using namespace carousel;
using namespace carousel::test;

namespace {

const std::string inter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu1\ti1\t5\t881250949\nu2\ti2\t3\t881250950\n";
const std::string header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\theadline:token\ttext:token_seq\tfeature:token\n";
const std::string review = header + "u2\ti1\t4\t881250960\tGood \"zip\"\tThe zip is fine, really.  Ärger? None.\tzip\n"
                                    "u1\ti9\t\t\t\tNo stars and no time.\t\n"
                                    "u3\ti2\t1.5\t881250970\tNever again\t\t\n";

Result<Imported> imported(const Folder& folder, bool keepGoing = false) {
    ImportLimits limits;
    limits.keepGoing = keepGoing;
    return importRecBole(folder.path(), limits, {});
}

Result<Imported> withReviews(const std::string& text, bool keepGoing = false) {
    Folder folder;
    folder.write("m.inter", inter);
    folder.write("m.review", text);
    return imported(folder, keepGoing);
}

} // namespace

class TestReviews : public QObject {
    Q_OBJECT
private slots:
    void everyFieldIsKept() {
        const auto result = withReviews(review);
        ACCEPTED(result);
        const auto& data = *result->dataset;
        const auto& r = data.reviews;
        QCOMPARE(r.size(), std::size_t(3));
        QCOMPARE(r.user, (std::vector<Code>{1, 0, 2})); // u3 joins behind the users of the interactions
        QCOMPARE(r.item, (std::vector<Code>{0, 2, 1}));
        QCOMPARE(data.users.ids.id(2), std::string("u3"));
        QCOMPARE(data.items.ids.id(2), std::string("i9"));
        QCOMPARE(r.stars[0], 4.0f);
        QVERIFY(std::isnan(r.stars[1]));
        QCOMPARE(r.stars[2], 1.5f);
        QCOMPARE(r.time, (std::vector<std::int64_t>{881250960, noTime, 881250970}));
        QCOMPARE(r.headline, (std::vector<std::string>{"Good \"zip\"", "", "Never again"})); // quotes are data
        QCOMPARE(r.text, (std::vector<std::string>{"The zip is fine, really.  Ärger? None.", "No stars and no time.", ""})); // whole, though token_seq
        QCOMPARE(r.feature, (std::vector<std::string>{"zip", "", ""}));
        QCOMPARE(data.sources.back().name, std::string("m.review"));
        QCOMPARE(data.sources.back().rowsKept, std::int64_t(3));
        QCOMPARE(result->report.rowsRead, std::int64_t(5));
        QCOMPARE(result->report.rowsKept, std::int64_t(5));
        QCOMPARE(result->report.lastTime, std::int64_t(881250970));
        QCOMPARE(data.interactions.size(), std::size_t(2));
    }
    void fewerAndOtherColumns() {
        const auto result = withReviews("item_id:token\tuser_id:token\tsummary:token_seq\thelpful:float\ni1\tu1\tGood for the price\t3\n");
        ACCEPTED(result);
        const auto& r = result->dataset->reviews;
        QCOMPARE(r.headline, std::vector<std::string>{"Good for the price"});
        QCOMPARE(r.text, std::vector<std::string>{""});
        QVERIFY(std::isnan(r.stars[0]) && r.time[0] == noTime);
        QVERIFY(std::any_of(result->report.warnings.begin(), result->report.warnings.end(),
                            [](const std::string& w) { return w.find("'helpful'") != std::string::npos; }));
    }
    void refusals_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* text) { return QString::fromStdString(header) + text; };
        QTest::newRow("stars") << row("u1\ti1\tfour\t1\tA\tB\t\n") << "CL-1008" << "'four' is not a number";
        QTest::newRow("infinite") << row("u1\ti1\t1e99\t1\tA\tB\t\n") << "CL-1008" << "1e99";
        QTest::newRow("time") << row("u1\ti1\t4\tyesterday\tA\tB\t\n") << "CL-1008" << "'yesterday' is not a time";
        QTest::newRow("user") << row("\ti1\t4\t1\tA\tB\t\n") << "CL-1008" << "empty id";
        QTest::newRow("nothing said") << row("u1\ti1\t4\t1\t \t\t\n") << "CL-1008" << "neither headline nor text";
        QTest::newRow("fields") << row("u1\ti1\t4\n") << "CL-1008" << "line 2";
        QTest::newRow("no item column") << "user_id:token\ttext:token\nu1\tgood\n" << "CL-1006" << "item_id";
        QTest::newRow("no words column") << "user_id:token\titem_id:token\trating:float\nu1\ti1\t4\n" << "CL-1006" << "text:token";
        QTest::newRow("type") << "user_id:token\titem_id:token\ttext:prose\nu1\ti1\tgood\n" << "CL-1005" << "text:prose";
        QTest::newRow("bytes") << row("u1\ti1\t4\t1\tA\tB\t\n") + QChar(0) << "CL-1003" << "m.review";
    }
    void refusals() {
        QFETCH(QString, text);
        QFETCH(QString, code);
        QFETCH(QString, says);
        REFUSED(withReviews(text.toStdString()), code.toStdString(), "m.review", says.toUtf8().constData());
    }
    void badRowsAreLeftOutWhenAsked() {
        const auto text = review + "u1\ti1\tx\t1\tA\tB\t\nu1\ti1\t5\t881250980\tLast\tone\t\n";
        REFUSED(withReviews(text), "CL-1008", "line 5", "'x' is not a number");
        const auto result = withReviews(text, true);
        ACCEPTED(result);
        QCOMPARE(result->dataset->reviews.size(), std::size_t(4));
        QCOMPARE(result->report.rowsRejected, std::int64_t(1));
        QCOMPARE(result->report.rejects.front().line, std::int64_t(5));
        QCOMPARE(result->report.rejects.front().file, std::string("m.review"));
        QCOMPARE(result->report.rowsRead, result->report.rowsKept + result->report.rowsRejected);
    }
    void repeatsAreCounted() {
        const auto text = header + "u1\ti1\t4\t5\tA\tSame words\t\nu1\ti1\t3\t5\tB\tSame words\t\nu1\ti1\t4\t6\tA\tSame words\t\nu2\ti1\t4\t5\tA\tSame words\t\n";
        const auto result = withReviews(text);
        ACCEPTED(result);
        QCOMPARE(result->report.duplicates, std::int64_t(1)); // the headline is not compared
        QCOMPARE(result->dataset->reviews.size(), std::size_t(4));
        QVERIFY(std::any_of(result->report.warnings.begin(), result->report.warnings.end(),
                            [](const std::string& w) { return w.find("m.review") != std::string::npos && w.find("repeat") != std::string::npos; }));
    }
    void compressedAndInspected() {
        Folder folder;
        folder.write("m.inter", inter);
        const auto file = folder.write("m.review.gz", packed(review, "gzip"));
        const auto result = imported(folder);
        ACCEPTED(result);
        QCOMPARE(result->dataset->digest, withReviews(review)->dataset->digest);
        const auto seen = inspectFile(file);
        ACCEPTED(seen);
        QCOMPARE(seen->format, std::string("recbole"));
        QCOMPARE(seen->firstRows.size(), std::size_t(3));
        QCOMPARE(seen->columns.size(), std::size_t(7));
    }
    void digestTakesInWhatIsThere() {
        const std::vector<Row> rows{{"a", "x", "rating", 4, 10}, {"a", "y", "rating", 2, 20}, {"b", "x", "rating", 5, 30}};
        auto data = datasetOf(rows);
        // As it was before there were reviews: data sets without them keep their digest.
        QCOMPARE(data->digest, std::string("0835515cc2e57ddc16f0b4865f2ef0b277a51b8475dd9785eebe692ab3ba3e68"));
        std::set<std::string> seen{data->digest};
        const auto isNew = [&] { return seen.insert(datasetDigest(*data)).second; };
        data->reviews = {{0}, {1}, {5}, {10}, {"head"}, {"text"}, {"zip"}};
        QVERIFY(isNew());
        data->reviews.stars[0] = std::numeric_limits<float>::quiet_NaN();
        QVERIFY(isNew());
        data->reviews.stars[0] = -std::numeric_limits<float>::quiet_NaN(); // another pattern of bits for "none"
        QVERIFY(!isNew());
        data->reviews.time[0] = noTime;
        QVERIFY(isNew());
        data->reviews.headline[0] = "headt";
        data->reviews.text[0] = "ext"; // the same letters, cut elsewhere
        QVERIFY(isNew());
        data->reviews.feature[0].clear();
        QVERIFY(isNew());
        data->reviews.user[0] = 1;
        QVERIFY(isNew());
    }
    void badge() {
        auto data = datasetOf({{"a", "x", "rating", 4, 10}});
        const auto find = [&] {
            const auto all = badges(*data);
            return *std::find_if(all.begin(), all.end(), [](const Badge& one) { return one.id == "reviews"; });
        };
        QVERIFY(!find().available && !find().note.empty());
        data->reviews = {{0}, {0}, {5}, {10}, {"head"}, {""}, {""}};
        QVERIFY(find().available);
        QVERIFY2(find().note.starts_with("1 "), find().note.c_str());
    }
    void mutatedFilesGiveAResultOrAnError() {
        Folder folder;
        folder.write("m.inter", inter);
        RandomStream random(7, "review mutations");
        int results = 0, errors = 0;
        for (int round = 0; round < 500; ++round) {
            std::string text = review;
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
                const auto at = random.below(text.size());
                if (random.below(2) == 0)
                    text[at] = static_cast<char>(random.below(256));
                else
                    text.insert(at, 1, "\t\n\r\":0"[random.below(6)]);
            }
            folder.write("m.review", text);
            const auto result = imported(folder, round % 2 == 0);
            if (!result) {
                ++errors;
                QVERIFY2(result.error().code.starts_with("CL-10"), describe(result.error()).c_str());
                continue;
            }
            ++results;
            const auto& r = result->dataset->reviews;
            for (const auto size : {r.item.size(), r.stars.size(), r.time.size(), r.headline.size(), r.text.size(), r.feature.size()})
                QCOMPARE(size, r.user.size());
        }
        QVERIFY(results > 50 && errors > 50);
    }
    void sample() {
        const std::string folder = sampleDataFolder() + "/six_of_hundreds";
        if (!fileExists(folder + "/six_of_hundreds.review.gz"))
            QSKIP("the sample set is not beside the program");
        const auto result = importSixOfHundreds(folder, {});
        ACCEPTED(result);
        const auto& data = *result->dataset;
        const auto& r = data.reviews;
        QCOMPARE(r.size(), std::size_t(6000));
        QCOMPARE(data.users.size(), std::size_t(2000));
        QCOMPARE(data.items.size(), std::size_t(400));
        QCOMPARE(result->report.duplicates, std::int64_t(0));
        // Ratings and reviews of the same pair agree.
        std::map<std::pair<Code, Code>, std::vector<float>> rated;
        const auto& t = data.interactions;
        std::int64_t lastEvent = 0, ratings = 0;
        for (std::size_t i = 0; i < t.size(); ++i) {
            lastEvent = std::max(lastEvent, t.time[i]);
            if (t.kinds[t.kind[i]] == "rating") {
                rated[{t.user[i], t.item[i]}].push_back(t.value[i]);
                ++ratings;
            }
        }
        std::int64_t ofRatings = 0, telling = 0;
        for (std::size_t i = 0; i < r.size(); ++i) {
            QVERIFY(r.stars[i] >= 1 && r.stars[i] <= 5 && r.stars[i] == std::floor(r.stars[i]));
            QVERIFY(!r.headline[i].empty() && !r.text[i].empty() && !r.feature[i].empty());
            QVERIFY(r.text[i].find(r.feature[i]) != std::string::npos);
            QVERIFY(r.text[i].find_first_of("0123456789") == std::string::npos);
            QVERIFY(r.text[i].find(r.headline[i]) == std::string::npos); // no copied sentence
            QVERIFY(i == 0 || r.time[i] >= r.time[i - 1]);
            telling += r.text[i].substr(0, r.text[i].find('.')).find(r.feature[i]) != std::string::npos;
            const auto found = rated.find({r.user[i], r.item[i]});
            if (found != rated.end()) {
                ++ofRatings;
                QVERIFY(std::find(found->second.begin(), found->second.end(), r.stars[i]) != found->second.end());
            }
        }
        QCOMPARE(ofRatings, ratings);
        QVERIFY(telling * 2 < static_cast<std::int64_t>(r.size())); // the first sentence is a control that can be beaten
        QVERIFY(*std::max_element(r.time.begin(), r.time.end()) < *std::min_element(data.impressions.time.begin(), data.impressions.time.end()));
    }
};
QTEST_GUILESS_MAIN(TestReviews)
#include "test_reviews.moc"
