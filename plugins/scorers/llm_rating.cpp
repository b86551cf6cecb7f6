// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model says how many points from 1 to 5 the user would give to each candidate. read = expected: the mean rating under
// the probabilities of the five digits, sum of r * softmax(logits)[r]; nothing is written, nothing is parsed. read = written: the model
// writes its answer, which counts only when it is one digit from 1 to 5 and nothing else. A rating that cannot be used stays flagged and
// takes the user's own mean rating; leaving such items out would make every error measure look better than it is.
// A model's points are on its own scale; events of the training part with a known rating can put them on the users' (isotonic regression).
#include "base/random.h"
#include "evaluation/statistics/isotonic.h"
#include "llm/rating_answer.h"
#include "stages/plugin.h"
#include "support/history.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace carousel {
namespace {

constexpr std::size_t leastCalibrationEvents = 10;
constexpr double orderShare = 1e-3; // of the raw rating stays in a calibrated one, so that flat parts of the curve keep the model's order

std::string defaultPrompt() {
    return std::string("You know a person's taste and foresee how this person rates items.\n") + plugin::tasteText +
           "How many points does this person give to the next item, from 1 (dislikes it) to 5 (loves it)? Answer with one digit.\n"
           "Next item:";
}

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_rating";
    std::string tail;
    double leastMass = 0.01;
    bool written = false, calibrate = true;
    std::size_t calibrationEvents = 0;
};

struct Rating {
    double value = 0; // 1..5, raw
    double mass = 1;
    ScoreStatus status = ScoreStatus::ok;
    std::vector<double> shares; // of the five ratings; empty when written
    std::string text;           // what was written, or why there is no answer
};

// Event models put the lowest rating of a data set at -1 and the highest at 1.
double pointsOf(double preference) {
    return 3 + 2 * preference;
}

class LlmRating final : public plugin::AskingScorer<Settings> {
public:
    LlmRating(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_ASSIGN(const auto model, begin(input, control));
        m_hasScale = plugin::hasScale(input.training);
        CAROUSEL_TRY(workExamples(
            input.training, plugin::WorkedKind::rated,
            [&](const std::string& prompt, const plugin::WorkedEvent& event) { return prompt + branchFor(event.item); },
            [](const plugin::WorkedEvent& event) { return fmt::format("{:.0f}", std::clamp(pointsOf(*event.preference), 1.0, 5.0)); },
            control));
        m_curve = {};
        m_scale = "raw: the model's own points";
        if (m_settings.calibrate && m_settings.calibrationEvents > 0)
            CAROUSEL_TRY(calibrate(*model, input.training, control));
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_rating"));
        if (request.candidates.empty())
            return {};
        CAROUSEL_ASSIGN(const auto model, openModel());
        const auto prompt = promptFor(request.training, request.user);
        CAROUSEL_ASSIGN(const auto ratings, ask(*model, prompt, request.candidates, control));
        for (std::size_t i = 0; i < ratings.size(); ++i) {
            scores[i] = static_cast<float>(calibrated(ratings[i].value));
            status[i] = ratings[i].status;
        }
        plugin::imputeFailed(scores, status, meanRating(request));
        return {};
    }

