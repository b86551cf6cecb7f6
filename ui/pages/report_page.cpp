// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/report_page.h"
#include "base/file.h"
#include "pages/report_preview.h"
#include "report/pdf_writer.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include "workbench/study_report.h"
#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFrame>
#include <QHeaderView>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSplitter>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTimer>
#include <QTreeWidget>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int previewDelayMs = 250, runRole = Qt::UserRole + 1;
constexpr std::size_t largestPreview = 64 << 20;

struct Preview {
    QString html;
    std::string provenance;
};

// A name that every file system takes.
QString fileStem(const QString& text) {
    QString out;
    for (const QChar c : text.simplified().toLower())
        out += c.isLetterOrNumber() ? c : QLatin1Char('-');
    while (out.contains(QLatin1String("--")))
        out.replace(QLatin1String("--"), QLatin1String("-"));
    out = out.left(60);
    while (out.endsWith(QLatin1Char('-')))
        out.chop(1);
    return out.isEmpty() ? QStringLiteral("report") : out;
}
} // namespace

ReportPage::ReportPage(Session& s)
    : ComparisonPage(s, QStringLiteral("report"), QStringLiteral("document-print"), tr("Report"),
                     tr("What do we hand to a colleague, so that they can check and repeat it?")) {
    m_write =
        addPageAction(QStringLiteral("document-export"), tr("Write report"), tr("Write one file, HTML or PDF, with plots, tables and provenance"),
                      QKeySequence(tr("Ctrl+E")), Weight::primary, [this] { write(); });
    auto* split = new QSplitter(Qt::Horizontal);
    split->setChildrenCollapsible(false);
    split->addWidget(makeForm());
    split->addWidget(makePreview());
    split->setStretchFactor(0, 0);
    split->setStretchFactor(1, 1);
    split->setSizes({380, 820});
    m_timer = new QTimer(this);
    m_timer->setSingleShot(true);
    m_timer->setInterval(previewDelayMs);
    connect(m_timer, &QTimer::timeout, this, &ReportPage::readPreview);
    setContent(split);
    begin();
}

