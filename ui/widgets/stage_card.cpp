// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/stage_card.h"
#include "theme/theme.h"
#include "widgets/badge.h"
#include "widgets/text.h"
#include <QButtonGroup>
#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

QString stageTitle(StageKind kind) {
    switch (kind) {
    case StageKind::feature: return QObject::tr("Features");
    case StageKind::encoder: return QObject::tr("Encoder");
    case StageKind::scorer: return QObject::tr("Scorer");
    case StageKind::controller: return QObject::tr("Controller");
    }
    return {};
}

StageCard::StageCard(StageKind kind, QWidget* parent) : QAbstractButton(parent), m_kind(kind) {
    setAccessibleName(stageTitle(kind));
    setCheckable(true);
    setAutoExclusive(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFixedHeight(136); // all four alike, whatever their summaries
    setCursor(Qt::PointingHandCursor);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(14, 10, 14, 10);
    column->setSpacing(3);
    m_place = textLabel(stageTitle(kind), "caption");
    m_plugin = textLabel({}, "heading");
    m_summary = textLabel({}, "caption", true);
    m_summary->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_state = new Badge(tr("ready"));
    for (QWidget* passive : std::initializer_list<QWidget*>{m_place, m_plugin, m_summary})
        passive->setAttribute(Qt::WA_TransparentForMouseEvents);
    column->addWidget(m_place);
    column->addWidget(m_plugin);
    column->addWidget(m_summary, 1);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    row->addWidget(m_state);
    row->addStretch();
    auto* group = new QButtonGroup(this);
    const auto half = [&](const QString& text, bool on) {
        auto* button = new QToolButton;
        button->setText(text);
        button->setProperty("kind", QStringLiteral("switch"));
        button->setCheckable(true);
        button->setAccessibleName(tr("%1: language model %2").arg(stageTitle(m_kind), on ? tr("on") : tr("off")));
        group->addButton(button);
        row->addWidget(button);
        connect(button, &QToolButton::clicked, this, [this, on] {
            if (property("llm").toBool() != on)
                Q_EMIT twinWanted(m_kind);
        });
        return button;
    };
    m_off = half(tr("LLM off"), false);
    m_on = half(tr("on"), true);
    column->addLayout(row);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void StageCard::showStage(const PluginManifest* manifest, const QString& summary, const QString& problem) {
    const QString plugin = manifest ? qs(manifest->name) : tr("no plugin");
    m_plugin->setText(plugin);
    m_summary->setText(summary);
    const bool llm = manifest && manifest->usesLanguageModel;
    setProperty("llm", llm);
    m_on->setChecked(llm);
    m_off->setChecked(!llm);
    const bool twin = manifest && !manifest->twin.empty();
    const QString tip = twin ? tr("One click puts the twin in this place: %1").arg(qs(manifest->twin)) : tr("This plugin has no twin to switch to.");
    for (auto* button : {m_off, m_on}) {
        button->setEnabled(twin || button->isChecked());
        button->setToolTip(tip);
    }
    m_state->setBadge(problem.isEmpty() ? tr("ready") : tr("not ready"), problem.isEmpty() ? Badge::Tone::good : Badge::Tone::warning, problem);
    setAccessibleName(tr("%1: %2").arg(stageTitle(m_kind), plugin));
    setAccessibleDescription(problem.isEmpty() ? summary : problem);
    setToolTip(manifest ? plainToolTip(qs(manifest->summary)) : QString());
    update();
}

void StageCard::paintEvent(QPaintEvent*) {
    const Palette& c = Theme::instance().colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const qreal width = isChecked() ? 2 : 1;
    painter.setPen(QPen(isChecked() ? c.accent : hasFocus() || underMouse() ? c.bandEdge : c.border, width, hasFocus() && !isChecked() ? Qt::DashLine : Qt::SolidLine));
    painter.setBrush(c.surface);
    const qreal inset = width / 2;
    painter.drawRoundedRect(QRectF(rect()).adjusted(inset, inset, -inset, -inset), 6, 6);
    if (hasFocus() && isChecked()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(c.accent, 1, Qt::DotLine));
        painter.drawRoundedRect(QRectF(rect()).adjusted(4, 4, -4, -4), 4, 4);
    }
}

} // namespace carousel::ui
