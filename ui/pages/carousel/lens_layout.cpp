// SPDX-License-Identifier: GPL-3.0-or-later
// How the lens is put together: the strip with both strategies, what V is and what would change, and four plots.
#include "pages/carousel/elided_label.h"
#include "pages/carousel/lens_panel.h"
#include "pages/carousel/lens_strip.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QFrame>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QTimer>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int lateDelayMs = 80, twoColumnsFrom = 700, plotHeight = 264;

QHBoxLayout* below(std::initializer_list<QWidget*> widgets) {
    auto* line = new QHBoxLayout;
    line->setContentsMargins(12, 0, 8, 0);
    line->setSpacing(8);
    for (auto* widget : widgets)
        line->addWidget(widget);
    line->addStretch();
    return line;
}
QComboBox* choice(const QString& name) {
    auto* combo = new QComboBox;
    combo->setAccessibleName(name);
    combo->setToolTip(name);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    combo->setMaximumWidth(190);
    return combo;
}
// A plot, or the reason why there is none.
QStackedWidget* orReason(QWidget* plot, QLabel* reason) {
    auto* stack = new QStackedWidget;
    stack->addWidget(plot);
    reason->setAlignment(Qt::AlignCenter);
    reason->setMargin(24);
    stack->addWidget(reason);
    return stack;
}
} // namespace

LensPanel::LensPanel(Session& session, WhatIf& whatIf, LensSource source) : CarouselPanel(session, whatIf), m_source(std::move(source)) {
    auto* canvas = new QWidget;
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(6);
    column->addWidget(makeSummary());
    column->addWidget(makePlots(), 1);
    setContent(canvas, true);
    inspect({{}, {}, tr("Select a position to see all its figures.")});
    m_lateTimer = new QTimer(this);
    m_lateTimer->setSingleShot(true);
    m_lateTimer->setInterval(lateDelayMs);
    connect(m_lateTimer, &QTimer::timeout, this, &LensPanel::startLate);
}

QWidget* LensPanel::makeSummary() {
    auto* frame = cardFrame();
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(8, 6, 8, 6);
    column->setSpacing(4);
    auto* head = new QHBoxLayout;
    m_note = new ElidedLabel("secondary");
    head->addWidget(m_note, 1);
    m_keep = new QPushButton(Theme::icon(QStringLiteral("document-save")), tr("Keep as analysis"));
    m_keep->setToolTip(tr("Work this out as a document that stays in the project: tables, plots and how it was made"));
    head->addWidget(m_keep);
    column->addLayout(head);
    m_strip = new LensStrip;
    column->addWidget(m_strip);
    auto* lines = new QGridLayout;
    lines->setHorizontalSpacing(12);
    lines->setVerticalSpacing(2);
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        auto& row = m_rows[r];
        row.name = textLabel({}, "heading");
        row.line = new ElidedLabel("heading");
        row.change_ = new ElidedLabel;
        lines->addWidget(row.name, static_cast<int>(2 * r), 0);
        lines->addWidget(row.line, static_cast<int>(2 * r), 1);
        lines->addWidget(row.change_, static_cast<int>(2 * r) + 1, 1);
    }
    lines->setColumnStretch(1, 1);
    column->addLayout(lines);
    connect(m_keep, &QPushButton::clicked, this, &LensPanel::keep);
    connect(m_strip, &LensStrip::windowWanted, &whatIf(), &WhatIf::setWindow);
    connect(m_strip, &LensStrip::selectionChanged, this, &LensPanel::showInspection);
    return frame;
}

