// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel_page.h"
#include "pages/carousel/explanation_words.h"
#include "pages/carousel/keep_analysis.h"
#include "pages/carousel/rows_panel.h"
#include "pages/carousel/user_bar.h"
#include "pages/carousel/user_panel.h"
#include "theme/theme.h"
#include "widgets/inspector.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QShortcut>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

CarouselPage::CarouselPage(Session& s)
    : CarouselPage(s, {[&s](std::int64_t run, int slots, const std::string& segment, const RunControl& control) {
                           return s.workbench().lens(run, slots, segment, control);
                       },
                       [&s](QObject* receiver, const AnalysisSpec& spec, std::function<void()> done) {
                           keepAnalysis(s, receiver, spec, std::move(done));
                       }}) {}

CarouselPage::CarouselPage(Session& s, CarouselServices services)
    : ComparisonPage(s, QStringLiteral("carousel"), QStringLiteral("view-presentation"), tr("Carousel"),
                     tr("What does a visitor see, and what is lost behind the fold?")),
      m_whatIf(new WhatIf(this)) {
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    m_users = new UserBar(s, *m_whatIf);
    column->addWidget(makeControls());
    m_stack = new QStackedWidget;
    column->addWidget(m_stack, 1);
    m_user = new UserPanel(s, *m_whatIf, *m_users);
    addPanel(m_user, QStringLiteral("user"), tr("One user"), tr("What one visitor sees; cards can be moved"), true);
    m_words = new ExplanationWords(s);
    m_words->setVisible(false);
    connect(m_user, &UserPanel::itemInspected, m_words, &ExplanationWords::show);
    const auto connectKeeping = [this, keep = services.keep](auto* panel) {
        using Kind = std::remove_pointer_t<decltype(panel)>;
        connect(panel, &Kind::keepWanted, this, [panel, keep](const AnalysisSpec& spec) {
            keep(panel, spec, [panel] { panel->keepDone(); });
        });
    };
    auto* lens = new LensPanel(s, *m_whatIf, services.lens);
    addPanel(lens, QStringLiteral("lens"), tr("All users"), tr("What every position is worth over all users, while the fold is dragged"), false);
    connectKeeping(lens);
    auto* rows = new RowsPanel(s, *m_whatIf, *m_users);
    addPanel(rows, QStringLiteral("rows"), tr("Rows"), tr("Carousels in two dimensions: which strategies to stack, in which order"), true);
    connectKeeping(rows);
    setContent(content);
    inspector().setFooter(m_words);

    for (const auto& [key, by] : {std::pair{Qt::Key_PageUp, -1}, std::pair{Qt::Key_PageDown, 1}})
        connect(new QShortcut(QKeySequence(key), this, nullptr, nullptr, Qt::WidgetWithChildrenShortcut), &QShortcut::activated, this,
                [this, step = by] { stepUser(step); });
    connect(m_whatIf, &WhatIf::changed, this, &CarouselPage::showModel);
    connect(m_user, &UserPanel::arrangementChanged, this, &CarouselPage::showModel);
    connect(m_tabs, &QTabBar::currentChanged, this, &CarouselPage::showPanel);
    showPanel(0);
    begin();
}

bool CarouselPage::isBusy() const {
    return ComparisonPage::isBusy() || m_words->isBusy() || std::any_of(m_panels.begin(), m_panels.end(), [](const Panel& p) { return p.panel->isBusy(); });
}

void CarouselPage::entered() {
    if (comparison() && comparison() != m_shown)
        present(comparison());
}

void CarouselPage::showComparison(const ComparisonPtr& comparison) {
    if (isVisible()) // else when the page is entered: a hidden page reads nothing
        present(comparison);
}

void CarouselPage::addPanel(CarouselPanel* panel, const QString& name, const QString& text, const QString& tip, bool ofOneUser) {
    m_panels.push_back({panel, name, ofOneUser});
    m_stack->addWidget(panel);
    m_tabs->addTab(text);
    m_tabs->setTabToolTip(m_tabs->count() - 1, tip);
    connect(panel, &CarouselPanel::inspectionChanged, this, [this, panel] {
        if (panel == m_stack->currentWidget())
            showInspection();
    });
}

bool CarouselPage::showTab(const QString& name) {
    for (std::size_t i = 0; i < m_panels.size(); ++i)
        if (name == m_panels[i].name) {
            m_tabs->setCurrentIndex(static_cast<int>(i));
            return true;
        }
    return false;
}

