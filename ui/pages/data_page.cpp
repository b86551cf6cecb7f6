// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/data_page.h"
#include "models/text_table_model.h"
#include "pages/data_import.h"
#include "pages/data_overview.h"
#include "pages/data_split.h"
#include "pages/data_tables.h"
#include "widgets/inspector.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTableView>
#include <QUrl>
#include <QVBoxLayout>

namespace carousel::ui {

DataPage::DataPage(Session& s)
    : Page(s, QStringLiteral("data"), QStringLiteral("server-database"), tr("Data"), tr("What do we know about users, items and what was shown, and what can it support?")) {
    m_removeAction = addPageAction(QStringLiteral("edit-delete"), tr("Remove…"), tr("Remove this data set from the project"), {}, Weight::secondary, [this] { removeCurrent(); });
    m_importAction = addPageAction(QStringLiteral("document-import"), tr("Import data"), tr("Bring a data set into the project"), QKeySequence(tr("Ctrl+I")), Weight::primary,
                                   [this] { showImport(true); });
    m_choice = new QComboBox;
    m_choice->setAccessibleName(tr("Data set"));
    m_choice->setToolTip(tr("The data set shown on this page"));
    m_choice->setMinimumWidth(200);
    addHeaderWidget(m_choice);

    m_stack = new QStackedWidget;
    m_tabs = new QTabWidget;
    m_tabs->setDocumentMode(true);
    m_tabs->tabBar()->setAccessibleName(tr("Views of the data"));
    m_overview = new DataOverview;
    m_tables = new DataTables(s);
    m_split = new DataSplit(s);
    m_tabs->addTab(m_overview, tr("Overview"));
    m_tabs->addTab(m_tables, tr("Tables"));
    m_tabs->addTab(m_split, tr("Split"));
    m_tabs->addTab(makeReport(), tr("Import report"));
    m_stack->addWidget(m_tabs);
    m_import = new DataImport(s);
    m_stack->addWidget(m_import);
    setContent(m_stack);
    inspector().clear(tr("Select a row of a table to see all of it."));
    inspector().hide();
    setAcceptDrops(true);

    connect(m_tables, &DataTables::rowSelected, this, [this](const QString& heading, const QStringList& names, const QStringList& values) {
        std::vector<InspectorRow> rows;
        for (qsizetype i = 0; i < names.size(); ++i)
            rows.push_back({names[i], values[i]});
        inspector().showRows(heading, rows);
    });
    connect(m_tabs, &QTabWidget::currentChanged, this, [this](int tab) { inspector().setVisible(tab == 1 && m_stack->currentIndex() == 0); });
    connect(m_import, &DataImport::closed, this, [this] { showImport(false); });
    connect(m_choice, &QComboBox::activated, this, [this] { showDataset(m_choice->currentData().toString()); });
    connect(&s, &Session::datasetsChanged, this, &DataPage::followDatasets);
    connect(&s, &Session::projectChanged, this, [this] {
        m_shown.clear();
        m_stack->setCurrentIndex(0);
        followDatasets();
    });
    connect(&s, &Session::imported, this, [this](const QString& name) {
        m_shown.clear();
        m_choice->setProperty("wanted", name);
    });
    connect(&s, &Session::showItemWanted, this, [this](const QString& text) {
        m_tabs->setCurrentIndex(1);
        m_tables->showKind(TableKind::items);
        m_tables->setFilter(text);
    });
    followDatasets();
}

bool DataPage::isBusy() const { return m_loading || m_tables->isBusy() || m_split->isBusy() || m_import->isBusy(); }

QWidget* DataPage::makeReport() {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 12, 0, 0);
    column->setSpacing(8);
    m_reportText = textLabel({}, "secondary", true);
    column->addWidget(m_reportText);
    const auto table = [&](const QString& heading, TextTableModel*& model, int height) {
        column->addWidget(textLabel(heading, "heading"));
        auto* view = new QTableView;
        setUpTable(view, heading);
        model = new TextTableModel(this);
        view->setModel(model);
        connect(model, &QAbstractItemModel::modelReset, view, [view] { fitColumns(view, 480); });
        if (height)
            view->setFixedHeight(height);
        column->addWidget(view, height ? 0 : 1);
    };
    table(tr("Rows"), m_reportModel, 200);
    table(tr("Files"), m_sourcesModel, 130);
    table(tr("Rejected rows (the first 20)"), m_rejectsModel, 0);
    return page;
}

void DataPage::followDatasets() {
    const auto& rows = session().datasets();
    const QString wanted = m_choice->property("wanted").toString();
    const QString before = !wanted.isEmpty() ? wanted : m_choice->currentData().toString();
    m_choice->clear();
    for (const auto& row : rows)
        m_choice->addItem(qs(row.title.empty() ? row.name : row.title), qs(row.name));
    m_choice->setVisible(rows.size() > 0);
    m_importAction->setEnabled(session().hasProject() && !session().readOnly());
    m_removeAction->setEnabled(!rows.empty() && !session().readOnly());
    if (!session().hasProject()) {
        state().showEmpty(icon(), tr("No project is open"), tr("Data lives in a project, one file. Open a sample, or create a project and import your own."),
                          {tr("Go to Home"), [this] { session().goTo(QStringLiteral("home")); }});
        return;
    }
    if (!session().loaded())
        return state().showLoading(tr("Reading the project…"));
    if (rows.empty()) {
        m_shown.clear();
        if (m_stack->currentIndex() == 1)
            return state().showReady();
        state().showEmpty(icon(), tr("No data in this project yet"),
                          tr("Import a sample, RecBole files, the Open Bandit logs, or any CSV or TSV with a user and an item column. Files can also be dropped here."),
                          {tr("Import data"), [this] { showImport(true); }});
        return;
    }
    const int at = std::max(0, m_choice->findData(before));
    m_choice->setCurrentIndex(at);
    m_choice->setProperty("wanted", QVariant());
    showDataset(m_choice->itemData(at).toString());
}

