// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/tasks/task_card_view.h"
#include "pages/tasks/choice_bars.h"
#include "theme/theme.h"
#include "widgets/badge.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSignalBlocker>
#include <QSyntaxHighlighter>
#include <QToolButton>
#include <QVBoxLayout>
#include <nlohmann/json.hpp>

namespace carousel::ui {

namespace {
constexpr std::size_t fewChoices = 5;
constexpr int formLines = 3, traceLines = 12;

// Slots stand out from the words around them.
class SlotHighlighter : public QSyntaxHighlighter {
public:
    explicit SlotHighlighter(QTextDocument* document) : QSyntaxHighlighter(document) {
        connect(&Theme::instance(), &Theme::changed, this, &QSyntaxHighlighter::rehighlight);
    }

protected:
    void highlightBlock(const QString& text) override {
        static const QRegularExpression slot(QStringLiteral("\\{\\{[^}]*\\}\\}"));
        QTextCharFormat format;
        format.setForeground(Theme::instance().colours().accent);
        for (auto each = slot.globalMatch(text); each.hasNext();) {
            const auto match = each.next();
            setFormat(static_cast<int>(match.capturedStart()), static_cast<int>(match.capturedLength()), format);
        }
    }
};

QString answerWord(TaskAnswer answer) {
    switch (answer) {
    case TaskAnswer::item:
        return QObject::tr("an item");
    case TaskAnswer::stars:
        return QObject::tr("stars");
    case TaskAnswer::yesNo:
        return QObject::tr("yes or no");
    case TaskAnswer::likeDislike:
        return QObject::tr("like or dislike");
    case TaskAnswer::sentence:
        return QObject::tr("a sentence");
    case TaskAnswer::headline:
        return QObject::tr("a headline");
    }
    return {};
}

QString indented(const std::string& json) {
    const auto read = nlohmann::json::parse(json, nullptr, false);
    return qs(read.is_discarded() ? json : read.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

// A label that may be narrower than its longest word: item names without a space must not widen the page.
QLabel* wrapped(const char* role, const QString& name) {
    auto* label = textLabel({}, role, true);
    label->setMinimumWidth(1);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    label->setFocusPolicy(Qt::ClickFocus); // in reach of the mouse; Tab goes from control to control
    label->setObjectName(name);
    return label;
}
} // namespace

QString familyTitle(TaskFamily family) {
    return QObject::tr(title(family));
}

TaskCardView::TaskCardView(TaskFamily family) : m_family(family) {
    setObjectName(QStringLiteral("task-") + QString::fromLatin1(name(family)));
    setProperty("card", QStringLiteral("true"));
    setAccessibleName(familyTitle(family));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 12);
    column->setSpacing(8);
    column->addWidget(makeHead());
    auto* body = new QHBoxLayout;
    body->setSpacing(16);
    body->addWidget(makeLeft(), 5);
    body->addWidget(makeRight(), 4);
    column->addLayout(body);
    column->addWidget(makeTrace());
    connect(m_templates, &QComboBox::activated, this, &TaskCardView::chooseTemplate);
    connect(m_form, &QPlainTextEdit::textChanged, this, [this] {
        if (m_filling)
            return;
        rebuild();
        Q_EMIT wordingChanged();
    });
    connect(m_reset, &QPushButton::clicked, this, &TaskCardView::reset);
    connect(m_ask, &QPushButton::clicked, this, &TaskCardView::askWanted);
    fitEditors();
    setDesk({});
}

QWidget* TaskCardView::makeHead() {
    auto* head = new QWidget;
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    const QString of = familyTitle(m_family);
    auto* heading = textLabel(of, "heading");
    row->addWidget(heading);
    m_templates = new QComboBox;
    m_templates->setObjectName(QStringLiteral("wording"));
    m_templates->setAccessibleName(tr("%1: wording").arg(of));
    m_templates->setToolTip(tr("In which words the model is asked. One wording of each family was kept out of training."));
    m_templates->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_templates->setMinimumContentsLength(14);
    m_templates->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    row->addWidget(m_templates, 1);
    m_badge = new Badge({});
    row->addWidget(m_badge);
    m_reset = new QPushButton(tr("Reset"));
    m_reset->setObjectName(QStringLiteral("reset"));
    m_reset->setProperty("kind", QStringLiteral("quiet"));
    m_reset->setAccessibleName(tr("%1: back to the text that is built in").arg(of));
    m_reset->setToolTip(tr("Back to the text that is built in"));
    row->addWidget(m_reset);
    m_ask = new QPushButton(tr("Ask"));
    m_ask->setObjectName(QStringLiteral("ask"));
    m_ask->setAccessibleName(tr("%1: ask").arg(of));
    m_ask->setToolTip(tr("Ask the model this one question"));
    row->addWidget(m_ask);
    return head;
}

QWidget* TaskCardView::makeLeft() {
    auto* left = new QWidget;
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    m_form = new QPlainTextEdit;
    m_form->setObjectName(QStringLiteral("form"));
    m_form->setAccessibleName(tr("%1: text of the template").arg(familyTitle(m_family)));
    m_form->setToolTip(plainToolTip(tr(
        "Slots: {{user}}, {{item}}, {{title}}, {{details}}, {{profile}}, {{history}}, {{candidates}}, {{stars}}, {{review}}, {{feature}}. "
        "What stands between {{#slot}} and {{/slot}} appears only where the slot has a value.")));
    m_form->setTabChangesFocus(true);
    new SlotHighlighter(m_form->document());
    column->addWidget(m_form);
    m_invalid = wrapped("bad", QStringLiteral("invalid"));
    column->addWidget(m_invalid);
    m_promptTitle = textLabel({}, "caption", true);
    column->addSpacing(2);
    column->addWidget(m_promptTitle);
    m_prompt = wrapped("", QStringLiteral("prompt"));
    m_prompt->setAccessibleDescription(tr("%1: prompt").arg(familyTitle(m_family)));
    column->addWidget(m_prompt);
    column->addStretch(1);
    return left;
}

QWidget* TaskCardView::makeRight() {
    auto* right = new QWidget;
    auto* column = new QVBoxLayout(right);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    m_answerText = wrapped("heading", QStringLiteral("answer"));
    column->addWidget(m_answerText);
    m_stale = wrapped("warning", QStringLiteral("stale"));
    column->addWidget(m_stale);
    m_bars = new ChoiceBars(tr("%1: answers and their probabilities").arg(familyTitle(m_family)));
    column->addWidget(m_bars);
    m_truth = wrapped("", QStringLiteral("truth"));
    column->addWidget(m_truth);
    m_beforeText = wrapped("secondary", QStringLiteral("before"));
    column->addWidget(m_beforeText);
    m_note = wrapped("secondary", QStringLiteral("note"));
    column->addWidget(m_note);
    m_cost = textLabel({}, "caption", true);
    m_cost->setObjectName(QStringLiteral("cost"));
    column->addWidget(m_cost);
    const auto disclosure = [this](const char* name, const QString& accessible) {
        auto* button = new QToolButton;
        button->setObjectName(QString::fromLatin1(name));
        button->setAccessibleName(tr("%1: %2").arg(familyTitle(m_family), accessible));
        button->setCheckable(true);
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setArrowType(Qt::RightArrow);
        connect(button, &QToolButton::toggled, this, [button](bool on) { button->setArrowType(on ? Qt::DownArrow : Qt::RightArrow); });
        return button;
    };
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    m_more = disclosure("more", tr("more answers"));
    m_more->setToolTip(tr("All answers that were weighed, at most ten"));
    row->addWidget(m_more);
    m_traceButton = disclosure("trace-button", tr("trace"));
    m_traceButton->setText(tr("Trace"));
    m_traceButton->setToolTip(tr("What was asked and answered, to the letter, with log-probabilities, tokens and time"));
    row->addWidget(m_traceButton);
    row->addStretch(1);
    column->addLayout(row);
    column->addStretch(1);
    connect(m_more, &QToolButton::toggled, this, &TaskCardView::showResult);
    connect(m_traceButton, &QToolButton::toggled, this, &TaskCardView::showResult);
    return right;
}

QWidget* TaskCardView::makeTrace() {
    m_tracePanel = new QWidget;
    auto* column = new QVBoxLayout(m_tracePanel);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    auto* row = new QHBoxLayout;
    row->addWidget(textLabel(tr("Trace"), "heading"));
    row->addStretch(1);
    auto* copy = new QPushButton(Theme::icon(QStringLiteral("edit-copy")), tr("Copy"));
    copy->setObjectName(QStringLiteral("copy-trace"));
    copy->setAccessibleName(tr("%1: copy the trace").arg(familyTitle(m_family)));
    copy->setToolTip(tr("Copy the trace as JSON"));
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_trace->toPlainText()); });
    row->addWidget(copy);
    column->addLayout(row);
    m_trace = new QPlainTextEdit;
    m_trace->setObjectName(QStringLiteral("trace"));
    m_trace->setReadOnly(true);
    m_trace->setTabChangesFocus(true);
    m_trace->setAccessibleName(tr("%1: trace").arg(familyTitle(m_family)));
    column->addWidget(m_trace);
    m_tracePanel->hide();
    return m_tracePanel;
}

