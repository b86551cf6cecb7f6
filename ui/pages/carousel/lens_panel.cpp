// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/lens_panel.h"
#include "pages/carousel/elided_label.h"
#include "pages/carousel/lens_strip.h"
#include "pages/carousel/user_segments.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QTimer>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr std::size_t missedSample = 150; // best orders take long: an even sample, as for the band over the swipe probability
constexpr std::array lateKeys{"lens-change", "lens-heat", "lens-intervals", "lens-missed"};

QString signedFigures(double value) {
    return (value > 0 ? QStringLiteral("+") : QString()) + figures(value);
}
QString bracketed(const Interval& interval, bool withSign = false) {
    if (!std::isfinite(interval.low) || !std::isfinite(interval.high))
        return {};
    return withSign ? QStringLiteral(" [%1, %2]").arg(signedFigures(interval.low), signedFigures(interval.high))
                    : QStringLiteral(" [%1, %2]").arg(figures(interval.low), figures(interval.high));
}
// Draws, confidence and seed as the command line has them when nothing is said.
struct Draws {
    AnalysisSpec spec = defaultAnalysis(AnalysisKind::lens);
    int draws = static_cast<int>(spec.options.integer("draws"));
    double confidence = spec.options.number("confidence");
};
const Draws& draws() {
    static const Draws made;
    return made;
}
} // namespace

bool LensPanel::isBusy() const {
    return m_loading || m_lateTimer->isActive() || !m_open.isEmpty();
}

void LensPanel::follow() {
    const auto* first = shown().strategy(0);
    if (!first)
        return;
    struct Loaded {
        std::array<LensPtr, 2> lenses;
        QStringList fields;
    };
    state().showLoading(tr("Reading all carousels…"));
    m_loading = true;
    session().jobs().run<Loaded>(
        this, {tr("Reading all carousels"), Lane::quick, QStringLiteral("lens-load")},
        [&s = session(), source = m_source, runs = shown().run, wanted = m_segmentWanted, dataset = first->run.dataset,
         slots = 2 * shown().comparison->study.evaluation.window](const RunControl& control) -> Result<Loaded> {
            Loaded loaded;
            CAROUSEL_ASSIGN(const auto users, s.workbench().dataset(dataset, control));
            loaded.fields = userSegments(*users);
            const QString segment = wanted.isNull() ? loaded.fields.value(0) : loaded.fields.contains(wanted) ? wanted : QString();
            for (std::size_t r = 0; r < runs.size(); ++r)
                if (runs[r] != 0) {
                    CAROUSEL_ASSIGN(loaded.lenses[r], source(runs[r], slots, ss(segment), control));
                }
            return loaded;
        },
        [this, wanted = shown()](JobRunner::Shared<Loaded> result) {
            m_loading = false;
            if (!(wanted == shown()))
                return;
            if (!result)
                return state().showFailed(result.error(), {tr("Try again"), [this] { follow(); }});
            showLenses((*result)->lenses, (*result)->fields);
        });
}

void LensPanel::showLenses(std::array<LensPtr, 2> lenses, const QStringList& fields) {
    const bool any = std::any_of(lenses.begin(), lenses.end(), [](const auto& lens) { return lens && lens->lens.carousels() > 0; });
    if (!any)
        return state().showEmpty(QStringLiteral("view-presentation"), tr("No carousels yet"),
                                 tr("These runs hold no finished users; run the study to its end."));
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        auto& row = m_rows[r];
        row.lens = lenses[r] && lenses[r]->lens.carousels() > 0 ? lenses[r] : nullptr;
        row.letter = r == 0 ? tr("A") : tr("B");
        row.studyValue = 0;
        if (!row.lens)
            continue;
        if (const auto study = row.lens->lens.figures(whatIf().study()))
            row.studyValue = study->value;
    }
    m_strip->setRange(whatIf().smallestWindow(), whatIf().largestWindow());
    fillSegments(fields);
    followNotes();
    state().showReady();
    evaluate();
    if (m_strip->selected() < 0)
        m_strip->select(whatIf().window()); // the first card that nobody sees without a swipe
}

