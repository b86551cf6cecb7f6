// SPDX-License-Identifier: GPL-3.0-or-later
// A small pill: a shape, a word and, as tooltip and accessible description, the reason. Colour is never the only sign.
#pragma once
#include <QWidget>

namespace carousel::ui {

class Badge : public QWidget {
    Q_OBJECT
public:
    enum class Tone { neutral, good, warning, bad, accent };
    explicit Badge(const QString& text, Tone tone = Tone::neutral, const QString& reason = {}, QWidget* parent = nullptr);
    void setBadge(const QString& text, Tone tone, const QString& reason = {});
    QString text() const { return m_text; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_text;
    Tone m_tone;
};

// A strategy's marker in its colour, with its name beside it.
class StrategyChip : public QWidget {
    Q_OBJECT
public:
    StrategyChip(int index, const QString& name, QWidget* parent = nullptr);
    void setStrategy(int index, const QString& name);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {40, sizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int m_index;
    QString m_name;
};

} // namespace carousel::ui
