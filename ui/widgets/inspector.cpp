// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/inspector.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRegularExpression>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
constexpr int openWidth = 268, foldedWidth = 36;

// Places to break long words (paths, JSON): behind their punctuation, by a space of no width.
QString breakable(QString text) {
    static const QRegularExpression joint(QStringLiteral("([,:/=])(?=\\S)"));
    return text.replace(joint, QStringLiteral("\\1\u200B"));
}
} // namespace

Inspector::Inspector(QWidget* parent) : QFrame(parent) {
    setProperty("card", QStringLiteral("true"));
    setAccessibleName(tr("Inspector"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(4, 4, 4, 4);
    auto* head = new QHBoxLayout;
    m_fold = new QToolButton;
    m_fold->setCheckable(true);
    m_fold->setAccessibleName(tr("Fold the inspector"));
    m_fold->setToolTip(tr("Fold or open the inspector"));
    head->addWidget(m_fold);
    m_heading = textLabel({}, "heading", true);
    head->addWidget(m_heading, 1);
    column->addLayout(head);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    m_content = new QWidget;
    m_content->setProperty("role", QStringLiteral("canvas"));
    m_rows = new QVBoxLayout(m_content);
    m_rows->setContentsMargins(8, 0, 8, 8);
    m_rows->setSpacing(2);
    scroll->setWidget(m_content);
    column->addWidget(scroll, 1);
    connect(m_fold, &QToolButton::toggled, this, &Inspector::setFolded);
    setFolded(false);
}

void Inspector::setFolded(bool folded) {
    m_fold->setChecked(folded);
    m_fold->setIcon(Theme::icon(folded ? QStringLiteral("go-previous") : QStringLiteral("go-next")));
    m_heading->setVisible(!folded);
    m_content->setVisible(!folded);
    if (m_footer)
        m_footer->setVisible(!folded);
    setMinimumWidth(folded ? foldedWidth : 220);
    setMaximumWidth(folded ? foldedWidth : 420);
    resize(folded ? foldedWidth : openWidth, height());
}

void Inspector::setFooter(QWidget* footer) {
    m_footer = new QWidget; // a holder, so that folding and the footer's own hiding do not meet
    auto* column = new QVBoxLayout(m_footer);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(footer);
    layout()->addWidget(m_footer);
    m_footer->setVisible(!m_fold->isChecked());
}

void Inspector::reset() {
    while (auto* item = m_rows->takeAt(0)) {
        if (item->widget())
            item->widget()->deleteLater();
        delete item;
    }
}

void Inspector::showRows(const QString& heading, const std::vector<InspectorRow>& rows, const QString& note) {
    reset();
    m_heading->setText(heading);
    for (const auto& row : rows) {
        auto* name = textLabel(breakable(row.name), "caption", true);
        name->setMinimumWidth(1); // a file's name may be the row's
        m_rows->addWidget(name);
        constexpr qsizetype longestWord = 28;
        if (row.value.size() > longestWord && !row.value.contains(QLatin1Char(' ')) && !row.value.contains(QLatin1Char('\n'))) {
            auto* digest = new QLineEdit(row.value); // no place to break it: scrolls, and copies whole
            digest->setReadOnly(true);
            digest->setAccessibleName(row.name);
            digest->setCursorPosition(0);
            digest->setMinimumWidth(1);
            m_rows->addWidget(digest);
        } else {
            auto* value = textLabel(row.value.isEmpty() ? QStringLiteral("–") : breakable(row.value), "", true);
            value->setMinimumWidth(1); // a word that is still too long must not push the others out of sight
            value->setTextInteractionFlags(Qt::TextSelectableByMouse);
            m_rows->addWidget(value);
        }
        m_rows->addSpacing(6);
    }
    if (!note.isEmpty())
        m_rows->addWidget(textLabel(note, "secondary", true));
    m_rows->addStretch();
}

void Inspector::clear(const QString& hint) {
    reset();
    m_heading->setText(tr("Inspector"));
    m_rows->addWidget(textLabel(hint, "secondary", true));
    m_rows->addStretch();
}

} // namespace carousel::ui
