// SPDX-License-Identifier: GPL-3.0-or-later
// Runs training's steps with the device's threads and ordinary tensors (scoring's own are inference tensors); gradients only where asked for.
#pragma once
#include "compute/guard_torch.h"
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <string>

namespace carousel {

template <class Body> auto trained(const ComputeDevice& device, const std::string& what, Body&& body) -> decltype(body()) {
    return guarded(device, what, [&] {
        const c10::InferenceMode off(false);
        const c10::AutoGradMode noGradient(false);
        return body();
    });
}

} // namespace carousel
