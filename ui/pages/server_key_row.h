// SPDX-License-Identifier: GPL-3.0-or-later
// A place to type the key of a saved server: for this session, or into the desktop's key store. What is typed goes to a job at once and is
// cleared here; the field never shows a key that is kept. (Qt's own copies of a typed text cannot be overwritten for certain.)
#pragma once
#include "server/endpoints.h"
#include <QSet>
#include <QWidget>
#include <optional>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace carousel::ui {

class Session;

class ServerKeyRow : public QWidget {
    Q_OBJECT
public:
    explicit ServerKeyRow(Session& session, QWidget* parent = nullptr);
    // The saved server whose key this is; null: none is saved yet, and there is nothing that a key could be bound to.
    void show(const QString& name, const Parameters* saved);

Q_SIGNALS:
    void kept(const QString& name); // the entry may say something else about its key now

private:
    void askStore();
    void follow();
    void set();
    void forget();
    void tell(const QString& text, const char* role);
    void done(const QString& name, const QString& sentence, const Result<void>& result);

    Session& m_session;
    server::Endpoints& m_endpoints;
    QString m_name;
    std::string m_source; // of the saved entry: server::keySource()
    QSet<QString> m_typed; // servers with a key of this session; asking Endpoints could wait for a run
    bool m_asked = false, m_known = false;
    std::optional<Error> m_storeProblem; // why the desktop's key store cannot be used
    QLineEdit* m_key;
    QComboBox* m_where;
    QPushButton *m_set, *m_forget;
    QLabel* m_says;
};

} // namespace carousel::ui
