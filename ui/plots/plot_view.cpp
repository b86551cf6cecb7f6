// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_view.h"
#include "base/file.h"
#include "models/text_table_model.h"
#include "plots/plot_drawing.h"
#include "plots/plot_parts.h"
#include "plots/plot_update.h"
#include "theme/theme.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMimeData>
#include <QMouseEvent>
#include <QShortcut>
#include <QStackedWidget>
#include <QTableView>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>
#include <cmath>
#include <limits>
#include <utility>
#include "plots/custom_plot.h"

namespace carousel::ui {

namespace {
constexpr QSize exportSize(900, 460);

QToolButton* tool(QWidget* parent, const char* icon, const QString& name, const QString& tip) {
    auto* button = new QToolButton(parent);
    button->setIcon(Theme::icon(QString::fromLatin1(icon)));
    button->setIconSize({16, 16});
    button->setAccessibleName(name);
    button->setToolTip(tip);
    return button;
}
} // namespace

PlotView::PlotView(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 8, 4);
    column->setSpacing(2);
    auto* head = new QHBoxLayout;
    head->setSpacing(2);
    m_title = textLabel({}, "heading", true);
    m_title->setMinimumWidth(60);
    head->addWidget(m_title, 1);
    auto* copy = tool(this, "edit-copy", tr("Copy plot"), tr("Copy as picture and table (Ctrl+C in the plot)"));
    auto* save = tool(this, "document-export", tr("Export plot"), tr("Export as PNG, SVG, PDF or CSV"));
    m_tableButton = tool(this, "table", tr("Show as table"), tr("Show the numbers as a table (F7 in the plot)"));
    m_tableButton->setCheckable(true);
    auto* reset = tool(this, "view-refresh", tr("Reset view"), tr("Back to the whole range"));
    for (auto* button : {copy, save, m_tableButton, reset})
        head->addWidget(button);
    auto* menu = new QMenu(save);
    for (const char* ending : {"png", "svg", "pdf", "csv"})
        menu->addAction(QString::fromLatin1(ending).toUpper() + QStringLiteral("…"), this, [this, ending] { askForFile(QString::fromLatin1(ending)); });
    save->setMenu(menu);
    save->setPopupMode(QToolButton::InstantPopup);
    column->addLayout(head);
    m_subtitle = textLabel({}, "caption", true);
    column->addWidget(m_subtitle);

    m_stack = new QStackedWidget(this);
    m_plot = new QCustomPlot;
    m_plot->setObjectName(QStringLiteral("plot"));
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->setNoAntialiasingOnDrag(true);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setMinimumSize(200, 130);
    m_plot->installEventFilter(this);
    m_table = new QTableView;
    setUpTable(m_table, tr("Numbers of the plot"));
    m_tableModel = new TextTableModel(this);
    m_table->setModel(m_tableModel);
    m_stack->addWidget(m_plot);
    m_stack->addWidget(m_table);
    column->addWidget(m_stack, 1);

    m_hover = new QLabel(m_plot);
    m_hover->setTextFormat(Qt::PlainText);
    m_hover->setAttribute(Qt::WA_TransparentForMouseEvents);
    m_hover->setMargin(5);
    m_hover->hide();

    connect(copy, &QToolButton::clicked, this, &PlotView::copyPlot);
    connect(m_tableButton, &QToolButton::toggled, this, &PlotView::setTableShown);
    connect(reset, &QToolButton::clicked, this, &PlotView::resetView);
    connect(new QShortcut(QKeySequence(Qt::Key_F7), this, nullptr, nullptr, Qt::WidgetWithChildrenShortcut), &QShortcut::activated, m_tableButton,
            &QToolButton::toggle);
    connect(new QShortcut(QKeySequence::Copy, m_plot, nullptr, nullptr, Qt::WidgetShortcut), &QShortcut::activated, this, &PlotView::copyPlot);
    connect(&Theme::instance(), &Theme::changed, this, &PlotView::redraw);
    connect(m_plot, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
        int best = -1;
        double nearest = 14;
        for (std::size_t i = 0; i < m_spec.series.size(); ++i) {
            for (int p = 0; p < m_plot->plottableCount(); ++p)
                if (auto* plottable = m_plot->plottable(p); plottable->name() == qs(m_spec.series[i].name)) {
                    const double distance = plottable->selectTest(event->position(), false);
                    if (distance >= 0 && distance < nearest) {
                        nearest = distance;
                        best = static_cast<int>(i);
                    }
                }
        }
        if (best >= 0)
            Q_EMIT seriesClicked(best);
        if (m_plot->axisRect()->rect().contains(event->pos()))
            Q_EMIT placeClicked(m_plot->xAxis->pixelToCoord(event->position().x()));
    });
}

