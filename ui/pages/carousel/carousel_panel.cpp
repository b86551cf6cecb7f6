// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/carousel_panel.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QFrame>
#include <QScrollArea>
#include <QVBoxLayout>

namespace carousel::ui {

const StrategyResult* ShownRuns::strategyOf(std::int64_t id) const {
    if (comparison && id != 0)
        for (const auto& strategy : comparison->strategies)
            if (strategy.run.id == id)
                return &strategy;
    return nullptr;
}

std::vector<std::int64_t> ShownRuns::runs() const {
    std::vector<std::int64_t> out;
    for (const auto id : run)
        if (id != 0)
            out.push_back(id);
    return out;
}

CarouselPanel::CarouselPanel(Session& session, WhatIf& whatIf) : m_session(session), m_whatIf(whatIf) {
    connect(&whatIf, &WhatIf::changed, this, [this] {
        if (m_active && m_followed && m_shown.comparison)
            evaluate();
        else
            m_evaluated = false;
    });
}

void CarouselPanel::setContent(QWidget* content, bool scrolls) {
    QWidget* shown = content;
    if (scrolls) {
        auto* scroll = new QScrollArea;
        scroll->setWidgetResizable(true);
        content->setProperty("role", QStringLiteral("canvas"));
        scroll->setWidget(content);
        shown = scroll;
    }
    m_state = new StateView(shown);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_state);
}

void CarouselPanel::showRuns(const ShownRuns& shown) {
    m_shown = shown;
    m_followed = false;
    if (m_active)
        setActive(true);
}

void CarouselPanel::setActive(bool active) {
    m_active = active;
    if (!active || !m_shown.comparison)
        return;
    if (!m_followed) {
        m_followed = m_evaluated = true;
        follow();
    } else if (!m_evaluated) {
        m_evaluated = true;
        evaluate();
    }
}

void CarouselPanel::inspect(Inspection inspection) {
    m_inspection = std::move(inspection);
    Q_EMIT inspectionChanged();
}

QFrame* CarouselPanel::cardFrame() {
    auto* frame = new QFrame;
    frame->setProperty("card", QStringLiteral("true"));
    return frame;
}

QFrame* CarouselPanel::framed(PlotView* plot, QLayout* below) {
    auto* frame = cardFrame();
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(plot, 1);
    if (below) {
        column->addLayout(below);
        column->addSpacing(6);
    }
    connect(plot, &PlotView::exported, this, [this](const QString& file) { session().say(tr("Wrote %1").arg(file)); });
    connect(plot, &PlotView::exportFailed, this,
            [this](const QString& message) { session().log().add(ActivityLog::Level::error, message); });
    return frame;
}

} // namespace carousel::ui
