// SPDX-License-Identifier: GPL-3.0-or-later
// Carousels one below the other, as a user meets them: small titles, the ideal item with a star, repetitions muted.
#pragma once
#include "pages/carousel/row_study.h"
#include <QWidget>

namespace carousel::ui {

class RowsGrid : public QWidget {
    Q_OBJECT
public:
    explicit RowsGrid(QWidget* parent = nullptr);
    // order: candidates from the top row down; user: row of study.users, -1: none.
    void show(std::shared_ptr<const RowStudy> study, std::vector<std::size_t> order, int user, std::vector<int> colours);
    int selected() const { return m_selected; } // row * columns + column, -1: none
    QString spoken(int cell) const;
    QRect cellRect(int cell) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void selectionChanged(int cell);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    int columns() const;
    int rows() const { return static_cast<int>(m_grid.size()); }
    QString titleOf(const GridCell& cell) const;
    void select(int cell);
    void tell();

    std::shared_ptr<const RowStudy> m_study;
    std::vector<std::size_t> m_order;
    std::vector<int> m_colours; // per candidate
    std::vector<std::vector<GridCell>> m_grid;
    int m_selected = -1;
};

} // namespace carousel::ui
