// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/pdf_layout.h"
#include "report/pdf_flow.h"
#include "widgets/text.h"
#include <QFontMetricsF>
#include <QSvgRenderer>
#include <algorithm>
#include <nlohmann/json.hpp>

namespace carousel::ui {

namespace pdf {
namespace {
using Role = PdfItem::Role;
constexpr double pageWidth = 595.276, pageHeight = 841.89, sideMargin = 54, topMargin = 54, footMargin = 62; // A4, points
constexpr int plotWidth = 640, plotHeight = 330;                                                            // of the drawing: its letters come out at 9 points

void addText(Flow& flow, const QString& text, const QFont& face, const QColor& colour, double before, double spacing = 1.35) {
    auto lines = linesOf(text, face, colour, flow.width(), spacing);
    const double first = lines.front().height * static_cast<double>(std::min<std::size_t>(lines.size(), 3));
    flow.add({points(before), first, false, [&flow, lines = std::move(lines)] {
                  for (std::size_t i = 0; i < lines.size(); ++i) {
                      const bool lastAlone = i + 2 == lines.size() && i > 0 && flow.room() < lines[i].height + lines[i + 1].height; // no line stands alone on the next page
                      if (lines[i].height > flow.room() || lastAlone)
                          flow.newPage();
                      flow.text(lines[i], flow.left(), flow.y, Role::body);
                      flow.y += lines[i].height;
                  }
              }});
}

void addHeading(Flow& flow, const QString& text) {
    auto lines = linesOf(text, font(14, QFont::DemiBold), colours::ink, flow.width());
    const double height = heightOf(lines) + points(6);
    flow.add({points(24), height, true, [&flow, lines = std::move(lines)] { flow.y = flow.lines(lines, flow.left(), flow.y, Role::heading) + points(6); }});
}

QColor colourOf(Light light) {
    switch (light) {
    case Light::green: return colours::good;
    case Light::amber: return colours::amber;
    case Light::red: return colours::bad;
    case Light::none: break;
    }
    return colours::muted;
}

// A shape for every light, so that colour is never the only sign.
QByteArray lightSvg(Light light) {
    const char* shapes[] = {"<circle cx='8' cy='8' r='5.5' fill='none' stroke='%1' stroke-width='1.6'/>",
                            "<circle cx='8' cy='8' r='7' fill='%1'/><path d='M4.6 8.2l2.4 2.4 4.4-4.8' fill='none' stroke='#ffffff' stroke-width='2'/>",
                            "<path d='M8 1.2l7.2 13.2H.8z' fill='%1'/><path d='M8 6v4M8 11.4v1' fill='none' stroke='#ffffff' stroke-width='2'/>",
                            "<rect x='1.5' y='1.5' width='13' height='13' rx='1.5' fill='%1'/><path d='M5 5l6 6M11 5l-6 6' fill='none' stroke='#ffffff' stroke-width='2'/>"};
    return QStringLiteral("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>%1</svg>").arg(QString::fromLatin1(shapes[static_cast<int>(light)]).arg(colourOf(light).name())).toUtf8();
}

// Words in a box with a bar at its left; a box that no page holds becomes plain words.
void addBox(Flow& flow, std::vector<Line> lines, const QColor& paper, const QColor& bar, double before, Light light = Light::none) {
    const double padding = points(10), height = heightOf(lines) + 2 * padding;
    if (height > flow.pageHeight()) {
        for (const auto& line : lines)
            addText(flow, line.text, line.font, line.colour, 0);
        return;
    }
    flow.add({points(before), height, false, [&flow, lines = std::move(lines), paper, bar, padding, height, light] {
                  flow.fill(QRectF(flow.left(), flow.y, flow.width(), height), paper);
                  flow.fill(QRectF(flow.left(), flow.y, points(3), height), bar);
                  if (light != Light::none) // beside its word, which is the first line
                      flow.picture(QRectF(flow.left() + points(14), flow.y + padding + (lines.front().height - points(9)) / 2, points(9), points(9)), lightSvg(light), Role::body);
                  double y = flow.y + padding;
                  for (std::size_t i = 0; i < lines.size(); ++i) {
                      flow.text(lines[i], flow.left() + points(light != Light::none && i == 0 ? 27 : 14), y, Role::body);
                      y += lines[i].height;
                  }
                  flow.y += height;
              }});
}

void addLead(Flow& flow, const ReportModel& report) {
    std::vector<Line> lines;
    const double width = flow.width() - points(28);
    if (report.light != Light::none)
        lines = linesOf(QString::fromLatin1(name(report.light)), font(9.5, QFont::DemiBold), colourOf(report.light), width, 1.5);
    for (std::size_t i = 0; i < report.lead.size(); ++i) {
        auto more = linesOf(qs(report.lead[i]), i == 0 ? font(11.5, QFont::DemiBold) : font(9.5), i == 0 ? colours::ink : colours::muted, width, 1.4);
        if (i > 0 && !lines.empty())
            lines.back().height += points(4); // between paragraphs
        lines.insert(lines.end(), more.begin(), more.end());
    }
    if (!lines.empty())
        addBox(flow, std::move(lines), colours::soft, colours::accent, 14, report.light);
}

void addFacts(Flow& flow, const std::vector<std::pair<std::string, std::string>>& facts) {
    struct Fact {
        Line label, value;
    };
    std::vector<std::vector<Fact>> rows(1);
    double x = 0;
    for (const auto& [label, value] : facts) {
        Fact fact{linesOf(qs(label), font(7.5), colours::muted, flow.width()).front(), linesOf(qs(value), font(12, QFont::DemiBold), colours::ink, flow.width()).front()};
        const double width = std::max(fact.label.width, fact.value.width) + points(26);
        if (x > 0 && x + width - points(26) > flow.width()) {
            rows.emplace_back();
            x = 0;
        }
        x += width;
        rows.back().push_back(std::move(fact));
    }
    for (auto& row : rows) {
        if (row.empty())
            continue;
        const double height = row.front().label.height + row.front().value.height;
        flow.add({points(12), height, false, [&flow, row = std::move(row), height] {
                      double left = flow.left();
                      for (const auto& fact : row) {
                          flow.text(fact.label, left, flow.y, Role::body);
                          flow.text(fact.value, left, flow.y + fact.label.height, Role::body);
                          left += std::max(fact.label.width, fact.value.width) + points(26);
                      }
                      flow.y += height;
                  }});
    }
}

void addFindings(Flow& flow, const std::vector<ReportFinding>& findings) {
    if (findings.empty())
        return;
    auto title = linesOf(QObject::tr("What was checked"), font(9.5, QFont::DemiBold), colours::ink, flow.width());
    const double height = heightOf(title) + points(3);
    flow.add({points(16), height, true, [&flow, title = std::move(title)] { flow.y = flow.lines(title, flow.left(), flow.y, Role::caption) + points(3); }});
    for (const auto& finding : findings) {
        const double textLeft = points(92), width = flow.width() - textLeft;
        auto word = linesOf(QString::fromLatin1(name(finding.light)), font(8.5, QFont::DemiBold), colourOf(finding.light), points(74));
        auto lines = linesOf(qs(finding.title), font(8.5, QFont::DemiBold), colours::ink, width);
        for (auto& line : linesOf(qs(finding.text), font(8.5), colours::muted, width))
            lines.push_back(std::move(line));
        const double tall = heightOf(lines) + points(7);
        flow.add({0, std::min(tall, flow.pageHeight()), false, [&flow, word = std::move(word), lines = std::move(lines), light = finding.light, textLeft] {
                      flow.fill(QRectF(flow.left(), flow.y, flow.width(), points(0.5)), colours::rule);
                      flow.y += points(3.5);
                      flow.picture(QRectF(flow.left(), flow.y + (lines.front().height - points(8.5)) / 2, points(8.5), points(8.5)), lightSvg(light), Role::body);
                      flow.lines(word, flow.left() + points(14), flow.y, Role::body);
                      for (const auto& line : lines) {
                          if (line.height > flow.room())
                              flow.newPage();
                          flow.text(line, flow.left() + textLeft, flow.y, Role::body);
                          flow.y += line.height;
                      }
                      flow.y += points(3.5);
                  }});
    }
}

void addWarnings(Flow& flow, const std::vector<std::string>& warnings) {
    if (warnings.empty())
        return;
    std::vector<Line> lines = linesOf(QObject::tr("Read with care"), font(8.5, QFont::DemiBold), colours::warnInk, flow.width() - points(28));
    for (const auto& warning : warnings)
        for (auto& line : linesOf(qs(warning), font(8.5), colours::warnInk, flow.width() - points(28)))
            lines.push_back(std::move(line));
    addBox(flow, std::move(lines), colours::warnPaper, colours::amber, 16);
}

// The outline that keeps a label readable on a grid line is drawn first and the letters over it: the renderer knows no order of its own. It takes a
// list of families for one name, and the weight of one text for that of the next.
QByteArray drawnSvg(const PlotSpec& plot) {
    static const QString outline = QStringLiteral(" paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\" stroke-linejoin=\"round\"");
    QStringList lines = qs(toSvg(plot, plotWidth, plotHeight)).replace(QStringLiteral("font-family=\"Inter, sans-serif\""), QStringLiteral("font-family=\"%1\"").arg(font(10).family())).split(QLatin1Char('\n'));
    for (QString& line : lines) {
        if (line.startsWith(QLatin1String("<text ")) && !line.contains(QLatin1String(" font-weight=")))
            line.insert(5, QStringLiteral(" font-weight=\"400\""));
        if (line.contains(outline))
            line += QLatin1Char('\n') + QString(line).remove(outline);
    }
    return lines.join(QLatin1Char('\n')).toUtf8();
}

void addPlot(Flow& flow, const PlotSpec& plot) {
    QByteArray svg = drawnSvg(plot);
    const QSizeF drawn = QSvgRenderer(svg).viewBoxF().size(); // a heat map chooses its own height
    const double ratio = drawn.isEmpty() ? double(plotHeight) / plotWidth : drawn.height() / drawn.width();
    const double height = std::min(flow.width() * ratio, flow.pageHeight());
    flow.add({points(14), height, false, [&flow, svg = std::move(svg), height, width = height / ratio] {
                  flow.picture(QRectF(flow.left() + (flow.width() - width) / 2, flow.y, width, height), svg, Role::plot);
                  flow.y += height;
              }});
}

void addMono(Flow& flow, const QString& text) {
    auto lines = linesOf(text, font(7.2, QFont::Normal, true), colours::ink, flow.width() - points(16));
    const double padding = points(6), first = padding + heightOf({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(lines.size(), 4))});
    flow.add({points(8), first + padding, false, [&flow, lines = std::move(lines), padding] {
                  std::size_t i = 0;
                  while (i < lines.size()) { // one box on every page
                      double height = 2 * padding;
                      std::size_t end = i;
                      while (end < lines.size() && (end == i || height + lines[end].height <= flow.room()))
                          height += lines[end++].height;
                      flow.fill(QRectF(flow.left(), flow.y, flow.width(), std::min(height, flow.room())), colours::soft);
                      flow.y = flow.lines({lines.begin() + static_cast<std::ptrdiff_t>(i), lines.begin() + static_cast<std::ptrdiff_t>(end)}, flow.left() + points(8), flow.y + padding, Role::body) + padding;
                      i = end;
                      if (i < lines.size())
                          flow.newPage();
                  }
              }});
}

std::string plain(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

// Every leaf of the provenance as a row: what, and its value; a file or run of a list in one row. The specification has a place of its own.
void addLeaves(const nlohmann::json& value, const std::string& path, int depth, ReportTable& out) {
    if (value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty()))
        return;
    const bool flat = std::none_of(value.begin(), value.end(), [](const nlohmann::json& child) { return child.is_structured() && !child.empty(); });
    if (value.is_object() && flat && !path.empty() && path.back() >= '0' && path.back() <= '9') {
        std::string line;
        for (const auto& [key, child] : value.items())
            if (!child.is_structured() && plain(child) != "{}")
                line += (line.empty() ? "" : ", ") + key + " " + plain(child);
        out.rows.push_back({textCell(path), textCell(line)});
        return;
    }
    if (value.is_structured() && depth < 12) {
        std::size_t i = 0;
        for (const auto& [key, child] : value.items()) {
            ++i;
            if (depth == 0 && (key == "specification" || key == "studies" || key == "reproduce"))
                continue;
            const std::string step = value.is_array() ? std::to_string(i) : key;
            addLeaves(child, path.empty() ? step : path + " · " + step, depth + 1, out);
        }
        return;
    }
    out.rows.push_back({textCell(path), textCell(plain(value))});
}

void addSection(Flow& flow, const ReportSection& section) {
    addHeading(flow, qs(section.title));
    double before = 0;
    for (const auto& paragraph : section.paragraphs) {
        addText(flow, qs(paragraph), font(9.5), colours::ink, before);
        before = 6;
    }
    for (const auto& table : section.tables) {
        addTable(flow, table, points(before > 0 ? 12 : 0));
        before = 12;
    }
    for (const auto& plot : section.plots)
        addPlot(flow, plot);
    if (section.definitions.empty())
        return;
    ReportTable definitions{.caption = QObject::tr("Definitions, as computed here").toStdString(), .columns = {{}, {}}, .rows = {}, .note = {}};
    for (const auto& definition : section.definitions) {
        ReportCell meaning = textCell(definition.meaning);
        meaning.note = definition.source.empty() ? std::string() : QObject::tr("Same as: %1").arg(qs(definition.source)).toStdString();
        definitions.rows.push_back({textCell(definition.term), std::move(meaning)});
    }
    addTable(flow, definitions, points(16), true);
}

void addFooters(Flow& flow, const QString& title) {
    const auto& content = flow.layout().content;
    const QFont face = font(7.5);
    const auto pages = flow.layout().pages.size();
    for (std::size_t p = 0; p < pages; ++p) {
        auto& items = flow.layout().pages[p].items;
        const double top = content.bottom() + points(16);
        const auto add = [&](const QString& text, double left) {
            Line line = linesOf(text, face, colours::muted, 1e9).front();
            PdfItem item;
            item.role = Role::footer;
            item.at = QRectF(left < 0 ? content.right() - line.width : left, top, line.width, line.height);
            item.baseline = top + line.ascent;
            item.text = line.text;
            item.font = face;
            item.colour = colours::muted;
            items.push_back(std::move(item));
        };
        add(QFontMetricsF(face).elidedText(title, Qt::ElideRight, content.width() * 0.75), content.left());
        add(QObject::tr("Page %1 of %2").arg(p + 1).arg(pages), -1);
    }
}
} // namespace
} // namespace pdf

