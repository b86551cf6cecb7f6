// SPDX-License-Identifier: GPL-3.0-or-later
// What Carousel, Metrics and Report share: they show the comparison of the selected runs, and have the same empty, loading and failed states.
// A page derives from it, makes its content once, and fills it in showComparison().
#pragma once
#include "pages/page.h"
#include "session/run_selection.h"

class QComboBox;

namespace carousel::ui {

class ComparisonPage : public Page {
    Q_OBJECT
public:
    ComparisonPage(Session& session, const QString& id, const QString& icon, const QString& title, const QString& question);
    bool isBusy() const override;

protected:
    // Called on the GUI thread with a comparison that has at least one strategy; never null.
    virtual void showComparison(const ComparisonPtr& comparison) = 0;
    ComparisonPtr comparison() const { return session().selection().comparison(); }
    void begin(); // derived constructors call this last: connects and shows the present state

private:
    void follow();
};

} // namespace carousel::ui