void PlotView::setPlot(const PlotSpec& spec) {
    m_spec = spec;
    m_highlighted = spec.heat.empty() ? m_highlighted : -1;
    m_title->setText(qs(spec.title));
    m_title->setToolTip(plainToolTip(qs(spec.title)));
    m_subtitle->setText(qs(spec.subtitle));
    m_subtitle->setVisible(!spec.subtitle.empty());
    fillTable();
    m_plot->setAccessibleName(qs(spec.title));
    m_plot->setAccessibleDescription(plotSummary(spec));
    redraw();
}

void PlotView::updateValues(const PlotSpec& spec) {
    if (m_highlighted >= 0 || !sameShape(m_spec, spec))
        return setPlot(spec);
    if (spec.title != m_spec.title) {
        m_title->setText(qs(spec.title));
        m_title->setToolTip(plainToolTip(qs(spec.title)));
        m_plot->setAccessibleName(qs(spec.title));
    }
    if (spec.subtitle != m_spec.subtitle) {
        m_subtitle->setText(qs(spec.subtitle));
        m_subtitle->setVisible(!spec.subtitle.empty());
    }
    const bool drawn = sameFigures(m_spec, spec);
    m_spec = spec;
    if (drawn) // a replot is most of what a drag costs
        return;
    m_tableOld = true;
    if (showsTable())
        fillTable();
    m_plot->setAccessibleDescription(plotSummary(spec));
    updatePlot(*m_plot, spec);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void PlotView::fillTable() {
    m_tableModel->setCsv(qs(toCsv(m_spec)));
    m_tableOld = false;
}

void PlotView::setLineDraggable(const QString& what) {
    m_line = what;
}

bool PlotView::onLine(const QPointF& at) const {
    constexpr double reach = 8;
    return !m_line.isEmpty() && !m_spec.verticalLines.empty() && m_plot->axisRect()->rect().contains(at.toPoint()) &&
           std::abs(m_plot->xAxis->coordToPixel(m_spec.verticalLines.front()) - at.x()) <= reach;
}

bool PlotView::followLine(QEvent* event) {
    if (m_line.isEmpty())
        return false;
    switch (event->type()) {
    case QEvent::MouseButtonPress: {
        auto* mouse = static_cast<QMouseEvent*>(event);
        m_lineHeld = mouse->button() == Qt::LeftButton && onLine(mouse->position());
        if (m_lineHeld) {
            m_hover->hide();
            m_plot->setFocus(Qt::MouseFocusReason);
        }
        return m_lineHeld;
    }
    case QEvent::MouseMove: {
        const QPointF at = static_cast<QMouseEvent*>(event)->position();
        if (m_lineHeld)
            Q_EMIT lineDragged(m_plot->xAxis->pixelToCoord(at.x()));
        else if (onLine(at))
            m_plot->setCursor(Qt::SplitHCursor);
        else
            m_plot->unsetCursor();
        return m_lineHeld;
    }
    case QEvent::MouseButtonRelease:
        return std::exchange(m_lineHeld, false);
    case QEvent::ToolTip:
        if (auto* help = static_cast<QHelpEvent*>(event); onLine(help->pos())) {
            QToolTip::showText(help->globalPos(), plainToolTip(m_line), m_plot);
            return true;
        }
        return false;
    case QEvent::KeyPress: {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key != Qt::Key_Left && key != Qt::Key_Right)
            return false;
        Q_EMIT lineStepped(key == Qt::Key_Left ? -1 : 1);
        return true;
    }
    default:
        return false;
    }
}

void PlotView::setHighlighted(int series) {
    if (series == m_highlighted)
        return;
    m_highlighted = series;
    redraw();
}

bool PlotView::showsTable() const { return m_stack->currentIndex() == 1; }

void PlotView::setTableShown(bool shown) {
    if (shown && m_tableOld)
        fillTable();
    m_stack->setCurrentIndex(shown ? 1 : 0);
    m_tableButton->setChecked(shown);
}

void PlotView::redraw() {
    drawPlot(*m_plot, m_spec, {Theme::instance().dark(), false});
    if (m_highlighted >= 0 && static_cast<std::size_t>(m_highlighted) < m_spec.series.size())
        for (int p = 0; p < m_plot->plottableCount(); ++p) {
            auto* plottable = m_plot->plottable(p);
            if (plottable->name().isEmpty() || plottable->name() == qs(m_spec.series[static_cast<std::size_t>(m_highlighted)].name))
                continue;
            QPen pen = plottable->pen();
            QColor faded = pen.color();
            faded.setAlphaF(0.25F);
            pen.setColor(faded);
            plottable->setPen(pen);
        }
    const Palette& c = Theme::instance().colours();
    m_hover->setStyleSheet(QStringLiteral("background:%1;color:%2;border:1px solid %3;border-radius:4px;font-size:11px")
                               .arg(c.surface.name(), c.text.name(), c.border.name()));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void PlotView::resetView() { redraw(); }

QString PlotView::hoverText(double x) const {
    QStringList lines;
    double shownX = std::numeric_limits<double>::quiet_NaN();
    for (const auto& series : m_spec.series) {
        std::size_t best = 0;
        double distance = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < series.x.size() && i < series.y.size(); ++i)
            if (const double d = std::abs(series.x[i] - x); d < distance) {
                distance = d;
                best = i;
            }
        if (!std::isfinite(distance))
            continue;
        shownX = series.x[best];
        QString line = QStringLiteral("%1: %2").arg(qs(series.name), figures(series.y[best]));
        if (best < series.low.size() && best < series.high.size())
            line += QStringLiteral(" [%1, %2]").arg(figures(series.low[best]), figures(series.high[best]));
        lines << line;
    }
    if (lines.isEmpty())
        return {};
    const auto category = static_cast<std::size_t>(std::max(0.0, shownX + 0.5));
    lines.prepend(category < m_spec.categories.size() ? qs(m_spec.categories[category]) : QStringLiteral("%1 %2").arg(qs(m_spec.xTitle), figures(shownX)));
    return lines.join(QLatin1Char('\n'));
}

