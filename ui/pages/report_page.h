// SPDX-License-Identifier: GPL-3.0-or-later
// Report: which runs, into which file; what the file says is shown beside it, with the provenance that it carries. One run can also be
// written for other programs.
#pragma once
#include "pages/comparison_page.h"

class QCheckBox;
class QComboBox;
class QFrame;
class QLineEdit;
class QListWidget;
class QPushButton;
class QTabWidget;
class QTimer;
class QTreeWidget;

namespace carousel::ui {

class ReportPreview;

class ReportPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit ReportPage(Session& session);
    bool isBusy() const override;
    void entered() override;
    std::vector<std::int64_t> chosen() const; // runs that are ticked, in the order of the list
    void setFile(const QString& file);
    QString file() const;

public Q_SLOTS:
    void write();
    void exportRun(const QString& file); // the chosen run in the chosen format

Q_SIGNALS:
    void written(bool ok, const QString& what);

protected:
    void showComparison(const ComparisonPtr& comparison) override;

private:
    QWidget* makeForm();
    QWidget* makePreview();
    void present(const ComparisonPtr& comparison);
    void followChoice();
    void readPreview();
    void showResult(bool ok, const QString& text, const QString& file);
    void followFile();

    ComparisonPtr m_shown;
    QAction* m_write = nullptr;
    QListWidget* m_runs;
    QLabel *m_title, *m_others, *m_fileHint, *m_result;
    QCheckBox* m_png;
    QLineEdit* m_file;
    QComboBox *m_run, *m_format;
    QPushButton *m_export, *m_openFile, *m_openFolder;
    QFrame* m_resultCard;
    ReportPreview* m_preview;
    QLabel* m_previewState;
    QTreeWidget* m_provenance;
    QTimer* m_timer;
    QString m_resultFile;
};

} // namespace carousel::ui
