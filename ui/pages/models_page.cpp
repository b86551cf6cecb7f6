// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/models_page.h"
#include "base/machine.h"
#include "llm/measure_model.h"
#include "llm/model_memory.h"
#include "models/shelf_table_model.h"
#include "pages/servers_panel.h"
#include "session/compute_setting.h"
#include "session/model_list.h"
#include "theme/theme.h"
#include "widgets/inspector.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QTabWidget>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
QString percent(double share) { return QStringLiteral("%1%2 %").arg(share >= 0 ? QStringLiteral("+") : QStringLiteral("−"), figures(100 * std::fabs(share))); }

void addMemory(std::vector<InspectorRow>& rows, const ModelCard& card, const std::string& type, const AutomaticTypes& automatic) {
    const auto numbers = computesIn(card, type, automatic);
    const auto need = memoryNeeded(card, numbers, usualContextTokens);
    QString text = QObject::tr("%1 in %2\nweights %3").arg(sizeText(need.total()), qs(numbers) + (type == "auto" ? QStringLiteral(" (auto)") : QString()), sizeText(need.weights));
    if (need.keysAndValues > 0)
        text += QObject::tr("\nkeys and values %1 for %2 tokens").arg(sizeText(need.keysAndValues), count(need.contextTokens));
    text += QObject::tr("\nworking space %1\ntokenizer and plans %2\nbeside %3 for LibTorch").arg(sizeText(need.activations), sizeText(need.tables), sizeText(libraryBytes));
    rows.push_back({QObject::tr("memory needed"), text});
}

void addSpeeds(std::vector<InspectorRow>& rows, const ModelStatus& status) {
    const std::string here = processorName();
    if (!speedOn(status.speeds, here, {}))
        rows.push_back({QObject::tr("speed here"), QObject::tr("not measured on this processor")});
    for (const auto& record : status.speeds) {
        QString text = QObject::tr("%1\nmedian of %2, %3 to %4\n%5 of about %6 tokens").arg(speedText(record)).arg(record.runs).arg(figures(record.slowest), figures(record.fastest))
                           .arg(record.candidates).arg(record.candidateTokens);
        if (record.candidatesPerSecond > 0)
            text += QObject::tr(" behind %1 tokens").arg(record.promptTokens);
        text += QObject::tr("\n%1, %2, %3\n%4").arg(qs(record.device), plural(record.threads, QObject::tr("thread"), QObject::tr("threads")), qs(record.processor), qs(record.date));
        if (record.residentBytes > 0)
            text += QObject::tr("\nmemory taken %1; worked out %2 (%3)").arg(sizeText(record.residentBytes), sizeText(record.expectedBytes), percent(memoryError(record)));
        rows.push_back({record.processor == here ? QObject::tr("speed here") : QObject::tr("speed on another machine"), text});
    }
}

QString whatToDo(const ModelStatus& status) {
    switch (status.state) {
    case ModelState::ready: return {};
    case ModelState::notAdded: return QObject::tr("Add its file: it is checked and listed then.");
    case ModelState::refused: return QObject::tr("Remove it and add its file again.");
    default: return status.model.known ? QObject::tr("The script packaging/run.sh fetches it again.") : QObject::tr("Put the file back, or remove the model and add it again.");
    }
}
} // namespace

