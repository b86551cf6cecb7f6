// SPDX-License-Identifier: GPL-3.0-or-later
// What is to be analysed: the log, the kind of analysis with what it answers (or why this log cannot carry it), the strategies of an off-policy
// evaluation, and the options, common ones first.
#pragma once
#include "pages/experiments/analysis_needs.h"
#include "session/session.h"
#include <QWidget>

class QComboBox;
class QLabel;
class QRadioButton;
class QToolButton;

namespace carousel::ui {

class ParameterForm;
class StrategyChoice;

class AnalysisSetup : public QWidget {
    Q_OBJECT
public:
    explicit AnalysisSetup(Session& session);
    void refresh(); // data sets and runs of the project
    AnalysisKind kind() const { return m_kind; }
    void setKind(AnalysisKind kind);
    QString dataset() const;
    void setDataset(const QString& name);
    bool canRun(QString* reason = nullptr) const;
    Result<AnalysisSpec> spec() const;
    bool isBusy() const { return m_loading; }
    bool canCarryAny() const; // the data set has been read, and some kind of analysis is possible with it

Q_SIGNALS:
    void changed(); // kind, data set, options or whether it can run

private:
    void loadBadges();
    void followAbility();
    void fillForms();
    QWidget* makeKinds();
    QWidget* makeOptions();
    struct Choice {
        AnalysisKind kind;
        QRadioButton* button;
        QLabel* words;
    };
    Session& m_session;
    AnalysisKind m_kind = AnalysisKind::clicks;
    QComboBox* m_dataset;
    QLabel* m_datasetNote;
    std::vector<Choice> m_choices;
    StrategyChoice* m_strategies;
    ParameterForm *m_common, *m_more;
    QToolButton* m_moreButton;
    QString m_loaded;                       // data set that the badges are of
    std::vector<carousel::Badge> m_badges;
    std::vector<std::string> m_policies, m_userFields;
    std::map<AnalysisKind, Parameters> m_kept; // what was set before another kind was looked at
    Error m_error;
    bool m_loading = false, m_failed = false, m_filling = false;
};

} // namespace carousel::ui
