// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/tasks/task_desk.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

constexpr std::size_t shownChoices = 10;

std::int64_t reviewOf(const Dataset& dataset, Code user, Code item) { // item noCode: the first with a text
    for (std::size_t row = 0; row < dataset.reviews.size(); ++row)
        if (dataset.reviews.user[row] == user && (item == noCode ? !dataset.reviews.text[row].empty() : dataset.reviews.item[row] == item))
            return static_cast<std::int64_t>(row);
    return -1;
}

std::vector<std::string> answersOf(TaskAnswer kind) {
    switch (kind) {
    case TaskAnswer::stars: return {"1", "2", "3", "4", "5"};
    case TaskAnswer::yesNo: return {"yes", "no"};
    case TaskAnswer::likeDislike: return {"like", "dislike"};
    default: return {};
    }
}

} // namespace

bool TaskDesk::learned(TaskFamily family) const {
    return std::find(m_model.families.begin(), m_model.families.end(), family) != m_model.families.end();
}

std::vector<const TaskTemplate*> TaskDesk::templates(TaskFamily family) const {
    std::vector<const TaskTemplate*> out;
    for (const TaskTemplate& each : m_world->templates())
        if (each.family() == family)
            out.push_back(&each);
    return out;
}

Result<TaskCard> TaskDesk::card(TaskFamily family, Code user, Code item, const std::string& templateId, const std::string& editedForm) const {
    const auto own = templates(family);
    const auto chosen = std::find_if(own.begin(), own.end(), [&](const TaskTemplate* each) { return templateId.empty() || each->id() == templateId; });
    if (chosen == own.end())
        return fail(ErrorKind::usage, "CL-3110", fmt::format("There is no template '{}' of '{}'.", templateId, name(family)), "Choose one of the list.");
    TaskTemplate form = **chosen;
    const bool edited = !editedForm.empty() && editedForm != form.source();
    if (edited) {
        CAROUSEL_ASSIGN(form, TaskTemplate::make(form.id(), family, form.answer(), form.heldOut(), editedForm));
    }
    const Dataset& data = m_world->dataset();
    const TaskSplit& split = m_world->split();
    const auto u = static_cast<std::size_t>(user);
    TaskCard out;
    out.family = family, out.templateId = form.id(), out.heldOutWording = form.heldOut() || edited;
    out.form = form.source(), out.answerKind = form.answer();
    TaskQuestion& question = out.question;
    question.family = family, question.user = user, question.item = item;
    question.history = split.history[u];
    question.review = reviewOf(data, user, item);
    if (!learned(family)) {
        out.refusal = fmt::format("This model has not learned '{}'.", title(family));
        return out;
    }
    const bool held = split.heldOut(user, item);
    const std::string pair = held ? "Held out: the model has never read of this customer and this item." : "";
    const auto stars = [&] { return question.review >= 0 && std::isfinite(data.reviews.stars[static_cast<std::size_t>(question.review)]); };
    switch (family) {
    case TaskFamily::sequential:
        if (question.history.empty()) {
            out.refusal = "Nothing is known of this customer's past.";
            return out;
        }
        if (split.validationItem[u] != noCode)
            question.history.push_back(split.validationItem[u]);
        if (split.testItem[u] != noCode) {
            out.truth = data.items.displayName(split.testItem[u]);
            out.note = "Held out: what this customer chose next.";
        }
        break;
    case TaskFamily::direct:
        if (split.testItem[u] != noCode) {
            out.truth = data.items.displayName(split.testItem[u]);
            out.note = "Held out: what this customer chose later.";
        }
        break;
    case TaskFamily::rating:
        std::erase(question.history, item);
        if (stars())
            out.truth = fmt::format("{:.0f}", data.reviews.stars[static_cast<std::size_t>(question.review)]);
        out.note = held ? pair : question.review >= 0 ? "The model has learned from this review." : "This customer has not rated this item.";
        break;
    case TaskFamily::explanation:
        if (question.review >= 0 && m_world->hasExplanation(question.review))
            out.truth = m_world->explanationOf(question.review);
        out.note = held ? pair : question.review >= 0 ? "The model has learned from this review." : "This customer has not written about this item.";
        break;
    case TaskFamily::summary: {
        if (question.review < 0 || data.reviews.text[static_cast<std::size_t>(question.review)].empty())
            question.review = reviewOf(data, user, noCode);
        if (question.review < 0) {
            out.refusal = "This customer has written no review.";
            return out;
        }
        const auto row = static_cast<std::size_t>(question.review);
        question.item = data.reviews.item[row];
        out.truth = form.answer() == TaskAnswer::headline ? data.reviews.headline[row] : fmt::format("{:.0f}", data.reviews.stars[row]);
        out.note = split.reviewPart[row] == Part::train ? "The model has learned from this review."
                                                        : fmt::format("Held out: a review of '{}' that the model has never read.", data.items.displayName(question.item));
        break;
    }
    }
    if (form.uses("candidates")) {
        for (Code other = 0; question.candidates.size() < 9 && other < static_cast<Code>(data.items.size()); ++other)
            if (!std::binary_search(split.seen[u].begin(), split.seen[u].end(), other) && other != item)
                question.candidates.push_back(other);
        question.candidates.push_back(item);
        std::sort(question.candidates.begin(), question.candidates.end());
    }
    if (edited)
        out.note += (out.note.empty() ? "" : " ") + std::string("Edited: the model was not trained with this wording.");
    out.prompt = m_world->sourceWith(form, question);
    return out;
}

