// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/text.h"
#include "base/text.h"
#include "data/dataset.h"
#include <QStyle>
#include <cmath>

namespace carousel::ui {

QLabel* textLabel(const QString& text, const char* role, bool wraps, QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setText(text);
    label->setWordWrap(wraps);
    if (*role)
        label->setProperty("role", QString::fromLatin1(role));
    return label;
}

void setRole(QWidget* widget, const char* property, const QString& value) {
    if (widget->property(property).toString() == value)
        return;
    widget->setProperty(property, value);
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
    widget->update();
}

QString plainToolTip(const QString& text) {
    return QStringLiteral("<p style='white-space:pre-wrap'>") + text.toHtmlEscaped() + QStringLiteral("</p>");
}

QString count(std::int64_t value) { return qs(withThousands(value)); }
QString plural(std::int64_t n, const QString& one, const QString& many) { return count(n) + QLatin1Char(' ') + (n == 1 ? one : many); }
QString figures(double value) { return std::isfinite(value) ? qs(threeFigures(value)) : QStringLiteral("–"); }

QString duration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0)
        return QStringLiteral("–");
    if (seconds < 1)
        return QStringLiteral("< 1 s");
    if (seconds < 90)
        return QStringLiteral("%1 s").arg(static_cast<int>(std::lround(seconds)));
    if (seconds < 5400)
        return QStringLiteral("%1 min").arg(static_cast<int>(std::lround(seconds / 60)));
    return QStringLiteral("%1 h").arg(seconds / 3600, 0, 'f', seconds < 36000 ? 1 : 0);
}

QString dayText(std::int64_t seconds) { return seconds == noTime ? QString() : qs(utcMinute(seconds)).left(10); }

} // namespace carousel::ui
