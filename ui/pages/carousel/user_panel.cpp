// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/user_panel.h"
#include "pages/carousel/carousel_plots.h"
#include "pages/carousel/carousel_strip.h"
#include "pages/carousel/elided_label.h"
#include "pages/carousel/explanation.h"
#include "pages/carousel/user_bar.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QFrame>
#include <QHBoxLayout>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int bandSteps = 11, bandDelayMs = 80, widestName = 240;
} // namespace

UserPanel::UserPanel(Session& session, WhatIf& whatIf, UserBar& users) : CarouselPanel(session, whatIf), m_users(users) {
    auto* canvas = new QWidget;
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(6);
    m_likes = new ElidedLabel("secondary");
    column->addWidget(m_likes);
    for (std::size_t i = 0; i < m_rows.size(); ++i)
        column->addWidget(makeRow(i));
    column->addWidget(makePlots(), 1);
    setContent(canvas, true);
    inspect({{}, {}, tr("Select a card to see why this item is here.")});

    m_bandTimer = new QTimer(this);
    m_bandTimer->setSingleShot(true);
    m_bandTimer->setInterval(bandDelayMs);
    connect(m_bandTimer, &QTimer::timeout, this, &UserPanel::showBands);
    connect(&users, &UserBar::userShown, this, [this] {
        if (isActive())
            readUser();
        else
            stale();
    });
    connect(&users, &UserBar::failed, this, [this](const Error& error) {
        state().showFailed(error, {tr("Try again"), [this] { m_users.showRuns(shown()); }});
    });
}

QWidget* UserPanel::makeRow(std::size_t index) {
    auto& row = m_rows[index];
    row.frame = cardFrame();
    auto* column = new QVBoxLayout(row.frame);
    column->setContentsMargins(8, 4, 8, 4);
    column->setSpacing(2);
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    row.name = textLabel({}, "heading");
    head->addWidget(row.name);
    row.line = new ElidedLabel("heading");
    head->addWidget(row.line, 1);
    column->addLayout(head);
    row.strip = new CarouselStrip;
    column->addWidget(row.strip);
    connect(row.strip, &CarouselStrip::moveWanted, this, [this, index](int from, int to) {
        m_rows[index].carousel.move(static_cast<std::size_t>(from), static_cast<std::size_t>(to));
        evaluate();
        Q_EMIT arrangementChanged();
    });
    connect(row.strip, &CarouselStrip::windowWanted, &whatIf(), &WhatIf::setWindow);
    connect(row.strip, &CarouselStrip::selectionChanged, this, [this, index](int place) { select(index, place); });
    return row.frame;
}

QWidget* UserPanel::makePlots() {
    auto* holder = new QWidget;
    auto* row = new QHBoxLayout(holder);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    m_plotOf = new QComboBox;
    m_plotOf->addItems({tr("This user, as arranged"), tr("All users, as stored")});
    m_plotOf->setAccessibleName(tr("Whose reach, examination and clicks are drawn"));
    auto* choice = new QHBoxLayout;
    choice->setContentsMargins(12, 0, 8, 0);
    choice->addWidget(m_plotOf);
    choice->addStretch();
    m_positions = new PlotView;
    m_positions->setObjectName(QStringLiteral("plot-positions"));
    row->addWidget(framed(m_positions, choice), 1);
    m_landing = new PlotView;
    row->addWidget(framed(m_landing), 1);
    holder->setMinimumHeight(236);
    connect(m_plotOf, &QComboBox::currentIndexChanged, this, &UserPanel::showPlots);
    for (auto* plot : {m_positions, m_landing})
        connect(plot, &PlotView::placeClicked, this, [this, plot](double x) {
            m_rows[m_inspectedRow].strip->select(static_cast<int>(std::lround(x)) -
                                                 (plot->plot().categories.empty() ? 1 : 0)); // a click on a position selects its card
        });
    return holder;
}

bool UserPanel::isBusy() const {
    return m_bandTimer->isActive();
}

