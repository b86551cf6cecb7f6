// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/data_import.h"
#include "models/text_table_model.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QFrame>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
struct Looked {
    FileInspection inspection;
    TableMapping mapping;
};
constexpr int typingMs = 300;
} // namespace

DataImport::DataImport(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);

    auto* kinds = new QHBoxLayout;
    kinds->setSpacing(4);
    const QStringList names{tr("Known sample"), tr("RecBole folder"), tr("CSV or TSV"), tr("Open Bandit")};
    const QStringList tips{tr("A data set that the program knows"), tr("A folder with NAME.inter and, if there are, NAME.item, NAME.user and NAME.review"),
                           tr("Any table with a user and an item column"), tr("A folder of the Open Bandit data set")};
    for (int kind = 0; kind < names.size(); ++kind) {
        auto* button = new QToolButton;
        button->setText(names[kind]);
        button->setToolTip(tips[kind]);
        button->setProperty("kind", QStringLiteral("switch"));
        button->setCheckable(true);
        button->setAutoExclusive(true);
        connect(button, &QToolButton::clicked, this, [this, kind] { setKind(kind); });
        kinds->addWidget(button);
        m_kinds.push_back(button);
    }
    kinds->addStretch();
    column->addLayout(kinds);

    auto* form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(10);
    m_sample = new QComboBox;
    m_sample->setAccessibleName(tr("Sample"));
    for (const auto& sample : Session::samples())
        m_sample->addItem(sample.available ? sample.title : tr("%1 (files missing)").arg(sample.title), sample.id);
    m_sample->setMaximumWidth(420);
    m_sampleRow = m_sample;
    form->addRow(textLabel(tr("Sample")), m_sample);
    m_pathRow = new QWidget;
    auto* pathRow = new QHBoxLayout(m_pathRow);
    pathRow->setContentsMargins(0, 0, 0, 0);
    m_path = new QLineEdit;
    m_path->setAccessibleName(tr("File or folder"));
    auto* browse = new QPushButton(tr("Browse…"));
    pathRow->addWidget(m_path, 1);
    pathRow->addWidget(browse);
    m_pathRow->setMaximumWidth(760);
    form->addRow(textLabel(tr("File or folder")), m_pathRow);
    m_campaign = new QComboBox;
    m_campaign->addItems({QStringLiteral("all"), QStringLiteral("men"), QStringLiteral("women")});
    m_campaign->setAccessibleName(tr("Campaign"));
    m_campaign->setMaximumWidth(160);
    form->addRow(textLabel(tr("Campaign")), m_campaign);
    m_name = new QLineEdit;
    m_name->setAccessibleName(tr("Name in the project"));
    m_name->setMaximumWidth(420);
    form->addRow(textLabel(tr("Name in the project")), m_name);
    m_keepGoing = new QCheckBox(tr("Import what can be read, however many rows are rejected"));
    form->addRow(QString(), m_keepGoing);
    column->addLayout(form);

    m_problem = textLabel({}, "bad", true);
    column->addWidget(m_problem);
    m_facts = textLabel({}, "secondary", true);
    column->addWidget(m_facts);

    auto* middle = new QHBoxLayout;
    middle->setSpacing(24);
    m_roles = new QWidget;
    m_roles->setFixedWidth(360);
    m_roleForm = new QFormLayout(m_roles);
    m_roleForm->setContentsMargins(0, 0, 0, 0);
    m_roleForm->setVerticalSpacing(8);
    m_roleForm->addRow(textLabel(tr("Roles of the columns"), "heading"));
    m_user = role(tr("User"), tr("who"), false);
    m_item = role(tr("Item"), tr("what"), false);
    m_value = role(tr("Value"), tr("rating, price, seconds"), true);
    m_time = role(tr("Time"), tr("when"), true);
    m_eventKind = role(tr("Event kind"), tr("view, click, purchase…"), true);
    m_timeUnit = new QComboBox;
    m_timeUnit->addItems({QStringLiteral("auto"), QStringLiteral("s"), QStringLiteral("ms"), QStringLiteral("us"), QStringLiteral("iso")});
    m_timeUnit->setAccessibleName(tr("Unit of time"));
    m_roleForm->addRow(textLabel(tr("Unit of time")), m_timeUnit);
    m_constantKind = new QLineEdit;
    m_constantKind->setAccessibleName(tr("Event kind of all rows"));
    m_constantKind->setPlaceholderText(tr("rating with a value, else click"));
    m_roleForm->addRow(textLabel(tr("Kind of all rows")), m_constantKind);
    middle->addWidget(m_roles, 0, Qt::AlignTop);
    auto* right = new QVBoxLayout;
    right->addWidget(textLabel(tr("First rows"), "heading"));
    m_table = new QTableView;
    setUpTable(m_table, tr("First rows of the file"));
    m_preview = new TextTableModel(this);
    m_table->setModel(m_preview);
    right->addWidget(m_table, 1);
    middle->addLayout(right, 1);
    column->addLayout(middle, 1);

    auto* buttons = new QHBoxLayout;
    m_import = new QPushButton(tr("Import"));
    m_import->setProperty("kind", QStringLiteral("primary"));
    auto* cancel = new QPushButton(tr("Back to the data"));
    buttons->addWidget(m_import);
    buttons->addWidget(cancel);
    buttons->addStretch();
    column->addLayout(buttons);

    m_wait.setSingleShot(true);
    m_wait.setInterval(typingMs);
    connect(&m_wait, &QTimer::timeout, this, &DataImport::inspect);
    connect(browse, &QPushButton::clicked, this, &DataImport::browse);
    connect(m_path, &QLineEdit::textChanged, &m_wait, qOverload<>(&QTimer::start));
    connect(m_sample, &QComboBox::currentIndexChanged, this, &DataImport::inspect);
    connect(m_name, &QLineEdit::textEdited, this, [this] { m_nameTouched = true; });
    connect(m_name, &QLineEdit::textChanged, this, &DataImport::updateRoles);
    for (auto* box : {m_user, m_item})
        connect(box, &QComboBox::currentIndexChanged, this, &DataImport::updateRoles);
    connect(m_import, &QPushButton::clicked, this, &DataImport::start);
    connect(cancel, &QPushButton::clicked, this, &DataImport::closed);
    setKind(Sample);
}

