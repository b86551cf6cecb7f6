// SPDX-License-Identifier: GPL-3.0-or-later
// The study being edited: strategies, data set, split, evaluation. Every edit can be undone; the draft is kept in the project.
#pragma once
#include "experiment/specification.h"
#include <QObject>
#include <QTimer>
#include <QUndoStack>

namespace carousel::ui {

class Session;

class StudyDraft : public QObject {
    Q_OBJECT
public:
    explicit StudyDraft(Session& session);

    const StudySpec& study() const { return m_study; }
    int current() const { return m_current; } // index of the strategy being edited, -1 when there is none
    const StrategySpec* strategy() const;
    QUndoStack& undoStack() { return m_undo; }
    bool isEmpty() const { return m_study.strategies.empty(); }

    void setCurrent(int index);
    // `mergeId`: edits of one kind on one thing in a row (typing) become one step; 0: never.
    void edit(const QString& what, StudySpec after, int mergeId = 0);
    void replace(StudySpec study, const QString& what); // loads another study; can be undone too

    void addStrategy();
    void copyStrategy();
    void removeStrategy();
    Result<void> renameStrategy(const QString& name); // names are unique in a study
    Result<void> switchTwin(StageKind kind);          // the one-click language model switch
    Result<void> setPlugin(StageKind kind, const QString& plugin);
    Result<void> setParameters(StageKind kind, const Parameters& parameters);
    void setEventModel(const QString& model);
    bool canRun(QString* reason = nullptr) const;

    Result<void> load(const std::string& toml, const QString& what);
    std::string toml() const { return toToml(m_study); }

Q_SIGNALS:
    void changed();        // the study or the current strategy

private:
    friend class StudyEdit;
    void apply(const StudySpec& study);
    void save();
    void takeNewest();
    bool m_wantsNewest = false;
    QString freeName(const QString& wish) const;
    Session& m_session;
    StudySpec m_study;
    int m_current = -1;
    QUndoStack m_undo;
    QTimer m_saveTimer;
};

} // namespace carousel::ui