void DataPage::showDataset(const QString& name) {
    if (name == m_shown || name.isEmpty())
        return;
    m_shown = name;
    m_loading = true;
    if (m_stack->currentIndex() == 0)
        state().showLoading(tr("Loading %1…").arg(name));
    session().jobs().run<Loaded>(
        this, {tr("Loading %1").arg(name), Lane::quick, QStringLiteral("dataset")},
        [&s = session(), id = ss(name)](const RunControl& control) -> Result<Loaded> {
            Loaded loaded;
            CAROUSEL_ASSIGN(loaded.dataset, s.workbench().dataset(id, control));
            loaded.badges = badges(*loaded.dataset);
            CAROUSEL_ASSIGN(loaded.statistics, datasetStatistics(*loaded.dataset, control));
            CAROUSEL_ASSIGN(loaded.report, s.workbench().store().importReport(id));
            return loaded;
        },
        [this, name](JobRunner::Shared<Loaded> result) {
            m_loading = false;
            if (result)
                return display(**result);
            m_shown.clear();
            state().showFailed(result.error(), {tr("Try again"), [this, name] { showDataset(name); }});
        });
}

void DataPage::display(const Loaded& loaded) {
    m_overview->showDataset(*loaded.dataset, loaded.badges, loaded.statistics);
    m_tables->showDataset(loaded.dataset);
    m_split->showDataset(loaded.dataset);
    showReport(loaded);
    state().setPartial(loaded.report.rowsRejected > 0 ? tr("▲ %1 rows were rejected at the import; the report says which and why.").arg(count(loaded.report.rowsRejected)) : QString());
    state().showReady();
}

void DataPage::showReport(const Loaded& loaded) {
    const auto& r = loaded.report;
    m_reportText->setText(tr("Imported in %1.").arg(duration(r.seconds)) +
                          (r.rowsRejected == 0 ? QStringLiteral(" ") + tr("● every row could be read.") : QStringLiteral(" ") + tr("▲ %1 rows were rejected.").arg(count(r.rowsRejected))));
    std::vector<QStringList> rows{{tr("rows read"), count(r.rowsRead)}, {tr("rows kept"), count(r.rowsKept)}, {tr("rows rejected"), count(r.rowsRejected)}, {tr("duplicates"), count(r.duplicates)}};
    if (r.firstTime != noTime)
        rows.push_back({tr("time range (UTC)"), dayText(r.firstTime) + QStringLiteral(" – ") + dayText(r.lastTime)});
    for (const auto& [reason, number] : r.rejectReasons)
        rows.push_back({tr("rejected: %1").arg(qs(reason)), count(number)});
    for (const auto& warning : r.warnings)
        rows.push_back({tr("▲ warning"), qs(warning)});
    m_reportModel->setTable({tr("what"), tr("value")}, std::move(rows));
    std::vector<QStringList> files;
    for (const auto& source : loaded.dataset->sources)
        files.push_back({qs(source.name), count(source.bytes), count(source.rowsRead), count(source.rowsKept), qs(source.importer), qs(source.sha256)});
    m_sourcesModel->setTable({tr("file"), tr("bytes"), tr("rows read"), tr("rows kept"), tr("importer"), tr("SHA-256")}, std::move(files), {false, true, true, true});
    std::vector<QStringList> rejects;
    for (const auto& issue : r.rejects)
        rejects.push_back({qs(issue.file), count(issue.line), qs(issue.reason), qs(issue.rawText)});
    m_rejectsModel->setTable({tr("file"), tr("line"), tr("reason"), tr("as it stands in the file")}, std::move(rejects), {false, true});
}

void DataPage::showImport(bool shown) {
    m_stack->setCurrentIndex(shown ? 1 : 0);
    inspector().setVisible(!shown && m_tabs->currentIndex() == 1);
    if (shown)
        state().showReady();
    else
        followDatasets();
}

void DataPage::removeCurrent() {
    const QString name = m_choice->currentData().toString();
    QMessageBox box(QMessageBox::Warning, tr("Remove data set"), tr("Remove '%1' from the project? Its source files stay where they are; runs that use it must be removed first.").arg(name),
                    QMessageBox::Cancel, this);
    box.setTextFormat(Qt::PlainText);
    QAbstractButton* remove = box.addButton(tr("Remove"), QMessageBox::DestructiveRole);
    box.exec();
    if (box.clickedButton() != remove)
        return;
    m_shown.clear();
    session().removeDataset(name);
}

void DataPage::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls() && session().hasProject() && !session().readOnly())
        event->acceptProposedAction();
}

void DataPage::dropEvent(QDropEvent* event) {
    for (const auto& url : event->mimeData()->urls())
        if (url.isLocalFile()) {
            showImport(true);
            m_import->setPath(url.toLocalFile());
            return;
        }
}

} // namespace carousel::ui
