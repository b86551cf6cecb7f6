// SPDX-License-Identifier: GPL-3.0-or-later
// Tasks: one customer, one item, and the five things that a trained text-to-text model can be asked about them. Templates are edited in
// place; models are opened and asked on job threads, one question after another, so that each answer appears as it comes.
#pragma once
#include "pages/page.h"
#include "pages/tasks/opened_desk.h"
#include "pages/tasks/task_card_view.h"
#include <QHash>
#include <array>
#include <deque>

class QComboBox;
class QLabel;

namespace carousel::ui {

class ElidedLabel;
class EntityField;

// What the page asks the workbench for, on job threads; tests bring answers of their own.
struct TaskServices {
    std::function<std::vector<KeptTaskModel>()> models;
    std::function<Result<std::shared_ptr<const TaskDesk>>(const KeptTaskModel& model, const RunControl& control)> desk;
    std::function<Result<TaskCard>(const TaskDesk& desk, TaskCard card, const RunControl& control)> ask;
};

class TasksPage : public Page {
    Q_OBJECT
public:
    explicit TasksPage(Session& session);
    TasksPage(Session& session, TaskServices services);
    void entered() override;
    bool isBusy() const override { return m_reading || m_opening != 0 || isAsking(); }
    QList<PaletteEntry> paletteEntries() const override;

    bool isOpen() const { return m_opened.desk != nullptr; }
    bool isAsking() const { return m_asking != 0; }
    TaskCardView* card(TaskFamily family) const { return m_cards[indexOf(family)]; }
    Code customer() const { return m_customer; }
    Code item() const { return m_item; }

public Q_SLOTS:
    void askAll();
    void ask(carousel::TaskFamily family);
    void cancel();
    void nextExample();
    void choosePair(carousel::Code customer, carousel::Code item);
    void openModel(int row); // of the chooser

Q_SIGNALS:
    void opened(bool ok);
    void asked(bool complete); // the last of what was asked is answered; false: stopped, or one of them failed

private:
    struct Memory { // of a project while the program runs
        QString folder, customer, item;
        std::array<TaskCardView::Wording, taskFamilies.size()> wordings;
    };
    QWidget* makeChoosers();
    QWidget* makeCards();
    void follow(); // what the project has decides between empty, loading and ready
    void followActions();
    void readModels();
    void fillModels(std::vector<KeptTaskModel> models);
    void showDesk(const OpenedDesk& opened);
    void showPair();
    void closeDesk();
    void askNext();
    void remember();

    TaskServices m_services;
    std::vector<KeptTaskModel> m_models;
    OpenedDesk m_opened;
    QString m_folder; // of the model that is open or being opened
    Code m_customer = noCode, m_item = noCode;
    std::size_t m_example = 0;
    QHash<QString, Memory> m_memory; // by project file
    bool m_modelsRead = false, m_reading = false, m_failed = false;
    JobNumber m_opening = 0, m_asking = 0;
    std::deque<TaskFamily> m_queue; // the first one is being asked
    bool m_allAnswered = true;      // of what was asked together

    QComboBox* m_model;
    EntityField *m_customers, *m_items;
    ElidedLabel *m_modelFacts, *m_customerFacts, *m_itemFacts;
    StateView* m_deskState;
    std::array<TaskCardView*, taskFamilies.size()> m_cards{};
    QAction *m_askAction, *m_cancelAction, *m_nextAction;
};

} // namespace carousel::ui
