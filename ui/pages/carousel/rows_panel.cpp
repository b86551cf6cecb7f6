// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/rows_panel.h"
#include "base/text.h"
#include "pages/carousel/elided_label.h"
#include "pages/carousel/rows_grid.h"
#include "pages/carousel/user_bar.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/check_list.h"
#include "widgets/flow_layout.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int mostRuns = 8, delayMs = 150, mostColumns = 12;

QString interval(const Interval& i) {
    return std::isfinite(i.low) ? QStringLiteral(" [%1, %2]").arg(figures(i.low), figures(i.high)) : QString();
}

PlotSpec pathPlot(const RowStudy& study) {
    PlotSpec plot;
    plot.id = "row_choice";
    plot.xTitle = "Rows shown";
    plot.yTitle = "Mean nDCG2D";
    plot.yMinimum = 0;
    PlotSeries series{.name = "mean nDCG2D", .colour = 0, .kind = PlotSeries::Kind::bars};
    for (std::size_t i = 0; i < study.choice.greedyPath.size(); ++i) {
        plot.categories.push_back(fmt::format("{}: {}{}", i + 1, i == 0 ? "" : "+ ", study.candidates[study.choice.greedy[i]].name));
        series.x.push_back(static_cast<double>(i));
        series.y.push_back(study.choice.greedyPath[i]);
    }
    plot.series.push_back(std::move(series));
    const auto& path = study.choice.greedyPath;
    plot.title = path.size() < 2 ? std::string("One row") : fmt::format("The first row brings {} of the {} that {} rows bring", threeFigures(path.front()), threeFigures(path.back()), path.size());
    plot.subtitle = fmt::format("n = {} users; every bar adds the row that helps most", withThousands(static_cast<std::int64_t>(study.users.size())));
    return plot;
}

QString namesOf(const RowStudy& study, const std::vector<std::size_t>& order) {
    QStringList names;
    for (const auto candidate : order)
        names << qs(study.candidates[candidate].name);
    return names.join(QStringLiteral(" → "));
}
} // namespace

RowsPanel::RowsPanel(Session& session, WhatIf& whatIf, UserBar& users) : CarouselPanel(session, whatIf), m_users(users) {
    auto* canvas = new QWidget;
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(8);
    column->addWidget(makeOptions());
    m_result = makeResult();
    m_resultState = new StateView(m_result);
    column->addWidget(m_resultState, 1);
    setContent(canvas, true);
    inspect({{}, {}, tr("Select a cell to see what it adds.")});
    m_delay = new QTimer(this);
    m_delay->setSingleShot(true);
    m_delay->setInterval(delayMs);
    connect(m_delay, &QTimer::timeout, this, &RowsPanel::compute);
    connect(&users, &UserBar::userShown, this, [this] {
        if (isActive())
            showUser();
        else
            stale();
    });
}