QWidget* ReportPage::makeForm() {
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 12, 0);
    column->setSpacing(6);
    column->addWidget(textLabel(tr("Title"), "caption"));
    m_title = textLabel({}, "heading", true);
    m_title->setToolTip(tr("The name of the study; change it on the Strategies page before a run"));
    column->addWidget(m_title);
    column->addSpacing(8);
    column->addWidget(textLabel(tr("Runs in the report"), "heading"));
    m_runs = new QListWidget;
    m_runs->setAccessibleName(tr("Runs in the report"));
    m_runs->setSelectionMode(QAbstractItemView::SingleSelection);
    m_runs->setIconSize({16, 16});
    m_runs->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff); // long names end in an ellipsis
    column->addWidget(m_runs);
    m_others = textLabel({}, "caption", true);
    column->addWidget(m_others);
    column->addSpacing(8);

    column->addWidget(textLabel(tr("File"), "heading"));
    auto* fileRow = new QHBoxLayout;
    fileRow->setSpacing(8);
    m_file = new QLineEdit;
    m_file->setAccessibleName(tr("File of the report"));
    fileRow->addWidget(m_file, 1);
    auto* browse = new QPushButton(tr("Choose…"));
    browse->setAccessibleDescription(tr("Choose the file of the report"));
    fileRow->addWidget(browse);
    column->addLayout(fileRow);
    m_fileHint = textLabel({}, "caption", true);
    column->addWidget(m_fileHint);
    m_png = new QCheckBox(tr("Plots as PNG and CSV files too, in a folder beside it"));
    column->addWidget(m_png);
    column->addSpacing(4);

    m_resultCard = new QFrame;
    m_resultCard->setProperty("card", QStringLiteral("good"));
    auto* result = new QVBoxLayout(m_resultCard);
    result->setContentsMargins(12, 8, 12, 8);
    m_result = textLabel({}, "", true);
    m_result->setTextInteractionFlags(Qt::TextSelectableByMouse);
    result->addWidget(m_result);
    auto* openRow = new QHBoxLayout;
    m_openFile = new QPushButton(Theme::icon(QStringLiteral("document-open")), tr("Open in browser"));
    m_openFolder = new QPushButton(Theme::icon(QStringLiteral("folder-open")), tr("Open folder"));
    openRow->addWidget(m_openFile);
    openRow->addWidget(m_openFolder);
    openRow->addStretch();
    result->addLayout(openRow);
    m_resultCard->hide();
    column->addWidget(m_resultCard);

    auto* rule = new QFrame;
    rule->setProperty("card", QStringLiteral("rule"));
    column->addSpacing(12);
    column->addWidget(rule);
    column->addSpacing(6);
    column->addWidget(textLabel(tr("One run for other programs"), "heading"));
    m_run = new QComboBox;
    m_run->setAccessibleName(tr("Run to export"));
    m_run->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    column->addWidget(m_run);
    auto* exportRow = new QHBoxLayout;
    exportRow->setSpacing(8);
    m_format = new QComboBox;
    m_format->setAccessibleName(tr("Format of the export"));
    m_format->addItem(tr("CSV: metrics per user"), QStringLiteral("csv"));
    m_format->addItem(tr("JSON: the whole run"), QStringLiteral("json"));
    m_format->addItem(tr("JSON lines: one list per user"), QStringLiteral("jsonl"));
    m_format->addItem(tr("TREC: run file and qrels"), QStringLiteral("trec"));
    m_export = new QPushButton(tr("Export…"));
    m_export->setAccessibleDescription(tr("Write the chosen run in the chosen format"));
    exportRow->addWidget(m_format, 1);
    exportRow->addWidget(m_export);
    column->addLayout(exportRow);
    column->addStretch();
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumWidth(330);
    scroll->setWidget(canvas);

    connect(m_runs, &QListWidget::itemChanged, this, &ReportPage::followChoice);
    connect(m_file, &QLineEdit::textChanged, this, &ReportPage::followFile);
    connect(browse, &QPushButton::clicked, this, [this] {
        const QString chosenFile = QFileDialog::getSaveFileName(this, tr("Write report"), file(), tr("Web page (*.html);;Pages to print (*.pdf)"));
        if (!chosenFile.isEmpty())
            setFile(chosenFile);
    });
    connect(m_openFile, &QPushButton::clicked, this, [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_resultFile)); });
    connect(m_openFolder, &QPushButton::clicked, this,
            [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(m_resultFile).absolutePath())); });
    connect(m_export, &QPushButton::clicked, this, [this] {
        const QString ending = m_format->currentData().toString();
        const QString wished = QFileInfo(file()).dir().filePath(fileStem(m_run->currentText()) + QLatin1Char('.') + ending);
        const QString chosenFile = QFileDialog::getSaveFileName(this, tr("Export run"), wished, QStringLiteral("*.%1").arg(ending));
        if (!chosenFile.isEmpty())
            exportRun(chosenFile);
    });
    return scroll;
}

QWidget* ReportPage::makePreview() {
    auto* tabs = new QTabWidget;
    tabs->setDocumentMode(true);
    tabs->tabBar()->setAccessibleName(tr("What the report holds"));
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(12, 8, 0, 0);
    column->setSpacing(4);
    m_previewState = textLabel({}, "caption", true);
    column->addWidget(m_previewState);
    m_preview = new ReportPreview;
    column->addWidget(m_preview, 1);
    tabs->addTab(page, tr("Preview"));
    auto* second = new QWidget;
    auto* secondColumn = new QVBoxLayout(second);
    secondColumn->setContentsMargins(12, 8, 0, 0);
    secondColumn->setSpacing(4);
    secondColumn->addWidget(
        textLabel(tr("Carried whole inside the report: all that is needed to check it and to run it again."), "caption", true));
    m_provenance = new QTreeWidget;
    m_provenance->setAccessibleName(tr("Provenance"));
    m_provenance->setHeaderLabels({tr("what"), tr("value")});
    m_provenance->setUniformRowHeights(true);
    secondColumn->addWidget(m_provenance, 1);
    tabs->addTab(second, tr("Provenance"));
    return tabs;
}

bool ReportPage::isBusy() const {
    return ComparisonPage::isBusy() || m_timer->isActive();
}

void ReportPage::entered() {
    if (comparison() && comparison() != m_shown)
        present(comparison());
    followFile(); // files come and go while the page is away
}

void ReportPage::showComparison(const ComparisonPtr& comparison) {
    if (isVisible()) // else when the page is entered
        present(comparison);
}

