// SPDX-License-Identifier: GPL-3.0-or-later
// Logs of shown items: Open Bandit and the project's sample set.
#include "base/paths.h"
#include "data_test_help.h"
#include <algorithm>
#include <cmath>

using namespace carousel;

namespace {
const ImportLimits tolerant{.rejectMinimum = 20}; // files of a few lines may hold bad rows on purpose
}
using namespace carousel::test;

namespace {

const std::string banditHead = ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,user-item_affinity_0\n";
const std::string context = ",item_id,item_feature_0,item_feature_1\n0,0,-0.5,abc\n1,1,0.25,def\n";

const std::string sixInter =
    "user_id:token\titem_id:token\tevent:token\tvalue:float\ttimestamp:float\nu1\ti1\tclick\t1\t100\nu1\ti2\tview\t1\t200\n";
const std::string sixSlates =
    "slate_id:token\tuser_id:token\ttimestamp:float\tpolicy:token\tslot:float\titem_id:token\tpropensity:float\treached:float\tclick:"
    "float\n"
    "s1\tu1\t300\tuniform\t0\ti2\t0.5\t1\t0\ns1\tu1\t300\tuniform\t1\ti3\t0.25\t1\t1\ns2\t\t310\tother\t0\ti1\t\t\t0\n";

} // namespace

