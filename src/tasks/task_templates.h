// SPDX-License-Identifier: GPL-3.0-or-later
// The prompts of the task families as data: Mustache texts with named slots, at least eight per family, one of them kept out of training so
// that an unknown wording can be tried. Slots: user, item, title, details, profile, history, candidates, stars, review, feature, habits (what the
// customer's other known reviews are about); what an
// answer is decides its text (item: the item's identifier, ...).
#pragma once
#include "base/result.h"
#include "tasks/task_family.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace carousel {

enum class TaskAnswer { item, stars, yesNo, likeDislike, sentence, headline };
const char* name(TaskAnswer answer); // "item", "stars", "yes-no", "like-dislike", "sentence", "headline"

class TaskTemplate { // safe from any thread
public:
    // CL-3110 naming `id` when the text is no valid template or names a slot that there is not.
    static Result<TaskTemplate> make(std::string id, TaskFamily family, TaskAnswer answer, bool heldOut, std::string source);

    const std::string& id() const { return m_id; } // "rating-3"
    TaskFamily family() const { return m_family; }
    TaskAnswer answer() const { return m_answer; }
    bool heldOut() const { return m_heldOut; } // never trained on
    const std::string& source() const { return m_source; }
    bool uses(const std::string& slot) const;
    // Slots that are absent or empty leave nothing behind; values are never read as template text.
    std::string render(const std::map<std::string, std::string>& values) const;

private:
    struct Parsed;
    std::string m_id, m_source;
    TaskFamily m_family = TaskFamily::sequential;
    TaskAnswer m_answer = TaskAnswer::item;
    bool m_heldOut = false;
    std::shared_ptr<const Parsed> m_parsed;
};

// [[template]] tables with family, answer, source and, where it is true, held_out. CL-3110 names the table; CL-3111 when a family has
// fewer than two templates to learn from, none that is held out, or a held-out one whose answer no other template has.
Result<std::vector<TaskTemplate>> parseTaskTemplates(const std::string& toml);
const std::string& builtInTaskTemplates(); // resources/tasks/templates.toml

} // namespace carousel
