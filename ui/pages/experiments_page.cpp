// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/experiments_page.h"
#include "pages/experiments/analysis_list.h"
#include "pages/experiments/analysis_needs.h"
#include "pages/experiments/analysis_setup.h"
#include "report/pdf_writer.h"
#include "theme/theme.h"
#include "widgets/document_view.h"
#include "widgets/text.h"
#include "workbench/analyses/compare_analyses.h"
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QPointer>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int leftWidth = 330, narrowest = 286;

bool isCancelled(const Error& error) { return error.kind == ErrorKind::cancelled; }
} // namespace

ExperimentsPage::ExperimentsPage(Session& s)
    : Page(s, QStringLiteral("experiments"), QStringLiteral("labplot-xy-fit-curve"), tr("Experiments"), tr("What do position, policy and a language model do, and can this data say so?")) {
    m_removeAction = addPageAction(QStringLiteral("edit-delete"), tr("Remove…"), tr("Remove this analysis from the project"), QKeySequence::Delete, Weight::secondary, [this] { removeCurrent(); });
    m_compareAction = addPageAction(QStringLiteral("view-split-left-right"), tr("Compare"), tr("Set the selected experiments side by side"), QKeySequence(tr("Ctrl+Shift+E")), Weight::secondary,
                                    [this] { compareSelected(); });
    m_copyAction = addPageAction(QStringLiteral("edit-copy"), tr("Copy command"), tr("Copy the command line that reproduces this document"), QKeySequence(tr("Ctrl+Shift+C")),
                                 Weight::secondary, [this] { copyCommand(); });
    m_runAction = addPageAction(QStringLiteral("media-playback-start"), tr("Run analysis"), tr("Run the analysis that is set up at the left"), QKeySequence(Qt::Key_F5), Weight::primary, [this] { run(); });
    addHeaderWidget(makeExport());

    auto* body = new QSplitter(Qt::Horizontal);
    body->setChildrenCollapsible(false);
    body->addWidget(makeLeft());
    body->addWidget(makeRight());
    body->setStretchFactor(0, 0);
    body->setStretchFactor(1, 1);
    body->setSizes({leftWidth, 900});
    setContent(body);

    connect(m_setup, &AnalysisSetup::changed, this, [this] { // without a log, what a data set can carry is known when it has been read
        if (state().state() == StateView::State::ready)
            followSetup();
        else
            follow();
    });
    connect(&s, &Session::analysisWanted, this, [this](const QString& wanted) {
        if (const auto kind = analysisKind(ss(wanted)))
            m_setup->setKind(*kind);
    });
    connect(m_list, &AnalysisList::openWanted, this, &ExperimentsPage::openAnalysis);
    connect(m_list, &AnalysisList::selectedChanged, this, &ExperimentsPage::followSetup);
    connect(m_document, &DocumentView::exported, this, [this](const QString& file) { session().say(tr("Wrote %1").arg(file)); });
    connect(m_document, &DocumentView::exportFailed, this, [this](const QString& message) { session().log().add(ActivityLog::Level::error, message); });
    connect(&s, &Session::projectChanged, this, [this] {
        m_listRead = m_hasDocument = m_opening = false;
        m_shown = 0;
        m_list->setRows({});
        showNothing();
        follow();
    });
    connect(&s, &Session::datasetsChanged, this, [this] {
        m_setup->refresh();
        if (!m_listRead && !m_reading)
            readList();
        follow();
    });
    connect(&s.jobs(), &JobRunner::changed, this, &ExperimentsPage::followSetup);
    showNothing();
    follow();
}

QPushButton* ExperimentsPage::makeExport() {
    m_export = new QPushButton(Theme::icon(QStringLiteral("document-export")), tr("Export…"));
    m_export->setAccessibleName(tr("Export the document"));
    m_export->setToolTip(tr("Write the document as a web page, as PDF, as JSON, or as a folder of tables and pictures (Ctrl+E)"));
    auto* menu = new QMenu(m_export);
    menu->addAction(tr("Web page (HTML)…"), this, [this] { askForFile(QStringLiteral("html")); });
    menu->addAction(tr("Pages to print (PDF)…"), this, [this] { askForFile(QStringLiteral("pdf")); });
    menu->addAction(tr("Every number (JSON)…"), this, [this] { askForFile(QStringLiteral("json")); });
    menu->addAction(tr("Folder of tables and pictures…"), this, [this] { askForFolder(); });
    m_export->setMenu(menu);
    auto* shortcut = new QAction(this);
    shortcut->setShortcut(QKeySequence(tr("Ctrl+E")));
    shortcut->setShortcutContext(Qt::WindowShortcut); // wherever the focus is on this page
    connect(shortcut, &QAction::triggered, this, [this] { askForFile(QStringLiteral("html")); });
    addAction(shortcut);
    return m_export;
}

