// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/runs_model.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <algorithm>

namespace carousel::ui {

QString stateText(RunState state) {
    switch (state) {
    case RunState::running: return QStringLiteral("▶ running");
    case RunState::interrupted: return QStringLiteral("◐ interrupted");
    case RunState::complete: return QStringLiteral("● complete");
    case RunState::failed: return QStringLiteral("▲ failed");
    }
    return {};
}

QColor stateColour(RunState state) {
    const Palette& c = Theme::instance().colours();
    switch (state) {
    case RunState::running: return c.accent;
    case RunState::interrupted: return c.warning;
    case RunState::complete: return c.good;
    case RunState::failed: return c.bad;
    }
    return c.text;
}

RunsModel::RunsModel(QObject* parent) : QAbstractTableModel(parent) {}

void RunsModel::setRuns(std::vector<RunRow> runs) {
    const bool sameRows = runs.size() == m_runs.size() &&
                          std::equal(runs.begin(), runs.end(), m_runs.begin(), [](const RunRow& a, const RunRow& b) { return a.id == b.id; });
    if (sameRows) {
        m_runs = std::move(runs);
        if (!m_runs.empty())
            Q_EMIT dataChanged(index(0, 0), index(static_cast<int>(m_runs.size()) - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    m_runs = std::move(runs);
    endResetModel();
}

void RunsModel::setMetrics(const StudyComparison& comparison) {
    for (const auto& strategy : comparison.strategies) {
        Figures figures;
        for (const auto& metric : strategy.metrics) {
            const QString interval = QStringLiteral("%1 [%2, %3]").arg(ui::figures(metric.value), ui::figures(metric.interval.low), ui::figures(metric.interval.high));
            if (metric.metric == Metric::ndcg) {
                figures.ndcg = metric.value;
                figures.ndcgInterval = interval;
            } else if (metric.metric == Metric::hitRate) {
                figures.hitRate = metric.value;
                figures.hitInterval = interval;
            }
        }
        m_metrics[strategy.run.id] = figures;
    }
    if (!m_runs.empty())
        Q_EMIT dataChanged(index(0, Ndcg), index(static_cast<int>(m_runs.size()) - 1, HitRate));
}

const RunRow* RunsModel::run(std::int64_t id) const {
    const auto it = std::find_if(m_runs.begin(), m_runs.end(), [&](const RunRow& run) { return run.id == id; });
    return it == m_runs.end() ? nullptr : &*it;
}

int RunsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_runs.size()); }
int RunsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant RunsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const RunRow& run = m_runs[static_cast<std::size_t>(index.row())];
    const auto metrics = m_metrics.find(run.id);
    if (role == RunIdRole)
        return static_cast<qint64>(run.id);
    if (role == Qt::ForegroundRole && index.column() == State)
        return stateColour(run.state);
    if (role == Qt::TextAlignmentRole) {
        const bool right = index.column() == Users || index.column() == Ndcg || index.column() == HitRate;
        return QVariant::fromValue(Qt::Alignment((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    }
    if (role == Qt::ToolTipRole) {
        if (index.column() == State && !run.error.empty())
            return plainToolTip(qs(run.error));
        if (index.column() == Ndcg && metrics != m_metrics.end())
            return plainToolTip(metrics->second.ndcgInterval);
        if (index.column() == HitRate && metrics != m_metrics.end())
            return plainToolTip(metrics->second.hitInterval);
        return {};
    }
    if (role == SortRole) {
        if (index.column() == Users)
            return static_cast<qint64>(run.usersDone);
        if (index.column() == Ndcg)
            return metrics == m_metrics.end() ? -1.0 : metrics->second.ndcg;
        if (index.column() == HitRate)
            return metrics == m_metrics.end() ? -1.0 : metrics->second.hitRate;
    }
    if (role != Qt::DisplayRole && role != Qt::EditRole && role != SortRole)
        return {};
    switch (index.column()) {
    case State: return stateText(run.state);
    case Strategy: return qs(run.strategy);
    case Study: return qs(run.studyName);
    case Data: return qs(run.dataset);
    case Users:
        return run.usersDone == run.usersTotal ? count(run.usersDone) : QStringLiteral("%1 / %2").arg(count(run.usersDone), count(run.usersTotal));
    case Ndcg: return metrics == m_metrics.end() ? QString() : figures(metrics->second.ndcg);
    case HitRate: return metrics == m_metrics.end() ? QString() : figures(metrics->second.hitRate);
    case Created: return qs(run.createdAt).left(16).replace(QLatin1Char('T'), QLatin1Char(' '));
    case Tag: return qs(run.tag);
    default: return {};
    }
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal)
        return {};
    static const char* const names[] = {"State", "Strategy", "Study", "Data set", "Users", "nDCG", "Hit rate", "Started (UTC)", "Tag"};
    static const char* const help[] = {"What became of the run",       "Name of the strategy in its study", "The study that the run belongs to",
                                       "Data set in this project",     "Users finished",                    "Mean over users at the study's k; hover for the interval",
                                       "Share of users with a hit at k", "When the run was started",          "Your own note; double-click to edit"};
    if (section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::DisplayRole)
        return QString::fromUtf8(names[section]);
    if (role == Qt::ToolTipRole)
        return QString::fromUtf8(help[section]);
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((section == Users || section == Ndcg || section == HitRate ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

Qt::ItemFlags RunsModel::flags(const QModelIndex& index) const {
    const auto flags = QAbstractTableModel::flags(index);
    return index.column() == Tag ? flags | Qt::ItemIsEditable : flags;
}

bool RunsModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (!index.isValid() || role != Qt::EditRole || index.column() != Tag)
        return false;
    RunRow& run = m_runs[static_cast<std::size_t>(index.row())];
    run.tag = ss(value.toString());
    Q_EMIT dataChanged(index, index);
    Q_EMIT tagEdited(run.id, value.toString());
    return true;
}

} // namespace carousel::ui
