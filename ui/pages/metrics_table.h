// SPDX-License-Identifier: GPL-3.0-or-later
// The table of the metrics page: one row per strategy and one for chance, one column per metric; estimate, interval and the difference to
// the baseline in words in each cell. The same cells as text serve the clipboard and the CSV file.
#pragma once
#include "pages/comparison_page.h"
#include <QAbstractTableModel>
#include <QStyledItemDelegate>

namespace carousel::ui {

class MetricsTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role {
        EstimateRole = Qt::UserRole + 1,
        IntervalRole,
        DifferenceRole,
        ToneRole,
        BestRole
    }; // ToneRole: 1 better, -1 worse, 0 neither
    explicit MetricsTableModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setComparison(ComparisonPtr comparison);
    int chanceRow() const { return m_comparison ? static_cast<int>(m_comparison->strategies.size()) : -1; }

    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() || !m_comparison ? 0 : chanceRow() + 1; }
    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() || !m_comparison ? 0 : static_cast<int>(m_comparison->definitions.size());
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    ComparisonPtr m_comparison;
    std::vector<std::size_t> m_best; // per metric
};

// Three lines: the estimate, its interval, the difference.
class EstimateDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// "+0.021 higher than Popularity" and so on; empty for the baseline and for what has no test.
QString differenceWords(const StudyComparison& comparison, std::size_t strategy, std::size_t metric, bool withBaseline);
// One record per strategy and metric, chance included.
std::string metricsCsv(const StudyComparison& comparison);

} // namespace carousel::ui
