// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/like_instances.h"
#include <algorithm>
#include <deque>
#include <numeric>

namespace carousel {

Result<LikeInstances> likeInstances(const Dataset& dataset, const LikeSettings& settings) {
    const InteractionTable& all = dataset.interactions;
    const auto kind = std::find(all.kinds.begin(), all.kinds.end(), "rating") - all.kinds.begin();
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < all.size(); ++row)
        if (all.kind[row] == kind && all.time[row] != noTime)
            rows.push_back(row);
    if (rows.empty())
        return fail(ErrorKind::input, "CL-3091",
                    fmt::format("'{}' has no ratings with times, so nobody can say what was liked after what.", dataset.name),
                    "Use a data set with ratings, for example ml-100k.");
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return all.time[a] < all.time[b]; });

    LikeInstances out;
    out.ratings = rows.size();
    struct Past {
        std::deque<std::size_t> rows; // newest first
        std::int64_t last = noTime;
    };
    std::vector<Past> past(dataset.users.size());
    std::vector<LikeInstance> questions;
    std::vector<std::size_t> questionRow; // place in `rows`
    for (std::size_t place = 0; place < rows.size(); ++place) {
        const std::size_t row = rows[place];
        Past& user = past[static_cast<std::size_t>(all.user[row])];
        out.tiedTimes += user.last == all.time[row];
        if (user.rows.size() == static_cast<std::size_t>(settings.window)) {
            LikeInstance question{all.user[row], all.item[row], all.value[row] > settings.likedAbove, all.time[row], {}, {}, all.value[row]};
            for (const std::size_t before : user.rows)
                (all.value[before] > settings.likedAbove ? question.likedBefore : question.dislikedBefore).push_back(all.item[before]);
            questions.push_back(std::move(question));
            questionRow.push_back(place);
        } else {
            ++out.withoutWindow;
        }
        user.rows.push_front(row);
        if (user.rows.size() > static_cast<std::size_t>(settings.window))
            user.rows.pop_back();
        user.last = all.time[row];
    }
    const auto count = static_cast<double>(questions.size());
    const auto testFrom = static_cast<std::size_t>(count * (1 - settings.testShare));
    const auto validationFrom = static_cast<std::size_t>(count * (1 - settings.testShare - settings.validationShare));
    if (validationFrom < 20 || testFrom < validationFrom + 20 || questions.size() < testFrom + 20)
        return fail(
            ErrorKind::input, "CL-3092",
            fmt::format("'{}' has {} ratings with {} ratings of the same user before them: too few to learn, to choose and to test on.",
                        dataset.name, questions.size(), settings.window),
            "Choose a shorter window, or a larger data set.");
    out.ratingSum.assign(dataset.items.size(), 0);
    out.ratingCount.assign(dataset.items.size(), 0);
    double sum = 0;
    const std::size_t known = questionRow[validationFrom];
    for (std::size_t place = 0; place < known; ++place) {
        const std::size_t row = rows[place];
        out.ratingSum[static_cast<std::size_t>(all.item[row])] += all.value[row];
        out.ratingCount[static_cast<std::size_t>(all.item[row])] += 1;
        sum += all.value[row];
    }
    out.meanRating = known > 0 ? sum / static_cast<double>(known) : 0;
    struct Sums {
        double count = 0, ratings = 0, residuals = 0;
    };
    std::vector<Sums> sums(dataset.users.size());
    out.lowest = out.highest = all.value[rows.front()];
    for (std::size_t place = 0, question = 0; place < rows.size(); ++place) {
        const std::size_t row = rows[place];
        Sums& user = sums[static_cast<std::size_t>(all.user[row])];
        if (question < questions.size() && questionRow[question] == place) {
            LikeInstance& each = questions[question++];
            each.ratingsBefore = user.count, each.sumBefore = user.ratings, each.residualBefore = user.residuals;
        }
        user.count += 1;
        user.ratings += all.value[row];
        user.residuals += all.value[row] - out.itemMean(all.item[row]);
        out.lowest = std::min<double>(out.lowest, all.value[row]);
        out.highest = std::max<double>(out.highest, all.value[row]);
    }
    const auto part = [&](std::size_t from, std::size_t to) {
        return std::vector<LikeInstance>(std::make_move_iterator(questions.begin() + static_cast<std::ptrdiff_t>(from)),
                                         std::make_move_iterator(questions.begin() + static_cast<std::ptrdiff_t>(to)));
    };
    out.train = part(0, validationFrom);
    out.validation = part(validationFrom, testFrom);
    out.test = part(testFrom, questions.size());
    return out;
}

} // namespace carousel