void LensPanel::followNotes() {
    for (const auto& row : m_rows)
        if (row.lens) {
            m_note->setWhole(qs(row.lens->note));
            m_ratesStack->setCurrentIndex(row.lens->rawCtr.empty() ? 1 : 0);
            m_noRates->setText(row.lens->logNote.empty() ? tr("This data has no log of shown slates with clicks.") : qs(row.lens->logNote));
            m_rates->setToolTip(plainToolTip(qs(row.lens->logNote)));
            const int conversion = m_figure->findData(static_cast<int>(LensFigure::conversion));
            m_figure->setItemText(conversion, row.lens->conversion ? tr("Conversion") : tr("Conversion (not known)"));
            m_figure->setItemData(conversion, plainToolTip(qs(row.lens->conversionNote)), Qt::ToolTipRole);
            if (auto* items = qobject_cast<QStandardItemModel*>(m_figure->model()))
                items->item(conversion)->setEnabled(row.lens->conversion.has_value());
            if (!row.lens->conversion && figure() == LensFigure::conversion)
                m_figure->setCurrentIndex(0);
            return;
        }
}

LensFigure LensPanel::figure() const {
    return static_cast<LensFigure>(m_figure->currentData().toInt());
}

void LensPanel::evaluate() {
    keepOut();
    compute();
    present();
    m_lateTimer->start();
}

void LensPanel::keepOut() {
    ++m_version;
    for (const auto* key : lateKeys) // their answer would be to a question of before, and they slow the drag down
        session().jobs().cancelKey(QString::fromLatin1(key));
    m_open.clear();
    for (auto& row : m_rows) {
        row.intervals.reset();
        row.change.reset();
        row.missed.reset();
    }
}

void LensPanel::compute() {
    for (auto& row : m_rows) {
        row.figures.reset();
        row.conversion.reset();
        if (!row.lens)
            continue;
        if (figure() == LensFigure::conversion && row.lens->conversion)
            if (auto bought = row.lens->conversion->figures(whatIf().model()))
                row.conversion = std::move(*bought);
        auto figures = row.lens->lens.figures(whatIf().model());
        if (figures)
            row.figures = std::move(*figures);
        else
            session().log().add(figures.error());
    }
}

std::vector<LensRow> LensPanel::plotted() const {
    std::vector<LensRow> rows;
    for (const auto& row : m_rows)
        if (row.lens && row.figures)
            rows.push_back({ss(row.letter), row.lens->strategy, row.lens->colour, &shownFigures(row),
                            row.intervals && !row.conversion ? &*row.intervals : nullptr});
    return rows;
}

void LensPanel::present() {
    const auto rows = plotted();
    if (rows.empty())
        return;
    std::vector<LensStripRow> cells;
    std::vector<PositionLens::Landing> landing;
    for (const auto& row : m_rows) {
        if (!row.lens || !row.figures)
            continue;
        LensStripRow strip{row.letter, qs(row.lens->strategy), row.lens->colour, {}, tr("V = %1").arg(ui::figures(row.figures->value))};
        for (const auto& slot : shownFigures(row).slots)
            strip.figures.push_back(figureOf(slot, figure()));
        cells.push_back(std::move(strip));
        landing.push_back(row.lens->lens.landing(whatIf().window()));
    }
    const QString name = figure() == LensFigure::probabilities ? tr("reach per position") : tr("%1 per position").arg(m_figure->currentText().toLower());
    m_strip->showRows(std::move(cells), whatIf().window(), name);
    showLines();
    m_positions->updateValues(lensPositionPlot(rows, figure(), whatIf().model()));
    m_landing->updateValues(lensLandingPlot(rows, landing, whatIf().window()));
    for (const auto& row : m_rows)
        if (row.lens) {
            if (!row.lens->rawCtr.empty())
                m_rates->updateValues(clickRatePlot(*row.lens, row.lens->model.window)); // the log has the fold it was shown with
            break;
        }
}

QString LensPanel::changeWords(std::size_t r) const {
    const auto& row = m_rows[r];
    const QString what = whatIf().words();
    if (!row.figures)
        return {};
    if (what.isEmpty())
        return r > 0 && m_rows[0].lens ? QString() : tr("Drag the fold or the swipe probability: what if one more card were visible?");
    const double difference = row.change ? row.change->difference : row.figures->value - row.studyValue;
    const QString interval = row.change ? bracketed(row.change->interval, true) : QString();
    const bool unclear = row.change && row.change->interval.low <= 0 && row.change->interval.high >= 0;
    return tr("%1: V %2%3 per visit%4").arg(what, signedFigures(difference), interval, unclear ? tr(", not significant") : QString());
}

