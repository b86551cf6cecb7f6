// SPDX-License-Identifier: GPL-3.0-or-later
// Carousels in two dimensions: which strategies to stack as rows, in which order, and what that is worth over all users and to one of them.
#pragma once
#include "pages/carousel/carousel_panel.h"
#include "pages/carousel/row_study.h"

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;
class QTimer;

namespace carousel::ui {

class CheckList;
class ElidedLabel;
class RowsGrid;
class UserBar;

class RowsPanel : public CarouselPanel {
    Q_OBJECT
public:
    RowsPanel(Session& session, WhatIf& whatIf, UserBar& users);
    bool isBusy() const override;
    const std::shared_ptr<const RowStudy>& study() const { return m_study; }
    void showStudy(std::shared_ptr<const RowStudy> study); // what computing ends in
    void keepDone();

Q_SIGNALS:
    void keepWanted(const carousel::AnalysisSpec& spec); // answered by keepDone()

protected:
    void follow() override;
    void evaluate() override {} // rows have no fold

private:
    QWidget* makeOptions();
    QWidget* makeResult();
    void fillRuns();
    std::vector<std::int64_t> chosenRuns() const;
    RowQuestion question() const;
    void compute();
    void showUser();
    void showInspection();
    void keep();

    struct Choice {
        QString text;
        std::int64_t run = 0;
        int colour = -1;
    };
    UserBar& m_users;
    std::vector<Choice> m_choices;
    ComparisonPtr m_of; // whose strategies they are
    std::shared_ptr<const RowStudy> m_study;
    bool m_computing = false;
    CheckList* m_runs;
    QSpinBox *m_rows, *m_columns;
    QDoubleSpinBox *m_alpha, *m_beta;
    QComboBox* m_order;
    QPushButton* m_keep;
    QLabel *m_sentence, *m_ofUser;
    ElidedLabel *m_greedy, *m_best;
    RowsGrid* m_grid;
    PlotView* m_path;
    QWidget* m_result;
    StateView* m_resultState;
    QTimer* m_delay;
};

} // namespace carousel::ui
