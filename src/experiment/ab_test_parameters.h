// SPDX-License-Identifier: GPL-3.0-or-later
// The options of an A/B simulation and of the check of stopping rules, declared once: analysisParameters() returns them.
#pragma once
#include "base/parameters.h"
#include "evaluation/ab_test/assignment.h"
#include "evaluation/ab_test/experiment.h"

namespace carousel {

// Who sees which arm, and how the experiment is judged: what experimentDesign() and assignmentPlan() read.
std::vector<ParameterSpec> experimentParameters();
std::vector<ParameterSpec> abTestParameters(); // the simulated users, then these
std::vector<ParameterSpec> abCheckParameters();

// What is laid down by options that have been validated, for so many arms; `rounds` is among them. CL-3138: shares or a ramp that are no numbers, or too few of them.
Result<ExperimentDesign> experimentDesign(const Parameters& options, std::uint64_t seed, std::size_t arms);
// Salt: the option, or the seed when it is empty. CL-3136, CL-3138.
Result<AssignmentPlan> assignmentPlan(const Parameters& options, std::uint64_t seed, std::size_t arms);

} // namespace carousel
