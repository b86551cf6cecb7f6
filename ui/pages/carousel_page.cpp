// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel_page.h"
#include "models/text_table_model.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QTableView>

namespace carousel::ui {

CarouselPage::CarouselPage(Session& session)
    : ComparisonPage(session, QStringLiteral("carousel"), QStringLiteral("view-presentation"), tr("Carousel"), tr("What does a visitor see, and what is lost behind the fold?")) {
    m_table = new QTableView;
    setUpTable(m_table, tr("Reach, clicks and value per position"));
    m_model = new TextTableModel(this);
    m_table->setModel(m_model);
    setContent(m_table);
    begin();
}

void CarouselPage::showComparison(const ComparisonPtr& comparison) {
    std::vector<QStringList> rows;
    for (const auto& strategy : comparison->strategies)
        for (std::size_t slot = 0; slot < strategy.slots.size(); ++slot)
            rows.push_back({qs(strategy.strategy.name), count(static_cast<std::int64_t>(slot) + 1), figures(strategy.slots[slot].reach), figures(strategy.slots[slot].click),
                            figures(strategy.slots[slot].value), figures(strategy.slots[slot].hidden)});
    m_model->setTable({tr("strategy"), tr("position"), tr("reach"), tr("click"), tr("value"), tr("hidden value")}, std::move(rows), {false, true, true, true, true, true});
    fitColumns(m_table);
}

} // namespace carousel::ui
