// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/tasks/entity_field.h"
#include <QAbstractItemView>
#include <QCompleter>
#include <QFocusEvent>
#include <QStandardItemModel>
#include <QTimer>

namespace carousel::ui {

namespace {
constexpr int CodeRole = Qt::UserRole + 1;
}

EntityField::EntityField(const QString& name, const QString& accessibleName, const QString& hint)
    : m_completer(new QCompleter(this)), m_offers(new QStandardItemModel(this)) {
    setObjectName(name);
    setAccessibleName(accessibleName);
    setPlaceholderText(hint);
    setMinimumWidth(120);
    m_completer->setModel(m_offers);
    m_completer->setCompletionMode(QCompleter::UnfilteredPopupCompletion); // the index has searched already
    m_completer->setMaxVisibleItems(12);
    m_completer->popup()->setAccessibleName(accessibleName);
    m_completer->popup()->setTextElideMode(Qt::ElideRight);
    setCompleter(m_completer);
    connect(this, &QLineEdit::textEdited, this, &EntityField::offer);
    connect(m_completer, QOverload<const QModelIndex&>::of(&QCompleter::activated), this,
            [this](const QModelIndex& index) { take(index.data(CodeRole).toInt()); });
    connect(this, &QLineEdit::returnPressed, this, &EntityField::takeText);
    setEnabled(false);
}

void EntityField::setIndex(std::shared_ptr<const EntityIndex> index) {
    m_index = std::move(index);
    m_current = noCode;
    m_offers->clear();
    setEnabled(m_index && m_index->size() > 0);
    showCurrent();
}

void EntityField::setCurrent(Code code) {
    m_current = code;
    showCurrent();
}

void EntityField::offer(const QString& text) {
    m_offers->clear();
    if (!m_index)
        return;
    for (const Code code : m_index->find(text, mostOffered)) {
        auto* row = new QStandardItem(m_index->label(code));
        row->setData(static_cast<int>(code), CodeRole);
        row->setEditable(false);
        m_offers->appendRow(row);
    }
}

void EntityField::take(Code code) {
    const bool other = code != m_current;
    m_current = code;
    if (other)
        Q_EMIT chosen(code);
    QTimer::singleShot(0, this, &EntityField::showCurrent); // the completer writes its own text after this
}

// Text that was typed without taking an offer: the best one there is.
void EntityField::takeText() {
    if (!m_index || (m_current != noCode && text() == m_index->label(m_current)))
        return;
    const auto found = text().trimmed().isEmpty() ? std::vector<Code>() : m_index->find(text(), 1);
    if (found.empty()) {
        const QString wanted = text().trimmed();
        showCurrent();
        if (!wanted.isEmpty())
            Q_EMIT notFound(wanted);
        return;
    }
    take(found.front());
}

void EntityField::showCurrent() {
    setText(m_index && m_current != noCode ? m_index->label(m_current) : QString());
    setCursorPosition(0);
    setToolTip(m_index && m_current != noCode ? tr("Type a part of a title or an id; Return takes the first") : QString());
}

void EntityField::focusInEvent(QFocusEvent* event) {
    QLineEdit::focusInEvent(event);
    if (event->reason() != Qt::PopupFocusReason && event->reason() != Qt::ActiveWindowFocusReason)
        QTimer::singleShot(0, this, &QLineEdit::selectAll); // behind the click that would set the cursor
}

void EntityField::focusOutEvent(QFocusEvent* event) {
    QLineEdit::focusOutEvent(event);
    if (event->reason() != Qt::PopupFocusReason && event->reason() != Qt::ActiveWindowFocusReason)
        showCurrent(); // what was typed and not taken is no choice
}

} // namespace carousel::ui
