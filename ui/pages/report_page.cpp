// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/report_page.h"
#include "widgets/text.h"
#include <QFileDialog>
#include <QVBoxLayout>

namespace carousel::ui {

ReportPage::ReportPage(Session& s)
    : ComparisonPage(s, QStringLiteral("report"), QStringLiteral("document-print"), tr("Report"), tr("What do we hand to a colleague, so that they can check and repeat it?")) {
    addPageAction(QStringLiteral("document-export"), tr("Write report…"), tr("Write one HTML file with plots, tables and provenance"), QKeySequence(tr("Ctrl+E")), Weight::primary, [this] { write(); });
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    m_text = textLabel({}, "", true);
    column->addWidget(m_text);
    column->addStretch();
    setContent(content);
    begin();
}

void ReportPage::showComparison(const ComparisonPtr& comparison) {
    QStringList lines{tr("%1 on %2, %3 users").arg(qs(comparison->study.name), qs(comparison->datasetTitle), count(comparison->users))};
    for (const auto& strategy : comparison->strategies)
        lines << QStringLiteral("•  ") + qs(strategy.strategy.name);
    m_text->setText(lines.join(QLatin1Char('\n')));
}

void ReportPage::write() {
    const QString file = QFileDialog::getSaveFileName(this, tr("Write report"), QStringLiteral("report.html"), tr("Web page (*.html)"));
    if (file.isEmpty())
        return;
    session().jobs().run(
        this, {tr("Writing the report"), Lane::task, {}},
        [&s = session(), runs = session().selection().runs(), path = ss(file)](const RunControl& control) { return s.workbench().writeReport(runs, path, false, control); },
        [this, file](Result<void> result) {
            if (result)
                session().say(tr("Wrote %1").arg(file));
            else
                session().log().add(result.error());
        });
}

} // namespace carousel::ui
