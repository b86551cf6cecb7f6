// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/experiments/strategy_choice.h"
#include "session/study_draft.h"
#include "widgets/text.h"
#include <QListWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <set>

namespace carousel::ui {

namespace {
constexpr int rowHeight = 26, mostShown = 6;

bool contains(const std::vector<StrategySpec>& list, const StrategySpec& strategy) { return std::find(list.begin(), list.end(), strategy) != list.end(); }
} // namespace

StrategyChoice::StrategyChoice(Session& session) : m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    auto* title = textLabel(tr("Strategies to evaluate"), "heading");
    column->addWidget(title);
    m_list = new QListWidget;
    m_list->setAccessibleName(tr("Strategies to evaluate"));
    m_list->setUniformItemSizes(true);
    m_list->setTextElideMode(Qt::ElideRight);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    title->setBuddy(m_list);
    column->addWidget(m_list);
    m_hint = textLabel({}, "caption", true);
    column->addWidget(m_hint);
    connect(m_list, &QListWidget::itemChanged, this, [this](QListWidgetItem* item) {
        if (m_filling)
            return;
        const auto& strategy = m_offers[static_cast<std::size_t>(m_list->row(item))].strategy;
        std::erase(m_ticked, strategy);
        std::erase(m_unticked, strategy);
        (item->checkState() == Qt::Checked ? m_ticked : m_unticked).push_back(strategy);
        Q_EMIT edited();
    });
}

std::vector<StrategyChoice::Offer> StrategyChoice::offers(const std::string& dataset) {
    std::vector<Offer> list;
    const auto& plugins = m_session.workbench().plugins();
    const auto add = [&](const StudySpec& study, const QString& origin) {
        for (const auto& strategy : study.strategies) {
            if (std::any_of(list.begin(), list.end(), [&](const Offer& offer) { return offer.strategy == strategy; }))
                continue;
            Offer offer{strategy, origin, study.dataset == dataset, false};
            for (const auto& entry : plugins.all())
                offer.usesLanguageModel = offer.usesLanguageModel || (entry.manifest.usesLanguageModel && strategy.stage(entry.manifest.kind).plugin == entry.manifest.id);
            list.push_back(std::move(offer));
        }
    };
    add(m_session.draft().study(), tr("study being edited"));
    std::set<std::int64_t> seen;
    for (const auto& run : m_session.runs()) {
        if (!seen.insert(run.study).second)
            continue;
        auto known = m_studies.find(run.study);
        if (known == m_studies.end()) {
            auto study = parseStudy(run.studyToml, plugins);
            if (!study) // made with plugins that are not here: it cannot be run either
                continue;
            known = m_studies.emplace(run.study, std::move(*study)).first;
        }
        add(known->second, qs(run.studyName));
    }
    std::stable_sort(list.begin(), list.end(), [](const Offer& a, const Offer& b) { return a.sameDataset > b.sameDataset; });
    return list;
}

void StrategyChoice::refresh(const std::string& dataset) {
    m_filling = true;
    m_offers = offers(dataset);
    m_list->clear();
    for (const auto& offer : m_offers) {
        QString words = QStringLiteral("%1  ·  %2").arg(qs(offer.strategy.name), offer.origin);
        auto* item = new QListWidgetItem(words, m_list);
        QString tip = words;
        if (!offer.sameDataset)
            tip += tr("\nMade for another data set: names of fields may not fit this one.");
        if (offer.usesLanguageModel)
            tip += tr("\nUses a language model: ordering the catalogue for every user of the log may take long. Limit the users under More options.");
        item->setToolTip(plainToolTip(tip));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        const bool quick = offer.sameDataset && !offer.usesLanguageModel;
        const bool on = contains(m_ticked, offer.strategy) || (quick && !contains(m_unticked, offer.strategy));
        item->setCheckState(on ? Qt::Checked : Qt::Unchecked);
    }
    m_list->setFixedHeight(std::clamp(static_cast<int>(m_offers.size()), 1, mostShown) * rowHeight + 6);
    m_list->setVisible(!m_offers.empty());
    m_hint->setText(m_offers.empty() ? tr("There is no strategy in this project yet: the logging policies are evaluated on each other's slates. Strategies are made on the Strategies page.")
                                     : tr("With none ticked, the logging policies are evaluated on each other's slates."));
    m_filling = false;
}

std::vector<StrategySpec> StrategyChoice::chosen() const {
    std::vector<StrategySpec> list;
    std::set<std::string> names;
    for (int row = 0; row < m_list->count(); ++row) {
        if (m_list->item(row)->checkState() != Qt::Checked)
            continue;
        StrategySpec strategy = m_offers[static_cast<std::size_t>(row)].strategy;
        const std::string wish = strategy.name;
        for (int n = 2; !names.insert(strategy.name).second; ++n) // two versions of one name stay apart
            strategy.name = wish + " " + std::to_string(n);
        list.push_back(std::move(strategy));
    }
    return list;
}

} // namespace carousel::ui