void ReportPage::present(const ComparisonPtr& comparison) {
    const bool otherStudy = !m_shown || m_shown->strategies.front().run.study != comparison->strategies.front().run.study;
    m_shown = comparison;
    m_title->setText(qs(comparison->study.name));
    const auto& first = comparison->strategies.front().run;
    const auto& selected = session().selection().runs();
    int others = 0;
    {
        const QSignalBlocker quiet(m_runs);
        m_runs->clear();
        m_run->clear();
        std::vector<RunRow> rows;
        for (const auto& strategy : comparison->strategies) // these first, in their order
            rows.push_back(strategy.run);
        for (const auto& run : session().runs())
            if (std::none_of(rows.begin(), rows.end(), [&](const RunRow& row) { return row.id == run.id; }))
                rows.push_back(run);
        for (const auto& run : rows) {
            if (run.state != RunState::complete)
                continue;
            if (run.datasetDigest != first.datasetDigest || run.splitDigest != first.splitDigest) {
                ++others;
                continue;
            }
            const QString name = run.study == first.study ? qs(run.strategy) : tr("%1 (%2)").arg(qs(run.strategy), qs(run.studyName));
            auto* item = new QListWidgetItem(name, m_runs);
            item->setData(runRole, qint64(run.id));
            item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
            item->setCheckState(std::find(selected.begin(), selected.end(), run.id) != selected.end() ? Qt::Checked : Qt::Unchecked);
            item->setToolTip(plainToolTip(tr("Run %1, finished %2").arg(run.id).arg(qs(run.finishedAt))));
            QIcon marker;
            for (const auto& strategy : comparison->strategies)
                if (strategy.run.id == run.id)
                    marker = Theme::instance().strategyIcon(strategy.colour);
            item->setIcon(marker);
            m_run->addItem(marker, tr("%1, run %2").arg(name).arg(run.id), qint64(run.id));
        }
    }
    const int rowsShown = std::clamp(m_runs->count(), 3, 9);
    m_runs->setFixedHeight(rowsShown * std::max(24, m_runs->sizeHintForRow(0)) + 10);
    m_others->setText(
        others ? tr("%1 on other data or another split cannot stand in the same report.").arg(plural(others, tr("run"), tr("runs")))
               : QString());
    m_others->setVisible(others > 0);
    if (otherStudy) {
        setFile(QFileInfo(session().projectFile()).dir().filePath(fileStem(qs(comparison->study.name)) + QStringLiteral("-report.html")));
        m_resultCard->hide();
    }
    followChoice();
}

std::vector<std::int64_t> ReportPage::chosen() const {
    std::vector<std::int64_t> runs;
    for (int row = 0; row < m_runs->count(); ++row)
        if (m_runs->item(row)->checkState() == Qt::Checked)
            runs.push_back(m_runs->item(row)->data(runRole).toLongLong());
    return runs;
}

void ReportPage::setFile(const QString& file) {
    m_file->setText(QDir::toNativeSeparators(file));
    m_file->setCursorPosition(static_cast<int>(m_file->text().size())); // the name matters more than the folder
    followFile();
}

QString ReportPage::file() const {
    const QString text = QDir::fromNativeSeparators(m_file->text().trimmed());
    if (text.isEmpty())
        return {};
    const QString named =
        text.endsWith(QLatin1String(".html"), Qt::CaseInsensitive) || text.endsWith(QLatin1String(".htm"), Qt::CaseInsensitive) ||
                text.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive)
            ? text
            : text + QStringLiteral(".html");
    return QDir::isAbsolutePath(named) ? named : QFileInfo(session().projectFile()).dir().filePath(named);
}

void ReportPage::followFile() {
    const QString wished = file();
    const bool there = !wished.isEmpty() && QFileInfo::exists(wished);
    m_fileHint->setText(wished.isEmpty()                  ? tr("▲ Name a file.")
                        : there && wished == m_resultFile ? tr("Written just now; writing again replaces it.")
                        : there                           ? tr("▲ This file is there already and will be replaced.")
                                                          : tr("One file; needs no network to be read. A name that ends in .pdf gives pages to print."));
    m_file->setToolTip(plainToolTip(wished));
    m_png->setEnabled(!isPdf(ss(wished))); // pages hold their plots
    m_write->setEnabled(!wished.isEmpty() && !chosen().empty());
}

