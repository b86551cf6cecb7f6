// SPDX-License-Identifier: GPL-3.0-or-later
// A report shown inside the window: its words and tables, without pictures, styles or scripts, and never loading anything.
#pragma once
#include <QTextBrowser>

class QTreeWidget;

namespace carousel::ui {

// The report without head, style, script and svg elements; a line stands where a plot was.
QString simplifiedReport(const QString& html);

class ReportPreview : public QTextBrowser {
    Q_OBJECT
public:
    explicit ReportPreview(QWidget* parent = nullptr);
    void showReport(const QString& html);
    QVariant loadResource(int type, const QUrl& name) override;

private:
    void redraw();
    QString m_body;
};

// Fills the tree with a JSON document, keys left, values right; text that is no JSON becomes one row.
void showJson(QTreeWidget& tree, const std::string& json);

} // namespace carousel::ui