void UserPanel::follow() {
    if (m_of != shown().comparison) // run numbers of another project are other runs
        for (auto& row : m_rows)
            row.loadedRun = 0;
    m_of = shown().comparison;
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        auto& row = m_rows[r];
        row.run = shown().run[r];
        const auto* strategy = shown().strategy(r);
        row.frame->setVisible(strategy != nullptr);
        if (strategy) {
            const QString name = tr("%1  %2").arg(r == 0 ? tr("A") : tr("B"), qs(strategy->strategy.name));
            row.name->setText(row.name->fontMetrics().elidedText(name, Qt::ElideRight, widestName));
            row.name->setToolTip(plainToolTip(name));
        }
        if (row.run == 0)
            row.loadedRun = 0;
    }
    if (m_rows[m_inspectedRow].run == 0) {
        m_inspectedRow = 0;
        m_inspectedPlace = m_rows.front().strip->selected();
    }
    m_users.showRuns(shown()); // comes back through userShown
}

void UserPanel::readUser() {
    const Code user = session().selection().user();
    const auto runs = shown().runs();
    bool loaded = true;
    for (const auto& row : m_rows)
        loaded = loaded && (row.run == 0 || (row.loadedRun == row.run && row.loadedUser == user));
    if (loaded)
        return evaluate();
    session().jobs().run<std::vector<UserCarousel>>(
        this, {tr("Reading the carousel of user %1").arg(m_users.userId()), Lane::quick, QStringLiteral("carousel-user")},
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

void UserPanel::userArrived(const std::vector<UserCarousel>& carousels) {
    for (const auto& arrived : carousels)
        for (auto& row : m_rows) {
            if (row.run != arrived.run || (row.loadedRun == row.run && row.loadedUser == arrived.user))
                continue;
            row.carousel.setCards(arrived.cards);
            row.loadedRun = arrived.run;
            row.loadedUser = arrived.user;
            row.band = {};
            if (const auto* strategy = shown().strategyOf(arrived.run))
                row.strip->show(&row.carousel, strategy->colour, qs(strategy->strategy.name), whatIf().window());
        }
    if (!carousels.empty()) {
        QStringList likes;
        for (const auto& title : carousels.front().likes)
            likes << qs(title);
        m_likes->setWhole(likes.isEmpty() ? tr("No liked items are known of this user before the test.")
                                          : tr("Liked, newest first: %1").arg(likes.join(QStringLiteral(" · "))),
                          likes.isEmpty() ? QString() : tr("Liked, newest first:\n%1").arg(likes.join(QLatin1Char('\n'))));
    }
    state().showReady();
    evaluate();
    Q_EMIT arrangementChanged();
    // Without a choice the item that matters is explained: the one the user went on to choose.
    for (auto& row : m_rows)
        row.strip->select(-1);
    m_inspectedPlace = -1;
    for (std::size_t r = 0; r < m_rows.size() && m_inspectedPlace < 0; ++r)
        if (m_rows[r].run != 0 && m_rows[r].carousel.size() > 0) {
            const auto target = m_rows[r].carousel.targetPlace();
            if (target < m_rows[r].carousel.size() && static_cast<int>(target) < 2 * whatIf().window())
                m_rows[r].strip->select(static_cast<int>(target));
            m_rows[r].strip->setPage(0); // a visitor begins at the first page, wherever that item is
        }
    if (m_inspectedPlace < 0)
        m_rows.front().strip->select(0);
}

bool UserPanel::isMoved() const {
    return std::any_of(m_rows.begin(), m_rows.end(), [](const Row& row) { return row.run != 0 && row.carousel.isMoved(); });
}

void UserPanel::resetCards() {
    for (auto& row : m_rows) {
        row.carousel.reset();
        row.strip->setPage(0);
    }
    if (shown().comparison)
        evaluate();
}

void UserPanel::evaluate() {
    for (auto& row : m_rows) {
        if (row.run == 0 || row.loadedRun != row.run)
            continue;
        if (const auto done = row.carousel.evaluate(whatIf().model()); !done)
            session().log().add(done.error());
        if (row.strip->window() != whatIf().window())
            row.strip->setWindow(whatIf().window());
        else
            row.strip->refresh();
    }
    showLines();
    showPlots();
    if (m_inspectedPlace >= 0)
        showInspection();
    m_bandTimer->start();
}

void UserPanel::showBands() {
    using Bands = std::array<SwipeSensitivity, 2>;
    session().jobs().run<Bands>(
        this, {tr("Missed value over the swipe probability"), Lane::quick, QStringLiteral("carousel-band")},
        [first = m_rows[0].carousel, second = m_rows[1].carousel, model = whatIf().model()](const RunControl&) -> Result<Bands> {
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

void UserPanel::showLines() {
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
        row.line->setWhole(line, tr("Expected value of this user's visit under the swipe-aware model, over the first %1 cards. %2")
                                     .arg(row.carousel.size())
                                     .arg(line));
        if (const auto* s = shown().strategyOf(row.run)) {
            const auto target = row.carousel.targetPlace();
            const QString place = target < row.carousel.size() ? tr("ideal item at %1").arg(target + 1)
                                                               : tr("ideal item not among the first %1").arg(row.carousel.size());
            const QString all =
                tr("all %1 users: V %2 [%3, %4], missed %5 [%6, %7]")
                    .arg(count(s->value.users), figures(s->value.value), figures(s->value.interval.low), figures(s->value.interval.high),
                         figures(s->missed.value), figures(s->missed.interval.low), figures(s->missed.interval.high));
            row.strip->setCaption(place + QStringLiteral("  ·  ") + all);
            row.frame->setToolTip(
                plainToolTip(place + QLatin1Char('\n') + all + QLatin1Char('\n') + qs(shown().comparison->attractionNote)));
        }
    }
}

void UserPanel::showPlots() {
    std::vector<PlottedCarousel> rows;
    for (const auto& row : m_rows)
        if (row.run != 0 && row.loadedRun == row.run)
            if (const auto* strategy = shown().strategyOf(row.run))
                rows.push_back(
                    {&row == m_rows.data() ? "A" : "B", strategy->strategy.name, strategy->colour, &row.carousel.figures(), strategy});
    if (rows.empty())
        return;
    m_positions->updateValues(m_plotOf->currentIndex() == 0
                                  ? userPositionPlot(rows, whatIf().window(), whatIf().swipe(), ss(m_users.userId()))
                                  : studyPositionPlot(rows, *shown().comparison));
    m_landing->updateValues(landingPlot(rows, whatIf().window(), shown().comparison->users));
}

void UserPanel::select(std::size_t row, int place) {
    if (place < 0 && m_inspectedRow != row)
        return;
    m_inspectedRow = row;
    m_inspectedPlace = place;
    if (place >= 0) // one card at a time over both rows
        m_rows[1 - row].strip->select(-1);
    showInspection();
}

void UserPanel::showInspection() {
    auto& row = m_rows[m_inspectedRow];
    if (m_inspectedPlace < 0 || static_cast<std::size_t>(m_inspectedPlace) >= row.carousel.size()) {
        Q_EMIT itemInspected(0, noCode, noCode);
        return inspect({{}, {}, tr("Select a card to see why this item is here.")});
    }
    const auto place = static_cast<std::size_t>(m_inspectedPlace);
    const auto& card = row.carousel.at(place);
    auto rows = cardRows(row.carousel, place, whatIf().window());
    Q_EMIT itemInspected(row.run, row.loadedUser, card.item);
    const bool known = m_explained.run == row.run && m_explained.user == row.loadedUser && m_explained.item == card.item;
    if (known)
        rows.insert(rows.end(), m_explained.rows.begin(), m_explained.rows.end());
    inspect({tr("Why is this item here?\n%1").arg(qs(card.title)), rows, {}});
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
            showInspection();
        });
}

} // namespace carousel::ui
