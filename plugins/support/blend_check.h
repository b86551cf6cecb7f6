// SPDX-License-Identifier: GPL-3.0-or-later
// What each part of a learned blend is worth: alone, and to the others. Judged on questions that its weights were not learned from.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel::plugin {

// A question is one wanted item among others; its rows stand together. MRR: mean over questions of 1 / rank of the wanted item, 0..1,
// expected over the orders of equal scores.
struct BlendCheck {
    struct Part {
        double alone = 0; // MRR by this column alone, higher first; nothing is fitted for it
        Interval aloneInterval;
        double adds = 0;       // MRR of the blend less that of the others, fitted again without it; without others: less chance
        Interval addsInterval; // paired over questions; what the draw of folds does is not in it
    };
    std::vector<Part> parts;
    double blend = 0, chance = 0; // MRR
    Interval blendInterval;
    std::size_t questions = 0, folds = 0; // folds 0: fewer than two questions, nothing could be judged
};

// `rows`: all questions' candidates; `first`: where each question begins, and the end; `wanted`: per row, 1 for exactly one of a question.
// Questions go to five folds in turn (fewer where there are fewer questions), each ranked by a logistic regression with penalty `l2` on the
// other folds. Intervals: 95 %, questions redrawn. Errors: CL-3090.
Result<BlendCheck> checkBlend(const Matrix& rows, std::span<const std::size_t> first, std::span<const std::uint8_t> wanted, double l2,
                              std::uint64_t seed);

} // namespace carousel::plugin
