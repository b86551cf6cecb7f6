// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/tasks_page.h"
#include "pages/carousel/elided_label.h"
#include "pages/tasks/entity_field.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QGridLayout>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr std::size_t shownLikes = 12;

bool isCancelled(const Error& error) {
    return error.kind == ErrorKind::cancelled;
}

QString familiesText(const KeptTaskModel& model) {
    if (model.families.size() == taskFamilies.size())
        return QObject::tr("has learned all five families");
    QStringList names;
    for (const TaskFamily family : model.families)
        names << familyTitle(family);
    return QObject::tr("has learned: %1").arg(names.join(QStringLiteral(", ")));
}
} // namespace

TasksPage::TasksPage(Session& s)
    : TasksPage(s, {[&s] { return s.workbench().taskModels(); },
                    [&s](const KeptTaskModel& model, const RunControl& control) { return s.workbench().taskDesk(model, control); },
                    [&s](const TaskDesk& desk, TaskCard card, const RunControl& control) {
                        return s.workbench().askTask(desk, std::move(card), control);
                    }}) {}

TasksPage::TasksPage(Session& s, TaskServices services)
    : Page(s, QStringLiteral("tasks"), QStringLiteral("dialog-messages"), tr("Tasks"),
           tr("What does one model, asked in words, answer about a customer and an item?")),
      m_services(std::move(services)) {
    m_nextAction = addPageAction(QStringLiteral("go-next"), tr("Next example"),
                                 tr("The next customer and item that the model has never read of together"), QKeySequence(tr("Ctrl+J")),
                                 Weight::secondary, [this] { nextExample(); });
    m_cancelAction = addPageAction(QStringLiteral("process-stop"), tr("Cancel"), tr("Stop asking; answers that came stay"),
                                   QKeySequence(tr("Ctrl+.")), Weight::secondary, [this] { cancel(); });
    m_askAction = addPageAction(QStringLiteral("dialog-messages"), tr("Ask all"), tr("Ask the five questions, one after another"),
                                QKeySequence(tr("Ctrl+Return")), Weight::primary, [this] { askAll(); });
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    column->addWidget(makeChoosers());
    m_deskState = new StateView(makeCards());
    column->addWidget(m_deskState, 1);
    setContent(content);

    connect(&s, &Session::projectChanged, this, [this] {
        closeDesk();
        m_models.clear();
        m_modelsRead = false;
        m_folder.clear();
        m_model->clear();
        follow();
    });
    connect(&s, &Session::datasetsChanged, this, [this] {
        if (m_failed) // what was missing may have come
            openModel(m_model->currentIndex());
        else if (isVisible() && !m_modelsRead)
            readModels();
        follow();
    });
    follow();
}

QWidget* TasksPage::makeChoosers() {
    auto* holder = new QWidget;
    auto* grid = new QGridLayout(holder);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    int next = 0;
    const auto add = [&](const QString& title, QWidget* field, ElidedLabel*& facts, int stretch) {
        auto* label = textLabel(title, "heading");
        label->setBuddy(field);
        facts = new ElidedLabel("caption");
        grid->addWidget(label, 0, next);
        grid->addWidget(field, 1, next);
        grid->addWidget(facts, 2, next);
        grid->setColumnStretch(next++, stretch);
    };
    m_model = new QComboBox;
    m_model->setObjectName(QStringLiteral("task-model"));
    m_model->setAccessibleName(tr("Trained model"));
    m_model->setToolTip(tr("Models that were trained on data of this project; they are kept beside it"));
    m_model->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_model->setMinimumContentsLength(16);
    add(tr("Model"), m_model, m_modelFacts, 4);
    m_customers = new EntityField(QStringLiteral("task-customer"), tr("Customer, by id"), tr("Id of a customer"));
    add(tr("Customer"), m_customers, m_customerFacts, 3);
    m_items = new EntityField(QStringLiteral("task-item"), tr("Item, by title or id"), tr("Title or id of an item"));
    add(tr("Item"), m_items, m_itemFacts, 4);
    connect(m_model, &QComboBox::activated, this, &TasksPage::openModel);
    connect(m_customers, &EntityField::chosen, this, [this](Code code) { choosePair(code, m_item); });
    connect(m_items, &EntityField::chosen, this, [this](Code code) { choosePair(m_customer, code); });
    connect(m_customers, &EntityField::notFound, this,
            [this](const QString& text) { session().say(tr("No customer of this data set has an id like '%1'.").arg(text)); });
    connect(m_items, &EntityField::notFound, this,
            [this](const QString& text) { session().say(tr("No item of this data set has a title or id like '%1'.").arg(text)); });
    return holder;
}