void LensPanel::showLines() {
    for (std::size_t r = 0; r < m_rows.size(); ++r) {
        auto& row = m_rows[r];
        if (!row.lens || !row.figures)
            continue;
        QString line = tr("V = %1%2").arg(ui::figures(row.figures->value), row.intervals ? bracketed(row.intervals->total) : QString());
        if (row.missed)
            line += tr("   missed %1%2 of %3 on %4 carousels")
                        .arg(ui::figures(row.missed->missed), bracketed(row.missed->missedInterval), ui::figures(row.missed->best),
                             count(static_cast<std::int64_t>(row.missed->carousels)));
        row.line->setWhole(line);
        row.change_->setWhole(changeWords(r));
    }
}

template <class T>
void LensPanel::late(const QString& title, const char* key, std::function<Result<T>(const RunLens&, const RunControl&)> work,
                     std::function<void(Row&, const T&)> take) {
    using Pair = std::array<std::optional<T>, 2>;
    m_open.insert(QString::fromLatin1(key));
    session().jobs().run<Pair>(
        this, {title, Lane::quick, QString::fromLatin1(key)},
        [first = m_rows[0].lens, second = m_rows[1].lens, work = std::move(work)](const RunControl& control) -> Result<Pair> {
            Pair out;
            const std::array<const RunLens*, 2> lenses{first.get(), second.get()};
            for (std::size_t r = 0; r < lenses.size(); ++r)
                if (lenses[r]) {
                    CAROUSEL_ASSIGN(auto found, work(*lenses[r], control));
                    out[r] = std::move(found);
                }
            return out;
        },
        [this, version = m_version, key, take = std::move(take)](JobRunner::Shared<Pair> result) {
            if (version != m_version)
                return;
            m_open.remove(QString::fromLatin1(key));
            if (!result) {
                session().log().add(result.error());
                return;
            }
            for (std::size_t r = 0; r < m_rows.size(); ++r)
                if ((**result)[r])
                    take(m_rows[r], *(**result)[r]);
            present();
            showInspection();
        });
}

void LensPanel::startLate() {
    if (!isActive())
        return;
    const auto model = whatIf().model(), study = whatIf().study();
    const auto& d = draws();
    if (whatIf().isChanged())
        late<PositionLens::Change>(
            tr("What if"), lateKeys[0],
            [=, &d](const RunLens& lens, const RunControl& control) {
                return lens.lens.change(study, model, d.draws, d.confidence, d.spec.seed, control);
            },
            [](Row& row, const PositionLens::Change& change) { row.change = change; });
    showHeat();
    late<LensIntervals>(
        tr("Intervals of all positions"), lateKeys[2],
        [=, &d](const RunLens& lens, const RunControl& control) {
            return lens.lens.intervals(model, d.draws, d.confidence, d.spec.seed, control);
        },
        [](Row& row, const LensIntervals& intervals) { row.intervals = intervals; });
    late<PositionLens::Missed>(
        tr("Missed value"), lateKeys[3],
        [=, &d](const RunLens& lens, const RunControl& control) {
            const std::size_t stride = std::max<std::size_t>(1, (lens.lens.carousels() + missedSample - 1) / missedSample);
            return lens.lens.missed(model, stride, d.draws, d.confidence, d.spec.seed, control);
        },
        [](Row& row, const PositionLens::Missed& missed) { row.missed = missed; });
    showInspection();
}

void LensPanel::showHeat() {
    auto r = static_cast<std::size_t>(std::max(0, m_heatRow->currentData().toInt()));
    if (!m_rows[r].lens)
        r = 1 - r;
    const auto lens = m_rows[r].lens;
    const bool segments = lens && !lens->lens.segmentNames().empty();
    m_heatStack->setCurrentIndex(segments ? 0 : 1);
    if (!segments)
        return;
    const auto figure = static_cast<LensFigure>(m_heatFigure->currentData().toInt());
    const auto model = whatIf().model();
    m_open.insert(QString::fromLatin1(lateKeys[1]));
    session().jobs().run<PositionLens::HeatMap>(
        this, {tr("Segments by position"), Lane::quick, QString::fromLatin1(lateKeys[1])},
        [lens, model, figure](const RunControl&) {
            return lens->lens.heatMap(model, static_cast<PositionLens::Figure>(static_cast<int>(figure) - static_cast<int>(LensFigure::reach)));
        },
        [this, version = m_version, lens, figure, letter = m_rows[r].letter](JobRunner::Shared<PositionLens::HeatMap> result) {
            if (version != m_version)
                return;
            m_open.remove(QString::fromLatin1(lateKeys[1]));
            if (!result) {
                session().log().add(result.error());
                return;
            }
            m_heat->setPlot(lensHeatPlot(**result, figure, {ss(letter), lens->strategy, lens->colour, nullptr, nullptr}, lens->segmentField));
        });
}

