// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/packed_linear_torch.h"
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <torch/version.h>
#include <tuple>

#define CAROUSEL_SUMS_IN_FP32 (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 9))
#if CAROUSEL_SUMS_IN_FP32
#include <ATen/ops/mm.h>
#endif

namespace carousel {

namespace {
using Memory = dnnl::memory;
constexpr std::int64_t rowStep = 32;

Memory::desc matrix(std::int64_t rows, std::int64_t columns, Memory::data_type type, Memory::format_tag tag = Memory::format_tag::ab) {
    return {{rows, columns}, type, tag};
}
} // namespace

namespace {
// A product of bf16 by LibTorch: the sums in fp32 where it hands them out (on graphics cards, from 2.9 on), elsewhere rounded to bf16.
at::Tensor halfProduct(const at::Tensor& x, const at::Tensor& weight) {
    const at::Tensor half = x.to(at::kBFloat16);
#if CAROUSEL_SUMS_IN_FP32
    if (half.is_cuda())
        return at::mm(half, weight.t(), at::kFloat);
#endif
    return at::linear(half, weight);
}
} // namespace

class MatmulPlans {
public:
    struct Plan {
        dnnl::matmul::primitive_desc description;
        dnnl::matmul product;
    };

    explicit MatmulPlans(ComputeDevice device) : m_device(std::move(device)), m_engine(dnnl::engine::kind::cpu, 0), m_stream(m_engine) {}
    const ComputeDevice& device() const { return m_device; }
    dnnl::engine& engine() { return m_engine; }
    dnnl::stream& stream() { return m_stream; }
    bool packs() const { return !m_device.portable && (m_device.type != ComputeType::bf16 || cpuMultipliesBf16()); }
    Memory::data_type type() const { return m_device.type == ComputeType::bf16 ? Memory::data_type::bf16 : Memory::data_type::f32; }

    dnnl::matmul::primitive_desc describe(std::int64_t rows, const Memory::desc& weights, bool bias, AfterProduct after, bool add = false) {
        const std::int64_t inputs = weights.dims()[0], outputs = weights.dims()[1];
        const bool gelu = after == AfterProduct::gelu; // what follows is another product: in the format it takes
        const auto x = matrix(rows, inputs, type()), y = matrix(rows, outputs, gelu ? type() : Memory::data_type::f32);
        const auto b = matrix(1, outputs, Memory::data_type::f32);
        dnnl::post_ops operations;
        if (add)
            operations.append_sum(1);
        if (gelu) {
#if DNNL_VERSION_MAJOR >= 3
            operations.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0, 0);
#else
            operations.append_eltwise(1, dnnl::algorithm::eltwise_gelu_erf, 0, 0);
#endif
        }
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(operations);
#if DNNL_VERSION_MAJOR >= 3
        return bias ? dnnl::matmul::primitive_desc(m_engine, x, weights, b, y, attributes)
                    : dnnl::matmul::primitive_desc(m_engine, x, weights, y, attributes);
#else
        return {bias ? dnnl::matmul::desc(x, weights, b, y) : dnnl::matmul::desc(x, weights, y), attributes, m_engine};
#endif
    }
    // Layers of the same shape share their plans. Making one takes about half a millisecond, so they are kept, within reason.
    Plan& plan(std::int64_t rows, const Memory::desc& weights, bool bias, AfterProduct after, bool add) {
        const auto key = std::make_tuple(rows, weights.dims()[0], weights.dims()[1], bias, after, add);
        if (const auto found = m_plans.find(key); found != m_plans.end())
            return found->second;
        if (m_plans.size() >= 2048)
            m_plans.clear();
        auto description = describe(rows, weights, bias, after, add);
        dnnl::matmul product(description);
        return m_plans.emplace(key, Plan{std::move(description), std::move(product)}).first->second;
    }

private:
    ComputeDevice m_device;
    dnnl::engine m_engine;
    dnnl::stream m_stream;
    std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, bool, AfterProduct, bool>, Plan> m_plans;
};

std::shared_ptr<MatmulPlans> makeMatmulPlans(const ComputeDevice& device) {
    return std::make_shared<MatmulPlans>(device);
}

struct PackedLinear::Weights {
    Memory packed;                           // when oneDNN multiplies
    at::Tensor plain, bias;                  // `plain` where LibTorch does
    std::unique_ptr<QuantisedMatrix> stored; // as the file has them
    std::int64_t inputs = 0, outputs = 0, bytes = 0;
    AfterProduct after = AfterProduct::nothing;
};

PackedLinear::PackedLinear(std::shared_ptr<MatmulPlans> plans, const at::Tensor& weight, const at::Tensor& bias, AfterProduct after)
    : m_plans(std::move(plans)), m_weights(std::make_shared<Weights>()) {
    Weights& w = *m_weights;
    w.after = after;
    w.outputs = weight.size(0);
    w.inputs = weight.size(1);
    const c10::Device device(m_plans->device().name);
    if (bias.defined())
        w.bias = bias.to(device, at::kFloat, false, true).contiguous();
    if (!m_plans->packs()) {
        w.plain = weight.to(device, m_plans->device().type == ComputeType::bf16 ? at::kBFloat16 : at::kFloat, false, true).contiguous();
        w.bytes = static_cast<std::int64_t>(w.plain.nbytes());
        return;
    }
    // The layout is chosen for a batch of typical size; smaller and larger ones use the same packed weights.
    const auto wanted =
        m_plans->describe(384, matrix(w.inputs, w.outputs, m_plans->type(), Memory::format_tag::any), bias.defined(), after);
    const at::Tensor source = weight.contiguous();
    Memory from({{w.inputs, w.outputs}, Memory::data_type::f32, Memory::dims{1, w.inputs}}, m_plans->engine(), source.data_ptr());
    w.packed = Memory(wanted.weights_desc(), m_plans->engine());
    dnnl::reorder(from, w.packed).execute(m_plans->stream(), from, w.packed);
    m_plans->stream().wait();
    w.bytes = static_cast<std::int64_t>(w.packed.get_desc().get_size());
}

