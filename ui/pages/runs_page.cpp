// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/runs_page.h"
#include "base/text.h"
#include "models/runs_model.h"
#include "models/text_table_model.h"
#include "session/run_selection.h"
#include "widgets/inspector.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>
#include <nlohmann/json.hpp>

namespace carousel::ui {

namespace {
using Json = nlohmann::json;

void flatten(const Json& value, const std::string& path, std::map<std::string, std::string>& out) {
    if (value.is_object()) {
        for (const auto& [key, child] : value.items())
            flatten(child, path.empty() ? key : path + "." + key, out);
    } else if (value.is_string()) {
        out[path] = value.get<std::string>();
    } else {
        out[path] = value.dump();
    }
}

// Notes of a run as lines, whatever their nesting.
QString noteLines(const std::string& json) {
    const auto parsed = Json::parse(json, nullptr, false);
    if (parsed.is_discarded())
        return qs(json);
    QStringList lines;
    if (parsed.is_object())
        for (const auto& note : parsed.value("notes", Json::array()))
            if (note.is_string())
                lines << qs(note.get<std::string>());
    std::map<std::string, std::string> flat;
    flatten(parsed, {}, flat);
    for (const auto& [key, value] : flat) {
        const auto number = parseNumber(value);
        if (key != "notes" && value != "[]" && value != "{}" && value != "null" && !(number && *number == 0))
            lines << QStringLiteral("%1: %2").arg(qs(key), number ? figures(*number) : qs(value));
    }
    return lines.join(QStringLiteral("\n\n"));
}
} // namespace

std::vector<QStringList> specificationDifferences(const std::vector<RunRow>& runs) {
    std::vector<std::map<std::string, std::string>> specifications;
    std::map<std::string, bool> keys;
    for (const auto& run : runs) {
        std::map<std::string, std::string> flat;
        if (const auto parsed = Json::parse(run.strategyJson, nullptr, false); !parsed.is_discarded())
            flatten(parsed, {}, flat);
        flat["data set"] = run.dataset;
        flat["data digest"] = run.datasetDigest;
        flat["split digest"] = run.splitDigest;
        for (const auto& [key, value] : flat)
            keys[key] = true;
        specifications.push_back(std::move(flat));
    }
    std::vector<QStringList> rows;
    for (const auto& [key, unused] : keys) {
        QStringList row{qs(key)};
        bool differs = false;
        for (const auto& specification : specifications) {
            const auto it = specification.find(key);
            const QString value = it == specification.end() ? QStringLiteral("–") : qs(it->second);
            differs = differs || (row.size() > 1 && value != row[1]);
            row << value;
        }
        if (differs)
            rows.push_back(row);
    }
    return rows;
}

RunsPage::RunsPage(Session& s)
    : Page(s, QStringLiteral("runs"), QStringLiteral("view-list-details"), tr("Runs"), tr("What was run, how far is it, and what did it find?")) {
    m_remove = addPageAction(QStringLiteral("edit-delete"), tr("Remove…"), tr("Remove the selected runs"), QKeySequence::Delete, Weight::secondary, [this] { removeSelected(); });
    m_resume = addPageAction(QStringLiteral("media-playback-start"), tr("Resume"), tr("Go on with the selected runs; finished users are not computed again"), QKeySequence(tr("Ctrl+R")),
                             Weight::secondary, [this] {
                                 std::vector<std::int64_t> open;
                                 for (const auto id : selected())
                                     if (const auto* run = m_model->run(id); run && run->state != RunState::complete)
                                         open.push_back(id);
                                 if (!open.empty())
                                     session().resumeRuns(open);
                             });
    m_compare = addPageAction(QStringLiteral("view-statistics"), tr("Compare"), tr("Compare the selected runs on the Metrics page"), QKeySequence(tr("Ctrl+Return")), Weight::primary, [this] { compare(); });

    auto* content = new QSplitter(Qt::Vertical);
    content->setChildrenCollapsible(false);
    auto* top = new QWidget;
    auto* column = new QVBoxLayout(top);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_filter = new QLineEdit;
    m_filter->setPlaceholderText(tr("Filter runs"));
    m_filter->setAccessibleName(tr("Filter runs"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(320);
    column->addWidget(m_filter);
    m_table = new QTableView;
    setUpTable(m_table, tr("Runs"));
    m_table->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_model = new RunsModel(this);
    m_proxy = new QSortFilterProxyModel(this);
    m_proxy->setSourceModel(m_model);
    m_proxy->setSortRole(RunsModel::SortRole);
    m_proxy->setFilterKeyColumn(-1);
    m_proxy->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_table->setModel(m_proxy);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(-1, Qt::AscendingOrder);
    column->addWidget(m_table, 1);
    content->addWidget(top);

    auto* bottom = new QWidget;
    auto* bottomColumn = new QVBoxLayout(bottom);
    bottomColumn->setContentsMargins(0, 8, 0, 0);
    bottomColumn->setSpacing(6);
    m_differenceTitle = textLabel({}, "heading");
    bottomColumn->addWidget(m_differenceTitle);
    m_differences = new QTableView;
    setUpTable(m_differences, tr("Settings that differ"));
    m_differenceModel = new TextTableModel(this);
    m_differences->setModel(m_differenceModel);
    bottomColumn->addWidget(m_differences, 1);
    content->addWidget(bottom);
    content->setStretchFactor(0, 3);
    content->setStretchFactor(1, 2);
    setContent(content);
    inspector().clear(tr("Select a run to see its particulars."));

    connect(m_filter, &QLineEdit::textChanged, m_proxy, &QSortFilterProxyModel::setFilterFixedString);
    connect(m_model, &RunsModel::tagEdited, this, [this](qint64 run, const QString& tag) { session().tagRun(run, tag); });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPage::followSelection);
    connect(m_table, &QTableView::doubleClicked, this, [this](const QModelIndex& index) {
        if (index.column() != RunsModel::Tag)
            compare();
    });
    connect(&s, &Session::runsChanged, this, &RunsPage::followRuns);
    connect(&s, &Session::projectChanged, this, [this] {
        m_asked.clear();
        m_sized = false;
        followRuns();
    });
    connect(&s.selection(), &RunSelection::comparisonChanged, this, [this] {
        if (const auto& comparison = session().selection().comparison())
            m_model->setMetrics(*comparison);
    });
    connect(&s.jobs(), &JobRunner::changed, this, &RunsPage::followSelection);
    followRuns();
}

std::vector<std::int64_t> RunsPage::selected() const {
    std::vector<std::int64_t> runs;
    auto rows = m_table->selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.row() < b.row(); });
    for (const auto& row : rows)
        runs.push_back(row.data(RunsModel::RunIdRole).toLongLong());
    return runs;
}

