// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/placement.h"

namespace carousel::analyses {

Result<AnalysisDocument> placementDocument(Workbench& bench, const AnalysisSpec& spec, const RunControl& control) {
    (void)bench, (void)spec, (void)control;
    return fail(ErrorKind::internal, "CL-7099", "This analysis is being built.", "Use another one.");
}

} // namespace carousel::analyses