QWidget* TasksPage::makeCards() {
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(12);
    for (const TaskFamily family : taskFamilies) {
        auto* view = new TaskCardView(family);
        m_cards[indexOf(family)] = view;
        connect(view, &TaskCardView::askWanted, this, [this, family] { ask(family); });
        connect(view, &TaskCardView::wordingChanged, this, [this] {
            remember();
            followActions();
        });
        column->addWidget(view);
    }
    column->addStretch(1);
    auto* scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("task-cards"));
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(canvas);
    return scroll;
}

void TasksPage::entered() {
    if (session().hasProject() && session().loaded())
        readModels(); // one may have been trained meanwhile
}

void TasksPage::follow() {
    if (!session().hasProject())
        state().showEmpty(icon(), tr("No project is open"),
                          tr("Models of the five tasks are trained on a project's data and kept beside it."),
                          {tr("Go to Home"), [this] { session().goTo(QStringLiteral("home")); }});
    else if (!session().loaded() || !m_modelsRead)
        state().showLoading(tr("Looking for trained models…"));
    else if (m_models.empty())
        state().showEmpty(icon(), tr("No model has been trained yet"),
                          tr("Train one on the Experiments page: Five tasks, one model. It takes minutes, and is kept beside the project."),
                          {tr("Go to Experiments"), [this] {
                               Q_EMIT session().analysisWanted(QStringLiteral("tasks"));
                               session().goTo(QStringLiteral("experiments"));
                           }});
    else
        state().showReady();
    followActions();
}

void TasksPage::followActions() {
    const bool ready = state().state() == StateView::State::ready && isOpen();
    m_askAction->setEnabled(ready && !isAsking() &&
                            std::any_of(m_cards.begin(), m_cards.end(), [](const auto* view) { return view->canAsk(); }));
    m_cancelAction->setVisible(isAsking());
    m_cancelAction->setEnabled(isAsking());
    m_nextAction->setEnabled(ready && !m_opened.examples.empty());
}

void TasksPage::readModels() {
    if (m_reading)
        return;
    m_reading = true;
    using Models = std::vector<KeptTaskModel>;
    session().jobs().run<Models>(
        this, {tr("Looking for trained models"), Lane::quick, {}},
        [models = m_services.models](const RunControl&) -> Result<Models> { return models(); },
        [this, file = session().projectFile()](JobRunner::Shared<Models> found) {
            m_reading = false;
            if (file != session().projectFile() || !session().hasProject())
                return entered(); // another project was opened meanwhile: its models are wanted
            m_modelsRead = true;
            if (found)
                fillModels(**found);
            else if (!isCancelled(found.error()))
                session().log().add(found.error());
            follow();
        });
}

void TasksPage::fillModels(std::vector<KeptTaskModel> models) {
    m_models = std::move(models);
    const QString wanted = m_folder.isEmpty() ? m_memory.value(session().projectFile()).folder : m_folder;
    {
        const QSignalBlocker quiet(m_model);
        m_model->clear();
        for (const KeptTaskModel& model : m_models) {
            m_model->addItem(qs(model.title), qs(model.folder));
            m_model->setItemData(m_model->count() - 1, plainToolTip(qs(model.title) + QLatin1Char('\n') + familiesText(model)),
                                 Qt::ToolTipRole);
        }
        m_model->setCurrentIndex(std::max(m_model->findData(wanted), m_models.empty() ? -1 : 0));
    }
    if (m_models.empty())
        closeDesk();
    else if (m_model->currentData().toString() != m_folder || (!isOpen() && !m_opening))
        openModel(m_model->currentIndex());
}

