// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/pdf_writer.h"
#include "base/file.h"
#include "base/text.h"
#include "report/pdf_layout.h"
#include "widgets/text.h"
#include <QBuffer>
#include <QGuiApplication>
#include <QHashFunctions>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgRenderer>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace carousel::ui {

namespace {
constexpr std::size_t largestDocument = std::size_t(256) << 20;

void draw(QPainter& painter, const PdfItem& item) {
    switch (item.kind) {
    case PdfItem::Kind::text:
        painter.setFont(item.font);
        painter.setPen(item.colour);
        painter.drawText(QPointF(item.at.left(), item.baseline), item.text);
        return;
    case PdfItem::Kind::fill: painter.fillRect(item.at, item.colour); return;
    case PdfItem::Kind::picture: {
        QSvgRenderer picture(item.svg);
        picture.render(&painter, item.at);
        return;
    }
    }
}

// "2026-11-27T21:10:24Z" or "2026-11-27 21:10:24" as the fourteen digits of a PDF's date; zeros of the epoch when there is none.
QByteArray dateDigits(const std::string& provenance) {
    const auto parsed = nlohmann::json::parse(provenance, nullptr, false);
    QByteArray digits;
    if (parsed.is_object() && parsed.contains("written") && parsed["written"].is_string())
        for (const char c : parsed["written"].get<std::string>())
            if (c >= '0' && c <= '9')
                digits += c;
    return digits.size() == 14 ? digits : QByteArray("19700101000000");
}

// Qt dates the file by the clock; the date of the report takes that place, in as many bytes, so that no offset in the file moves.
void setDate(QByteArray& pdf, const QByteArray& digits) {
    const QByteArray key = "/CreationDate (D:";
    const qsizetype at = pdf.lastIndexOf(key), end = at < 0 ? -1 : pdf.indexOf(')', at);
    if (end < 0)
        return;
    const qsizetype from = at + key.size(), length = end - from;
    QByteArray date = digits + (length == 15 ? QByteArray("Z") : QByteArray("+00'00'"));
    if (date.size() == length)
        pdf.replace(from, length, date);
}
} // namespace

Result<QByteArray> pdfOf(const AnalysisDocument& document) {
    const PdfLayout layout = layOutPdf(document);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setPageSize(QPageSize(QPageSize::A4));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    writer.setResolution(pdfResolution);
    writer.setTitle(qs(document.report.title));
    writer.setCreator(QStringLiteral("Carousel Lab"));
    QPainter painter;
    bool drawn = painter.begin(&writer);
    for (std::size_t p = 0; drawn && p < layout.pages.size(); ++p) {
        drawn = p == 0 || writer.newPage();
        for (const auto& item : layout.pages[p].items)
            draw(painter, item);
    }
    drawn = drawn && painter.end();
    if (!drawn)
        return fail(ErrorKind::internal, "CL-5012", "The pages cannot be drawn.", "Write the report as HTML, and print it.");
    buffer.close();
    setDate(bytes, dateDigits(document.report.provenanceJson));
    return bytes;
}

Result<void> writePdf(const AnalysisDocument& document, const std::string& file) {
    CAROUSEL_ASSIGN(const auto bytes, pdfOf(document));
    if (const auto folder = std::filesystem::path(file).parent_path().string(); !folder.empty())
        CAROUSEL_TRY(makeFolders(folder));
    return atomicWrite(file, {bytes.constData(), static_cast<std::size_t>(bytes.size())});
}

bool isPdf(const std::string& file) { return lowered(std::filesystem::path(file).extension().string()) == ".pdf"; }

Result<void> writeDocument(const AnalysisDocument& document, const std::string& fileOrFolder) {
    std::error_code error;
    return isPdf(fileOrFolder) && !std::filesystem::is_directory(fileOrFolder, error) ? writePdf(document, fileOrFolder) : writeAnalysis(document, fileOrFolder);
}

int writePdfCommand(int argc, char** argv) {
    const auto end = [](const Error& error) {
        std::fprintf(stderr, "%s\n", describe(error).c_str());
        return exitCode(error.kind);
    };
    if (argc != 4)
        return end({ErrorKind::usage, "CL-3000", "--write-pdf takes two files.", "carousel-lab --write-pdf IN.json OUT.pdf"});
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QHashSeed::setDeterministicGlobalSeed();
    int one = 1; // none of the words are Qt's
    QGuiApplication app(one, argv);
    const auto text = readFile(argv[2], largestDocument);
    if (!text)
        return end(text.error());
    const auto document = analysisFromJson(*text);
    if (!document)
        return end(document.error());
    const auto written = writePdf(*document, argv[3]);
    return written ? 0 : end(written.error());
}

} // namespace carousel::ui