void TaskCardView::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::FontChange)
        fitEditors();
}

void TaskCardView::fitEditors() {
    if (!m_trace)
        return;
    for (const auto& [editor, lines] : {std::pair{m_form, formLines}, std::pair{m_trace, traceLines}}) {
        const QFont font = Theme::instance().mono();
        if (editor->document()->defaultFont() != font)
            editor->document()->setDefaultFont(font);
        editor->setFixedHeight(QFontMetrics(font).lineSpacing() * lines + 2 * static_cast<int>(editor->document()->documentMargin()) + 12);
    }
}

const TaskTemplate* TaskCardView::chosenTemplate() const {
    if (m_desk)
        for (const TaskTemplate* each : m_desk->templates(m_family))
            if (qs(each->id()) == m_templates->currentData().toString())
                return each;
    return nullptr;
}

bool TaskCardView::isEdited() const {
    const auto* chosen = chosenTemplate();
    return chosen && m_form->toPlainText() != qs(chosen->source());
}

TaskCardView::Wording TaskCardView::wording() const {
    return {m_templates->currentData().toString(), isEdited() ? m_form->toPlainText() : QString()};
}

void TaskCardView::setDesk(std::shared_ptr<const TaskDesk> desk, const Wording& wording) {
    m_desk = std::move(desk);
    m_user = m_item = noCode;
    m_filling = true;
    m_templates->clear();
    if (m_desk)
        for (const TaskTemplate* each : m_desk->templates(m_family)) {
            const QString form = qs(each->source()).simplified();
            m_templates->addItem(each->heldOut() ? tr("%1 → %2, not trained on: %3").arg(qs(each->id()), answerWord(each->answer()), form)
                                                 : tr("%1 → %2: %3").arg(qs(each->id()), answerWord(each->answer()), form),
                                 qs(each->id()));
            m_templates->setItemData(m_templates->count() - 1, plainToolTip(qs(each->source())), Qt::ToolTipRole);
        }
    m_templates->setEnabled(m_desk != nullptr);
    m_templates->setCurrentIndex(std::max(m_templates->findData(wording.templateId), m_templates->count() > 0 ? 0 : -1));
    const auto* chosen = chosenTemplate();
    const bool kept = !wording.form.isEmpty() && m_templates->currentData().toString() == wording.templateId;
    m_form->setPlainText(kept ? wording.form : chosen ? qs(chosen->source()) : QString());
    m_form->setEnabled(m_desk != nullptr);
    m_filling = false;
    forget();
    rebuild();
}