QWidget* RowsPanel::makeOptions() {
    auto* frame = cardFrame();
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(12, 8, 8, 8);
    column->setSpacing(6);
    column->addWidget(textLabel(tr("Candidate rows: two to eight runs of the same data and split"), "heading"));
    m_runs = new CheckList;
    column->addWidget(m_runs);
    auto* options = new QWidget;
    auto* flow = new FlowLayout(options, 16, 4);
    const auto add = [&](const QString& text, QWidget* field, const QString& tip) {
        auto* holder = new QWidget;
        auto* line = new QHBoxLayout(holder);
        line->setContentsMargins(0, 0, 0, 0);
        line->setSpacing(6);
        auto* label = textLabel(text);
        label->setBuddy(qobject_cast<QWidget*>(field));
        field->setAccessibleName(text);
        field->setToolTip(tip);
        line->addWidget(label);
        line->addWidget(field);
        flow->addWidget(holder);
    };
    const auto number = [](int low, int high, int value) {
        auto* box = new QSpinBox;
        box->setRange(low, high);
        box->setValue(value);
        return box;
    };
    const auto cost = [] {
        auto* box = new QDoubleSpinBox;
        box->setRange(0, 20);
        box->setDecimals(2);
        box->setSingleStep(0.25);
        box->setValue(1);
        return box;
    };
    m_rows = number(1, mostRuns, 2);
    m_columns = number(1, mostColumns, 6);
    m_alpha = cost();
    m_beta = cost();
    m_rows->setObjectName(QStringLiteral("grid-rows"));
    m_columns->setObjectName(QStringLiteral("grid-columns"));
    add(tr("Rows"), m_rows, tr("How many carousels stand one below the other"));
    add(tr("Columns"), m_columns, tr("How many items of a row are in view"));
    add(tr("Row cost α"), m_alpha, tr("A cell in row i and column j is discounted by log2(α i + β j): larger makes lower rows count less; α + β at least 2"));
    add(tr("Column cost β"), m_beta, tr("Larger makes columns further right count less; α + β at least 2"));
    m_order = new QComboBox;
    m_order->addItems({tr("greedy order"), tr("best order")});
    add(tr("Shown"), m_order, tr("Greedy: one row after the other, each the one that helps most. Best: every order tried, when there are few enough"));
    m_keep = new QPushButton(Theme::icon(QStringLiteral("document-save")), tr("Keep as analysis"));
    m_keep->setToolTip(tr("Work this out as a document that stays in the project"));
    flow->addWidget(m_keep);
    column->addWidget(options);
    connect(m_runs, &CheckList::edited, this, [this] { m_delay->start(); });
    for (auto* box : {m_rows, m_columns})
        connect(box, &QSpinBox::valueChanged, this, [this] { m_delay->start(); });
    for (auto* box : {m_alpha, m_beta})
        connect(box, &QDoubleSpinBox::valueChanged, this, [this] { m_delay->start(); });
    connect(m_order, &QComboBox::currentIndexChanged, this, &RowsPanel::showUser);
    connect(m_keep, &QPushButton::clicked, this, &RowsPanel::keep);
    return frame;
}

QWidget* RowsPanel::makeResult() {
    auto* holder = new QWidget;
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    auto* words = cardFrame();
    auto* lines = new QVBoxLayout(words);
    lines->setContentsMargins(12, 8, 12, 8);
    lines->setSpacing(3);
    m_sentence = textLabel({}, "heading", true);
    m_greedy = new ElidedLabel;
    m_best = new ElidedLabel;
    lines->addWidget(m_sentence);
    lines->addWidget(m_greedy);
    lines->addWidget(m_best);
    column->addWidget(words);
    auto* card = cardFrame();
    auto* cardColumn = new QVBoxLayout(card);
    cardColumn->setContentsMargins(12, 8, 8, 8);
    cardColumn->setSpacing(6);
    m_ofUser = textLabel({}, "heading", true);
    m_grid = new RowsGrid;
    cardColumn->addWidget(m_ofUser);
    cardColumn->addWidget(m_grid);
    column->addWidget(card);
    m_path = new PlotView;
    m_path->setObjectName(QStringLiteral("rows-path"));
    auto* plot = framed(m_path);
    plot->setMinimumHeight(240);
    column->addWidget(plot, 1);
    connect(m_grid, &RowsGrid::selectionChanged, this, &RowsPanel::showInspection);
    return holder;
}

bool RowsPanel::isBusy() const {
    return m_computing || m_delay->isActive();
}

void RowsPanel::follow() {
    fillRuns();
    state().showReady();
    compute();
    m_users.showRuns(shown());
}

