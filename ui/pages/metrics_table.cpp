// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/metrics_table.h"
#include "base/text.h"
#include "report/csv.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QApplication>
#include <QPainter>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr double noTies = 1e-9;

bool significant(const PairedDifference& d) {
    return d.words == "higher" || d.words == "lower";
}

const PairedDifference* differenceOf(const StudyComparison& c, std::size_t strategy, std::size_t metric) {
    const auto& s = c.strategies[strategy];
    return strategy == c.baseline || metric >= s.toBaseline.size() || !c.definitions[metric].perUser ? nullptr : &s.toBaseline[metric];
}

QString range(const Interval& interval) {
    return std::isfinite(interval.low) && std::isfinite(interval.high)
               ? QStringLiteral("[%1, %2]").arg(figures(interval.low), figures(interval.high))
               : QString();
}

QString withSign(double value) {
    return (value > 0 ? QStringLiteral("+") : QString()) + figures(value);
}
} // namespace

QString differenceWords(const StudyComparison& c, std::size_t strategy, std::size_t metric, bool withBaseline) {
    const auto* d = differenceOf(c, strategy, metric);
    if (!d)
        return strategy == c.baseline && c.definitions[metric].perUser ? QObject::tr("baseline") : QString();
    if (!std::isfinite(d->difference))
        return QObject::tr("not comparable");
    if (!withBaseline)
        return significant(*d) ? QStringLiteral("%1 %2").arg(withSign(d->difference), qs(d->words))
                               : QObject::tr("%1 n. s.").arg(withSign(d->difference));
    const QString base = qs(c.strategies[c.baseline].strategy.name);
    const QString test =
        QObject::tr("%1 %2, p = %3, %4 users").arg(withSign(d->difference), range(d->interval), figures(d->pValue), count(d->users));
    return significant(*d) ? QObject::tr("%1 than %2: %3").arg(qs(d->words), base, test)
                           : QObject::tr("%1 from %2: %3").arg(qs(d->words), base, test);
}

void MetricsTableModel::setComparison(ComparisonPtr comparison) {
    beginResetModel();
    m_comparison = std::move(comparison);
    m_best.clear();
    if (m_comparison)
        for (std::size_t m = 0; m < m_comparison->definitions.size(); ++m) {
            std::size_t best = 0;
            const bool up = m_comparison->definitions[m].higherIsBetter;
            for (std::size_t i = 1; i < m_comparison->strategies.size(); ++i) {
                const double a = m_comparison->strategies[i].metrics[m].value, b = m_comparison->strategies[best].metrics[m].value;
                if (!std::isfinite(b) || (up ? a > b : a < b))
                    best = i;
            }
            m_best.push_back(best);
        }
    endResetModel();
}

QVariant MetricsTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || !m_comparison)
        return {};
    const auto m = static_cast<std::size_t>(index.column());
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
    const auto& definition = m_comparison->definitions[m];
    if (index.row() == chanceRow()) {
        const double chance = m < m_comparison->chance.size() ? m_comparison->chance[m] : std::nan("");
        if (role == Qt::DisplayRole || role == EstimateRole)
            return figures(chance);
        if (role == IntervalRole)
            return QString();
        if (role == Qt::ToolTipRole)
            return plainToolTip(std::isfinite(chance) ? tr("%1 of a random order, exact, mean over users").arg(qs(definition.label))
                                                      : tr("Chance has no meaning for %1.").arg(qs(definition.label)));
        return role == ToneRole ? QVariant(0) : role == BestRole ? QVariant(false) : QVariant();
    }
    const auto s = static_cast<std::size_t>(index.row());
    const auto& value = m_comparison->strategies[s].metrics[m];
    const QString interval = definition.perUser ? range(value.interval) : QString();
    switch (role) {
    case EstimateRole:
        return figures(value.value);
    case IntervalRole:
        return interval;
    case DifferenceRole:
        return differenceWords(*m_comparison, s, m, false);
    case BestRole:
        return m_comparison->strategies.size() > 1 && m_best[m] == s;
    case ToneRole: {
        const auto* d = differenceOf(*m_comparison, s, m);
        return !d || !significant(*d) ? 0 : (d->words == "higher") == definition.higherIsBetter ? 1 : -1;
    }
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole: {
        QStringList parts{figures(value.value)};
        for (const QString& part : {interval, differenceWords(*m_comparison, s, m, false)})
            if (!part.isEmpty())
                parts << part;
        return parts.join(QLatin1Char(' '));
    }
    case Qt::ToolTipRole: {
        QStringList lines{
            tr("%1, %2: %3 %4").arg(qs(m_comparison->strategies[s].strategy.name), qs(definition.label), figures(value.value), interval)};
        if (const QString words = differenceWords(*m_comparison, s, m, true); !words.isEmpty())
            lines << words;
        if (value.best - value.worst > noTies)
            lines << tr("ties: between %1 and %2, depending on how tied items are ordered; shown is the expected value")
                         .arg(figures(value.worst), figures(value.best));
        else
            lines << tr("no ties change this figure");
        lines << (value.excluded > 0 ? tr("%1 users, %2 left out for lack of data").arg(count(value.users), count(value.excluded))
                                     : tr("%1 users").arg(count(value.users)));
        return plainToolTip(lines.join(QLatin1Char('\n')));
    }
    default:
        return {};
    }
}

