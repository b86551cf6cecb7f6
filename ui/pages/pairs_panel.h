// SPDX-License-Identifier: GPL-3.0-or-later
// All pairs of the compared runs on the chosen metric: difference, interval, effect size, p values for all pairs together; below, what other
// seeds in the project say. Worked out away from the window's thread, and only while the panel is in sight.
#pragma once
#include "session/run_selection.h"
#include "session/session.h"
#include "workbench/run_pairs.h"
#include <QWidget>
#include <memory>

class QComboBox;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace carousel::ui {

class DocumentTable;

class PairsPanel : public QWidget {
    Q_OBJECT
public:
    explicit PairsPanel(Session& session, QWidget* parent = nullptr);
    void setComparison(ComparisonPtr comparison, int metric); // metric: of the comparison's definitions
    PairCorrection correction() const;
    void setCorrection(PairCorrection correction);
    bool exportTo(const QString& file); // every number as CSV
    QString toTsv() const;              // the table of pairs as shown

Q_SIGNALS:
    void shown(bool ok); // the tables are there, or the reason why not

protected:
    void showEvent(QShowEvent* event) override;

private:
    void compute();
    void redraw();
    void say(const QString& text);
    Session& m_session;
    ComparisonPtr m_comparison;
    int m_metric = -1;
    bool m_stale = false;
    std::shared_ptr<const PairComparison> m_pairs;
    QLabel* m_state;
    QComboBox* m_correction;
    QPushButton* m_export;
    QVBoxLayout* m_tables;
    DocumentTable* m_table = nullptr;
};

} // namespace carousel::ui
