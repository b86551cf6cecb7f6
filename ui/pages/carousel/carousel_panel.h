// SPDX-License-Identifier: GPL-3.0-or-later
// What the three panels of the Carousel page have in common: they follow the strategies A and B and the shared fold and swipe while they are
// in view, have states of their own, and say what the inspector shows.
#pragma once
#include "pages/carousel/what_if.h"
#include "session/run_selection.h"
#include "widgets/inspector.h"
#include <QWidget>
#include <array>

class QFrame;
class QVBoxLayout;

namespace carousel::ui {

class PlotView;
class Session;
class StateView;

struct ShownRuns {
    ComparisonPtr comparison;
    std::array<std::int64_t, 2> run{0, 0}; // 0: none
    const StrategyResult* strategy(std::size_t row) const { return strategyOf(run[row]); }
    const StrategyResult* strategyOf(std::int64_t id) const;
    std::vector<std::int64_t> runs() const;
    bool operator==(const ShownRuns&) const = default;
};

struct Inspection {
    QString heading;
    std::vector<InspectorRow> rows;
    QString note; // alone: the hint when nothing is selected
};

class CarouselPanel : public QWidget {
    Q_OBJECT
public:
    CarouselPanel(Session& session, WhatIf& whatIf);
    void showRuns(const ShownRuns& shown); // read at once when the panel is in view, else when it comes into view
    void setActive(bool active);
    bool isActive() const { return m_active; }
    virtual bool isBusy() const { return false; }
    const Inspection& inspection() const { return m_inspection; }
    StateView& state() { return *m_state; }

Q_SIGNALS:
    void inspectionChanged();

protected:
    virtual void follow() = 0;   // the runs changed
    virtual void evaluate() = 0; // fold or swipe changed
    void setContent(QWidget* content, bool scrolls);
    void stale() { m_followed = false; } // what is shown is followed anew when the panel comes into view
    void inspect(Inspection inspection);
    Session& session() const { return m_session; }
    WhatIf& whatIf() const { return m_whatIf; }
    const ShownRuns& shown() const { return m_shown; }
    static QFrame* cardFrame();
    // A plot in a frame of its own, with the controls, if any, below it; its messages go to the log.
    QFrame* framed(PlotView* plot, QLayout* below = nullptr);

private:
    Session& m_session;
    WhatIf& m_whatIf;
    ShownRuns m_shown;
    Inspection m_inspection;
    StateView* m_state = nullptr;
    bool m_active = false, m_followed = true, m_evaluated = true;
};

} // namespace carousel::ui
