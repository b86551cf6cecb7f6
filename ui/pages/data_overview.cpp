// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/data_overview.h"
#include "plots/plot_view.h"
#include "widgets/badge.h"
#include "widgets/flow_layout.h"
#include "widgets/text.h"
#include <QFrame>
#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

namespace carousel::ui {

DataOverview::DataOverview(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 12, 0, 0);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* inner = new QVBoxLayout(canvas);
    inner->setContentsMargins(0, 0, 8, 0);
    inner->setSpacing(12);
    auto* figures = new QWidget;
    m_figures = new FlowLayout(figures, 36, 8);
    inner->addWidget(figures);
    auto* badges = new QWidget;
    m_badges = new FlowLayout(badges, 6, 6);
    inner->addWidget(badges);
    m_missing = textLabel({}, "caption", true);
    inner->addWidget(m_missing);
    m_plots = new QGridLayout;
    m_plots->setSpacing(12);
    inner->addLayout(m_plots);
    m_note = textLabel({}, "caption", true);
    inner->addWidget(m_note);
    inner->addStretch();
    scroll->setWidget(canvas);
    column->addWidget(scroll);
}

void DataOverview::showDataset(const Dataset& dataset, const std::vector<carousel::Badge>& badges, const DatasetStatistics& s) {
    m_figures->clear();
    const auto figure = [&](const QString& value, const QString& name) {
        auto* box = new QWidget;
        auto* column = new QVBoxLayout(box);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(0);
        column->addWidget(textLabel(value, "figure"));
        column->addWidget(textLabel(name, "caption"));
        m_figures->addWidget(box);
    };
    figure(count(s.users), tr("users"));
    figure(count(s.items), tr("items"));
    figure(count(s.interactions), tr("interactions"));
    if (s.slates > 0)
        figure(count(s.slates), tr("logged carousels"));
    if (s.reviews > 0) {
        figure(count(s.reviews), tr("reviews"));
        figure(figures(s.wordsPerReview), tr("words per review (mean)"));
    }
    figure(QStringLiteral("%1 %").arg(figures(100 * s.density)), tr("density"));
    figure(figures(s.medianPerUser), tr("events per user (median)"));
    if (s.firstTime != noTime)
        figure(dayText(s.firstTime) + QStringLiteral(" – ") + dayText(s.lastTime), tr("time range (UTC)"));

    m_badges->clear();
    QStringList missing;
    for (const auto& badge : badges) {
        m_badges->addWidget(new Badge(qs(badge.id), badge.available ? Badge::Tone::good : Badge::Tone::neutral, qs(badge.note)));
        if (!badge.available)
            missing << qs(badge.note);
    }
    m_missing->setText(missing.isEmpty() ? QString() : tr("Not in this data: ") + missing.join(QStringLiteral(" · ")));
    m_missing->setVisible(!missing.isEmpty());

    for (std::size_t i = 0; i < s.plots.size(); ++i) {
        if (i >= m_views.size()) {
            auto* card = new QFrame;
            card->setProperty("card", QStringLiteral("true"));
            auto* column = new QVBoxLayout(card);
            column->setContentsMargins(0, 0, 0, 0);
            auto* view = new PlotView;
            view->setMinimumHeight(258);
            column->addWidget(view);
            m_plots->addWidget(card, static_cast<int>(i / 2), static_cast<int>(i % 2));
            m_views.push_back(view);
        }
        m_views[i]->setPlot(s.plots[i]);
        m_views[i]->parentWidget()->show();
    }
    for (std::size_t i = s.plots.size(); i < m_views.size(); ++i)
        m_views[i]->parentWidget()->hide();
    for (int columnIndex : {0, 1})
        m_plots->setColumnStretch(columnIndex, 1);
    m_note->setText(qs(dataset.note));
    m_note->setVisible(!dataset.note.empty());
}

} // namespace carousel::ui
