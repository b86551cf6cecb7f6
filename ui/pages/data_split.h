// SPDX-License-Identifier: GPL-3.0-or-later
// How the data would be split into training, validation and test, with its audit, before anything runs.
#pragma once
#include "data/split.h"
#include <QTimer>
#include <QWidget>

class QComboBox;
class QLabel;
class QSpinBox;

namespace carousel::ui {

class Session;
class TextTableModel;
class PlotView;

class DataSplit : public QWidget {
    Q_OBJECT
public:
    explicit DataSplit(Session& session, QWidget* parent = nullptr);
    void showDataset(DatasetPtr dataset);
    SplitSpec spec() const;
    bool isBusy() const { return m_busy; }

private:
    void preview();
    void display(const Split& split);
    Session& m_session;
    DatasetPtr m_dataset;
    QComboBox *m_method, *m_target;
    QSpinBox *m_test, *m_validation, *m_history, *m_seed;
    QLabel *m_message, *m_notes;
    TextTableModel* m_model;
    PlotView* m_plot;
    bool m_busy = false;
};

} // namespace carousel::ui
