// SPDX-License-Identifier: GPL-3.0-or-later
// Attention over a prefix tree as plain matrices, for a test that knows no tensors.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include <cstdint>
#include <vector>

struct AttentionCase {
    std::int64_t heads = 0, keyValueHeads = 0, headSize = 0;
    bool causal = true;
    std::vector<carousel::Matrix> stores; // each: one row of queries, keys and values per token
    struct Segment {
        carousel::Matrix rows;
        std::vector<std::size_t> chain;      // stores, in order
        std::vector<std::int64_t> lengths{}; // how many tokens of each; empty: all
    };
    std::vector<Segment> segments;
};

// One matrix per segment: [tokens, heads * headSize].
std::vector<carousel::Matrix> attendTogether(const AttentionCase& problem, bool portable, int threads);
// The last `last` tokens of the last store of `chain` attend to all stores of the chain.
carousel::Matrix attendAtTheEnd(const AttentionCase& problem, const std::vector<std::size_t>& chain, std::int64_t last, bool portable);

struct RotaryCase {
    bool halves = false;
    double base = 10000, scale = 1;
    std::vector<double> factors;
    std::int64_t heads = 0, headSize = 0;
    std::vector<std::int64_t> positions;
};
carousel::Matrix rotated(const RotaryCase& problem, const carousel::Matrix& x, bool portable);
