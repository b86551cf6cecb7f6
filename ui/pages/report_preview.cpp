// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/report_preview.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QRegularExpression>
#include <QTreeWidget>
#include <functional>
#include <nlohmann/json.hpp>

namespace carousel::ui {

namespace {
constexpr int deepest = 40;

// Cuts `<name ...> ... </name>` out, with the elements of the same name inside it, and puts there what `instead` makes of the start tag;
// an element that is never closed ends the text.
QString without(const QString& html, const QString& name, const std::function<QString(QStringView)>& instead = {}) {
    const QString open = QLatin1Char('<') + name, close = QStringLiteral("</") + name;
    const auto opens = [&](qsizetype at) {
        const QChar next = html.size() > at + open.size() ? html[at + open.size()] : QChar();
        return next == QLatin1Char('>') || next == QLatin1Char('/') || next.isSpace();
    };
    QString out;
    qsizetype from = 0;
    for (;;) {
        qsizetype start = html.indexOf(open, from, Qt::CaseInsensitive);
        while (start >= 0 && !opens(start))
            start = html.indexOf(open, start + 1, Qt::CaseInsensitive);
        if (start < 0)
            return out + html.mid(from);
        out += html.mid(from, start - from);
        if (instead) {
            const qsizetype end = html.indexOf(QLatin1Char('>'), start);
            out += instead(QStringView(html).mid(start, (end < 0 ? html.size() : end) - start));
        }
        int depth = 1;
        qsizetype at = start + open.size();
        while (depth > 0) {
            const qsizetype nextClose = html.indexOf(close, at, Qt::CaseInsensitive);
            if (nextClose < 0)
                return out;
            const qsizetype nextOpen = html.indexOf(open, at, Qt::CaseInsensitive);
            if (nextOpen >= 0 && nextOpen < nextClose) {
                depth += opens(nextOpen) ? 1 : 0;
                at = nextOpen + open.size();
            } else {
                --depth;
                at = nextClose + close.size();
            }
        }
        from = html.indexOf(QLatin1Char('>'), at);
        if (from < 0)
            return out;
        ++from;
    }
}

// The value of an attribute, as it is written in the tag (still escaped), cut where a summary would begin.
QString attribute(QStringView tag, const QString& name) {
    const qsizetype at = tag.indexOf(name + QStringLiteral("=\""));
    if (at < 0)
        return {};
    const QStringView value = tag.mid(at + name.size() + 2);
    const QString whole = value.left(std::max<qsizetype>(0, value.indexOf(QLatin1Char('"')))).toString();
    const qsizetype sentence = whole.indexOf(QLatin1String(". "));
    return sentence > 0 ? whole.left(sentence) : whole;
}

void addJson(QTreeWidgetItem* parent, const QString& key, const nlohmann::json& value, int depth) {
    auto* row = new QTreeWidgetItem(parent, {key, {}});
    const auto lines = [&](const std::string& text) {
        row->setText(1, qs(text).section(QLatin1Char('\n'), 0, 0));
        row->setToolTip(1, plainToolTip(qs(text).left(2000)));
    };
    if (value.is_structured() && depth < deepest) {
        row->setText(1, value.is_array() ? QObject::tr("%1 entries").arg(value.size()) : QString());
        std::size_t i = 0;
        for (const auto& [name, child] : value.items())
            addJson(row, value.is_array() ? QString::number(++i) : qs(name), child, depth + 1);
    } else if (value.is_string()) {
        lines(value.get<std::string>());
    } else {
        lines(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
}
} // namespace

QString simplifiedReport(const QString& html) {
    QString body = html;
    for (const char* name : {"head", "style", "script", "template", "nav", "details"}) // details: the table twins and the raw provenance
        body = without(body, QString::fromLatin1(name));
    body = without(body, QStringLiteral("svg"), [](QStringView tag) {
        const QString label = attribute(tag, QStringLiteral("aria-label")); // empty: a marker beside a name
        return label.isEmpty() ? QString() : QStringLiteral("<p class=\"plot\">▦ %1</p>").arg(QObject::tr("Plot: %1").arg(label));
    });
    static const QRegularExpression interval(QStringLiteral("<span class=\"interval\">(\\[[^ <]*) ([^<]*)</span>"));
    body.replace(interval, QStringLiteral("<br><span class=\"interval\">\\1&nbsp;\\2</span>")); // never broken inside
    static const QRegularExpression fact(QStringLiteral("<div><dt>([^<]*)</dt><dd>([^<]*)</dd></div>"));
    body.replace(fact, QStringLiteral("\\1 <b>\\2</b> &nbsp; "));
    body.replace(QLatin1String("; ties: "), QLatin1String("<br>ties: "));
    return body.replace(QLatin1String("<span class=\"note\">"), QLatin1String("<br><span class=\"note\">"));
}

ReportPreview::ReportPreview(QWidget* parent) : QTextBrowser(parent) {
    setOpenLinks(false);
    setAccessibleName(tr("Preview of the report"));
    connect(&Theme::instance(), &Theme::changed, this, &ReportPreview::redraw);
}

QVariant ReportPreview::loadResource(int, const QUrl&) {
    return {};
}

void ReportPreview::showReport(const QString& html) {
    m_body = simplifiedReport(html);
    redraw();
}

void ReportPreview::redraw() {
    const Palette& c = Theme::instance().colours();
    document()->setDefaultStyleSheet(
        QStringLiteral(
            "body { color: %1; } th { color: %2; text-align: left; white-space: nowrap; padding: 2px 8px; font-size: 11px; } td { padding: "
            "2px 8px; font-size: 11px; } td.number { white-space: nowrap; } "
            "h1 { font-size: 18px; } h2 { font-size: 15px; margin-top: 18px; } h3 { font-size: 13px; } caption { color: %2; } a { color: "
            "%3; text-decoration: none; } "
            "pre { font-size: 11px; } .interval, .note, .subtitle, .plot, footer { color: %2; font-size: 11px; } dt { color: %2; }")
            .arg(c.text.name(), c.secondary.name(), c.accent.name()));
    setHtml(m_body);
}

void showJson(QTreeWidget& tree, const std::string& json) {
    tree.clear();
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    if (parsed.is_object())
        for (const auto& [key, value] : parsed.items())
            addJson(tree.invisibleRootItem(), qs(key), value, 0);
    else
        new QTreeWidgetItem(&tree, {QObject::tr("text"), qs(json)});
    tree.expandToDepth(0);
    tree.resizeColumnToContents(0);
    tree.setColumnWidth(0, std::clamp(tree.columnWidth(0) + 12, 120, 280));
}

} // namespace carousel::ui
