// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of a PDF: columns as wide as they need, smaller letters before narrower words, rows whole where a page can hold them.
#include "report/pdf_flow.h"
#include "report/svg_writer.h"
#include "widgets/text.h"
#include <QFontMetricsF>
#include <QRegularExpression>
#include <algorithm>
#include <memory>
#include <numeric>

namespace carousel::ui::pdf {

namespace {
using Role = PdfItem::Role;
constexpr double gap = 8, rowPadding = 3.2, markerRoom = 12; // points

struct Sizes {
    double text, small, head;
};
constexpr Sizes sizes[] = {{8.5, 7.2, 7.4}, {7.6, 6.6, 6.8}, {6.6, 6.0, 6.2}};

QColor inkOf(ReportCell::Tone tone) {
    return tone == ReportCell::Tone::good ? colours::good : tone == ReportCell::Tone::bad ? colours::bad : tone == ReportCell::Tone::muted ? colours::muted : colours::ink;
}

double longestWord(const QString& text, const QFont& font) {
    static const QRegularExpression gaps(QStringLiteral("\\s+"));
    double longest = 0;
    for (const QString& word : text.split(gaps))
        longest = std::max(longest, widthOf(word, font));
    return longest;
}

// One table, or the part of it that stands side by side on a page: `columns` are numbers of the table's columns.
class Piece {
public:
    Piece(Flow& flow, const ReportTable& table, std::vector<std::size_t> columns, const Sizes& size, std::vector<double> widths)
        : m_flow(flow), m_table(table), m_columns(std::move(columns)), m_size(size), m_widths(std::move(widths)) {
        m_hasHead = std::any_of(table.columns.begin(), table.columns.end(), [](const ReportColumn& column) { return !column.title.empty(); });
        for (const std::size_t c : m_columns)
            m_head.push_back(linesOf(qs(table.columns[c].title), font(m_size.head, QFont::DemiBold), colours::muted, m_widths[m_head.size()]));
        for (const auto& cell : m_head)
            m_headHeight = std::max(m_headHeight, heightOf(cell));
        m_headHeight += m_hasHead ? points(2 * rowPadding) : 0;
        for (const auto& row : table.rows)
            m_rows.push_back(rowOf(row));
    }
    double first() const { // head and the first two rows, or one where it is high
        double height = m_headHeight;
        for (std::size_t r = 0; r < std::min<std::size_t>(2, m_rows.size()); ++r)
            height += heightOfRow(m_rows[r]);
        return std::min(height, m_flow.pageHeight() / 3);
    }
    void place() {
        head();
        for (std::size_t r = 0; r < m_rows.size(); ++r) {
            auto& row = m_rows[r];
            const double height = heightOfRow(row);
            const bool fitsAPage = height <= m_flow.pageHeight() - m_headHeight;
            if (height > m_flow.room() && (fitsAPage || m_flow.room() < m_flow.pageHeight() / 3)) {
                m_flow.newPage();
                head();
            }
            placeRow(row);
        }
        rule(m_flow.y, colours::rule);
    }

private:
    struct Cell {
        std::vector<Line> lines;
        int colour = -1;
        std::size_t done = 0;
    };
    using Row = std::vector<Cell>;

    Row rowOf(const std::vector<ReportCell>& cells) const {
        Row row;
        for (std::size_t i = 0; i < m_columns.size(); ++i) {
            Cell out;
            if (m_columns[i] < cells.size()) {
                const ReportCell& cell = cells[m_columns[i]];
                out.colour = cell.colour;
                const double width = m_widths[i] - (cell.colour >= 0 ? points(markerRoom) : 0);
                const QColor ink = inkOf(cell.tone);
                if (!cell.text.empty())
                    out.lines = linesOf(qs(cell.text), font(m_size.text, m_columns[i] == 0 && m_hasHead ? QFont::Medium : QFont::Normal), ink, width);
                for (const std::string* more : {&cell.interval, &cell.note})
                    if (!more->empty())
                        for (auto& line : linesOf(qs(*more), font(m_size.small), colours::muted, width))
                            out.lines.push_back(std::move(line));
            }
            row.push_back(std::move(out));
        }
        return row;
    }
    static double heightOfRow(const Row& row) {
        double height = 0;
        for (const auto& cell : row)
            height = std::max(height, heightOf({cell.lines.begin() + static_cast<std::ptrdiff_t>(cell.done), cell.lines.end()}));
        return height + points(2 * rowPadding);
    }
    double leftOf(std::size_t i) const { return m_flow.left() + std::accumulate(m_widths.begin(), m_widths.begin() + static_cast<std::ptrdiff_t>(i), 0.0) + static_cast<double>(i) * points(gap); }
    bool numeric(std::size_t i) const { return m_table.columns[m_columns[i]].numeric; }
    void rule(double y, const QColor& colour) { m_flow.fill(QRectF(m_flow.left(), y - points(0.25), m_flow.width(), points(0.5)), colour); }

