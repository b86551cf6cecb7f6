// SPDX-License-Identifier: GPL-3.0-or-later
// Metrics: what each strategy reaches, how sure we are, and how far it stands from the baseline. The selected column of the table is
// defined below it and drawn in the first plot.
#pragma once
#include "pages/comparison_page.h"

class QLabel;
class QTabWidget;
class QTableView;

namespace carousel::ui {

class MetricsTableModel;
class PlotView;

class PairsPanel;

class MetricsPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit MetricsPage(Session& session);
    int metric() const { return m_metric; } // column that is selected
    bool exportTo(const QString& file);     // the table as CSV

public Q_SLOTS:
    void selectMetric(int metric);
    void showPairs(); // the tab with every pair of runs
    void copyTable();

protected:
    void showComparison(const ComparisonPtr& comparison) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* makeTable();
    QWidget* makePlots();
    void showDefinition();
    void fitTable();
    void fitHeight(); // room for a scroll bar only where one is needed
    void chooseFile();

    MetricsTableModel* m_model;
    QTableView* m_table;
    QLabel *m_summary, *m_term, *m_formula, *m_source, *m_warnings;
    QTabWidget* m_tabs;
    PairsPanel* m_pairs;
    struct Place {
        std::string id; // of the PlotSpec; "metric" for the selected one
        PlotView* view;
    };
    std::vector<Place> m_places;
    std::vector<PlotSpec> m_plots;
    QAction *m_copy, *m_export;
    int m_metric = -1;
};

} // namespace carousel::ui
