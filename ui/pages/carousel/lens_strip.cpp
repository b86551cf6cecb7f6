// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/lens_strip.h"
#include "pages/carousel/card_painter.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int left = 26, right = 6, foldGap = 14, top = 16, rowHeight = 44, rowGap = 4, cellGap = 3, foldReach = 8, widestPitch = 110;
}

LensStrip::LensStrip(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Positions of all carousels, with the fold"));
    connect(&Theme::instance(), &Theme::changed, this, [this] { update(); });
}

void LensStrip::setRange(int smallest, int largest) {
    m_smallest = smallest;
    m_largest = largest;
}

void LensStrip::showRows(std::vector<LensStripRow> rows, int window, const QString& figure) {
    const bool other = rows.size() != m_rows.size();
    m_rows = std::move(rows);
    m_window = window;
    m_figure = figure;
    if (m_selected >= positions())
        m_selected = -1;
    if (other)
        updateGeometry();
    tell();
    update();
}

int LensStrip::positions() const {
    std::size_t most = 0;
    for (const auto& row : m_rows)
        most = std::max(most, row.figures.size());
    return static_cast<int>(most);
}

double LensStrip::pitch() const {
    const double room = width() - left - right - foldGap;
    return std::min<double>(widestPitch, room / std::max(1, positions()));
}

int LensStrip::foldX(int window) const {
    return left + static_cast<int>(std::lround(std::min(window, positions()) * pitch())) + foldGap / 2 - 1;
}

QRect LensStrip::cellRect(std::size_t row, int position) const {
    const int offset = position >= m_window ? foldGap : 0;
    const int from = left + static_cast<int>(std::lround(position * pitch())), to = left + static_cast<int>(std::lround((position + 1) * pitch()));
    return {from + offset, top + static_cast<int>(row) * (rowHeight + rowGap), to - from - cellGap, rowHeight};
}

bool LensStrip::onFold(const QPoint& at) const {
    return positions() > 0 && std::abs(at.x() - foldX()) <= foldReach;
}

QSize LensStrip::sizeHint() const {
    const int rows = std::max<int>(1, static_cast<int>(m_rows.size()));
    return {700, top + rows * (rowHeight + rowGap)};
}
QSize LensStrip::minimumSizeHint() const {
    return {320, sizeHint().height()};
}

QString LensStrip::spoken(int position) const {
    QStringList parts{tr("Position %1 of %2, %3 the fold").arg(position + 1).arg(positions()).arg(position < m_window ? tr("before") : tr("behind"))};
    for (const auto& row : m_rows)
        if (static_cast<std::size_t>(position) < row.figures.size())
            parts << tr("%1 %2: %3 %4").arg(row.letter, row.name, m_figure, figures(row.figures[static_cast<std::size_t>(position)]));
    return parts.join(QLatin1Char('\n'));
}

void LensStrip::tell() {
    QStringList parts{tr("Fold after position %1; the arrow keys move it, Ctrl with an arrow key selects a position").arg(m_window)};
    for (const auto& row : m_rows)
        parts << tr("%1 %2: %3").arg(row.letter, row.name, row.total);
    if (m_selected >= 0)
        parts << spoken(m_selected);
    const QString words = parts.join(QStringLiteral(". "));
    if (words == accessibleDescription())
        return;
    setAccessibleDescription(words);
    QAccessibleEvent event(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&event);
}

