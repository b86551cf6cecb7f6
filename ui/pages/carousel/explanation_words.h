// SPDX-License-Identifier: GPL-3.0-or-later
// Why an item is here, in sentences: who writes them is chosen here, what no fact backs is underlined with the reason, and counted. Our own
// sentences are made at once; a language model is asked when the user says so, and can be stopped.
#pragma once
#include "workbench/grounded_explanations.h"
#include <QFrame>
#include <functional>

class QComboBox;
class QLabel;
class QPushButton;
class QTextEdit;
class QToolButton;

namespace carousel::ui {

class Session;

class ExplanationWords : public QFrame {
    Q_OBJECT
public:
    // Who explains; called on a job's thread.
    using Source = std::function<Result<GroundedExplanation>(std::int64_t run, Code user, Code item, const Parameters& options, const RunControl& control)>;
    explicit ExplanationWords(Session& session, Source source = {});

    void show(std::int64_t run, Code user, Code item); // run 0: nothing
    bool hasItem() const { return m_run != 0; }
    bool isBusy() const { return m_job != 0; }
    int m_asked = 0; // counts questions: an answer to an earlier one is dropped
    int unsupported() const { return m_unsupported; } // of the text that is shown; -1: none is
    Parameters options() const;

public Q_SLOTS:
    void write(); // by the writer that is chosen
    void stop();

private:
    void chooseWriter();
    void editSettings();
    void present(const GroundedExplanation& told);
    void clear(const QString& note);
    void showButtons();

    Session& m_session;
    Source m_source;
    std::int64_t m_run = 0;
    Code m_user = noCode, m_item = noCode;
    Parameters m_settings; // beside the writer
    quint64 m_job = 0;
    int m_unsupported = -1;
    QComboBox* m_writer;
    QPushButton* m_write;
    QToolButton* m_edit;
    QTextEdit* m_text;
    QLabel* m_count;
};

} // namespace carousel::ui
