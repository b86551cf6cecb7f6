// SPDX-License-Identifier: GPL-3.0-or-later
// Report: one self-contained HTML file that a colleague can read and replay.
#pragma once
#include "pages/comparison_page.h"

namespace carousel::ui {

class ReportPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit ReportPage(Session& session);

protected:
    void showComparison(const ComparisonPtr& comparison) override;

private:
    void write();
    QLabel* m_text;
};

} // namespace carousel::ui
