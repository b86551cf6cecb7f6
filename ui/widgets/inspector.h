// SPDX-License-Identifier: GPL-3.0-or-later
// The folding panel at the right of a page: everything about the one thing that is selected, as plain, selectable text.
#pragma once
#include <QFrame>
#include <utility>
#include <vector>

class QLabel;
class QToolButton;
class QVBoxLayout;

namespace carousel::ui {

struct InspectorRow {
    QString name, value;
};

class Inspector : public QFrame {
    Q_OBJECT
public:
    explicit Inspector(QWidget* parent = nullptr);
    void showRows(const QString& heading, const std::vector<InspectorRow>& rows, const QString& note = {});
    void clear(const QString& hint);
    void setFolded(bool folded);
    void setFooter(QWidget* footer); // once: below the rows, folds with them; whoever made it shows and hides what is in it

private:
    void reset();
    QToolButton* m_fold;
    QWidget* m_content;
    QVBoxLayout* m_rows;
    QWidget* m_footer = nullptr;
    QLabel* m_heading;
};

} // namespace carousel::ui