ModelsPage::ModelsPage(Session& s)
    : Page(s, QStringLiteral("models"), QStringLiteral("package"), tr("Models"),
           tr("Which language models are on this machine, what do they need, and how fast are they here?")) {
    m_remove = addPageAction(QStringLiteral("edit-delete"), tr("Remove…"), tr("Take the selected models off the shelf"), QKeySequence::Delete, Weight::secondary, [this] { removeSelected(); });
    m_measure = addPageAction(QStringLiteral("chronometer"), tr("Measure speed"), tr("Let the selected model work for some seconds on the device chosen in the title bar"), QKeySequence(tr("Ctrl+M")),
                              Weight::secondary, [this] {
                                  for (const auto& id : selected())
                                      session().models().measure(id);
                              });
    m_check = addPageAction(QStringLiteral("dialog-ok-apply"), tr("Check"), tr("Compare the selected models, or all, with their SHA-256"), QKeySequence(tr("Ctrl+R")), Weight::secondary, [this] { checkSelected(); });
    m_addFolder = addPageAction(QStringLiteral("folder-open"), tr("Add folder…"), tr("Add a folder with safetensors, config.json and the tokenizer's files"), QKeySequence(tr("Ctrl+Shift+I")), Weight::secondary,
                                [this] { chooseFolder(); });
    m_addFile = addPageAction(QStringLiteral("list-add"), tr("Add file…"), tr("Check a model file from end to end and put it on the shelf"), QKeySequence(tr("Ctrl+I")), Weight::primary, [this] { chooseFile(); });

    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 8, 0, 0);
    column->setSpacing(8);
    column->addWidget(makeNotice());
    m_table = new QTableView;
    setUpTable(m_table, tr("Models"));
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_model = new ShelfTableModel(this);
    m_proxy = new QSortFilterProxyModel(this);
    m_proxy->setSourceModel(m_model);
    m_proxy->setSortRole(ShelfTableModel::SortRole);
    m_table->setModel(m_proxy);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(-1, Qt::AscendingOrder);
    m_table->horizontalHeader()->setStretchLastSection(true);
    column->addWidget(m_table, 1);
    m_foot = textLabel({}, "caption", true);
    column->addWidget(m_foot);
    m_tabs = new QTabWidget;
    m_tabs->setAccessibleName(tr("Where models are"));
    m_tabs->tabBar()->setAccessibleName(tr("Where models are"));
    m_tabs->setDocumentMode(true);
    m_tabs->addTab(content, tr("On this machine"));
    m_servers = new ServersPanel(s);
    m_tabs->addTab(m_servers, tr("On servers"));
    connect(m_tabs, &QTabWidget::currentChanged, this, [this] {
        if (m_tabs->currentWidget() == m_servers)
            m_servers->readOnce();
        inspector().setVisible(m_tabs->currentWidget() != m_servers); // it tells of the selected model
        follow();
    });
    setContent(m_tabs);
    setAcceptDrops(true);
    inspector().clear(tr("Select a model to see its particulars."));

    auto& models = s.models();
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ModelsPage::followSelection);
    connect(&models, &ModelList::changed, this, &ModelsPage::follow);
    connect(&models, &ModelList::added, this, [this](const QString& id) {
        m_wanted = id;
        tell(tr("● Added %1. Strategies can use it now.").arg(id), false);
    });
    connect(&models, &ModelList::refused, this, [this](const QString& path, const Error& error) {
        tell(tr("▲ %1 was not added. %2\nWhat to do: %3 (%4)").arg(QFileInfo(path).fileName(), qs(error.message), qs(error.hint), qs(error.code)), true);
    });
    connect(&models, &ModelList::measureFailed, this, [this](const QString& id, const Error& error) {
        tell(tr("▲ %1 was not measured. %2\nWhat to do: %3 (%4)").arg(id, qs(error.message), qs(error.hint), qs(error.code)), true);
    });
    connect(&models, &ModelList::checked, this, [this](int sound, int damaged) {
        if (damaged)
            tell(tr("▲ %1 of %2 checked models cannot be used; the last column says why.").arg(damaged).arg(sound + damaged), true);
        else
            tell(tr("● %1: every file has its SHA-256.").arg(plural(sound, tr("model"), tr("models"))), false);
    });
    const auto followCompute = [this] {
        m_model->setComputeType(ss(session().compute().type()), session().compute().automatic());
        followSelection();
    };
    connect(&s.compute(), &ComputeSetting::changed, this, followCompute);
    connect(&s.compute(), &ComputeSetting::known, this, followCompute);
    connect(&s.jobs(), &JobRunner::changed, this, &ModelsPage::followSelection);
    m_model->setComputeType(ss(s.compute().type()), s.compute().automatic());
    follow();
}

QWidget* ModelsPage::makeNotice() {
    m_notice = new QFrame;
    auto* row = new QHBoxLayout(m_notice);
    row->setContentsMargins(12, 6, 6, 6);
    m_noticeText = textLabel({}, "", true);
    m_noticeText->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addWidget(m_noticeText, 1);
    auto* close = new QToolButton;
    close->setIcon(Theme::icon(QStringLiteral("window-close")));
    close->setAccessibleName(tr("Dismiss the message"));
    close->setToolTip(tr("Dismiss"));
    connect(close, &QToolButton::clicked, m_notice, &QWidget::hide);
    row->addWidget(close, 0, Qt::AlignTop);
    m_notice->hide();
    return m_notice;
}

void ModelsPage::tell(const QString& text, bool bad) {
    setRole(m_notice, "card", bad ? QStringLiteral("bad") : QStringLiteral("true"));
    setRole(m_noticeText, "role", bad ? QStringLiteral("bad") : QStringLiteral("good"));
    m_noticeText->setText(text);
    m_notice->show();
}

void ModelsPage::entered() {
    session().models().read(); // files may have come or gone while another page was shown
}

bool ModelsPage::isBusy() const { return session().models().isReading() || m_servers->isBusy(); }

