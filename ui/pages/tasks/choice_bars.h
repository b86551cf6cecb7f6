// SPDX-License-Identifier: GPL-3.0-or-later
// Answers that a model weighed, best first, each with its probability as a figure and a bar; the longest bar is the first. What was so is
// marked with a star.
#pragma once
#include "workbench/tasks/task_desk.h"
#include <QWidget>

namespace carousel::ui {

class ChoiceBars : public QWidget {
    Q_OBJECT
public:
    explicit ChoiceBars(const QString& accessibleName, QWidget* parent = nullptr);
    // `shown`: rows at once; the rest is only in the description that is read aloud.
    void setChoices(const std::vector<TaskCard::Choice>& choices, const QString& truth, std::size_t shown);
    std::size_t rows() const { return m_rows.size(); }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {120, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    int rowHeight() const;
    struct Row {
        QString text, figure;
        double share = 0; // of the first one's probability
        bool isTruth = false;
    };
    std::vector<Row> m_rows;
};

} // namespace carousel::ui
