// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel_page.h"
#include "pages/carousel/carousel_plots.h"
#include "pages/carousel/carousel_strip.h"
#include "pages/carousel/elided_label.h"
#include "pages/carousel/explanation.h"
#include "plots/plot_view.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QCompleter>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QShortcut>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int bandSteps = 11, bandDelayMs = 80;
} // namespace

CarouselPage::CarouselPage(Session& s)
    : ComparisonPage(s, QStringLiteral("carousel"), QStringLiteral("view-presentation"), tr("Carousel"),
                     tr("What does a visitor see, and what is lost behind the fold?")) {
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(6);
    column->addWidget(makeControls());
    auto* likes = new ElidedLabel("secondary");
    m_likes = likes;
    column->addWidget(likes);
    for (std::size_t i = 0; i < m_rows.size(); ++i)
        column->addWidget(makeRow(i));
    column->addWidget(makePlots(), 1);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setWidget(canvas);
    setContent(scroll);
    inspector().clear(tr("Select a card to see why this item is here."));

    m_bandTimer = new QTimer(this);
    m_bandTimer->setSingleShot(true);
    m_bandTimer->setInterval(bandDelayMs);
    connect(m_bandTimer, &QTimer::timeout, this, &CarouselPage::showBands);
    for (const auto& [key, by] : {std::pair{Qt::Key_PageUp, -1}, std::pair{Qt::Key_PageDown, 1}})
        connect(new QShortcut(QKeySequence(key), this, nullptr, nullptr, Qt::WidgetWithChildrenShortcut), &QShortcut::activated, this,
                [this, step = by] { stepUser(step); });
    connect(&s.selection(), &RunSelection::userChanged, this, [this] {
        if (m_index && m_shown)
            showUser(session().selection().user());
    });
    begin();
}

bool CarouselPage::isBusy() const {
    return ComparisonPage::isBusy() || m_bandTimer->isActive();
}

void CarouselPage::entered() {
    if (comparison() && comparison() != m_shown)
        present(comparison());
}

void CarouselPage::showComparison(const ComparisonPtr& comparison) {
    if (isVisible()) // else when the page is entered: a hidden page reads nothing
        present(comparison);
}

void CarouselPage::present(const ComparisonPtr& comparison) {
    m_shown = comparison;
    const auto& evaluation = comparison->study.evaluation;
    m_examination = evaluation.examination;
    m_model = CarouselModel::geometric(evaluation.window, evaluation.swipe, evaluation.examination);
    {
        const QSignalBlocker window(m_window), swipe(m_swipe);
        m_window->setRange(std::min(smallestWindow, evaluation.window), std::max(largestWindow, evaluation.window));
        m_window->setValue(evaluation.window);
        m_swipe->setValue(static_cast<int>(std::lround(evaluation.swipe * swipeSteps)));
    }
    m_index.reset();
    for (auto& row : m_rows) {
        row.loadedRun = 0;
        row.loadedUser = noCode;
    }
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
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        auto* combo = m_rows[r].strategy;
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
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        m_rows[r].run = m_rows[r].strategy->currentData().toLongLong();
        const bool shown = m_rows[r].run != 0;
        m_rows[r].strip->setVisible(shown);
        m_rows[r].line->setVisible(shown);
    }
    if (m_rows[m_inspectedRow].run == 0) {
        m_inspectedRow = 0;
        m_inspectedPlace = m_rows.front().strip->selected();
    }
    readIndex();
}

std::vector<std::int64_t> CarouselPage::shownRuns() const {
    std::vector<std::int64_t> runs;
    for (const auto& row : m_rows)
        if (row.run != 0)
            runs.push_back(row.run);
    return runs;
}

const StrategyResult* CarouselPage::strategyOf(std::int64_t run) const {
    if (m_shown)
        for (const auto& strategy : m_shown->strategies)
            if (strategy.run.id == run)
                return &strategy;
    return nullptr;
}

void CarouselPage::readIndex() {
    const auto runs = shownRuns();
    if (m_index && std::all_of(runs.begin(), runs.end(), [&](auto run) { return m_index->bestRank.count(run) != 0; }))
        return showIndex();
    session().jobs().run<UserIndex>(
        this, {tr("Reading the users of the runs"), Lane::quick, QStringLiteral("carousel-index")},
        [&s = session(), runs, dataset = m_shown->strategies.front().run.dataset](const RunControl& control) {
            return readUserIndex(s.workbench(), dataset, runs, control);
        },
        [this, comparison = m_shown](JobRunner::Shared<UserIndex> result) {
            if (comparison != m_shown)
                return;
            if (!result)
                return state().showFailed(result.error(), {tr("Try again"), [this] { readIndex(); }});
            m_index = *result;
            auto* completer = new QCompleter(m_index->ids, m_search);
            completer->setFilterMode(Qt::MatchContains);
            completer->setCaseSensitivity(Qt::CaseInsensitive);
            m_search->setCompleter(completer);
            showIndex();
        });
}

