// SPDX-License-Identifier: GPL-3.0-or-later
// Home: what the program answers, samples that open with one click, recent projects.
#pragma once
#include "pages/page.h"

class QFrame;
class QGridLayout;
class QLabel;
class QVBoxLayout;

namespace carousel::ui {

class HomePage : public Page {
    Q_OBJECT
public:
    explicit HomePage(Session& session);
    void entered() override { rebuild(); }

    void openWithDialog();
    void createWithDialog();

private:
    void rebuild();
    QWidget* sampleCard(const Sample& sample);
    QWidget* projectCard();
    QVBoxLayout* m_recent;
    QGridLayout* m_samples;
    QVBoxLayout* m_current;
    QFrame* m_error;
    QLabel* m_errorText;
};

} // namespace carousel::ui
