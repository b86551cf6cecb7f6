// SPDX-License-Identifier: GPL-3.0-or-later
// The controls that all panels of the Carousel page share: panels, strategies A and B, fold and swipe, and the user.
#include "pages/carousel/user_bar.h"
#include "pages/carousel_page.h"
#include "theme/theme.h"
#include "widgets/flow_layout.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSlider>
#include <QSpinBox>
#include <QTabBar>

namespace carousel::ui {

QWidget* CarouselPage::makeControls() {
    // Groups, so that a narrow window puts them below each other.
    auto* bar = new QWidget;
    auto* groups = new FlowLayout(bar, 20, 4);
    const auto group = [&] {
        auto* holder = new QWidget;
        auto* line = new QHBoxLayout(holder);
        line->setContentsMargins(0, 0, 0, 0);
        line->setSpacing(6);
        groups->addWidget(holder);
        return line;
    };
    m_tabs = new QTabBar;
    m_tabs->setObjectName(QStringLiteral("carousel-tabs"));
    m_tabs->setAccessibleName(tr("Parts of the page"));
    m_tabs->setExpanding(false);
    m_tabs->setDrawBase(false);
    groups->addWidget(m_tabs);

    auto* row = group();
    for (std::size_t r = 0; r < m_strategies.size(); ++r) {
        const QString letter = r == 0 ? tr("A") : tr("B");
        auto* label = textLabel(letter, "heading");
        auto* combo = new QComboBox;
        combo->setObjectName(QStringLiteral("strategy-%1").arg(letter.toLower()));
        combo->setAccessibleName(tr("Strategy %1").arg(letter));
        combo->setSizeAdjustPolicy(QComboBox::AdjustToContents);
        combo->setMinimumContentsLength(12);
        combo->setMaximumWidth(210);
        label->setBuddy(combo);
        row->addWidget(label);
        row->addWidget(combo);
        if (r == 0)
            row->addSpacing(8);
        connect(combo, &QComboBox::activated, this, &CarouselPage::chooseStrategies);
        m_strategies[r] = combo;
    }

    row = group();
    auto* fold = textLabel(tr("Window"));
    m_window = new QSpinBox;
    m_window->setRange(m_whatIf->smallestWindow(), m_whatIf->largestWindow());
    m_window->setAccessibleName(tr("Window: cards before the fold"));
    m_window->setToolTip(tr("Cards that are visible without a swipe; the fold can be dragged too"));
    fold->setBuddy(m_window);
    row->addWidget(fold);
    row->addWidget(m_window);
    row->addSpacing(8);
    auto* swipe = textLabel(tr("Swipe s"));
    m_swipe = new QSlider(Qt::Horizontal);
    m_swipe->setRange(0, swipeSteps);
    m_swipe->setPageStep(5);
    m_swipe->setFixedWidth(104);
    m_swipe->setAccessibleName(tr("Swipe probability, in hundredths"));
    m_swipe->setToolTip(tr("Probability that a visitor swipes on after a page without a click; clicks alone cannot tell it"));
    swipe->setBuddy(m_swipe);
    m_swipeText = textLabel({}, "heading");
    m_swipeText->setFixedWidth(36);
    row->addWidget(swipe);
    row->addWidget(m_swipe);
    row->addWidget(m_swipeText);
    m_reset = new QPushButton(Theme::icon(QStringLiteral("edit-undo")), tr("Reset"));
    m_reset->setToolTip(tr("Back to the stored order, and to the fold and the swipe probability of the study"));
    row->addWidget(m_reset);
    m_changed = textLabel({}, "warning");
    m_changed->setFixedWidth(64);
    row->addWidget(m_changed);

    groups->addWidget(m_users);

    connect(m_window, &QSpinBox::valueChanged, this, &CarouselPage::setWindow);
    connect(m_swipe, &QSlider::valueChanged, this, [this](int value) { setSwipe(static_cast<double>(value) / swipeSteps); });
    connect(m_reset, &QPushButton::clicked, this, &CarouselPage::reset);
    return bar;
}

} // namespace carousel::ui
