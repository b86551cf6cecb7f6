// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/origin_window.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QFontDatabase>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace carousel::ui {

OriginWindow::OriginWindow(QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("origin"));
    setWindowTitle(tr("Where does this come from?"));
    setModal(false); // the next cell can be asked for beside it
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 12, 12, 12);
    column->setSpacing(8);
    m_text = new QPlainTextEdit;
    m_text->setReadOnly(true);
    m_text->setAccessibleName(tr("Where the value comes from"));
    m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_text->setTabChangesFocus(true);
    column->addWidget(m_text, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    auto* copy = buttons->addButton(tr("Copy all"), QDialogButtonBox::ActionRole);
    copy->setIcon(Theme::icon(QStringLiteral("edit-copy")));
    copy->setAutoDefault(false);
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(text()); });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    column->addWidget(buttons);
    resize(620, 340);
}

void OriginWindow::showOrigin(const CellOrigin& origin) {
    m_text->setPlainText(qs(toText(origin)));
    show();
    raise();
    m_text->setFocus();
}

QString OriginWindow::text() const { return m_text->toPlainText(); }

} // namespace carousel::ui