QWidget* ExperimentsPage::makeLeft() {
    auto* left = new QSplitter(Qt::Vertical);
    left->setChildrenCollapsible(false);
    left->setMinimumWidth(narrowest);
    m_setup = new AnalysisSetup(session());
    m_setup->setProperty("role", QStringLiteral("canvas"));
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(m_setup);
    scroll->setMinimumHeight(160);
    left->addWidget(scroll);
    auto* past = new QWidget;
    auto* column = new QVBoxLayout(past);
    column->setContentsMargins(0, 8, 8, 0);
    column->setSpacing(6);
    auto* title = textLabel(tr("Past analyses"), "heading");
    column->addWidget(title);
    m_list = new AnalysisList;
    title->setBuddy(m_list);
    column->addWidget(m_list, 1);
    m_listHint = textLabel(tr("None yet. What is run here, and lenses from the Carousel page, are kept in the project."), "caption", true);
    m_listHint->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    column->addWidget(m_listHint, 1);
    left->addWidget(past);
    left->setStretchFactor(0, 3);
    left->setStretchFactor(1, 2);
    left->setSizes({420, 240});
    return left;
}

QWidget* ExperimentsPage::makeRight() {
    auto* right = new QWidget;
    right->setMinimumWidth(420);
    auto* column = new QVBoxLayout(right);
    column->setContentsMargins(12, 0, 0, 0);
    column->setSpacing(8);
    auto* strip = new QFrame;
    strip->setProperty("card", QStringLiteral("true"));
    auto* row = new QHBoxLayout(strip);
    row->setContentsMargins(12, 6, 8, 6);
    m_runningText = textLabel({}, "", true);
    row->addWidget(m_runningText, 1);
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setAccessibleName(tr("Cancel the analysis"));
    cancel->setToolTip(tr("Stop the analysis (Esc). Of an A/B simulation the rounds so far are kept, of the others nothing"));
    connect(cancel, &QPushButton::clicked, this, [this] { session().jobs().cancel(m_job); });
    row->addWidget(cancel);
    m_runningBar = strip;
    m_runningBar->hide();
    column->addWidget(m_runningBar);
    m_document = new DocumentView;
    m_documentState = new StateView(m_document);
    column->addWidget(m_documentState, 1);
    return right;
}

bool ExperimentsPage::isBusy() const { return m_reading || m_opening || m_job != 0 || m_setup->isBusy(); }

void ExperimentsPage::entered() {
    if (!session().hasProject() || !session().loaded())
        return;
    readList([this] {
        if (!m_hasDocument && !m_opening && !m_job && !m_list->rows().empty())
            openAnalysis(m_list->rows().front().id);
    });
}

void ExperimentsPage::follow() {
    if (!session().hasProject()) {
        state().showEmpty(icon(), tr("No project is open"), tr("Analyses read the log of a project. The sample Six of hundreds brings one."),
                          {tr("Go to Home"), [this] { session().goTo(QStringLiteral("home")); }});
        return followSetup();
    }
    if (!session().loaded() || !m_listRead) {
        state().showLoading(tr("Reading the project…"));
        return followSetup();
    }
    QStringList without;
    bool any = false;
    for (const auto& row : session().datasets()) {
        any = any || row.impressions > 0;
        if (row.impressions == 0)
            without << qs(row.name);
    }
    // Without a log, ratings and histories can still carry something; one data set has to be read to know, several can be chosen from.
    if (!any && without.size() == 1 && m_setup->isBusy() && m_list->rows().empty()) {
        state().showLoading(tr("Looking at what the data can support…"));
        return followSetup();
    }
    if (!any && m_list->rows().empty() && (without.isEmpty() || (without.size() == 1 && !m_setup->canCarryAny()))) {
        const QString sentence =
            without.isEmpty() ? tr("This project holds no data yet. Analyses of position and policy need a log of what was shown where, with the clicks; like prediction and the five tasks need histories with times.")
                              : tr("No impressions are in: %1. Analyses of position and policy need a log of what was shown where, with the clicks; like prediction and the five tasks need histories with times. Import such data, or open the sample Six of hundreds.")
                                    .arg(without.join(QStringLiteral(", ")));
        state().showEmpty(icon(), tr("No log to analyse"), sentence, {tr("Go to Data"), [this] { session().goTo(QStringLiteral("data")); }});
        return followSetup();
    }
    state().showReady();
    m_list->setVisible(!m_list->rows().empty());
    m_listHint->setVisible(m_list->rows().empty());
    if (isVisible() && !m_hasDocument && !m_opening && !m_job && !m_list->rows().empty())
        openAnalysis(m_list->rows().front().id);
    followSetup();
}

