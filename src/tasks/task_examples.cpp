// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/task_examples.h"
#include "base/random.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

namespace {

constexpr std::size_t decoysPerHeldOut = 10; // so that to be left out of wrong answers tells next to nothing
constexpr std::size_t directChoices = 100;
constexpr std::size_t mostHabits = 5;
constexpr std::size_t mostWords = 200; // a column with more distinct values says who, not what kind

// "category garden, brand Dunmarrow": attributes with few distinct values, in the order of the table.
std::string described(const EntityTable& table, Code code, std::size_t most) {
    std::vector<std::string> parts;
    for (const AttributeColumn& column : table.attributes)
        if (!column.isNumeric() && column.dictionary().size() > 1 && column.dictionary().size() <= mostWords &&
            !column.missing(static_cast<std::size_t>(code)) && parts.size() < most)
            parts.push_back(fmt::format("{} {}", column.name(), column.text(static_cast<std::size_t>(code))));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> sentencesOf(const std::string& text) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if ((text[i] == '.' || text[i] == '!' || text[i] == '?') && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n')) {
            if (const auto sentence = trimmed(std::string_view(text).substr(begin, i + 1 - begin)); !sentence.empty())
                out.emplace_back(sentence);
            begin = i + 1;
        }
    if (const auto rest = trimmed(std::string_view(text).substr(std::min(begin, text.size()))); !rest.empty())
        out.emplace_back(rest);
    return out;
}

bool has(const std::vector<Code>& ascending, Code item) { return std::binary_search(ascending.begin(), ascending.end(), item); }

} // namespace

