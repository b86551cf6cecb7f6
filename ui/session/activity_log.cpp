// SPDX-License-Identifier: GPL-3.0-or-later
#include "session/activity_log.h"
#include "theme/theme.h"
#include "widgets/text.h"

namespace carousel::ui {

namespace {
constexpr std::size_t mostEntries = 5000;
QString levelName(ActivityLog::Level level) {
    switch (level) {
    case ActivityLog::Level::note: return QStringLiteral("note");
    case ActivityLog::Level::warning: return QStringLiteral("▲ warning");
    case ActivityLog::Level::error: return QStringLiteral("▲ error");
    }
    return {};
}
} // namespace

void ActivityLog::add(Level level, const QString& text) {
    if (m_entries.size() >= mostEntries) {
        beginRemoveRows({}, 0, 0);
        m_entries.erase(m_entries.begin());
        endRemoveRows();
    }
    const int row = static_cast<int>(m_entries.size());
    beginInsertRows({}, row, row);
    m_entries.push_back({QDateTime::currentDateTime(), level, text});
    endInsertRows();
    if (level != Level::note)
        Q_EMIT warningsChanged(++m_warnings);
    Q_EMIT added(static_cast<int>(level), text);
}

void ActivityLog::markSeen() {
    m_warnings = 0;
    Q_EMIT warningsChanged(0);
}

QString ActivityLog::asText() const {
    QString out;
    for (const auto& entry : m_entries)
        out += QStringLiteral("%1\t%2\t%3\n").arg(entry.time.toString(Qt::ISODate), levelName(entry.level), entry.text);
    return out;
}

QVariant ActivityLog::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const Entry& entry = m_entries[static_cast<std::size_t>(index.row())];
    if (role == Qt::ForegroundRole && index.column() == 1) {
        const Palette& c = Theme::instance().colours();
        return entry.level == Level::error ? c.bad : entry.level == Level::warning ? c.warning : c.secondary;
    }
    if (role == Qt::ToolTipRole)
        return plainToolTip(entry.text);
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
    case 0: return entry.time.toString(QStringLiteral("HH:mm:ss"));
    case 1: return levelName(entry.level);
    default: return QString(entry.text).replace(QLatin1Char('\n'), QLatin1Char(' '));
    }
}

QVariant ActivityLog::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    return section == 0 ? tr("Time") : section == 1 ? tr("Level") : tr("What happened");
}

} // namespace carousel::ui
