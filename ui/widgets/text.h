// SPDX-License-Identifier: GPL-3.0-or-later
// Text between the libraries (UTF-8 std::string) and Qt, and labels that never read item text as rich text.
#pragma once
#include <QLabel>
#include <QString>
#include <string>

namespace carousel::ui {

inline QString qs(const std::string& text) { return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())); }
inline std::string ss(const QString& text) { return text.toStdString(); }

// A plain-text label; role "title", "question", "heading", "secondary", "caption", "figure", "good", "warning", "bad" or empty.
QLabel* textLabel(const QString& text, const char* role = "", bool wraps = false, QWidget* parent = nullptr);
void setRole(QWidget* widget, const char* property, const QString& value); // sets a style property and repolishes
// For tooltips and other places that guess the format: always shown as written.
QString plainToolTip(const QString& text);

QString count(std::int64_t value);       // 1,234,567
QString plural(std::int64_t n, const QString& one, const QString& many); // "1 run", "1,200 runs"
QString figures(double value);           // three significant figures; an en dash when not finite
QString duration(double seconds);        // "2 min", "31 h", "45 s"
QString dayText(std::int64_t seconds);   // "2019-11-24", "" when unknown

} // namespace carousel::ui