std::vector<int> CarouselPage::visibleRows() const {
    if (!m_index)
        return {};
    if (m_outside->isChecked())
        return m_index->justOutside(shownRuns(), m_model.window);
    std::vector<int> rows(m_index->users.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<int>(i);
    return rows;
}

void CarouselPage::showIndex() {
    if (!m_index)
        return;
    const auto outside = m_index->justOutside(shownRuns(), m_model.window);
    m_outside->setText(tr("Just outside, at %1–%2 (%3)").arg(m_model.window + 1).arg(m_model.window + 4).arg(outside.size()));
    m_outside->setEnabled(!outside.empty() || m_outside->isChecked());
    const auto rows = visibleRows();
    const Code wished = session().selection().user();
    const bool known =
        std::any_of(rows.begin(), rows.end(), [&](int row) { return m_index->users[static_cast<std::size_t>(row)] == wished; });
    if (known || rows.empty())
        return showUser(known ? wished : m_index->rowOf(wished) >= 0 ? wished : noCode);
    // The story first: a user whose ideal item nearly made it.
    const int row = !m_outside->isChecked() && !outside.empty() && m_index->rowOf(wished) < 0 ? outside.front() : rows.front();
    session().selection().setUser(m_index->users[static_cast<std::size_t>(row)]); // comes back through userChanged
}

void CarouselPage::stepUser(int by) {
    const auto rows = visibleRows();
    if (rows.empty())
        return;
    const int present = m_index->rowOf(session().selection().user());
    // The next row in that direction, whether or not the present one is among those the filter lets through.
    auto next = by > 0 ? std::upper_bound(rows.begin(), rows.end(), present) : std::lower_bound(rows.begin(), rows.end(), present);
    if (by > 0 ? next == rows.end() : next == rows.begin())
        return;
    session().selection().setUser(m_index->users[static_cast<std::size_t>(by > 0 ? *next : *(next - 1))]);
}

void CarouselPage::showUser(Code user) {
    const int row = m_index->rowOf(user);
    const auto rows = visibleRows();
    const auto at = std::find(rows.begin(), rows.end(), row);
    m_userId = row >= 0 ? m_index->ids[row] : QString();
    m_search->setText(m_userId);
    m_place->setText(rows.empty()       ? tr("no such user")
                     : at == rows.end() ? tr("– of %1").arg(count(static_cast<std::int64_t>(rows.size())))
                                        : tr("%1 of %2").arg(at - rows.begin() + 1).arg(count(static_cast<std::int64_t>(rows.size()))));
    m_previous->setEnabled(!rows.empty() && row > rows.front());
    m_next->setEnabled(!rows.empty() && row < rows.back());
    if (row >= 0)
        readUser();
}

void CarouselPage::readUser() {
    const Code user = session().selection().user();
    const auto runs = shownRuns();
    bool loaded = true;
    for (const auto& row : m_rows)
        loaded = loaded && (row.run == 0 || (row.loadedRun == row.run && row.loadedUser == user));
    if (loaded)
        return evaluate();
    session().jobs().run<std::vector<UserCarousel>>(
        this, {tr("Reading the carousel of user %1").arg(m_userId), Lane::quick, QStringLiteral("carousel-user")},
        [&s = session(), runs, user](const RunControl&) -> Result<std::vector<UserCarousel>> {
            std::vector<UserCarousel> out;
            for (const auto run : runs) {
                CAROUSEL_ASSIGN(auto carousel, s.workbench().carousel(run, user));
                out.push_back(std::move(carousel));
            }
            return out;
        },
        [this](JobRunner::Shared<std::vector<UserCarousel>> result) {
            if (!result)
                return state().showFailed(result.error(), {tr("Try again"), [this] { readUser(); }});
            userArrived(**result);
        });
}

void CarouselPage::userArrived(const std::vector<UserCarousel>& carousels) {
    for (const auto& arrived : carousels)
        for (auto& row : m_rows) {
            if (row.run != arrived.run || (row.loadedRun == row.run && row.loadedUser == arrived.user))
                continue;
            row.carousel.setCards(arrived.cards);
            row.loadedRun = arrived.run;
            row.loadedUser = arrived.user;
            row.band = {};
            if (const auto* strategy = strategyOf(arrived.run))
                row.strip->show(&row.carousel, strategy->colour, qs(strategy->strategy.name), m_model.window);
        }
    if (!carousels.empty()) {
        QStringList likes;
        for (const auto& title : carousels.front().likes)
            likes << qs(title);
        static_cast<ElidedLabel*>(m_likes)->setWhole(likes.isEmpty() ? tr("No liked items are known of this user before the test.")
                                                                     : tr("Liked, newest first: %1").arg(likes.join(QStringLiteral(" · "))),
                                                     likes.isEmpty() ? QString()
                                                                     : tr("Liked, newest first:\n%1").arg(likes.join(QLatin1Char('\n'))));
    }
    state().showReady();
    evaluate();
    // Without a choice the item that matters is explained: the one the user went on to choose.
    for (auto& row : m_rows)
        row.strip->select(-1);
    m_inspectedPlace = -1;
    for (std::size_t r = 0; r < m_rows.size() && m_inspectedPlace < 0; ++r)
        if (m_rows[r].run != 0 && m_rows[r].carousel.size() > 0) {
            const auto target = m_rows[r].carousel.targetPlace();
            if (target < m_rows[r].carousel.size() && static_cast<int>(target) < 2 * m_model.window)
                m_rows[r].strip->select(static_cast<int>(target));
            m_rows[r].strip->setPage(0); // a visitor begins at the first page, wherever that item is
        }
    if (m_inspectedPlace < 0)
        m_rows.front().strip->select(0);
}

bool CarouselPage::isChanged() const {
    if (!m_shown)
        return false;
    const auto& evaluation = m_shown->study.evaluation;
    return m_model.window != evaluation.window || std::abs(m_model.swipe - evaluation.swipe) > 1e-9 ||
           std::any_of(m_rows.begin(), m_rows.end(), [](const Row& row) { return row.run != 0 && row.carousel.isMoved(); });
}

void CarouselPage::setWindow(int window) {
    window = std::clamp(window, m_window->minimum(), m_window->maximum());
    if (window == m_model.window)
        return;
    m_model = CarouselModel::geometric(window, m_model.swipe, m_examination);
    {
        const QSignalBlocker quiet(m_window);
        m_window->setValue(window);
    }
    evaluate();
    if (m_index) { // the filter means other positions now
        const auto outside = m_index->justOutside(shownRuns(), window);
        m_outside->setText(tr("Just outside, at %1–%2 (%3)").arg(window + 1).arg(window + 4).arg(outside.size()));
        m_outside->setEnabled(!outside.empty() || m_outside->isChecked());
    }
}

void CarouselPage::setSwipe(double swipe) {
    swipe = std::clamp(swipe, 0.0, 1.0);
    m_model.swipe = swipe;
    const QSignalBlocker quiet(m_swipe);
    m_swipe->setValue(static_cast<int>(std::lround(swipe * swipeSteps)));
    evaluate();
}

void CarouselPage::reset() {
    if (!m_shown)
        return;
    for (auto& row : m_rows) {
        row.carousel.reset();
        row.strip->setPage(0);
    }
    const auto& evaluation = m_shown->study.evaluation;
    setWindow(evaluation.window);
    setSwipe(evaluation.swipe);
}

void CarouselPage::evaluate() {
    for (auto& row : m_rows) {
        if (row.run == 0 || row.loadedRun != row.run)
            continue;
        if (const auto done = row.carousel.evaluate(m_model); !done)
            session().log().add(done.error());
        if (row.strip->window() != m_model.window)
            row.strip->setWindow(m_model.window);
        else
            row.strip->refresh();
    }
    m_swipeText->setText(figures(m_model.swipe));
    m_changed->setText(isChanged() ? tr("▲ what if") : QString());
    m_changed->setToolTip(tr("Order, fold or swipe differ from what the study ran with"));
    m_reset->setEnabled(isChanged());
    showLines();
    showPlots();
    if (m_inspectedPlace >= 0)
        showInspector();
    m_bandTimer->start();
}

void CarouselPage::showBands() {
    using Bands = std::array<SwipeSensitivity, 2>;
    session().jobs().run<Bands>(
        this, {tr("Missed value over the swipe probability"), Lane::quick, QStringLiteral("carousel-band")},
        [first = m_rows[0].carousel, second = m_rows[1].carousel, model = m_model](const RunControl&) -> Result<Bands> {
            return Bands{first.sensitivity(model, bandSteps), second.sensitivity(model, bandSteps)};
        },
        [this](JobRunner::Shared<Bands> result) {
            if (!result)
                return;
            for (std::size_t r = 0; r < m_rows.size(); ++r)
                m_rows[r].band = (**result)[r];
            showLines();
        });
}

void CarouselPage::showLines() {
    for (auto& row : m_rows) {
        if (row.run == 0 || row.loadedRun != row.run)
            continue;
        const auto& f = row.carousel.figures();
        QString line = tr("V = %1 shown,  best order %2,  missed %3").arg(figures(f.value), figures(f.best), figures(f.missed));
        const auto& missed = row.band.missed;
        if (!missed.empty()) {
            const auto [low, high] = std::minmax_element(missed.begin(), missed.end());
            line += tr("  (%1 to %2 for s from 0 to 1)").arg(figures(*low), figures(*high));
        }
        static_cast<ElidedLabel*>(row.line)->setWhole(
            line, tr("Expected value of this user's visit under the swipe-aware model, over the first %1 cards. %2")
                      .arg(row.carousel.size())
                      .arg(line));
        if (const auto* s = strategyOf(row.run)) {
            const auto target = row.carousel.targetPlace();
            const QString place = target < row.carousel.size() ? tr("ideal item at %1").arg(target + 1)
                                                               : tr("ideal item not among the first %1").arg(row.carousel.size());
            const QString all =
                tr("all %1 users: V %2 [%3, %4], missed %5 [%6, %7]")
                    .arg(count(s->value.users), figures(s->value.value), figures(s->value.interval.low), figures(s->value.interval.high),
                         figures(s->missed.value), figures(s->missed.interval.low), figures(s->missed.interval.high));
            row.strip->setCaption(place + QStringLiteral("  ·  ") + all);
            row.frame->setToolTip(plainToolTip(place + QLatin1Char('\n') + all + QLatin1Char('\n') + qs(m_shown->attractionNote)));
        }
    }
}

void CarouselPage::showPlots() {
    std::vector<PlottedCarousel> rows;
    for (const auto& row : m_rows)
        if (row.run != 0 && row.loadedRun == row.run)
            if (const auto* strategy = strategyOf(row.run))
                rows.push_back(
                    {&row == m_rows.data() ? "A" : "B", strategy->strategy.name, strategy->colour, &row.carousel.figures(), strategy});
    if (rows.empty())
        return;
    m_positions->setPlot(m_plotOf->currentIndex() == 0 ? userPositionPlot(rows, m_model.window, m_model.swipe, ss(m_userId))
                                                       : studyPositionPlot(rows, *m_shown));
    m_landing->setPlot(landingPlot(rows, m_model.window, m_shown->users));
}

void CarouselPage::inspect(std::size_t row, int place) {
    if (place < 0 && m_inspectedRow != row)
        return;
    m_inspectedRow = row;
    m_inspectedPlace = place;
    if (place >= 0) // one card at a time over both rows
        m_rows[1 - row].strip->select(-1);
    showInspector();
}

void CarouselPage::showInspector() {
    auto& row = m_rows[m_inspectedRow];
    if (m_inspectedPlace < 0 || static_cast<std::size_t>(m_inspectedPlace) >= row.carousel.size())
        return inspector().clear(tr("Select a card to see why this item is here."));
    const auto place = static_cast<std::size_t>(m_inspectedPlace);
    const auto& card = row.carousel.at(place);
    auto rows = cardRows(row.carousel, place, m_model.window);
    const bool known = m_explained.run == row.run && m_explained.user == row.loadedUser && m_explained.item == card.item;
    if (known)
        rows.insert(rows.end(), m_explained.rows.begin(), m_explained.rows.end());
    inspector().showRows(tr("Why is this item here?\n%1").arg(qs(card.title)), rows);
    if (known)
        return;
    m_explained = {row.run, row.loadedUser, card.item, {}};
    session().jobs().run<std::string>(
        this, {tr("Why is this item here"), Lane::quick, QStringLiteral("carousel-explain")},
        [&s = session(), run = row.run, user = row.loadedUser, item = card.item](const RunControl&) {
            return s.workbench().explain(run, user, item);
        },
        [this, run = row.run, user = row.loadedUser, item = card.item](JobRunner::Shared<std::string> result) {
            if (m_explained.run != run || m_explained.user != user || m_explained.item != item)
                return;
            m_explained.rows =
                result ? explanationRows(**result) : std::vector<InspectorRow>{{tr("No explanation"), qs(describe(result.error()))}};
            showInspector();
        });
}

} // namespace carousel::ui
