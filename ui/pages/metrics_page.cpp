// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/metrics_page.h"
#include "models/text_table_model.h"
#include "plots/plot_view.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QFrame>
#include <QGridLayout>
#include <QScrollArea>
#include <QTableView>
#include <QVBoxLayout>

namespace carousel::ui {

MetricsPage::MetricsPage(Session& session)
    : ComparisonPage(session, QStringLiteral("metrics"), QStringLiteral("view-statistics"), tr("Metrics"), tr("Which strategy is better, by how much, and how sure are we?")) {
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(12);
    m_table = new QTableView;
    setUpTable(m_table, tr("Metrics by strategy"));
    m_model = new TextTableModel(this);
    m_table->setModel(m_model);
    column->addWidget(m_table);
    m_grid = new QGridLayout;
    m_grid->setSpacing(12);
    column->addLayout(m_grid);
    column->addStretch();
    scroll->setWidget(canvas);
    setContent(scroll);
    begin();
}

void MetricsPage::showComparison(const ComparisonPtr& comparison) {
    QStringList columns{tr("metric")};
    for (const auto& strategy : comparison->strategies)
        columns << qs(strategy.strategy.name);
    columns << tr("chance");
    std::vector<QStringList> rows;
    for (std::size_t i = 0; i < comparison->definitions.size(); ++i) {
        QStringList row{qs(comparison->definitions[i].label)};
        for (const auto& strategy : comparison->strategies)
            row << (i < strategy.metrics.size() ? tr("%1 [%2, %3]").arg(figures(strategy.metrics[i].value), figures(strategy.metrics[i].interval.low), figures(strategy.metrics[i].interval.high))
                                                : QString());
        row << (i < comparison->chance.size() ? figures(comparison->chance[i]) : QString());
        rows.push_back(row);
    }
    m_model->setTable(columns, std::move(rows), std::vector<bool>(1, false));
    fitColumns(m_table, 220);
    m_table->setFixedHeight(static_cast<int>(comparison->definitions.size() + 2) * 27 + 8);
    const auto plots = comparisonPlots(*comparison);
    for (std::size_t i = 0; i < plots.size(); ++i) {
        if (i >= m_plots.size()) {
            auto* card = new QFrame;
            card->setProperty("card", QStringLiteral("true"));
            auto* column = new QVBoxLayout(card);
            column->setContentsMargins(0, 0, 0, 0);
            auto* view = new PlotView;
            view->setMinimumHeight(280);
            column->addWidget(view);
            m_grid->addWidget(card, static_cast<int>(i / 2), static_cast<int>(i % 2));
            m_plots.push_back(view);
        }
        m_plots[i]->setPlot(plots[i]);
        m_plots[i]->parentWidget()->show();
    }
    for (std::size_t i = plots.size(); i < m_plots.size(); ++i)
        m_plots[i]->parentWidget()->hide();
}

} // namespace carousel::ui