void LensStrip::paintEvent(QPaintEvent*) {
    const auto& theme = Theme::instance();
    const Palette& c = theme.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QFontMetrics small(theme.caption());
    double highest = 0;
    for (const auto& row : m_rows)
        for (const double value : row.figures)
            if (std::isfinite(value))
                highest = std::max(highest, value);
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        const auto& row = m_rows[r];
        const QColor colour = theme.strategy(row.colour);
        const int y = top + static_cast<int>(r) * (rowHeight + rowGap);
        painter.setPen(c.text);
        painter.setFont(theme.strong());
        painter.drawText(QRect(0, y, left - 6, rowHeight / 2 + 4), Qt::AlignHCenter | Qt::AlignBottom, row.letter);
        painter.fillPath(Theme::marker(row.colour, QPointF((left - 6) / 2.0, y + rowHeight / 2.0 + 12), 8), colour);
        for (int position = 0; position < static_cast<int>(row.figures.size()); ++position) {
            const QRect cell = cellRect(r, position);
            const bool muted = position >= m_window, selected = position == m_selected;
            QPainterPath shape;
            shape.addRoundedRect(QRectF(cell).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
            painter.fillPath(shape, muted ? c.window : c.surface);
            QPen edge(selected ? c.accent : c.border, selected ? 2 : 1);
            if (muted && !selected)
                edge.setStyle(Qt::DashLine);
            painter.strokePath(shape, edge);
            const double value = row.figures[static_cast<std::size_t>(position)];
            painter.setFont(theme.caption());
            painter.setPen(c.secondary);
            painter.drawText(cell.adjusted(5, 4, -4, 0), Qt::AlignLeft | Qt::AlignTop, QString::number(position + 1));
            painter.setPen(muted ? c.secondary : c.text);
            const QString text = shortFigure(value);
            if (small.horizontalAdvance(text) <= cell.width() - 6)
                painter.drawText(cell.adjusted(4, 0, -4, -13), Qt::AlignRight | Qt::AlignBottom, text);
            const QRectF bar(cell.left() + 5, cell.bottom() - 9, cell.width() - 10, 5);
            painter.setPen(Qt::NoPen);
            painter.setBrush(c.border);
            painter.drawRoundedRect(bar, 2, 2);
            if (value > 0 && highest > 0) {
                QColor fill = colour;
                if (muted)
                    fill.setAlphaF(0.65F);
                painter.setBrush(fill);
                painter.drawRoundedRect(QRectF(bar.left(), bar.top(), std::max(2.0, bar.width() * value / highest), bar.height()), 2, 2);
            }
        }
    }
    if (positions() == 0)
        return;
    const int x = foldX();
    const QColor line = m_overFold || m_dragging || hasFocus() ? c.accent : c.text;
    QPen pen(line, hasFocus() ? 2 : 1.5);
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    const int bottom = height() - rowGap;
    painter.drawLine(QPointF(x + 0.5, top), QPointF(x + 0.5, bottom));
    const QRectF handle(x - 4.5, (top + bottom) / 2.0 - 14, 10, 28);
    painter.setPen(QPen(line, 1.2));
    painter.setBrush(c.surface);
    painter.drawRoundedRect(handle, 4, 4);
    for (int i = -1; i <= 1; ++i)
        painter.drawLine(QPointF(handle.left() + 3, handle.center().y() + i * 5), QPointF(handle.right() - 3, handle.center().y() + i * 5));
    painter.setFont(theme.caption());
    painter.setPen(c.secondary);
    const QRect name(std::min(x - 30, width() - 60), 0, 60, top - 2);
    painter.drawText(name, Qt::AlignHCenter | Qt::AlignBottom, tr("fold"));
    painter.drawText(QRect(left, 0, std::max(0, name.left() - left), top - 2), Qt::AlignLeft | Qt::AlignBottom,
                     small.elidedText(m_figure, Qt::ElideRight, std::max(0, name.left() - left)));
}

void LensStrip::select(int position) {
    if (position < -1 || position >= positions() || position == m_selected)
        return;
    m_selected = position;
    tell();
    update();
    Q_EMIT selectionChanged(position);
}

void LensStrip::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton)
        return QWidget::mousePressEvent(event);
    const QPoint at = event->position().toPoint();
    m_dragging = onFold(at);
    if (!m_dragging)
        for (std::size_t r = 0; r < m_rows.size(); ++r)
            for (int position = 0; position < positions(); ++position)
                if (cellRect(r, position).contains(at))
                    select(position);
    update();
}

void LensStrip::mouseMoveEvent(QMouseEvent* event) {
    const QPoint at = event->position().toPoint();
    if (m_dragging) {
        const int wished = std::clamp(static_cast<int>(std::lround((at.x() - left - foldGap / 2.0) / pitch())), m_smallest, m_largest);
        if (wished != m_window)
            Q_EMIT windowWanted(wished);
        return;
    }
    if (const bool over = onFold(at); over != m_overFold) {
        m_overFold = over;
        update();
        if (over)
            setCursor(Qt::SplitHCursor);
        else
            unsetCursor();
    }
}

void LensStrip::mouseReleaseEvent(QMouseEvent*) {
    m_dragging = false;
    update();
}

void LensStrip::leaveEvent(QEvent*) {
    m_overFold = false;
    update();
}

void LensStrip::keyPressEvent(QKeyEvent* event) {
    const int step = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : 0;
    if (positions() == 0 || step == 0)
        return QWidget::keyPressEvent(event);
    if (event->modifiers() & Qt::ControlModifier)
        return select(std::clamp(m_selected + step, 0, positions() - 1));
    Q_EMIT windowWanted(std::clamp(m_window + step, m_smallest, m_largest));
}

bool LensStrip::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        QString text;
        if (onFold(help->pos()))
            text = tr("The fold: drag it to show more or fewer cards (Left, Right)");
        else
            for (int position = 0; position < positions(); ++position)
                if (const QRect cell = cellRect(0, position); help->pos().x() >= cell.left() && help->pos().x() <= cell.right())
                    text = spoken(position);
        if (text.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), plainToolTip(text), this);
        return true;
    }
    return QWidget::event(event);
}

} // namespace carousel::ui
