// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/text_table_model.h"
#include "base/text.h"
#include "widgets/text.h"

namespace carousel::ui {

void TextTableModel::setTable(const QStringList& columns, std::vector<QStringList> rows, std::vector<bool> rightAligned) {
    beginResetModel();
    m_columns = columns;
    m_rows = std::move(rows);
    m_right = std::move(rightAligned);
    m_right.resize(static_cast<std::size_t>(columns.size()), false);
    endResetModel();
}

void TextTableModel::setCsv(const QString& csv) {
    auto records = csvRecords(csv);
    if (records.empty())
        return setTable({}, {});
    const QStringList columns = records.front();
    records.erase(records.begin());
    std::vector<bool> right(static_cast<std::size_t>(columns.size()), !records.empty());
    for (const auto& record : records)
        for (qsizetype i = 0; i < record.size() && i < columns.size(); ++i)
            if (!record[i].isEmpty() && !parseNumber(ss(record[i])))
                right[static_cast<std::size_t>(i)] = false;
    setTable(columns, std::move(records), std::move(right));
}

QString TextTableModel::toTsv() const {
    QString out = m_columns.join(QLatin1Char('\t')) + QLatin1Char('\n');
    for (const auto& row : m_rows) {
        QStringList cells = row;
        for (auto& cell : cells)
            cell.replace(QLatin1Char('\t'), QLatin1Char(' ')).replace(QLatin1Char('\n'), QLatin1Char(' '));
        out += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
    }
    return out;
}

QVariant TextTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const auto& row = m_rows[static_cast<std::size_t>(index.row())];
    const QString text = index.column() < row.size() ? row[index.column()] : QString();
    if (role == Qt::DisplayRole)
        return text;
    if (role == Qt::ToolTipRole)
        return text.size() > 24 ? plainToolTip(text) : QVariant();
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((m_right[static_cast<std::size_t>(index.column())] ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

QVariant TextTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= m_columns.size())
        return orientation == Qt::Vertical && role == Qt::DisplayRole ? QVariant(section + 1) : QVariant();
    if (role == Qt::DisplayRole)
        return m_columns[section];
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((m_right[static_cast<std::size_t>(section)] ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

std::vector<QStringList> csvRecords(const QString& csv) {
    std::vector<QStringList> records;
    QStringList record;
    QString field;
    bool quoted = false, any = false;
    const auto endRecord = [&] {
        record << field;
        field.clear();
        records.push_back(record);
        record.clear();
        any = false;
    };
    for (qsizetype i = 0; i < csv.size(); ++i) {
        const QChar c = csv[i];
        if (quoted) {
            if (c != QLatin1Char('"'))
                field += c;
            else if (i + 1 < csv.size() && csv[i + 1] == QLatin1Char('"'))
                field += csv[++i];
            else
                quoted = false;
            continue;
        }
        if (c == QLatin1Char('"')) {
            quoted = any = true;
        } else if (c == QLatin1Char(',')) {
            record << field;
            field.clear();
            any = true;
        } else if (c == QLatin1Char('\n')) {
            if (any || !field.isEmpty())
                endRecord();
        } else if (c != QLatin1Char('\r')) {
            field += c;
            any = true;
        }
    }
    if (any || !field.isEmpty())
        endRecord();
    return records;
}

} // namespace carousel::ui
