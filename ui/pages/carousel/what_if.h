// SPDX-License-Identifier: GPL-3.0-or-later
// The fold and the swipe probability that the Carousel page looks at, beside those that the study ran with. Every panel of the page shares
// them: what is dragged in one is what the others show.
#pragma once
#include "evaluation/carousel/value.h"
#include "experiment/specification.h"
#include <QObject>

namespace carousel::ui {

class WhatIf : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    // Forgets what was dragged. Emits changed().
    void begin(const EvaluationSpec& evaluation);
    const CarouselModel& model() const { return m_model; }
    const CarouselModel& study() const { return m_study; }
    int window() const { return m_model.window; }
    double swipe() const { return m_model.swipe; }
    int smallestWindow() const;
    int largestWindow() const;
    bool isChanged() const;
    QString words() const; // "7 visible instead of 6, s 0.5 instead of 0.35"; empty when nothing is changed

public Q_SLOTS:
    void setWindow(int window);
    void setSwipe(double swipe);
    void reset();

Q_SIGNALS:
    void changed();

private:
    void set(int window, double swipe);
    double m_examination = 0.85;
    CarouselModel m_study = CarouselModel::geometric(6, 0.35, 0.85), m_model = m_study;
};

} // namespace carousel::ui
