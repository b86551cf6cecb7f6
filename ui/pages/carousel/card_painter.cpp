// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/card_painter.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QPainter>
#include <QTextLayout>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int wideInset = 8, narrowInset = 5, narrowCard = 76;

QPainterPath star(const QPointF& centre, double radius) {
    QPolygonF points;
    for (int i = 0; i < 10; ++i) {
        const double r = i % 2 ? radius * 0.42 : radius, angle = -M_PI / 2 + i * M_PI / 5;
        points << centre + QPointF(r * std::cos(angle), r * std::sin(angle));
    }
    QPainterPath path;
    path.addPolygon(points);
    path.closeSubpath();
    return path;
}
} // namespace

QString shortFigure(double value) {
    if (!std::isfinite(value))
        return QStringLiteral("–");
    if (std::abs(value) >= 9.995)
        return figures(value);
    if (value > 0 && value < 0.005)
        return QStringLiteral("<.01");
    QString text = QString::number(value, 'f', 2);
    if (text.startsWith(QLatin1String("0.")))
        text.remove(0, 1);
    return text;
}

QStringList elidedLines(const QString& text, const QFontMetrics& metrics, int width, int lines) {
    QStringList out;
    QString rest = text.simplified();
    while (!rest.isEmpty() && out.size() < lines) {
        if (out.size() == lines - 1 || metrics.horizontalAdvance(rest) <= width) {
            out << metrics.elidedText(rest, Qt::ElideRight, width);
            break;
        }
        qsizetype fits = 0, lastSpace = -1;
        while (fits < rest.size() && metrics.horizontalAdvance(rest.left(fits + 1)) <= width) {
            if (rest[fits].isSpace())
                lastSpace = fits;
            ++fits;
        }
        if (fits < rest.size() && rest[fits].isSpace())
            lastSpace = fits;
        const qsizetype cut = lastSpace > 0 ? lastSpace : std::max<qsizetype>(1, fits);
        out << rest.left(cut).trimmed();
        rest = rest.mid(cut).trimmed();
    }
    return out;
}

void paintCard(QPainter& painter, const QRect& rect, const CarouselCard& card, const CardLook& look) {
    const auto& theme = Theme::instance();
    const Palette& c = theme.colours();
    const QColor colour = theme.strategy(look.strategy);
    const QColor text = look.muted ? c.secondary : c.text;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF frame = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5);
    QPainterPath shape;
    shape.addRoundedRect(frame, 5, 5);
    painter.fillPath(shape, look.dragged ? c.accentSoft : look.muted ? c.window : c.surface);
    if (!look.muted) { // the strategy's colour along the top
        painter.save();
        painter.setClipPath(shape);
        painter.fillRect(QRectF(frame.left(), frame.top(), frame.width(), 4), colour);
        painter.restore();
    }
    QPen edge(look.selected ? c.accent : c.border, look.selected ? 2 : 1);
    if (look.muted && !look.selected)
        edge.setStyle(Qt::DashLine);
    painter.setPen(edge);
    painter.drawPath(shape);
    if (look.focused) {
        painter.setPen(QPen(c.text, 1, Qt::DotLine));
        painter.drawRoundedRect(frame.adjusted(3, 3, -3, -3), 3, 3);
    }

    const int inset = rect.width() < narrowCard ? narrowInset : wideInset;
    const int left = rect.left() + inset, width = rect.width() - 2 * inset;
    int y = rect.top() + 8;
    // Position, and the star on what the user went on to choose.
    painter.setFont(theme.strong());
    painter.setPen(text);
    const QFontMetrics strong(theme.strong());
    painter.drawText(left, y + strong.ascent(), QString::number(look.place + 1));
    if (card.isTarget) {
        const QPainterPath path = star({double(rect.right() - inset - 6), y + strong.ascent() / 2.0 + 1}, 8);
        painter.fillPath(path, c.warning);
        painter.setPen(QPen(c.warning, 1));
        painter.drawPath(path);
    } else if (card.status != ScoreStatus::ok) {
        painter.setFont(theme.caption());
        painter.setPen(c.warning);
        painter.drawText(QRect(left, y, width, strong.height()), Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("▲"));
    }
    y += strong.height() + 2;

    painter.setFont(theme.caption());
    const QFontMetrics small(theme.caption());
    painter.setPen(text);
    const QStringList title = elidedLines(qs(card.title), small, width, 3);
    for (const QString& line : title) {
        painter.drawText(left, y + small.ascent(), line);
        y += small.height();
    }
    y = rect.top() + 8 + strong.height() + 2 + 3 * small.height() + 2;
    painter.setPen(c.secondary);
    painter.drawText(left, y + small.ascent(), small.elidedText(qs(card.subtitle), Qt::ElideRight, width));
    y += small.height() + 6;

    // Reach as a bar and a figure; click and value below.
    const QString reached = shortFigure(look.figures.reach);
    const int figureWidth = small.horizontalAdvance(QStringLiteral("1.00")) + 6;
    painter.setPen(text);
    painter.drawText(QRect(left, y - 4, width, small.height()), Qt::AlignRight | Qt::AlignVCenter, reached);
    const QRectF bar(left, y, width - figureWidth, 5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(c.border);
    painter.drawRoundedRect(bar, 2, 2);
    const double reach = std::clamp(look.figures.reach, 0.0, 1.0);
    if (reach > 0) {
        QColor fill = colour;
        if (look.muted)
            fill.setAlphaF(0.65F);
        painter.setBrush(fill);
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), std::max(2.0, bar.width() * reach), bar.height()), 2, 2);
    }
    y += 10;
    const auto row = [&](const QString& name, const QString& value) {
        painter.setPen(c.secondary);
        const bool fits = small.horizontalAdvance(name) + small.horizontalAdvance(value) + 3 <= width;
        painter.drawText(left, y + small.ascent(), fits ? name : name.left(1));
        painter.setPen(text);
        painter.drawText(QRect(left, y, width, small.height()), Qt::AlignRight | Qt::AlignVCenter, value);
        y += small.height();
    };
    row(QStringLiteral("click"), shortFigure(look.figures.click));
    row(QStringLiteral("value"), shortFigure(look.figures.value));
    painter.restore();
}

} // namespace carousel::ui
