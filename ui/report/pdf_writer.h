// SPDX-License-Identifier: GPL-3.0-or-later
// An analysis document or a report of runs as a PDF: words, tables and plots on A4 pages with page numbers. Its title is the report's and its
// creation date the one in the provenance, so that the same document gives the same file byte by byte (one machine, one set of fonts, and a
// fixed order of hash tables: QHashSeed::setDeterministicGlobalSeed()).
// Needs a QGuiApplication; callable from any thread.
#pragma once
#include "report/analysis_document.h"
#include <QByteArray>

namespace carousel::ui {

Result<QByteArray> pdfOf(const AnalysisDocument& document);                            // CL-5012 when Qt cannot draw it
Result<void> writePdf(const AnalysisDocument& document, const std::string& file);      // and CL-50xx of the file
bool isPdf(const std::string& file);                                                   // by its ending
// What an export in the window calls: PDF by its ending, else writeAnalysis.
Result<void> writeDocument(const AnalysisDocument& document, const std::string& fileOrFolder);
// `carousel-lab --write-pdf IN.json OUT.pdf`, which the command line starts: the document as its JSON in, exit code out, errors on stderr.
int writePdfCommand(int argc, char** argv);

} // namespace carousel::ui