bool ModelsPage::showTab(const QString& name) {
    if (name != QLatin1String("shelf") && name != QLatin1String("servers"))
        return false;
    m_tabs->setCurrentIndex(name == QLatin1String("servers") ? 1 : 0);
    return true;
}

QList<PaletteEntry> ModelsPage::paletteEntries() const {
    auto entries = Page::paletteEntries();
    entries << PaletteEntry{QStringLiteral("action"), tr("Servers with language models"), title(), {}, [self = const_cast<ModelsPage*>(this)] {
                                self->session().goTo(self->id());
                                self->showTab(QStringLiteral("servers"));
                            }};
    return entries;
}

std::vector<std::string> ModelsPage::selected() const {
    std::vector<std::string> ids;
    auto rows = m_table->selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.row() < b.row(); });
    for (const auto& row : rows)
        ids.push_back(ss(row.data(ShelfTableModel::IdRole).toString()));
    return ids;
}

void ModelsPage::select(const QString& id) {
    for (int row = 0; row < m_proxy->rowCount(); ++row)
        if (m_proxy->index(row, 0).data(ShelfTableModel::IdRole).toString() == id) {
            // Not selectRow(): that asks which keys are held down, and Ctrl of a shortcut would take the row out again.
            m_table->selectionModel()->setCurrentIndex(m_proxy->index(row, 0), QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
            m_table->scrollTo(m_proxy->index(row, 0));
        }
}

void ModelsPage::follow() {
    const auto& list = session().models();
    if (list.error()) {
        state().showFailed(*list.error(), {tr("Look again"), [this] { session().models().read(); }});
        return followSelection();
    }
    if (!list.isRead()) {
        state().showLoading(tr("Looking at the model shelf…"));
        return followSelection();
    }
    const auto before = selected();
    m_model->setModels(list.models());
    m_foot->setText(tr("Shelf: %1. This processor: %2.").arg(qs(ModelShelf().folder()), qs(processorName())));
    const auto& all = list.models();
    const auto usable = std::count_if(all.begin(), all.end(), [](const ModelStatus& status) { return status.state == ModelState::ready; });
    if (m_tabs->currentWidget() == m_servers)
        state().setPartial({}); // what is wrong on the shelf is said there
    else if (all.empty() || (usable == 0 && std::all_of(all.begin(), all.end(), [](const ModelStatus& status) { return status.model.known && status.state == ModelState::missing; })))
        state().setPartial(tr("▲ No model is on this machine yet. The script packaging/run.sh fetches the two that the program knows; Add file… takes any that you have."));
    else
        state().setPartial(troubles());
    state().showReady();
    if (!m_sized && m_proxy->rowCount() > 0) {
        m_sized = true;
        fitTable();
    }
    if (!m_wanted.isEmpty() && list.find(ss(m_wanted))) {
        fitTable();
        select(m_wanted);
        m_wanted.clear();
    } else if (selected().empty()) {
        for (const auto& id : before)
            select(qs(id));
        if (selected().empty() && m_proxy->rowCount() > 0)
            select(m_proxy->index(0, 0).data(ShelfTableModel::IdRole).toString());
    }
    followSelection();
}

// What cannot be used and why, in words: the table's last column may be out of sight.
QString ModelsPage::troubles() const {
    QStringList lines;
    for (const auto& status : session().models().models())
        if (status.state != ModelState::ready && !(status.model.known && status.state == ModelState::missing)) {
            QString why = qs(status.detail);
            if (why.endsWith(QLatin1Char('.')))
                why.chop(1);
            lines << tr("▲ %1 cannot be used: %2.").arg(qs(status.model.id), why);
        }
    constexpr qsizetype mostLines = 3;
    if (lines.size() > mostLines) {
        const auto more = lines.size() - mostLines;
        lines = lines.mid(0, mostLines);
        lines << tr("and %1 more; the last column says why").arg(more);
    }
    return lines.join(QLatin1Char('\n'));
}

// The columns that everybody looks at fit beside the inspector; the last one takes what is left, or is scrolled to.
void ModelsPage::fitTable() {
    fitColumns(m_table, 180);
    m_table->setColumnWidth(ShelfTableModel::Use, 66);
}

void ModelsPage::followSelection() {
    const bool shelf = m_tabs->currentWidget() != m_servers;
    for (auto* action : {m_addFile, m_addFolder, m_check, m_measure, m_remove})
        action->setVisible(shelf);
    const auto ids = selected();
    const auto& list = session().models();
    bool removable = !ids.empty(), usable = !ids.empty();
    for (const auto& id : ids)
        if (const auto* status = list.find(id)) {
            removable = removable && !status->model.known && status->state != ModelState::notAdded;
            usable = usable && status->state == ModelState::ready;
        }
    m_remove->setEnabled(removable);
    m_remove->setToolTip(removable || ids.empty() ? tr("Take the selected models off the shelf (Del)") : tr("Only models that were added can be removed; those the program knows stay on the list"));
    m_measure->setEnabled(usable);
    m_check->setText(ids.empty() ? tr("Check all") : tr("Check"));
    m_check->setEnabled(list.isRead());
    const ModelStatus* status = ids.empty() ? nullptr : list.find(ids.front());
    if (!status)
        return inspector().clear(tr("Select a model to see its particulars."));
    const auto& card = status->model;
    std::vector<InspectorRow> rows{{tr("state"), modelStateText(*status)}};
    if (!status->detail.empty())
        rows.push_back({tr("▲ why it cannot be used"), qs(status->detail)});
    if (const QString step = whatToDo(*status); !step.isEmpty())
        rows.push_back({tr("what to do"), step});
    rows.push_back({tr("name in strategies"), qs(card.id)});
    if (!card.format.empty()) {
        const auto& d = card.dimensions;
        rows.push_back({tr("kind"), qs(card.purpose)});
        if (!card.chat.empty())
            rows.push_back({tr("chat form"), qs(card.chat)});
        rows.push_back({tr("architecture"), tr("%1, %2 parameters\n%3 blocks of width %4, %5 heads\nvocabulary of %6").arg(qs(card.architecture), count(d.parameters)).arg(d.blocks).arg(d.width).arg(d.heads).arg(count(d.vocabulary))});
        rows.push_back({tr("format"), tr("%1, weights mostly %2").arg(qs(card.format), qs(card.quantisation))});
        rows.push_back({tr("longest prompt"), tr("%1 tokens").arg(count(d.contextLength))});
        rows.push_back({tr("licence"), card.licence == "not stated" ? tr("not stated in the file") : qs(card.licence)});
        if (d.parameters > 0)
            addMemory(rows, card, ss(session().compute().type()), session().compute().automatic());
        addSpeeds(rows, *status);
        for (const auto& file : card.files) {
            rows.push_back({tr("%1, %2, SHA-256").arg(qs(file.name), sizeText(file.bytes)), qs(file.sha256)});
        }
        rows.push_back({tr("folder"), qs(status->folder)});
    }
    if (!card.added.empty())
        rows.push_back({tr("added"), tr("%1\nfrom %2").arg(qs(card.added), qs(card.from))});
    if (!card.link.empty())
        rows.push_back({tr("link"), tr("The files stay at %1 and are not copied.").arg(qs(card.link))});
    if (card.known)
        rows.push_back({tr("origin"), tr("known to the program: its SHA-256 is pinned")});
    const QString title = qs(card.title.empty() ? card.id : card.title);
    inspector().showRows(ids.size() > 1 ? tr("%1 (first of %2)").arg(title).arg(ids.size()) : title, rows);
}

void ModelsPage::chooseFile() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Add a model"), {}, tr("Model files (*.gguf *.safetensors);;All files (*)"));
    if (!file.isEmpty())
        session().models().add(file);
}

