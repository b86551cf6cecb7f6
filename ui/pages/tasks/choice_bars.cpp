// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/tasks/choice_bars.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int markWidth = 18, gap = 8;
}

ChoiceBars::ChoiceBars(const QString& accessibleName, QWidget* parent) : QWidget(parent) {
    setAccessibleName(accessibleName);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&Theme::instance(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ChoiceBars::setChoices(const std::vector<TaskCard::Choice>& choices, const QString& truth, std::size_t shown) {
    m_rows.clear();
    QStringList words;
    const double top = choices.empty() ? 1 : choices.front().probability;
    for (const auto& choice : choices) {
        Row row{qs(choice.text), figures(choice.probability), top > 0 ? std::clamp(choice.probability / top, 0.0, 1.0) : 0,
                !truth.isEmpty() && qs(choice.text) == truth};
        words << (row.isTruth ? tr("%1: %2, what was so") : tr("%1: %2")).arg(row.text, row.figure);
        if (m_rows.size() < shown)
            m_rows.push_back(std::move(row));
    }
    setAccessibleDescription(words.join(QStringLiteral("; ")));
    updateGeometry();
    update();
}

int ChoiceBars::rowHeight() const {
    return fontMetrics().height() + 4;
}

QSize ChoiceBars::sizeHint() const {
    return {260, static_cast<int>(m_rows.size()) * rowHeight()};
}

void ChoiceBars::paintEvent(QPaintEvent*) {
    const Palette& c = Theme::instance().colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const int figureWidth = fontMetrics().horizontalAdvance(QStringLiteral("0.000000"));
    const bool marks = std::any_of(m_rows.begin(), m_rows.end(), [](const Row& row) { return row.isTruth; });
    const int left = marks ? markWidth : 0;
    const int room = width() - left - figureWidth - 2 * gap;
    int widest = 0;
    for (const Row& row : m_rows)
        widest = std::max(widest, fontMetrics().horizontalAdvance(row.text) + 2);
    const int textWidth = std::min(widest, room * 2 / 3), barWidth = std::max(0, room - textWidth);
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const Row& row = m_rows[i];
        const QRect line(0, static_cast<int>(i) * rowHeight(), width(), rowHeight());
        if (row.isTruth) {
            painter.setPen(c.good);
            painter.drawText(QRect(0, line.top(), markWidth, line.height()), Qt::AlignVCenter | Qt::AlignLeft, QStringLiteral("★"));
        }
        painter.setPen(c.text);
        QFont font = this->font();
        font.setWeight(row.isTruth ? QFont::DemiBold : QFont::Normal);
        painter.setFont(font);
        painter.drawText(QRect(left, line.top(), textWidth, line.height()), Qt::AlignVCenter | Qt::AlignLeft,
                         QFontMetrics(font).elidedText(row.text, Qt::ElideRight, textWidth));
        const QRectF whole(left + textWidth + gap, line.top() + line.height() / 2.0 - 4, barWidth, 8);
        painter.setPen(Qt::NoPen);
        painter.setBrush(c.raised);
        painter.drawRoundedRect(whole, 3, 3);
        painter.setBrush(c.accent);
        painter.drawRoundedRect(QRectF(whole.left(), whole.top(), std::max(2.0, whole.width() * row.share), whole.height()), 3, 3);
        painter.setPen(c.secondary);
        painter.setFont(this->font());
        painter.drawText(QRect(width() - figureWidth, line.top(), figureWidth, line.height()), Qt::AlignVCenter | Qt::AlignRight,
                         row.figure);
    }
}

bool ChoiceBars::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const auto at = static_cast<std::size_t>(std::max(0, help->pos().y() / rowHeight()));
        if (at < m_rows.size())
            QToolTip::showText(
                help->globalPos(),
                plainToolTip(tr("%1\nprobability %2%3")
                                 .arg(m_rows[at].text, m_rows[at].figure, m_rows[at].isTruth ? tr("\n★ what was so") : QString())),
                this);
        return true;
    }
    if (event->type() == QEvent::FontChange)
        updateGeometry();
    return QWidget::event(event);
}

} // namespace carousel::ui