// The compared strategies, and every other complete run of the same data and split; at first the compared ones are ticked.
void RowsPanel::fillRuns() {
    const auto before = m_of == shown().comparison ? chosenRuns() : std::vector<std::int64_t>{};
    m_of = shown().comparison;
    m_choices.clear();
    const auto add = [this](const std::string& name, std::int64_t run, int colour) {
        QString text = qs(name);
        if (std::any_of(m_choices.begin(), m_choices.end(), [&](const Choice& c) { return c.run == run; }))
            return;
        if (std::any_of(m_choices.begin(), m_choices.end(), [&](const Choice& c) { return c.text == text; }))
            text = tr("%1 (run %2)").arg(text).arg(run);
        m_choices.push_back({text, run, colour});
    };
    const auto& strategies = shown().comparison->strategies;
    for (const auto& strategy : strategies)
        add(strategy.strategy.name, strategy.run.id, strategy.colour);
    const auto& first = strategies.front().run;
    for (const auto& run : session().runs())
        if (run.state == RunState::complete && run.datasetDigest == first.datasetDigest && run.splitDigest == first.splitDigest)
            add(run.strategy, run.id, -1);
    QStringList all, ticked;
    for (const auto& choice : m_choices) {
        all << choice.text;
        const bool kept = std::find(before.begin(), before.end(), choice.run) != before.end();
        const bool compared = before.empty() && shown().comparison && all.size() <= static_cast<qsizetype>(strategies.size());
        if ((kept || compared) && ticked.size() < mostRuns)
            ticked << choice.text;
    }
    m_runs->setChoices(all, ticked);
}

std::vector<std::int64_t> RowsPanel::chosenRuns() const {
    std::vector<std::int64_t> runs;
    for (const auto& choice : m_choices) // in their order, so that ticking twice changes nothing
        if (m_runs->checked().contains(choice.text))
            runs.push_back(choice.run);
    return runs;
}

RowQuestion RowsPanel::question() const {
    const auto defaults = defaultAnalysis(AnalysisKind::rows);
    RowQuestion question;
    question.runs = chosenRuns();
    question.rows = static_cast<std::size_t>(m_rows->value());
    question.columns = static_cast<std::size_t>(m_columns->value());
    question.discount = {m_alpha->value(), m_beta->value()};
    question.draws = static_cast<int>(defaults.options.integer("draws"));
    question.confidence = defaults.options.number("confidence");
    question.seed = defaults.seed;
    return question;
}

void RowsPanel::compute() {
    if (!isActive())
        return;
    const auto asked = question();
    const auto runs = static_cast<int>(asked.runs.size());
    m_keep->setEnabled(runs >= 2 && runs <= mostRuns);
    if (runs < 2 || runs > mostRuns) {
        m_study.reset();
        return m_resultState->showEmpty(QStringLiteral("view-presentation"), runs < 2 ? tr("Tick at least two runs") : tr("Tick at most eight runs"),
                                        tr("Each run is a candidate row; the rows that help most are chosen from them."));
    }
    if (!m_study)
        m_resultState->showLoading(tr("Trying rows…"));
    m_computing = true;
    session().jobs().run<RowStudy>(
        this, {tr("Choosing rows"), Lane::quick, QStringLiteral("carousel-rows")},
        [&s = session(), asked](const RunControl& control) { return studyRows(s.workbench(), asked, control); },
        [this](JobRunner::Shared<RowStudy> result) {
            m_computing = false;
            if (!result) {
                m_study.reset();
                return m_resultState->showFailed(result.error(), {tr("Try again"), [this] { compute(); }});
            }
            showStudy(*result);
        });
}

