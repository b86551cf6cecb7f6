// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/elided_label.h"
#include "widgets/text.h"
#include <QPainter>

namespace carousel::ui {

ElidedLabel::ElidedLabel(const char* role, QWidget* parent) : QLabel(parent) {
    setTextFormat(Qt::PlainText);
    if (*role)
        setProperty("role", QString::fromLatin1(role));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ElidedLabel::setWhole(const QString& text, const QString& toolTip) {
    setText(text);
    setToolTip(plainToolTip(toolTip.isEmpty() ? text : toolTip));
    setAccessibleName(toolTip.isEmpty() ? text : toolTip);
}

QSize ElidedLabel::minimumSizeHint() const {
    return {60, QLabel::minimumSizeHint().height()};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    painter.drawText(contentsRect(), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                     fontMetrics().elidedText(text(), Qt::ElideRight, contentsRect().width()));
}

} // namespace carousel::ui
