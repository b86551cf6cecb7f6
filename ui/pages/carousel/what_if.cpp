// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/what_if.h"
#include "pages/carousel/carousel_strip.h"
#include "widgets/text.h"
#include <algorithm>
#include <cmath>

namespace carousel::ui {

void WhatIf::begin(const EvaluationSpec& evaluation) {
    m_examination = evaluation.examination;
    m_study = m_model = CarouselModel::geometric(evaluation.window, evaluation.swipe, m_examination);
    Q_EMIT changed();
}

int WhatIf::smallestWindow() const {
    return std::min(ui::smallestWindow, m_study.window);
}
int WhatIf::largestWindow() const {
    return std::max(ui::largestWindow, m_study.window);
}

bool WhatIf::isChanged() const {
    return m_model.window != m_study.window || std::abs(m_model.swipe - m_study.swipe) > 1e-9;
}

QString WhatIf::words() const {
    QStringList parts;
    if (m_model.window != m_study.window)
        parts << tr("%1 visible instead of %2").arg(m_model.window).arg(m_study.window);
    if (std::abs(m_model.swipe - m_study.swipe) > 1e-9)
        parts << tr("s %1 instead of %2").arg(figures(m_model.swipe), figures(m_study.swipe));
    return parts.join(QStringLiteral(", "));
}

void WhatIf::set(int window, double swipe) {
    window = std::clamp(window, smallestWindow(), largestWindow());
    swipe = std::clamp(swipe, 0.0, 1.0);
    if (window == m_model.window && swipe == m_model.swipe)
        return;
    m_model = CarouselModel::geometric(window, swipe, m_examination);
    Q_EMIT changed();
}

void WhatIf::setWindow(int window) {
    set(window, m_model.swipe);
}
void WhatIf::setSwipe(double swipe) {
    set(m_model.window, swipe);
}
void WhatIf::reset() {
    set(m_study.window, m_study.swipe);
}

} // namespace carousel::ui
