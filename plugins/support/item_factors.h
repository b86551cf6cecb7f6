// SPDX-License-Identifier: GPL-3.0-or-later
// Collaborative vectors without training: the leading singular vectors of the degree-normalised matrix of users and items.
//   R~(u,i) = 1 / sqrt(items of u * users of i) where u met i, else 0;  R~ ~ P diag(s) Q^T
// (PureSVD: Cremonesi, Koren and Turrin, RecSys 2010; the normalisation of Shen et al., CIKM 2021.) Item i has row i of Q diag(sqrt(s)), a
// user R~(u,.) Q diag(1/sqrt(s)), which is u's row of P diag(sqrt(s)); so a user's and an item's vector have R~'s approximation as product.
#pragma once
#include "base/matrix.h"
#include "base/run_control.h"
#include "data/split.h"
#include "support/history.h"
#include <cstdint>

namespace carousel::plugin {

struct ItemFactors {
    Matrix items;                  // items x width; an item that nobody met has zeros
    std::vector<double> singular;  // per column, falling; each 0..1, the first near 1 (degrees alone)
    std::vector<double> itemUsers; // users who met each item, under `events`
    EventChoice events = EventChoice::liked;

    // At most `width` columns, fewer where the matrix has a smaller rank. Each column's sign is that of its largest entry made positive.
    // Same seed, same numbers. CL-6076 when the iteration does not settle. Stops between users and between steps of the iteration.
    static Result<ItemFactors> build(const TrainingView& training, EventChoice events, std::size_t width, std::uint64_t seed,
                                     const RunControl& control);
    // Of the chosen events before place `before`, each item once; an unknown user or one without events has zeros.
    std::vector<float> userVector(const TrainingView& training, Code user, std::size_t before = allEvents) const;
    // Of given items (none twice), as if they were a user's.
    std::vector<float> vectorOf(std::span<const Code> met) const;
    std::size_t width() const { return singular.size(); }
};

} // namespace carousel::plugin
