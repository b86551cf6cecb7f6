// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/layers_torch.h"
#include "compute/cpu_kernels.h"
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/view_as_complex.h>
#include <algorithm>
#include <cmath>
#include <torch/version.h>

#define CAROUSEL_RMS_NORM (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4))
#if CAROUSEL_RMS_NORM
#include <ATen/ops/rms_norm.h>
#endif

namespace carousel {

namespace {
constexpr std::int64_t rowsPerTask = 8;

bool half(const ComputeDevice& device, Use use) {
    return use == Use::product && device.type == ComputeType::bf16;
}
std::uint16_t* halves(at::Tensor& x) {
    return reinterpret_cast<std::uint16_t*>(x.data_ptr<at::BFloat16>());
}
} // namespace

at::Tensor rmsNorm(const ComputeDevice& device, const at::Tensor& x, const at::Tensor& weight, double epsilon, Use use) {
    if (device.portable) {
#if CAROUSEL_RMS_NORM
        return at::rms_norm(x, {x.size(1)}, weight, epsilon);
#else
        return x * at::rsqrt((x * x).mean(-1, true) + epsilon) * weight;
#endif
    }
    const at::Tensor input = x.contiguous();
    const std::int64_t width = x.size(1);
    const float* from = input.data_ptr<float>();
    const float* scale = weight.data_ptr<float>();
    if (half(device, use)) {
        at::Tensor y = at::empty(input.sizes(), at::kBFloat16);
        std::uint16_t* to = halves(y);
        at::parallel_for(0, x.size(0), rowsPerTask, [&](std::int64_t begin, std::int64_t end) {
            cpuKernels().rmsNormHalf(from + begin * width, scale, static_cast<float>(epsilon), end - begin, width, to + begin * width);
        });
        return y;
    }
    at::Tensor y = at::empty_like(input);
    float* to = y.data_ptr<float>();
    at::parallel_for(0, x.size(0), rowsPerTask, [&](std::int64_t begin, std::int64_t end) {
        cpuKernels().rmsNorm(from + begin * width, scale, static_cast<float>(epsilon), end - begin, width, to + begin * width);
    });
    return y;
}

at::Tensor swiGlu(const ComputeDevice& device, const at::Tensor& gateUp, Use use) {
    const std::int64_t width = gateUp.size(1) / 2;
    if (device.portable) // in the format that the gates come in
        return at::silu(gateUp.narrow(1, 0, width)).mul_(gateUp.narrow(1, width, width));
    const float* from = gateUp.data_ptr<float>();
    if (half(device, use)) {
        at::Tensor y = at::empty({gateUp.size(0), width}, at::kBFloat16);
        std::uint16_t* to = halves(y);
        at::parallel_for(0, gateUp.size(0), rowsPerTask, [&](std::int64_t begin, std::int64_t end) {
            cpuKernels().swiGluHalf(from + begin * 2 * width, end - begin, width, to + begin * width);
        });
        return y;
    }
    at::Tensor y = at::empty({gateUp.size(0), width}, at::kFloat);
    float* to = y.data_ptr<float>();
    at::parallel_for(0, gateUp.size(0), rowsPerTask, [&](std::int64_t begin, std::int64_t end) {
        cpuKernels().swiGlu(from + begin * 2 * width, end - begin, width, to + begin * width);
    });
    return y;
}

namespace {
bool productsTakeHalf(const ComputeDevice& device) {
    return !device.portable && device.type == ComputeType::bf16 && cpuMultipliesBf16();
}
std::uint16_t* halfPointer(const at::Tensor& x, std::int64_t at) {
    return x.defined() ? reinterpret_cast<std::uint16_t*>(x.data_ptr<at::BFloat16>()) + at : nullptr;
}
} // namespace

Normed layerNorm(const ComputeDevice& device, const at::Tensor& x, const at::Tensor& plus, const at::Tensor& weight, const at::Tensor& bias,
                 double epsilon) {
    const std::int64_t width = x.size(1);
    if (device.portable)
        return {at::layer_norm(plus.defined() ? x + plus : x, {width}, weight, bias, epsilon), {}};
    Normed out{at::empty_like(x), productsTakeHalf(device) ? at::empty(x.sizes(), at::kBFloat16) : at::Tensor()};
    const at::Tensor a = x.contiguous(), b = plus.defined() ? plus.contiguous() : plus;
    const float* from = a.data_ptr<float>();
    const float* add = b.defined() ? b.data_ptr<float>() : nullptr;
    const float *scale = weight.data_ptr<float>(), *shift = bias.data_ptr<float>();
    float* to = out.full.data_ptr<float>();
    at::parallel_for(0, x.size(0), rowsPerTask, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t at = begin * width;
        cpuKernels().layerNorm(from + at, add ? add + at : nullptr, scale, shift, static_cast<float>(epsilon), end - begin, width, to + at,
                               halfPointer(out.half, at));
    });
    return out;
}

