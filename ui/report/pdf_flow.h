// SPDX-License-Identifier: GPL-3.0-or-later
// The running cursor of a PDF's layout, and lines of text. Shared by the files that lay out words and tables.
#pragma once
#include "report/pdf_layout.h"
#include <functional>

namespace carousel::ui::pdf {

namespace colours {
const QColor ink(0x1b, 0x1f, 0x24), muted(0x57, 0x60, 0x6a), rule(0xd8, 0xde, 0xe4), soft(0xf4, 0xf6, 0xf8), accent(0x00, 0x62, 0xa3), good(0x1a, 0x7f, 0x37), bad(0xb4, 0x23, 0x18), amber(0x8a, 0x5a, 0x00),
    warnPaper(0xff, 0xf6, 0xe0), warnInk(0x7a, 0x4b, 0x00);
}
inline double points(double value) { return value * pdfPoint; }
QFont font(double points, int weight = QFont::Normal, bool mono = false);

struct Line {
    QString text;
    QFont font;
    QColor colour;
    double width = 0, height = 0, ascent = 0; // ascent: from the top of the line to its baseline
};
// Words into lines no wider than `width`; a word that is wider is cut where it must be. Line feeds begin a line.
std::vector<Line> linesOf(const QString& text, const QFont& font, const QColor& colour, double width, double spacing = 1.25);
double widthOf(const QString& text, const QFont& font);
double heightOf(const std::vector<Line>& lines);

// What stands on the page as one: `first` is the height that must be free for its beginning, else it begins a new page.
struct Block {
    double before = 0, first = 0; // space above, not at the top of a page
    bool announces = false;       // a heading or caption: stays with the beginning of the next block
    std::function<void()> place;
};

class Flow {
public:
    Flow(QSizeF size, QRectF content) : m_layout{size, content, {}} { newPage(); }
    void newPage();
    double y = 0;
    double left() const { return m_layout.content.left(); }
    double width() const { return m_layout.content.width(); }
    double room() const { return m_layout.content.bottom() - y; } // left on this page
    double pageHeight() const { return m_layout.content.height(); }
    bool atTop() const { return y <= m_layout.content.top() + 0.5; }

    void text(const Line& line, double x, double top, PdfItem::Role role);
    // Lines below each other from (x, top); `right`: the right edge of lines set to the right, else negative. Gives the bottom.
    double lines(const std::vector<Line>& all, double x, double top, PdfItem::Role role, double right = -1);
    void fill(const QRectF& at, const QColor& colour, PdfItem::Role role = PdfItem::Role::body);
    void picture(const QRectF& at, const QByteArray& svg, PdfItem::Role role);

    void add(Block block) { m_blocks.push_back(std::move(block)); }
    void placeAll(); // the blocks added since the last call
    PdfLayout& layout() { return m_layout; }

private:
    PdfLayout m_layout;
    std::vector<Block> m_blocks;
};

// ---- pdf_tables.cpp ----
void addTable(Flow& flow, const ReportTable& table, double before, bool small = false);

} // namespace carousel::ui::pdf
