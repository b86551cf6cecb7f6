// SPDX-License-Identifier: GPL-3.0-or-later
// How one card of a carousel looks.
#pragma once
#include "workbench/workbench.h"
#include <QRect>
#include <QString>

class QPainter;
class QFontMetrics;

namespace carousel::ui {

struct CardLook {
    int place = 0;    // 0-based
    int strategy = 0; // colour
    bool muted = false, selected = false, focused = false, dragged = false;
    SlotFigures figures;
};
constexpr int cardHeight = 136;

void paintCard(QPainter& painter, const QRect& rect, const CarouselCard& card, const CardLook& look);
// ".08" and "1.00": a share in a narrow place. Larger values keep three figures.
QString shortFigure(double value);
// At most `lines` lines of `width` pixels; the last one ends in an ellipsis when text is left over. Long words are cut where they must.
QStringList elidedLines(const QString& text, const QFontMetrics& metrics, int width, int lines);

} // namespace carousel::ui