std::vector<double> logSumExp(const ComputeDevice& device, const at::Tensor& x) {
    std::vector<double> sums(static_cast<std::size_t>(x.size(0)));
    if (device.portable) {
        const at::Tensor values = at::logsumexp(x.to(at::kDouble), {1}).to(at::kCPU).contiguous();
        std::copy_n(values.data_ptr<double>(), sums.size(), sums.begin());
        return sums;
    }
    const std::int64_t width = x.size(1);
    const float* from = x.data_ptr<float>();
    at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
            sums[static_cast<std::size_t>(row)] = cpuKernels().logSumExp(from + row * width, width);
    });
    return sums;
}

void RotaryTable::extendTo(std::int64_t positions) {
    if (positions <= m_length)
        return;
    positions = (positions + 255) / 256 * 256;
    const std::int64_t size = m_shape.headSize, half = size / 2;
    const bool halves = m_shape.pairs == RotaryPairs::halves;
    m_cosine.resize(static_cast<std::size_t>(positions * size));
    m_signedSine.resize(m_cosine.size());
    for (std::int64_t pair = 0; pair < half; ++pair) {
        const double factor = m_shape.factors.empty() ? 1 : m_shape.factors[static_cast<std::size_t>(pair)];
        const double frequency =
            std::pow(m_shape.base, -2.0 * static_cast<double>(pair) / static_cast<double>(size)) / (m_shape.scale * factor);
        for (std::int64_t position = m_length; position < positions; ++position) {
            const double angle = static_cast<double>(position) * frequency;
            const auto first = static_cast<std::size_t>(position * size + (halves ? pair : 2 * pair));
            const std::size_t second = first + static_cast<std::size_t>(halves ? half : 1);
            m_cosine[first] = m_cosine[second] = static_cast<float>(std::cos(angle));
            m_signedSine[first] = static_cast<float>(-std::sin(angle));
            m_signedSine[second] = static_cast<float>(std::sin(angle));
        }
    }
    m_length = positions;
}

RotaryTable::Rows RotaryTable::rows(const ComputeDevice& device, const std::vector<std::int64_t>& positions) {
    const std::int64_t size = m_shape.headSize, count = static_cast<std::int64_t>(positions.size());
    TORCH_CHECK(m_shape.factors.empty() || static_cast<std::int64_t>(m_shape.factors.size()) == size / 2, "one rotary factor per pair");
    if (!positions.empty())
        extendTo(*std::max_element(positions.begin(), positions.end()) + 1);
    Rows out{positions, {}, {}};
    if (!device.portable)
        return out;
    if (m_shape.pairs == RotaryPairs::neighbours) {
        const at::Tensor turns = at::empty({count, 1, size / 2, 2}, at::kFloat); // cos + i sin
        for (std::int64_t row = 0; row < count; ++row)
            for (std::int64_t i = 0; i < size / 2; ++i) {
                const auto from = static_cast<std::size_t>(positions[static_cast<std::size_t>(row)] * size + 2 * i);
                float* to = turns.data_ptr<float>() + (row * (size / 2) + i) * 2;
                to[0] = m_cosine[from];
                to[1] = m_signedSine[from + 1];
            }
        out.turns = at::view_as_complex(turns.to(c10::Device(device.name)));
        return out;
    }
    const auto sent = [&](const std::vector<float>& table) {
        const at::Tensor chosen = at::empty({count, 1, size}, at::kFloat);
        for (std::int64_t row = 0; row < count; ++row)
            std::copy_n(table.data() + positions[static_cast<std::size_t>(row)] * size, size, chosen.data_ptr<float>() + row * size);
        return chosen.to(c10::Device(device.name));
    };
    out.cosine = sent(m_cosine);
    out.signedSine = sent(m_signedSine);
    return out;
}

void RotaryTable::apply(const ComputeDevice& device, at::Tensor& x, std::int64_t heads, const Rows& at) const {
    const std::int64_t rows = x.size(0), columns = x.size(1), size = m_shape.headSize;
    if (rows == 0)
        return;
    const bool halves = m_shape.pairs == RotaryPairs::halves;
    if (!device.portable) {
        float* values = x.data_ptr<float>();
        const auto turn = halves ? cpuKernels().rotateHalves : cpuKernels().rotate;
        at::parallel_for(0, rows, rowsPerTask, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const std::int64_t first = at.positions[static_cast<std::size_t>(row)] * size;
                turn(values + row * columns, heads, static_cast<int>(size), m_cosine.data() + first, m_signedSine.data() + first);
            }
        });
        return;
    }
    at::Tensor turned = x.narrow(1, 0, heads * size).view({rows, heads, size});
    if (!halves) { // a pair is a complex number, a turn a product with another
        at::view_as_complex(turned.view({rows, heads, size / 2, 2})).mul_(at.turns);
        return;
    }
    const at::Tensor swapped = at::cat({turned.narrow(2, size / 2, size / 2), turned.narrow(2, 0, size / 2)}, 2);
    turned.copy_(turned * at.cosine + swapped * at.signedSine);
}

} // namespace carousel