QWidget* LensPanel::makePlots() {
    m_figure = choice(tr("Figure per position"));
    m_figure->setObjectName(QStringLiteral("lens-figure"));
    for (const auto& [text, figure] :
         {std::pair{tr("Reach, examination, click"), LensFigure::probabilities}, std::pair{tr("Reach"), LensFigure::reach},
          std::pair{tr("Examination"), LensFigure::examination}, std::pair{tr("Click"), LensFigure::click},
          std::pair{tr("Value"), LensFigure::value}, std::pair{tr("Hidden value"), LensFigure::hidden}})
        m_figure->addItem(text, static_cast<int>(figure));
    m_figure->addItem(tr("Conversion"), static_cast<int>(LensFigure::conversion));
    m_segment = choice(tr("User attribute in the rows"));
    m_segment->setObjectName(QStringLiteral("lens-segment"));
    m_heatFigure = choice(tr("Figure in the cells"));
    for (const auto& [text, figure] :
         {std::pair{tr("Click"), LensFigure::click}, std::pair{tr("Reach"), LensFigure::reach},
          std::pair{tr("Examination"), LensFigure::examination}, std::pair{tr("Value"), LensFigure::value},
          std::pair{tr("Hidden value"), LensFigure::hidden}})
        m_heatFigure->addItem(text, static_cast<int>(figure));
    m_heatRow = choice(tr("Strategy of the heat map"));

    m_positions = new PlotView;
    m_positions->setObjectName(QStringLiteral("lens-positions"));
    m_landing = new PlotView;
    m_landing->setObjectName(QStringLiteral("lens-landing"));
    m_rates = new PlotView;
    m_heat = new PlotView;
    m_heat->setObjectName(QStringLiteral("lens-heat"));
    m_noRates = textLabel({}, "secondary", true);
    m_noSegments = textLabel({}, "secondary", true);
    auto* rates = framed(m_rates);
    m_ratesStack = orReason(rates, m_noRates);
    auto* heatFrame = cardFrame();
    auto* heatColumn = new QVBoxLayout(heatFrame);
    heatColumn->setContentsMargins(0, 0, 0, 0);
    heatColumn->setSpacing(0);
    m_heatStack = orReason(framed(m_heat), m_noSegments);
    heatColumn->addWidget(m_heatStack, 1);
    heatColumn->addLayout(below({m_segment, m_heatFigure, m_heatRow}));
    heatColumn->addSpacing(6);
    m_cells = {framed(m_positions, below({m_figure})), framed(m_landing), m_ratesStack, heatFrame};

    auto* holder = new QWidget;
    m_grid = new QGridLayout(holder);
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(8);
    for (auto* cell : m_cells)
        cell->setMinimumHeight(plotHeight);
    arrangePlots();

    const QString fold = tr("The fold: drag it, or move it with the arrow keys");
    for (auto* plot : {m_positions, m_landing}) {
        plot->setLineDraggable(fold);
        const double offset = plot == m_positions ? -0.5 : 0.5; // names begin at 0 on the axis of the histogram
        connect(plot, &PlotView::lineDragged, this, [this, offset](double x) { whatIf().setWindow(static_cast<int>(std::lround(x + offset))); });
        connect(plot, &PlotView::lineStepped, this, [this](int by) { whatIf().setWindow(whatIf().window() + by); });
        connect(plot, &PlotView::placeClicked, this,
                [this, offset](double x) { m_strip->select(static_cast<int>(std::lround(x + (offset < 0 ? -1 : 0)))); });
    }
    connect(m_figure, &QComboBox::currentIndexChanged, this, [this] {
        compute();
        present();
    });
    connect(m_heatFigure, &QComboBox::currentIndexChanged, this, &LensPanel::showHeat);
    connect(m_heatRow, &QComboBox::currentIndexChanged, this, &LensPanel::showHeat);
    connect(m_segment, &QComboBox::activated, this, [this] {
        m_segmentWanted = m_segment->currentData().toString();
        if (m_segmentWanted.isNull())
            m_segmentWanted = QLatin1String("");
        follow();
    });
    return holder;
}

void LensPanel::arrangePlots() {
    const int columns = width() >= twoColumnsFrom ? 2 : 1;
    for (std::size_t i = 0; i < m_cells.size(); ++i)
        m_grid->addWidget(m_cells[i], static_cast<int>(i) / columns, static_cast<int>(i) % columns);
    m_grid->setColumnStretch(0, 1);
    m_grid->setColumnStretch(1, columns == 2 ? 1 : 0);
}

void LensPanel::resizeEvent(QResizeEvent* event) {
    CarouselPanel::resizeEvent(event);
    arrangePlots();
}

void LensPanel::fillSegments(const QStringList& fields) {
    const QSignalBlocker segment(m_segment), row(m_heatRow);
    m_segment->clear();
    m_segment->addItem(tr("no segments"), QString());
    for (const QString& field : fields)
        m_segment->addItem(field, field);
    QString present;
    const int before = m_heatRow->currentData().toInt();
    m_heatRow->clear();
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        auto& shownRow = m_rows[r];
        const bool there = shownRow.lens != nullptr;
        for (QWidget* widget : std::initializer_list<QWidget*>{shownRow.name, shownRow.line, shownRow.change_})
            widget->setVisible(there);
        if (!there)
            continue;
        present = qs(shownRow.lens->segmentField);
        const QString name = tr("%1  %2").arg(shownRow.letter, qs(shownRow.lens->strategy));
        shownRow.name->setText(shownRow.name->fontMetrics().elidedText(name, Qt::ElideRight, 200));
        shownRow.name->setToolTip(plainToolTip(name));
        m_heatRow->addItem(Theme::instance().strategyIcon(shownRow.lens->colour), shownRow.letter, static_cast<int>(r));
    }
    m_heatRow->setCurrentIndex(std::max(0, m_heatRow->findData(before)));
    m_segment->setCurrentIndex(std::max(0, m_segment->findData(present)));
    m_noSegments->setText(fields.isEmpty() ? tr("This data has no user attribute of 2 to 12 words that could divide the users.")
                                           : tr("Choose a user attribute to see positions by segment."));
}

} // namespace carousel::ui