void ReportPage::followChoice() {
    const auto runs = chosen();
    m_export->setEnabled(m_run->count() > 0);
    followFile();
    if (runs.empty()) {
        m_timer->stop();
        session().jobs().cancelKey(QStringLiteral("report-preview"));
        m_previewState->setText(tr("▲ Tick at least one run."));
        m_preview->showReport({});
        m_provenance->clear();
        return;
    }
    m_previewState->setText(tr("Preparing the preview…"));
    m_timer->start();
}

void ReportPage::readPreview() {
    session().jobs().run<Preview>(
        this, {tr("Preview of the report"), Lane::quick, QStringLiteral("report-preview")},
        [&s = session(), runs = chosen(), study = m_shown->study](const RunControl& control) -> Result<Preview> {
            // The file itself, written where nobody looks: the preview can not differ from what is handed over.
            QTemporaryDir folder;
            if (!folder.isValid())
                return fail(ErrorKind::io, "CL-5020", "There is no room for a temporary file.",
                            "Free some disk space, or write the report without its preview.");
            const std::string path = ss(folder.filePath(QStringLiteral("report.html")));
            CAROUSEL_TRY(s.workbench().writeReport(runs, path, false, control));
            CAROUSEL_ASSIGN(const auto text, readFile(path, largestPreview));
            CAROUSEL_ASSIGN(const auto row, s.workbench().store().run(runs.front()));
            return Preview{qs(text), s.workbench().provenance(study, &row)};
        },
        [this](JobRunner::Shared<Preview> result) {
            if (!result) {
                m_previewState->setText(QStringLiteral("▲ ") + qs(describe(result.error())));
                m_preview->showReport({});
                m_provenance->clear();
                return;
            }
            m_previewState->setText(tr("Words and tables as in the file, %1 KB; the plots are drawn there.")
                                        .arg(count(((*result)->html.size() + 1023) / 1024)));
            m_preview->showReport((*result)->html);
            showJson(*m_provenance, (*result)->provenance);
        });
}

void ReportPage::showResult(bool ok, const QString& text, const QString& resultFile) {
    m_resultFile = resultFile;
    setRole(m_resultCard, "card", ok ? QStringLiteral("good") : QStringLiteral("bad"));
    m_result->setText((ok ? QStringLiteral("● ") : QStringLiteral("✕ ")) + text);
    const bool pages = resultFile.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive);
    m_openFile->setText(pages ? tr("Open") : tr("Open in browser"));
    m_openFile->setVisible(ok && (pages || resultFile.endsWith(QLatin1String("html"), Qt::CaseInsensitive)));
    m_openFolder->setVisible(ok);
    m_resultCard->show();
    followFile();
}

void ReportPage::write() {
    const auto runs = chosen();
    const QString target = file();
    if (runs.empty() || target.isEmpty())
        return;
    m_resultCard->hide();
    session().jobs().run(
        this, {tr("Writing %1").arg(QFileInfo(target).fileName()), Lane::task, {}},
        [&s = session(), runs, path = ss(target), png = m_png->isChecked() && m_png->isEnabled()](const RunControl& control) -> Result<void> {
            if (!isPdf(path))
                return s.workbench().writeReport(runs, path, png, control);
            CAROUSEL_ASSIGN(const auto document, reportDocument(s.workbench(), runs, control.slice(0, 0.9)));
            return writePdf(document, path);
        },
        [this, target](Result<void> result) {
            if (!result)
                session().log().add(result.error());
            else
                session().say(tr("Wrote %1").arg(target));
            showResult(result.has_value(), result ? tr("Wrote %1").arg(target) : qs(describe(result.error())), target);
            Q_EMIT written(result.has_value(), target);
        });
}

void ReportPage::exportRun(const QString& target) {
    session().jobs().run(
        this, {tr("Exporting %1").arg(m_run->currentText()), Lane::task, {}},
        [&s = session(), run = m_run->currentData().toLongLong(), as = ss(m_format->currentData().toString()),
         path = ss(target)](const RunControl&) { return s.workbench().exportRun(run, as, path); },
        [this, target](Result<void> result) {
            if (!result)
                session().log().add(result.error());
            else
                session().say(tr("Wrote %1").arg(target));
            showResult(result.has_value(), result ? tr("Wrote %1").arg(target) : qs(describe(result.error())), target);
            Q_EMIT written(result.has_value(), target);
        });
}

} // namespace carousel::ui
