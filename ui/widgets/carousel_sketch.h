// SPDX-License-Identifier: GPL-3.0-or-later
// The picture on the home page: six cards before the fold, more behind it, the wanted one at position 8.
#pragma once
#include <QWidget>

namespace carousel::ui {

class CarouselSketch : public QWidget {
    Q_OBJECT
public:
    explicit CarouselSketch(QWidget* parent = nullptr);
    QSize sizeHint() const override { return {560, 96}; }
    QSize minimumSizeHint() const override { return {320, 96}; }

protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace carousel::ui