TaskExamples::TaskExamples(DatasetPtr dataset, TaskSplit split, ItemIdentifiers identifiers, std::vector<TaskTemplate> templates,
                           TaskSettings settings)
    : m_dataset(std::move(dataset)), m_split(std::move(split)), m_identifiers(std::move(identifiers)), m_templates(std::move(templates)),
      m_settings(settings) {
    const std::size_t users = m_dataset->users.size(), items = m_dataset->items.size();
    std::vector<std::size_t> order(users);
    std::iota(order.begin(), order.end(), std::size_t(0));
    RandomStream random(settings.seed, "tasks/customer numbers"); // the order of the file may tell who is alike
    for (std::size_t i = users; i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    m_userNames.resize(users);
    const std::size_t width = std::to_string(1000 + users).size();
    for (std::size_t place = 0; place < users; ++place)
        m_userNames[order[place]] = fmt::format("user_{:0{}}", 1000 + place, width);
    for (std::size_t u = 0; u < users; ++u)
        m_profiles.push_back(described(m_dataset->users, static_cast<Code>(u), 3));
    for (std::size_t i = 0; i < items; ++i)
        m_details.push_back(described(m_dataset->items, static_cast<Code>(i), 2));
    for (std::size_t t = 0; t < m_templates.size(); ++t)
        if (!m_templates[t].heldOut())
            m_learned[indexOf(m_templates[t].family())].push_back(t);

    m_known.resize(users);
    const ReviewTable& reviews = m_dataset->reviews;
    for (std::size_t row = 0; row < reviews.size(); ++row)
        if (m_split.reviewPart[row] == Part::train && !reviews.feature[row].empty())
            m_known[static_cast<std::size_t>(reviews.user[row])].push_back(row);
    for (auto& known : m_known)
        std::stable_sort(known.begin(), known.end(), [&](std::size_t a, std::size_t b) { return reviews.time[a] < reviews.time[b]; });
    m_unasked.resize(users);
    for (const std::uint64_t pair : m_split.m_heldOut)
        m_unasked[pair >> 32].push_back(static_cast<Code>(pair & 0xffffffff));
    for (std::size_t u = 0; u < users; ++u) {
        std::vector<Code>& own = m_unasked[u];
        std::sort(own.begin(), own.end());
        const std::vector<Code> held(own);
        const std::size_t unknown = items - std::min(items, m_split.seen[u].size() + held.size());
        RandomStream draw(settings.seed, "tasks/decoys", u);
        for (std::size_t left = std::min(held.size() * decoysPerHeldOut, unknown / 2); left > 0;) {
            const Code item = static_cast<Code>(draw.below(items));
            if (has(m_split.seen[u], item) || std::find(own.begin(), own.end(), item) != own.end())
                continue;
            own.push_back(item);
            --left;
        }
        std::sort(own.begin(), own.end());
    }
}

std::size_t TaskExamples::templateFor(TaskFamily family, TaskAnswer answer, bool heldOut) const {
    for (std::size_t t = 0; t < m_templates.size(); ++t)
        if (m_templates[t].family() == family && m_templates[t].answer() == answer && m_templates[t].heldOut() == heldOut)
            return t;
    return m_templates.size();
}

std::size_t TaskExamples::judgedBy(TaskFamily family, bool heldOut) const {
    switch (family) {
    case TaskFamily::sequential:
    case TaskFamily::direct: return templateFor(family, TaskAnswer::item, heldOut);
    case TaskFamily::rating: return templateFor(family, TaskAnswer::stars, heldOut);
    case TaskFamily::explanation: return templateFor(family, TaskAnswer::sentence, heldOut);
    case TaskFamily::summary: return templateFor(family, TaskAnswer::headline, heldOut);
    }
    return m_templates.size();
}

std::vector<Code> TaskExamples::unseen(const TaskQuestion& question) const {
    const auto& seen = m_split.seen[static_cast<std::size_t>(question.user)];
    std::vector<Code> out;
    for (Code item = 0; item < static_cast<Code>(m_dataset->items.size()); ++item)
        if (!has(seen, item) && (item == question.item || std::find(question.history.begin(), question.history.end(), item) == question.history.end()))
            out.push_back(item);
    return out;
}

std::string TaskExamples::firstSentenceOf(std::int64_t review) const {
    const auto sentences = sentencesOf(m_dataset->reviews.text[static_cast<std::size_t>(review)]);
    return sentences.empty() ? std::string() : sentences.front();
}

bool TaskExamples::hasExplanation(std::int64_t review) const { return !m_dataset->reviews.text[static_cast<std::size_t>(review)].empty(); }

std::string TaskExamples::explanationOf(std::int64_t review) const {
    const auto row = static_cast<std::size_t>(review);
    const std::string word = lowered(m_dataset->reviews.feature[row]);
    std::string longest;
    for (const std::string& sentence : sentencesOf(m_dataset->reviews.text[row])) {
        if (!word.empty() && lowered(sentence).find(word) != std::string::npos)
            return sentence;
        if (sentence.size() > longest.size())
            longest = sentence;
    }
    return longest;
}

// A wrong answer: an item that the customer is not known to have met. The same draw for the same (user, draw, salt).
Code TaskExamples::otherItem(Code user, std::uint64_t draw, std::uint64_t salt) const {
    const auto u = static_cast<std::size_t>(user);
    RandomStream random(m_settings.seed + salt, "tasks/other item", u, draw);
    for (int tries = 0; tries < 1000; ++tries) {
        const Code item = static_cast<Code>(random.below(m_dataset->items.size()));
        if (!has(m_split.seen[u], item) && !has(m_unasked[u], item))
            return item;
    }
    return noCode; // knows nearly everything
}

std::vector<Code> TaskExamples::choices(Code user, Code answer, std::size_t count, std::uint64_t seedKey) const {
    std::vector<Code> out{answer};
    for (std::uint64_t i = 0; out.size() < count && i < 4 * count; ++i) {
        const Code other = otherItem(user, seedKey * 1009 + i, 7);
        if (other != noCode && std::find(out.begin(), out.end(), other) == out.end())
            out.push_back(other);
    }
    RandomStream random(m_settings.seed, "tasks/order of choices", static_cast<std::uint64_t>(user), seedKey);
    for (std::size_t i = out.size(); i > 1; --i)
        std::swap(out[i - 1], out[random.below(i)]);
    return out;
}

// Of the customer's other known reviews, the newest last: the one that is asked about tells nothing of itself.
std::string TaskExamples::habitsOf(const TaskQuestion& question) const {
    std::vector<std::string> words;
    const auto& known = m_known[static_cast<std::size_t>(question.user)];
    for (auto it = known.rbegin(); it != known.rend() && words.size() < mostHabits; ++it)
        if (static_cast<std::int64_t>(*it) != question.review)
            words.push_back(m_dataset->reviews.feature[*it]);
    std::reverse(words.begin(), words.end());
    return fmt::format("{}", fmt::join(words, ", "));
}

std::map<std::string, std::string> TaskExamples::slots(const TaskTemplate& form, const TaskQuestion& question, int shownStars) const {
    const auto item = static_cast<std::size_t>(std::max<Code>(question.item, 0));
    const auto listed = [&](const std::vector<Code>& items) {
        std::string out;
        for (const Code each : items)
            out += (out.empty() ? "" : ", ") + m_identifiers.names[static_cast<std::size_t>(each)];
        return out;
    };
    std::map<std::string, std::string> out{{"user", userName(question.user)}, {"profile", profileOf(question.user)}};
    if (form.uses("history")) {
        const auto shown = std::min(question.history.size(), static_cast<std::size_t>(std::max(m_settings.history, 0)));
        out["history"] = listed({question.history.end() - static_cast<std::ptrdiff_t>(shown), question.history.end()});
    }
    if (form.uses("habits"))
        out["habits"] = habitsOf(question);
    if (form.uses("candidates"))
        out["candidates"] = listed(question.candidates);
    // What the answer is must not stand in the question.
    if (form.answer() != TaskAnswer::item) {
        out["item"] = m_identifiers.names[item];
        out["title"] = m_dataset->items.displayName(question.item);
        out["details"] = m_details[item];
    }
    if (question.review >= 0) {
        const auto row = static_cast<std::size_t>(question.review);
        if (question.family == TaskFamily::summary)
            out["review"] = m_dataset->reviews.text[row];
        out["feature"] = m_dataset->reviews.feature[row];
        if (form.answer() != TaskAnswer::stars && form.answer() != TaskAnswer::likeDislike && shownStars > 0)
            out["stars"] = std::to_string(shownStars);
    }
    return out;
}

std::string TaskExamples::target(const TaskTemplate& form, const TaskQuestion& question, int shownStars) const {
    const auto row = static_cast<std::size_t>(std::max<std::int64_t>(question.review, 0));
    const auto stars = [&] { return static_cast<int>(std::lround(m_dataset->reviews.stars[row])); };
    switch (form.answer()) {
    case TaskAnswer::item: return m_identifiers.names[static_cast<std::size_t>(question.item)];
    case TaskAnswer::stars: return std::to_string(stars());
    case TaskAnswer::likeDislike: return stars() >= 4 ? "like" : "dislike";
    case TaskAnswer::yesNo: return (question.family == TaskFamily::rating ? stars() == shownStars : question.positive) ? "yes" : "no";
    case TaskAnswer::sentence: return explanationOf(question.review);
    case TaskAnswer::headline: return m_dataset->reviews.headline[row];
    }
    return {};
}

std::string TaskExamples::sourceWith(const TaskTemplate& form, const TaskQuestion& question) const {
    const int stars = question.review >= 0 && std::isfinite(m_dataset->reviews.stars[static_cast<std::size_t>(question.review)])
                          ? static_cast<int>(std::lround(m_dataset->reviews.stars[static_cast<std::size_t>(question.review)]))
                          : 0;
    return form.render(slots(form, question, stars));
}

TaskText TaskExamples::words(const TaskQuestion& question, std::size_t templateIndex) const {
    const TaskTemplate& form = m_templates[templateIndex];
    const int stars = question.review >= 0 && std::isfinite(m_dataset->reviews.stars[static_cast<std::size_t>(question.review)])
                          ? static_cast<int>(std::lround(m_dataset->reviews.stars[static_cast<std::size_t>(question.review)]))
                          : 0;
    TaskText out;
    out.family = question.family, out.templateIndex = templateIndex;
    out.source = form.render(slots(form, question, stars));
    out.target = target(form, question, stars);
    for (const Code item : question.history)
        out.pairs.emplace_back(question.user, item);
    for (const Code item : question.candidates)
        out.pairs.emplace_back(question.user, item);
    out.pairs.emplace_back(question.user, question.item);
    return out;
}

std::size_t TaskExamples::drawTemplate(TaskFamily family, std::uint64_t draw) const {
    const auto& learned = m_learned[indexOf(family)];
    return learned[draw % learned.size()];
}

void TaskExamples::addSequential(int epoch, std::vector<TaskText>& out) const {
    const int rounds = m_settings.rounds[indexOf(TaskFamily::sequential)];
    for (std::size_t u = 0; u < m_split.history.size(); ++u) {
        const auto& history = m_split.history[u];
        if (history.size() < 2)
            continue;
        for (int round = 0; round < rounds; ++round) {
            const auto number = static_cast<std::uint64_t>(epoch * rounds + round);
            RandomStream random(m_settings.seed, "tasks/sequential", u, number);
            const auto end = 1 + static_cast<std::ptrdiff_t>(random.below(history.size() - 1)); // the answer's place
            const auto begin = std::max<std::ptrdiff_t>(0, end - m_settings.history);
            TaskQuestion question{.family = TaskFamily::sequential, .user = static_cast<Code>(u), .item = history[static_cast<std::size_t>(end)],
                                  .history = {history.begin() + begin, history.begin() + end}, .candidates = {}};
            const std::size_t form = drawTemplate(question.family, random.next64());
            if (m_templates[form].answer() == TaskAnswer::yesNo && random.below(2) == 0) {
                const Code other = otherItem(question.user, number, 1);
                if (other != noCode)
                    question.item = other, question.positive = false;
            }
            if (m_templates[form].uses("candidates"))
                question.candidates = choices(question.user, question.item, static_cast<std::size_t>(m_settings.candidates), number);
            out.push_back(words(question, form));
        }
    }
}

void TaskExamples::addDirect(int epoch, std::vector<TaskText>& out) const {
    const int rounds = m_settings.rounds[indexOf(TaskFamily::direct)];
    for (std::size_t u = 0; u < m_split.history.size(); ++u) {
        const auto& history = m_split.history[u];
        if (history.empty())
            continue;
        for (int round = 0; round < rounds; ++round) {
            const auto number = static_cast<std::uint64_t>(epoch * rounds + round);
            RandomStream random(m_settings.seed, "tasks/direct", u, number);
            TaskQuestion question{.family = TaskFamily::direct, .user = static_cast<Code>(u), .item = history[random.below(history.size())],
                                  .history = {}, .candidates = {}};
            const std::size_t form = drawTemplate(question.family, random.next64());
            if (m_templates[form].answer() == TaskAnswer::yesNo && random.below(2) == 0) {
                const Code other = otherItem(question.user, number, 2);
                if (other != noCode)
                    question.item = other, question.positive = false;
            }
            if (m_templates[form].uses("candidates"))
                question.candidates = choices(question.user, question.item, static_cast<std::size_t>(m_settings.candidates), number + 500000);
            out.push_back(words(question, form));
        }
    }
}

void TaskExamples::addReviews(TaskFamily family, int epoch, std::vector<TaskText>& out) const {
    const ReviewTable& reviews = m_dataset->reviews;
    const int rounds = m_settings.rounds[indexOf(family)];
    for (std::size_t row = 0; row < reviews.size(); ++row) {
        if (m_split.reviewPart[row] != Part::train)
            continue;
        const bool hasStars = std::isfinite(reviews.stars[row]);
        for (int round = 0; round < rounds; ++round) {
            const auto number = static_cast<std::uint64_t>(epoch * rounds + round);
            RandomStream random(m_settings.seed, fmt::format("tasks/{}", name(family)), row, number);
            // The first template from a drawn one on that this review can answer.
            const auto& learned = m_learned[indexOf(family)];
            const std::uint64_t start = random.next64() % learned.size();
            for (std::size_t step = 0; step < learned.size(); ++step) {
                const std::size_t index = learned[(start + step) % learned.size()];
                const TaskTemplate& form = m_templates[index];
                const bool needsStars = form.uses("stars") || form.answer() == TaskAnswer::stars || form.answer() == TaskAnswer::likeDislike;
                if ((needsStars && !hasStars) || (form.uses("feature") && reviews.feature[row].empty()) ||
                    (form.answer() == TaskAnswer::headline && reviews.headline[row].empty()) ||
                    ((family == TaskFamily::summary || form.answer() == TaskAnswer::sentence) && reviews.text[row].empty()))
                    continue;
                TaskQuestion question{.family = family, .user = reviews.user[row], .item = reviews.item[row], .history = {}, .candidates = {},
                                      .review = static_cast<std::int64_t>(row)};
                if (form.uses("history")) {
                    question.history = m_split.history[static_cast<std::size_t>(question.user)];
                    std::erase(question.history, question.item);
                    if (static_cast<int>(question.history.size()) > m_settings.history)
                        question.history.erase(question.history.begin(), question.history.end() - m_settings.history);
                }
                TaskText text = words(question, index);
                if (form.answer() == TaskAnswer::yesNo) { // stars that are right in half of the questions
                    const int truth = static_cast<int>(std::lround(reviews.stars[row]));
                    const int shown = random.below(2) == 0 ? truth : 1 + static_cast<int>((static_cast<std::uint64_t>(truth) + random.below(4)) % 5);
                    text.source = form.render(slots(form, question, shown));
                    text.target = target(form, question, shown);
                }
                out.push_back(std::move(text));
                break;
            }
        }
    }
}

Result<std::vector<TaskText>> TaskExamples::epoch(int number) const {
    std::vector<TaskText> out;
    addSequential(number, out);
    for (const TaskFamily family : {TaskFamily::rating, TaskFamily::explanation, TaskFamily::summary})
        addReviews(family, number, out);
    addDirect(number, out);
    for (const TaskText& text : out)
        for (const auto& [user, item] : text.pairs)
            if (m_split.heldOut(user, item))
                return fail(ErrorKind::internal, "CL-3114",
                            fmt::format("The pair of '{}' and '{}' is held out and stands in a training text of '{}'.", m_dataset->users.ids.id(user),
                                        m_dataset->items.ids.id(item), m_templates[text.templateIndex].id()),
                            "Please report this: the figures of such a model would be too good.");
    RandomStream random(m_settings.seed, "tasks/mixing", static_cast<std::uint64_t>(number));
    for (std::size_t i = out.size(); i > 1; --i)
        std::swap(out[i - 1], out[random.below(i)]);
    return out;
}

std::vector<TaskQuestion> TaskExamples::questions(TaskFamily family, Part part, std::size_t limit) const {
    std::vector<TaskQuestion> out;
    if (family == TaskFamily::sequential || family == TaskFamily::direct) {
        const auto& wanted = part == Part::test ? m_split.testItem : m_split.validationItem;
        for (std::size_t u = 0; u < wanted.size(); ++u) {
            if (wanted[u] == noCode)
                continue;
            TaskQuestion question{.family = family, .user = static_cast<Code>(u), .item = wanted[u], .history = m_split.history[u], .candidates = {}};
            if (part == Part::test && m_split.validationItem[u] != noCode)
                question.history.push_back(m_split.validationItem[u]); // it lies before the test's
            out.push_back(std::move(question));
        }
    } else {
        const ReviewTable& reviews = m_dataset->reviews;
        for (std::size_t row = 0; row < reviews.size(); ++row) {
            if (m_split.reviewPart[row] != part || (family == TaskFamily::rating && !std::isfinite(reviews.stars[row])) ||
                (family == TaskFamily::explanation && reviews.text[row].empty()) ||
                (family == TaskFamily::summary && (reviews.text[row].empty() || reviews.headline[row].empty())))
                continue;
            out.push_back({.family = family, .user = reviews.user[row], .item = reviews.item[row],
                           .history = m_split.history[static_cast<std::size_t>(reviews.user[row])], .candidates = {}, .review = static_cast<std::int64_t>(row)});
        }
    }
    RandomStream random(m_settings.seed, "tasks/questions", indexOf(family), static_cast<std::uint64_t>(part));
    for (std::size_t i = out.size(); i > 1; --i)
        std::swap(out[i - 1], out[random.below(i)]);
    if (out.size() > limit)
        out.resize(limit);
    if (family == TaskFamily::direct)
        for (TaskQuestion& question : out) { // what the customer has not met, the pairs of other tests left out
            const auto u = static_cast<std::size_t>(question.user);
            std::vector<Code> others;
            for (Code item = 0; item < static_cast<Code>(m_dataset->items.size()); ++item)
                if (!has(m_split.seen[u], item) && !m_split.heldOut(question.user, item))
                    others.push_back(item);
            RandomStream draw(m_settings.seed, "tasks/direct choices", u, static_cast<std::uint64_t>(part));
            for (std::size_t i = 0; i + 1 < directChoices && i < others.size(); ++i)
                std::swap(others[i], others[i + draw.below(others.size() - i)]);
            others.resize(std::min(others.size(), directChoices - 1));
            others.push_back(question.item);
            std::swap(others.back(), others[draw.below(others.size())]);
            question.candidates = std::move(others);
        }
    return out;
}

} // namespace carousel