void ModelsPage::chooseFolder() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Add a model folder"));
    if (!folder.isEmpty())
        session().models().add(folder);
}

void ModelsPage::dragEnterEvent(QDragEnterEvent* event) {
    for (const auto& url : event->mimeData()->urls())
        if (url.isLocalFile())
            return event->acceptProposedAction();
}

void ModelsPage::dropEvent(QDropEvent* event) {
    for (const auto& url : event->mimeData()->urls())
        if (url.isLocalFile())
            session().models().add(url.toLocalFile());
    event->acceptProposedAction();
}

void ModelsPage::checkSelected() { session().models().check(selected()); }

void ModelsPage::removeSelected() {
    const auto ids = selected();
    QString names;
    for (const auto& id : ids)
        names += QStringLiteral("\n") + qs(id);
    QMessageBox box(QMessageBox::Warning, tr("Remove models"), tr("Remove %1 from the shelf and delete the copied files? Strategies that name them cannot run afterwards. Linked files stay where they are.\n%2")
                        .arg(plural(static_cast<std::int64_t>(ids.size()), tr("model"), tr("models")), names), QMessageBox::Cancel, this);
    box.setTextFormat(Qt::PlainText);
    QAbstractButton* remove = box.addButton(tr("Remove"), QMessageBox::DestructiveRole);
    box.exec();
    if (box.clickedButton() == remove)
        session().models().remove(ids);
}

} // namespace carousel::ui
