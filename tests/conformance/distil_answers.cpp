// SPDX-License-Identifier: GPL-3.0-or-later
// A student learns a teacher's order: teachers with a rule that is known, answers that fail, and what must never be shown or asked.
#include "base/random.h"
#include "checks.h"
#include "evaluation/statistics/rank_agreement.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

namespace carousel::conformance {

namespace {

int numberAt(std::string_view text, std::size_t at) { // of "i17" at this place
    return std::stoi(std::string(text.substr(at + 1, 4)));
}
int itemAsked(const std::string& prompt) {
    return numberAt(prompt, prompt.rfind('i'));
}
std::set<int> itemsShown(const std::string& prompt) {
    std::set<int> out;
    for (auto at = prompt.find("- i"); at != std::string::npos; at = prompt.find("- i", at + 1))
        out.insert(numberAt(prompt, at + 2));
    return out;
}

// `groups` kinds of people who like only their own part of the items; in each part some items are met more often.
SmallData kinds(int groups, int itemsEach, int users) {
    std::vector<std::vector<Code>> sequences;
    RandomStream random(5, "kinds");
    for (int u = 0; u < users; ++u) {
        std::vector<Code> one;
        while (one.size() < 7) {
            const auto n = static_cast<std::uint64_t>(itemsEach);
            const auto item = static_cast<Code>(u % groups * itemsEach + static_cast<int>(std::min(random.below(n), random.below(n))));
            if (std::find(one.begin(), one.end(), item) == one.end())
                one.push_back(item);
        }
        sequences.push_back(one);
    }
    return sequencesData(static_cast<std::size_t>(groups * itemsEach), sequences);
}

struct Student {
    Bench bench;
    std::unique_ptr<Scorer> scorer;
    std::string notes;
    std::vector<float> scores(const SmallData& data, Code user, std::vector<ScoreStatus>* status = nullptr) const {
        std::vector<Code> items(data.training.itemCount());
        std::iota(items.begin(), items.end(), 0);
        std::vector<float> out(items.size());
        std::vector<ScoreStatus> own(items.size());
        must(scorer->score({user, items, data.training, {}}, out, own, {}));
        if (status)
            *status = own;
        return out;
    }
};

std::unique_ptr<Student> taught(const PluginRegistry& registry, const SmallData& data,
                                std::function<std::vector<float>(const std::string&, const std::vector<std::string>&)> answer,
                                std::initializer_list<std::pair<std::string, ParameterValue>> set = {}) {
    auto out = std::make_unique<Student>();
    out->bench.model.answer = std::move(answer);
    const auto& entry = *must(registry.find(StageKind::scorer, "distil"));
    out->scorer = must(entry.manifest.createScorer(parametersOf(entry, set), out->bench.environment()));
    must(out->scorer->fit({data.training, {}, {}}, {}));
    for (const auto& note : out->scorer->notes())
        out->notes += note + "\n";
    return out;
}

double numberBehind(const std::string& text, const std::string& words) {
    const auto at = text.find(words);
    return at == std::string::npos ? NAN : std::stod(text.substr(at + words.size()));
}

} // namespace

void checkDistilAnswers(const PluginRegistry& registry, Report& report) {
    report.check(
        "scorer/distil", "a teacher that orders by popularity gets a student that does, and nothing hidden is shown", [&]() -> std::string {
            const auto data = kinds(1, 40, 90);
            const auto& popularity = data.training.popularity();
            int shown = 0, asked = 0;
            const auto student = taught(registry, data, [&](const std::string& prompt, const std::vector<std::string>&) {
                const int item = itemAsked(prompt);
                ++asked;
                shown += static_cast<int>(itemsShown(prompt).count(item));
                return std::vector<float>{std::log1p(popularity[static_cast<std::size_t>(item)]), 0};
            });
            if (asked != 60 * 20)
                return fmt::format("{} questions for 60 users and 20 items each", asked);
            if (shown > 0)
                return fmt::format("{} questions show the item that they ask about", shown);
            const auto scores = student->scores(data, 3);
            const auto agreement =
                rankAgreement(std::vector<double>(scores.begin(), scores.end()), std::vector<double>(popularity.begin(), popularity.end()));
            if (!(agreement.kendall > 0.85))
                return fmt::format("Kendall's tau with popularity is {}\n{}", agreement.kendall, student->notes);
            if (!(numberBehind(student->notes, "Kendall's tau ") > 0.8) || student->notes.find("(n = 18)") == std::string::npos ||
                student->notes.find("18 users kept aside") == std::string::npos)
                return student->notes;
            const auto calls = student->bench.model.calls();
            student->scores(data, 4);
            return student->bench.model.calls() == calls ? "" : "the model was asked after fitting";
        });
    report.check("scorer/distil", "it learns which history speaks for which item", [&]() -> std::string {
        const auto data = kinds(2, 25, 100);
        const auto student = taught(registry, data, [&](const std::string& prompt, const std::vector<std::string>&) {
            const int item = itemAsked(prompt);
            const auto history = itemsShown(prompt);
            const bool same = !history.empty() && (*history.begin() < 25) == (item < 25);
            return std::vector<float>{(same ? 2.0f : -2.0f) + 0.01f * static_cast<float>(item * 7 % 25), 0};
        });
        double above = 0, pairs = 0;
        for (Code user = 0; user < 20; ++user) {
            const auto scores = student->scores(data, user);
            for (int own = 0; own < 25; ++own)
                for (int other = 0; other < 25; ++other, ++pairs)
                    above += scores[static_cast<std::size_t>(user % 2 * 25 + own)] >
                             scores[static_cast<std::size_t>((1 - user % 2) * 25 + other)];
        }
        if (!(above / pairs > 0.97))
            return fmt::format("only {} of pairs stand as taught", above / pairs);
        std::vector<Code> items(50);
        std::iota(items.begin(), items.end(), 0);
        const auto told = nlohmann::json::parse(student->scorer->explain({0, items, data.training, {}}, 3));
        double sum = 0;
        for (const auto& part : told["parts"])
            sum += part["contribution"].get<double>();
        return std::abs(sum - student->scores(data, 0)[3]) < 1e-4 ? "" : told.dump();
    });
    report.check("scorer/distil", "answers that failed are left out and counted; a teacher that is worth nothing is said to be",
                 [&]() -> std::string {
                     const auto data = kinds(2, 25, 100);
                     const auto student = taught(registry, data, {}); // the hash: one answer in nine fails, the others mean nothing
                     const double failed = numberBehind(student->notes, "distil: ");
                     if (!(failed > 60 && failed < 220) ||
                         student->notes.find("of 1200 answers of llm_yes_no were missing or invalid") == std::string::npos)
                         return student->notes;
                     return student->notes.find("The teacher is not better than") != std::string::npos ? "" : student->notes;
                 });
    report.check("scorer/distil", "a teacher that puts nothing into an order leaves a plain scorer, flagged", [&]() -> std::string {
        const auto data = kinds(2, 25, 40);
        const auto student = taught(registry, data, [](const std::string&, const std::vector<std::string>&) {
            return std::vector<float>{1, 0};
        });
        std::vector<ScoreStatus> status;
        student->scores(data, 0, &status);
        return student->notes.find("learned nothing") != std::string::npos && status == std::vector(50, ScoreStatus::fallback)
                   ? ""
                   : student->notes;
    });
    report.check("scorer/distil", "is refused where no scorers are offered", [&]() -> std::string {
        const auto data = kinds(1, 10, 10);
        Bench bench;
        auto environment = bench.environment();
        environment.otherScorer = nullptr;
        const auto& entry = *must(registry.find(StageKind::scorer, "distil"));
        const auto fitted = must(entry.manifest.createScorer(defaultsOf(entry), environment))->fit({data.training, {}, {}}, {});
        return !fitted && fitted.error().code == "CL-6075" ? "" : "it is not";
    });
}

} // namespace carousel::conformance
