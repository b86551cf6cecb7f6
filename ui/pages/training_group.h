// SPDX-License-Identifier: GPL-3.0-or-later
// "Learns from carousel clicks": what the selected strategy takes from the carousel log of the study's data set. Edits can be undone.
#pragma once
#include "session/session.h"
#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QLabel;

namespace carousel::ui {

QString trainingNote(const TrainingSpec& training); // "+ clicks, weighted"; empty when no click is used

class TrainingGroup : public QWidget {
    Q_OBJECT
public:
    explicit TrainingGroup(Session& session, QWidget* parent = nullptr);

private:
    void follow();
    void edited(const QString& id);
    Session& m_session;
    QComboBox* m_clicks;
    QDoubleSpinBox *m_examination, *m_clip, *m_logShare;
    QLabel* m_why;
};

} // namespace carousel::ui
