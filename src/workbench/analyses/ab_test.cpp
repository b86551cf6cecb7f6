// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/ab_test.h"

namespace carousel::analyses {

Result<AnalysisDocument> abTestDocument(DatasetPtr dataset, const AnalysisSpec& spec, const AbTestHost& host, const RunControl& control) {
    (void)dataset, (void)spec, (void)host, (void)control;
    return fail(ErrorKind::internal, "CL-7099", "This analysis is being built.", "Use another one.");
}

} // namespace carousel::analyses
