// SPDX-License-Identifier: GPL-3.0-or-later
// "Where does this come from?": one cell of a document with its value to the last digit and what makes it again, to read and to copy.
#pragma once
#include "report/cell_origin.h"
#include <QDialog>

class QPlainTextEdit;

namespace carousel::ui {

class OriginWindow : public QDialog {
    Q_OBJECT
public:
    explicit OriginWindow(QWidget* parent = nullptr);
    void showOrigin(const CellOrigin& origin); // opens, or shows another cell in the open one
    QString text() const;

private:
    QPlainTextEdit* m_text;
};

} // namespace carousel::ui
