// SPDX-License-Identifier: GPL-3.0-or-later
// One of the four places of a strategy: its plugin, what is set, its state, and the switch that puts the twin with or without a language
// model in its place. The card is a button: clicking it selects the place.
#pragma once
#include "stages/plugin.h"
#include <QAbstractButton>

class QLabel;
class QToolButton;

namespace carousel::ui {

class Badge;

QString stageTitle(StageKind kind); // "Features", "Encoder", "Scorer", "Controller"

class StageCard : public QAbstractButton {
    Q_OBJECT
public:
    explicit StageCard(StageKind kind, QWidget* parent = nullptr);
    // `problem` is empty when the place can be used.
    void showStage(const PluginManifest* manifest, const QString& summary, const QString& problem);
    StageKind kind() const { return m_kind; }
    QSize sizeHint() const override { return {210, 148}; }

Q_SIGNALS:
    void twinWanted(carousel::StageKind kind);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    StageKind m_kind;
    QLabel *m_place, *m_plugin, *m_summary;
    Badge* m_state;
    QToolButton *m_off, *m_on;
};

} // namespace carousel::ui
