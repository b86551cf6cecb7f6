// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/page.h"
#include "theme/theme.h"
#include "widgets/inspector.h"
#include "widgets/text.h"
#include <QHBoxLayout>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

namespace carousel::ui {

Page::Page(Session& session, const QString& id, const QString& icon, const QString& title, const QString& question)
    : m_session(session), m_id(id), m_icon(icon), m_title(title), m_question(question) {
    setObjectName(QStringLiteral("page-") + id);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(px(Space::page), px(Space::page), px(Space::page), px(Space::page));
    column->setSpacing(12);
    auto* header = new QHBoxLayout;
    header->setSpacing(8);
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(textLabel(title, "title"));
    words->addWidget(textLabel(question, "question", true));
    header->addLayout(words, 1);
    m_headerWidgets = new QHBoxLayout;
    m_headerWidgets->setSpacing(8);
    header->addLayout(m_headerWidgets);
    m_buttons = new QHBoxLayout;
    m_buttons->setSpacing(8);
    header->addLayout(m_buttons);
    column->addLayout(header);
    m_body = new QSplitter(Qt::Horizontal);
    m_body->setChildrenCollapsible(false);
    column->addWidget(m_body, 1);
}

void Page::setContent(QWidget* content) {
    m_state = new StateView(content);
    m_body->insertWidget(0, m_state);
    m_body->setStretchFactor(0, 1);
}

Inspector& Page::inspector() {
    if (!m_inspector) {
        m_inspector = new Inspector;
        m_body->addWidget(m_inspector);
        m_body->setStretchFactor(m_body->count() - 1, 0);
    }
    return *m_inspector;
}

void Page::addHeaderWidget(QWidget* widget) { m_headerWidgets->addWidget(widget); }

QAction* Page::addPageAction(const QString& icon, const QString& text, const QString& tip, const QKeySequence& shortcut, Weight weight,
                             std::function<void()> call) {
    auto* action = new QAction(Theme::icon(icon), text, this);
    action->setShortcut(shortcut);
    action->setShortcutContext(Qt::WindowShortcut); // wherever the focus is; a hidden page's actions do not take part
    const QString keys = shortcut.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(shortcut.toString(QKeySequence::NativeText));
    action->setToolTip(tip + keys);
    connect(action, &QAction::triggered, this, [call] { call(); });
    addAction(action);
    m_actions << action;
    auto* button = new QPushButton(text);
    if (weight == Weight::primary)
        button->setProperty("kind", QStringLiteral("primary"));
    else
        button->setIcon(action->icon());
    button->setToolTip(action->toolTip());
    button->setAccessibleDescription(tip);
    const auto follow = [button, action] {
        button->setEnabled(action->isEnabled());
        button->setText(action->text());
        button->setToolTip(action->toolTip());
        button->setVisible(action->isVisible());
    };
    connect(action, &QAction::changed, button, follow);
    connect(button, &QPushButton::clicked, action, &QAction::trigger);
    if (weight == Weight::primary)
        m_buttons->addWidget(button);
    else
        m_buttons->insertWidget(0, button);
    return action;
}

QList<PaletteEntry> Page::paletteEntries() const {
    QList<PaletteEntry> entries;
    for (auto* action : m_actions)
        if (action->isEnabled() && action->isVisible())
            entries << PaletteEntry{QStringLiteral("action"), action->text(), m_title, action->shortcut().toString(QKeySequence::NativeText),
                                    [this, action] {
                                        m_session.goTo(m_id);
                                        action->trigger();
                                    }};
    return entries;
}

} // namespace carousel::ui
