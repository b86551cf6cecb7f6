// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/badge.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QPainter>

namespace carousel::ui {

Badge::Badge(const QString& text, Tone tone, const QString& reason, QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setBadge(text, tone, reason);
}

void Badge::setBadge(const QString& text, Tone tone, const QString& reason) {
    m_text = text;
    m_tone = tone;
    setAccessibleName(text);
    setAccessibleDescription(reason);
    setToolTip(reason.isEmpty() ? QString() : plainToolTip(reason));
    updateGeometry();
    update();
}

QSize Badge::sizeHint() const {
    const QFontMetrics metrics(Theme::instance().caption());
    return {metrics.horizontalAdvance(m_text) + 28, 20};
}

void Badge::paintEvent(QPaintEvent*) {
    const Palette& c = Theme::instance().colours();
    QColor ink = c.secondary, fill = c.raised;
    switch (m_tone) {
    case Tone::good: ink = c.good, fill = c.goodSoft; break;
    case Tone::warning: ink = c.warning, fill = c.warningSoft; break;
    case Tone::bad: ink = c.bad, fill = c.badSoft; break;
    case Tone::accent: ink = c.accent, fill = c.accentSoft; break;
    case Tone::neutral: break;
    }
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawRoundedRect(box, 10, 10);
    const QPointF dot(12, height() / 2.0);
    painter.setBrush(ink);
    painter.setPen(QPen(ink, 1.4));
    switch (m_tone) {
    case Tone::good:
    case Tone::accent: painter.drawEllipse(dot, 3, 3); break;
    case Tone::warning: painter.fillPath(Theme::marker(2, dot, 9), ink); break; // disc, triangle, square: the shapes of the reports
    case Tone::bad: painter.fillPath(Theme::marker(1, dot, 8), ink); break;
    case Tone::neutral:
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(dot, 3, 3);
        break;
    }
    painter.setFont(Theme::instance().caption());
    painter.setPen(ink);
    painter.drawText(rect().adjusted(20, 0, -6, 0), Qt::AlignVCenter | Qt::AlignLeft, m_text);
}

StrategyChip::StrategyChip(int index, const QString& name, QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    setStrategy(index, name);
}

void StrategyChip::setStrategy(int index, const QString& name) {
    m_index = index;
    m_name = name;
    setAccessibleName(tr("%1, %2").arg(name, Theme::markerName(index)));
    setToolTip(plainToolTip(name));
    updateGeometry();
    update();
}

QSize StrategyChip::sizeHint() const {
    const QFontMetrics metrics(Theme::instance().body());
    return {metrics.horizontalAdvance(m_name) + 24, 22};
}

void StrategyChip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillPath(Theme::marker(m_index, {8, height() / 2.0}, 10), Theme::instance().strategy(m_index));
    painter.setFont(Theme::instance().body());
    painter.setPen(Theme::instance().colours().text);
    const QRect room = rect().adjusted(20, 0, 0, 0);
    painter.drawText(room, Qt::AlignVCenter | Qt::AlignLeft, painter.fontMetrics().elidedText(m_name, Qt::ElideRight, room.width()));
}

} // namespace carousel::ui