class TestImportSlates : public QObject {
    Q_OBJECT
private slots:
    void openBanditRowsBecomeImpressions() {
        Folder folder;
        folder.write("random/men/men.csv",
                     banditHead +
                         "0,2019-11-24 00:03:13.442536+00:00,1,3,0,0.5,aa,bb,0.0\n1,2019-11-24 00:04:13+00:00,0,1,1,0.5,aa,cc,0.0\n");
        folder.write("random/men/item_context.csv", context);
        folder.write("bts/men/men.csv", banditHead + "0,2019-11-25 00:03:13+00:00,1,2,1,0.125,dd,bb,0.0\n");
        const auto result = importOpenBandit(folder.path(), "men", tolerant, {});
        ACCEPTED(result);
        const auto& data = *result->dataset;
        const auto& shown = data.impressions;
        QCOMPARE(data.name, std::string("open-bandit-men"));
        QCOMPARE(shown.slot, (std::vector<std::int16_t>{2, 0, 1}));
        QCOMPARE(shown.click, (std::vector<std::uint8_t>{0, 1, 1}));
        QCOMPARE(shown.propensity, (std::vector<float>{0.5f, 0.5f, 0.125f}));
        QCOMPARE(shown.slate, (std::vector<std::int64_t>{0, 1, 2}));
        QCOMPARE(shown.policy, (std::vector<std::string>{"random", "bts"}));
        QCOMPARE(shown.policyCode, (std::vector<std::uint8_t>{0, 0, 1}));
        QCOMPARE(shown.reached, (std::vector<std::uint8_t>{255, 255, 255}));
        QCOMPARE(shown.time[0], std::int64_t(1574553793));
        QCOMPARE(data.users.ids.ids(), (std::vector<std::string>{"aa|bb", "aa|cc", "dd|bb"}));
        QCOMPARE(data.users.attribute("user_feature_1")->text(1), std::string("cc"));
        QCOMPARE(data.interactions.size(), std::size_t(2));
        QCOMPARE(data.interactions.kinds, std::vector<std::string>{"click"});
        QCOMPARE(data.items.attribute("item_feature_0")->numbers(data.items.ids.find("1") == 0 ? 0 : 1)[0], 0.25);
        QVERIFY(data.note.find("segment") != std::string::npos);
        const auto one = importOpenBandit(folder.path("bts/men"), "men", tolerant, {});
        ACCEPTED(one);
        QCOMPARE(one->dataset->impressions.policy, std::vector<std::string>{"bts"});
        QCOMPARE(inspectFile(folder.path())->format, std::string("open-bandit"));
    }
    void openBanditAcceptsTheOtherName() {
        Folder folder;
        std::string head = banditHead;
        head.replace(head.find("propensity_score"), 16, "action_prob");
        folder.write("men.csv", head + "0,2019-11-24 00:03:13+00:00,1,3,0,0.5,aa,bb,0.0\n");
        const auto result = importOpenBandit(folder.path(), "men", tolerant, {});
        ACCEPTED(result);
        QCOMPARE(result->dataset->impressions.policy, std::vector<std::string>{"logged"});
        QVERIFY(result->dataset->interactions.size() == 0 && result->dataset->impressions.size() == 1);
    }
    void openBanditRefusals() {
        Folder folder;
        REFUSED(importOpenBandit(folder.path(), "children", tolerant, {}), "CL-1013", "children");
        REFUSED(importOpenBandit(folder.path(), "all", tolerant, {}), "CL-1013", "all");
        REFUSED(importOpenBandit(folder.path("absent"), "all", tolerant, {}), "CL-1001", "absent");
        std::string head = banditHead;
        head.replace(head.find("propensity_score"), 16, "propensity");
        folder.write("all.csv", head + "0,2019-11-24 00:03:13+00:00,1,3,0,0.5,aa,bb,0.0\n");
        REFUSED(importOpenBandit(folder.path(), "all", tolerant, {}), "CL-1006", "all.csv", "action_prob", "'propensity'");
        folder.write("all.csv", banditHead);
        REFUSED(importOpenBandit(folder.path(), "all", tolerant, {}), "CL-1007", "all.csv");
        folder.write("all.csv", banditHead + "0,2019-11-24 00:03:13+00:00,1,3,0,0.5,aa,bb,0.0\n1,2019-11-24 "
                                             "00:03:13+00:00,1,0,0,0.5,aa,bb,0.0\n2,2019-11-24 00:03:13+00:00,1,1,2,0.5,aa,bb,0.0\n"
                                             "3,2019-11-24 00:03:13+00:00,1,1,0,0,aa,bb,0.0\n4,2019-11-24 "
                                             "00:03:13+00:00,1,1,0,1.5,aa,bb,0.0\n5,soon,1,1,0,1,aa,bb,0.0\n");
        const auto result = importOpenBandit(folder.path(), "all", tolerant, {});
        ACCEPTED(result);
        QCOMPARE(result->report.rowsKept, std::int64_t(1));
        QCOMPARE(result->report.rejects.size(), std::size_t(5));
        QVERIFY(result->report.rejects[0].reason.find("'position': '0'") != std::string::npos);
        QVERIFY(result->report.rejects[2].reason.find("'propensity_score': '0'") != std::string::npos);
    }
    void openBanditSample() {
        const auto folder = dataFolder() + "/open-bandit";
        if (!fileExists(folder + "/random/all/all.csv"))
            QSKIP("the Open Bandit sample is not in the data folder");
        const struct {
            const char* campaign;
            std::size_t items, clicks;
        } facts[] = {{"all", 80, 38 + 42}, {"men", 34, 46 + 69}, {"women", 46, 46 + 46}};
        for (const auto& fact : facts) {
            const auto result = importOpenBandit(folder, fact.campaign, tolerant, {});
            ACCEPTED(result);
            const auto& data = *result->dataset;
            QCOMPARE(data.impressions.size(), std::size_t(20000));
            QCOMPARE(data.items.size(), fact.items);
            QCOMPARE(data.interactions.size(), fact.clicks);
            QCOMPARE(result->report.rowsRejected, std::int64_t(0));
            for (std::size_t i = 0; i < 10000; ++i)
                QVERIFY(std::fabs(data.impressions.propensity[i] * static_cast<float>(fact.items) - 1) < 1e-5f); // the random policy
        }
    }
    void slatesOfTheSampleFormat() {
        Folder folder;
        folder.write("six_of_hundreds.inter.gz", packed(sixInter, "gzip"));
        folder.write("six_of_hundreds.item.zst", packed("item_id:token\ttitle:token_seq\tprice:float\ni1\tA red hat\t5\n", "zstd"));
        const auto slates = folder.write("six_of_hundreds.slates.gz", packed(sixSlates, "gzip"));
        const auto result = importSixOfHundreds(folder.path(), {});
        ACCEPTED(result);
        const auto& data = *result->dataset;
        QCOMPARE(data.impressions.slate, (std::vector<std::int64_t>{0, 0, 1}));
        QCOMPARE(data.impressions.slot, (std::vector<std::int16_t>{0, 1, 0}));
        QCOMPARE(data.impressions.reached, (std::vector<std::uint8_t>{1, 1, 255}));
        QCOMPARE(data.impressions.user[2], noCode);
        QVERIFY(std::isnan(data.impressions.propensity[2]));
        QCOMPARE(data.interactions.size(), std::size_t(2)); // clicks in slates are not repeated as interactions
        QCOMPARE(data.items.displayName(0), std::string("A red hat"));
        QCOMPARE(data.items.attribute("price")->rows(), data.items.size());
        QCOMPARE(data.items.size(), std::size_t(3));
        QCOMPARE(inspectFile(slates)->format, std::string("six-of-hundreds"));
        folder.write("six_of_hundreds.slates.gz", packed(sixSlates + "s1\tu1\t300\tuniform\t2\ti3\t0.25\t1\t1\n", "gzip"));
        REFUSED(importSixOfHundreds(folder.path(), {}), "CL-1008", "six_of_hundreds.slates.gz", "line 5", "'s1'");
        std::filesystem::remove(slates);
        REFUSED(importSixOfHundreds(folder.path(), {}), "CL-1001", "six_of_hundreds.slates");
    }
    void sampleSet() {
        const std::string folder = sampleDataFolder() + "/six_of_hundreds";
        if (!fileExists(folder + "/six_of_hundreds.slates.gz"))
            QSKIP("the sample set is not beside the program");
        const auto result = importSixOfHundreds(folder, {});
        ACCEPTED(result);
        const auto& data = *result->dataset;
        QCOMPARE(data.users.size(), std::size_t(2000));
        QCOMPARE(data.items.size(), std::size_t(400));
        QCOMPARE(data.interactions.size(), std::size_t(60000));
        QCOMPARE(data.impressions.size(), std::size_t(240000));
        for (const auto& badge : badges(data))
            QVERIFY2(badge.available, badge.id.c_str());
        QVERIFY(data.items.displayName(0).find(' ') != std::string::npos);
        const auto split = makeSplit(data, {}, {});
        ACCEPTED(split);
        QVERIFY(split->usersWithTarget > 1800);
    }
};
QTEST_GUILESS_MAIN(TestImportSlates)
#include "test_import_slates.moc"