    void head() {
        rule(m_flow.y, colours::muted);
        if (!m_hasHead)
            return;
        const double bottom = m_flow.y + m_headHeight;
        for (std::size_t i = 0; i < m_head.size(); ++i) // words stand on the rule
            m_flow.lines(m_head[i], leftOf(i), bottom - points(rowPadding) - heightOf(m_head[i]), Role::tableHead, numeric(i) ? leftOf(i) + m_widths[i] : -1);
        m_flow.y = bottom;
        rule(m_flow.y, colours::muted);
    }
    // As many lines as the page holds; the rest goes on under a new head.
    void placeRow(Row& row) {
        for (;;) {
            const double top = m_flow.y + points(rowPadding), limit = m_flow.layout().content.bottom() - points(rowPadding);
            double bottom = top;
            bool more = false;
            for (std::size_t i = 0; i < row.size(); ++i) {
                auto& cell = row[i];
                double y = top;
                const double left = leftOf(i) + (cell.colour >= 0 ? points(markerRoom) : 0);
                if (cell.colour >= 0 && cell.done == 0 && !cell.lines.empty())
                    marker(cell.colour, leftOf(i), top, cell.lines.front().height);
                while (cell.done < cell.lines.size() && (y + cell.lines[cell.done].height <= limit || (y == top && m_flow.atTop()))) {
                    y = m_flow.lines({cell.lines[cell.done]}, left, y, Role::cell, numeric(i) ? leftOf(i) + m_widths[i] : -1);
                    ++cell.done;
                }
                more = more || cell.done < cell.lines.size();
                bottom = std::max(bottom, y);
            }
            m_flow.y = bottom + points(rowPadding);
            if (!more) {
                if (&row != &m_rows.back())
                    rule(m_flow.y, colours::rule);
                return;
            }
            m_flow.newPage();
            head();
        }
    }
    void marker(int colour, double x, double top, double height) {
        const auto& all = strategyColours();
        SvgWriter svg(14, 14, "");
        svg.marker(colour, 7, 7, 4.6, all[static_cast<std::size_t>(colour) % all.size()], {}, colour >= static_cast<int>(all.size()));
        const double side = points(9);
        m_flow.picture(QRectF(x, top + (height - side) / 2, side, side), QByteArray::fromStdString(svg.finished()), Role::cell);
    }

