// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/rows_grid.h"
#include "pages/carousel/card_painter.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int nameHeight = 18, cellHeight = 48, rowGap = 8, cellGap = 4, widestCell = 168;
}

RowsGrid::RowsGrid(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Rows of carousels of one user"));
    connect(&Theme::instance(), &Theme::changed, this, [this] { update(); });
}

void RowsGrid::show(std::shared_ptr<const RowStudy> study, std::vector<std::size_t> order, int user, std::vector<int> colours) {
    m_study = std::move(study);
    m_order = std::move(order);
    m_colours = std::move(colours);
    m_grid = m_study && user >= 0 ? gridOf(*m_study, m_order, static_cast<std::size_t>(user)) : std::vector<std::vector<GridCell>>{};
    m_selected = -1;
    updateGeometry();
    tell();
    update();
}

int RowsGrid::columns() const {
    return m_grid.empty() ? 0 : static_cast<int>(m_grid.front().size());
}

QSize RowsGrid::sizeHint() const {
    return {640, std::max(1, rows()) * (nameHeight + cellHeight + rowGap)};
}
QSize RowsGrid::minimumSizeHint() const {
    return {300, sizeHint().height()};
}

QRect RowsGrid::cellRect(int cell) const {
    if (columns() == 0)
        return {};
    const int row = cell / columns(), column = cell % columns();
    const double pitch = std::min<double>(widestCell, static_cast<double>(width()) / columns());
    const int from = static_cast<int>(column * pitch), to = static_cast<int>((column + 1) * pitch);
    return {from, row * (nameHeight + cellHeight + rowGap) + nameHeight, to - from - cellGap, cellHeight};
}

QString RowsGrid::titleOf(const GridCell& cell) const {
    return cell.item == noCode ? tr("empty") : qs(m_study->dataset->items.displayName(cell.item));
}

QString RowsGrid::spoken(int at) const {
    if (at < 0 || at >= rows() * columns())
        return {};
    const auto row = static_cast<std::size_t>(at / columns());
    const auto& cell = m_grid[row][static_cast<std::size_t>(at % columns())];
    QStringList parts{tr("Row %1 (%2), column %3: %4")
                          .arg(row + 1)
                          .arg(row < m_order.size() ? qs(m_study->candidates[m_order[row]].name) : tr("empty row"))
                          .arg(at % columns() + 1)
                          .arg(titleOf(cell))};
    if (cell.relevant)
        parts << tr("★ the item that the user went on to choose");
    if (cell.repeated)
        parts << tr("shown before: counts only at its first cell");
    else if (cell.relevant)
        parts << tr("adds %1 to the sum over cells").arg(figures(cell.gain));
    return parts.join(QLatin1Char('\n'));
}

void RowsGrid::tell() {
    QString words = m_selected >= 0 ? spoken(m_selected) : tr("No cell selected; the arrow keys select one");
    if (m_selected < 0)
        for (int at = 0; at < rows() * columns(); ++at)
            if (m_grid[static_cast<std::size_t>(at / columns())][static_cast<std::size_t>(at % columns())].relevant)
                words += QLatin1String(". ") + spoken(at);
    if (words == accessibleDescription())
        return;
    setAccessibleDescription(words);
    QAccessibleEvent event(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&event);
}

void RowsGrid::paintEvent(QPaintEvent*) {
    const auto& theme = Theme::instance();
    const Palette& c = theme.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QFontMetrics small(theme.caption());
    for (int row = 0; row < rows(); ++row) {
        const int y = row * (nameHeight + cellHeight + rowGap);
        const bool filled = static_cast<std::size_t>(row) < m_order.size();
        const std::size_t candidate = filled ? m_order[static_cast<std::size_t>(row)] : 0;
        const int colour = filled && candidate < m_colours.size() ? m_colours[candidate] : -1;
        if (filled && colour >= 0)
            painter.fillPath(Theme::marker(colour, QPointF(7, y + nameHeight / 2.0), 9), theme.strategy(colour));
        painter.setFont(theme.strong());
        painter.setPen(c.text);
        const QString name = filled ? tr("%1  %2").arg(row + 1).arg(qs(m_study->candidates[candidate].name)) : tr("%1  no row chosen").arg(row + 1);
        painter.drawText(QRect(18, y, width() - 18, nameHeight), Qt::AlignLeft | Qt::AlignVCenter,
                         QFontMetrics(theme.strong()).elidedText(name, Qt::ElideRight, width() - 18));
        for (int column = 0; column < columns(); ++column) {
            const int at = row * columns() + column;
            const auto& cell = m_grid[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
            const QRect rect = cellRect(at);
            const bool muted = cell.repeated || cell.item == noCode, selected = at == m_selected;
            QPainterPath shape;
            shape.addRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
            painter.fillPath(shape, cell.relevant && !muted ? c.accentSoft : muted ? c.window : c.surface);
            QPen edge(selected ? c.accent : c.border, selected ? 2 : 1);
            if (muted && !selected)
                edge.setStyle(Qt::DashLine);
            painter.strokePath(shape, edge);
            if (selected && hasFocus()) {
                painter.setPen(QPen(c.text, 1, Qt::DotLine));
                painter.drawRoundedRect(QRectF(rect).adjusted(3, 3, -3, -3), 3, 3);
            }
            painter.setFont(theme.caption());
            painter.setPen(muted ? c.secondary : c.text);
            const QString text = (cell.relevant ? QStringLiteral("★ ") : QString()) + titleOf(cell);
            int line = rect.top() + 6;
            for (const QString& part : elidedLines(text, small, rect.width() - 12, 2)) {
                painter.drawText(rect.left() + 6, line + small.ascent(), part);
                line += small.height();
            }
            if (cell.repeated) {
                painter.setPen(c.secondary);
                painter.drawText(rect.adjusted(6, 0, -6, -3), Qt::AlignRight | Qt::AlignBottom, small.elidedText(tr("again"), Qt::ElideRight, rect.width() - 12));
            }
        }
    }
}

void RowsGrid::select(int cell) {
    if (cell < 0 || cell >= rows() * columns() || cell == m_selected)
        return;
    m_selected = cell;
    tell();
    update();
    Q_EMIT selectionChanged(cell);
}

void RowsGrid::mousePressEvent(QMouseEvent* event) {
    for (int at = 0; at < rows() * columns(); ++at)
        if (cellRect(at).contains(event->position().toPoint()))
            return select(at);
    QWidget::mousePressEvent(event);
}

void RowsGrid::keyPressEvent(QKeyEvent* event) {
    const int key = event->key();
    const int step = key == Qt::Key_Left ? -1 : key == Qt::Key_Right ? 1 : key == Qt::Key_Up ? -columns() : key == Qt::Key_Down ? columns() : 0;
    if (step == 0 || rows() == 0)
        return QWidget::keyPressEvent(event);
    if (m_selected < 0)
        return select(0);
    const bool leaves = (step == -1 && m_selected % columns() == 0) || (step == 1 && m_selected % columns() == columns() - 1);
    if (!leaves)
        select(m_selected + step);
}

bool RowsGrid::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        for (int at = 0; at < rows() * columns(); ++at)
            if (cellRect(at).contains(help->pos())) {
                QToolTip::showText(help->globalPos(), plainToolTip(spoken(at)), this);
                return true;
            }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace carousel::ui