void TasksPage::openModel(int row) {
    if (row < 0 || static_cast<std::size_t>(row) >= m_models.size())
        return;
    const QSignalBlocker quiet(m_model);
    m_model->setCurrentIndex(row);
    closeDesk();
    const KeptTaskModel& model = m_models[static_cast<std::size_t>(row)];
    m_folder = qs(model.folder);
    m_modelFacts->setWhole(familiesText(model), qs(model.title) + QLatin1Char('\n') + familiesText(model));
    m_deskState->showLoading(tr("Opening what the model was taught about…"));
    const auto number = std::make_shared<JobNumber>(0);
    *number = session().jobs().run<OpenedDesk>(
        this, {tr("Opening %1").arg(qs(model.title)), Lane::quick, QStringLiteral("task-desk")},
        [desk = m_services.desk, model](const RunControl& control) -> Result<OpenedDesk> {
            CAROUSEL_ASSIGN(auto found, desk(model, control));
            return openDesk(std::move(found), control);
        },
        [this, number, row](JobRunner::Shared<OpenedDesk> result) {
            if (*number != m_opening) // another one is wanted by now
                return;
            m_opening = 0;
            if (result) {
                showDesk(**result);
            } else {
                m_failed = true;
                session().log().add(result.error());
                m_deskState->showFailed(result.error(), {tr("Try again"), [this, row] { openModel(row); }});
            }
            followActions();
            Q_EMIT opened(result.has_value());
        });
    m_opening = *number;
    followActions();
}

void TasksPage::closeDesk() {
    cancel();
    if (m_opening)
        session().jobs().cancel(m_opening);
    m_opening = 0;
    m_failed = false;
    m_opened = {};
    m_customer = m_item = noCode;
    m_example = 0;
    m_customers->setIndex({});
    m_items->setIndex({});
    for (auto* facts : {m_modelFacts, m_customerFacts, m_itemFacts})
        facts->setWhole({});
    for (auto* view : m_cards)
        view->setDesk({});
    followActions();
}

void TasksPage::showDesk(const OpenedDesk& opened) {
    m_opened = opened;
    const Memory kept = m_memory.value(session().projectFile());
    m_customers->setIndex(opened.customers);
    m_items->setIndex(opened.items);
    for (std::size_t f = 0; f < m_cards.size(); ++f)
        m_cards[f]->setDesk(opened.desk, kept.folder == m_folder ? kept.wordings[f] : TaskCardView::Wording{});
    Code customer = opened.customers->withId(kept.customer), item = opened.items->withId(kept.item);
    if (customer == noCode || item == noCode) {
        const bool known = !opened.examples.empty();
        customer = known ? opened.examples.front().first : opened.customers->size() > 0 ? 0 : noCode;
        item = known ? opened.examples.front().second : opened.items->size() > 0 ? 0 : noCode;
    }
    m_deskState->showReady();
    choosePair(customer, item);
}

void TasksPage::choosePair(Code customer, Code item) {
    if (!isOpen())
        return;
    cancel(); // answers about somebody else
    m_customer = customer;
    m_item = item;
    showPair();
    remember();
    followActions();
}

void TasksPage::showPair() {
    m_customers->setCurrent(m_customer);
    m_items->setCurrent(m_item);
    const TaskExamples& world = m_opened.desk->world();
    m_customerFacts->setWhole({});
    m_itemFacts->setWhole({});
    if (m_customer != noCode) {
        const auto& history = world.split().history[static_cast<std::size_t>(m_customer)];
        QStringList likes;
        for (auto it = history.rbegin(); it != history.rend() && static_cast<std::size_t>(likes.size()) < shownLikes; ++it)
            likes << m_opened.items->title(*it);
        const QString profile = qs(world.profileOf(m_customer));
        const QString chose = tr("chose %1").arg(plural(static_cast<std::int64_t>(history.size()), tr("item"), tr("items")));
        m_customerFacts->setWhole(profile.isEmpty() ? chose : tr("%1 · %2").arg(profile, chose),
                                  tr("%1\nThe model calls this customer %2.\nChosen, the newest first: %3")
                                      .arg(profile.isEmpty() ? tr("Nothing else is known.") : profile, qs(world.userName(m_customer)),
                                           likes.isEmpty() ? tr("nothing that is known") : likes.join(QStringLiteral(", "))));
    }
    if (m_item != noCode) {
        const QString named = tr("the model calls it %1").arg(qs(world.identifiers().names[static_cast<std::size_t>(m_item)]));
        const bool held = m_customer != noCode && world.split().heldOut(m_customer, m_item);
        m_itemFacts->setWhole(held ? tr("held out · %1").arg(named) : named,
                              tr("%1\nid %2; %3.%4")
                                  .arg(m_opened.items->title(m_item), m_opened.items->id(m_item), named,
                                       held ? tr("\nHeld out: the model has never read of this customer and this item.") : QString()));
    }
    for (auto* view : m_cards)
        view->setPair(m_customer, m_item);
}

