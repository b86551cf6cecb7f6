// SPDX-License-Identifier: GPL-3.0-or-later
// One customer, one item, five prompts: what a trained text-to-text model is asked and answers, with what was so where the data know it.
#pragma once
#include "workbench/tasks/task_training.h"

namespace carousel {

// One family's prompt. Filled by TaskDesk::card, answered by TaskDesk::ask.
struct TaskCard {
    TaskFamily family = TaskFamily::sequential;
    std::string templateId;          // "rating-1"
    bool heldOutWording = false;     // the model has never seen this template
    std::string form;                // the template's text, as it may be edited
    TaskAnswer answerKind = TaskAnswer::item;
    std::string prompt;              // what the model reads
    std::string refusal;             // why this family cannot be asked, in words; empty: it can
    std::string truth;               // what was so; empty: nobody knows
    std::string note;                // "held out: the model has never read of this pair", "the model has learned from this review"
    TaskQuestion question;

    // After ask():
    bool answered = false;
    std::string answer;              // an item by its title
    struct Choice {
        std::string text;            // item's title, "4", "yes"
        double probability = 0;      // among the choices; sequences: exp of the log-probability
    };
    std::vector<Choice> choices;     // best first, at most ten; empty for written texts
    std::string trace;               // JSON: template, prompt, tokens, seconds, raw answers with log-probabilities
    std::int64_t promptTokens = 0, generatedTokens = 0;
    double seconds = 0;
};

// Const members may be called from any thread; the language model serialises its own calls.
class TaskDesk {
public:
    TaskDesk(KeptTaskModel model, std::shared_ptr<const TaskExamples> world) : m_model(std::move(model)), m_world(std::move(world)) {}
    const KeptTaskModel& model() const { return m_model; }
    const TaskExamples& world() const { return *m_world; }
    bool learned(TaskFamily family) const;
    // The templates of a family, in their order.
    std::vector<const TaskTemplate*> templates(TaskFamily family) const;
    // A template of the family by id (empty: the first), or an edited text of it: CL-3110 when that is no valid template.
    Result<TaskCard> card(TaskFamily family, Code user, Code item, const std::string& templateId = {}, const std::string& editedForm = {}) const;
    // Asks and fills the answer. Errors of the model; CL-7001. Refused cards come back as they are.
    Result<TaskCard> ask(LanguageModel& model, TaskCard card, const RunControl& control) const;

private:
    KeptTaskModel m_model;
    std::shared_ptr<const TaskExamples> m_world;
};

} // namespace carousel
