// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/pdf_flow.h"
#include <QFontDatabase>
#include <QFontMetricsF>
#include <QTextLayout>
#include <algorithm>

namespace carousel::ui::pdf {

QFont font(double size, int weight, bool mono) {
    QFont out = mono ? QFontDatabase::systemFont(QFontDatabase::FixedFont)
                     : QFont(QFontDatabase::hasFamily(QStringLiteral("Inter")) ? QStringLiteral("Inter") : QFontDatabase::systemFont(QFontDatabase::GeneralFont).family());
    if (mono && QFontDatabase::hasFamily(QStringLiteral("DejaVu Sans Mono")))
        out = QFont(QStringLiteral("DejaVu Sans Mono"));
    out.setPixelSize(qRound(points(size))); // dots, so that widths do not depend on a screen
    out.setWeight(static_cast<QFont::Weight>(weight));
    out.setHintingPreference(QFont::PreferNoHinting);
    out.setKerning(true);
    return out;
}

double widthOf(const QString& text, const QFont& font) { return QFontMetricsF(font).horizontalAdvance(text); }

std::vector<Line> linesOf(const QString& text, const QFont& font, const QColor& colour, double width, double spacing) {
    std::vector<Line> out;
    const QFontMetricsF metrics(font);
    const double height = (metrics.ascent() + metrics.descent()) * spacing / 1.2, ascent = metrics.ascent() + (height - metrics.ascent() - metrics.descent()) / 2;
    for (const QString& paragraph : text.split(QLatin1Char('\n'))) {
        QString plain = paragraph;
        plain.replace(QLatin1Char('\t'), QStringLiteral("    "));
        QTextLayout layout(plain, font);
        QTextOption option;
        option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
        layout.setTextOption(option);
        layout.beginLayout();
        for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
            line.setLineWidth(std::max(width, 1.0));
            QString part = plain.mid(line.textStart(), line.textLength());
            while (part.endsWith(QLatin1Char(' ')))
                part.chop(1);
            out.push_back({part, font, colour, widthOf(part, font), height, ascent});
        }
        layout.endLayout();
        if (plain.isEmpty())
            out.push_back({{}, font, colour, 0, height, ascent});
    }
    return out;
}

double heightOf(const std::vector<Line>& lines) {
    double sum = 0;
    for (const auto& line : lines)
        sum += line.height;
    return sum;
}

void Flow::newPage() {
    m_layout.pages.emplace_back();
    y = m_layout.content.top();
}

void Flow::text(const Line& line, double x, double top, PdfItem::Role role) {
    if (line.text.isEmpty())
        return;
    PdfItem item;
    item.role = role;
    item.at = QRectF(x, top, line.width, line.height);
    item.baseline = top + line.ascent;
    item.text = line.text;
    item.font = line.font;
    item.colour = line.colour;
    m_layout.pages.back().items.push_back(std::move(item));
}

namespace {
PdfItem itemOf(PdfItem::Kind kind, PdfItem::Role role, const QRectF& at) {
    PdfItem item;
    item.kind = kind;
    item.role = role;
    item.at = at;
    return item;
}
} // namespace

double Flow::lines(const std::vector<Line>& all, double x, double top, PdfItem::Role role, double right) {
    for (const auto& line : all) {
        text(line, right >= 0 ? right - line.width : x, top, role);
        top += line.height;
    }
    return top;
}

void Flow::fill(const QRectF& at, const QColor& colour, PdfItem::Role role) {
    PdfItem item = itemOf(PdfItem::Kind::fill, role, at);
    item.colour = colour;
    m_layout.pages.back().items.push_back(std::move(item));
}

void Flow::picture(const QRectF& at, const QByteArray& svg, PdfItem::Role role) {
    PdfItem item = itemOf(PdfItem::Kind::picture, role, at);
    item.svg = svg;
    m_layout.pages.back().items.push_back(std::move(item));
}

void Flow::placeAll() {
    for (std::size_t b = 0; b < m_blocks.size(); ++b) {
        double needed = m_blocks[b].first;
        for (std::size_t next = b; m_blocks[next].announces && next + 1 < m_blocks.size(); ++next)
            needed += m_blocks[next + 1].before + m_blocks[next + 1].first;
        if (!atTop()) {
            if (m_blocks[b].before + std::min(needed, pageHeight()) > room())
                newPage();
            else
                y += m_blocks[b].before;
        }
        m_blocks[b].place();
    }
    m_blocks.clear();
}

} // namespace carousel::ui::pdf
