// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/strategies_page.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "pages/study_settings.h"
#include "pages/training_group.h"
#include "session/run_selection.h"
#include "session/model_list.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "widgets/parameter_form.h"
#include "widgets/stage_card.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QTabWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
QScrollArea* scrolled(QWidget* content) {
    auto* area = new QScrollArea;
    area->setWidgetResizable(true);
    content->setProperty("role", QStringLiteral("canvas"));
    area->setWidget(content);
    return area;
}

// "50 candidates · sequence_rules": what most tells two settings apart, in one or two lines.
QString summaryOf(const PluginManifest& manifest, const Parameters& parameters) {
    QStringList parts;
    for (const auto& spec : manifest.parameters) {
        if (spec.kind == ParameterKind::prompt || !parameters.has(spec.id) || parts.size() == 3)
            continue;
        QString value = qs(toText(parameters.values().at(spec.id)));
        if (value.isEmpty())
            continue;
        if (value.size() > 28)
            value = value.left(27) + QStringLiteral("…");
        parts << QStringLiteral("%1: %2").arg(qs(spec.label), value);
    }
    return parts.isEmpty() ? QObject::tr("nothing to set") : parts.join(QStringLiteral(" · "));
}
} // namespace

StrategiesPage::StrategiesPage(Session& s)
    : Page(s, QStringLiteral("strategies"), QStringLiteral("distribute-horizontal-x"), tr("Strategies"),
           tr("Which plugin fills each of the four places, and does a language model belong there?")) {
    m_save = addPageAction(QStringLiteral("document-save"), tr("Save study…"), tr("Save the study as a TOML file for the command line"), QKeySequence::Save, Weight::secondary, [this] { saveFile(); });
    m_run = addPageAction(QStringLiteral("media-playback-start"), tr("Run"), tr("Run every strategy of the study that is not complete yet"), QKeySequence(Qt::Key_F5), Weight::primary, [this] { run(); });
    auto* load = new QPushButton(Theme::icon(QStringLiteral("document-open")), tr("Load study  ▾"));
    load->setToolTip(tr("Load a sample study or a TOML file"));
    load->setAccessibleName(tr("Load study"));
    auto* menu = new QMenu(load);
    connect(menu, &QMenu::aboutToShow, this, [this, menu] { fillStudies(menu); });
    load->setMenu(menu);
    addHeaderWidget(load);

    auto* content = new QWidget;
    auto* row = new QHBoxLayout(content);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(16);
    row->addWidget(makeList());
    row->addWidget(makePipeline(), 1);
    setContent(content);

    connect(&s.draft(), &StudyDraft::changed, this, &StrategiesPage::follow);
    connect(&s.models(), &ModelList::changed, this, [this] {
        m_formPlugin.clear(); // the form offers what is on the shelf now
        follow();
    });
    connect(&s, &Session::projectChanged, this, &StrategiesPage::follow);
    connect(&s, &Session::datasetsChanged, this, &StrategiesPage::follow);
    connect(&s, &Session::studyStarted, this, &StrategiesPage::followCost);
    connect(&s, &Session::studyEnded, this, &StrategiesPage::followCost);
    connect(&s.jobs(), &JobRunner::changed, this, &StrategiesPage::followCost);
    connect(&s.selection(), &RunSelection::comparisonChanged, this, &StrategiesPage::followCost);
    select(StageKind::scorer);
    follow();
}

