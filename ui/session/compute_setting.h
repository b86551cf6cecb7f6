// SPDX-License-Identifier: GPL-3.0-or-later
// Where language models compute and in which numbers. The study being edited says it, so that what is shown is what is run; without one, and
// for new studies, the choice that was made last counts (kept in the user's settings).
#pragma once
#include "base/result.h"
#include "llm/model_memory.h"
#include <QObject>
#include <optional>

namespace carousel {
struct StudySpec;
}

namespace carousel::ui {

class Session;

class ComputeSetting : public QObject {
    Q_OBJECT
public:
    explicit ComputeSetting(Session& session);

    QString device() const; // id of stages/compute_choice.h
    QString type() const;
    void setDevice(const QString& device);
    void setType(const QString& type);
    QString text() const; // "CPU · auto · 2 threads"

    // Puts the choice made last into a study that does not say otherwise.
    static void apply(StudySpec& study, bool device = true, bool type = true);

    // What this machine can do; known some moments after ask(), which loads LibTorch on a job thread the first time.
    void ask();
    bool isKnown() const { return m_known; }
    const std::optional<Error>& cardProblem() const { return m_cardProblem; } // why cuda cannot be used; empty: it can
    const AutomaticTypes& automatic() const { return m_automatic; } // what "auto" comes to on the processor; the usual until it is known
    QString automaticWords() const { return m_automaticWords; }     // the same for people, with the speeds that were measured; empty: not known

Q_SIGNALS:
    void changed();
    void known();

private:
    void set(const QString& device, const QString& type);
    bool hasStudy() const;
    Session& m_session;
    bool m_known = false, m_asking = false;
    std::optional<Error> m_cardProblem;
    AutomaticTypes m_automatic;
    QString m_automaticWords;
};

} // namespace carousel::ui
