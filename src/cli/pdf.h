// SPDX-License-Identifier: GPL-3.0-or-later
// A document as PDF. Drawing pages needs Qt, which this program does without: the window's program beside it draws them.
#pragma once
#include "report/analysis_document.h"

namespace carousel::cli {

bool isPdf(const std::string& file); // by its ending
// CL-5013 the program is not there, CL-5014 it failed (with what it said), CL-50xx files.
Result<void> writePdf(const AnalysisDocument& document, const std::string& file);
// PDF by its ending, else as writeAnalysis takes it.
Result<void> writeDocument(const AnalysisDocument& document, const std::string& fileOrFolder);

} // namespace carousel::cli