bool PackedLinear::multipliesStored(const ComputeDevice& device) {
    return device.type == ComputeType::int16 && !device.portable && QuantisedMatrix::canMultiply();
}

PackedLinear::PackedLinear(std::shared_ptr<MatmulPlans> plans, std::span<const QuantisedRows> parts, std::int64_t inputs,
                           const at::Tensor& bias)
    : m_plans(std::move(plans)), m_weights(std::make_shared<Weights>()) {
    Weights& w = *m_weights;
    w.stored = std::make_unique<QuantisedMatrix>(parts, inputs);
    w.inputs = inputs;
    w.outputs = w.stored->outputs();
    w.bytes = w.stored->bytes();
    if (bias.defined())
        w.bias = bias.to(at::kFloat).contiguous();
}

at::Tensor PackedLinear::operator()(const at::Tensor& x) const {
    const Weights& w = *m_weights;
    if (w.stored) {
        const at::Tensor input = x.contiguous();
        at::Tensor y = at::empty({x.size(0), w.outputs}, at::kFloat);
        w.stored->multiply(input.data_ptr<float>(), x.size(0), w.bias.defined() ? w.bias.data_ptr<float>() : nullptr, y.data_ptr<float>());
        return y;
    }
    const bool half = m_plans->device().type == ComputeType::bf16;
    const bool gelu = w.after == AfterProduct::gelu;
    if (!m_plans->packs()) {
        at::Tensor y = half ? halfProduct(x, w.plain).to(at::kFloat) : at::linear(x, w.plain, w.bias);
        if (half && w.bias.defined())
            y = y.add(w.bias);
        return gelu ? at::gelu(y) : y;
    }
    at::Tensor y = at::empty({x.size(0), w.outputs}, half && gelu ? at::kBFloat16 : at::kFloat);
    multiply(y, x, false);
    return y;
}

at::Tensor PackedLinear::forNextProduct(const at::Tensor& x) const {
    const Weights& w = *m_weights;
    if (m_plans->packs() || w.stored || m_plans->device().type != ComputeType::bf16 || w.bias.defined() || w.after != AfterProduct::nothing)
        return (*this)(x);
    return halfProduct(x, w.plain);
}

void PackedLinear::addTo(at::Tensor& y, const at::Tensor& x) const {
    const Weights& w = *m_weights;
    if (m_plans->packs() && !w.stored && w.after == AfterProduct::nothing)
        multiply(y, x, true);
    else if (!m_plans->packs() && m_plans->device().type == ComputeType::bf16 && w.after == AfterProduct::nothing && !w.bias.defined())
        y.add_(halfProduct(x, w.plain)); // without a copy in fp32 between
    else
        y.add_((*this)(x));
}

void PackedLinear::multiply(at::Tensor& y, const at::Tensor& x, bool add) const {
    const Weights& w = *m_weights;
    const std::int64_t rows = x.size(0);
    if (rows == 0)
        return;
    const at::Tensor input = x.to(m_plans->device().type == ComputeType::bf16 ? at::kBFloat16 : at::kFloat).contiguous();
    auto& engine = m_plans->engine();
    // Batches have any number of rows; in whole steps and what is left they share a few plans.
    const std::int64_t most = rows > 2 * rowStep ? rows / rowStep * rowStep : rows;
    for (std::int64_t first = 0; first < rows;) {
        const std::int64_t done = first == 0 ? most : rows - most;
        auto& plan = m_plans->plan(done, w.packed.get_desc(), w.bias.defined(), w.after, add);
        auto* from = static_cast<std::byte*>(input.data_ptr()) + static_cast<std::size_t>(first * w.inputs) * input.itemsize();
        auto* to = static_cast<std::byte*>(y.data_ptr()) + static_cast<std::size_t>(first * w.outputs) * y.itemsize();
        std::unordered_map<int, Memory> arguments{{DNNL_ARG_SRC, Memory(plan.description.src_desc(), engine, from)},
                                                  {DNNL_ARG_WEIGHTS, w.packed},
                                                  {DNNL_ARG_DST, Memory(plan.description.dst_desc(), engine, to)}};
        if (w.bias.defined())
            arguments.emplace(DNNL_ARG_BIAS, Memory(matrix(1, w.outputs, Memory::data_type::f32), engine, w.bias.data_ptr()));
        plan.product.execute(m_plans->stream(), arguments);
        m_plans->stream().wait();
        first += done;
    }
}

std::int64_t PackedLinear::bytes() const {
    return m_weights ? m_weights->bytes : 0;
}

} // namespace carousel
