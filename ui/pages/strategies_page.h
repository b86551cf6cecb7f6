// SPDX-License-Identifier: GPL-3.0-or-later
// Strategies: the pipeline as one row of four places, each with its plugin, its settings, and the one-click language model switch.
#pragma once
#include "pages/page.h"
#include "stages/plugin.h"
#include <array>

class QComboBox;
class QLineEdit;
class QListWidget;
class QMenu;
class QTabWidget;
class QToolButton;

namespace carousel::ui {

class ParameterForm;
class StageCard;

class StrategiesPage : public Page {
    Q_OBJECT
public:
    explicit StrategiesPage(Session& session);
    bool isBusy() const override;
    void entered() override;
    void loadFile(const QString& file);

private:
    QWidget* makeList();
    QWidget* makePipeline();
    void follow();
    void followList();
    void followStage();
    void followCost();
    void readFields();
    void select(StageKind kind);
    void run();
    void saveFile();
    void fillStudies(QMenu* menu);
    void tell(const Result<void>& result);
    QString problemOf(const PluginManifest& manifest, const Parameters& parameters) const;

    QAction *m_run, *m_save;
    QListWidget* m_list;
    QToolButton *m_copy, *m_remove, *m_add;
    QLineEdit* m_name;
    QComboBox *m_events, *m_plugin;
    std::array<StageCard*, 4> m_cards{};
    QLabel *m_message, *m_cost, *m_summary, *m_source, *m_whyNot;
    QTabWidget* m_tabs;
    ParameterForm* m_form;
    StageKind m_kind = StageKind::scorer;
    std::vector<std::string> m_itemFields;
    QString m_fieldsOf;
    std::string m_formPlugin;
    bool m_editing = false;
};

} // namespace carousel::ui
