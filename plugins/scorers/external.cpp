// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a program of the analyst's own, in any language, that speaks JSON lines. It is started once by fit(), reads the catalogue and the
// training histories on its standard input, and then answers one line per question; docs/external_scorer.py is a small one that works.
// It sees what every scorer sees, the training part, and never a test label.
//   to it    {"type": "catalogue", "items": [{"id": "i1", "title": "...", "text": "..."}, ...], "options": "...", "seed": 1}
//            {"type": "history", "user": "u1", "history": [{"item": "i1", "preference": 0.75, "liked": true, "time": 1000}, ...]} per user
//            {"type": "fit"}                                                         it answers {"ready": true} when it has learned
//            {"type": "score", "user": "u1", "history": [...], "candidates": ["i1", ...]}; user null: nobody known
//   from it  {"scores": {"i1": 0.5, ...}}, or {"scores": [0.5, ...]} in the order of the candidates, or {"error": "why not"}
#include "stages/plugin.h"
#include "support/child_program.h"
#include "support/history.h"
#include "support/item_text.h"
#include "support/llm_scoring.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

using nlohmann::json;

struct Settings {
    std::string command, options;
    double timeout = 30, trainTimeout = 600;
    bool itemTexts = false;
};

std::string line(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

// Python writes NaN and Infinity where JSON has no word for them: made strings, so that one such number does not spoil the whole line.
std::string withoutBareWords(const std::string& text) {
    std::string out;
    bool inString = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (inString && text[i] == '\\' && i + 1 < text.size()) {
            out += text[i++];
        } else if (text[i] == '"') {
            inString = !inString;
        } else if (!inString) {
            const char* word = nullptr;
            for (const char* known : {"NaN", "-Infinity", "Infinity"})
                if (!word && text.compare(i, std::char_traits<char>::length(known), known) == 0)
                    word = known;
            if (word) {
                out += fmt::format("\"{}\"", word);
                i += std::char_traits<char>::length(word) - 1;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

class External final : public Scorer {
public:
    External(Settings settings, std::uint64_t seed) : m_settings(std::move(settings)), m_seed(seed) {}
    bool oneAtATime() const override { return true; }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_ASSIGN(const auto words, plugin::commandWords(m_settings.command));
        if (control.stopRequested())
            return fail(RunControl::cancelled("external"));
        const std::scoped_lock lock(m_mutex);
        CAROUSEL_ASSIGN(m_program, plugin::ChildProgram::start(words));
        const auto& training = input.training;
        auto items = json::array();
        for (std::size_t i = 0; i < training.itemCount(); ++i) {
            const auto code = static_cast<Code>(i);
            json item{{"id", training.items().ids.id(code)}, {"title", plugin::titleOf(training.items(), code, 0)}};
            if (m_settings.itemTexts)
                item["text"] = i < input.features.itemText.size() ? input.features.itemText[i] : std::string();
            items.push_back(std::move(item));
        }
        CAROUSEL_TRY(
            m_program->send(line({{"type", "catalogue"}, {"items", std::move(items)}, {"options", m_settings.options}, {"seed", m_seed}}),
                            m_settings.timeout, control));
        const auto users = static_cast<Code>(training.userCount());
        for (Code user = 0; user < users; ++user) {
            CAROUSEL_TRY(m_program->send(
                line({{"type", "history"}, {"user", training.users().ids.id(user)}, {"history", historyOf(training, user)}}),
                m_settings.timeout, control));
            control.report("Sending histories", user + 1.0, users, "users");
        }
        CAROUSEL_TRY(m_program->send(line({{"type", "fit"}}), m_settings.timeout, control));
        CAROUSEL_ASSIGN(const auto answer, answered(m_settings.trainTimeout, control));
        if (!answer.contains("ready"))
            return garbage(answer.dump(-1, ' ', false, json::error_handler_t::replace), R"({"ready": true})");
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("external"));
        if (request.candidates.empty())
            return {};
        // In the catalogue's order, so that the order in which the candidates came says nothing to the program.
        std::vector<Code> sorted(request.candidates.begin(), request.candidates.end());
        std::sort(sorted.begin(), sorted.end());
        sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
        const auto& ids = request.training.items().ids;
        json question{{"type", "score"}, {"user", nullptr}, {"history", json::array()}, {"candidates", json::array()}};
        if (plugin::isKnownUser(request.training, request.user)) {
            question["user"] = request.training.users().ids.id(request.user);
            question["history"] = historyOf(request.training, request.user);
        }
        for (const auto item : sorted)
            question["candidates"].push_back(ids.id(item));
        const std::scoped_lock lock(m_mutex);
        if (!m_program)
            return fail(ErrorKind::internal, "CL-9023", "external is asked for scores before its program was started.", "Fit it first.");
        CAROUSEL_TRY(m_program->send(line(question), m_settings.timeout, control));
        CAROUSEL_ASSIGN(const auto answer, answered(m_settings.timeout, control));
        const auto found = answer.find("scores");
        if (found == answer.end() || !(found->is_object() || (found->is_array() && found->size() == sorted.size())))
            return garbage(answer.dump(-1, ' ', false, json::error_handler_t::replace),
                           fmt::format(R"({{"scores": {{...}}}} or {{"scores": [...]}} with {} numbers)", sorted.size()));
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            json value;
            if (found->is_object()) {
                if (const auto own = found->find(ids.id(request.candidates[i])); own != found->end())
                    value = *own;
            } else
                value = (*found)[static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), request.candidates[i]) -
                                                          sorted.begin())];
            const float number = value.is_number() ? static_cast<float>(value.get<double>()) : 0;
            status[i] = value.is_null()                                ? ScoreStatus::missing
                        : !value.is_number() || !std::isfinite(number) ? ScoreStatus::invalid
                                                                       : ScoreStatus::ok;
            scores[i] = status[i] == ScoreStatus::ok ? number : 0;
        }
        plugin::imputeFailed(scores, status);
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto at = std::find(request.candidates.begin(), request.candidates.end(), item);
        const ScoreRequest asked{
            request.user, at != request.candidates.end() ? request.candidates : std::span<const Code>(&item, 1), request.training, {}};
        const auto place = at != request.candidates.end() ? static_cast<std::size_t>(at - request.candidates.begin()) : 0;
        std::vector<float> scores(asked.candidates.size());
        std::vector<ScoreStatus> status(scores.size());
        json out{{"command", m_settings.command}};
        if (const auto made = score(asked, scores, status, {}); !made)
            out["error"] = describe(made.error());
        else
            out["score"] = scores[place], out["status"] = name(status[place]);
        return out.dump(-1, ' ', false, json::error_handler_t::replace);
    }

