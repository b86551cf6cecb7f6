// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/data_tables.h"
#include "session/session.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
constexpr int typingMs = 200;
}

DataTables::DataTables(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 12, 0, 0);
    column->setSpacing(8);
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    for (const auto kind : {TableKind::users, TableKind::items, TableKind::interactions, TableKind::impressions, TableKind::reviews}) {
        auto* button = new QToolButton;
        button->setText(QString::fromLatin1(name(kind)));
        button->setProperty("kind", QStringLiteral("switch"));
        button->setCheckable(true);
        button->setAutoExclusive(true);
        button->setToolTip(tr("Show the table of %1").arg(button->text().toLower()));
        connect(button, &QToolButton::clicked, this, [this, kind] { showKind(kind); });
        row->addWidget(button);
        m_kinds.push_back(button);
    }
    row->addSpacing(12);
    m_filter = new QLineEdit;
    m_filter->setPlaceholderText(tr("Filter: rows with this text in any column"));
    m_filter->setAccessibleName(tr("Filter rows"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(360);
    row->addWidget(m_filter, 1);
    m_count = textLabel({}, "secondary");
    row->addSpacing(8);
    row->addWidget(m_count);
    row->addStretch();
    column->addLayout(row);
    m_table = new QTableView;
    setUpTable(m_table, tr("Rows"));
    m_table->verticalHeader()->setVisible(true);
    m_table->verticalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_model = new DatasetTableModel(this);
    m_table->setModel(m_model);
    m_table->setSortingEnabled(true);
    m_table->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    column->addWidget(m_table, 1);
    m_wait.setSingleShot(true);
    m_wait.setInterval(typingMs);
    connect(&m_wait, &QTimer::timeout, this, &DataTables::order);
    connect(m_filter, &QLineEdit::textChanged, &m_wait, qOverload<>(&QTimer::start));
    connect(m_model, &DatasetTableModel::sortRequested, this, [this](int sortColumn, bool ascending) {
        m_sortColumn = sortColumn;
        m_ascending = ascending;
        order();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &DataTables::selected);
}

void DataTables::showDataset(DatasetPtr dataset) {
    m_dataset = std::move(dataset);
    m_kinds[3]->setEnabled(m_dataset && m_dataset->impressions.size() > 0);
    m_kinds[3]->setToolTip(m_kinds[3]->isEnabled() ? tr("Show the table of impressions") : tr("This data set has no logged carousels."));
    m_kinds[4]->setEnabled(m_dataset && m_dataset->reviews.size() > 0);
    m_kinds[4]->setToolTip(m_kinds[4]->isEnabled() ? tr("Show the table of reviews") : tr("This data set has no written reviews."));
    showKind(TableKind::items);
}

void DataTables::showKind(TableKind kind) {
    m_kinds[static_cast<std::size_t>(kind)]->setChecked(true);
    m_sortColumn = -1;
    {
        const QSignalBlocker block(m_model); // the header clears its arrow without asking for a sort
        m_table->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    }
    m_model->setTable(m_dataset, kind);
    fitColumns(m_table);
    order();
}

void DataTables::setFilter(const QString& text) {
    m_filter->setText(text);
    m_wait.stop();
    order();
}

void DataTables::order() {
    if (!m_dataset)
        return;
    RowOrderRequest request{m_model->kind(), ss(m_filter->text()), m_sortColumn, m_ascending};
    if (request.filter.empty() && request.sortColumn < 0) {
        m_session.jobs().cancelKey(QStringLiteral("rows"));
        m_busy = false;
        m_model->setOrder(nullptr);
        return describeRows();
    }
    m_busy = true;
    m_count->setText(tr("searching…"));
    m_session.jobs().run<std::vector<std::uint32_t>>(
        this, {tr("Ordering rows"), Lane::quick, QStringLiteral("rows")},
        [dataset = m_dataset, request](const RunControl& control) { return rowOrder(*dataset, request, control); },
        [this](JobRunner::Shared<std::vector<std::uint32_t>> result) {
            m_busy = false;
            if (result)
                m_model->setOrder(*result);
            describeRows();
        });
}

void DataTables::describeRows() {
    const auto all = static_cast<std::int64_t>(rowCount(*m_dataset, m_model->kind()));
    const int shown = m_model->rowCount();
    m_count->setText(shown == all ? tr("%1 rows").arg(count(all)) : tr("%1 of %2 rows").arg(count(shown), count(all)));
}

void DataTables::selected() {
    const auto index = m_table->currentIndex();
    if (!index.isValid())
        return;
    const std::size_t row = m_model->sourceRow(index.row());
    QStringList names, values;
    const auto columns = columnNames(*m_dataset, m_model->kind());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        names << qs(columns[i]);
        values << qs(cellText(*m_dataset, m_model->kind(), row, i));
    }
    Q_EMIT rowSelected(tr("Row %1 of %2").arg(count(static_cast<std::int64_t>(row) + 1), QString::fromLatin1(name(m_model->kind())).toLower()), names, values);
}

} // namespace carousel::ui
