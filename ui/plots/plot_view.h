// SPDX-License-Identifier: GPL-3.0-or-later
// The one plot widget of the program: title, subtitle, plot, and its own toolbar with copy, export, table twin and reset.
// Hover shows the values under the cursor, a click selects a series and a place.
#pragma once
#include "report/plot.h"
#include <QWidget>

class QCustomPlot;
class QLabel;
class QStackedWidget;
class QTableView;
class QToolButton;

namespace carousel::ui {

class TextTableModel;

class PlotView : public QWidget {
    Q_OBJECT
public:
    explicit PlotView(QWidget* parent = nullptr);
    void setPlot(const PlotSpec& spec);
    // The same plot with other figures, while something is dragged: axes and labels stay. Anything else is drawn anew.
    void updateValues(const PlotSpec& spec);
    // The first vertical line can be dragged, and moved with the arrow keys; what it is, for tooltip and assistive tools.
    void setLineDraggable(const QString& what);
    const PlotSpec& plot() const { return m_spec; }
    void setHighlighted(int series); // dims the others; -1: none
    bool showsTable() const;
    QString hoverText(double x) const; // the values nearest to x, one line per series
    QString hoverText(double x, double y) const; // of a heat map: the cell there, empty outside
    QSize sizeHint() const override { return {460, 300}; }

public Q_SLOTS:
    void setTableShown(bool shown);
    void copyPlot(); // picture and table on the clipboard
    void resetView();
    // Writes png, svg, pdf or csv by the file's ending; says in a message when it could not.
    bool exportTo(const QString& file);

Q_SIGNALS:
    void seriesClicked(int series);
    void placeClicked(double x);
    void lineDragged(double x);
    void lineStepped(int by); // left or right arrow key
    void exported(const QString& file);
    void exportFailed(const QString& message);

protected:
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    void redraw();
    void askForFile(const QString& ending);
    void showHover(const QPointF& at);
    void fillTable();
    bool onLine(const QPointF& at) const;
    bool followLine(QEvent* event); // true: it was about the line and nothing else

    PlotSpec m_spec;
    int m_highlighted = -1;
    QLabel* m_title;
    QLabel* m_subtitle;
    QStackedWidget* m_stack;
    QCustomPlot* m_plot;
    QTableView* m_table;
    TextTableModel* m_tableModel;
    QToolButton* m_tableButton;
    QLabel* m_hover;
    QString m_line;
    bool m_lineHeld = false, m_tableOld = false;
};

} // namespace carousel::ui
