// SPDX-License-Identifier: GPL-3.0-or-later
// Which user is looked at: search by id, one back, one on, and only those whose ideal item nearly made it. Shared by the panels that show
// one user's carousels.
#pragma once
#include "pages/carousel/carousel_panel.h"
#include "pages/carousel/user_index.h"

class QCheckBox;
class QLabel;
class QLineEdit;
class QToolButton;

namespace carousel::ui {

class UserBar : public QWidget {
    Q_OBJECT
public:
    UserBar(Session& session, WhatIf& whatIf);
    void showRuns(const ShownRuns& shown); // reads their users when they are not known yet
    void forget();                         // another comparison
    const UserIndexPtr& index() const { return m_index; }
    const QString& userId() const { return m_userId; }

public Q_SLOTS:
    void step(int by);

Q_SIGNALS:
    void userShown();
    void failed(const carousel::Error& error);

private:
    void showIndex();
    void showOutside();
    void showUser(Code user);
    void search();
    std::vector<int> visibleRows() const; // rows of the index that the filter lets through

    Session& m_session;
    WhatIf& m_whatIf;
    ShownRuns m_shown;
    UserIndexPtr m_index;
    QString m_userId;
    QLineEdit* m_search;
    QToolButton *m_previous, *m_next;
    QLabel* m_place;
    QCheckBox* m_outside;
};

} // namespace carousel::ui