QComboBox* DataImport::role(const QString& label, const QString& help, bool optional) {
    auto* box = new QComboBox;
    box->setAccessibleName(tr("Column for %1").arg(label.toLower()));
    box->setToolTip(help);
    box->setProperty("optional", optional);
    m_roleForm->addRow(textLabel(label), box);
    return box;
}

void DataImport::setKind(int kind) {
    m_kind = kind;
    m_kinds[static_cast<std::size_t>(kind)]->setChecked(true);
    auto* form = qobject_cast<QFormLayout*>(layout()->itemAt(1)->layout());
    form->setRowVisible(m_sampleRow, kind == Sample);
    form->setRowVisible(m_pathRow, kind != Sample);
    form->setRowVisible(m_campaign, kind == Bandit);
    m_path->setPlaceholderText(kind == Table ? tr("a .csv or .tsv file") : kind == RecBole ? tr("a folder with a .inter file") : tr("the folder with random/ and bts/"));
    m_nameTouched = false;
    inspect();
}

void DataImport::setPath(const QString& path) {
    const QFileInfo info(path);
    setKind(info.isDir() ? (QFileInfo::exists(path + QStringLiteral("/bts")) ? Bandit : RecBole) : path.endsWith(QLatin1String(".inter")) ? RecBole : Table);
    m_path->setText(path);
    m_wait.stop();
    inspect();
}

void DataImport::browse() {
    const QString path = m_kind == Table ? QFileDialog::getOpenFileName(this, tr("Choose a table"), {}, tr("Tables (*.csv *.tsv *.txt *.csv.gz *.tsv.gz);;All files (*)"))
                                         : QFileDialog::getExistingDirectory(this, tr("Choose a folder"));
    if (!path.isEmpty())
        m_path->setText(path);
}

void DataImport::inspect() {
    m_ready = false;
    m_problem->setText({});
    m_facts->setText({});
    m_preview->setTable({}, {});
    m_roles->setVisible(m_kind == Table);
    QString path = m_path->text().trimmed(), id = QFileInfo(path).completeBaseName();
    if (m_kind == Sample) {
        for (const auto& sample : Session::samples())
            if (sample.id == m_sample->currentData().toString()) {
                path = qs(sample.path);
                id = sample.id;
                if (!sample.available)
                    m_problem->setText(tr("▲ The files of this sample are not in %1. The script packaging/run.sh fetches them.").arg(sample.source));
            }
    }
    if (!m_nameTouched)
        m_name->setText(id);
    updateRoles();
    if (path.isEmpty() || (m_kind == Sample && !m_problem->text().isEmpty()))
        return;
    if (!QFileInfo::exists(path)) {
        m_problem->setText(tr("▲ There is nothing at %1.").arg(path));
        return;
    }
    m_busy = true;
    m_facts->setText(tr("looking at the first rows…"));
    m_session.jobs().run<Looked>(
        this, {tr("Inspecting"), Lane::quick, QStringLiteral("inspect")},
        [file = ss(path), table = m_kind == Table](const RunControl&) -> Result<Looked> {
            Looked looked;
            CAROUSEL_ASSIGN(looked.inspection, inspectFile(file));
            if (table) {
                CAROUSEL_ASSIGN(looked.mapping, guessMapping(file));
            }
            return looked;
        },
        [this](JobRunner::Shared<Looked> result) {
            m_busy = false;
            m_facts->setText({});
            if (result)
                return showInspection((*result)->inspection, (*result)->mapping);
            m_problem->setText(qs("▲ " + describe(result.error())));
        });
}