void TaskCardView::setPair(Code user, Code item) {
    m_user = user;
    m_item = item;
    forget();
    rebuild();
}

void TaskCardView::chooseTemplate() {
    const auto* chosen = chosenTemplate();
    m_filling = true;
    m_form->setPlainText(chosen ? qs(chosen->source()) : QString());
    m_filling = false;
    rebuild();
    Q_EMIT wordingChanged();
}

// By the editor's own commands, so that what was written comes back with Ctrl+Z.
void TaskCardView::reset() {
    const auto* chosen = chosenTemplate();
    if (!chosen)
        return;
    QTextCursor cursor(m_form->document());
    cursor.select(QTextCursor::Document);
    cursor.insertText(qs(chosen->source()));
}

void TaskCardView::forget() {
    m_answer.reset();
    m_error.reset();
    m_before.clear();
    m_card.reset();
    m_prompt->clear();
}

void TaskCardView::rebuild() {
    const auto* chosen = chosenTemplate();
    const bool edited = isEdited();
    QString wrong;
    if (m_desk && chosen && m_user != noCode && m_item != noCode) {
        const std::string form = ss(m_form->toPlainText());
        // An empty text would be read as "not edited": it is refused like any other text that is no template.
        const auto made = form.empty() ? TaskTemplate::make(chosen->id(), m_family, chosen->answer(), false, {}).and_then([&](const auto&) {
            return m_desk->card(m_family, m_user, m_item, chosen->id());
        })
                                       : m_desk->card(m_family, m_user, m_item, chosen->id(), form);
        if (made) {
            m_card = *made;
            m_prompt->setText(qs(made->prompt));
        } else {
            m_card.reset(); // the last valid prompt stays to be read, but it is not what would be asked
            wrong = tr("▲ %1\n%2 (%3)").arg(qs(made.error().message), qs(made.error().hint), qs(made.error().code));
        }
    }
    m_invalid->setText(wrong);
    m_invalid->setVisible(!wrong.isEmpty());
    setRole(m_prompt, "role", wrong.isEmpty() ? QString() : QStringLiteral("secondary"));
    const bool refused = m_card && !m_card->refusal.empty();
    m_promptTitle->setText(!wrong.isEmpty() ? tr("Prompt of the last valid text")
                           : refused        ? QString()
                                            : tr("Prompt: what the model reads"));
    m_promptTitle->setVisible(!m_prompt->text().isEmpty());
    m_prompt->setVisible(!m_prompt->text().isEmpty());
    if (edited)
        m_badge->setBadge(tr("edited"), Badge::Tone::warning, tr("The model was not trained with this wording."));
    else if (chosen && chosen->heldOut())
        m_badge->setBadge(tr("not trained on"), Badge::Tone::accent,
                          tr("This wording was kept out of training, to see whether the model understands one it has never read."));
    m_badge->setVisible(edited || (chosen && chosen->heldOut()));
    m_reset->setEnabled(edited);
    showResult();
}

