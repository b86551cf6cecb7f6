// SPDX-License-Identifier: GPL-3.0-or-later
// The model shelf as the window sees it: what is on it, and the jobs that change it. It needs no project. One object for all pages, so that
// a model added on one of them is offered by the forms of the others at once.
#pragma once
#include "llm/model_intake.h"
#include "llm/model_shelf.h"
#include "llm/speed_probe.h"
#include "widgets/parameter_form.h"
#include <QObject>
#include <map>
#include <optional>

namespace carousel::ui {

class Session;

class ModelList : public QObject {
    Q_OBJECT
public:
    explicit ModelList(Session& session);

    const std::vector<ModelStatus>& models() const { return m_models; }
    const ModelStatus* find(const std::string& id) const;
    bool isRead() const { return m_read; }       // at least once
    bool isReading() const { return m_reading; }
    const std::optional<Error>& error() const { return m_error; } // why it could not be read
    std::vector<FormModel> formModels() const;   // for forms; servers as server:NAME
    bool hasServer(const std::string& name) const;
    const std::vector<std::string>& consenting() const { return m_consenting; } // servers that data may be sent to

    void read(); // again; at once if it was never read
    void readOnce();
    void add(const QString& path, bool link = false);
    void check(const std::vector<std::string>& ids); // empty: all
    void measure(const std::string& id);
    void remove(const std::vector<std::string>& ids);

Q_SIGNALS:
    void changed();
    void added(const QString& id);
    void refused(const QString& path, const carousel::Error& error);     // add
    void checked(int sound, int damaged);
    void measureFailed(const QString& id, const carousel::Error& error);

private:
    void take(std::vector<ModelStatus> models, bool hashed);
    Session& m_session;
    std::vector<ModelStatus> m_models;
    std::vector<std::string> m_servers; // names of those that the user has described
    std::vector<std::string> m_consenting;
    std::map<std::string, ModelStatus> m_wrongHashes; // found by the last check; a look at sizes alone does not see them
    std::optional<Error> m_error;
    bool m_read = false, m_reading = false;
};

} // namespace carousel::ui