void ExperimentsPage::followSetup() {
    const bool ready = state().state() == StateView::State::ready;
    QString reason;
    const bool can = ready && !m_job && m_setup->canRun(&reason);
    m_runAction->setEnabled(can);
    m_runAction->setToolTip(can ? tr("Run %1 on %2 (F5)").arg(analysisTitle(m_setup->kind()), m_setup->dataset())
                                : m_job ? tr("An analysis is running (Esc stops it)")
                                        : reason.isEmpty() ? tr("Run the analysis that is set up at the left (F5)") : plainToolTip(reason));
    const QString whyNot = whyNotCompared();
    m_compareAction->setEnabled(ready && whyNot.isEmpty());
    m_compareAction->setToolTip(whyNot.isEmpty() ? tr("Set the %1 selected experiments side by side (Ctrl+Shift+E)").arg(m_list->selected().size()) : plainToolTip(whyNot));
    m_copyAction->setEnabled(ready && m_hasDocument && !m_document->document().report.command.empty());
    m_removeAction->setEnabled(ready && m_shown != 0 && !session().readOnly());
    m_export->setEnabled(ready && m_hasDocument);
    m_runningBar->setVisible(m_job != 0);
    if (ready && !m_hasDocument && !m_opening && !m_job && m_documentState->state() == StateView::State::empty)
        showNothing(); // its words follow the kind that is chosen
}

void ExperimentsPage::showNothing() {
    m_documentState->setPartial({});
    m_documentState->showEmpty(icon(), analysisTitle(m_setup->kind()), analysisHelp(m_setup->kind()),
                               {tr("Run analysis"), [this] { run(); }});
}

void ExperimentsPage::readList(std::function<void()> then) {
    if (m_reading || !session().hasProject())
        return;
    m_reading = true;
    using Rows = std::vector<AnalysisRow>;
    session().jobs().run<Rows>(
        this, {tr("Reading the analyses"), Lane::quick, {}}, [&s = session()](const RunControl&) -> Result<Rows> { return s.workbench().store().analyses(); },
        [this, then](JobRunner::Shared<Rows> rows) {
            m_reading = false;
            if (!session().hasProject())
                return;
            m_listRead = true;
            if (rows)
                m_list->setRows(**rows);
            else
                session().log().add(rows.error());
            m_list->setCurrent(m_shown);
            follow();
            if (then)
                then();
        });
}

void ExperimentsPage::run() {
    QString reason;
    if (m_job || !m_setup->canRun(&reason)) {
        session().say(m_job ? tr("An analysis is running already.") : reason);
        return;
    }
    const auto spec = m_setup->spec();
    if (!spec) {
        session().log().add(spec.error());
        return;
    }
    const QString title = tr("%1 on %2").arg(analysisTitle(spec->kind), qs(spec->dataset));
    const bool keepsPartial = spec->kind == AnalysisKind::abTest;
    const auto partial = [page = QPointer<ExperimentsPage>(this)](const AnalysisDocument& document) { // on the thread of the job
        QMetaObject::invokeMethod(
            qApp, [page, document] {
                if (page && page->m_job)
                    page->showPartial(document);
            },
            Qt::QueuedConnection);
    };
    m_job = session().jobs().run<Workbench::FinishedAnalysis>(
        this, {title, Lane::task, {}}, [&s = session(), spec = *spec, partial](const RunControl& control) { return s.workbench().analyse(spec, control, partial); },
        [this, title, keepsPartial, keepsRuns = spec->kind == AnalysisKind::placement](JobRunner::Shared<Workbench::FinishedAnalysis> result) {
            m_job = 0;
            m_live = false;
            if (keepsRuns)
                session().refresh();
            if (result) {
                session().say((*result)->partial ? tr("%1 was stopped; the result so far is kept. Run it again to go on.").arg(title) : tr("%1 is finished").arg(title));
                showDocument((*result)->document, (*result)->id);
                readList();
            } else if (isCancelled(result.error()) && keepsPartial) {
                const std::int64_t newest = m_list->rows().empty() ? 0 : m_list->rows().front().id;
                readList([this, title, newest] { // what was done of it is kept as a document of its own
                    const bool kept = !m_list->rows().empty() && m_list->rows().front().id > newest;
                    session().say(kept ? tr("%1 was stopped; the result so far is kept. Run it again to go on.").arg(title) : tr("%1 was stopped before its first round.").arg(title));
                    if (kept)
                        openAnalysis(m_list->rows().front().id);
                });
            } else if (isCancelled(result.error())) {
                session().say(keepsRuns ? tr("%1 was stopped; what was run is kept, and running it again goes on there.").arg(title) : tr("%1 was stopped; nothing of it is kept.").arg(title));
                if (!m_hasDocument)
                    showNothing();
            } else {
                session().log().add(result.error());
                m_hasDocument = false;
                m_shown = 0;
                m_list->setCurrent(0);
                m_documentState->setPartial({});
                m_documentState->showFailed(result.error(), {tr("Try again"), [this] { run(); }});
            }
            followSetup();
            Q_EMIT analysed(result.has_value());
        });
    m_shownAtStart = m_shown;
    m_runningText->setText(tr("%1 is running. The page can be used meanwhile; Esc stops it.").arg(title));
    if (!m_hasDocument)
        m_documentState->showLoading(title + QStringLiteral("…"));
    followSetup();
}

