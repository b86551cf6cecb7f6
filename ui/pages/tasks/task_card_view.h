// SPDX-License-Identifier: GPL-3.0-or-later
// One task family on the Tasks page: the wording, which can be edited, the prompt that it makes, and what the model answered. The prompt
// follows every key; the model is asked by the page.
#pragma once
#include "workbench/tasks/task_desk.h"
#include <QFrame>
#include <optional>

class QComboBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QToolButton;
class QVBoxLayout;

namespace carousel::ui {

class Badge;
class ChoiceBars;

QString familyTitle(TaskFamily family);

class TaskCardView : public QFrame {
    Q_OBJECT
public:
    struct Wording { // what the user chose; empty parts: what is built in
        QString templateId, form;
    };
    enum class Asking { no, waiting, now };

    explicit TaskCardView(TaskFamily family);
    TaskFamily family() const { return m_family; }
    // Templates of this model; the answer goes. A template that it has not is the first one.
    void setDesk(std::shared_ptr<const TaskDesk> desk, const Wording& wording = {});
    void setPair(Code user, Code item); // the answer goes
    Wording wording() const;
    // What would be asked now; empty: no pair, or a text that is no template.
    const std::optional<TaskCard>& card() const { return m_card; }
    bool canAsk() const { return m_card && m_card->refusal.empty() && m_asking == Asking::no; }
    bool isAnswered() const { return m_answer.has_value(); }
    void setAsking(Asking asking);
    void showAnswer(const TaskCard& answered); // of this pair; it may be of a wording that has changed meanwhile
    void showError(const Error& error);

Q_SIGNALS:
    void askWanted();
    void wordingChanged(); // another template, an edit, or a reset

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeHead();
    QWidget* makeLeft();
    QWidget* makeRight();
    QWidget* makeTrace();
    void chooseTemplate();
    void reset();
    void rebuild(); // the prompt from template and pair
    void forget();  // the answer
    void showResult();
    void showCounts();
    void fitEditors();
    bool isEdited() const;
    const TaskTemplate* chosenTemplate() const;

    TaskFamily m_family;
    std::shared_ptr<const TaskDesk> m_desk;
    Code m_user = noCode, m_item = noCode;
    std::optional<TaskCard> m_card, m_answer;
    QString m_before; // answer to another wording of the same pair
    std::optional<Error> m_error;
    Asking m_asking = Asking::no;
    bool m_filling = false;

    QComboBox* m_templates;
    Badge* m_badge;
    QPushButton *m_ask, *m_reset;
    QPlainTextEdit *m_form = nullptr, *m_trace = nullptr; // a change of font may come before they are made
    QLabel *m_invalid, *m_promptTitle, *m_prompt;
    QLabel *m_answerText, *m_stale, *m_truth, *m_note, *m_cost, *m_beforeText;
    ChoiceBars* m_bars;
    QToolButton *m_more, *m_traceButton;
    QWidget* m_tracePanel;
};

} // namespace carousel::ui
