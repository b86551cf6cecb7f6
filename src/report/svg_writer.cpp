// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/svg_writer.h"
#include "base/text.h"
#include <fmt/format.h>

namespace carousel {

namespace {
std::string safe(std::string_view text) {
    std::string clean = escapedHtml(replaceInvalidUtf8(text));
    for (char& c : clean) // XML allows no other control characters
        if (static_cast<unsigned char>(c) < 0x20)
            c = ' ';
    return clean;
}
std::string withTooltip(std::string_view element, std::string_view attributes, std::string_view tooltip) {
    if (tooltip.empty())
        return fmt::format("<{}/>\n", attributes);
    return fmt::format("<{}><title>{}</title></{}>\n", attributes, safe(tooltip), element);
}
// Length of the UTF-8 sequence that starts with `byte`.
std::size_t sequence(unsigned char byte) {
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
} // namespace

std::string svgNumber(double value) {
    std::string text = fmt::format("{:.2f}", value);
    while (text.back() == '0')
        text.pop_back();
    if (text.back() == '.')
        text.pop_back();
    return text == "-0" ? "0" : text;
}

double textWidth(std::string_view text, double size) {
    double em = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::string_view one = text.substr(i, sequence(byte));
        if (byte < 0x80) {
            const char c = text[i];
            if (std::string_view(" iljI.,:;'|!").find(c) != std::string_view::npos)
                em += 0.30;
            else if (std::string_view("ftr()[]-/\"").find(c) != std::string_view::npos)
                em += 0.40;
            else if (std::string_view("mwMW@%").find(c) != std::string_view::npos)
                em += 0.90;
            else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
                em += 0.68;
            else
                em += 0.59;
        } else {
            em += one.size() == 2 ? 0.66 : 1.05; // Latin with accents; CJK and signs
        }
        i += one.size();
    }
    return em * size;
}

std::string shortened(std::string_view text, double size, double width) {
    if (textWidth(text, size) <= width)
        return std::string(text);
    std::string kept;
    for (std::size_t i = 0; i < text.size();) {
        const std::string_view one = text.substr(i, sequence(static_cast<unsigned char>(text[i])));
        if (textWidth(kept + std::string(one) + "…", size) > width)
            break;
        kept += one;
        i += one.size();
    }
    return kept + "…";
}

std::vector<std::string> wrapped(std::string_view text, double size, double width, std::size_t mostLines) {
    std::vector<std::string> lines;
    std::string line;
    const auto words = split(text, ' ');
    for (std::size_t w = 0; w < words.size(); ++w) {
        const std::string longer = line.empty() ? std::string(words[w]) : line + " " + std::string(words[w]);
        if (line.empty() || textWidth(longer, size) <= width) {
            line = longer;
            continue;
        }
        if (lines.size() + 1 == mostLines) { // the rest does not fit
            for (; w < words.size(); ++w)
                line += " " + std::string(words[w]);
            break;
        }
        lines.push_back(shortened(line, size, width));
        line = words[w];
    }
    if (!line.empty())
        lines.push_back(shortened(line, size, width));
    return lines;
}

SvgWriter::SvgWriter(int width, int height, std::string_view accessibleTitle) {
    m_svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" aria-label=\"{2}\" "
        "font-family=\"Inter, sans-serif\">\n<rect class=\"paper\" width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
        width, height, safe(accessibleTitle));
}

void SvgWriter::rect(double x, double y, double w, double h, std::string_view attributes, std::string_view tooltip) {
    m_svg += withTooltip("rect",
                         fmt::format("rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}", svgNumber(x), svgNumber(y), svgNumber(w),
                                     svgNumber(h), attributes),
                         tooltip);
}

void SvgWriter::line(double x1, double y1, double x2, double y2, std::string_view attributes) {
    m_svg += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", svgNumber(x1), svgNumber(y1), svgNumber(x2), svgNumber(y2),
                         attributes);
}

void SvgWriter::path(const std::string& d, std::string_view attributes) {
    m_svg += fmt::format("<path d=\"{}\" {}/>\n", d, attributes);
}

void SvgWriter::marker(int shape, double x, double y, double size, std::string_view colour, std::string_view tooltip, bool hollow) {
    const std::string paint = hollow ? fmt::format("class=\"hollow\" fill=\"#ffffff\" stroke=\"{}\" stroke-width=\"1.6\"", colour)
                                     : fmt::format("class=\"halo\" fill=\"{}\" stroke=\"#ffffff\" stroke-width=\"0.8\"", colour);
    auto polygon = [&](std::initializer_list<std::pair<double, double>> points) {
        std::string d;
        for (const auto& [px, py] : points)
            d += fmt::format("{}{} {}", d.empty() ? "M" : "L", svgNumber(x + px * size), svgNumber(y + py * size));
        m_svg += withTooltip("path", fmt::format("path d=\"{}Z\" {}", d, paint), tooltip);
    };
    switch (((shape % 6) + 6) % 6) {
    case 0:
        m_svg += withTooltip(
            "circle", fmt::format("circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}", svgNumber(x), svgNumber(y), svgNumber(size), paint), tooltip);
        break;
    case 1:
        polygon({{-.9, -.9}, {.9, -.9}, {.9, .9}, {-.9, .9}});
        break;
    case 2:
        polygon({{0, -1.15}, {1.1, .85}, {-1.1, .85}});
        break;
    case 3:
        polygon({{0, -1.25}, {1.25, 0}, {0, 1.25}, {-1.25, 0}});
        break;
    case 4:
        polygon({{0, 1.15}, {1.1, -.85}, {-1.1, -.85}});
        break;
    default:
        polygon({{-.4, -1.1},
                 {.4, -1.1},
                 {.4, -.4},
                 {1.1, -.4},
                 {1.1, .4},
                 {.4, .4},
                 {.4, 1.1},
                 {-.4, 1.1},
                 {-.4, .4},
                 {-1.1, .4},
                 {-1.1, -.4},
                 {-.4, -.4}});
    }
}

void SvgWriter::text(double x, double y, std::string_view content, double size, std::string_view cssClass, Anchor anchor, bool bold,
                     double rotate, bool halo) {
    const char* anchors[] = {"start", "middle", "end"};
    // A page recolours ink and muted for dark mode; what lies on a cell of a heat map keeps its colour.
    const char* fill = cssClass == "ink" || cssClass == "onLight" ? "#1b1f24" : cssClass == "onDark" ? "#ffffff" : "#57606a";
    m_svg += fmt::format(
        "<text x=\"{0}\" y=\"{1}\" class=\"{2}{9}\" fill=\"{3}\" font-size=\"{4}\" text-anchor=\"{5}\"{6}{7}>{8}</text>\n", svgNumber(x),
        svgNumber(y), cssClass, fill, svgNumber(size), anchors[static_cast<int>(anchor)], bold ? " font-weight=\"600\"" : "",
        rotate == 0 ? "" : fmt::format(" transform=\"rotate({} {} {})\"", svgNumber(rotate), svgNumber(x), svgNumber(y)), safe(content),
        halo ? " halo\" paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\" stroke-linejoin=\"round" : "");
}

std::string SvgWriter::finished() {
    return m_svg + "</svg>\n";
}

} // namespace carousel
