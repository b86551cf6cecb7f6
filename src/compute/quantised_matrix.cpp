// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/quantised_matrix.h"
#include "compute/quantised_kernels.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <omp.h>

namespace carousel {

namespace {

// Rows up to which a panel is read as it is packed; for more it is worth unpacking first.
constexpr std::int64_t fewRows = 12;
// Rows whose activations stay in the second cache while the panels go by.
constexpr std::int64_t chunkRows = 96; // a multiple of tileRows

template <class T> struct Buffer { // 64-byte aligned, uninitialised, kept by its thread
    T* get(std::size_t count) {
        if (count > m_size) {
            std::free(m_data);
            m_size = (count * sizeof(T) + 4095) / 4096 * 4096 / sizeof(T);
            m_data = static_cast<T*>(std::aligned_alloc(64, m_size * sizeof(T)));
            if (!m_data) {
                m_size = 0;
                throw std::bad_alloc();
            }
        }
        return m_data;
    }
    ~Buffer() { std::free(m_data); }

private:
    T* m_data = nullptr;
    std::size_t m_size = 0;
};

std::uint16_t half(const std::byte* p) {
    std::uint16_t bits;
    std::memcpy(&bits, p, 2);
    return bits;
}

// -8 times a half: sign turned and exponent raised by three. Exact but for numbers so small that they have no full exponent (below 6e-5),
// which are shifted bit by bit, and for those above 8188, which no weight reaches and which become infinite.
std::uint16_t timesMinusEight(std::uint16_t bits) {
    const std::uint16_t sign = static_cast<std::uint16_t>(~bits & 0x8000), size = bits & 0x7FFF;
    if (size >= 0x7000)
        return static_cast<std::uint16_t>(sign | 0x7C00);
    if (size >= 0x0400)
        return static_cast<std::uint16_t>(sign | (size + 0x0C00));
    std::uint32_t mantissa = size * 8u; // in units of 2^-24
    std::uint32_t exponent = 1;
    while (mantissa >= 0x0800) {
        mantissa >>= 1; // exact: at most three steps, and the three low bits are zero
        ++exponent;
    }
    return static_cast<std::uint16_t>(sign | (mantissa < 0x0400 ? mantissa : (exponent << 10) + (mantissa - 0x0400)));
}

} // namespace

void QuantisedMatrix::Free::operator()(std::uint8_t* bytes) const {
    std::free(bytes);
}

bool QuantisedMatrix::canMultiply() {
    return quantisedKernels() != nullptr;
}

QuantisedMatrix::QuantisedMatrix(std::span<const QuantisedRows> parts, std::int64_t inputs) : m_inputs(inputs) {
    m_bits = !parts.empty() && parts[0].type == QuantisedType::q8_0 ? 8 : 4;
    for (const QuantisedRows& part : parts)
        m_outputs += part.outputs;
    m_blocks = inputs / quantisedBlock;
    m_panels = (m_outputs + panelOutputs - 1) / panelOutputs;
    m_panelBytes = m_blocks * panelBlockBytes(m_bits);
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(64, (bytes() + 63) / 64 * 64));
    m_data.reset(static_cast<std::uint8_t*>(std::aligned_alloc(64, size)));
    if (!m_data)
        throw std::bad_alloc();
    std::memset(m_data.get(), 0, size); // outputs beyond the last have weights of zero

    const std::int64_t factorsAt = m_bits * panelOutputs * 4;
    std::int64_t firstOutput = 0;
    for (const QuantisedRows& part : parts) {
        const std::int64_t blockBytes = part.type == QuantisedType::q4_0 ? 18 : part.type == QuantisedType::q4_1 ? 20 : 34;
#pragma omp parallel for schedule(static)
        for (std::int64_t row = 0; row < part.outputs; ++row) {
            const std::int64_t output = (firstOutput + row) % panelOutputs;
            std::uint8_t* panel = m_data.get() + (firstOutput + row) / panelOutputs * m_panelBytes;
            const std::byte* from = part.blocks.data() + row * m_blocks * blockBytes;
            for (std::int64_t block = 0; block < m_blocks; ++block, panel += panelBlockBytes(m_bits), from += blockBytes) {
                const std::uint16_t d = half(from);
                std::memcpy(panel + factorsAt + output * 2, &d, 2);
                if (m_bits == 4) {
                    const std::uint16_t m = part.type == QuantisedType::q4_1 ? half(from + 2) : timesMinusEight(d);
                    std::memcpy(panel + factorsAt + (panelOutputs + output) * 2, &m, 2);
                }
                // A byte of a 4-bit block holds value i in its low half and value i + 16 in its high half.
                const std::byte* values = from + (part.type == QuantisedType::q4_1 ? 4 : 2);
                const auto value = [&](std::int64_t i) {
                    if (m_bits == 8)
                        return std::to_integer<unsigned>(values[i]);
                    const unsigned byte = std::to_integer<unsigned>(values[i % 16]);
                    return i < 16 ? byte & 15u : byte >> 4;
                };
                const std::int64_t perWord = 16 / m_bits; // pairs of inputs in a word vector
                for (std::int64_t vector = 0; vector < m_bits; ++vector)
                    for (std::int64_t odd = 0; odd < 2; ++odd) {
                        unsigned word = 0;
                        for (std::int64_t n = 0; n < perWord; ++n)
                            word |= value(2 * (perWord * vector + n) + odd) << (n * m_bits);
                        const auto stored = static_cast<std::uint16_t>(word);
                        std::memcpy(panel + (vector * panelOutputs + output) * 4 + 2 * odd, &stored, 2);
                    }
            }
        }
        firstOutput += part.outputs;
    }
}

