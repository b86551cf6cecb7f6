// SPDX-License-Identifier: GPL-3.0-or-later
// Two sets of figures of one report, compared number by number: equal means equal to the last digit. Pure; any thread.
#pragma once
#include "base/result.h"
#include <cstddef>
#include <string>
#include <vector>

namespace carousel {

enum class FigureClass {
    figure, // counts: a number, a word or a yes and no that the specification determines
    clock,  // follows from time on one machine: seconds, rates, memory, energy
    work,   // what a cache saved: calls, tokens, hits; another project holds other answers
};
struct ComparedFigure {
    std::string path; // "strategies[Popularity].metrics[nDCG@10].value"; an element is named by its name where all have one, else by its place from 1
    FigureClass kind = FigureClass::figure;
    std::string report, replay; // as JSON, with all digits; empty: not there
    bool equal = false;
    double difference = 0; // replay less report; NaN where one is no number
};
struct FigureComparison {
    std::vector<ComparedFigure> rows; // every figure of the report in its order, then those that only the replay has
    std::size_t figures = 0, differing = 0; // of class figure
    bool equal() const { return differing == 0; }
};

// Numbers of runs and analyses in the project, states, fingerprints and notes are names of things, not figures, and are left out.
// CL-5007 when a text is no JSON object or is nested deeper than 64.
Result<FigureComparison> compareFigures(const std::string& reportJson, const std::string& replayJson);

} // namespace carousel
