// SPDX-License-Identifier: GPL-3.0-or-later
// Import on the page itself: choose what, see the first rows and the guessed roles of the columns, change them, import.
#pragma once
#include "data/import.h"
#include "workbench/workbench.h"
#include <QTimer>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;
class QToolButton;

namespace carousel::ui {

class Session;
class TextTableModel;

class DataImport : public QWidget {
    Q_OBJECT
public:
    explicit DataImport(Session& session, QWidget* parent = nullptr);
    bool isBusy() const { return m_busy; }
    void setPath(const QString& path); // a dropped file or folder
    TableMapping mapping() const;

Q_SIGNALS:
    void closed();

private:
    enum Kind { Sample, RecBole, Table, Bandit };
    void setKind(int kind);
    void browse();
    void inspect();
    void showInspection(const FileInspection& inspection, const TableMapping& mapping);
    void updateRoles();
    void start();
    Workbench::ImportRequest request() const;
    QComboBox* role(const QString& label, const QString& help, bool optional);

    Session& m_session;
    std::vector<QToolButton*> m_kinds;
    int m_kind = Sample;
    QComboBox *m_sample, *m_campaign;
    QLineEdit *m_path, *m_name, *m_constantKind;
    QWidget *m_sampleRow, *m_pathRow, *m_roles;
    QFormLayout* m_roleForm;
    QComboBox *m_user, *m_item, *m_value, *m_time, *m_eventKind, *m_timeUnit;
    QCheckBox* m_keepGoing;
    QLabel *m_facts, *m_problem;
    QTableView* m_table;
    TextTableModel* m_preview;
    QPushButton* m_import;
    QTimer m_wait;
    TableMapping m_guess;
    bool m_busy = false, m_ready = false, m_nameTouched = false;
};

} // namespace carousel::ui