    std::vector<std::string> notes() const override {
        auto out = AskingScorer::notes();
        out.push_back("llm_rating, scale of its points: " + m_scale + ".");
        return out;
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto model = openModel();
        if (!model)
            return nlohmann::json{{"error", describe(model.error())}}.dump();
        const auto prompt = promptFor(request.training, request.user);
        const auto ratings = ask(**model, prompt, std::span<const Code>(&item, 1), {});
        if (!ratings)
            return nlohmann::json{{"error", describe(ratings.error())}}.dump();
        const auto& rating = ratings->front();
        nlohmann::json out{{"prompt", prompt + branchFor(item)}, {"scale", m_scale}};
        if (m_settings.written || rating.status == ScoreStatus::missing)
            out[rating.status == ScoreStatus::missing ? "missing" : "written"] = rating.text;
        if (!rating.shares.empty()) {
            out["sharesOf1To5"] = rating.shares;
            out["answerMass"] = rating.mass;
        }
        if (!plugin::failed(rating.status)) {
            out["rating"] = rating.value;
            if (!m_curve.empty())
                out["calibrated"] = calibrated(rating.value);
        } else if (const auto mean = meanRating(request)) {
            out["userMeanInstead"] = *mean;
        }
        addExamplesTo(out);
        return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    std::optional<double> meanRating(const ScoreRequest& request) const {
        if (!m_hasScale || !plugin::isKnownUser(request.training, request.user))
            return {};
        const auto preference = request.training.historyPreference(request.user);
        if (preference.empty())
            return {};
        double sum = 0;
        for (const float one : preference)
            sum += pointsOf(one);
        return sum / static_cast<double>(preference.size());
    }

    double calibrated(double raw) const { return m_curve.empty() ? raw : m_curve.at(raw) + orderShare * (raw - 3); }

    std::string branchFor(Code item) const { return " " + m_itemText[static_cast<std::size_t>(item)] + m_settings.tail; }

    Result<std::vector<Rating>> ask(LanguageModel& model, const std::string& prompt, std::span<const Code> items,
                                    const RunControl& control) const {
        return m_settings.written ? askWritten(model, prompt, items, control) : askExpected(model, prompt, items, control);
    }

    Result<std::vector<Rating>> askExpected(LanguageModel& model, const std::string& prompt, std::span<const Code> items,
                                            const RunControl& control) const {
        BranchRequest request;
        request.shared = asked(prompt);
        for (const auto item : items)
            request.branches.push_back(" " + m_itemText[static_cast<std::size_t>(item)]);
        request.tail = m_settings.tail;
        request.answers = ratingDigits();
        CAROUSEL_ASSIGN(const auto answers, plugin::scoreBranchesInFixedOrder(model, request, control));
        std::vector<Rating> out;
        std::size_t usable = 0, alike = 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto logits = answers.logits.row(i);
            const bool finite = std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
            Rating rating;
            if (finite) {
                auto expected = expectedRating(logits);
                rating.value = expected.value, rating.shares = std::move(expected.shares);
            }
            rating.mass = answers.answerMass[i];
            if (answers.missing(i)) {
                rating.status = ScoreStatus::missing;
                rating.text = answers.reasons[i];
            } else if (!finite || !(rating.mass >= m_settings.leastMass)) {
                rating.status = ScoreStatus::invalid;
            } else {
                rating.status = answers.truncated[i] ? ScoreStatus::truncated : ScoreStatus::ok;
                ++usable;
                alike += answers.censored[i] == 0 && std::equal(logits.begin() + 1, logits.end(), logits.begin());
            }
            out.push_back(std::move(rating));
        }
        if (usable > 0 && alike == usable)
            return fail(
                ErrorKind::input, "CL-6090",
                fmt::format("llm_rating: the model '{}' gives exactly the same logit to 1, 2, 3, 4 and 5 for all {} items: its tokenizer "
                            "begins these answers with one common token.",
                            model.info().id, usable),
                "Set read to written, or choose another model.");
        return out;
    }

