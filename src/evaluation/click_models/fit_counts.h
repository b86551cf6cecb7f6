// SPDX-License-Identifier: GPL-3.0-or-later
// The part of a click log that a model's likelihood depends on: counts per (item, context) wherever the visit was certainly alive, counts
// of certain transitions, and the tails behind the last proof of life, where it is hidden. With them an EM iteration costs as much as there
// are cells and tails. Parameters travel as one flat vector, so that EM, its acceleration and the gradient share everything.
#pragma once
#include "evaluation/click_models/fit.h"

namespace carousel {

// Where each block of a model begins in the flat vector.
struct ParameterLayout {
    ClickModelKind kind = ClickModelKind::pbm;
    std::size_t items = 0, slots = 0, window = 0;
    std::size_t contexts = 1; // places that share an attraction but not a look: slot; slot x last click; place x (first page, later)
    std::size_t satisfaction = 0, examination = 0, continuation = 0, scalars = 0, total = 0; // attraction begins at 0
    bool fixedReset = true;                                                                  // reset is held at 1: no reach in the log
    bool fixedContinue = false; // the visit never goes on after a click: continueAfterClick is exactly 0

    std::size_t swipe() const { return scalars; }
    std::size_t onAfterClick() const { return scalars + 1; }
    std::size_t reset() const { return scalars + 2; }
    // Look of a context, and the index of its place in the flat vector.
    double look(const std::vector<double>& p, std::size_t context) const;
    std::size_t place(std::size_t context) const;
    ClickModelParameters unpack(const std::vector<double>& p) const;
    std::vector<double> pack(const ClickModelParameters& parameters) const;
};
ParameterLayout parameterLayout(ClickModelKind kind, const ClickLog& log, int window);

struct ClickTail {
    std::size_t begin = 0; // first tail row
    std::uint32_t rows = 0;
    std::int32_t item = -1; // clicked at the last certain row; -1: that row has no click
    std::int32_t session = 0;
    std::int16_t slot = 0; // of the last certain row
    bool crossing = false; // a page ends at the last certain row
    bool endsDead = false; // the page behind the tail is known not to have been reached
    std::uint8_t weight = 1;
};
struct ClickTailRow {
    std::int32_t cell = -1; // -1: this slot is known not to have been in view
    bool mayEnd = false;    // the visit may end between this row and the next
};

struct ClickCounts {
    ParameterLayout layout;
    double sessions = 0;                        // sum of weights
    std::vector<std::size_t> start;             // items + 1, into the cells
    std::vector<std::int32_t> context;          // per cell
    std::vector<double> shown, clicks;          // per cell, certain rows only
    std::vector<double> wentOnItem, wentOnSlot; // clicks after which the visit certainly went on to another row
    std::vector<double> lastItem, lastSlot;     // last clicks of their session, wherever they stand
    double wentOn = 0;                          // no click, the visit could have ended, and went on (dbn, ccm; carousel: swipes)
    double wentOnCrossing = 0;                  // carousel: clicks at a page end after which the next page was reached
    double ended = 0;                           // carousel: no click at a page end, next page not reached
    std::vector<ClickTail> tails;
    std::vector<ClickTailRow> tailRows;
};
// `weight`: per cluster of the log, or empty. Sessions of weight 0 are left out.
Result<ClickCounts> countClicks(const ParameterLayout& layout, const ClickLog& log, std::span<const std::uint8_t> weight,
                                const RunControl& control);

// Expected successes and trials of every parameter given the clicks, at `p`; returns the log-likelihood of the log (clicks, and logged
// reach for the carousel model). successes - p * trials is the gradient on the logit scale (Fisher's identity). `aliveNext` per tail:
// P(alive at the first tail row), when asked for.
struct Expectation {
    std::vector<double> successes, trials;
    double logLikelihood = 0;
};
void expectClicks(const ClickCounts& counts, const std::vector<double>& p, Expectation& out);

// Steps of a tail: probability to stay from the last certain row, and P(no click and what is known behind it | alive there).
double tailFirstStay(const ClickCounts& counts, const std::vector<double>& p, const ClickTail& tail);
// Fills alive[j] = P(alive at tail row j | clicks) and returns P(what was seen behind the last certain row | alive there).
double tailPosterior(const ClickCounts& counts, const double* emission, double stay, double hiddenStay, const ClickTail& tail,
                     double* ahead, double* alive);
// P(stay) where a visit without a click may end: patience, t1, swipe.
double hiddenStay(const ParameterLayout& layout, const std::vector<double>& p);

} // namespace carousel
