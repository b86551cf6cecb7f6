// SPDX-License-Identifier: GPL-3.0-or-later
// The chip in the title bar that says where language models compute, with the menu that changes it.
#pragma once
#include <QPushButton>

class QActionGroup;
class QMenu;

namespace carousel::ui {

class ComputeSetting;

class ComputeChooser : public QPushButton {
    Q_OBJECT
public:
    explicit ComputeChooser(ComputeSetting& setting, QWidget* parent = nullptr);

private:
    void fill();
    void follow();
    ComputeSetting& m_setting;
    QMenu* m_menu;
};

} // namespace carousel::ui
