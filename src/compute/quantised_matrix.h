// SPDX-License-Identifier: GPL-3.0-or-later
// y = x Wᵀ + b with weights kept in the 4 or 8 bits of the model file (Q4_0, Q4_1, Q8_0) and activations of 16 bits: nearly the result of
// fp32 (relative error of a product about 1e-5) at about twice its speed, and a fifth to a third of the bytes where single tokens are
// generated.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace carousel {

enum class QuantisedType { q4_0, q4_1, q8_0 };

// Rows of blocks as GGUF stores them, one row per output.
struct QuantisedRows {
    QuantisedType type = QuantisedType::q4_1;
    std::int64_t outputs = 0;
    std::span<const std::byte> blocks; // outputs * inputs / 32 blocks of 18, 20 or 34 bytes
};

class QuantisedMatrix {
public:
    static bool canMultiply(); // whether this processor has the instructions
    // The parts' outputs follow one another; nothing of them is kept. `inputs` is a multiple of 32. Parts of 4 and of 8 bits do not mix.
    QuantisedMatrix(std::span<const QuantisedRows> parts, std::int64_t inputs);

    std::int64_t inputs() const { return m_inputs; }
    std::int64_t outputs() const { return m_outputs; }
    std::int64_t bytes() const { return m_panels * m_panelBytes; }
    // x: [rows][inputs], y: [rows][outputs]; `bias` has `outputs` values or is null. Uses the calling thread's OpenMP threads. A row's
    // result is bit for bit the same whatever other rows there are, and for any number of threads.
    void multiply(const float* x, std::int64_t rows, const float* bias, float* y) const;

private:
    struct Free {
        void operator()(std::uint8_t* bytes) const;
    };
    int m_bits = 4;
    std::int64_t m_inputs = 0, m_outputs = 0, m_blocks = 0, m_panels = 0, m_panelBytes = 0;
    std::unique_ptr<std::uint8_t[], Free> m_data; // [panel][block], see quantised_kernels.h
};

} // namespace carousel
