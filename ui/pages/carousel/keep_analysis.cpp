// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/keep_analysis.h"
#include "pages/experiments_page.h"
#include "session/session.h"
#include <QPointer>
#include <QWidget>

namespace carousel::ui {

void keepAnalysis(Session& session, QObject* receiver, const AnalysisSpec& spec, std::function<void()> done) {
    session.jobs().run<Workbench::FinishedAnalysis>(
        receiver, {QObject::tr("Keeping an analysis: %1").arg(QString::fromLatin1(title(spec.kind))), Lane::task, {}},
        [&s = session, spec](const RunControl& control) { return s.workbench().analyse(spec, control); },
        [&s = session, from = QPointer<QWidget>(qobject_cast<QWidget*>(receiver)), done = std::move(done)](JobRunner::Shared<Workbench::FinishedAnalysis> result) {
            if (result) {
                s.say(QObject::tr("Kept as analysis: %1").arg(QString::fromStdString((*result)->document.report.title)));
                s.goTo(QStringLiteral("experiments"));
                // Another analysis may still be open there: what was kept is what is wanted now.
                if (auto* page = from ? from->window()->findChild<ExperimentsPage*>() : nullptr)
                    page->openAnalysis((*result)->id);
            } else
                s.log().add(result.error());
            done();
        });
}

} // namespace carousel::ui
