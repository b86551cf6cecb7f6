// SPDX-License-Identifier: GPL-3.0-or-later
// Questions of the five families, for training and for the test, and the words they are asked in. Everything is a pure function of data set,
// split, identifiers, templates, settings and the number of the epoch.
#pragma once
#include "tasks/item_identifiers.h"
#include "tasks/task_split.h"
#include "tasks/task_templates.h"
#include <array>

namespace carousel {

struct TaskSettings {
    int history = 8;            // items of a history that are shown, the newest
    int candidates = 10;        // items of a list to choose from, in training
    std::array<int, 5> rounds{6, 1, 2, 2, 3}; // per epoch and family: examples per customer (sequential, direct) or review (others); 0: not learned
    std::uint64_t seed = 1;
};

// One thing that is asked, whatever the wording.
struct TaskQuestion {
    TaskFamily family = TaskFamily::sequential;
    Code user = noCode, item = noCode; // item: the answer, or what is asked about
    std::vector<Code> history;         // what is known, oldest first
    std::vector<Code> candidates;      // to choose from, the answer among them; empty: the catalogue
    std::int64_t review = -1;          // row; rating, explanation, summary
    bool positive = true;              // the truth of a yes-no question
};
struct TaskText {
    std::string source, target;
    TaskFamily family = TaskFamily::sequential;
    std::size_t templateIndex = 0;
    std::vector<std::pair<Code, Code>> pairs; // of customer and item, told or asked about in the source or in the target
};

// Holds what words are made of; const members may be called from any thread.
class TaskExamples {
public:
    TaskExamples(DatasetPtr dataset, TaskSplit split, ItemIdentifiers identifiers, std::vector<TaskTemplate> templates, TaskSettings settings);

    const TaskSplit& split() const { return m_split; }
    const ItemIdentifiers& identifiers() const { return m_identifiers; }
    const std::vector<TaskTemplate>& templates() const { return m_templates; }
    const Dataset& dataset() const { return *m_dataset; }

    // All examples of one epoch, mixed. Error CL-3114 when a held-out pair is in any of them: it is looked for, not assumed.
    Result<std::vector<TaskText>> epoch(int number) const;
    // What a family is tested (or chosen) on; at most `limit` questions, drawn by user. Direct: the item that was chosen next among 99 that
    // the customer does not know, the same for every model.
    std::vector<TaskQuestion> questions(TaskFamily family, Part part, std::size_t limit) const;
    // The words of a question. `stars`, `feature`: only where the template asks for them (they are hints, so tests do not use them).
    TaskText words(const TaskQuestion& question, std::size_t templateIndex) const;
    std::string sourceWith(const TaskTemplate& form, const TaskQuestion& question) const; // of an edited template
    std::size_t templateFor(TaskFamily family, TaskAnswer answer, bool heldOut) const;    // the first such; templates().size(): none

    // The template that a family is judged by: it asks for what the family is about (an item, stars, a sentence, a headline).
    std::size_t judgedBy(TaskFamily family, bool heldOut) const;
    // What the customer of a question is not known to have met, ascending, the answer among it; the pairs that other tests hold out stay.
    std::vector<Code> unseen(const TaskQuestion& question) const;

    std::string userName(Code user) const { return m_userNames[static_cast<std::size_t>(user)]; }
    // The sentence of a review that its feature word stands in; without one its longest sentence.
    std::string explanationOf(std::int64_t review) const;
    bool hasExplanation(std::int64_t review) const; // text that is there
    std::string firstSentenceOf(std::int64_t review) const; // empty text: empty
    std::string profileOf(Code user) const { return m_profiles[static_cast<std::size_t>(user)]; }

private:
    void addSequential(int epoch, std::vector<TaskText>& out) const;
    void addReviews(TaskFamily family, int epoch, std::vector<TaskText>& out) const;
    void addDirect(int epoch, std::vector<TaskText>& out) const;
    std::size_t drawTemplate(TaskFamily family, std::uint64_t draw) const;
    std::vector<Code> choices(Code user, Code answer, std::size_t count, std::uint64_t seedKey) const;
    Code otherItem(Code user, std::uint64_t draw, std::uint64_t salt) const;
    std::string habitsOf(const TaskQuestion& question) const;
    std::string target(const TaskTemplate& form, const TaskQuestion& question, int shownStars) const;
    std::map<std::string, std::string> slots(const TaskTemplate& form, const TaskQuestion& question, int shownStars) const;

    DatasetPtr m_dataset;
    TaskSplit m_split;
    ItemIdentifiers m_identifiers;
    std::vector<TaskTemplate> m_templates;
    TaskSettings m_settings;
    std::vector<std::string> m_userNames, m_profiles, m_details;
    std::vector<std::vector<std::size_t>> m_known; // per user: known reviews that say what they are about, newest last
    std::vector<std::vector<Code>> m_unasked; // per user, ascending: held-out items among decoys, never drawn as a wrong answer
    std::array<std::vector<std::size_t>, 5> m_learned; // templates by family
};

} // namespace carousel
