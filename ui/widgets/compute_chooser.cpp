// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/compute_chooser.h"
#include "session/compute_setting.h"
#include "stages/compute_choice.h"
#include "widgets/text.h"
#include <QActionGroup>
#include <QMenu>

namespace carousel::ui {

ComputeChooser::ComputeChooser(ComputeSetting& setting, QWidget* parent) : QPushButton(parent), m_setting(setting) {
    setProperty("kind", QStringLiteral("quiet"));
    setObjectName(QStringLiteral("computeChooser"));
    m_menu = new QMenu(this);
    m_menu->setToolTipsVisible(true);
    setMenu(m_menu);
    connect(m_menu, &QMenu::aboutToShow, this, [this] {
        m_setting.ask();
        fill();
    });
    connect(&setting, &ComputeSetting::known, this, &ComputeChooser::fill);
    connect(&setting, &ComputeSetting::changed, this, &ComputeChooser::follow);
    fill();
    follow();
}

void ComputeChooser::follow() {
    setText(m_setting.text() + QStringLiteral("  ▾"));
    setAccessibleName(tr("Where language models compute: %1").arg(m_setting.text()));
    setToolTip(tr("Where language models compute, and in which numbers. Runs and speed measurements use it."));
    for (auto* action : m_menu->actions())
        if (action->isCheckable())
            action->setChecked(action->data().toString() == QStringLiteral("device ") + m_setting.device() ||
                               action->data().toString() == QStringLiteral("type ") + m_setting.type());
}

void ComputeChooser::fill() {
    m_menu->clear();
    const auto heading = [this](const QString& text) {
        auto* action = m_menu->addAction(text);
        action->setEnabled(false);
    };
    const auto add = [this](QActionGroup* group, const QString& key, const QString& text) {
        auto* action = m_menu->addAction(text);
        action->setCheckable(true);
        action->setData(key);
        group->addAction(action);
        return action;
    };
    heading(tr("Language models compute on"));
    auto* devices = new QActionGroup(m_menu);
    for (const auto& choice : deviceChoices) {
        const QString id = QString::fromLatin1(choice.id);
        QString help = QString::fromUtf8(choice.help);
        const bool card = id == QLatin1String("cuda");
        if (card && !m_setting.isKnown())
            help = tr("looking for a graphics card…");
        else if (card && m_setting.cardProblem())
            help = tr("not here: %1").arg(qs(m_setting.cardProblem()->message));
        auto* action = add(devices, QStringLiteral("device ") + id, QStringLiteral("%1 — %2").arg(id == QLatin1String("cpu") ? tr("CPU") : card ? tr("CUDA") : tr("Auto"), help));
        action->setEnabled(!card || (m_setting.isKnown() && !m_setting.cardProblem()));
        connect(action, &QAction::triggered, this, [this, id] { m_setting.setDevice(id); });
    }
    m_menu->addSeparator();
    heading(tr("in numbers of"));
    auto* types = new QActionGroup(m_menu);
    for (const auto& choice : computeTypeChoices) {
        const QString id = QString::fromLatin1(choice.id);
        QString help = QString::fromUtf8(choice.help);
        if (id == QLatin1String("auto") && !m_setting.automaticWords().isEmpty())
            help += QStringLiteral("; ") + m_setting.automaticWords();
        auto* action = add(types, QStringLiteral("type ") + id, QStringLiteral("%1 — %2").arg(id, help));
        connect(action, &QAction::triggered, this, [this, id] { m_setting.setType(id); });
    }
    follow();
}

} // namespace carousel::ui