QVariant MetricsTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (!m_comparison || section < 0)
        return {};
    const auto i = static_cast<std::size_t>(section);
    if (orientation == Qt::Horizontal) {
        if (i >= m_comparison->definitions.size())
            return {};
        const auto& d = m_comparison->definitions[i];
        if (role == Qt::DisplayRole)
            return qs(d.label);
        if (role == Qt::ToolTipRole)
            return plainToolTip(
                tr("%1\n%2\n%3").arg(qs(d.formula), qs(d.source), d.higherIsBetter ? tr("Higher is better.") : tr("Lower is better.")));
        return role == Qt::TextAlignmentRole ? QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter)) : QVariant();
    }
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
    if (section == chanceRow())
        return role == Qt::DisplayRole ? QVariant(tr("Chance")) : QVariant();
    if (i >= m_comparison->strategies.size())
        return {};
    const auto& s = m_comparison->strategies[i];
    if (role == Qt::DisplayRole)
        return qs(s.strategy.name);
    if (role == Qt::DecorationRole)
        return Theme::instance().strategyIcon(s.colour);
    if (role == Qt::ToolTipRole)
        return plainToolTip(QStringLiteral("%1%2").arg(qs(s.strategy.name), i == m_comparison->baseline ? tr(" (baseline)") : QString()));
    return {};
}

QSize EstimateDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const {
    const QFontMetrics body(Theme::instance().strong()), small(Theme::instance().caption());
    int width = body.horizontalAdvance(index.data(MetricsTableModel::EstimateRole).toString());
    for (const int role : {MetricsTableModel::IntervalRole, MetricsTableModel::DifferenceRole})
        width =
            std::max(width, small.horizontalAdvance(index.data(role).toString()) + (role == MetricsTableModel::DifferenceRole ? 12 : 0));
    return {width + 16, body.height() + 2 * small.height() + 10};
}

void EstimateDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem item = option;
    initStyleOption(&item, index);
    item.text.clear();
    const QStyle* style = item.widget ? item.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
    const auto& theme = Theme::instance();
    const Palette& c = theme.colours();
    painter->save();
    painter->setClipRect(item.rect);
    const bool best = index.data(MetricsTableModel::BestRole).toBool();
    const QFont top = best ? theme.strong() : theme.body();
    const QFontMetrics body(top), small(theme.caption());
    const QString interval = index.data(MetricsTableModel::IntervalRole).toString(),
                  difference = index.data(MetricsTableModel::DifferenceRole).toString();
    const int height = body.height() + (interval.isEmpty() ? 0 : small.height()) + (difference.isEmpty() ? 0 : small.height());
    const int x = item.rect.left() + 8;
    int y = item.rect.top() + (item.rect.height() - height) / 2;
    painter->setFont(top);
    painter->setPen(c.text);
    const QString estimate = index.data(MetricsTableModel::EstimateRole).toString();
    painter->drawText(x, y + body.ascent(), estimate);
    if (best) {
        painter->setFont(theme.caption());
        painter->setPen(c.secondary);
        painter->drawText(x + body.horizontalAdvance(estimate) + 6, y + body.ascent(), tr("best"));
    }
    y += body.height();
    painter->setFont(theme.caption());
    if (!interval.isEmpty()) {
        painter->setPen(c.secondary);
        painter->drawText(x, y + small.ascent(), interval);
        y += small.height();
    }
    if (!difference.isEmpty()) {
        const int tone = index.data(MetricsTableModel::ToneRole).toInt();
        painter->setPen(tone > 0 ? c.good : tone < 0 ? c.bad : c.secondary);
        const QString shape = tone > 0 ? QStringLiteral("▲ ") : tone < 0 ? QStringLiteral("▼ ") : QString();
        painter->drawText(x, y + small.ascent(), shape + difference);
    }
    painter->restore();
}

std::string metricsCsv(const StudyComparison& c) {
    const std::vector<std::string> header{"strategy",        "metric",          "value", "low",      "high",
                                          "worst_over_ties", "best_over_ties",  "users", "excluded", "difference",
                                          "difference_low",  "difference_high", "p",     "words",    "chance"};
    std::string text = csvRow(header);
    for (std::size_t s = 0; s < c.strategies.size(); ++s)
        for (std::size_t m = 0; m < c.definitions.size(); ++m) {
            const auto& value = c.strategies[s].metrics[m];
            const auto* d = differenceOf(c, s, m);
            const std::vector<std::string> row{c.strategies[s].strategy.name,
                                               c.definitions[m].label,
                                               csvNumber(value.value),
                                               csvNumber(value.interval.low),
                                               csvNumber(value.interval.high),
                                               csvNumber(value.worst),
                                               csvNumber(value.best),
                                               std::to_string(value.users),
                                               std::to_string(value.excluded),
                                               d ? csvNumber(d->difference) : "",
                                               d ? csvNumber(d->interval.low) : "",
                                               d ? csvNumber(d->interval.high) : "",
                                               d ? csvNumber(d->pValue) : "",
                                               d                 ? d->words
                                               : s == c.baseline ? "baseline"
                                                                 : "",
                                               m < c.chance.size() ? csvNumber(c.chance[m]) : ""};
            text += csvRow(row);
        }
    return text;
}

} // namespace carousel::ui
