// SPDX-License-Identifier: GPL-3.0-or-later
// The strategies that an off-policy evaluation can put in the place of the logging policy: those of the study being edited and those of past
// studies, each once, with a tick.
#pragma once
#include "session/session.h"
#include <QWidget>

class QLabel;
class QListWidget;

namespace carousel::ui {

class StrategyChoice : public QWidget {
    Q_OBJECT
public:
    explicit StrategyChoice(Session& session);
    void refresh(const std::string& dataset); // strategies made for this data set come first; ticks stay
    std::vector<StrategySpec> chosen() const; // with names of their own

Q_SIGNALS:
    void edited();

private:
    struct Offer {
        StrategySpec strategy;
        QString origin;
        bool sameDataset = false, usesLanguageModel = false;
    };
    std::vector<Offer> offers(const std::string& dataset);
    Session& m_session;
    QListWidget* m_list;
    QLabel* m_hint;
    std::vector<Offer> m_offers;
    std::map<std::int64_t, StudySpec> m_studies; // read once each
    std::vector<StrategySpec> m_ticked, m_unticked;
    bool m_filling = false;
};

} // namespace carousel::ui