PdfLayout layOutPdf(const AnalysisDocument& document) {
    using namespace pdf;
    const ReportModel& report = document.report;
    const QSizeF size(points(pageWidth), points(pageHeight));
    Flow flow(size, QRectF(points(sideMargin), points(topMargin), size.width() - points(2 * sideMargin), size.height() - points(topMargin + footMargin)));
    addText(flow, qs(report.title), font(20, QFont::DemiBold), colours::ink, 0, 1.2);
    if (!report.subtitle.empty())
        addText(flow, qs(report.subtitle), font(9.5), colours::muted, 4);
    addLead(flow, report);
    addFacts(flow, report.facts);
    addFindings(flow, report.findings);
    addWarnings(flow, report.warnings);
    for (const auto& section : report.sections)
        addSection(flow, section);
    if (!report.command.empty() || !document.specToml.empty()) {
        addHeading(flow, QObject::tr("Reproduce this report"));
        addText(flow, QObject::tr("The same data, specification and seed give the same numbers."), font(9.5), colours::ink, 0);
        if (!report.command.empty())
            addMono(flow, qs(report.command));
        if (!document.specToml.empty())
            addMono(flow, qs(document.specToml).trimmed());
    }
    const auto provenance = nlohmann::json::parse(report.provenanceJson, nullptr, false);
    if (provenance.is_object() && !provenance.empty()) {
        addHeading(flow, QObject::tr("Provenance"));
        ReportTable table{.caption = {}, .columns = {{}, {}}, .rows = {}, .note = {}};
        addLeaves(provenance, "", 0, table);
        addTable(flow, table, 0, true);
    }
    flow.placeAll();
    addFooters(flow, qs(report.title));
    return flow.layout();
}

} // namespace carousel::ui
