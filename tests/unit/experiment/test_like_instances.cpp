// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/like_instances.h"
#include <QTest>
#include <algorithm>

using namespace carousel;

namespace {
// `users` users who rate `each` items in turn, one a second; the rating follows from user and item.
Dataset ratings(int users, int each) {
    Dataset out;
    out.name = "ratings";
    out.interactions.kinds = {"view", "rating"};
    for (int u = 0; u < users; ++u)
        out.users.ids.add("u" + std::to_string(u));
    for (int i = 0; i < each; ++i)
        out.items.ids.add("i" + std::to_string(i));
    for (int step = 0; step < each; ++step)
        for (int u = 0; u < users; ++u) {
            out.interactions.user.push_back(u);
            out.interactions.item.push_back((step * 3 + u) % each);
            out.interactions.kind.push_back(1);
            out.interactions.value.push_back(static_cast<float>(1 + (step + u) % 5));
            out.interactions.time.push_back(1000 + step * users + u);
        }
    return out;
}
} // namespace

class TestLikeInstances : public QObject {
    Q_OBJECT
private slots:
    void everyQuestionSeesOnlyTheWindowBeforeIt() {
        const Dataset data = ratings(20, 30);
        const auto all = likeInstances(data, {.window = 4});
        QVERIFY(all.has_value());
        QCOMPARE(all->ratings, std::size_t(600));
        QCOMPARE(all->withoutWindow, std::size_t(80));
        QCOMPARE(all->train.size() + all->validation.size() + all->test.size(), std::size_t(520));
        QCOMPARE(all->test.size(), std::size_t(52));
        QCOMPARE(all->validation.size(), std::size_t(52));
        std::int64_t last = 0;
        for (const auto* part : {&all->train, &all->validation, &all->test})
            for (const LikeInstance& each : *part) {
                QVERIFY(each.time >= last); // split by time
                last = each.time;
                const int step = static_cast<int>((each.time - 1000) / 20), user = each.user;
                QCOMPARE(each.item, (step * 3 + user) % 30);
                QCOMPARE(each.liked, 1 + (step + user) % 5 > 3);
                std::vector<Code> liked, disliked;
                for (int before = step - 1; before >= step - 4; --before)
                    (1 + (before + user) % 5 > 3 ? liked : disliked).push_back((before * 3 + user) % 30);
                QCOMPARE(each.likedBefore, liked);
                QCOMPARE(each.dislikedBefore, disliked);
            }
    }
    void countsEndBeforeTheValidationPart() {
        const Dataset data = ratings(20, 30);
        const auto all = *likeInstances(data, {.window = 4});
        float counted = 0;
        for (const float count : all.ratingCount)
            counted += count;
        std::size_t before = 0;
        for (const std::int64_t time : data.interactions.time)
            before += time < all.validation.front().time;
        QCOMPARE(static_cast<std::size_t>(counted), before);
    }
    void namesOfUsersAndItemsChangeNothing() {
        const Dataset data = ratings(20, 30);
        Dataset other = data;
        for (auto& user : other.interactions.user)
            user = 19 - user;
        const auto a = *likeInstances(data, {}), b = *likeInstances(other, {});
        QCOMPARE(a.test.size(), b.test.size());
        for (std::size_t i = 0; i < a.test.size(); ++i) {
            QCOMPARE(a.test[i].user, 19 - b.test[i].user);
            QCOMPARE(a.test[i].likedBefore, b.test[i].likedBefore);
        }
    }
    void refusesWhatHasNoRatings() {
        Dataset data = ratings(20, 30);
        std::fill(data.interactions.kind.begin(), data.interactions.kind.end(), std::uint8_t(0));
        QCOMPARE(likeInstances(data, {}).error().code, std::string("CL-3091"));
        QCOMPARE(likeInstances(ratings(3, 12), {}).error().code, std::string("CL-3092"));
        data = ratings(20, 30);
        std::fill(data.interactions.time.begin(), data.interactions.time.end(), noTime);
        QCOMPARE(likeInstances(data, {}).error().code, std::string("CL-3091"));
    }
};

QTEST_APPLESS_MAIN(TestLikeInstances)
#include "test_like_instances.moc"
