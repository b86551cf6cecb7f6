// SPDX-License-Identifier: GPL-3.0-or-later
// The one guard between tensor code, which throws, and everything else, which does not.
#pragma once
#include "base/run_control.h"
#include "compute/device_torch.h"
#include <c10/util/Exception.h>
#include <exception>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace carousel {

// Thrown inside tensor code when the caller asked to stop; guarded() turns it into RunControl::cancelled.
struct StoppedByCaller {};
inline void checkStop(const RunControl& control) {
    if (control.stopRequested())
        throw StoppedByCaller{};
}

// Thrown inside tensor code when something outside it failed, e.g. a file; guarded() gives its error back.
struct Refused {
    Error error;
};

namespace detail {
inline Error tensorError(const std::string& what, const std::string& reason) {
    if (reason.find("allocate memory") != std::string::npos || reason.find("out of memory") != std::string::npos)
        return {ErrorKind::internal, "CL-2087", fmt::format("{}: not enough memory", what),
                "close other programs, use a shorter prompt, or choose the bf16 compute type"};
    return {ErrorKind::internal, "CL-2088", fmt::format("{}: the tensor library refused: {}", what, reason.substr(0, reason.find('\n'))),
            "this is a fault in the program or an unusual model file; please report it with the model's name"};
}
} // namespace detail

// Runs body() with the device's threads and turns what it throws into an Error. body returns a Result.
template <class Body> auto guarded(const ComputeDevice& device, const std::string& what, Body&& body) -> decltype(body()) {
    try {
        const ComputeScope scope(device);
        return body();
    } catch (const StoppedByCaller&) {
        return fail(RunControl::cancelled(what));
    } catch (const Refused& refused) {
        return fail(refused.error);
    } catch (const std::bad_alloc&) {
        return fail(detail::tensorError(what, "out of memory"));
    } catch (const c10::Error& error) {
        return fail(detail::tensorError(what, error.what_without_backtrace()));
    } catch (const dnnl::error& error) {
        return fail(detail::tensorError(what, error.status == dnnl_out_of_memory ? "out of memory" : error.what()));
    } catch (const std::exception& error) {
        return fail(detail::tensorError(what, error.what()));
    }
}

} // namespace carousel