QString PlotView::hoverText(double x, double y) const {
    const HeatCell cell = heatCellAt(m_spec, x, y);
    if (cell.row < 0)
        return {};
    const auto column = static_cast<std::size_t>(cell.column);
    const QString name = column < m_spec.heat.columns.size() ? qs(m_spec.heat.columns[column]) : QString::number(cell.column + 1);
    return tr("%1\n%2 %3\n%4: %5").arg(qs(m_spec.heat.rows[static_cast<std::size_t>(cell.row)]), qs(m_spec.xTitle), name, qs(m_spec.heat.valueTitle),
                                        std::isfinite(cell.value) ? figures(cell.value) : tr("no data"));
}

void PlotView::showHover(const QPointF& at) {
    if (!m_plot->axisRect()->rect().contains(at.toPoint())) {
        m_hover->hide();
        return;
    }
    const double x = m_plot->xAxis->pixelToCoord(at.x());
    const QString text = m_spec.heat.empty() ? hoverText(x) : hoverText(x, m_plot->yAxis->pixelToCoord(at.y()));
    if (text.isEmpty())
        return;
    m_hover->setText(text);
    m_hover->adjustSize();
    QPoint place = at.toPoint() + QPoint(14, 10);
    if (place.x() + m_hover->width() > m_plot->width())
        place.setX(static_cast<int>(at.x()) - m_hover->width() - 10);
    place.setY(std::max(0, std::min(place.y(), m_plot->height() - m_hover->height())));
    m_hover->move(place);
    m_hover->show();
}

bool PlotView::eventFilter(QObject* object, QEvent* event) {
    if (object == m_plot) {
        if (followLine(event))
            return true;
        if (event->type() == QEvent::MouseMove)
            showHover(static_cast<QMouseEvent*>(event)->position());
        else if (event->type() == QEvent::Leave)
            m_hover->hide();
        else if (event->type() == QEvent::Resize && !(m_spec.heat.empty() && m_spec.categories.empty()))
            redraw(); // names of rows, columns and categories are cut or turned by the room there is
        else if (event->type() == QEvent::Wheel && !m_plot->hasFocus()) {
            event->ignore(); // a page that scrolls under the cursor must not zoom a plot by accident
            return true;
        }
    }
    return QWidget::eventFilter(object, event);
}

void PlotView::copyPlot() {
    if (m_tableOld)
        fillTable();
    auto* mime = new QMimeData;
    mime->setImageData(QImage::fromData(plotPng(m_spec, exportSize, 2)));
    mime->setData(QStringLiteral("image/svg+xml"), QByteArray::fromStdString(toSvg(m_spec)));
    mime->setText(m_tableModel->toTsv());
    QApplication::clipboard()->setMimeData(mime);
}

void PlotView::askForFile(const QString& ending) {
    const QString name = (m_spec.id.empty() ? QStringLiteral("plot") : qs(m_spec.id)) + QLatin1Char('.') + ending;
    const QString file = QFileDialog::getSaveFileName(this, tr("Export plot"), name, QStringLiteral("*.%1").arg(ending));
    if (!file.isEmpty())
        exportTo(file);
}

bool PlotView::exportTo(const QString& file) {
    QByteArray bytes;
    if (file.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive))
        bytes = QByteArray::fromStdString(toSvg(m_spec));
    else if (file.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive))
        bytes = plotPdf(m_spec, exportSize);
    else if (file.endsWith(QLatin1String(".csv"), Qt::CaseInsensitive))
        bytes = QByteArray::fromStdString(toCsv(m_spec));
    else
        bytes = plotPng(m_spec, exportSize, 2);
    const auto written = atomicWrite(ss(file), {bytes.constData(), static_cast<std::size_t>(bytes.size())});
    if (!written) {
        Q_EMIT exportFailed(qs(describe(written.error())));
        return false;
    }
    Q_EMIT exported(file);
    return true;
}

} // namespace carousel::ui
