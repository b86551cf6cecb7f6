// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/ab_check.h"

namespace carousel::analyses {

Result<AnalysisDocument> abCheckDocument(DatasetPtr dataset, const AnalysisSpec& spec, const RunControl& control) {
    (void)dataset, (void)spec, (void)control;
    return fail(ErrorKind::internal, "CL-7099", "This analysis is being built.", "Use another one.");
}

} // namespace carousel::analyses
