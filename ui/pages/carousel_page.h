// SPDX-License-Identifier: GPL-3.0-or-later
// Carousel: what a user sees, what lies behind the fold, and what every position is worth.
#pragma once
#include "pages/comparison_page.h"

class QTableView;

namespace carousel::ui {

class TextTableModel;

class CarouselPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit CarouselPage(Session& session);

protected:
    void showComparison(const ComparisonPtr& comparison) override;

private:
    TextTableModel* m_model;
    QTableView* m_table;
};

} // namespace carousel::ui
