// SPDX-License-Identifier: GPL-3.0-or-later
// One line of plain text that ends in an ellipsis where the room ends; the whole text is its tooltip and what is read aloud.
#pragma once
#include <QLabel>

namespace carousel::ui {

class ElidedLabel : public QLabel {
public:
    explicit ElidedLabel(const char* role = "", QWidget* parent = nullptr);
    void setWhole(const QString& text, const QString& toolTip = {});
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace carousel::ui
