// SPDX-License-Identifier: GPL-3.0-or-later
// What happened, for the log panel: time, level, text. Warnings are counted in the task bar until the log was looked at.
#pragma once
#include "base/result.h"
#include <QAbstractTableModel>
#include <QDateTime>
#include <vector>

namespace carousel::ui {

class ActivityLog : public QAbstractTableModel {
    Q_OBJECT
public:
    enum class Level { note, warning, error };
    explicit ActivityLog(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void add(Level level, const QString& text);
    void add(const Error& error) { add(error.kind == ErrorKind::cancelled ? Level::note : Level::error, QString::fromStdString(describe(error))); }
    int warnings() const { return m_warnings; }
    void markSeen();
    QString asText() const;

    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_entries.size()); }
    int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : 3; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void warningsChanged(int count);
    void added(int level, const QString& text);

private:
    struct Entry {
        QDateTime time;
        Level level;
        QString text;
    };
    std::vector<Entry> m_entries;
    int m_warnings = 0;
};

} // namespace carousel::ui