// Once a second: the effect so far, its band, the lights. Whoever has opened another document meanwhile is left with it.
void ExperimentsPage::showPartial(const AnalysisDocument& document) {
    if (!m_live && m_shown != m_shownAtStart)
        return;
    if (m_live && m_shown != 0)
        return;
    m_shown = 0;
    m_hasDocument = true;
    if (m_live)
        m_document->updateDocument(document);
    else
        m_document->setDocument(document);
    m_live = true;
    m_documentState->setPartial(tr("▲ Under way: figures change with every round."));
    m_documentState->showReady();
    m_list->setCurrent(0);
    followSetup();
}

void ExperimentsPage::openAnalysis(std::int64_t id) {
    if (id == 0 || (m_hasDocument && id == m_shown && !m_opening))
        return;
    m_opening = true;
    m_shown = id;
    if (!m_hasDocument)
        m_documentState->showLoading(tr("Opening analysis %1…").arg(id));
    session().jobs().run<AnalysisDocument>(
        this, {tr("Opening analysis %1").arg(id), Lane::quick, QStringLiteral("analysis")},
        [&s = session(), id](const RunControl&) { return s.workbench().analysis(id); },
        [this, id](JobRunner::Shared<AnalysisDocument> document) {
            m_opening = false;
            if (document) {
                showDocument(**document, id);
                if (const auto kind = analysisKind((*document)->kind); kind && std::find(logAnalyses().begin(), logAnalyses().end(), *kind) != logAnalyses().end())
                    m_setup->setKind(*kind); // what is set up at the left is what is looked at
            } else if (!isCancelled(document.error())) {
                session().log().add(document.error());
                m_hasDocument = false;
                m_shown = 0;
                m_documentState->setPartial({});
                m_documentState->showFailed(document.error());
            }
            followSetup();
            Q_EMIT opened(id, document.has_value());
        });
}

QString ExperimentsPage::whyNotCompared() const {
    const auto rows = m_list->selected();
    if (rows.size() < 2)
        return tr("Select two or more experiments in the list (Ctrl or Shift) to set them side by side.");
    for (const auto& row : rows) {
        if (!analyses::canCompare(row.kind))
            return tr("%1 has no arms or rules that could be set side by side.").arg(analysisTitle(row.kind));
        if (row.kind != rows.front().kind)
            return tr("%1 and %2 are not of one kind.").arg(analysisTitle(rows.front().kind), analysisTitle(row.kind));
    }
    return {};
}

void ExperimentsPage::compareSelected() {
    if (const QString whyNot = whyNotCompared(); !whyNot.isEmpty())
        return session().say(whyNot);
    std::vector<std::int64_t> ids;
    for (const auto& row : m_list->selected())
        ids.push_back(row.id);
    std::sort(ids.begin(), ids.end()); // the oldest first
    m_opening = true;
    session().jobs().run<AnalysisDocument>(
        this, {tr("Comparing %1 experiments").arg(ids.size()), Lane::quick, QStringLiteral("analysis")}, [&s = session(), ids](const RunControl&) { return s.workbench().compareAnalyses(ids); },
        [this](JobRunner::Shared<AnalysisDocument> document) {
            m_opening = false;
            if (document) {
                m_shown = 0;
                m_hasDocument = true;
                m_document->setDocument(**document);
                m_documentState->setPartial({});
                m_documentState->showReady();
            } else if (!isCancelled(document.error())) {
                session().log().add(document.error());
            }
            followSetup();
            Q_EMIT compared(document.has_value());
        });
}

