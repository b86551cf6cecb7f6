// SPDX-License-Identifier: GPL-3.0-or-later
// Counts, badges with their reasons, and distributions of one data set.
#pragma once
#include "models/dataset_statistics.h"
#include <QWidget>
#include <vector>

class QGridLayout;
class QLabel;

namespace carousel::ui {

class FlowLayout;
class PlotView;

class DataOverview : public QWidget {
    Q_OBJECT
public:
    explicit DataOverview(QWidget* parent = nullptr);
    void showDataset(const Dataset& dataset, const std::vector<carousel::Badge>& badges, const DatasetStatistics& statistics);

private:
    FlowLayout *m_figures, *m_badges;
    QLabel *m_note, *m_missing;
    QGridLayout* m_plots;
    std::vector<PlotView*> m_views;
};

} // namespace carousel::ui
