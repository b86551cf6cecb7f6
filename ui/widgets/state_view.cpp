// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state_view.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
QWidget* centred(QLayout* content) {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->addStretch(2);
    auto* row = new QHBoxLayout;
    row->addStretch();
    auto* inner = new QWidget;
    inner->setMaximumWidth(560);
    inner->setMinimumWidth(360);
    inner->setLayout(content);
    row->addWidget(inner);
    row->addStretch();
    column->addLayout(row);
    column->addStretch(3);
    return page;
}
} // namespace

StateView::StateView(QWidget* content, QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_stack = new QStackedWidget(this);

    auto* empty = new QVBoxLayout;
    empty->setSpacing(8);
    m_emptyIcon = new QLabel;
    m_emptyIcon->setAlignment(Qt::AlignCenter);
    m_emptyHeading = textLabel({}, "title");
    m_emptyHeading->setAlignment(Qt::AlignCenter);
    m_emptySentence = textLabel({}, "secondary", true);
    m_emptySentence->setAlignment(Qt::AlignCenter);
    m_first = new QPushButton;
    m_first->setProperty("kind", QStringLiteral("primary"));
    m_second = new QPushButton;
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_first);
    buttons->addWidget(m_second);
    buttons->addStretch();
    empty->addWidget(m_emptyIcon);
    empty->addWidget(m_emptyHeading);
    empty->addWidget(m_emptySentence);
    empty->addSpacing(8);
    empty->addLayout(buttons);
    m_stack->addWidget(centred(empty));

    auto* loading = new QVBoxLayout;
    m_loading = textLabel({}, "secondary");
    m_loading->setAlignment(Qt::AlignCenter);
    auto* bar = new QProgressBar;
    bar->setRange(0, 0);
    bar->setTextVisible(false);
    bar->setAccessibleName(tr("Loading"));
    loading->addWidget(m_loading);
    loading->addWidget(bar);
    m_stack->addWidget(centred(loading));

    auto* failed = new QVBoxLayout;
    m_failedMessage = textLabel({}, "bad", true);
    m_failedMessage->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_failedHint = textLabel({}, "", true);
    m_retry = new QPushButton;
    failed->addWidget(textLabel(tr("▲ This did not work"), "title"));
    failed->addWidget(m_failedMessage);
    failed->addWidget(m_failedHint);
    failed->addSpacing(8);
    failed->addWidget(m_retry, 0, Qt::AlignLeft);
    m_stack->addWidget(centred(failed));

    auto* ready = new QWidget;
    auto* readyColumn = new QVBoxLayout(ready);
    readyColumn->setContentsMargins(0, 0, 0, 0);
    readyColumn->setSpacing(8);
    auto* partialBar = new QFrame;
    partialBar->setProperty("card", QStringLiteral("warning"));
    auto* partialRow = new QHBoxLayout(partialBar);
    partialRow->setContentsMargins(12, 6, 12, 6);
    m_partial = textLabel({}, "warning", true);
    partialRow->addWidget(m_partial, 1);
    m_partialBar = partialBar;
    m_partialBar->hide();
    readyColumn->addWidget(m_partialBar);
    readyColumn->addWidget(content, 1);
    m_stack->addWidget(ready);
    column->addWidget(m_stack);

    connect(m_first, &QPushButton::clicked, this, [this] {
        if (m_firstCall)
            m_firstCall();
    });
    connect(m_second, &QPushButton::clicked, this, [this] {
        if (m_secondCall)
            m_secondCall();
    });
    connect(m_retry, &QPushButton::clicked, this, [this] {
        if (m_retryCall)
            m_retryCall();
    });
    for (auto* button : {m_first, m_second, m_retry}) // named even before a state gives them their words
        button->setAccessibleName(tr("Suggested step"));
    m_stack->setCurrentIndex(3);
}

void StateView::setAction(QPushButton* button, const EmptyAction& action) {
    button->setText(action.text);
    button->setAccessibleName(action.text.isEmpty() ? tr("Suggested step") : action.text);
    button->setVisible(!action.text.isEmpty());
}

void StateView::showEmpty(const QString& icon, const QString& heading, const QString& sentence, const EmptyAction& action, const EmptyAction& second) {
    m_emptyIcon->setPixmap(Theme::icon(icon).pixmap(32, 32));
    m_emptyHeading->setText(heading);
    m_emptySentence->setText(sentence);
    setAction(m_first, action);
    setAction(m_second, second);
    m_firstCall = action.call;
    m_secondCall = second.call;
    m_stack->setCurrentIndex(0);
}

void StateView::showLoading(const QString& what) {
    m_loading->setText(what);
    m_stack->setCurrentIndex(1);
}

void StateView::showFailed(const Error& error, const EmptyAction& retry) {
    m_failedMessage->setText(qs(error.code + "  " + error.message));
    m_failedHint->setText(qs(error.hint));
    setAction(m_retry, retry);
    m_retryCall = retry.call;
    m_stack->setCurrentIndex(2);
}

void StateView::showReady() { m_stack->setCurrentIndex(3); }

void StateView::setPartial(const QString& text) {
    m_partial->setText(text);
    m_partialBar->setVisible(!text.isEmpty());
}

StateView::State StateView::state() const { return static_cast<State>(m_stack->currentIndex()); }

} // namespace carousel::ui
