// SPDX-License-Identifier: GPL-3.0-or-later
// Shared by the files of this folder: the value of an order by walking it backwards. Each slot is an affine map of what follows it:
// value(from slot r) = theta alpha v + (1 - theta alpha) * value(from slot r + 1), times s where a page ends.
#pragma once
#include "evaluation/carousel/value.h"

namespace carousel {

inline double thetaAt(const CarouselModel& model, std::size_t slot) {
    return model.examination[slot % static_cast<std::size_t>(model.window)];
}
// What the value of the following slots is multiplied with on the way to `slot`'s successor.
inline double passOn(const CarouselModel& model, std::size_t slot) {
    return (slot + 1) % static_cast<std::size_t>(model.window) == 0 ? model.swipe : 1.0;
}
double valueOfOrder(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v,
                    std::span<const std::size_t> order);
Result<void> checkCarousel(const CarouselModel& model, std::span<const double> alpha, std::span<const double> v);

} // namespace carousel
