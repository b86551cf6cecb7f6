// SPDX-License-Identifier: GPL-3.0-or-later
// An analysis document in the window: title and verdict, figures, what was checked with its light, warnings, then sections with paragraphs,
// plots, tables and definitions. A strip of contents leads to every part of a long document.
#pragma once
#include "report/analysis_document.h"
#include "widgets/badge.h"
#include <QWidget>
#include <vector>

class QScrollArea;
class QTabBar;
class QVBoxLayout;

namespace carousel::ui {

class OriginWindow;
class PlotView;

// "supported", "weak" or "not supported" with its shape and colour; nullptr where no light is given.
Badge* lightBadge(Light light, const QString& reason = {});
// "● supported": for lists, where a word and a shape must do without a widget.
QString lightWords(const QString& word);

class DocumentView : public QWidget {
    Q_OBJECT
public:
    explicit DocumentView(QWidget* parent = nullptr);
    void setDocument(const AnalysisDocument& document);
    // The same document with newer figures: the reader stays where they are.
    void updateDocument(const AnalysisDocument& document);
    const AnalysisDocument& document() const { return m_document; }
    const QStringList& contents() const { return m_titles; } // the parts, in order
    void showPart(int part);
    QList<PlotView*> plots() const;
    OriginWindow* origin() const { return m_origin; } // of the cell asked for last; nullptr before

Q_SIGNALS:
    void exported(const QString& file); // one of its plots
    void exportFailed(const QString& message);

private:
    void clear();
    void addVerdict();
    void addFindings();
    void addSection(const ReportSection& section);
    void beginPart(const QString& title, QWidget* first);
    void followScrolling();
    AnalysisDocument m_document;
    QTabBar* m_tabs;
    QScrollArea* m_scroll;
    QWidget* m_page = nullptr;
    QVBoxLayout* m_column = nullptr;
    std::vector<QWidget*> m_parts;
    QStringList m_titles;
    OriginWindow* m_origin = nullptr;
    bool m_following = false;
};

} // namespace carousel::ui