void TasksPage::nextExample() {
    if (!isOpen() || m_opened.examples.empty())
        return;
    const auto& all = m_opened.examples;
    const auto now = std::find(all.begin(), all.end(), std::pair{m_customer, m_item});
    m_example = now == all.end() ? m_example : static_cast<std::size_t>(now - all.begin()) + 1;
    const auto [customer, item] = all[m_example % all.size()];
    choosePair(customer, item);
}

void TasksPage::remember() {
    if (!isOpen() || !session().hasProject() || m_customer == noCode || m_item == noCode)
        return;
    Memory& memory = m_memory[session().projectFile()];
    memory.folder = m_folder;
    memory.customer = m_opened.customers->id(m_customer);
    memory.item = m_opened.items->id(m_item);
    for (std::size_t f = 0; f < m_cards.size(); ++f)
        memory.wordings[f] = m_cards[f]->wording();
}

void TasksPage::askAll() {
    if (isAsking())
        return;
    for (const TaskFamily family : taskFamilies)
        if (card(family)->canAsk()) {
            card(family)->setAsking(TaskCardView::Asking::waiting);
            m_queue.push_back(family);
        }
    m_allAnswered = true;
    askNext();
}

void TasksPage::ask(TaskFamily family) {
    if (!isOpen() || !card(family)->canAsk())
        return;
    card(family)->setAsking(TaskCardView::Asking::waiting);
    m_queue.push_back(family);
    if (isAsking())
        return; // its turn comes
    m_allAnswered = true;
    askNext();
}

void TasksPage::askNext() {
    while (!m_queue.empty() && !card(m_queue.front())->card()) { // its text became no template while it waited
        card(m_queue.front())->setAsking(TaskCardView::Asking::no);
        m_queue.pop_front();
        m_allAnswered = false;
    }
    if (m_queue.empty()) {
        const bool was = isAsking();
        m_asking = 0;
        followActions();
        if (was)
            Q_EMIT asked(m_allAnswered);
        return;
    }
    const TaskFamily family = m_queue.front();
    auto* view = card(family);
    view->setAsking(TaskCardView::Asking::now);
    const auto number = std::make_shared<JobNumber>(0);
    *number = session().jobs().run<TaskCard>(
        this, {tr("Asking: %1").arg(familyTitle(family)), Lane::task, {}},
        [ask = m_services.ask, desk = m_opened.desk, wanted = *view->card()](const RunControl& control) {
            return ask(*desk, wanted, control);
        },
        [this, view, number](JobRunner::Shared<TaskCard> answer) {
            if (*number != m_asking)
                return; // cancelled, or about another pair
            if (!answer && isCancelled(answer.error()))
                return cancel(); // Esc stops the questions behind it too
            if (answer) {
                view->showAnswer(**answer);
            } else {
                m_allAnswered = false;
                session().log().add(answer.error());
                view->showError(answer.error());
            }
            m_queue.pop_front();
            askNext();
        });
    m_asking = *number;
    followActions();
}

void TasksPage::cancel() {
    if (!isAsking())
        return;
    const JobNumber job = m_asking;
    m_asking = 0;
    m_queue.clear();
    for (auto* view : m_cards)
        view->setAsking(TaskCardView::Asking::no);
    session().jobs().cancel(job);
    followActions();
    Q_EMIT asked(false);
}

QList<PaletteEntry> TasksPage::paletteEntries() const {
    auto entries = Page::paletteEntries();
    auto* self = const_cast<TasksPage*>(this);
    const auto add = [&](const QString& text, const QString& detail, auto call) {
        entries << PaletteEntry{tr("action"), text, detail, {}, [this, call] {
                                    session().goTo(id());
                                    call();
                                }};
    };
    if (!isOpen())
        return entries;
    for (const TaskFamily family : taskFamilies)
        if (card(family)->canAsk())
            add(tr("Ask: %1").arg(familyTitle(family)), title(), [self, family] { self->ask(family); });
    for (std::size_t row = 0; row < m_models.size(); ++row)
        if (static_cast<int>(row) != m_model->currentIndex())
            add(tr("Open task model: %1").arg(qs(m_models[row].title)), familiesText(m_models[row]),
                [self, row] { self->openModel(static_cast<int>(row)); });
    return entries;
}

} // namespace carousel::ui
