// SPDX-License-Identifier: GPL-3.0-or-later
// A linear map from collaborative vectors into the space of a language model's input embeddings, in closed form: ridge regression of each
// item's title embedding on its collaborative vector. A-LLMRec (Kim et al., KDD 2024) aligns the two sides so in its first stage, by
// autoencoders; here one linear map, without a backward pass.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel::plugin {

struct Alignment {
    Matrix weights;               // from's columns x to's columns
    std::vector<double> from, to; // means that are taken off and put back
    double length = 0;            // mean length of the rows of `to`; every mapped row has it
    std::size_t items = 0, heldOut = 0;
    double explained = 0; // share of the variance of `to` around its mean that the map explains on held-out rows; NaN without any

    // Minimises |to - mean - (from - mean) W|^2 + l2 |W|^2 over the rows; l2 > 0, at least one row, equal numbers of rows (CL-6078). Every
    // fifth row, drawn by `seed`, is held out for `explained` (with 10 rows and more) and then learned from like the others.
    static Result<Alignment> fit(const Matrix& from, const Matrix& to, double l2, std::uint64_t seed);
    // Where a vector comes to lie, scaled to `length`: the residual stream it joins has token embeddings of about this size. An empty
    // vector stands for "nothing is known" and comes to the mean.
    std::vector<float> map(std::span<const float> vector) const;
};

} // namespace carousel::plugin