void ExperimentsPage::showDocument(const AnalysisDocument& document, std::int64_t id) {
    m_shown = id;
    m_hasDocument = true;
    m_document->setDocument(document);
    m_documentState->setPartial(id == 0 ? tr("▲ The project is open for reading only, so this document is not kept. Export it to keep it.") : QString());
    m_documentState->showReady();
    m_list->setCurrent(id);
}

void ExperimentsPage::removeCurrent() {
    if (m_shown == 0)
        return;
    QMessageBox box(QMessageBox::Warning, tr("Remove analysis"), tr("Remove this analysis and what it found? This cannot be undone; the command that made it can be run again."), QMessageBox::Cancel, this);
    box.setTextFormat(Qt::PlainText);
    QAbstractButton* remove = box.addButton(tr("Remove"), QMessageBox::DestructiveRole);
    box.exec();
    if (box.clickedButton() == remove)
        removeAnalysis(m_shown);
}

void ExperimentsPage::removeAnalysis(std::int64_t id) {
    session().jobs().run(
        this, {tr("Removing analysis %1").arg(id), Lane::quick, {}}, [&s = session(), id](const RunControl&) { return s.workbench().store().removeAnalysis(id); },
        [this, id](Result<void> removed) {
            if (!removed) {
                session().log().add(removed.error());
            } else if (m_shown == id) {
                m_shown = 0;
                m_hasDocument = false;
                showNothing();
            }
            readList();
        });
}

void ExperimentsPage::copyCommand() {
    if (!m_hasDocument)
        return;
    QApplication::clipboard()->setText(qs(m_document->document().report.command));
    session().say(tr("The command that reproduces this document is on the clipboard."));
}

void ExperimentsPage::writeTo(const QString& fileOrFolder) {
    if (!m_hasDocument || fileOrFolder.isEmpty())
        return;
    session().jobs().run(
        this, {tr("Writing %1").arg(QFileInfo(fileOrFolder).fileName()), Lane::quick, {}},
        [document = m_document->document(), path = ss(fileOrFolder)](const RunControl&) { return writeDocument(document, path); },
        [this, fileOrFolder](Result<void> done) {
            if (done)
                session().say(tr("Wrote %1").arg(fileOrFolder));
            else
                session().log().add(done.error());
            Q_EMIT written(done.has_value());
        });
}

QString ExperimentsPage::proposedName() const {
    const QString folder = QFileInfo(session().projectFile()).absolutePath();
    const QString kind = qs(m_document->document().kind);
    return QStringLiteral("%1/%2-%3").arg(folder, kind.isEmpty() ? QStringLiteral("analysis") : kind).arg(m_shown);
}

void ExperimentsPage::askForFile(const QString& ending) {
    if (m_hasDocument && m_export->isEnabled())
        writeTo(QFileDialog::getSaveFileName(this, tr("Export the document"), proposedName() + QLatin1Char('.') + ending, QStringLiteral("*.%1").arg(ending)));
}

void ExperimentsPage::askForFolder() {
    if (!m_hasDocument)
        return;
    const QString parent = QFileDialog::getExistingDirectory(this, tr("Export into a new folder in"), QFileInfo(session().projectFile()).absolutePath());
    if (!parent.isEmpty())
        writeTo(parent + QLatin1Char('/') + QFileInfo(proposedName()).fileName());
}

QList<PaletteEntry> ExperimentsPage::paletteEntries() const {
    auto entries = Page::paletteEntries();
    auto* self = const_cast<ExperimentsPage*>(this);
    const auto add = [&](const QString& kind, const QString& text, const QString& detail, auto call) {
        entries << PaletteEntry{kind, text, detail, {}, [this, call] {
                                    session().goTo(id());
                                    call();
                                }};
    };
    if (m_hasDocument) {
        add(tr("action"), tr("Export document as web page…"), title(), [self] { self->askForFile(QStringLiteral("html")); });
        add(tr("action"), tr("Export document as PDF…"), title(), [self] { self->askForFile(QStringLiteral("pdf")); });
        add(tr("action"), tr("Export document as JSON…"), title(), [self] { self->askForFile(QStringLiteral("json")); });
        add(tr("action"), tr("Export document as folder…"), title(), [self] { self->askForFolder(); });
    }
    if (session().hasProject())
        for (const auto kind : logAnalyses())
            add(tr("action"), tr("Set up: %1").arg(analysisTitle(kind)), analysisQuestion(kind), [self, kind] { self->m_setup->setKind(kind); });
    for (const auto& row : m_list->rows())
        add(tr("analysis"), QStringLiteral("%1 · %2").arg(analysisTitle(row.kind), qs(row.dataset)), qs(row.verdict), [self, id = row.id] { self->openAnalysis(id); });
    return entries;
}

} // namespace carousel::ui
