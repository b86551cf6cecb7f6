// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/metrics_page.h"
#include "base/file.h"
#include "pages/metrics_table.h"
#include "pages/pairs_panel.h"
#include "plots/plot_view.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFrame>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QScrollArea>
#include <QShortcut>
#include <QTabWidget>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int mostRowsShown = 7, headerHeight = 32, chanceHeight = 30;

QFrame* cardWith(QWidget* content) {
    auto* card = new QFrame;
    card->setProperty("card", QStringLiteral("true"));
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(content);
    return card;
}
} // namespace

MetricsPage::MetricsPage(Session& session)
    : ComparisonPage(session, QStringLiteral("metrics"), QStringLiteral("view-statistics"), tr("Metrics"),
                     tr("Which strategy is better, by how much, and how sure are we?")) {
    m_copy = addPageAction(QStringLiteral("edit-copy"), tr("Copy table"), tr("Copy the table, ready for a spreadsheet"),
                           QKeySequence(tr("Ctrl+Shift+C")), Weight::secondary, [this] { copyTable(); });
    m_export = addPageAction(QStringLiteral("document-export"), tr("Export CSV…"),
                             tr("Write every metric with interval, difference and test as a CSV file"), QKeySequence(tr("Ctrl+E")),
                             Weight::secondary, [this] { chooseFile(); });
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(8);
    m_summary = textLabel({}, "secondary", true);
    column->addWidget(m_summary);
    column->addWidget(makeTable());
    m_warnings = textLabel({}, "warning", true);
    column->addWidget(m_warnings);
    column->addSpacing(4);
    column->addWidget(makePlots(), 1);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setWidget(canvas);
    setContent(scroll);
    const auto follow = [this] {
        for (auto* action : {m_copy, m_export})
            action->setEnabled(comparison() != nullptr);
    };
    connect(&session.selection(), &RunSelection::comparisonChanged, this, follow);
    follow();
    begin();
}

QWidget* MetricsPage::makeTable() {
    auto* holder = new QWidget;
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_table = new QTableView;
    setUpTable(m_table, tr("Metrics by strategy"));
    m_model = new MetricsTableModel(this);
    m_table->setModel(m_model);
    m_table->setItemDelegate(new EstimateDelegate(m_table));
    m_table->setSelectionBehavior(QAbstractItemView::SelectColumns);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->verticalHeader()->setVisible(true);
    m_table->verticalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setSectionsMovable(false);
    for (auto* copy : m_table->findChildren<QShortcut*>()) // copies rows; here the whole table is meant
        delete copy;
    connect(new QShortcut(QKeySequence::Copy, m_table, nullptr, nullptr, Qt::WidgetShortcut), &QShortcut::activated, this,
            &MetricsPage::copyTable);
    column->addWidget(m_table);

    auto* words = new QWidget;
    auto* definition = new QHBoxLayout(words);
    definition->setContentsMargins(12, 8, 12, 8);
    definition->setSpacing(16);
    m_term = textLabel({}, "heading");
    m_formula = textLabel({}, "", true);
    m_source = textLabel({}, "caption", true);
    for (auto* label : {m_term, m_formula, m_source})
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    definition->addWidget(m_term);
    definition->addWidget(m_formula, 3);
    definition->addWidget(m_source, 2);
    column->addWidget(cardWith(words));

    connect(m_table->selectionModel(), &QItemSelectionModel::currentColumnChanged, this,
            [this](const QModelIndex& index) { selectMetric(index.column()); });
    connect(m_table->horizontalHeader(), &QHeaderView::sectionClicked, this, &MetricsPage::selectMetric);
    return holder;
}

