// SPDX-License-Identifier: GPL-3.0-or-later
// How the carousel page is put together: controls above, the two rows, the plots below.
#include "pages/carousel/carousel_strip.h"
#include "pages/carousel/elided_label.h"
#include "pages/carousel_page.h"
#include "plots/plot_view.h"
#include "session/run_selection.h"
#include "theme/theme.h"
#include "widgets/flow_layout.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>

namespace carousel::ui {

namespace {
QFrame* cardFrame() {
    auto* frame = new QFrame;
    frame->setProperty("card", QStringLiteral("true"));
    return frame;
}
} // namespace

QWidget* CarouselPage::makeControls() {
    // Two groups, so that a narrow window puts them below each other.
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
    auto* row = group();
    row->addWidget(textLabel(tr("User"), "heading"));
    const auto arrow = [&, row](const char* icon, const QString& text, int by) {
        auto* button = new QToolButton;
        button->setIcon(Theme::icon(QString::fromLatin1(icon)));
        button->setAccessibleName(text);
        button->setToolTip(text + (by < 0 ? QStringLiteral(" (PgUp)") : QStringLiteral(" (PgDown)")));
        connect(button, &QToolButton::clicked, this, [this, by] { stepUser(by); });
        row->addWidget(button);
        return button;
    };
    m_previous = arrow("go-previous", tr("Previous user"), -1);
    m_search = new QLineEdit;
    m_search->setObjectName(QStringLiteral("user-search"));
    m_search->setPlaceholderText(tr("User id"));
    m_search->setAccessibleName(tr("Find a user by id"));
    m_search->setFixedWidth(84);
    row->addWidget(m_search);
    m_next = arrow("go-next", tr("Next user"), 1);
    m_place = textLabel({}, "caption");
    row->addWidget(m_place);
    row->addSpacing(8);
    m_outside = new QCheckBox(tr("Just outside"));
    m_outside->setToolTip(tr("Only users whose ideal item stands at one of the four positions behind the fold"));
    row->addWidget(m_outside);

    row = group();
    auto* fold = textLabel(tr("Window"));
    m_window = new QSpinBox;
    m_window->setRange(smallestWindow, largestWindow);
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
    m_swipeText->setMinimumWidth(36);
    row->addWidget(swipe);
    row->addWidget(m_swipe);
    row->addWidget(m_swipeText);
    m_reset = new QPushButton(Theme::icon(QStringLiteral("edit-undo")), tr("Reset"));
    m_reset->setToolTip(tr("Back to the stored order, and to the fold and the swipe probability of the study"));
    row->addWidget(m_reset);
    m_changed = textLabel({}, "warning");
    m_changed->setMinimumWidth(64);
    row->addWidget(m_changed);

    connect(m_search, &QLineEdit::returnPressed, this, [this] {
        if (!m_index)
            return;
        const int found = m_index->rowOf(m_search->text().trimmed());
        if (found < 0) {
            session().say(tr("No user of these runs has an id like '%1'.").arg(m_search->text()));
            m_search->setText(m_userId);
            return;
        }
        session().selection().setUser(m_index->users[static_cast<std::size_t>(found)]);
        m_search->setText(m_userId);
    });
    connect(m_outside, &QCheckBox::toggled, this, &CarouselPage::showIndex);
    connect(m_window, &QSpinBox::valueChanged, this, &CarouselPage::setWindow);
    connect(m_swipe, &QSlider::valueChanged, this, [this](int value) { setSwipe(static_cast<double>(value) / swipeSteps); });
    connect(m_reset, &QPushButton::clicked, this, &CarouselPage::reset);
    return bar;
}

QWidget* CarouselPage::makeRow(std::size_t index) {
    auto& row = m_rows[index];
    row.frame = cardFrame();
    auto* column = new QVBoxLayout(row.frame);
    column->setContentsMargins(8, 4, 8, 4);
    column->setSpacing(2);
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    const QString letter = index == 0 ? tr("A") : tr("B");
    head->addWidget(textLabel(letter, "heading"));
    row.strategy = new QComboBox;
    row.strategy->setAccessibleName(tr("Strategy %1").arg(letter));
    row.strategy->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    row.strategy->setMinimumContentsLength(14);
    row.strategy->setMaximumWidth(260);
    head->addWidget(row.strategy);
    auto* line = new ElidedLabel("heading");
    row.line = line;
    head->addWidget(line, 1);
    column->addLayout(head);
    row.strip = new CarouselStrip;
    column->addWidget(row.strip);
    connect(row.strategy, &QComboBox::activated, this, &CarouselPage::chooseStrategies);
    connect(row.strip, &CarouselStrip::moveWanted, this, [this, index](int from, int to) {
        m_rows[index].carousel.move(static_cast<std::size_t>(from), static_cast<std::size_t>(to));
        evaluate();
    });
    connect(row.strip, &CarouselStrip::windowWanted, this, &CarouselPage::setWindow);
    connect(row.strip, &CarouselStrip::selectionChanged, this, [this, index](int place) { inspect(index, place); });
    return row.frame;
}

QWidget* CarouselPage::makePlots() {
    auto* holder = new QWidget;
    auto* row = new QHBoxLayout(holder);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    auto* left = cardFrame();
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_plotOf = new QComboBox;
    m_plotOf->addItems({tr("This user, as arranged"), tr("All users, as stored")});
    m_plotOf->setAccessibleName(tr("Whose reach, examination and clicks are drawn"));
    auto* choice = new QHBoxLayout;
    choice->setContentsMargins(12, 0, 8, 0);
    choice->addWidget(m_plotOf);
    choice->addStretch();
    m_positions = new PlotView;
    m_positions->setObjectName(QStringLiteral("plot-positions"));
    column->addWidget(m_positions, 1);
    column->addLayout(choice);
    column->addSpacing(6);
    row->addWidget(left, 1);
    auto* right = cardFrame();
    auto* rightColumn = new QVBoxLayout(right);
    rightColumn->setContentsMargins(0, 0, 0, 0);
    m_landing = new PlotView;
    rightColumn->addWidget(m_landing);
    row->addWidget(right, 1);
    holder->setMinimumHeight(236);
    connect(m_plotOf, &QComboBox::currentIndexChanged, this, &CarouselPage::showPlots);
    for (auto* plot : {m_positions, m_landing}) {
        connect(plot, &PlotView::exported, this, [this](const QString& file) { session().say(tr("Wrote %1").arg(file)); });
        connect(plot, &PlotView::exportFailed, this,
                [this](const QString& message) { session().log().add(ActivityLog::Level::error, message); });
        connect(plot, &PlotView::placeClicked, this, [this, plot](double x) {
            m_rows[m_inspectedRow].strip->select(static_cast<int>(std::lround(x)) -
                                                 (plot->plot().categories.empty() ? 1 : 0)); // a click on a position selects its card
        });
    }
    return holder;
}

} // namespace carousel::ui
