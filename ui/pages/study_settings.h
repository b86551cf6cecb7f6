// SPDX-License-Identifier: GPL-3.0-or-later
// What all strategies of a study share: name, data set, evaluation options, seed; and what a run would cost.
#pragma once
#include "experiment/specification.h"
#include "models/dataset_statistics.h"
#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;

namespace carousel::ui {

class ParameterForm;
class Session;

// The evaluation options as parameters, so that the same form and the same checks serve them.
std::vector<ParameterSpec> evaluationParameters();
Parameters toParameters(const StudySpec& study);
void fromParameters(const Parameters& values, StudySpec& study);

// Scores to be computed by one strategy: users x candidates, and whether a language model computes them.
struct PlannedWork {
    std::int64_t users = 0, candidates = 0;
    bool languageModel = false;
    std::int64_t scores() const { return users * candidates; }
};
PlannedWork plannedWork(const StudySpec& study, const StrategySpec& strategy, const PluginRegistry& plugins, std::int64_t users, std::int64_t items);

class StudySettings : public QWidget {
    Q_OBJECT
public:
    explicit StudySettings(Session& session, QWidget* parent = nullptr);

private:
    void follow();
    Session& m_session;
    QLineEdit* m_name;
    QComboBox* m_dataset;
    QLabel* m_split;
    ParameterForm* m_form;
    bool m_following = false;
};

} // namespace carousel::ui