void RowsPanel::showStudy(std::shared_ptr<const RowStudy> study) {
    m_study = std::move(study);
    const auto& choice = m_study->choice;
    if (m_study->users.empty() || choice.greedy.empty())
        return m_resultState->showEmpty(QStringLiteral("view-presentation"), tr("No user is in all of these runs"),
                                        tr("Choose runs over the same users."));
    const QString rows = plural(static_cast<std::int64_t>(choice.greedy.size()), tr("row"), tr("rows"));
    const double first = choice.greedyPath.front(), gain = choice.greedyValue - first;
    QString sentence = choice.greedy.size() < 2
                           ? tr("%1 alone puts %2 of what an ideal screen would give before the users.").arg(qs(m_study->candidates[choice.greedy[0]].name), figures(choice.greedyValue))
                           : tr("%1 on top and %2 in all: %3 of what an ideal screen would give; the rows below the first add %4.")
                                 .arg(qs(m_study->candidates[choice.greedy[0]].name), rows, figures(choice.greedyValue), figures(gain));
    m_sentence->setText(sentence);
    m_greedy->setWhole(tr("Greedy: mean nDCG2D %1%2 over %3 users: %4")
                           .arg(figures(choice.greedyValue), interval(m_study->interval), count(static_cast<std::int64_t>(m_study->users.size())),
                                namesOf(*m_study, choice.greedy)));
    m_best->setWhole(choice.best.empty() ? tr("Best: not searched, there are too many orders")
                     : choice.best == choice.greedy
                         ? tr("Best of all orders: the same")
                         : tr("Best of all orders: mean nDCG2D %1%2: %3").arg(figures(choice.bestValue), interval(m_study->bestInterval), namesOf(*m_study, choice.best)));
    m_order->setEnabled(!choice.best.empty() && choice.best != choice.greedy);
    m_path->setPlot(pathPlot(*m_study));
    m_resultState->showReady();
    showUser();
}

void RowsPanel::showUser() {
    if (!m_study)
        return;
    const int user = m_study->rowOf(session().selection().user());
    std::vector<int> colours;
    for (const auto run : m_study->question.runs)
        for (const auto& choice : m_choices)
            if (choice.run == run)
                colours.push_back(choice.colour);
    const auto& order = m_study->shown(m_order->isEnabled() && m_order->currentIndex() == 1);
    m_grid->show(m_study, order, user, std::move(colours));
    if (user < 0)
        m_ofUser->setText(tr("The chosen user is not in all of these runs."));
    else if (const auto value = userFigure(*m_study, order, static_cast<std::size_t>(user)))
        m_ofUser->setText(tr("User %1: nDCG2D %2; ★ the item that the user went on to choose, dashed what was shown before")
                              .arg(qs(std::string(m_study->dataset->users.ids.id(session().selection().user()))), figures(*value)));
    showInspection();
}

void RowsPanel::showInspection() {
    if (!m_study || m_grid->selected() < 0)
        return inspect({{}, {}, tr("Select a cell to see what it adds.")});
    Inspection shownCell;
    shownCell.heading = tr("What this cell adds");
    shownCell.rows.push_back({tr("Cell"), m_grid->spoken(m_grid->selected())});
    const auto& d = m_study->question.discount;
    const auto columns = static_cast<int>(m_study->question.columns);
    const int row = m_grid->selected() / columns + 1, column = m_grid->selected() % columns + 1;
    shownCell.rows.push_back({tr("Discount"), tr("log2(%1 × %2 + %3 × %4) = %5").arg(figures(d.alpha)).arg(row).arg(figures(d.beta)).arg(column).arg(figures(std::log2(d.alpha * row + d.beta * column)))});
    shownCell.note = tr("nDCG2D: the sum over cells with a wanted item, each divided by its discount and each item once, over that of the ideal screen.");
    inspect(std::move(shownCell));
}

void RowsPanel::keepDone() {
    m_keep->setEnabled(true);
}

void RowsPanel::keep() {
    const auto asked = question();
    AnalysisSpec spec = defaultAnalysis(AnalysisKind::rows);
    spec.runs = asked.runs;
    spec.options.set("rows", std::int64_t(std::min(asked.rows, asked.runs.size())));
    spec.options.set("columns", std::int64_t(asked.columns));
    spec.options.set("alpha", asked.discount.alpha);
    spec.options.set("beta", asked.discount.beta);
    m_keep->setEnabled(false);
    Q_EMIT keepWanted(spec);
}

} // namespace carousel::ui
