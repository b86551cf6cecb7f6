// SPDX-License-Identifier: GPL-3.0-or-later
// Tables, digest, badges and event models on hand-made data.
#include "data_test_help.h"
#include <algorithm>

using namespace carousel;
using namespace carousel::test;

class TestDataset : public QObject {
    Q_OBJECT
private slots:
    void idsAreTextInOrderOfAppearance() {
        IdTable ids;
        QCOMPARE(ids.add("007"), 0);
        QCOMPARE(ids.add("7"), 1);
        QCOMPARE(ids.add("nan"), 2);
        QCOMPARE(ids.add("1e5"), 3);
        QCOMPARE(ids.add("007"), 0);
        QCOMPARE(ids.find("7"), 1);
        QCOMPARE(ids.find("100000"), noCode);
        QCOMPARE(ids.size(), std::size_t(4));
    }
    void attributeColumnsKeepValuesAndGaps() {
        AttributeColumn genres("genres", FieldType::tokenSeq), price("price", FieldType::number);
        const std::string_view first[] = {"Comedy", "Drama"}, second[] = {"Drama"};
        genres.appendTokens(first);
        genres.appendMissing();
        genres.appendTokens(second);
        QCOMPARE(genres.rows(), std::size_t(3));
        QCOMPARE(genres.text(0), std::string("Comedy, Drama"));
        QVERIFY(genres.missing(1));
        QCOMPARE(genres.text(1), std::string());
        QCOMPARE(genres.tokenCodes(2)[0], genres.tokenCodes(0)[1]);
        QVERIFY(genres.numbers(0).empty());
        const double value = 12.5;
        price.appendNumbers({&value, 1});
        price.appendMissing();
        QCOMPARE(price.text(0), std::string("12.5"));
        QVERIFY(price.missing(1));
        QVERIFY(price.tokenCodes(0).empty());
    }
    void namesForPeople() {
        EntityTable items;
        items.ids.add("1");
        items.ids.add("2");
        QCOMPARE(items.displayName(0), std::string("1"));
        AttributeColumn title("movie_title", FieldType::token);
        const std::string_view text = "Toy Story";
        title.appendTokens({&text, 1});
        title.appendMissing();
        items.attributes.push_back(title);
        QCOMPARE(items.displayName(0), std::string("Toy Story"));
        QCOMPARE(items.displayName(1), std::string("2"));
        QCOMPARE(items.displayName(noCode), std::string());
    }
    void digestFollowsEveryValue() {
        const std::vector<Row> rows{{"a", "x", "rating", 4, 10}, {"a", "y", "rating", 2, 20}, {"b", "x", "rating", 5, 30}};
        const auto base = datasetOf(rows)->digest;
        QCOMPARE(datasetOf(rows)->digest, base);
        QCOMPARE(base.size(), std::size_t(64));
        auto changed = rows;
        changed[1].value = 2.5f;
        QVERIFY(datasetOf(changed)->digest != base);
        changed = rows;
        changed[1].time = 21;
        QVERIFY(datasetOf(changed)->digest != base);
        changed = rows;
        changed[1].item = "z";
        QVERIFY(datasetOf(changed)->digest != base);
        changed = rows;
        std::swap(changed[0], changed[2]);
        QVERIFY(datasetOf(changed)->digest != base);
        auto data = datasetOf(rows);
        data->name = "another name";
        data->title = "another title";
        QCOMPARE(datasetDigest(*data), base);
        AttributeColumn colour("colour", FieldType::token);
        colour.appendMissing();
        colour.appendMissing();
        data->items.attributes.push_back(colour);
        QVERIFY(datasetDigest(*data) != base);
    }
    void badgesCarryReasons() {
        auto data = datasetOf({{"a", "x", "rating", 4, 10}, {"a", "y", "click", 1, noTime}});
        auto badge = [&](const std::string& id) {
            const auto all = badges(*data);
            const auto found = std::find_if(all.begin(), all.end(), [&](const Badge& one) { return one.id == id; });
            return found == all.end() ? Badge{} : *found;
        };
        for (const char* id :
             {"explicit", "implicit", "time", "text", "reviews", "slates", "positions", "non-clicks", "propensities", "swipes", "prices"}) {
            QCOMPARE(badge(id).id, std::string(id));
            QVERIFY(!badge(id).note.empty());
        }
        QVERIFY(badge("explicit").available && badge("implicit").available);
        QVERIFY(!badge("time").available);
        QVERIFY2(badge("time").note.find("1 of 2") != std::string::npos, badge("time").note.c_str());
        QVERIFY(!badge("propensities").available);
        data->impressions = {{0, 0},   {0, 0},   {0, 1}, {0, 1}, {1, 0}, {0.5f, std::numeric_limits<float>::quiet_NaN()},
                             {1, 255}, {10, 10}, {"p"},  {0, 0}};
        QVERIFY(badge("slates").available && badge("positions").available && badge("non-clicks").available && badge("swipes").available);
        QVERIFY(badge("propensities").available);
        QVERIFY2(badge("propensities").note.find("1 of 2") != std::string::npos, badge("propensities").note.c_str());
    }
    void ratingsRunLinearlyFromMinusOneToOne() {
        const auto data = datasetOf({{"a", "v", "rating", 1, 1},
                                     {"a", "w", "rating", 2, 2},
                                     {"a", "x", "rating", 3, 3},
                                     {"a", "y", "rating", 4, 4},
                                     {"a", "z", "rating", 5, 5}});
        const auto model = *presetEventModel("combined");
        const auto feedback = *applyEventModel(*data, model);
        QCOMPARE(feedback.preference, (std::vector<float>{-1, -0.5f, 0, 0.5f, 1}));
        int liked = 0;
        for (const float preference : feedback.preference)
            liked += preference >= model.positiveFrom;
        QCOMPARE(liked, 2); // 4 and 5 stars
        const auto same = datasetOf({{"a", "v", "rating", 3, 1}, {"a", "w", "rating", 3, 2}});
        QCOMPARE(applyEventModel(*same, model)->preference, (std::vector<float>{1, 1}));
    }
    void modelsKeepTheirKindsOnly() {
        const auto data = datasetOf({{"a", "v", "view", 1, 1},
                                     {"a", "w", "love", 1, 2},
                                     {"a", "x", "purchase", 9, 3},
                                     {"a", "y", "gift", 1, 4},
                                     {"a", "z", "dislike", 1, 5}});
        auto rows = [&](const char* id) { return applyEventModel(*data, *presetEventModel(id))->row; };
        QCOMPARE(rows("explicit"), (std::vector<std::int64_t>{1, 4}));
        QCOMPARE(rows("implicit"), (std::vector<std::int64_t>{0, 2, 3}));
        QCOMPARE(rows("combined"), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
        const auto combined = *applyEventModel(*data, *presetEventModel("combined"));
        QVERIFY(combined.confidence[2] > combined.confidence[0]); // a purchase weighs more than a view
        QCOMPARE(combined.preference[4], -1.0f);
        const auto clicks = datasetOf({{"a", "v", "click", 1, 1}});
        REFUSED(applyEventModel(*clicks, *presetEventModel("explicit")), "CL-1020", "click", "rating");
        REFUSED(presetEventModel("fancy"), "CL-3010", "fancy", "explicit, implicit, combined");
    }
};
QTEST_GUILESS_MAIN(TestDataset)
#include "test_dataset.moc"
