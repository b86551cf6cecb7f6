// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/flow_layout.h"
#include <QWidget>
#include <algorithm>

namespace carousel::ui {

FlowLayout::FlowLayout(QWidget* parent, int horizontal, int vertical) : QLayout(parent), m_horizontal(horizontal), m_vertical(vertical) {
    setContentsMargins(0, 0, 0, 0);
}

FlowLayout::~FlowLayout() { qDeleteAll(m_items); }

void FlowLayout::clear() {
    while (!m_items.isEmpty()) {
        QLayoutItem* item = m_items.takeFirst();
        if (QWidget* widget = item->widget()) {
            widget->hide();
            widget->deleteLater();
        }
        delete item;
    }
    invalidate();
}

QSize FlowLayout::sizeHint() const {
    int width = 0;
    for (const auto* item : m_items)
        width += item->sizeHint().width() + m_horizontal;
    width = std::min(width, 640);
    return {width, heightForWidth(std::max(width, 1))};
}

QSize FlowLayout::minimumSize() const {
    QSize size;
    for (const auto* item : m_items)
        size = size.expandedTo(item->minimumSize());
    return size;
}

void FlowLayout::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    arrange(rect, true);
}

int FlowLayout::arrange(const QRect& rect, bool place) const {
    int x = rect.x(), y = rect.y(), row = 0;
    for (auto* item : m_items) {
        if (item->isEmpty())
            continue;
        const QSize size = item->sizeHint().boundedTo({std::max(rect.width(), item->minimumSize().width()), 100000});
        if (x > rect.x() && x + size.width() > rect.right() + 1) {
            x = rect.x();
            y += row + m_vertical;
            row = 0;
        }
        if (place)
            item->setGeometry({{x, y}, size});
        x += size.width() + m_horizontal;
        row = std::max(row, size.height());
    }
    return y + row - rect.y();
}

} // namespace carousel::ui
