// SPDX-License-Identifier: GPL-3.0-or-later
// The slots of all carousels as one row of cells per strategy: position, the chosen figure, and its share as a bar; the fold runs through all
// rows and can be dragged. Cells behind the fold are muted. Left and right move the fold, Ctrl with them selects a position.
#pragma once
#include <QWidget>
#include <vector>

namespace carousel::ui {

struct LensStripRow {
    QString letter, name;
    int colour = 0;
    std::vector<double> figures; // of the slots
    QString total;               // "V = .012"
};

class LensStrip : public QWidget {
    Q_OBJECT
public:
    explicit LensStrip(QWidget* parent = nullptr);
    void setRange(int smallest, int largest); // of the fold
    void showRows(std::vector<LensStripRow> rows, int window, const QString& figure);
    int window() const { return m_window; }
    int selected() const { return m_selected; } // 0-based position, -1: none
    void select(int position);
    int foldX() const { return foldX(m_window); }
    QRect cellRect(std::size_t row, int position) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void windowWanted(int window);
    void selectionChanged(int position);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool event(QEvent* event) override;

private:
    int positions() const;
    double pitch() const;
    int foldX(int window) const;
    bool onFold(const QPoint& at) const;
    QString spoken(int position) const;
    void tell();

    std::vector<LensStripRow> m_rows;
    QString m_figure;
    int m_window = 6, m_smallest = 3, m_largest = 12, m_selected = -1;
    bool m_dragging = false, m_overFold = false;
};

} // namespace carousel::ui