QWidget* MetricsPage::makePlots() {
    m_tabs = new QTabWidget;
    m_tabs->setDocumentMode(true);
    m_tabs->tabBar()->setAccessibleName(tr("Groups of plots"));
    const auto tab = [this](const QString& title, std::initializer_list<const char*> ids) {
        auto* page = new QWidget;
        auto* row = new QHBoxLayout(page);
        row->setContentsMargins(0, 8, 0, 0);
        row->setSpacing(8);
        for (const char* id : ids) {
            auto* view = new PlotView;
            view->setObjectName(QStringLiteral("plot-%1").arg(QLatin1String(id)));
            view->setMinimumHeight(250);
            row->addWidget(cardWith(view), 1);
            m_places.push_back({id, view});
            connect(view, &PlotView::exported, this, [this](const QString& file) { session().say(tr("Wrote %1").arg(file)); });
            connect(view, &PlotView::exportFailed, this,
                    [this](const QString& message) { session().log().add(ActivityLog::Level::error, message); });
            // One strategy stands out in all plots of the page; a second click lets all stand out again.
            connect(view, &PlotView::seriesClicked, this, [this, view](int series) {
                const std::string name = view->plot().series[static_cast<std::size_t>(series)].name;
                for (const auto& place : m_places) {
                    const auto& list = place.view->plot().series;
                    const auto it = std::find_if(list.begin(), list.end(), [&](const PlotSeries& s) { return s.name == name; });
                    place.view->setHighlighted(it == list.end() ? -1 : static_cast<int>(it - list.begin()));
                }
            });
        }
        m_tabs->addTab(page, title);
    };
    tab(tr("Chosen metric and cost"), {"metric", "quality_cost"});
    m_pairs = new PairsPanel(session());
    m_tabs->addTab(m_pairs, tr("All pairs"));
    tab(tr("Position and fold"), {"reach", "ideal_position"});
    tab(tr("Value missed"), {"missed", "sensitivity"});
    tab(tr("Clicks and value"), {"click", "value"});
    return m_tabs;
}

void MetricsPage::showComparison(const ComparisonPtr& comparison) {
    const auto& c = *comparison;
    m_plots = comparisonPlots(c);
    m_model->setComparison(comparison);
    m_summary->setText(tr("%1 · %2 users · %3 % bootstrap intervals · differences to %4 are paired, tested by sign flips; not corrected "
                          "for %5 comparisons (All pairs, below, is)")
                           .arg(qs(c.datasetTitle), count(c.users), QString::number(100 * c.study.evaluation.confidence),
                                qs(c.strategies[c.baseline].strategy.name),
                                count(static_cast<std::int64_t>((c.strategies.size() - 1) * c.definitions.size()))));
    QStringList warnings;
    for (const auto& warning : c.warnings)
        warnings << QStringLiteral("▲ ") + qs(warning);
    m_warnings->setText(warnings.join(QLatin1Char('\n')));
    m_warnings->setVisible(!warnings.isEmpty());
    fitTable();
    int metric = m_metric;
    if (metric < 0 || metric >= m_model->columnCount()) {
        metric = 0;
        for (std::size_t m = 0; m < c.definitions.size(); ++m)
            if (c.definitions[m].metric == Metric::ndcg)
                metric = static_cast<int>(m);
    }
    m_metric = -1;
    selectMetric(metric);
    for (const auto& place : m_places)
        for (const auto& plot : m_plots)
            if (plot.id == place.id)
                place.view->setPlot(plot);
}

void MetricsPage::fitTable() {
    const QFontMetrics header(font());
    int rowHeight = 0;
    for (int column = 0; column < m_model->columnCount(); ++column) {
        int width = header.horizontalAdvance(m_model->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString()) + 22;
        for (int row = 0; row < m_model->rowCount(); ++row) {
            const QSize wished = m_table->itemDelegate()->sizeHint({}, m_model->index(row, column));
            width = std::max(width, wished.width());
            rowHeight = std::max(rowHeight, wished.height());
        }
        m_table->setColumnWidth(column, std::clamp(width, 78, 200));
    }
    m_table->verticalHeader()->setDefaultSectionSize(rowHeight);
    for (int row = 0; row < m_model->rowCount(); ++row)
        m_table->verticalHeader()->resizeSection(row, row == m_model->chanceRow() ? chanceHeight : rowHeight);
    m_table->verticalHeader()->setFixedWidth(std::clamp(m_table->verticalHeader()->sizeHint().width() - 14, 110, 240));
    fitHeight();
}

