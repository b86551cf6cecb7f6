// SPDX-License-Identifier: GPL-3.0-or-later
// Choices with a tick each, in a wrapping row; the order of ticking is kept.
#pragma once
#include <QStringList>
#include <QWidget>

namespace carousel::ui {

class FlowLayout;

class CheckList : public QWidget {
    Q_OBJECT
public:
    explicit CheckList(QWidget* parent = nullptr);
    void setChoices(const QStringList& choices, const QStringList& checked);
    QStringList checked() const { return m_checked; }

Q_SIGNALS:
    void edited();

private:
    FlowLayout* m_layout;
    QStringList m_checked;
};

} // namespace carousel::ui