void CarouselPage::showPanel(int index) {
    m_stack->setCurrentIndex(index);
    m_users->setVisible(m_panels[static_cast<std::size_t>(index)].ofOneUser);
    for (std::size_t i = 0; i < m_panels.size(); ++i)
        m_panels[i].panel->setActive(static_cast<int>(i) == index);
    m_words->setVisible(index == 0 && m_words->hasItem());
    showInspection();
}

void CarouselPage::showInspection() {
    const auto& shown = m_panels[static_cast<std::size_t>(m_stack->currentIndex())].panel->inspection();
    if (shown.rows.empty())
        inspector().clear(shown.note);
    else
        inspector().showRows(shown.heading, shown.rows, shown.note);
}

void CarouselPage::present(const ComparisonPtr& comparison) {
    m_shown = comparison;
    for (const auto& each : m_panels) // nothing of the runs before may follow the new fold
        each.panel->showRuns({});
    m_words->show(0, noCode, noCode);
    m_whatIf->begin(comparison->study.evaluation);
    {
        const QSignalBlocker window(m_window);
        m_window->setRange(m_whatIf->smallestWindow(), m_whatIf->largestWindow());
        m_window->setValue(m_whatIf->window());
    }
    m_users->forget();
    fillStrategies();
    chooseStrategies();
}

void CarouselPage::fillStrategies() {
    const auto& strategies = m_shown->strategies;
    // At first: the baseline above the strategy that ranks best.
    std::size_t best = m_shown->baseline;
    for (std::size_t m = 0; m < m_shown->definitions.size(); ++m)
        if (m_shown->definitions[m].metric == Metric::ndcg)
            for (std::size_t i = 0; i < strategies.size(); ++i)
                if (i != m_shown->baseline &&
                    (best == m_shown->baseline || strategies[i].metrics[m].value > strategies[best].metrics[m].value))
                    best = i;
    for (std::size_t r = 0; r < m_strategies.size(); ++r) {
        auto* combo = m_strategies[r];
        const QSignalBlocker quiet(combo);
        const auto before = combo->currentData().toLongLong();
        combo->clear();
        if (r > 0)
            combo->addItem(tr("– none –"), qint64(0));
        for (const auto& strategy : strategies)
            combo->addItem(Theme::instance().strategyIcon(strategy.colour), qs(strategy.strategy.name), qint64(strategy.run.id));
        const int kept = before ? combo->findData(before) : -1;
        const auto wished = r == 0                      ? strategies[m_shown->baseline].run.id
                            : best != m_shown->baseline ? strategies[best].run.id
                                                        : std::int64_t(0);
        combo->setCurrentIndex(std::max(0, kept >= 0 ? kept : combo->findData(qint64(wished))));
    }
}

void CarouselPage::chooseStrategies() {
    if (!m_shown)
        return;
    ShownRuns shown{m_shown, {}};
    for (std::size_t r = 0; r < m_strategies.size(); ++r)
        shown.run[r] = m_strategies[r]->currentData().toLongLong();
    for (const auto& each : m_panels)
        each.panel->showRuns(shown);
}

const ArrangedCarousel& CarouselPage::arranged(std::size_t row) const {
    return m_user->arranged(row);
}

bool CarouselPage::isChanged() const {
    return m_shown && (m_whatIf->isChanged() || m_user->isMoved());
}

void CarouselPage::setWindow(int window) {
    m_whatIf->setWindow(window);
}
void CarouselPage::setSwipe(double swipe) {
    m_whatIf->setSwipe(swipe);
}
void CarouselPage::stepUser(int by) {
    if (m_users->isVisible())
        m_users->step(by);
}

void CarouselPage::reset() {
    if (!m_shown)
        return;
    m_user->resetCards();
    m_whatIf->reset();
    showModel();
}

void CarouselPage::showModel() {
    const QSignalBlocker window(m_window), swipe(m_swipe);
    m_window->setValue(m_whatIf->window());
    m_swipe->setValue(static_cast<int>(std::lround(m_whatIf->swipe() * swipeSteps)));
    m_swipeText->setText(figures(m_whatIf->swipe()));
    m_changed->setText(isChanged() ? tr("▲ what if") : QString());
    m_changed->setToolTip(tr("Order, fold or swipe differ from what the study ran with"));
    m_reset->setEnabled(isChanged());
}

} // namespace carousel::ui
