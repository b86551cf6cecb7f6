// SPDX-License-Identifier: GPL-3.0-or-later
// What slots and policies do, read off logs: at the left what to analyse and what was analysed, at the right the document that says what was found.
#pragma once
#include "pages/page.h"
#include "report/analysis_document.h"

class QLabel;
class QPushButton;
class QSplitter;

namespace carousel::ui {

class AnalysisList;
class AnalysisSetup;
class DocumentView;

class ExperimentsPage : public Page {
    Q_OBJECT
public:
    explicit ExperimentsPage(Session& session);
    void entered() override;
    bool isBusy() const override;
    QList<PaletteEntry> paletteEntries() const override;

    void run();                          // what the setup says; says why when it cannot
    void openAnalysis(std::int64_t id);
    std::int64_t shown() const { return m_shown; } // 0: none, or one that is not kept
    bool isRunning() const { return m_job != 0; }
    void removeAnalysis(std::int64_t id); // without asking
    void compareSelected();               // the experiments that are selected in the list; says why when it cannot
    // FILE.html, FILE.json or a folder.
    void writeTo(const QString& fileOrFolder);
    void copyCommand();

Q_SIGNALS:
    void analysed(bool ok);
    void opened(qint64 id, bool ok);
    void compared(bool ok);
    void written(bool ok);

private:
    QWidget* makeLeft();
    QWidget* makeRight();
    QPushButton* makeExport();
    void follow();          // what the project has decides between empty, loading and ready
    void followSetup();
    void showNothing();
    void showDocument(const AnalysisDocument& document, std::int64_t id);
    void readList(std::function<void()> then = {});
    void removeCurrent();
    void askForFile(const QString& ending);
    void askForFolder();
    QString proposedName() const;

    AnalysisSetup* m_setup;
    AnalysisList* m_list;
    QLabel *m_listHint, *m_runningText;
    QWidget* m_runningBar;
    StateView* m_documentState;
    DocumentView* m_document;
    QString whyNotCompared() const; // empty: it can be
    QAction *m_runAction, *m_copyAction, *m_removeAction, *m_compareAction;
    QPushButton* m_export;
    std::int64_t m_shown = 0, m_shownAtStart = 0;
    void showPartial(const AnalysisDocument& document);
    bool m_live = false; // the document shown is of the experiment that is under way
    bool m_hasDocument = false, m_listRead = false, m_reading = false, m_opening = false;
    JobNumber m_job = 0;
};

} // namespace carousel::ui
