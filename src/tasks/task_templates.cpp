// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/task_templates.h"
#include <algorithm>
#include <array>
#include <kainjow/mustache.hpp>
#include <toml++/toml.h>

namespace carousel {

const char* name(TaskFamily family) {
    constexpr std::array names{"sequential", "rating", "explanation", "summary", "direct"};
    return names[indexOf(family)];
}
const char* title(TaskFamily family) {
    constexpr std::array titles{"Sequential recommendation", "Rating prediction", "Explanation", "Review summary", "Direct recommendation"};
    return titles[indexOf(family)];
}

namespace {

constexpr std::array answers{TaskAnswer::item,        TaskAnswer::stars,    TaskAnswer::yesNo,
                             TaskAnswer::likeDislike, TaskAnswer::sentence, TaskAnswer::headline};
constexpr std::array slots{"user",       "item",  "title",  "details", "profile", "history",
                           "candidates", "stars", "review", "feature", "habits"};

Error invalid(const std::string& id, const std::string& why) {
    return {ErrorKind::input, "CL-3110", fmt::format("Template '{}' {}.", id, why),
            fmt::format("The slots are {}; every {{{{#name}}}} needs its {{{{/name}}}}.", fmt::join(slots, ", "))};
}

// The names between double braces, without the marks of sections.
std::vector<std::string> slotsIn(const std::string& source) {
    std::vector<std::string> out;
    for (std::size_t at = source.find("{{"); at != std::string::npos; at = source.find("{{", at + 2)) {
        std::size_t begin = at + 2;
        while (begin < source.size() && (source[begin] == '#' || source[begin] == '/' || source[begin] == '^' || source[begin] == ' '))
            ++begin;
        std::size_t end = begin;
        while (end < source.size() && source[end] != '}' && source[end] != ' ')
            ++end;
        out.push_back(source.substr(begin, end - begin));
    }
    return out;
}

} // namespace

const char* name(TaskAnswer answer) {
    constexpr std::array names{"item", "stars", "yes-no", "like-dislike", "sentence", "headline"};
    return names[static_cast<std::size_t>(answer)];
}

struct TaskTemplate::Parsed {
    kainjow::mustache::mustache tree;
    std::vector<std::string> slots;
};

Result<TaskTemplate> TaskTemplate::make(std::string id, TaskFamily family, TaskAnswer answer, bool heldOut, std::string source) {
    kainjow::mustache::mustache tree(source);
    if (!tree.is_valid())
        return tl::unexpected(invalid(id, "is no valid template: " + tree.error_message()));
    if (source.empty())
        return tl::unexpected(invalid(id, "is empty"));
    std::vector<std::string> named = slotsIn(source);
    for (const std::string& slot : named)
        if (std::find(slots.begin(), slots.end(), slot) == slots.end())
            return tl::unexpected(invalid(id, fmt::format("names the slot '{}', which there is not", slot)));
    tree.set_custom_escape([](const std::string& plain) { return plain; });
    TaskTemplate out;
    out.m_id = std::move(id), out.m_source = std::move(source);
    out.m_family = family, out.m_answer = answer, out.m_heldOut = heldOut;
    out.m_parsed = std::make_shared<const Parsed>(Parsed{std::move(tree), std::move(named)});
    return out;
}

bool TaskTemplate::uses(const std::string& slot) const {
    return std::find(m_parsed->slots.begin(), m_parsed->slots.end(), slot) != m_parsed->slots.end();
}

std::string TaskTemplate::render(const std::map<std::string, std::string>& values) const {
    kainjow::mustache::data root;
    for (const auto& [slot, value] : values)
        if (!value.empty())
            root.set(slot, value);
    kainjow::mustache::mustache own = m_parsed->tree; // rendering keeps state in the tree
    return own.render(root);
}

Result<std::vector<TaskTemplate>> parseTaskTemplates(const std::string& text) {
    toml::table root;
    try {
        root = toml::parse(text);
    } catch (const toml::parse_error& error) {
        return tl::unexpected(invalid("(file)", fmt::format("cannot be read: line {}: {}", error.source().begin.line, error.description())));
    }
    std::vector<TaskTemplate> out;
    std::array<int, taskFamilies.size()> count{};
    const toml::array* const tables = root["template"].as_array();
    for (std::size_t i = 0; tables && i < tables->size(); ++i) {
        const toml::table* const table = (*tables)[i].as_table();
        const std::string place = fmt::format("number {}", i + 1);
        if (!table)
            return tl::unexpected(invalid(place, "is no table"));
        const auto familyName = (*table)["family"].value_or(std::string());
        const auto answerName = (*table)["answer"].value_or(std::string());
        const auto family = std::find_if(taskFamilies.begin(), taskFamilies.end(), [&](TaskFamily f) { return familyName == name(f); });
        const auto answer = std::find_if(answers.begin(), answers.end(), [&](TaskAnswer a) { return answerName == name(a); });
        if (family == taskFamilies.end())
            return tl::unexpected(invalid(place, fmt::format("has the family '{}'; known are sequential, rating, explanation, summary, direct", familyName)));
        if (answer == answers.end())
            return tl::unexpected(invalid(place, fmt::format("has the answer '{}'; known are item, stars, yes-no, like-dislike, sentence, headline", answerName)));
        const std::string id = fmt::format("{}-{}", familyName, ++count[indexOf(*family)]);
        CAROUSEL_ASSIGN(TaskTemplate made, TaskTemplate::make(id, *family, *answer, (*table)["held_out"].value_or(false),
                                                              (*table)["source"].value_or(std::string())));
        out.push_back(std::move(made));
    }
    for (const TaskFamily family : taskFamilies) {
        const auto seen = [&](TaskAnswer answer) {
            return std::any_of(out.begin(), out.end(), [&](const auto& t) { return t.family() == family && !t.heldOut() && t.answer() == answer; });
        };
        int learned = 0, heldOut = 0;
        for (const TaskTemplate& each : out)
            if (each.family() == family) {
                (each.heldOut() ? heldOut : learned) += 1;
                if (each.heldOut() && !seen(each.answer()))
                    return fail(ErrorKind::input, "CL-3111", fmt::format("No template of '{}' that is learned asks for the answer of '{}', which is held out.", name(family), each.id()),
                                "Add one with the same answer.");
            }
        if (learned < 2 || heldOut < 1)
            return fail(ErrorKind::input, "CL-3111", fmt::format("Family '{}' has {} templates to learn from and {} held out.", name(family), learned, heldOut),
                        "Each family needs at least two and one.");
    }
    return out;
}

extern const char* const taskTemplatesText; // made from the resource when the program is built

const std::string& builtInTaskTemplates() {
    static const std::string text(taskTemplatesText);
    return text;
}

} // namespace carousel
