// SPDX-License-Identifier: GPL-3.0-or-later
// Models: the language models on this machine, those the program knows and those the user adds; what each needs, does and weighs.
#pragma once
#include "pages/page.h"

class QFrame;
class QLabel;
class QSortFilterProxyModel;
class QTabWidget;
class QTableView;
class QToolButton;

namespace carousel::ui {

class ServersPanel;
class ShelfTableModel;

class ModelsPage : public Page {
    Q_OBJECT
public:
    explicit ModelsPage(Session& session);
    void entered() override;
    bool isBusy() const override;
    QList<PaletteEntry> paletteEntries() const override;
    bool showTab(const QString& name); // "shelf", "servers"

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    QWidget* makeNotice();
    std::vector<std::string> selected() const;
    void select(const QString& id);
    void follow();
    void followSelection();
    QString troubles() const;
    void fitTable();
    void chooseFile();
    void chooseFolder();
    void checkSelected();
    void removeSelected();
    void tell(const QString& text, bool bad);

    QAction *m_addFile, *m_addFolder, *m_check, *m_measure, *m_remove;
    ShelfTableModel* m_model;
    QSortFilterProxyModel* m_proxy;
    QTableView* m_table;
    QTabWidget* m_tabs;
    ServersPanel* m_servers;
    QFrame* m_notice;
    QLabel *m_noticeText, *m_foot;
    QString m_wanted; // id to select once it is listed
    bool m_sized = false;
};

} // namespace carousel::ui
