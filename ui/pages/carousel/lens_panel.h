// SPDX-License-Identifier: GPL-3.0-or-later
// All users: the position lens. What every slot is worth under one user model for strategies A and B, while the fold or the swipe probability
// is dragged; intervals, best orders and the heat map follow a moment later, and those of an earlier model are dropped.
#pragma once
#include "pages/carousel/carousel_panel.h"
#include "pages/carousel/lens_plots.h"
#include <QSet>
#include <functional>
#include <memory>
#include <optional>

class QComboBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QStackedWidget;
class QTimer;

namespace carousel::ui {

class ElidedLabel;
class LensStrip;

using LensPtr = std::shared_ptr<const RunLens>;
// Worker thread. The window asks the workbench; tests and benchmarks bring lenses of their own.
using LensSource = std::function<Result<LensPtr>(std::int64_t run, int slots, const std::string& segment, const RunControl& control)>;

class LensPanel : public CarouselPanel {
    Q_OBJECT
public:
    LensPanel(Session& session, WhatIf& whatIf, LensSource source);
    bool isBusy() const override;
    // What loading ends in. fields: user attributes that can be rows of the heat map.
    void showLenses(std::array<LensPtr, 2> lenses, const QStringList& fields);
    // The drag path in its two halves; evaluate() is one after the other.
    void compute();
    void present();
    const std::optional<LensFigures>& figures(std::size_t row) const { return m_rows[row].figures; }
    const std::optional<LensIntervals>& intervals(std::size_t row) const { return m_rows[row].intervals; }
    const std::optional<PositionLens::Change>& change(std::size_t row) const { return m_rows[row].change; }
    const std::optional<PositionLens::Missed>& missed(std::size_t row) const { return m_rows[row].missed; }
    void keepDone();
    QString changeWords(std::size_t row) const; // "7 visible instead of 6: V +0.012 [+0.010, +0.014] per visit"

Q_SIGNALS:
    void keepWanted(const carousel::AnalysisSpec& spec); // answered by keepDone()

protected:
    void follow() override;
    void evaluate() override;
    void resizeEvent(QResizeEvent* event) override;

private:
    struct Row {
        QLabel* name = nullptr;
        ElidedLabel *line = nullptr, *change_ = nullptr;
        LensPtr lens;
        QString letter;
        double studyValue = 0;
        std::optional<LensFigures> figures, conversion; // conversion: while it is looked at
        std::optional<LensIntervals> intervals; // these and the following: of the present model, once they are known
        std::optional<PositionLens::Change> change;
        std::optional<PositionLens::Missed> missed;
    };
    QWidget* makeSummary();
    QWidget* makePlots();
    void arrangePlots();
    void fillSegments(const QStringList& fields);
    std::vector<LensRow> plotted() const;
    LensFigure figure() const;
    const LensFigures& shownFigures(const Row& row) const { return row.conversion ? *row.conversion : *row.figures; }
    void followNotes(); // what the lens says about its sources
    void keepOut();   // what belongs to an earlier model
    void startLate(); // everything that takes longer than a drag may
    void showHeat();
    void showLines();
    void showInspection();
    void keep();
    // Runs `work` for both lenses on the quick lane; `take` gets row and result unless the model or the lenses are others by then.
    template <class T>
    void late(const QString& title, const char* key, std::function<Result<T>(const RunLens&, const RunControl&)> work,
              std::function<void(Row&, const T&)> take);

    LensSource m_source;
    std::array<Row, 2> m_rows;
    std::int64_t m_version = 0; // of model and lenses: a late result of another one is dropped
    QString m_segmentWanted;    // null: the first that there is
    bool m_loading = false;
    QSet<QString> m_open; // keys of late work that has not answered
    LensStrip* m_strip;
    ElidedLabel* m_note;
    QLabel *m_noRates, *m_noSegments;
    QComboBox *m_figure, *m_segment, *m_heatFigure, *m_heatRow;
    PlotView *m_positions, *m_landing, *m_rates, *m_heat;
    QStackedWidget *m_ratesStack, *m_heatStack;
    QPushButton* m_keep;
    QGridLayout* m_grid;
    std::vector<QWidget*> m_cells; // plots in reading order
    QTimer* m_lateTimer;
};

} // namespace carousel::ui