void RunsPage::followRuns() {
    if (!session().hasProject()) {
        m_model->setRuns({});
        state().showEmpty(icon(), tr("No project is open"), tr("Runs belong to a project. A sample project brings finished ones."),
                          {tr("Go to Home"), [this] { session().goTo(QStringLiteral("home")); }});
        return followSelection();
    }
    if (!session().loaded()) {
        state().showLoading(tr("Reading the project…"));
        return;
    }
    m_model->setRuns(session().runs());
    if (session().runs().empty()) {
        if (session().isRunningStudy())
            state().showLoading(tr("The first run is being prepared…"));
        else
            state().showEmpty(icon(), tr("Nothing has been run yet"), tr("Define strategies and press F5; runs appear here while they go."),
                              {tr("Go to Strategies"), [this] { session().goTo(QStringLiteral("strategies")); }});
        return followSelection();
    }
    const auto open = std::count_if(session().runs().begin(), session().runs().end(), [](const RunRow& run) { return run.state == RunState::interrupted; });
    state().setPartial(open && !session().isRunningStudy() ? tr("▲ %1 stopped before the end. Select and resume: finished users are not computed again.").arg(plural(open, tr("run"), tr("runs")))
                                                           : QString());
    state().showReady();
    if (!m_sized) {
        m_sized = true;
        fitColumns(m_table, 260);
        if (!m_table->selectionModel()->hasSelection()) { // the newest study, as the other pages show it
            QItemSelection rows;
            for (int row = 0; row < m_proxy->rowCount(); ++row)
                if (m_model->runs()[static_cast<std::size_t>(m_proxy->mapToSource(m_proxy->index(row, 0)).row())].study == session().runs().front().study)
                    rows.select(m_proxy->index(row, 0), m_proxy->index(row, RunsModel::ColumnCount - 1));
            m_table->selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect);
        }
    }
    readMetrics();
    followSelection();
}