    Result<std::vector<Rating>> askWritten(LanguageModel& model, const std::string& prompt, std::span<const Code> items,
                                           const RunControl& control) const {
        GenerateOptions options;
        options.maximumTokens = writtenRatingTokens;
        std::map<std::string, Rating> known; // items that read alike are asked about once
        for (const auto item : items)
            known.emplace(branchFor(item), Rating{});
        for (auto& [branch, rating] : known) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("llm_rating"));
            CAROUSEL_ASSIGN(const auto answer, model.generate(asked(prompt + branch), options, control));
            const auto points = writtenRating(answer);
            rating.text = answer.text;
            rating.value = points.value_or(0), rating.status = points ? ScoreStatus::ok : ScoreStatus::invalid;
        }
        std::vector<Rating> out;
        for (const auto item : items)
            out.push_back(known.at(branchFor(item)));
        return out;
    }

    struct Event {
        Code user;
        std::size_t place;
    };
    // Events about an item that the user had not met before and with something before them, each as likely as any other. Not those of the
    // worked examples, whose answer stands in every prompt.
    Result<std::vector<Event>> sampleEvents(const TrainingView& training, const RunControl& control) const {
        RandomStream random(m_environment.seed, "llm_rating calibration");
        std::vector<Event> chosen;
        std::uint64_t met = 0;
        for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user) {
            if (user % 256 == 0 && control.stopRequested())
                return fail(RunControl::cancelled("llm_rating"));
            const auto items = training.historyItems(user);
            std::unordered_set<Code> before;
            for (std::size_t place = 0; place < items.size(); ++place) {
                if (!before.insert(items[place]).second || place == 0 || isExample(user, place))
                    continue;
                if (chosen.size() < m_settings.calibrationEvents)
                    chosen.push_back({user, place});
                else if (const auto at = random.below(met + 1); at < chosen.size()) // a reservoir
                    chosen[at] = {user, place};
                ++met;
            }
        }
        return chosen;
    }

    bool isExample(Code user, std::size_t place) const {
        return std::any_of(m_worked.events.begin(), m_worked.events.end(),
                           [&](const plugin::WorkedEvent& event) { return event.user == user && event.place == place; });
    }

    Result<void> calibrate(LanguageModel& model, const TrainingView& training, const RunControl& control) {
        CAROUSEL_ASSIGN(const auto events, sampleEvents(training, control));
        std::vector<double> said, known;
        for (std::size_t e = 0; e < events.size(); ++e) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("llm_rating"));
            control.report("Calibrating ratings", static_cast<double>(e), static_cast<double>(events.size()), "events");
            const auto [user, place] = events[e];
            const auto item = training.historyItems(user)[place];
            // The prompt knows what came before the event: with the event in it, the model would only have to read the answer.
            CAROUSEL_ASSIGN(const auto ratings, ask(model, promptFor(training, user, place), std::span<const Code>(&item, 1), control));
            if (plugin::failed(ratings.front().status))
                continue;
            said.push_back(ratings.front().value);
            known.push_back(pointsOf(training.historyPreference(user)[place]));
        }
        if (said.size() < leastCalibrationEvents)
            m_scale = fmt::format("raw: only {} of {} events had a usable rating, {} are needed to calibrate", said.size(), events.size(),
                                  leastCalibrationEvents);
        else if (std::equal(known.begin() + 1, known.end(), known.begin()))
            m_scale = fmt::format("raw: all {} known ratings are {:.3g}, so there is no scale to learn", known.size(), known[0]);
        else {
            m_curve = IsotonicCurve::fit(said, known);
            m_scale = fmt::format("calibrated on {} events of {} asked, {} steps", said.size(), events.size(), m_curve.blocks().size());
        }
        return {};
    }

    bool m_hasScale = false;
    IsotonicCurve m_curve;
    std::string m_scale;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_rating";
    out.name = "Language model: rating from 1 to 5";
    out.summary =
        "Shows a language model the user's likes and dislikes and asks how many points from 1 to 5 each candidate gets; scores by the "
        "expected rating or the written one. The points are the model's own unless calibration events are set.";
    out.source = "Zero-shot and few-shot rating prediction as in Kang et al., 'Do LLMs Understand User Preferences?' (arXiv 2305.06474); "
                 "expected rating and "
                 "isotonic calibration: ours";
    out.usesLanguageModel = true;
    out.twin = "text_recency";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct"),
        plugin::withShots({
            plugin::choice(
                "read", "Read", {"expected", "written"}, "expected",
                "expected: the mean under the probabilities of 1 to 5, no text is generated. written: the model writes a digit; any other "
                "answer is flagged invalid and takes the user's mean rating."),
            plugin::prompt(
                "prompt", "Prompt", defaultPrompt(),
                "What stands before the candidate. {{#liked}}{{item}}{{/liked}} and {{#disliked}}{{item}}{{/disliked}} repeat for the "
                "history. End right before the item: all before it is read once per user."),
            plugin::prompt("tail", "After the item", "",
                           "What stands after the candidate; every word here is read again for each candidate."),
            plugin::number(
                "leastMass", "Least answer share", 0.01, 0, 1, "",
                "Where 1 to 5 together are less probable than this, the model would rather say something else: the rating is flagged "
                "invalid and counted. For expected ratings."),
            plugin::flag(
                "calibrate", "Calibrate", true,
                "Puts the model's points on the users' scale where calibration events are set; the order of one user's items stays."),
            plugin::integer(
                "calibrationEvents", "Calibration events", 0, 0, 100000, "events",
                "So many events of the training part are asked about before the first user, each with what came before it; 0: none, "
                "the ratings stay raw."),
        }));
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        Settings s{std::move(asked)};
        s.tail = p.text("tail");
        s.leastMass = p.number("leastMass"), s.written = p.text("read") == "written", s.calibrate = p.boolean("calibrate");
        s.calibrationEvents = static_cast<std::size_t>(p.integer("calibrationEvents"));
        return std::make_unique<LlmRating>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
