// SPDX-License-Identifier: GPL-3.0-or-later
// What a placement study says in words.
#pragma once
#include "workbench/analyses/placement_figures.h"

namespace carousel::analyses {

std::string placesOf(std::uint32_t mask); // "encoder × scorer"; "the mean" for none
std::vector<std::string> leadOf(const PlacementFigures& figures, double confidence);
std::string verdictNote(const PlacementFigures& figures, std::size_t place); // below the verdict: "above 0, but less than 0.005"
std::string whatWouldChange(const PlacementFigures& figures, std::size_t place, double confidence);
std::string exampleNote(const PlacementFigures& figures); // about prompts with and without examples
std::string shotPlacesOf(const PlacementPlan& plan);      // "the features and the scorer"
std::vector<ReportFinding> findingsOf(const PlacementFigures& figures);
std::vector<ReportDefinition> definitionsOf(const PlacementFigures& figures, const AnalysisSpec& spec);

} // namespace carousel::analyses