void MetricsPage::fitHeight() {
    if (m_model->rowCount() == 0)
        return;
    const int rows = std::min(mostRowsShown, m_model->rowCount() - 1),
              wide = m_table->verticalHeader()->width() + m_table->horizontalHeader()->length();
    m_table->setFixedHeight(headerHeight + rows * m_table->verticalHeader()->defaultSectionSize() + chanceHeight +
                            (wide > m_table->width() - 2 ? 14 : 1));
}

void MetricsPage::resizeEvent(QResizeEvent* event) {
    ComparisonPage::resizeEvent(event);
    QMetaObject::invokeMethod(this, &MetricsPage::fitHeight, Qt::QueuedConnection); // after the table has its new width
}

void MetricsPage::selectMetric(int metric) {
    if (metric < 0 || metric >= m_model->columnCount() || metric == m_metric || !comparison())
        return;
    m_metric = metric;
    m_table->setCurrentIndex(m_model->index(std::max(0, m_table->currentIndex().row()), metric));
    m_table->selectColumn(metric);
    showDefinition();
    m_pairs->setComparison(comparison(), metric);
    const std::string id = "metric_" + comparison()->definitions[static_cast<std::size_t>(metric)].id;
    for (const auto& place : m_places)
        if (place.id == "metric")
            for (const auto& plot : m_plots)
                if (plot.id == id)
                    place.view->setPlot(plot);
}

void MetricsPage::showPairs() {
    m_tabs->setCurrentWidget(m_pairs);
}

void MetricsPage::showDefinition() {
    const auto m = static_cast<std::size_t>(m_metric);
    const auto& definition = comparison()->definitions[m];
    m_term->setText(qs(definition.label));
    QString formula = qs(definition.formula);
    formula += definition.higherIsBetter ? tr(". Higher is better.") : tr(". Lower is better.");
    std::int64_t excluded = 0;
    for (const auto& strategy : comparison()->strategies)
        excluded = std::max(excluded, strategy.metrics[m].excluded);
    if (excluded > 0)
        formula += tr(" %1 users lack the data for it and are left out.").arg(count(excluded));
    m_formula->setText(formula);
    m_source->setText(tr("Source: %1").arg(qs(definition.source)));
}

void MetricsPage::copyTable() {
    if (!comparison())
        return;
    QString text = tr("strategy");
    for (int column = 0; column < m_model->columnCount(); ++column)
        text += QLatin1Char('\t') + m_model->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
    for (int row = 0; row < m_model->rowCount(); ++row) {
        text += QLatin1Char('\n') +
                m_model->headerData(row, Qt::Vertical, Qt::DisplayRole).toString().replace(QLatin1Char('\t'), QLatin1Char(' '));
        for (int column = 0; column < m_model->columnCount(); ++column)
            text += QLatin1Char('\t') + m_model->index(row, column).data().toString();
    }
    QApplication::clipboard()->setText(text + QLatin1Char('\n'));
    session().say(tr("The table of metrics is on the clipboard."));
}

bool MetricsPage::exportTo(const QString& file) {
    if (!comparison())
        return false;
    if (const auto written = atomicWrite(ss(file), metricsCsv(*comparison())); !written) {
        session().log().add(written.error());
        return false;
    }
    session().say(tr("Wrote %1").arg(file));
    return true;
}

void MetricsPage::chooseFile() {
    if (!comparison())
        return session().say(tr("There is nothing to export yet: select complete runs first."));
    const QString file =
        QFileDialog::getSaveFileName(this, tr("Export metrics"), QStringLiteral("metrics.csv"), tr("Comma-separated values (*.csv)"));
    if (!file.isEmpty())
        exportTo(file);
}

} // namespace carousel::ui
