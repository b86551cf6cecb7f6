// SPDX-License-Identifier: GPL-3.0-or-later
// A small writer of SVG elements: numbers without a locale, text escaped, classes so that a page's style can recolour for dark mode.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carousel {

enum class Anchor { start, middle, end };

class SvgWriter {
public:
    SvgWriter(int width, int height, std::string_view accessibleTitle);
    void rect(double x, double y, double w, double h, std::string_view attributes, std::string_view tooltip = {});
    void line(double x1, double y1, double x2, double y2, std::string_view attributes);
    void path(const std::string& d, std::string_view attributes);
    // Marker shapes differ by index, so that colour is never the only sign.
    void marker(int shape, double x, double y, double size, std::string_view colour, std::string_view tooltip = {}, bool hollow = false);
    // `halo`: an outline in the colour of the paper, for labels that may lie on a grid line.
    void text(double x, double y, std::string_view content, double size, std::string_view cssClass, Anchor anchor = Anchor::start,
              bool bold = false, double rotate = 0, bool halo = false);
    std::string finished();

private:
    std::string m_svg;
};

std::string svgNumber(double value);                  // two decimals, no trailing zeros
double textWidth(std::string_view text, double size); // estimate for Inter, on the safe side
// Words into lines no wider than `width`; the last allowed line ends in an ellipsis when words are left.
std::vector<std::string> wrapped(std::string_view text, double size, double width, std::size_t mostLines);
std::string shortened(std::string_view text, double size, double width);

} // namespace carousel
