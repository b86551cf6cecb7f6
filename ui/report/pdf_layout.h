// SPDX-License-Identifier: GPL-3.0-or-later
// A document laid out on pages, before anything is drawn: words, tables and plots with their places. Nothing reaches over the margins, no
// heading or caption stands at the foot of a page without what it announces, a table's head is repeated where it goes on, and a table too wide for
// the page goes on below with its first column repeated. Pure but for the fonts that Qt has; any thread.
#pragma once
#include "report/analysis_document.h"
#include <QByteArray>
#include <QColor>
#include <QFont>
#include <QRectF>
#include <QString>
#include <vector>

namespace carousel::ui {

constexpr int pdfResolution = 1200; // dots per inch; all places are in dots
constexpr double pdfPoint = pdfResolution / 72.0;

struct PdfItem {
    enum class Kind { text, fill, picture };
    enum class Role { body, heading, caption, tableHead, cell, plot, footer };
    Kind kind = Kind::text;
    Role role = Role::body;
    QRectF at;           // a line of text: its box
    double baseline = 0; // y of the text
    QString text;        // one line
    QFont font;
    QColor colour;
    QByteArray svg;
};
struct PdfPage {
    std::vector<PdfItem> items;
};
struct PdfLayout {
    QSizeF size;    // A4
    QRectF content; // within the margins; the footer is below it
    std::vector<PdfPage> pages;
};
PdfLayout layOutPdf(const AnalysisDocument& document);

} // namespace carousel::ui
