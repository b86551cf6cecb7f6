// SPDX-License-Identifier: GPL-3.0-or-later
// Data: what is in the project, what it can support, its tables, its split, and the import of more.
#pragma once
#include "models/dataset_statistics.h"
#include "pages/page.h"

class QComboBox;
class QStackedWidget;
class QTabWidget;

namespace carousel::ui {

class DataImport;
class DataOverview;
class DataSplit;
class DataTables;
class TextTableModel;

class DataPage : public Page {
    Q_OBJECT
public:
    explicit DataPage(Session& session);
    bool isBusy() const override;
    void showDataset(const QString& name);

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    struct Loaded {
        DatasetPtr dataset;
        std::vector<carousel::Badge> badges;
        DatasetStatistics statistics;
        ImportReport report;
    };
    void followDatasets();
    void display(const Loaded& loaded);
    void showImport(bool shown);
    void removeCurrent();
    QWidget* makeReport();
    void showReport(const Loaded& loaded);

    QComboBox* m_choice;
    QAction *m_importAction, *m_removeAction;
    QStackedWidget* m_stack;
    QTabWidget* m_tabs;
    DataOverview* m_overview;
    DataTables* m_tables;
    DataSplit* m_split;
    DataImport* m_import;
    TextTableModel *m_reportModel, *m_rejectsModel, *m_sourcesModel;
    QLabel* m_reportText;
    QString m_shown, m_wantedItem;
    bool m_loading = false;
};

} // namespace carousel::ui