void DataImport::showInspection(const FileInspection& inspection, const TableMapping& mapping) {
    m_guess = mapping;
    QStringList columns;
    for (std::size_t i = 0; i < inspection.columns.size(); ++i)
        columns << (i < inspection.guessedTypes.size() && !inspection.guessedTypes[i].empty() ? qs(inspection.columns[i] + "  (" + inspection.guessedTypes[i] + ")")
                                                                                              : qs(inspection.columns[i]));
    std::vector<QStringList> rows;
    for (const auto& row : inspection.firstRows) {
        QStringList cells;
        for (const auto& cell : row)
            cells << qs(cell);
        rows.push_back(cells);
    }
    m_preview->setTable(columns, std::move(rows));
    fitColumns(m_table, 220);
    QStringList facts{tr("Read as %1.").arg(qs(inspection.format))};
    for (const auto& note : inspection.notes)
        facts << qs(note);
    m_facts->setText(facts.join(QLatin1Char(' ')));
    if (m_kind == Table) {
        const std::pair<QComboBox*, const std::string*> roles[] = {
            {m_user, &mapping.user}, {m_item, &mapping.item}, {m_value, &mapping.value}, {m_time, &mapping.time}, {m_eventKind, &mapping.kind}};
        for (const auto& [box, guess] : roles) {
            const QSignalBlocker block(box);
            box->clear();
            box->addItem(box->property("optional").toBool() ? tr("– none –") : tr("– choose –"), QString());
            for (const auto& name : inspection.columns)
                box->addItem(qs(name), qs(name));
            box->setCurrentIndex(std::max(0, box->findData(qs(*guess))));
        }
        m_timeUnit->setCurrentText(qs(mapping.timeUnit));
        m_constantKind->setText(qs(mapping.constantKind));
    }
    m_ready = true;
    updateRoles();
}

TableMapping DataImport::mapping() const {
    TableMapping mapping = m_guess;
    mapping.user = ss(m_user->currentData().toString());
    mapping.item = ss(m_item->currentData().toString());
    mapping.value = ss(m_value->currentData().toString());
    mapping.time = ss(m_time->currentData().toString());
    mapping.kind = ss(m_eventKind->currentData().toString());
    mapping.timeUnit = ss(m_timeUnit->currentText());
    mapping.constantKind = ss(m_constantKind->text().trimmed());
    // A column has one role: what is now user, item, value, time or kind is no attribute.
    const auto used = [&](const std::string& field) {
        return field == mapping.user || field == mapping.item || field == mapping.value || field == mapping.time || field == mapping.kind;
    };
    std::erase_if(mapping.itemFields, used);
    std::erase_if(mapping.userFields, used);
    return mapping;
}

Workbench::ImportRequest DataImport::request() const {
    static const char* const kinds[] = {"", "recbole", "csv", "open-bandit"};
    Workbench::ImportRequest request;
    request.kind = kinds[m_kind];
    request.path = ss(m_path->text().trimmed());
    request.campaign = ss(m_campaign->currentText());
    if (m_kind == Sample)
        for (const auto& sample : Session::samples())
            if (sample.id == m_sample->currentData().toString()) {
                request.kind = ss(sample.kind);
                request.path = sample.path;
            }
    if (m_kind == Table)
        request.mapping = mapping();
    request.name = ss(m_name->text().trimmed());
    request.limits.keepGoing = m_keepGoing->isChecked();
    return request;
}

void DataImport::updateRoles() {
    const bool roles = m_kind != Table || (!m_user->currentData().toString().isEmpty() && !m_item->currentData().toString().isEmpty() &&
                                           m_user->currentData() != m_item->currentData());
    m_import->setEnabled(m_ready && roles && !m_name->text().trimmed().isEmpty() && m_session.hasProject() && !m_session.readOnly());
    m_import->setToolTip(!roles ? tr("Choose a user and an item column first.") : m_session.readOnly() ? tr("This project is open for reading only.") : tr("Import into the project"));
}

void DataImport::start() {
    m_import->setEnabled(false);
    m_session.importData(request(), [this](const Result<ImportReport>& result) {
        updateRoles();
        if (result)
            Q_EMIT closed();
        else
            m_problem->setText(qs("▲ " + describe(result.error())));
    });
}

} // namespace carousel::ui
