// SPDX-License-Identifier: GPL-3.0-or-later
// Which examples a step learns from, and how they are cut into pieces that are computed together. A pure function of seed and step, so a
// resumed run needs no more than the step's number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

class TrainingOrder {
public:
    // `examples` and `batch` above 0. Each epoch is a new order of all examples; its last step may have fewer than `batch`.
    TrainingOrder(std::size_t examples, std::size_t batch, std::uint64_t seed) : m_examples(examples), m_batch(batch), m_seed(seed) {}
    std::int64_t stepsPerEpoch() const { return static_cast<std::int64_t>((m_examples + m_batch - 1) / m_batch); }
    std::vector<std::size_t> examplesOf(std::int64_t step); // 0-based step

private:
    std::size_t m_examples, m_batch;
    std::uint64_t m_seed;
    std::int64_t m_epoch = -1; // whose order m_order is
    std::vector<std::size_t> m_order;
};

// Cuts indices into pieces of at most `tokens` tokens (a longer one alone), similar lengths together: longest first.
std::vector<std::vector<std::size_t>> piecesByLength(std::span<const std::size_t> indices, std::span<const std::int64_t> lengths,
                                                     std::int64_t tokens);

} // namespace carousel