    Flow& m_flow;
    const ReportTable& m_table;
    std::vector<std::size_t> m_columns;
    Sizes m_size;
    std::vector<double> m_widths;
    std::vector<std::vector<Line>> m_head;
    std::vector<Row> m_rows;
    double m_headHeight = 0;
    bool m_hasHead = false;
};

struct Needs {
    std::vector<double> least, wished; // per column, dots
};
Needs needsOf(const ReportTable& table, const Sizes& size) {
    const QFont text = font(size.text, QFont::Medium), small = font(size.small), head = font(size.head, QFont::DemiBold);
    Needs out;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const bool numeric = table.columns[c].numeric;
        const QString title = qs(table.columns[c].title);
        double least = longestWord(title, head), wished = std::min(widthOf(title, head), points(110));
        for (const auto& row : table.rows) {
            if (c >= row.size())
                continue;
            const double mark = row[c].colour >= 0 ? points(markerRoom) : 0;
            const QString words = qs(row[c].text), interval = qs(row[c].interval), note = qs(row[c].note);
            const double whole = widthOf(words, text);
            // A number and its interval are never broken; a text may be, between words, and where one is endless anywhere.
            least = std::max({least, mark + (numeric && whole < points(90) ? whole : std::min(longestWord(words, text), points(90))), mark + std::min(widthOf(interval, small), points(90)),
                              mark + std::min(longestWord(note, small), points(70))});
            wished = std::max({wished, mark + std::min(whole, points(240)), mark + std::min(widthOf(note, small), points(110))});
        }
        out.least.push_back(least + points(0.5)); // rounding must not break what fits
        out.wished.push_back(std::max(wished + points(0.5), least + points(0.5)));
    }
    return out;
}

double sumOf(const std::vector<double>& values, const std::vector<std::size_t>& which) {
    double sum = 0;
    for (const auto i : which)
        sum += values[i];
    return sum + static_cast<double>(which.empty() ? 0 : which.size() - 1) * points(gap);
}

std::vector<double> widthsOf(const Needs& needs, const std::vector<std::size_t>& columns, double room) {
    const double least = sumOf(needs.least, columns), wished = sumOf(needs.wished, columns);
    std::vector<double> out;
    for (const auto c : columns) {
        if (wished <= room)
            out.push_back(needs.wished[c] + (room - wished) / static_cast<double>(columns.size()) * (columns.size() > 1 ? 1 : 0));
        else
            out.push_back(needs.least[c] + std::max(0.0, room - least) * (needs.wished[c] - needs.least[c]) / std::max(wished - least, 1.0));
    }
    if (columns.size() == 1)
        out.front() = room;
    return out;
}
} // namespace

void addTable(Flow& flow, const ReportTable& table, double before, bool small) {
    if (table.columns.empty())
        return;
    auto held = std::make_shared<ReportTable>(table);
    std::vector<std::size_t> all(table.columns.size());
    std::iota(all.begin(), all.end(), std::size_t(0));
    const Sizes* size = &sizes[small ? 1 : 0];
    Needs needs = needsOf(table, *size);
    while (sumOf(needs.least, all) > flow.width() && size != &sizes[2]) {
        ++size;
        needs = needsOf(table, *size);
    }
    std::vector<std::vector<std::size_t>> parts{all};
    if (sumOf(needs.least, all) > flow.width()) { // too wide for one page: parts below each other, each with the first column
        size = &sizes[1];
        needs = needsOf(table, *size);
        needs.least[0] = std::min(needs.least[0], flow.width() / 2);
        needs.wished[0] = std::clamp(needs.wished[0], needs.least[0], flow.width() / 2);
        parts = {{0}};
        for (std::size_t c = 1; c < all.size(); ++c) {
            needs.least[c] = std::min(needs.least[c], flow.width() - needs.least[0] - points(gap));
            needs.wished[c] = std::max(needs.least[c], std::min(needs.wished[c], flow.width() - needs.least[0] - points(gap)));
            auto with = parts.back();
            with.push_back(c);
            if (parts.back().size() > 1 && sumOf(needs.least, with) > flow.width())
                parts.push_back({0, c});
            else
                parts.back() = std::move(with);
        }
    }
    for (std::size_t p = 0; p < parts.size(); ++p) {
        QString caption = qs(table.caption);
        if (p > 0)
            caption = caption.isEmpty() ? QObject::tr("continued: more columns") : QObject::tr("%1, continued: more columns").arg(caption);
        if (!caption.isEmpty()) {
            const auto words = linesOf(caption, font(small ? 8.5 : 9.5, QFont::DemiBold), colours::ink, flow.width());
            flow.add({p > 0 ? points(12) : before, heightOf(words) + points(3), true, [&flow, words] { flow.y = flow.lines(words, flow.left(), flow.y, Role::caption) + points(3); }});
        }
        auto piece = std::make_shared<Piece>(flow, *held, parts[p], *size, widthsOf(needs, parts[p], flow.width()));
        flow.add({caption.isEmpty() ? before : 0, piece->first(), false, [held, piece] { piece->place(); }});
    }
    if (!table.note.empty()) {
        const auto words = linesOf(qs(table.note), font(7.5), colours::muted, flow.width());
        flow.add({points(3), heightOf(words), false, [&flow, words] { flow.y = flow.lines(words, flow.left(), flow.y, Role::body); }});
    }
}

} // namespace carousel::ui::pdf