void RunsPage::readMetrics() {
    if (session().isRunningStudy())
        return;
    for (const auto& run : session().runs()) {
        if (run.state != RunState::complete || m_model->hasMetrics(run.id) || m_asked.count(run.study))
            continue;
        m_asked.insert(run.study);
        std::vector<std::int64_t> ids;
        for (const auto& other : session().runs())
            if (other.study == run.study && other.state == RunState::complete)
                ids.push_back(other.id);
        m_busy = true;
        session().jobs().run<StudyComparison>(
            this, {tr("Metrics of %1").arg(qs(run.studyName)), Lane::quick, {}},
            [&s = session(), ids](const RunControl& control) { return s.workbench().compare(ids, control); },
            [this](JobRunner::Shared<StudyComparison> result) {
                m_busy = false;
                if (result)
                    m_model->setMetrics(**result);
                else
                    session().log().add(result.error());
                readMetrics();
            });
        return; // one after another
    }
}

void RunsPage::followSelection() {
    const auto ids = selected();
    std::vector<RunRow> rows;
    bool open = false, allComplete = !ids.empty();
    for (const auto id : ids)
        if (const auto* run = m_model->run(id)) {
            rows.push_back(*run);
            open = open || run->state == RunState::interrupted || run->state == RunState::failed;
            allComplete = allComplete && run->state == RunState::complete;
        }
    const bool writable = session().hasProject() && !session().readOnly() && !session().isRunningStudy();
    m_compare->setEnabled(allComplete);
    m_compare->setText(rows.size() > 1 ? tr("Compare %1 runs").arg(rows.size()) : tr("Compare"));
    m_resume->setEnabled(open && writable);
    m_remove->setEnabled(!ids.empty() && writable);

    QStringList columns{tr("setting")};
    for (const auto& run : rows)
        columns << qs(run.strategy);
    if (rows.size() > 1) {
        auto differences = specificationDifferences(rows);
        m_differenceTitle->setText(differences.empty() ? tr("These runs have the same settings") : tr("Settings that differ between the selected runs"));
        m_differenceModel->setTable(columns, std::move(differences));
    } else {
        m_differenceTitle->setText(rows.empty() ? tr("Select runs to see what tells them apart") : tr("Settings of the run"));
        std::vector<QStringList> all;
        if (!rows.empty()) {
            std::map<std::string, std::string> flat;
            if (const auto parsed = Json::parse(rows[0].strategyJson, nullptr, false); !parsed.is_discarded())
                flatten(parsed, {}, flat);
            for (const auto& [key, value] : flat)
                all.push_back({qs(key), qs(value)});
        }
        m_differenceModel->setTable(columns, std::move(all));
    }
    fitColumns(m_differences, 240);

    if (rows.empty())
        return inspector().clear(tr("Select a run to see its particulars."));
    const RunRow& run = rows.front();
    std::vector<InspectorRow> facts{
        {tr("state"), stateText(run.state)},      {tr("study"), qs(run.studyName)},          {tr("data set"), qs(run.dataset)},
        {tr("users"), tr("%1 of %2").arg(count(run.usersDone), count(run.usersTotal))},      {tr("started (UTC)"), qs(run.createdAt)},
        {tr("finished (UTC)"), qs(run.finishedAt)}, {tr("fingerprint"), qs(run.fingerprint)}, {tr("data digest"), qs(run.datasetDigest)},
        {tr("split digest"), qs(run.splitDigest)}};
    if (!run.error.empty())
        facts.push_back({tr("▲ why it failed"), qs(run.error)});
    if (!run.notesJson.empty())
        facts.push_back({tr("notes"), noteLines(run.notesJson)});
    inspector().showRows(rows.size() > 1 ? tr("%1 (first of %2)").arg(qs(run.strategy)).arg(rows.size()) : qs(run.strategy), facts);
}

void RunsPage::compare() {
    std::vector<std::int64_t> runs;
    for (const auto id : selected())
        if (const auto* run = m_model->run(id); run && run->state == RunState::complete)
            runs.push_back(id);
    if (runs.empty())
        return;
    std::sort(runs.begin(), runs.end()); // the order in which they were run, so that colours stay
    session().selection().select(runs);
    session().goTo(QStringLiteral("metrics"));
}

void RunsPage::removeSelected() {
    const auto runs = selected();
    if (runs.empty())
        return;
    QMessageBox box(QMessageBox::Warning, tr("Remove runs"), tr("Remove %1 and what they found? This cannot be undone.").arg(plural(static_cast<std::int64_t>(runs.size()), tr("run"), tr("runs"))),
                    QMessageBox::Cancel, this);
    box.setTextFormat(Qt::PlainText);
    QAbstractButton* remove = box.addButton(tr("Remove"), QMessageBox::DestructiveRole);
    box.exec();
    if (box.clickedButton() == remove)
        session().removeRuns(runs);
}

} // namespace carousel::ui
