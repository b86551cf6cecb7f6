// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/device_torch.h"
#include "base/parallel.h"
#include "compute/cpu_features.h"
#include "compute/cpu_kernels.h"
#include "compute/format_probe_torch.h"
#include "compute/quantised_matrix.h"
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <omp.h>
#include <torch/version.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace carousel {

const char* name(ComputeType type) { return type == ComputeType::fp32 ? "fp32" : type == ComputeType::bf16 ? "bf16" : "int16"; }

bool cpuMultipliesBf16() { return cpuFeatures().bf16; }

namespace {

// Activations of a layer are some megabytes: with the default thresholds each is mapped, faulted in and returned again, layer by layer.
void keepFreedMemory() {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // the most that glibc accepts
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

Result<std::string> cudaDevice(const std::string& device) {
    int index = 0;
    if (device.size() > 4) {
        const std::string digits = device.substr(5);
        if (device[4] != ':' || digits.empty() || digits.size() > 2 || digits.find_first_not_of("0123456789") != std::string::npos)
            return fail(ErrorKind::usage, "CL-2085", fmt::format("there is no device named '{}'", device), "use cpu, cuda, cuda:N, or auto");
        index = std::stoi(digits);
    }
    if (!at::hasCUDA())
        return fail(ErrorKind::input, "CL-2085", fmt::format("device {} was asked for, but this LibTorch has no CUDA", device),
                    "use --device cpu, or build with a CUDA LibTorch (-DTorch_DIR)");
    return fmt::format("cuda:{}", index);
}

} // namespace

Result<ComputeDevice> openComputeDevice(const std::string& wanted, const std::string& computeType, int threads, bool preferExact,
                                        int weightBits) {
    static std::once_flag once;
    std::call_once(once, keepFreedMemory);
    ComputeDevice out;
    out.threads = threads > 0 ? threads : threadCount();
    const std::string device = wanted != "auto" ? wanted : at::hasCUDA() ? "cuda" : "cpu";
    const bool cuda = device.rfind("cuda", 0) == 0;
    if (cuda) {
        CAROUSEL_ASSIGN(out.name, cudaDevice(device));
        out.portable = true;
    } else if (device != "cpu" && !device.empty()) {
        return fail(ErrorKind::usage, "CL-2085", fmt::format("there is no device named '{}'", device), "use cpu, cuda, cuda:N, or auto");
    }
    if (computeType == "fp32")
        out.type = ComputeType::fp32;
    else if (computeType == "bf16")
        out.type = ComputeType::bf16;
    else if (computeType == "int16") // where it cannot be computed, fp32 gives the same answers
        out.type = !cuda && QuantisedMatrix::canMultiply() ? ComputeType::int16 : ComputeType::fp32;
    else if (computeType == "auto" || computeType.empty())
        out.type = preferExact ? ComputeType::fp32 : cuda ? ComputeType::bf16 : chooseFormat(cpuFeatures(), formatTimesHere(out.threads), weightBits);
    else
        return fail(ErrorKind::usage, "CL-2086", fmt::format("there is no compute type named '{}'", computeType), "use auto, fp32, bf16 or int16");
    return out;
}

std::string describeLibraries(int threads) {
    const dnnl_version_t* version = dnnl_version();
    const std::string formats = describe(formatTimesHere(threads));
    return fmt::format("LibTorch {}, oneDNN {}.{}.{}, {} loops, {} {}{}{}", TORCH_VERSION, version->major, version->minor, version->patch,
                       cpuKernels().name, threads, threads == 1 ? "thread" : "threads", formats.empty() ? "" : "; ", formats);
}

struct ComputeScope::Inference {
    c10::InferenceMode mode;
};

ComputeScope::ComputeScope(const ComputeDevice& device) : m_inference(new Inference), m_before(omp_get_max_threads()) {
    if (at::get_num_threads() != device.threads)
        at::set_num_threads(device.threads);
    omp_set_num_threads(device.threads);
}

ComputeScope::~ComputeScope() {
    omp_set_num_threads(m_before);
    delete m_inference;
}

} // namespace carousel