Result<TaskCard> TaskDesk::ask(LanguageModel& model, TaskCard card, const RunControl& control) const {
    if (!card.refusal.empty())
        return card;
    const auto start = std::chrono::steady_clock::now();
    const Dataset& data = m_world->dataset();
    const ItemIdentifiers& names = m_world->identifiers();
    const auto spoken = [&](const std::string& text) {
        const Code item = names.find(text);
        return item == noCode ? text : data.items.displayName(item);
    };
    nlohmann::json raw = nlohmann::json::array();
    card.choices.clear();
    if (const auto answers = answersOf(card.answerKind); !answers.empty()) {
        BranchRequest request;
        request.shared = {{"user", ""}};
        request.branches = {card.prompt};
        request.answers = answers;
        CAROUSEL_ASSIGN(const BranchScores scores, model.scoreBranches(request, control));
        const auto logits = scores.logits.row(0);
        const float top = *std::max_element(logits.begin(), logits.end());
        double sum = 0, expected = 0;
        for (const float logit : logits)
            sum += std::exp(static_cast<double>(logit - top));
        for (std::size_t a = 0; a < answers.size(); ++a) {
            const double p = std::exp(static_cast<double>(logits[a] - top)) / sum;
            expected += p * static_cast<double>(a + 1);
            card.choices.push_back({answers[a], p});
            raw.push_back({{"answer", answers[a]}, {"logit", logits[a]}});
        }
        std::stable_sort(card.choices.begin(), card.choices.end(), [](const auto& a, const auto& b) { return a.probability > b.probability; });
        card.answer = card.choices.front().text;
        if (card.answerKind == TaskAnswer::stars)
            card.answer += fmt::format(" ({:.1f} expected)", expected);
        card.promptTokens = scores.prefixTokens + scores.branchTokens;
    } else {
        GenerateOptions options;
        if (card.answerKind == TaskAnswer::item) {
            options.beams = 20, options.sequences = static_cast<int>(shownChoices), options.lengthPenalty = 0, options.maximumTokens = 64;
            const auto& seen = m_world->split().seen[static_cast<std::size_t>(card.question.user)];
            const auto& offered = card.question.candidates;
            for (Code item = 0; item < static_cast<Code>(data.items.size()); ++item)
                if (offered.empty() ? !std::binary_search(seen.begin(), seen.end(), item) : std::find(offered.begin(), offered.end(), item) != offered.end())
                    options.oneOf.push_back(names.names[static_cast<std::size_t>(item)]);
        } else {
            options.maximumTokens = 48;
        }
        CAROUSEL_ASSIGN(const Generated made, model.generate({{"user", card.prompt}}, options, control));
        for (const GeneratedSequence& each : made.sequences) {
            raw.push_back({{"answer", each.text}, {"logProbability", each.logProbability}});
            if (card.answerKind == TaskAnswer::item)
                card.choices.push_back({spoken(each.text), std::exp(each.logProbability)});
        }
        card.answer = spoken(made.text);
        card.promptTokens = made.promptTokens, card.generatedTokens = made.generatedTokens;
    }
    card.answered = true;
    card.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    card.trace = nlohmann::json{{"template", card.templateId}, {"form", card.form}, {"prompt", card.prompt}, {"answers", raw},
                                {"promptTokens", card.promptTokens}, {"generatedTokens", card.generatedTokens}, {"seconds", card.seconds},
                                {"model", model.info().id}}
                     .dump(1);
    return card;
}

} // namespace carousel
