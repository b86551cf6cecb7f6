// SPDX-License-Identifier: GPL-3.0-or-later
// Servers with language models: described in a form, tested with two easy questions, and used by strategies as server:NAME once the analyst has
// agreed that data may be sent there. Keys come from the environment, the desktop's key store or this session (ServerKeyRow); none is in the form.
#pragma once
#include "server/endpoints.h"
#include <QWidget>

class QLabel;
class QLineEdit;
class QListWidget;
class QPushButton;
class QScrollArea;
class QStackedWidget;
class QToolButton;

namespace carousel::ui {

class ParameterForm;
class ServerKeyRow;
class Session;

class ServersPanel : public QWidget {
    Q_OBJECT
public:
    explicit ServersPanel(Session& session, QWidget* parent = nullptr);
    void readOnce();
    bool isBusy() const { return m_busy > 0; }
    void newServer(); // an empty form

private:
    QWidget* makeForm();
    void read(const QString& select = {});
    void show(const QString& name);
    void followForm();
    void test();
    void save();
    void removeCurrent();
    Parameters given() const; // what the form says, without what has its default
    void tell(const QString& text, const char* role);
    QString current() const;

    Session& m_session;
    server::Endpoints& m_endpoints; // of the workbench: runs use the same
    server::EndpointMap m_known;
    QListWidget* m_list;
    QStackedWidget* m_right;
    QScrollArea* m_scroll;
    QLineEdit* m_name;
    ParameterForm *m_main, *m_more;
    ServerKeyRow* m_key;
    QToolButton* m_moreButton;
    QLabel *m_consent, *m_message, *m_card;
    QPushButton *m_test, *m_save, *m_remove, *m_new;
    int m_busy = 0;
    bool m_read = false;
};

} // namespace carousel::ui