void LensPanel::showInspection() {
    const int position = m_strip->selected();
    if (position < 0 || plotted().empty())
        return inspect({{}, {}, tr("Select a position to see all its figures.")});
    const auto at = static_cast<std::size_t>(position);
    Inspection shown;
    shown.heading = tr("Position %1, %2 the fold").arg(position + 1).arg(position < whatIf().window() ? tr("before") : tr("behind"));
    for (const auto& row : m_rows) {
        if (!row.lens || !row.figures || at >= row.figures->slots.size())
            continue;
        const auto& slot = row.figures->slots[at];
        const auto band = [&](const std::vector<Interval> LensIntervals::*member) {
            return row.intervals && at < ((*row.intervals).*member).size() ? bracketed(((*row.intervals).*member)[at]) : QString();
        };
        const QString text = tr("reach %1%2\nexamination %3%4\nclick %5%6\nvalue %7%8\nhidden value %9%10")
                                 .arg(ui::figures(slot.reach), band(&LensIntervals::reach), ui::figures(slot.examination),
                                      band(&LensIntervals::examination), ui::figures(slot.click), band(&LensIntervals::click),
                                      ui::figures(slot.value), band(&LensIntervals::value), ui::figures(slot.hidden))
                                 .arg(band(&LensIntervals::hidden));
        shown.rows.push_back({tr("%1  %2").arg(row.letter, qs(row.lens->strategy)), text});
    }
    for (const auto& row : m_rows)
        if (row.lens) {
            const auto& lens = *row.lens;
            if (at < lens.rawCtr.size()) {
                QString text = tr("raw %1%2").arg(ui::figures(lens.rawCtr[at]),
                                                  at < lens.rawInterval.size() ? bracketed(lens.rawInterval[at]) : QString());
                if (at < lens.correctedCtr.size())
                    text += tr("\ncorrected %1%2").arg(ui::figures(lens.correctedCtr[at]),
                                                       at < lens.correctedInterval.size() ? bracketed(lens.correctedInterval[at]) : QString());
                shown.rows.push_back({tr("Click rate in the log"), text});
            }
            break;
        }
    QStringList bought;
    QString why;
    for (const auto& row : m_rows) {
        if (!row.lens)
            continue;
        why = qs(row.lens->conversionNote);
        if (!row.lens->conversion)
            continue;
        if (const auto figures = row.lens->conversion->figures(whatIf().model()); figures && at < figures->slots.size())
            bought << tr("%1 %2").arg(row.letter, ui::figures(figures->slots[at].value));
    }
    shown.rows.push_back({tr("Conversion, purchases per visit"), bought.isEmpty() ? why.isEmpty() ? tr("not known") : why : bought.join(QStringLiteral(", "))});
    inspect(std::move(shown));
}

void LensPanel::keepDone() {
    m_keep->setEnabled(true);
}

void LensPanel::keep() {
    AnalysisSpec spec = defaultAnalysis(AnalysisKind::lens);
    for (const auto& row : m_rows)
        if (row.lens)
            spec.runs.push_back(row.lens->run);
    if (spec.runs.empty())
        return;
    spec.options.set("segment", ss(m_segment->currentData().toString()));
    spec.options.set("figure", ss(m_heatFigure->currentText().section(QLatin1Char(' '), 0, 0).toLower()));
    if (whatIf().isChanged()) { // what is on the screen: the study's fold against the dragged one
        spec.options.set("whatIfWindow", std::int64_t(whatIf().window()));
        spec.options.set("whatIfSwipe", whatIf().swipe());
    }
    m_keep->setEnabled(false);
    Q_EMIT keepWanted(spec);
}

} // namespace carousel::ui