void QuantisedMatrix::multiply(const float* x, std::int64_t rows, const float* bias, float* y) const {
    if (rows == 0)
        return;
    const QuantisedKernels& kernels = *quantisedKernels();
    thread_local Buffer<std::int16_t> quantisedBuffer, wordsBuffer;
    thread_local Buffer<float> scalesBuffer, factorsBuffer;
    thread_local Buffer<std::uint8_t> restBuffer;
    const int threads = omp_get_max_threads();
    std::int16_t* const q = quantisedBuffer.get(static_cast<std::size_t>(2 * rows * m_inputs));
    std::int16_t* const rest = q + rows * m_inputs;
    float* const scales = scalesBuffer.get(static_cast<std::size_t>(rows * m_blocks * 4));
    const std::int64_t tileRows = kernels.tileRows, tiles = (rows + tileRows - 1) / tileRows;
    std::uint8_t* const hasRest = restBuffer.get(static_cast<std::size_t>(tiles));
    const bool few = rows <= fewRows;
    // Every thread unpacks into its own stretch; memory is taken here, where failing may throw.
    const std::int64_t wordsEach = m_blocks * quantisedBlock * panelOutputs, factorsEach = m_blocks * 2 * panelOutputs;
    std::int16_t* const words = few ? nullptr : wordsBuffer.get(static_cast<std::size_t>(threads * wordsEach));
    float* const factors = few ? nullptr : factorsBuffer.get(static_cast<std::size_t>(threads * factorsEach));
    const std::int64_t chunks = (rows + chunkRows - 1) / chunkRows,
                       each = ((rows + chunks - 1) / chunks + tileRows - 1) / tileRows * tileRows;

    const auto multiplyPanel = [&](std::int64_t panel, std::int64_t first, std::int64_t count, int thread) {
        const std::uint8_t* packed = m_data.get() + panel * m_panelBytes;
        const std::int64_t left = std::min(panelOutputs, m_outputs - panel * panelOutputs);
        float edge[chunkRows * panelOutputs]; // the last panel may be wider than the result
        const bool whole = left == panelOutputs;
        float* to = whole ? y + first * m_outputs + panel * panelOutputs : edge;
        const std::int64_t stride = whole ? m_outputs : panelOutputs;
        const QuantisedActivations activations{q + first * m_inputs, rest + first * m_inputs, scales + first * m_blocks * 4,
                                               hasRest + first / tileRows};
        if (few) {
            kernels.multiplyFew(m_bits, packed, m_blocks, activations, count, to, stride);
        } else {
            kernels.unpack(m_bits, packed, m_blocks, words + thread * wordsEach, factors + thread * factorsEach);
            kernels.multiplyMany(m_bits, words + thread * wordsEach, factors + thread * factorsEach, m_blocks, activations, count, to,
                                 stride);
        }
        float* result = y + first * m_outputs + panel * panelOutputs;
        if (bias || !whole)
            for (std::int64_t row = 0; row < count; ++row)
                for (std::int64_t i = 0; i < left; ++i)
                    result[row * m_outputs + i] = to[row * stride + i] + (bias ? bias[panel * panelOutputs + i] : 0.0f);
    };
#pragma omp parallel num_threads(threads) if (rows > 1 || m_outputs * m_inputs > 65536)
    {
#pragma omp for schedule(static)
        for (std::int64_t tile = 0; tile < tiles; ++tile) {
            const std::int64_t row = tile * tileRows;
            hasRest[tile] = kernels.quantiseTile(x + row * m_inputs, std::min(tileRows, rows - row), m_inputs, q + row * m_inputs,
                                                 rest + row * m_inputs, scales + row * m_blocks * 4);
        }
        if (few) {
#pragma omp for schedule(static)
            for (std::int64_t panel = 0; panel < m_panels; ++panel)
                multiplyPanel(panel, 0, rows, 0);
        } else {
#pragma omp for collapse(2) schedule(dynamic, 1)
            for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
                for (std::int64_t panel = 0; panel < m_panels; ++panel)
                    multiplyPanel(panel, chunk * each, std::max<std::int64_t>(0, std::min(each, rows - chunk * each)),
                                  omp_get_thread_num());
        }
    }
}

} // namespace carousel
