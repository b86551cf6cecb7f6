// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/placement.h"
#include "workbench/analyses/placement_figures.h"

namespace carousel::analyses {

Result<AnalysisDocument> placementDocument(Workbench& bench, const AnalysisSpec& spec, const RunControl& control) {
    CAROUSEL_ASSIGN(PlacementPlan plan, placementPlan(spec, bench.plugins()));
    CAROUSEL_ASSIGN(const PlacementFigures figures, placementFigures(bench, spec, std::move(plan), control));
    return placementReport(spec, figures);
}

} // namespace carousel::analyses