QWidget* StrategiesPage::makeList() {
    auto* panel = new QFrame;
    panel->setProperty("card", QStringLiteral("true"));
    panel->setFixedWidth(260);
    auto* column = new QVBoxLayout(panel);
    column->setContentsMargins(8, 8, 8, 8);
    column->setSpacing(6);
    auto* head = new QHBoxLayout;
    head->addWidget(textLabel(tr("Strategies of the study"), "heading"), 1);
    column->addLayout(head);
    m_list = new QListWidget;
    m_list->setAccessibleName(tr("Strategies of the study"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setIconSize({16, 16});
    m_list->setTextElideMode(Qt::ElideRight); // long names end in an ellipsis; the tooltip has them whole
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    column->addWidget(m_list, 1);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(0);
    const auto tool = [&](const char* icon, const QString& name, const QString& tip, auto call) {
        auto* button = new QToolButton;
        button->setIcon(Theme::icon(QString::fromLatin1(icon)));
        button->setText(name);
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setToolTip(tip);
        button->setAccessibleName(tr("%1 strategy").arg(name));
        connect(button, &QToolButton::clicked, this, call);
        buttons->addWidget(button);
        return button;
    };
    m_add = tool("list-add", tr("Add"), tr("Add a strategy made of the plainest plugins"), [this] { session().draft().addStrategy(); });
    m_copy = tool("edit-copy", tr("Copy"), tr("Copy this strategy, then switch one place"), [this] { session().draft().copyStrategy(); });
    m_remove = tool("edit-delete", tr("Remove"), tr("Remove this strategy from the study (Ctrl+Z brings it back)"), [this] { session().draft().removeStrategy(); });
    buttons->addStretch();
    column->addLayout(buttons);
    connect(m_list, &QListWidget::currentRowChanged, this, [this](int current) {
        if (current >= 0 && !m_editing)
            session().draft().setCurrent(current);
    });
    return panel;
}

QWidget* StrategiesPage::makePipeline() {
    auto* panel = new QWidget;
    auto* column = new QVBoxLayout(panel);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    auto* top = new QHBoxLayout;
    top->setSpacing(8);
    m_name = new QLineEdit;
    m_name->setAccessibleName(tr("Name of the strategy"));
    m_name->setToolTip(tr("Name of the strategy, unique in the study"));
    m_name->setMaximumWidth(320);
    top->addWidget(m_name, 1);
    top->addSpacing(12);
    top->addWidget(textLabel(tr("learns from"), "secondary"));
    m_events = new QComboBox;
    m_events->setAccessibleName(tr("Event model"));
    m_events->setToolTip(tr("How clicks, ratings and purchases count as preference for this strategy"));
    for (const auto& model : presetEventModels())
        m_events->addItem(qs(model.title), qs(model.id));
    top->addWidget(m_events);
    top->addStretch();
    column->addLayout(top);

    auto* cards = new QHBoxLayout;
    cards->setSpacing(6);
    for (int i = 0; i < 4; ++i) {
        const auto kind = static_cast<StageKind>(i);
        auto* card = new StageCard(kind);
        m_cards[static_cast<std::size_t>(i)] = card;
        cards->addWidget(card, 1);
        if (i < 3) {
            auto* arrow = textLabel(QStringLiteral("→"), "secondary");
            arrow->setAlignment(Qt::AlignCenter);
            cards->addWidget(arrow);
        }
        connect(card, &StageCard::clicked, this, [this, kind] { select(kind); });
        connect(card, &StageCard::twinWanted, this, [this, kind] {
            select(kind);
            tell(session().draft().switchTwin(kind));
            follow(); // the switch goes back when it could not be done
        });
    }
    column->addLayout(cards);
    m_message = textLabel({}, "bad", true);
    m_message->hide();
    column->addWidget(m_message);

    auto* bottom = new QHBoxLayout;
    bottom->setSpacing(16);
    m_tabs = new QTabWidget;
    m_tabs->setDocumentMode(true);
    m_tabs->tabBar()->setAccessibleName(tr("Settings"));
    auto* place = new QWidget;
    auto* placeColumn = new QVBoxLayout(place);
    placeColumn->setContentsMargins(0, 12, 8, 0);
    placeColumn->setSpacing(8);
    auto* chooser = new QHBoxLayout;
    auto* pluginLabel = textLabel(tr("Plugin"));
    pluginLabel->setMinimumWidth(120);
    chooser->addWidget(pluginLabel);
    chooser->addSpacing(10);
    m_plugin = new QComboBox;
    m_plugin->setAccessibleName(tr("Plugin of this place"));
    m_plugin->setMinimumWidth(260);
    chooser->addWidget(m_plugin);
    chooser->addStretch();
    placeColumn->addLayout(chooser);
    m_summary = textLabel({}, "", true);
    m_source = textLabel({}, "caption", true);
    placeColumn->addWidget(m_summary);
    placeColumn->addWidget(m_source);
    placeColumn->addSpacing(4);
    m_form = new ParameterForm;
    placeColumn->addWidget(m_form);
    placeColumn->addStretch();
    m_tabs->addTab(scrolled(place), tr("Scorer"));
    auto* clicks = new QWidget;
    auto* clicksColumn = new QVBoxLayout(clicks);
    clicksColumn->setContentsMargins(0, 12, 8, 0);
    clicksColumn->addWidget(new TrainingGroup(session()));
    clicksColumn->addStretch();
    m_tabs->addTab(scrolled(clicks), tr("Carousel clicks"));
    auto* study = new QWidget;
    auto* studyColumn = new QVBoxLayout(study);
    studyColumn->setContentsMargins(0, 12, 0, 0);
    studyColumn->addWidget(new StudySettings(session()));
    m_tabs->addTab(scrolled(study), tr("Study and evaluation"));
    bottom->addWidget(m_tabs, 1);

    auto* cost = new QFrame;
    cost->setProperty("card", QStringLiteral("true"));
    cost->setFixedWidth(280);
    auto* costColumn = new QVBoxLayout(cost);
    costColumn->setContentsMargins(14, 12, 14, 12);
    costColumn->addWidget(textLabel(tr("Cost before running"), "heading"));
    m_cost = textLabel({}, "", true);
    m_cost->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    costColumn->addWidget(m_cost, 1);
    m_whyNot = textLabel({}, "warning", true);
    costColumn->addWidget(m_whyNot);
    bottom->addWidget(cost, 0, Qt::AlignTop);
    column->addLayout(bottom, 1);

    connect(m_name, &QLineEdit::textEdited, this, [this](const QString& text) {
        m_editing = true;
        tell(session().draft().renameStrategy(text));
        m_editing = false;
        followList();
    });
    connect(m_events, &QComboBox::activated, this, [this] { session().draft().setEventModel(m_events->currentData().toString()); });
    connect(m_plugin, &QComboBox::activated, this, [this] { tell(session().draft().setPlugin(m_kind, m_plugin->currentData().toString())); });
    connect(m_form, &ParameterForm::edited, this, [this] {
        const auto values = m_form->parameters();
        if (!values)
            return;
        m_editing = true;
        tell(session().draft().setParameters(m_kind, *values));
        m_editing = false;
    });
    return panel;
}

bool StrategiesPage::isBusy() const { return session().models().isReading(); }

void StrategiesPage::entered() {
    session().models().readOnce();
    readFields();
}

void StrategiesPage::readFields() {
    const QString dataset = qs(session().draft().study().dataset);
    if (dataset.isEmpty() || dataset == m_fieldsOf || !session().hasProject())
        return;
    m_fieldsOf = dataset;
    session().requestDataset(dataset, this, [this](Result<DatasetPtr> loaded) {
        if (!loaded)
            return;
        m_itemFields.clear();
        for (const auto& attribute : (*loaded)->items.attributes)
            m_itemFields.push_back(attribute.name());
        m_formPlugin.clear();
        followStage();
    });
}

QString StrategiesPage::problemOf(const PluginManifest& manifest, const Parameters& parameters) const {
    if (!manifest.usesLanguageModel || !session().models().isRead())
        return {};
    for (const auto& spec : manifest.parameters) {
        if (spec.id != "model" || !parameters.has("model"))
            continue;
        const auto wanted = toText(parameters.values().at("model"));
        if (startsWith(wanted, "server:"))
            return session().models().hasServer(wanted.substr(7)) ? QString() : tr("The server %1 is not described. Describe it on the Models page.").arg(qs(wanted.substr(7)));
        for (const auto& model : session().models().models())
            if (model.model.id == wanted)
                return model.state == ModelState::ready ? QString()
                       : model.model.known
                           ? tr("Model %1: %2. The script packaging/run.sh fetches it.").arg(qs(model.model.title), QString::fromLatin1(name(model.state)))
                           : tr("Model %1: %2. The Models page says more.").arg(qs(model.model.title.empty() ? wanted : model.model.title), QString::fromLatin1(name(model.state)));
        return tr("The model %1 is not on the shelf. Add it on the Models page.").arg(qs(wanted));
    }
    return {};
}

void StrategiesPage::follow() {
    auto& draft = session().draft();
    if (!session().hasProject()) {
        state().showEmpty(icon(), tr("No project is open"), tr("Strategies belong to a project. Open a sample to see some that are ready to run."),
                          {tr("Go to Home"), [this] { session().goTo(QStringLiteral("home")); }});
        m_run->setEnabled(false);
        m_save->setEnabled(false);
        return;
    }
    m_save->setEnabled(!draft.isEmpty());
    if (draft.isEmpty()) {
        const QString dataset = qs(draft.study().dataset);
        QString fitting;
        for (const auto& info : QDir(qs(sampleDataFolder()) + QStringLiteral("/studies")).entryInfoList({QStringLiteral("*.toml")}, QDir::Files, QDir::Name))
            if (fitting.isEmpty() && info.baseName().remove(QLatin1Char('_')).startsWith(QString(dataset).remove(QLatin1Char('-'))) && !dataset.isEmpty())
                fitting = info.filePath();
        state().showEmpty(icon(), tr("No strategy yet"), tr("Start with the plainest strategy and change one place after another, or load a study that is ready."),
                          {tr("Add a strategy"), [this] { session().draft().addStrategy(); }},
                          fitting.isEmpty() ? EmptyAction{} : EmptyAction{tr("Load the sample study"), [this, fitting] { loadFile(fitting); }});
        m_run->setEnabled(false);
        return;
    }
    state().showReady();
    readFields();
    followList();
    const auto* strategy = draft.strategy();
    m_copy->setEnabled(strategy);
    m_remove->setEnabled(strategy);
    if (!strategy)
        return;
    if (m_name->text() != qs(strategy->name) && !m_editing)
        m_name->setText(qs(strategy->name));
    m_events->setCurrentIndex(m_events->findData(qs(strategy->eventModel)));
    for (auto* card : m_cards) {
        const auto& stage = strategy->stage(card->kind());
        const auto entry = session().workbench().plugins().find(card->kind(), stage.plugin);
        const auto* manifest = entry ? &(*entry)->manifest : nullptr;
        card->showStage(manifest, manifest ? summaryOf(*manifest, stage.parameters) : QString(),
                        manifest ? problemOf(*manifest, stage.parameters) : tr("There is no plugin '%1'.").arg(qs(stage.plugin)));
    }
    followStage();
    followCost();
}

void StrategiesPage::followList() {
    const auto& draft = session().draft();
    const auto& strategies = draft.study().strategies;
    const QSignalBlocker block(m_list);
    while (m_list->count() > static_cast<int>(strategies.size()))
        delete m_list->takeItem(m_list->count() - 1);
    for (int i = 0; i < static_cast<int>(strategies.size()); ++i) {
        if (i >= m_list->count())
            m_list->addItem(new QListWidgetItem);
        auto* item = m_list->item(i);
        const auto& strategy = strategies[static_cast<std::size_t>(i)];
        const QString clicks = trainingNote(strategy.training);
        item->setText(clicks.isEmpty() ? qs(strategy.name) : qs(strategy.name) + QLatin1Char('\n') + clicks);
        item->setIcon(Theme::instance().strategyIcon(i));
        item->setToolTip(plainToolTip(item->text()));
    }
    m_list->setCurrentRow(draft.current());
}

void StrategiesPage::select(StageKind kind) {
    m_kind = kind;
    m_cards[static_cast<std::size_t>(kind)]->setChecked(true);
    m_tabs->setCurrentIndex(0);
    m_tabs->setTabText(0, tr("Settings: %1").arg(stageTitle(kind)));
    m_formPlugin.clear();
    followStage();
}

void StrategiesPage::followStage() {
    const auto* strategy = session().draft().strategy();
    if (!strategy)
        return;
    const auto& plugins = session().workbench().plugins();
    const auto& stage = strategy->stage(m_kind);
    m_plugin->clear();
    for (const auto& entry : plugins.all())
        if (entry.manifest.kind == m_kind)
            m_plugin->addItem(qs(entry.manifest.name) + (entry.manifest.usesLanguageModel ? tr("  · LLM") : QString()), qs(entry.manifest.id));
    m_plugin->setCurrentIndex(m_plugin->findData(qs(stage.plugin)));
    const auto found = plugins.find(m_kind, stage.plugin);
    if (!found)
        return;
    const auto& manifest = (*found)->manifest;
    m_summary->setText(qs(manifest.summary));
    m_source->setText(manifest.source.empty() ? QString() : tr("Method: %1").arg(qs(manifest.source)));
    m_source->setVisible(!manifest.source.empty());
    // While somebody types, the form is left alone; it is made again when the plugin or the values were changed from elsewhere.
    const std::string key = std::string(name(m_kind)) + "/" + stage.plugin;
    const auto shown = m_form->parameters();
    if (m_editing || (key == m_formPlugin && shown && *shown == stage.parameters))
        return;
    m_formPlugin = key;
    m_form->setParameters(manifest.parameters, stage.parameters, {&plugins, m_itemFields, session().models().formModels()}, manifest.id);
}

void StrategiesPage::followCost() {
    auto& draft = session().draft();
    QString reason;
    const bool can = draft.canRun(&reason);
    m_run->setEnabled(can);
    m_run->setToolTip(can ? tr("Run every strategy of the study that is not complete yet (F5)") : reason);
    m_whyNot->setText(can || draft.isEmpty() ? QString() : reason);
    m_whyNot->setVisible(!m_whyNot->text().isEmpty());
    const auto* strategy = draft.strategy();
    if (!strategy)
        return;
    const DatasetRow* table = nullptr;
    for (const auto& row : session().datasets())
        if (row.name == draft.study().dataset)
            table = &row;
    if (!table) {
        m_cost->setText(tr("Known once the data set is in the project."));
        return;
    }
    const auto& plugins = session().workbench().plugins();
    const auto work = plannedWork(draft.study(), *strategy, plugins, table->users, table->items);
    QStringList lines{tr("%1 users × %2 candidates = %3 scores").arg(count(work.users), count(work.candidates), count(work.scores()))};
    if (draft.study().evaluation.users == 0)
        lines << tr("(at most: users without a target are left out)");
    double rate = 0;
    if (const auto& comparison = session().selection().comparison())
        for (const auto& other : comparison->strategies)
            rate = std::max(rate, other.candidatesPerSecond);
    if (work.languageModel && rate > 0)
        lines << tr("≈ %1 at the %2 candidates/s measured here").arg(duration(static_cast<double>(work.scores()) / rate), figures(rate));
    else if (work.languageModel)
        lines << tr("A language model scores these; the rate is measured during the first run and answers are kept, so a second run costs nothing.");
    else
        lines << tr("No language model scores here: seconds.");
    std::int64_t all = 0;
    for (const auto& other : draft.study().strategies) {
        const auto planned = plannedWork(draft.study(), other, plugins, table->users, table->items);
        all += planned.languageModel ? planned.scores() : 0;
    }
    lines << QString() << tr("Whole study: %1").arg(plural(static_cast<std::int64_t>(draft.study().strategies.size()), tr("strategy"), tr("strategies"))) +
                              (all > 0 ? tr(", %1 language model scores").arg(count(all)) : tr(", none scored by a language model"));
    lines << tr("Nothing leaves this machine.");
    m_cost->setText(lines.join(QLatin1Char('\n')));
}

void StrategiesPage::tell(const Result<void>& result) {
    m_message->setVisible(!result);
    if (!result)
        m_message->setText(qs("▲ " + result.error().message + " " + result.error().hint));
}

void StrategiesPage::run() {
    if (session().draft().canRun()) {
        session().runStudy(session().draft().study());
        session().goTo(QStringLiteral("runs"));
    }
}

void StrategiesPage::fillStudies(QMenu* menu) {
    menu->clear();
    for (const auto& info : QDir(qs(sampleDataFolder()) + QStringLiteral("/studies")).entryInfoList({QStringLiteral("*.toml")}, QDir::Files, QDir::Name))
        menu->addAction(tr("Sample: %1").arg(info.completeBaseName()), this, [this, path = info.filePath()] { loadFile(path); });
    menu->addSeparator();
    menu->addAction(tr("From a file…"), this, [this] {
        const QString file = QFileDialog::getOpenFileName(this, tr("Load study"), {}, tr("Study (*.toml);;All files (*)"));
        if (!file.isEmpty())
            loadFile(file);
    });
    menu->setEnabled(session().hasProject());
}

void StrategiesPage::loadFile(const QString& file) {
    constexpr std::size_t limit = 4 << 20;
    const auto text = readFile(ss(file), limit);
    const auto loaded = text ? session().draft().load(*text, tr("load study")) : Result<void>(tl::unexpected<Error>(text.error()));
    if (!loaded)
        session().log().add(loaded.error());
    tell(loaded);
}

void StrategiesPage::saveFile() {
    QString file = QFileDialog::getSaveFileName(this, tr("Save study"), QStringLiteral("study.toml"), tr("Study (*.toml)"));
    if (file.isEmpty())
        return;
    const auto written = atomicWrite(ss(file), session().draft().toml());
    if (written)
        session().say(tr("Saved the study as %1").arg(file));
    else
        session().log().add(written.error());
    tell(written);
}

} // namespace carousel::ui