void TaskCardView::setAsking(Asking asking) {
    m_asking = asking;
    if (asking != Asking::no)
        m_error.reset();
    showResult();
}

void TaskCardView::showAnswer(const TaskCard& answered) {
    m_before = m_answer && m_answer->prompt != answered.prompt ? qs(m_answer->answer) : QString();
    m_answer = answered;
    m_error.reset();
    m_asking = Asking::no;
    m_trace->setPlainText(indented(answered.trace));
    showResult();
}

void TaskCardView::showError(const Error& error) {
    m_error = error;
    m_asking = Asking::no;
    showResult();
}

void TaskCardView::showResult() {
    const bool refused = m_card && !m_card->refusal.empty();
    const bool answered = m_answer && !refused;
    QString text;
    const char* role = "secondary";
    if (m_asking == Asking::now)
        text = tr("Asking…");
    else if (m_asking == Asking::waiting)
        text = tr("Waiting for its turn…");
    else if (m_error) {
        text = tr("▲ %1\n%2 (%3)").arg(qs(m_error->message), qs(m_error->hint), qs(m_error->code));
        role = "bad";
    } else if (refused)
        text = tr("○ %1").arg(qs(m_card->refusal));
    else if (answered) {
        const bool words = m_answer->answerKind == TaskAnswer::sentence || m_answer->answerKind == TaskAnswer::headline;
        text = m_answer->answer.empty() ? tr("(nothing)") : words ? tr("“%1”").arg(qs(m_answer->answer)) : qs(m_answer->answer);
        role = "heading";
    } else if (m_desk && m_user != noCode)
        text = tr("Not asked yet.");
    m_answerText->setText(text);
    setRole(m_answerText, "role", QString::fromLatin1(role));

    const bool stale = answered && m_asking == Asking::no && !m_error && (!m_card || m_card->prompt != m_answer->prompt);
    m_stale->setText(stale ? tr("▲ This is the answer to the wording before. Ask again to see what the change does.") : QString());
    m_stale->setVisible(stale);
    const bool results = answered && m_asking == Asking::no && !m_error;
    const auto& from = results ? m_answer : m_card; // truth and note are known before anything is asked
    m_bars->setVisible(results && !m_answer->choices.empty());
    if (results)
        m_bars->setChoices(m_answer->choices, qs(m_answer->truth), m_more->isChecked() ? m_answer->choices.size() : fewChoices);
    const bool known = from && !refused && !from->truth.empty();
    m_truth->setText(known ? tr("★ What was so: %1").arg(qs(from->truth)) : QString());
    m_truth->setVisible(known);
    m_beforeText->setText(results && !m_before.isEmpty() ? tr("Before the change: %1").arg(m_before) : QString());
    m_beforeText->setVisible(!m_beforeText->text().isEmpty());
    m_note->setText(from && !refused ? qs(from->note) : QString());
    m_note->setVisible(!m_note->text().isEmpty());
    m_cost->setText(results ? tr("%1 read, %2 written, %3 s")
                                  .arg(plural(m_answer->promptTokens, tr("token"), tr("tokens")), count(m_answer->generatedTokens),
                                       m_answer->seconds < 0.001 ? tr("< 0.001") : figures(m_answer->seconds))
                            : QString());
    m_cost->setVisible(results);
    const bool many = results && m_answer->choices.size() > fewChoices;
    m_more->setVisible(many);
    if (many)
        m_more->setText(m_more->isChecked() ? tr("Fewer answers") : tr("%1 more answers").arg(m_answer->choices.size() - fewChoices));
    m_traceButton->setVisible(results);
    m_tracePanel->setVisible(results && m_traceButton->isChecked());
    m_ask->setEnabled(canAsk());
}

} // namespace carousel::ui
