// SPDX-License-Identifier: GPL-3.0-or-later
// Metrics: what each strategy reaches, how sure we are, and how far it stands from the baseline.
#pragma once
#include "pages/comparison_page.h"

class QGridLayout;
class QTableView;

namespace carousel::ui {

class PlotView;
class TextTableModel;

class MetricsPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit MetricsPage(Session& session);

protected:
    void showComparison(const ComparisonPtr& comparison) override;

private:
    TextTableModel* m_model;
    QTableView* m_table;
    QGridLayout* m_grid;
    std::vector<PlotView*> m_plots;
};

} // namespace carousel::ui
