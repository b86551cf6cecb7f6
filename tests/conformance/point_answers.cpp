// SPDX-License-Identifier: GPL-3.0-or-later
// Known answers of scorers that ask about one candidate at a time, and of the control that asks nobody.
#include "evaluation/statistics/isotonic.h"
#include "scripted_model.h"
#include <cmath>

namespace carousel::conformance {

void checkPointAnswers(const PluginRegistry& registry, Report& report) {
    report.check("scorer/text_recency", "rates by hand: by user, by tag, in the window, for a newcomer", [&]() -> std::string {
        // User 0, oldest first: disliked 0 (a), disliked 2 (b), liked 1 (a), 3 (b) neither, liked 0 (a) again: 0 counts as liked.
        const auto training = ratings({"a", "a", "b", "b", "c", ""}, 2, {{0, 0, 1}, {0, 2, 2}, {0, 1, 5}, {0, 3, 3}, {0, 0, 4}});
        Bench bench;
        auto scores = [&](Code user, const std::string& by, std::int64_t window) {
            return answerOf(*fitted(registry, "text_recency", training, bench.environment(), {{"by", by}, {"window", window}}), training,
                            user)
                .score;
        };
        const double own = 3.0 / 5, a = 3.0 / 4, b = 1.0 / 3; // 2 likes and 1 dislike; 2 and 0; 0 and 1
        if (auto wrong = near(scores(0, "tags", 10), {a, a, b, b, own, own}); !wrong.empty())
            return "by tags: " + wrong;
        if (auto wrong = near(scores(0, "user", 10), std::vector<double>(6, own)); !wrong.empty())
            return "by user: " + wrong;
        // The newest judged item alone; for b that is item 2, whatever came later under another tag.
        if (auto wrong = near(scores(0, "tags", 1), {2.0 / 3, 2.0 / 3, b, b, 2.0 / 3, 2.0 / 3}); !wrong.empty())
            return "window 1: " + wrong;
        return near(scores(1, "tags", 10), std::vector<double>(6, 0.5));
    });
    report.check("isotonic regression", "pooled by hand, ties of x first, lines between blocks", [&]() -> std::string {
        // By x: 1 -> 1, 2 -> mean of 4 and 2 = 3, 3 -> 2, 4 -> 6, 5 -> 4. Pooled: 1 | (3, 3, 2) = 8/3 | 5.
        const std::vector<double> x{3, 1, 2, 2, 5, 4}, y{2, 1, 4, 2, 4, 6};
        const auto curve = IsotonicCurve::fit(x, y);
        const std::vector<std::pair<double, double>> wanted{
            {0, 1}, {1, 1}, {1.5, (1 + 8.0 / 3) / 2}, {2, 8.0 / 3}, {3, 8.0 / 3}, {3.5, 23.0 / 6}, {4, 5}, {9, 5}};
        for (const auto& [at, value] : wanted)
            if (std::abs(curve.at(at) - value) > 1e-12)
                return fmt::format("{} at {} instead of {}", curve.at(at), at, value);
        const auto falling = IsotonicCurve::fit(std::vector<double>{1, 2, 3}, std::vector<double>{3, 2, 1});
        return falling.blocks().size() == 1 && falling.at(7) == 2 ? "" : "a falling line is not its mean";
    });
    report.check("scorer/llm_rating", "expected rating by hand, a doubtful one takes the user's mean", [&]() -> std::string {
        // User 0 rated 1 and 2: mean 1.5. Logits log r give shares r/15 and 55/15; the last item's digits are improbable.
        const auto training = ratings({"a", "a", "a", "a"}, 2, {{0, 0, 1}, {0, 1, 2}, {1, 0, 5}});
        ScriptedModel model;
        model.answer = [](const std::string&, const std::string& branch) -> ScriptedModel::Said {
            const auto n = numberIn(branch);
            if (n == 0)
                return {{7, 7, 7, 7, 7}};
            if (n == 1)
                return {{0, std::log(2.0f), std::log(3.0f), std::log(4.0f), std::log(5.0f)}};
            return {{-40, -40, -40, 0, -40}, n == 2 ? 1.0f : 0.001f};
        };
        const auto scorer = fitted(registry, "llm_rating", training, model.environment());
        const auto known = answerOf(*scorer, training, 0), newcomer = answerOf(*scorer, training, noCode);
        if (known.status[3] != ScoreStatus::invalid || known.status[2] != ScoreStatus::ok)
            return "the doubtful answer is not flagged, or another one is";
        if (auto wrong = near(known.score, {3, 55.0 / 15, 4, 1.5}); !wrong.empty())
            return wrong;
        return near(newcomer.score, {3, 55.0 / 15, 4, (3 + 55.0 / 15 + 4) / 3});
    });
    report.check("scorer/llm_rating", "a tokenizer that begins all ratings alike is refused", [&]() -> std::string {
        const auto training = ratings({"a", "a"}, 1, {{0, 0, 1}, {0, 1, 2}});
        ScriptedModel model;
        model.answer = [](const std::string&, const std::string& branch) -> ScriptedModel::Said {
            return {std::vector<float>(5, static_cast<float>(numberIn(branch)))};
        };
        const auto scorer = fitted(registry, "llm_rating", training, model.environment());
        std::vector<float> scores(2);
        std::vector<ScoreStatus> status(2);
        const auto scored = scorer->score({0, catalogue(training), training, {}}, scores, status, {});
        return !scored && scored.error().code == "CL-6090" ? "" : "no CL-6090";
    });
    report.check("scorer/llm_rating", "written ratings: one digit counts, anything else is invalid", [&]() -> std::string {
        const std::vector<std::string> texts{"4", " 2\n", "5.", "4.5", "five", "6", "", "3 of 5", "12", "-1"};
        const auto training = ratings(std::vector<std::string>(texts.size(), "a"), 1, {{0, 0, 1}, {0, 1, 1}, {0, 2, 5}});
        ScriptedModel model;
        model.written = [&](const std::string& prompt) { return texts[numberIn(prompt)]; };
        const auto got =
            answerOf(*fitted(registry, "llm_rating", training, model.environment(), {{"read", std::string("written")}}), training, 0);
        for (std::size_t i = 0; i < texts.size(); ++i)
            if ((got.status[i] == ScoreStatus::ok) != (i < 3))
                return fmt::format("'{}' is {}", texts[i], name(got.status[i]));
        std::vector<double> wanted(texts.size(), 7.0 / 3); // the mean of 1, 1 and 5
        std::copy_n(std::vector<double>{4, 2, 5}.begin(), 3, wanted.begin());
        return near(got.score, wanted);
    });
    report.check("scorer/llm_rating", "calibration learns the users' scale from prompts that do not hold the event", [&]() -> std::string {
        // The model calls items 0..3 4.0, 4.2, 4.4, 4.6; the users 1, 2, 2, 5. Twelve users meet all of them, each in another order.
        std::vector<Event> events;
        const float truth[] = {1, 2, 2, 5};
        for (Code u = 0; u < 12; ++u)
            for (Code k = 0; k < 4; ++k)
                events.push_back({u, (u + k) % 4, truth[(u + k) % 4]});
        const auto training = ratings({"a", "a", "a", "a"}, 12, events);
        ScriptedModel model;
        model.answer = [](const std::string&, const std::string& branch) -> ScriptedModel::Said {
            const auto share = 0.2f * static_cast<float>(numberIn(branch)); // of 5; the rest of 4
            return {{-90, -90, -90, std::log(1 - share), std::log(std::max(share, 1e-30f))}};
        };
        const auto raw = answerOf(*fitted(registry, "llm_rating", training, model.environment()), training, 0);
        model.branchPrompts.clear();
        const auto scorer = fitted(registry, "llm_rating", training, model.environment(), {{"calibrationEvents", std::int64_t(100)}});
        if (model.branchPrompts.size() != 36) // all but each user's first
            return fmt::format("{} events were asked about", model.branchPrompts.size());
        for (const auto& prompt : model.branchPrompts)
            if (prompt.find(prompt.substr(prompt.size() - 6)) != prompt.size() - 6)
                return "a prompt shows the event that it asks about";
        const auto got = answerOf(*scorer, training, 0);
        if (auto wrong = near(raw.score, {4, 4.2, 4.4, 4.6}, 1e-5); !wrong.empty())
            return "raw: " + wrong;
        if (!(got.score[0] < got.score[1] && got.score[1] < got.score[2] && got.score[2] < got.score[3]))
            return "the order changed";
        return near(got.score, {1, 2, 2, 5}, 2e-3);
    });
    report.check("scorer/llm_likelihood", "the neutral prompt takes off what an item has by itself, once per item", [&]() -> std::string {
        // log p = own frequency + what the taste adds; per token (2 each): item n is 10 n by itself, and the taste adds n - 3.
        const auto training = ratings({"a", "a", "a", "a"}, 3, {{0, 0, 5}, {0, 1, 1}, {1, 0, 5}, {1, 1, 1}});
        ScriptedModel model;
        std::string neutral;
        model.likelihood = [&](const std::string& prompt, const std::string& text) {
            const auto n = static_cast<double>(numberIn(text));
            const bool taste = prompt.find("- item") != std::string::npos;
            if (!taste)
                neutral = prompt;
            return -100 + 20 * n + (taste ? 2 * (n - 3) : 0);
        };
        const auto plain = fitted(registry, "llm_likelihood", training, model.environment(), {{"neutralWeight", 0.0}});
        const auto summed = fitted(registry, "llm_likelihood", training, model.environment(), {{"normalise", std::string("sum")}});
        if (auto wrong = near(answerOf(*plain, training, 0).score, {-53, -42, -31, -20}); !wrong.empty())
            return "without the correction: " + wrong;
        if (auto wrong = near(answerOf(*summed, training, 0).score, {-6, -4, -2, 0}); !wrong.empty())
            return "summed: " + wrong;
        model.continuations.clear();
        const auto scorer = fitted(registry, "llm_likelihood", training, model.environment());
        for (Code user = 0; user < 3; ++user) // the last is a newcomer: nothing to tell items apart by
            if (auto wrong = near(answerOf(*scorer, training, user).score,
                                  user == 2 ? std::vector<double>(4, 0) : std::vector<double>{-3, -2, -1, 0});
                !wrong.empty())
                return fmt::format("user {}: {}", user, wrong);
        const auto asked = std::count_if(model.continuations.begin(), model.continuations.end(),
                                         [&](const std::string& one) { return one.substr(0, neutral.size() + 1) == neutral + "|"; });
        return asked == 4 && model.continuations.size() == 12
                   ? ""
                   : fmt::format("{} neutral of {} questions", asked, model.continuations.size());
    });
    report.check("scorer/llm_likelihood", "no usable likelihood is flagged and takes the mean of the others", [&]() -> std::string {
        const auto training = ratings({"a", "a", "a"}, 1, {{0, 0, 5}, {0, 1, 1}});
        ScriptedModel model;
        model.likelihood = [&](const std::string& prompt, const std::string& text) -> double {
            if (numberIn(text) == 2)
                return NAN;
            return prompt.find("- item") == std::string::npos ? -4 : -4 + 2 * static_cast<double>(numberIn(text));
        };
        const auto got = answerOf(*fitted(registry, "llm_likelihood", training, model.environment()), training, 0);
        if (got.status != std::vector<ScoreStatus>{ScoreStatus::ok, ScoreStatus::ok, ScoreStatus::missing})
            return "the wrong items are flagged";
        return near(got.score, {0, 1, 0.5});
    });
}

} // namespace carousel::conformance
