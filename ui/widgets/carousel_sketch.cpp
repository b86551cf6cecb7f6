// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/carousel_sketch.h"
#include "theme/theme.h"
#include <QPainter>

namespace carousel::ui {

CarouselSketch::CarouselSketch(QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("A carousel with ten positions; the fold lies after position 6 and the wanted product at position 8."));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void CarouselSketch::paintEvent(QPaintEvent*) {
    constexpr int positions = 10, window = 6, wanted = 8;
    const Palette& c = Theme::instance().colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const qreal foldGap = 26, gap = 8;
    const qreal width = (this->width() - foldGap - gap * (positions - 2)) / positions;
    const qreal top = 18, height = this->height() - top - 22;
    qreal x = 0;
    for (int position = 1; position <= positions; ++position) {
        const bool behind = position > window, target = position == wanted;
        const QRectF card(x + 0.5, top + 0.5, width - 1, height - 1);
        painter.setPen(QPen(target ? c.accent : behind ? c.border : c.bandEdge, target ? 2 : 1, behind && !target ? Qt::DashLine : Qt::SolidLine));
        painter.setBrush(target ? c.accentSoft : behind ? c.window : c.raised);
        painter.drawRoundedRect(card, 4, 4);
        painter.setPen(behind && !target ? c.secondary : target ? c.accent : c.text);
        painter.setFont(target ? Theme::instance().strong() : Theme::instance().body());
        painter.drawText(card, Qt::AlignCenter, target ? QStringLiteral("8 ★") : QString::number(position));
        x += width + gap;
        if (position == window) {
            const qreal fold = x - gap + foldGap / 2;
            QPen pen(c.text, 1.2);
            pen.setDashPattern({4, 4});
            painter.setPen(pen);
            painter.drawLine(QPointF(fold, top - 4), QPointF(fold, top + height + 6));
            painter.setFont(Theme::instance().caption());
            painter.setPen(c.secondary);
            painter.drawText(QRectF(fold - 60, this->height() - 18, 120, 16), Qt::AlignCenter, tr("the fold"));
            x += foldGap - gap;
        }
    }
    painter.setFont(Theme::instance().caption());
    painter.setPen(c.secondary);
    painter.drawText(QRectF(0, 0, this->width(), 16), Qt::AlignLeft, tr("seen"));
    painter.drawText(QRectF(0, 0, this->width(), 16), Qt::AlignRight, tr("seen only after a swipe"));
}

} // namespace carousel::ui