private:
    static json historyOf(const TrainingView& training, Code user) {
        auto out = json::array();
        const auto items = training.historyItems(user);
        const auto preference = training.historyPreference(user);
        const auto time = training.historyTime(user);
        for (std::size_t i = 0; i < items.size(); ++i)
            out.push_back({{"item", training.items().ids.id(items[i])},
                           {"preference", preference[i]},
                           {"liked", preference[i] >= training.positiveFrom()},
                           {"time", time[i] == noTime ? json() : json(time[i])}});
        return out;
    }

    Result<json> answered(double seconds, const RunControl& control) const {
        CAROUSEL_ASSIGN(const auto text, m_program->readLine(seconds, control));
        auto answer = json::parse(withoutBareWords(text), nullptr, false);
        if (!answer.is_object())
            return garbage(text, "one JSON object in one line");
        if (const auto error = answer.find("error"); error != answer.end())
            return m_program->refuse(
                ErrorKind::plugin, "CL-6067",
                fmt::format("gave up: {}", error->is_string() ? plugin::oneLine(error->get<std::string>(), 300) : error->dump()),
                "Look into the program; the words are its own.");
        return answer;
    }
    tl::unexpected<Error> garbage(const std::string& said, const std::string& wanted) const {
        return m_program->refuse(ErrorKind::plugin, "CL-6066",
                                 fmt::format("answered '{}' where {} was wanted", plugin::oneLine(said, 120), wanted),
                                 "Print answers alone on standard output; messages for people go to standard error.");
    }

    Settings m_settings;
    std::uint64_t m_seed;
    mutable std::mutex m_mutex; // one question and its answer at a time
    std::unique_ptr<plugin::ChildProgram> m_program;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "external";
    out.name = "External program";
    out.summary = "Asks a program of your own, in any language, for the scores: JSON lines on standard input and output.";
    out.source = "ours";
    out.parameters = {
        plugin::text("command", "Command", "",
                     "The program and its arguments, started without a shell; quotes keep spaces. docs/external_scorer.py is an example."),
        plugin::number("timeout", "Time for an answer", 30, 0.05, 86400, "seconds",
                       "A program that answers no question or reads nothing for so long is ended, and the run with it."),
        plugin::number("trainTimeout", "Time for learning", 600, 0.05, 604800, "seconds",
                       "How long the program may take after the last history until it says that it is ready."),
        plugin::flag("itemTexts", "Send item texts", false, "Adds the text that the feature place wrote to each item of the catalogue."),
        plugin::text("options", "Options", "", "Any text that the program understands; it gets it with the catalogue."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        Settings s;
        s.command = p.text("command"), s.options = p.text("options");
        s.timeout = p.number("timeout"), s.trainTimeout = p.number("trainTimeout");
        s.itemTexts = p.boolean("itemTexts");
        return std::make_unique<External>(std::move(s), environment.seed);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
